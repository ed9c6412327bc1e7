//! Texts for agents: each goes to the device that the agent registered last, or to the one that it names, and leaves a fact, not its words.

use crate::context::Context;
use crate::destinations::account;
use base::may_name;
use facts::{FactKind, body_of};
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
    pub(crate) fn arrived(&mut self, ctx: &mut Context, id: TextId, mut text: Text) {
        let body = if let Peer::Account(account) = &text.peer { body_of(account) } else { None };
        let known = account(&ctx.config, body, &text.to);
        if let Some(account) = &known {
            text.to.clone_from(account);
        }
        let device = match ctx.sip.device(&text.uri) {
            Some(Ok(device)) if !may_name(body, &device.user) => Err(404),
            Some(device) => device.and_then(|device| ctx.sip.contact_of(&device).ok_or(480u16)),
            None if known.is_some() => ctx.sip.contacts(&text.to).last().ok_or(480),
            None => Err(404),
        };
        let device = device.cloned();
        let may = match &text.peer {
            Peer::Account(_) => true,
            Peer::Trunk(name) => ctx.config.texting_trunks.contains(name),
            Peer::Open => false,
        };
        let from = text.from.clone();
        self.told.insert(id, text);
        let act = match device {
            _ if !may => Do::RefuseText { text: id, status: 403 },
            Err(status) => Do::RefuseText { text: id, status },
            Ok(device) => Do::ForwardText { text: id, from, to: Box::new(device) },
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
