//! New offers before the final answer: by UPDATE from either side, and by PRACK (RFC 3262 §5, RFC 3311 §5).

use super::reliable::Reliable;
use super::reoffer::Theirs;
use super::{Asked, Phase, Session, sdp_of};
use crate::ua::wire::Wire;
use crate::ua::{Event, Flow};
use crate::write::Writer;
use base::Time;

impl Session {
    /// The peer's UPDATE before the final answer.
    pub(super) fn early_update(&mut self, wire: &mut Wire, now: Time, asked: Asked) {
        let Some(sdp) = sdp_of(&asked.request) else { return self.refreshed_by_update(wire, now, &asked) };
        match &self.phase {
            // Our answer to the first offer is not there yet (RFC 3311 §5.2).
            Phase::Invited(_) if !self.reliable.as_ref().is_some_and(Reliable::is_answered) => {
                return self.refuse_for_now(wire, now, &asked);
            }
            Phase::Calling(calling) if !calling.forks.has_agreed(&asked.request) => {
                return self.reply(wire, now, &asked, 491);
            }
            // It comes from a fork that is not the one that is heard.
            Phase::Calling(calling) if !calling.forks.may_change(Some(&asked.request)) => {
                return self.refuse_for_now(wire, now, &asked);
            }
            _ => {}
        }
        if self.meets_an_offer(wire, now, &asked) {
            return;
        }
        if let Phase::Calling(calling) = &mut self.phase {
            calling.forks.bind();
        }
        self.take_offer(wire, now, asked, sdp);
    }

    /// The offer in a PRACK, which is acknowledged with our answer in it (RFC 3262 §5). Without an answer of
    /// ours in the provisional answer that it acknowledges there was nothing to change.
    pub(super) fn offered_by_prack(&mut self, wire: &mut Wire, now: Time, asked: Asked, sdp: Vec<u8>) {
        let answered = self.reliable.as_ref().is_some_and(Reliable::is_answered);
        if !answered || self.theirs.is_some() || self.ours.is_sent() {
            return self.reply(wire, now, &asked, 488);
        }
        self.take_offer(wire, now, asked, sdp);
    }

    /// Whether we may offer now, as far as the first offer and its answer go.
    pub(super) fn may_offer(&self) -> bool {
        match &self.phase {
            Phase::Established => true,
            Phase::Invited(_) => {
                let settled = |it: &Reliable| it.is_answered() && !it.holds_success_back();
                self.terms.takes_update && self.reliable.as_ref().is_some_and(settled)
            }
            Phase::Calling(calling) => self.terms.takes_update && calling.forks.may_change(None),
            Phase::Closing(_) | Phase::Over => false,
        }
    }

    /// Begins the request that holds our new offer: INVITE, or UPDATE before the final answer.
    pub(super) fn begin_offer(&mut self, wire: &mut Wire) -> (Writer, Flow, String) {
        let method = self.offering_method();
        match &mut self.phase {
            Phase::Calling(calling) => calling.forks.bind().unwrap_or(&mut self.dialog).request(wire, method),
            _ => self.dialog.request(wire, method),
        }
    }

    /// The method of our new offers.
    pub(super) fn offering_method(&self) -> &'static str {
        if matches!(self.phase, Phase::Established) { "INVITE" } else { "UPDATE" }
    }

    /// The call was answered by another fork than the one that was offered anew, or that offered.
    pub(super) fn forget_early_offers(&mut self, wire: &mut Wire, now: Time) {
        if self.drop_our_offer() {
            wire.tell(Event::ReofferRefused { session: self.id, status: 481 });
        }
        if let Some(Theirs { asked, .. }) = self.theirs.take() {
            self.reply(wire, now, &asked, 500);
        }
    }

    fn take_offer(&mut self, wire: &mut Wire, now: Time, asked: Asked, sdp: Vec<u8>) {
        self.theirs = Some(Theirs::new(wire, now, asked, false));
        wire.tell(Event::Reoffered { session: self.id, sdp: Some(sdp) });
    }
}
