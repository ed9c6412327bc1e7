//! The callee's side: from the peer's INVITE to our final answer (RFC 3261 §13.3, §9.2).

use super::answered::Unacknowledged;
use super::reoffer::Ours;
use super::{Asked, Dialog, Phase, Session, reason};
use crate::message::{HeaderName, Message};
use crate::transaction::TransactionId;
use crate::ua::credentials::Credentials;
use crate::ua::wire::{ALLOW, ALLOW_EVENTS, SUPPORTED, Wire};
use crate::ua::{Account, How, SessionId};
use base::Time;
use std::time::Duration;

/// Proxies give up on an INVITE that nobody mentions for three minutes (RFC 3261 §13.3.1.1).
const RING_AGAIN: Duration = Duration::from_secs(60);

/// An INVITE of the peer without a final answer.
#[derive(Debug)]
pub(super) struct Invited {
    asked: Asked,
    ring_again: Time,
    /// The 200 will hold the offer.
    offerless: bool,
}

impl Invited {
    pub(super) fn deadline(&self) -> Time {
        self.ring_again
    }
}

impl Session {
    /// A session for an INVITE outside of dialogs. The account is ours at the peer's, should it challenge
    /// what we send later.
    pub(super) fn invited(id: SessionId, dialog: Dialog, asked: Asked, account: Option<Account>) -> Session {
        let offerless = super::sdp_of(&asked.request).is_none();
        let invited = Invited { asked, ring_again: Time::FAR, offerless };
        Session {
            id,
            dialog,
            phase: Phase::Invited(Box::new(invited)),
            caller: false,
            credentials: Credentials::new(account),
            ours: Ours::None,
            theirs: None,
            unacknowledged: Vec::new(),
            referrals: super::referring::Referrals::default(),
            told: false,
        }
    }

    /// Sends 180.
    pub(super) fn ring(&mut self, wire: &mut Wire, now: Time) {
        let Phase::Invited(invited) = &mut self.phase else { return };
        invited.ring_again = now + RING_AGAIN;
        let Asked { transaction, request, flow } = &invited.asked;
        let writer = wire
            .answer(request, *flow, 180, &self.dialog.local_tag)
            .headers_of(request, HeaderName::RecordRoute)
            .header("Contact", self.dialog.contact(wire));
        wire.reply(now, *transaction, 180, writer);
    }

    /// Sends 200 and repeats it until its ACK comes (RFC 3261 §13.3.1.4).
    pub(super) fn accept(&mut self, wire: &mut Wire, now: Time, sdp: Vec<u8>) {
        if !matches!(self.phase, Phase::Invited(_)) {
            return;
        }
        let Phase::Invited(invited) = std::mem::replace(&mut self.phase, Phase::Established) else { return };
        self.send_success(wire, now, &invited.asked, sdp, invited.offerless, true);
    }

    /// Sends a final refusal; ends the session.
    pub(super) fn refuse(&mut self, wire: &mut Wire, now: Time, status: u16, q850: Option<u8>) {
        let Phase::Invited(invited) = &self.phase else { return };
        let status = if (300..700).contains(&status) { status } else { 500 };
        let Asked { transaction, request, flow } = &invited.asked;
        let mut writer = wire.answer(request, *flow, status, &self.dialog.local_tag);
        if let Some(reason) = reason(q850) {
            writer = writer.header("Reason", reason);
        }
        wire.reply(now, *transaction, status, writer);
        self.end(wire, How::Ours, Some(status), q850, String::new());
        self.phase = Phase::Over;
    }

    /// The peer takes its INVITE back, by CANCEL or by a BYE in the early dialog (§15.1.2): 487.
    pub(super) fn withdrawn(&mut self, wire: &mut Wire, now: Time, how: How, q850: Option<u8>) {
        let Phase::Invited(invited) = &self.phase else { return };
        self.reply(wire, now, &invited.asked, 487);
        self.end(wire, how, Some(487), q850, String::new());
        self.phase = Phase::Over;
    }

    /// The stream that the INVITE came by broke: no answer would arrive.
    pub(super) fn invited_flow_failed(&mut self, wire: &mut Wire) {
        let Phase::Invited(invited) = &self.phase else { return };
        let remote = invited.asked.flow.remote;
        wire.transactions.abandon(invited.asked.transaction);
        self.end(wire, How::FlowFailed, None, None, format!("the connection from {remote} broke"));
        self.phase = Phase::Over;
    }

    /// RFC 3891 §3: a confirmed dialog, unless only an early one is meant; an early one if the INVITE was ours; none
    /// that is over.
    pub(super) fn may_be_replaced(&self, early_only: bool) -> Result<(), u16> {
        match self.phase {
            Phase::Established if early_only => Err(486),
            Phase::Established | Phase::Calling(_) => Ok(()),
            Phase::Invited(_) => Err(481),
            Phase::Closing(_) | Phase::Over => Err(603),
        }
    }

    /// The INVITE's transaction, while it has no final answer.
    pub(super) fn invitation(&self) -> Option<TransactionId> {
        match &self.phase {
            Phase::Invited(invited) => Some(invited.asked.transaction),
            _ => None,
        }
    }

    pub(super) fn invited_timeout(&mut self, wire: &mut Wire, now: Time) {
        if matches!(&self.phase, Phase::Invited(invited) if invited.ring_again <= now) {
            self.ring(wire, now);
        }
    }

    /// A 200 with SDP to an INVITE or re-INVITE, kept until it is acknowledged.
    pub(super) fn send_success(
        &mut self,
        wire: &mut Wire,
        now: Time,
        asked: &Asked,
        sdp: Vec<u8>,
        offered: bool,
        first: bool,
    ) {
        let contact = self.dialog.contact(wire);
        let bytes =
            success(wire, asked, &self.dialog.local_tag, &contact).body("application/sdp", sdp).finish();
        wire.transactions.reply(now, asked.transaction, 200, bytes.clone(), &mut wire.out);
        self.unacknowledged.push(Unacknowledged::new(wire, now, asked, bytes, contact, offered, first));
    }
}

/// A 200 with all that an INVITE's or UPDATE's has but the body.
pub(super) fn success(wire: &Wire, asked: &Asked, tag: &str, contact: &str) -> crate::write::Writer {
    let request: &Message = &asked.request;
    wire.answer(request, asked.flow, 200, tag)
        .headers_of(request, HeaderName::RecordRoute)
        .header("Contact", contact)
        .header("Allow", ALLOW)
        .header("Supported", SUPPORTED)
        .header("Allow-Events", ALLOW_EVENTS)
}
