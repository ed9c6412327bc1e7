//! The end of a session: BYE from either side at any moment (RFC 3261 §15), and what is told of it.

use super::{Phase, Session};
use crate::cause;
use crate::message::{Message, Start};
use crate::transaction::{TransactionId, User};
use crate::ua::How;
use crate::ua::wire::Wire;
use base::Time;

/// What a session that is over still waits for.
#[derive(Debug)]
pub(super) enum Closing {
    /// The answer to our BYE.
    Bye { transaction: TransactionId, q850: Option<u8> },
    /// The answers to what is still to be told of a transfer: a peer that got BYE would not listen any more.
    Telling { q850: Option<u8> },
    /// The ACK of our 200, before which a callee may not send BYE (§15).
    Acknowledgement { q850: Option<u8> },
}

impl Session {
    /// Ends the session by what its state asks for.
    pub(super) fn hang_up(&mut self, wire: &mut Wire, now: Time, q850: Option<u8>) {
        match self.phase {
            _ if self.told => {}
            Phase::Calling(_) => {
                self.end(wire, How::Ours, None, q850, String::new());
                self.cancel_call(wire, now, q850);
            }
            // 480 says nothing about the callee that was not so.
            Phase::Invited(_) => self.refuse(wire, now, 480, q850, None),
            Phase::Established => {
                self.end(wire, How::Ours, None, q850, String::new());
                if self.is_unconfirmed() {
                    self.refuse_pending(wire, now);
                    self.phase = Phase::Closing(Closing::Acknowledgement { q850 });
                } else if self.referrals.have_news() {
                    self.refuse_pending(wire, now);
                    self.phase = Phase::Closing(Closing::Telling { q850 });
                } else {
                    self.send_bye(wire, now, q850);
                }
            }
            Phase::Closing(_) | Phase::Over => {}
        }
    }

    /// Sends BYE; the session is forgotten when it is answered.
    pub(super) fn send_bye(&mut self, wire: &mut Wire, now: Time, q850: Option<u8>) {
        self.refuse_pending(wire, now);
        self.unacknowledged.clear();
        self.credentials.settled();
        self.transmit_bye(wire, now, q850);
    }

    pub(super) fn transmit_bye(&mut self, wire: &mut Wire, now: Time, q850: Option<u8>) {
        let (mut writer, flow, branch) = self.dialog.request(wire, "BYE");
        writer = writer.header("Reason", cause::reason(q850.unwrap_or(cause::NORMAL)));
        writer = self.credentials.write(writer);
        self.phase = match wire.request(now, flow, User::Session(self.id), &branch, writer) {
            Some(transaction) => Phase::Closing(Closing::Bye { transaction, q850 }),
            None => Phase::Over,
        };
    }

    /// Nothing is left of the session. Whatever of the peer's still waits for an answer gets it.
    pub(super) fn forget(&mut self, wire: &mut Wire, now: Time) {
        self.refuse_pending(wire, now);
        self.phase = Phase::Over;
    }

    /// The ACK that a BYE had to wait for came, or never will.
    pub(super) fn say_delayed_bye(&mut self, wire: &mut Wire, now: Time) {
        if let Phase::Closing(Closing::Acknowledgement { q850 }) = self.phase {
            self.send_bye(wire, now, q850);
        }
    }

    /// What was to be told of a transfer has been.
    pub(super) fn say_bye_after_news(&mut self, wire: &mut Wire, now: Time) {
        if let Phase::Closing(Closing::Telling { q850 }) = self.phase
            && !self.referrals.have_news()
        {
            self.send_bye(wire, now, q850);
        }
    }

    /// Our BYE was answered. Whatever is said, it is over (§15.1.1); only a challenge is obeyed.
    pub(super) fn bye_response(&mut self, wire: &mut Wire, now: Time, q850: Option<u8>, response: &Message) {
        let status = response.status().unwrap_or(0);
        if status < 200 {
            return;
        }
        let uri = self.dialog.request_uri().to_owned();
        let challenged = matches!(status, 401 | 407);
        if challenged && self.credentials.answer(response, "BYE", &uri, &mut wire.rng) {
            self.transmit_bye(wire, now, q850);
        } else {
            self.phase = Phase::Over;
        }
    }

    /// The peer's BYE, which has been answered.
    pub(super) fn peer_hung_up(&mut self, wire: &mut Wire, now: Time, bye: &Message) {
        let q850 = cause::given(bye).q850;
        match self.phase {
            Phase::Invited(_) => self.withdrawn(wire, now, How::PeerHungUp, q850),
            // A callee that hangs up before its 200 arrived here: the INVITE still waits for an answer.
            Phase::Calling(_) => {
                self.end(wire, How::PeerHungUp, None, q850, String::new());
                self.cancel_call(wire, now, None);
            }
            // BYE crossed BYE (RFC 5407 §3.1.5 in spirit): ours is still to be answered.
            Phase::Closing(Closing::Bye { .. }) => {}
            Phase::Established
            | Phase::Closing(Closing::Acknowledgement { .. } | Closing::Telling { .. }) => {
                // Before what becomes of a REFER of ours: its user has no session to fall back on.
                self.end(wire, How::PeerHungUp, None, q850, String::new());
                self.forget(wire, now);
            }
            Phase::Over => {}
        }
    }
}

/// What a refusal says to people.
pub(super) fn refusal_detail(response: &Message, status: u16) -> String {
    match response.start() {
        Start::Response { reason, .. } if !reason.is_empty() => format!("{status} {reason}"),
        _ => status.to_string(),
    }
}
