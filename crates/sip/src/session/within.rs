//! Requests and responses within a session, each to the part of its life that it is about. Every request
//! gets a final answer (RFC 3261 §12.2.2).

use super::closing::Closing;
use super::info::{self, Info};
use super::referring::is_of_refer;
use super::{Asked, Dialog, Phase, Session};
use crate::message::{Message, Method};
use crate::transaction::{Failure, TransactionId};
use crate::ua::wire::{ACCEPT, ALLOW, ALLOW_EVENTS, Wire};
use crate::ua::{Event, Flow, How};
use base::Time;

impl Session {
    /// A request of the peer other than ACK and CANCEL.
    pub(super) fn request(&mut self, wire: &mut Wire, now: Time, asked: Asked) {
        if !self.counts(&asked.request) {
            return self.reply(wire, now, &asked, 500);
        }
        self.terms.learn(&asked.request);
        let method = asked.request.method().unwrap_or(Method::Other(""));
        match method {
            Method::Bye => {
                self.reply(wire, now, &asked, 200);
                self.peer_hung_up(wire, now, &asked.request);
            }
            Method::Notify => self.notified(wire, now, &asked),
            Method::Subscribe if is_of_refer(&asked.request) => self.refer_subscription(wire, now, &asked),
            _ if matches!(self.phase, Phase::Closing(_) | Phase::Over) => self.reply(wire, now, &asked, 481),
            Method::Refer => self.referred(wire, now, asked),
            Method::Subscribe => self.reply_with(wire, now, &asked, 489, &[("Allow-Events", ALLOW_EVENTS)]),
            Method::Invite | Method::Update => self.new_offer(wire, now, asked),
            Method::Prack => self.pracked(wire, now, asked),
            Method::Info => self.info(wire, now, &asked),
            Method::Options => self.reply_with(
                wire,
                now,
                &asked,
                200,
                &[
                    ("Allow", ALLOW),
                    ("Accept", ACCEPT),
                    ("Supported", &self.terms.supported()),
                    ("Allow-Events", ALLOW_EVENTS),
                ],
            ),
            Method::Other(_) => self.reply_with(wire, now, &asked, 501, &[("Allow", ALLOW)]),
            _ => self.reply_with(wire, now, &asked, 405, &[("Allow", ALLOW)]),
        }
    }

    /// A CANCEL of the peer for this INVITE or re-INVITE of it, which has been answered with 200.
    pub(super) fn cancelled(&mut self, wire: &mut Wire, now: Time, invite: TransactionId, q850: Option<u8>) {
        if self.invitation() == Some(invite) {
            self.withdrawn(wire, now, How::PeerCancelled, q850);
        } else {
            self.reoffer_withdrawn(wire, now, invite);
        }
    }

    /// A response to a request of this session.
    pub(super) fn response(
        &mut self,
        wire: &mut Wire,
        now: Time,
        id: TransactionId,
        response: &Message,
        flow: Flow,
    ) {
        match &self.phase {
            Phase::Calling(calling) if calling.invite == id => {
                self.dialog.answered_by(flow);
                self.calling_response(wire, now, id, response);
            }
            Phase::Closing(Closing::Bye { transaction, q850 }) if *transaction == id => {
                self.bye_response(wire, now, *q850, response);
            }
            _ if self.is_our_offer(id) => self.reoffer_response(wire, now, id, response),
            _ if self.is_our_refresh(id) => self.refresh_response(wire, now, response),
            _ if self.keys.knows(id) => self.key_response(wire, now, response),
            _ if self.referrals.knows(id) => self.referral_response(wire, now, id, response),
            _ => {
                if !self.prack_response(wire, now, id, response) {
                    self.unexpected_response(wire, now, id, response, flow);
                }
            }
        }
    }

    /// A request of this session came to nothing.
    pub(super) fn failed(&mut self, wire: &mut Wire, now: Time, id: TransactionId, failure: Failure) {
        match &self.phase {
            Phase::Calling(calling) if calling.invite == id => self.calling_failed(wire, now, failure),
            Phase::Closing(Closing::Bye { transaction, q850 }) if *transaction == id => {
                let q850 = *q850;
                match self.dialog.give_up_hop() {
                    true => self.transmit_bye(wire, now, q850),
                    false => self.phase = Phase::Over,
                }
            }
            _ if self.is_our_offer(id) => self.reoffer_failed(wire, now, failure),
            _ if self.is_our_refresh(id) => self.refresh_failed(wire, now),
            _ if self.keys.knows(id) => self.key_failed(),
            _ if self.referrals.knows(id) => self.referral_failed(wire, now, id, failure),
            _ => self.prack_failed(id),
        }
    }

    /// The stream that this session's messages came by broke.
    pub(super) fn flow_failed(&mut self, wire: &mut Wire, now: Time) {
        match self.phase {
            Phase::Invited(_) => self.invited_flow_failed(wire, now),
            _ => {
                self.dialog.flow_failed();
                if let Phase::Established = self.phase {
                    wire.tell(Event::WayBroke { session: self.id });
                }
            }
        }
    }

    fn new_offer(&mut self, wire: &mut Wire, now: Time, asked: Asked) {
        if self.is_too_brief(wire, now, &asked) {
            return;
        }
        match (&self.phase, asked.request.method()) {
            (Phase::Established, _) => self.reoffered(wire, now, asked),
            (Phase::Invited(_) | Phase::Calling(_), Some(Method::Update)) => {
                self.early_update(wire, now, asked);
            }
            // Its own first offer, or ours, has no answer yet (RFC 3261 §14.2).
            (Phase::Invited(_), _) => self.reply_with(wire, now, &asked, 500, &[("Retry-After", "2")]),
            _ => self.reply(wire, now, &asked, 491),
        }
    }

    /// The dialog that a request of the peer is of: an early one, as long as there is no other.
    pub(super) fn dialog_of(&mut self, request: &Message) -> &mut Dialog {
        self.dialog_with(request.from().ok().and_then(|from| from.tag()))
    }

    /// The dialog in which the peer has this tag.
    fn dialog_with(&mut self, tag: Option<&str>) -> &mut Dialog {
        match &mut self.phase {
            Phase::Calling(calling) => calling.forks.dialog_with(tag).unwrap_or(&mut self.dialog),
            _ => &mut self.dialog,
        }
    }

    /// The peer has answered a request that refreshes the target with 2xx: its Contact is where it is now (RFC 3261
    /// §12.2.1.2, RFC 3311 §5.1).
    pub(super) fn follow_answer(&mut self, wire: &Wire, success: &Message) {
        let tag = success.to().ok().and_then(|to| to.tag());
        self.dialog_with(tag).retarget(wire, success);
    }

    /// Counts a request of the peer (§12.2.2). A PRACK is about what it names, in whatever order it comes.
    fn counts(&mut self, request: &Message) -> bool {
        let rises = self.dialog_of(request).counts(request);
        rises || request.method() == Some(Method::Prack)
    }

    fn info(&mut self, wire: &mut Wire, now: Time, asked: &Asked) {
        match info::read(&asked.request) {
            Info::Digit { digit, held } => {
                self.reply(wire, now, asked, 200);
                wire.tell(Event::InfoDigit { session: self.id, digit, held });
            }
            Info::Empty => self.reply(wire, now, asked, 200),
            Info::Broken => self.reply(wire, now, asked, 400),
            Info::Unknown => self.reply_with(wire, now, asked, 415, &[("Accept", ACCEPT)]),
        }
    }

    pub(super) fn reply_with(
        &self,
        wire: &mut Wire,
        now: Time,
        to: &Asked,
        status: u16,
        headers: &[(&str, &str)],
    ) {
        let writer = wire.answer(&to.request, to.flow, status, &self.dialog.local_tag);
        let writer = headers.iter().fold(writer, |writer, (name, value)| writer.header(name, value));
        wire.reply(now, to.transaction, status, writer);
    }
}
