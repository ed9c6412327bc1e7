//! Texts for agents: each goes to the device that the agent registered last, and leaves a fact, not its words.

use crate::context::Context;
use facts::FactKind;
use sip::ua::{Do, Peer, Text, TextId};
use std::collections::BTreeMap;

/// Texts on their way. SIP bounds their number, and answers each.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    told: BTreeMap<TextId, Text>,
}

impl Texts {
    /// One has arrived: 404 for nobody of ours, 480 for somebody without a device, 403 for a trunk's, unless that
    /// trunk is one of ours to write by.
    pub(crate) fn arrived(&mut self, ctx: &mut Context, id: TextId, text: Text) {
        let known = ctx.config.has_account(&text.to);
        let device = ctx.sip.contacts(&text.to).last().cloned();
        let may = match &text.peer {
            Peer::Account(_) => true,
            Peer::Trunk(name) => ctx.config.texting_trunks.contains(name),
            Peer::Open => false,
        };
        let from = text.from.clone();
        self.told.insert(id, text);
        let act = match device {
            _ if !may => Do::RefuseText { text: id, status: 403 },
            _ if !known => Do::RefuseText { text: id, status: 404 },
            None => Do::RefuseText { text: id, status: 480 },
            Some(device) => Do::ForwardText { text: id, from, to: Box::new(device) },
        };
        ctx.sip(act);
    }

    /// One got its answer.
    pub(crate) fn over(&mut self, ctx: &mut Context, id: TextId, sip: u16) {
        if let Some(Text { from, to, bytes, .. }) = self.told.remove(&id) {
            ctx.note(FactKind::TextSent { from, to, bytes, sip });
        }
    }
}
