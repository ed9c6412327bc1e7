//! A call of ours that nobody answers by one way is made by the next (RFC 3263 §4.3): after a broken way, a
//! silence, or a 503. Nobody who was once asked is left in doubt: what they answer late is ended.

use super::caller::send_invite;
use super::forks::Forks;
use super::terms::Terms;
use super::{Phase, Session};
use crate::message::{HeaderName, Message};
use crate::ua::wire::Wire;
use crate::ua::{Event, Flow, How, Towards};
use base::Time;
use std::collections::VecDeque;

/// What else can be tried.
#[derive(Debug)]
pub(super) struct OtherWays {
    left: VecDeque<Flow>,
    /// After the last of them our user has something else to try.
    elsewhere: bool,
    /// If nothing at all has come by then, the next way is tried.
    pub(super) silent_until: Time,
}

impl OtherWays {
    pub(super) fn new(wire: &Wire, now: Time, left: VecDeque<Flow>, elsewhere: bool) -> OtherWays {
        let mut ways = OtherWays { left, elsewhere, silent_until: Time::FAR };
        ways.wait(wire, now);
        ways
    }

    /// Only who has another way is impatient: where there is none, a callee may be slow.
    pub(super) fn wait(&mut self, wire: &Wire, now: Time) {
        let others = self.elsewhere || !self.left.is_empty();
        self.silent_until = if others { now + wire.config.timers.failover } else { Time::FAR };
    }
}

impl Session {
    /// Nothing came by this way, not even a 100.
    pub(super) fn silent_for_too_long(&mut self, wire: &mut Wire, now: Time) {
        let Phase::Calling(calling) = &mut self.phase else { return };
        calling.other_ways.silent_until = Time::FAR;
        let invite = calling.invite;
        if calling.is_cancelled() {
            return;
        }
        self.server_failed(wire, now);
        wire.transactions.disown(now, invite);
        if self.go_on(wire, now, None) {
            return;
        }
        let detail = format!("nothing came from {} in time to try elsewhere", self.dialog.flow.remote);
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
        (!matches!(calling.call.towards, Towards::Flow(_))).then_some(self.dialog.flow)
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
            self.dialog.reroute(flow, false);
            self.credentials.settled();
            self.terms = Terms::towards(wire, &calling.call.towards);
            let (dialog, terms) = (&mut self.dialog, (self.terms, &self.timer));
            let sent = send_invite(wire, now, self.id, dialog, &self.credentials, terms, &calling.call);
            let Some(invite) = sent else { return false };
            (calling.invite, calling.provisional, calling.forks) = (invite, false, Forks::default());
            self.invite_cseq = self.dialog.local_cseq;
            calling.other_ways.wait(wire, now);
            wire.tell(Event::WentOn { session: self.id, from, to: flow.remote, status });
            return true;
        }
        false
    }
}
