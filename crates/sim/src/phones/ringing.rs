//! What a phone that is called says before it answers: that it rings, and what can be heard of it; reliably or not.

use super::callee::{Act, Callee, State};
use super::manners::{CalleeManners, between, one_of};
use super::stack::Stack;
use super::text::Message;
use base::Rng;
use std::time::Duration;

/// How a phone that is called tells of its progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// 180.
    Rings,
    /// 183 with a description, which may be lost.
    EarlyMedia,
    /// 180 that waits for its PRACK.
    RingsReliably,
    /// 183 with the answer to the offer, and then 180, each of which waits for its PRACK.
    EarlyMediaReliably,
}

impl Progress {
    pub(super) fn draw(rng: &mut Rng) -> Progress {
        match rng.below(10) {
            0 | 1 => Progress::EarlyMedia,
            2 | 3 => Progress::RingsReliably,
            4 | 5 => Progress::EarlyMediaReliably,
            _ => Progress::Rings,
        }
    }

    /// What is left of it where the caller knows no PRACK.
    fn with(self, caller_knows_prack: bool) -> Progress {
        match self {
            Progress::RingsReliably if !caller_knows_prack => Progress::Rings,
            Progress::EarlyMediaReliably if !caller_knows_prack => Progress::EarlyMedia,
            progress => progress,
        }
    }
}

impl Callee {
    pub(super) fn ring(&mut self, stack: &mut Stack, at: usize) {
        let Some(leg) = self.legs.get_mut(at).filter(|leg| leg.state == State::Ringing) else { return };
        let bytes = leg.invite.clone();
        let Some(invite) = Message::read(&bytes) else { return };
        let contact = stack.contact();
        let tag = leg.dialog.local_tag.clone();
        let mut extra = vec![("Contact", contact.as_str()), ("Allow", leg.abilities.allowed())];
        if invite.header("P-Early-Media") == "supported" {
            stack.met("P-Early-Media");
            let heard = one_of(&mut stack.rng, &["sendrecv", "sendonly", "inactive"]);
            extra.push(("P-Early-Media", heard));
        }
        leg.progress = leg.progress.with(invite.header("Supported").contains("100rel"));
        match (leg.manners, leg.progress) {
            (CalleeManners::AnswersWithoutRinging, _) => stack.met("answer without ringing"),
            (CalleeManners::Chatters, _) => {
                stack.met("many provisional answers");
                for nth in 0..12 {
                    stack.reply(&invite, if nth % 3 == 2 { 183 } else { 180 }, &tag, &extra, "");
                }
            }
            (_, Progress::Rings) => stack.reply(&invite, 180, &tag, &extra, ""),
            (_, Progress::EarlyMedia) => {
                stack.met("early media");
                let body = stack.sessions.describe(&leg.dialog.call_id, leg.version, "sendrecv");
                stack.reply(&invite, 183, &tag, &extra, &body);
            }
            (_, Progress::RingsReliably) => {
                leg.rseq += 1;
                stack.ring_reliably(&invite, (180, leg.rseq), &tag, &extra[1..], "");
            }
            (_, Progress::EarlyMediaReliably) => {
                leg.rseq += 1;
                stack.met("early media, reliable");
                let body = stack.sessions.describe(&leg.dialog.call_id, leg.version, "sendrecv");
                stack.ring_reliably(&invite, (183, leg.rseq), &tag, &extra[1..], &body);
            }
        }
        if leg.manners == CalleeManners::VanishesRinging {
            self.unplug(stack, at);
        }
    }

    fn unplug(&mut self, stack: &mut Stack, at: usize) {
        let Some(leg) = self.legs.get(at) else { return };
        let call_id = leg.dialog.call_id.clone();
        stack.met("registered phone vanishes");
        stack.vanished = true;
        let away = between(&mut stack.rng, 20_000, 300_000);
        self.end(stack, at);
        self.plan(stack.now + away, &call_id, Act::PlugIn);
    }

    /// PRACK: what was said reliably has arrived. A second answer may follow, or a new offer.
    pub(super) fn pracked(&mut self, stack: &mut Stack, at: usize, request: &Message<'_>) {
        if !stack.pracked(request) {
            return stack.reply(request, 481, "", &[], "");
        }
        stack.met("PRACK of the exchange's");
        stack.reply(request, 200, "", &[], "");
        let Some(leg) = self.legs.get_mut(at).filter(|leg| leg.state == State::Ringing) else { return };
        if leg.progress != Progress::EarlyMediaReliably {
            return;
        }
        if leg.rseq == 1 {
            let bytes = leg.invite.clone();
            let Some(invite) = Message::read(&bytes) else { return };
            leg.rseq += 1;
            stack.met("several reliable answers");
            let tag = leg.dialog.local_tag.clone();
            return stack.ring_reliably(&invite, (180, leg.rseq), &tag, &[], "");
        }
        if leg.abilities.updates && leg.offer.is_none() {
            stack.met("UPDATE in the early dialog of a callee");
            leg.version += 1;
            let body = stack.sessions.describe(&leg.dialog.call_id, leg.version, "sendrecv");
            leg.offer = Some(stack.request(&mut leg.dialog, "UPDATE", &[], &body));
        }
    }

    /// Answers once nothing that was said reliably is on its way: the 2xx may not overtake its description
    /// (RFC 3262 §3). False if it has to wait.
    pub(super) fn may_answer(&mut self, stack: &Stack, at: usize) -> bool {
        let Some(leg) = self.legs.get(at) else { return false };
        let call_id = leg.dialog.call_id.clone();
        if stack.waits_for_prack(&call_id) || (leg.offer.is_some() && leg.state == State::Ringing) {
            self.plan(stack.now + Duration::from_millis(500), &call_id, Act::Decide);
            return false;
        }
        true
    }
}
