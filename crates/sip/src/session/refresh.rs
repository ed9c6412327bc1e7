//! The refreshes of a session (RFC 4028 §7.4, §10): by UPDATE where the peer takes it, otherwise by a re-INVITE
//! that the engine is asked for, because only the engine knows what to offer.

use super::reoffer::RETRY_AFTER_MAX;
use super::timer::{Agreement, refreshes};
use super::{Asked, Phase, Session};
use crate::cause;
use crate::message::{HeaderName, Message};
use crate::transaction::{TransactionId, User};
use crate::ua::wire::{ALLOW, Wire};
use crate::ua::{Event, How};
use base::Time;
use std::time::Duration;

/// RFC 3326 has no better word for it: recovery on timer expiry.
const EXPIRED: u8 = 102;

impl Session {
    /// Refreshes, or gives the session up.
    pub(super) fn refresh_timeout(&mut self, wire: &mut Wire, now: Time) {
        if !matches!(self.phase, Phase::Established) {
            return;
        }
        if self.timer.is_over(now) {
            return self.expire(wire, now);
        }
        if !self.timer.is_due(now) {
            return;
        }
        // An offer of either side refreshes the session, too.
        let busy = self.ours.is_sent() || self.theirs.is_some() || !self.unacknowledged.is_empty();
        match self.terms.takes_update {
            _ if busy => {}
            true => self.send_refresh(wire, now),
            false => wire.tell(Event::RefreshDue { session: self.id }),
        }
    }

    /// Whether this is the transaction of our refresh.
    pub(super) fn is_our_refresh(&self, id: TransactionId) -> bool {
        self.refresh == Some(id)
    }

    /// The peer answered our refresh.
    pub(super) fn refresh_response(&mut self, wire: &mut Wire, now: Time, response: &Message) {
        let status = response.status().unwrap_or(0);
        if status < 200 {
            return;
        }
        self.refresh = None;
        if !matches!(self.phase, Phase::Established) {
            return;
        }
        let uri = self.dialog.request_uri().to_owned();
        match status {
            200..=299 => {
                self.credentials.settled();
                self.follow_answer(wire, response);
                self.timer.answered(now, response, false);
            }
            401 | 407 if self.credentials.answer(response, "UPDATE", &uri, &mut wire.rng) => {
                self.send_refresh(wire, now);
            }
            422 if self.timer.learn_least(response) => self.send_refresh(wire, now),
            // It said that it takes UPDATE, but it does not.
            405 | 501 => {
                self.terms.takes_update = false;
                self.timer.again(now, Some(Duration::ZERO));
            }
            _ if super::reoffer::says_that_it_is_gone(status) => {
                let detail = "the peer does not know the session any more".to_owned();
                self.end(wire, How::PeerRefused, Some(status), cause::given(response).q850, detail);
                self.send_bye(wire, now, None);
            }
            _ => {
                let after = self.pause_of(wire, response);
                self.timer.again(now, after);
                if after.is_none() {
                    self.tell_of_failure(wire, now, Some(status));
                }
            }
        }
    }

    /// Our refresh got no answer. It is tried again as long as there is time: what the network lost is no
    /// reason to end a call.
    pub(super) fn refresh_failed(&mut self, wire: &mut Wire, now: Time) {
        self.refresh = None;
        if matches!(self.phase, Phase::Established) {
            self.timer.again(now, None);
            self.tell_of_failure(wire, now, None);
        }
    }

    /// Answers a request for too short a time. False if it is not one.
    pub(super) fn is_too_brief(&mut self, wire: &mut Wire, now: Time, asked: &Asked) -> bool {
        let Some(least) = self.timer.refuses(&asked.request) else { return false };
        self.reply_with(wire, now, asked, 422, &[("Min-SE", &least.to_string())]);
        true
    }

    /// A 2xx of ours to this request was sent: what it says of the timer is in force.
    pub(super) fn timer_agreed(&mut self, now: Time, request: &Message) {
        if matches!(self.phase, Phase::Established) && refreshes(request) {
            let agreement = self.timer.reply(request);
            self.timer.agree(now, agreement);
        }
    }

    fn send_refresh(&mut self, wire: &mut Wire, now: Time) {
        let (writer, flow, branch) = self.dialog.request(wire, "UPDATE");
        let writer = writer.header("Allow", ALLOW).header("Supported", self.terms.supported());
        let writer = self.credentials.write(self.timer.ask(writer, false));
        self.refresh = wire.request(now, flow, User::Session(self.id), &branch, writer);
        match self.refresh {
            Some(_) => self.timer.is_under_way(),
            // There is no room for it now.
            None => self.timer.again(now, None),
        }
    }

    /// When to try again after a refusal that says so: 491 or Retry-After.
    fn pause_of(&self, wire: &mut Wire, response: &Message) -> Option<Duration> {
        if response.status() == Some(491) {
            return Some(self.pause_after_glare(wire));
        }
        let seconds = response.number(HeaderName::RetryAfter).filter(|after| *after <= RETRY_AFTER_MAX)?;
        Some(Duration::from_secs(seconds.max(1).into()))
    }

    fn tell_of_failure(&self, wire: &mut Wire, now: Time, status: Option<u16>) {
        let ends_in = self.timer.ends().since(now);
        wire.tell(Event::RefreshFailed { session: self.id, status, ends_in });
    }

    fn expire(&mut self, wire: &mut Wire, now: Time) {
        let Some(Agreement { interval, we_refresh }) = self.timer.agreed() else { return };
        let whose = if we_refresh { "our refreshes were not accepted" } else { "the peer did not refresh" };
        let detail = format!("session timer expired: {whose} within {} s", interval.as_secs());
        self.end(wire, How::SessionExpired, None, Some(EXPIRED), detail);
        self.send_bye(wire, now, Some(EXPIRED));
    }
}
