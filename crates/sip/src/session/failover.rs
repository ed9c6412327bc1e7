//! A call of ours that nobody answers by one way is made by the next (RFC 3263 §4.3): after a broken way, a
//! silence, a 100 that nothing follows, or a 503. Nobody who was once asked is left in doubt: what they answer late is ended.

use super::caller::send_invite;
use super::forks::Forks;
use super::terms::Terms;
use super::{Phase, Session};
use crate::cause;
use crate::message::{HeaderName, Message};
use crate::ua::wire::Wire;
use crate::ua::{Elsewhere, Event, Flow, How, Towards};
use base::Time;
use std::collections::VecDeque;

/// What else can be tried.
#[derive(Debug)]
pub(super) struct OtherWays {
    left: VecDeque<Flow>,
    /// After the last of them our user has something else to try.
    elsewhere: Elsewhere,
    /// If nothing at all has come by then, the next way is tried.
    silent_until: Time,
    /// The same if nothing but 100 has come.
    mute_until: Time,
}

impl OtherWays {
    pub(super) fn new(
        wire: &Wire,
        now: Time,
        left: VecDeque<Flow>,
        elsewhere: Elsewhere,
        terms: &Terms,
    ) -> OtherWays {
        let mut ways = OtherWays { left, elsewhere, silent_until: Time::FAR, mute_until: Time::FAR };
        ways.wait(wire, now, terms);
        ways
    }

    /// Only who has another way is impatient: where there is none, a callee may be slow.
    pub(super) fn wait(&mut self, wire: &Wire, now: Time, terms: &Terms) {
        (self.silent_until, self.mute_until) = (Time::FAR, Time::FAR);
        if self.elsewhere != Elsewhere::Nowhere || !self.left.is_empty() {
            self.silent_until = now + wire.config.timers.failover;
        }
        // A server that says 100 may yet reach the callee: it is not left for one that is known to be down.
        let works = |flow: &Flow| !wire.is_aside(now, *flow);
        if self.elsewhere == Elsewhere::Ready || self.left.iter().any(works) {
            self.mute_until = terms.progress_within.map_or(Time::FAR, |span| now + span);
        }
    }

    /// The callee is being reached, or has something to say: only its ringing has an end.
    pub(super) fn has_progressed(&mut self) {
        self.mute_until = Time::FAR;
    }

    /// When the next way is tried; `provisional`: something has come.
    pub(super) fn deadline(&self, provisional: bool) -> Time {
        if provisional { self.mute_until } else { self.silent_until.min(self.mute_until) }
    }
}

impl Session {
    /// Nothing came by this way, or nothing but 100.
    pub(super) fn silent_for_too_long(&mut self, wire: &mut Wire, now: Time) {
        let Phase::Calling(calling) = &mut self.phase else { return };
        (calling.other_ways.silent_until, calling.other_ways.mute_until) = (Time::FAR, Time::FAR);
        let (invite, provisional) = (calling.invite, calling.provisional);
        if calling.is_cancelled() {
            return;
        }
        if provisional {
            // The server lives: what is behind it does not, and another call by it may fare better. Without room for
            // a CANCEL the callee may ring until it tires.
            let reason = cause::reason_of_cancel(cause::NORMAL);
            let _ = wire.transactions.cancel(now, invite, &reason, &mut wire.out);
        } else {
            self.server_failed(wire, now);
        }
        wire.transactions.disown(now, invite);
        let (status, said) = if provisional { (Some(100), "nothing but 100") } else { (None, "nothing") };
        if self.go_on(wire, now, status) {
            return;
        }
        let detail = format!("{said} came from {} in time to try elsewhere", self.dialog.flow.remote);
        self.end(wire, How::PeerTimeout, None, None, detail);
        self.forget(wire, now);
    }

    /// A 503: true if the call goes on by another way.
    pub(super) fn busy_way(&mut self, wire: &mut Wire, now: Time, response: &Message) -> bool {
        if let Some(flow) = self.server() {
            wire.way_is_busy(now, flow, response.number(HeaderName::RetryAfter));
        }
        self.go_on(wire, now, Some(503))
    }

    /// Nothing comes from whom we call: a server is tried after the others for a while.
    pub(super) fn server_failed(&self, wire: &mut Wire, now: Time) {
        if let Some(flow) = self.server() {
            wire.way_failed(now, flow);
        }
    }

    /// The way to the server that we call. A registered device is none: it speaks for itself alone, and nobody is
    /// put aside for what it says or does not say.
    fn server(&self) -> Option<Flow> {
        let Phase::Calling(calling) = &self.phase else { return None };
        (!matches!(calling.call.towards, Towards::Flows(_))).then_some(self.dialog.flow)
    }

    /// Makes the call by the next way, with a transaction of its own. False if there is none, or the call is
    /// not wanted any more.
    pub(super) fn go_on(&mut self, wire: &mut Wire, now: Time, status: Option<u16>) -> bool {
        let Phase::Calling(calling) = &mut self.phase else { return false };
        if self.told || calling.is_cancelled() {
            return false;
        }
        let from = self.dialog.flow.remote;
        while let Some(flow) = calling.other_ways.left.pop_front() {
            if !calling.call.urgent && wire.is_barred(now, flow) {
                continue;
            }
            let is_device = matches!(calling.call.towards, Towards::Flows(_)) && self.dialog.is_symmetric();
            self.dialog.reroute(flow, is_device);
            self.credentials.settled();
            self.terms = Terms::towards(wire, &calling.call.towards);
            let (dialog, terms) = (&mut self.dialog, (self.terms, &self.timer));
            let sent = send_invite(wire, now, self.id, dialog, &self.credentials, terms, &calling.call);
            let Some(invite) = sent else { return false };
            (calling.invite, calling.provisional, calling.forks) = (invite, false, Forks::default());
            self.invite_cseq = self.dialog.local_cseq;
            calling.other_ways.wait(wire, now, &self.terms);
            wire.tell(Event::WentOn { session: self.id, from, to: flow.remote, status });
            return true;
        }
        false
    }
}
