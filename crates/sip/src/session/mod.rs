//! Sessions: INVITE dialogs from the first message to the last, as caller and as callee (RFC 3261 §12–15).
//!
//! A [`Session`] is one of them; each file here has the part of its life that it is named after. The
//! [`Sessions`] table finds them for messages, acts and deadlines.

mod answered;
mod callee;
mod caller;
mod closing;
mod dialog;
mod early;
mod failover;
mod forks;
mod half_open;
mod hop;
mod info;
mod keys;
mod referring;
mod refresh;
mod reliable;
mod reoffer;
mod stray;
mod table;
mod terms;
mod timer;
mod within;

pub(crate) use dialog::Dialog;
pub(crate) use reoffer::unreadable;
pub(crate) use stray::late_response;
pub(crate) use table::Sessions;

use crate::message::Message;
use crate::transaction::TransactionId;
use crate::ua::credentials::Credentials;
use crate::ua::wire::Wire;
use crate::ua::{Ending, Event, Flow, How, SessionId};
use answered::Unacknowledged;
use base::Time;
use callee::Invited;
use caller::Calling;
use closing::Closing;
use keys::Keys;
use referring::Referrals;
use reliable::Reliable;
use reoffer::{Ours, Theirs};
use terms::Terms;
use timer::SessionTimer;

/// One session.
#[derive(Debug)]
pub(crate) struct Session {
    id: SessionId,
    dialog: Dialog,
    phase: Phase,
    /// We sent the first INVITE, so Call-ID is ours.
    caller: bool,
    /// The number of the first INVITE, which PRACKs name.
    invite_cseq: u32,
    terms: Terms,
    timer: SessionTimer,
    /// Our refresh that is on its way.
    refresh: Option<TransactionId>,
    credentials: Credentials,
    /// Our reliable provisional answers, if the peer knows them.
    reliable: Option<Reliable>,
    /// Our new offer.
    ours: Ours,
    /// The peer's.
    theirs: Option<Theirs>,
    /// Keys by INFO, to the peer.
    keys: Keys,
    /// 2xx of ours that wait for their ACK: that of the first INVITE, and that of a re-INVITE that
    /// overtook the ACK.
    unacknowledged: Vec<Unacknowledged>,
    /// Transfers that either side asked for; they may outlive the session's end.
    referrals: Referrals,
    /// `Ended` has been handed out; what is left is to part in good order.
    told: bool,
}

/// How far a session is.
#[derive(Debug)]
enum Phase {
    /// Our INVITE has no final answer yet (or its CANCEL is on its way).
    Calling(Box<Calling>),
    /// The peer's INVITE has no final answer yet.
    Invited(Box<Invited>),
    /// Both sides agreed.
    Established,
    /// Over for everybody but the protocol.
    Closing(Closing),
    /// Nothing is left: to be forgotten.
    Over,
}

impl Session {
    /// Hands the end out, once.
    fn end(&mut self, wire: &mut Wire, how: How, status: Option<u16>, q850: Option<u8>, detail: String) {
        if !self.told {
            self.told = true;
            let ending = Ending { how, status, q850, detail };
            wire.tell(Event::Ended { session: self.id, ending });
        }
    }

    /// Answers a request of the peer in this dialog.
    fn reply(&self, wire: &mut Wire, now: Time, to: &Asked, status: u16) {
        let writer = wire.answer(&to.request, to.flow, status, &self.dialog.local_tag);
        wire.reply(now, to.transaction, status, writer);
    }

    /// The next deadline.
    fn deadline(&self) -> Time {
        let phase = match &self.phase {
            Phase::Calling(calling) => calling.deadline(self.told),
            Phase::Established => self.timer.deadline(),
            Phase::Invited(invited) => {
                let reliable = self.reliable.as_ref().map_or(Time::FAR, Reliable::deadline);
                invited.deadline().min(reliable)
            }
            _ => Time::FAR,
        };
        let theirs = self.theirs.as_ref().map_or(Time::FAR, Theirs::deadline);
        let acks = self.unacknowledged.iter().map(Unacknowledged::deadline).min().unwrap_or(Time::FAR);
        phase.min(self.ours.deadline()).min(theirs).min(acks).min(self.referrals.deadline())
    }

    /// Does what is due.
    fn handle_timeout(&mut self, wire: &mut Wire, now: Time) {
        match self.phase {
            Phase::Calling(_) => self.calling_timeout(wire, now),
            Phase::Invited(_) => {
                self.invited_timeout(wire, now);
                self.reliable_timeout(wire, now);
            }
            _ => {}
        }
        self.reoffer_timeout(wire, now);
        self.acknowledgement_timeout(wire, now);
        self.refresh_timeout(wire, now);
        self.referral_timeout(wire, now);
    }

    /// An INVITE of the peer that has no final answer, or none that was acknowledged.
    fn is_half_open(&self) -> bool {
        let unacknowledged = || self.unacknowledged.iter().any(Unacknowledged::is_first);
        matches!(self.phase, Phase::Invited(_)) || (!self.caller && unacknowledged())
    }

    /// Whether it may be forgotten. An offer of ours that is on its way keeps it: a late 2xx is to be acknowledged,
    /// and only the dialog knows the way to a peer behind a NAT.
    fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over) && self.referrals.is_empty() && !self.ours.is_sent()
    }
}

/// A request of the peer that waits for our answer.
#[derive(Debug)]
struct Asked {
    transaction: TransactionId,
    request: Message,
    /// The way that it came.
    flow: Flow,
}

/// The SDP of a message, if it has any.
pub(crate) fn sdp_of(message: &Message) -> Option<Vec<u8>> {
    message.description().sdp.map(<[u8]>::to_vec)
}
