//! The callee's side: from the peer's INVITE to our final answer (RFC 3261 §13.3, §9.2).

use super::answered::Unacknowledged;
use super::reliable::{self, Progress, Reliable};
use super::reoffer::Ours;
use super::terms::{RELIABLE, Terms, names};
use super::timer::SessionTimer;
use super::{Asked, Dialog, Phase, Session};
use crate::cause;
use crate::message::{HeaderName, Message};
use crate::transaction::TransactionId;
use crate::ua::credentials::Credentials;
use crate::ua::early_media;
use crate::ua::wire::{ALLOW, ALLOW_EVENTS, Wire};
use crate::ua::{How, SessionId, Trunk, Warning};
use crate::write::Writer;
use base::Time;
use std::time::Duration;

/// Proxies give up on an INVITE that nobody mentions for three minutes (RFC 3261 §13.3.1.1).
const RING_AGAIN: Duration = Duration::from_secs(60);

/// An INVITE of the peer without a final answer.
#[derive(Debug)]
pub(super) struct Invited {
    pub(super) asked: Asked,
    ring_again: Time,
    /// When the caller wants no answer any more, as its Expires says (§13.3.1).
    expires: Time,
    /// What was said last, to be said again.
    last: Progress,
    /// The 200 will hold the offer.
    offerless: bool,
    /// The engine has accepted; the 200 waits for a PRACK.
    accepted: Option<Vec<u8>>,
    /// The caller's network reads P-Early-Media.
    reads_early_media: bool,
}

impl Invited {
    /// When the caller is to hear again that it rings, or its INVITE expires; not once it is only the 200 that waits.
    pub(super) fn deadline(&self) -> Time {
        if self.accepted.is_some() { Time::FAR } else { self.ring_again.min(self.expires) }
    }
}

impl Session {
    /// A session for an INVITE outside of dialogs. The account is ours at the peer's, should it challenge
    /// what we send later.
    pub(super) fn invited(
        wire: &mut Wire,
        now: Time,
        id: SessionId,
        dialog: Dialog,
        asked: Asked,
        trunk: Option<&Trunk>,
    ) -> Session {
        let mut terms = Terms::new(wire, trunk);
        terms.learn(&asked.request);
        let timer = SessionTimer::new(&wire.config.extensions);
        let offerless = super::sdp_of(&asked.request).is_none();
        // Without an offer in the INVITE, the first reliable answer would have to hold ours (RFC 3262 §5).
        let reliable = !offerless && reliable::agreed(terms.prack, &asked.request) == Ok(true);
        let seconds = asked.request.expires().map(|seconds| Duration::from_secs(seconds.into()));
        let invited = Invited {
            ring_again: Time::FAR,
            expires: seconds.map_or(Time::FAR, |seconds| now + seconds),
            last: Progress { status: 180, sdp: None, early_media: None },
            offerless,
            accepted: None,
            reads_early_media: terms.p_early_media && early_media::is_supported(&asked.request),
            asked,
        };
        Session {
            id,
            dialog,
            invite_cseq: invited.asked.request.cseq().map_or(0, |(number, _)| number),
            phase: Phase::Invited(Box::new(invited)),
            caller: false,
            terms,
            timer,
            refresh: None,
            credentials: Credentials::new(trunk.and_then(|trunk| trunk.credentials.clone())),
            reliable: reliable.then(|| Reliable::new(wire)),
            ours: Ours::None,
            theirs: None,
            keys: super::Keys::default(),
            unacknowledged: Vec::new(),
            referrals: super::referring::Referrals::default(),
            told: false,
        }
    }

    /// Sends 180, 183 and their like.
    pub(super) fn progress(&mut self, wire: &mut Wire, now: Time, mut progress: Progress) {
        let Phase::Invited(invited) = &mut self.phase else { return };
        if invited.accepted.is_some() || !(101..200).contains(&progress.status) {
            return;
        }
        if invited.offerless {
            progress.sdp = None;
        }
        invited.ring_again = now + RING_AGAIN;
        invited.last = progress.clone();
        if self.reliable.is_some() {
            return self.progress_reliably(wire, now, progress);
        }
        let Phase::Invited(invited) = &self.phase else { return };
        // A caller that wants every answer to be reliable gets none that could not be (RFC 3262 §3).
        if names(&invited.asked.request, HeaderName::Require, RELIABLE) {
            return;
        }
        let (status, transaction) = (progress.status, invited.asked.transaction);
        let writer = self.provisional(wire, invited, progress);
        wire.reply(now, transaction, status, writer);
    }

    /// A provisional answer.
    pub(super) fn provisional(&self, wire: &Wire, invited: &Invited, progress: Progress) -> Writer {
        let Asked { request, flow, .. } = &invited.asked;
        let mut writer = wire
            .answer(request, *flow, progress.status, &self.dialog.local_tag)
            .headers_of(request, HeaderName::RecordRoute)
            .header("Contact", self.dialog.contact(wire))
            .header("Allow", ALLOW);
        if let Some(early_media) = progress.early_media.filter(|_| invited.reads_early_media) {
            writer = writer.header(early_media::P_EARLY_MEDIA, early_media.name());
        }
        match progress.sdp {
            Some(sdp) => writer.body("application/sdp", sdp),
            None => writer,
        }
    }

    /// Sends 200 and repeats it until its ACK comes (RFC 3261 §13.3.1.4). It waits for the PRACK of a
    /// reliable answer that described the session, and for our answer to an offer of the peer.
    pub(super) fn accept(&mut self, wire: &mut Wire, now: Time, sdp: Vec<u8>) {
        if let Phase::Invited(invited) = &mut self.phase {
            invited.accepted = Some(sdp);
            self.accept_that_waited(wire, now);
        }
    }

    /// Sends the 200 if nothing holds it back any more.
    pub(super) fn accept_that_waited(&mut self, wire: &mut Wire, now: Time) {
        let held = self.theirs.is_some() || self.reliable.as_ref().is_some_and(Reliable::holds_success_back);
        if held || !matches!(&self.phase, Phase::Invited(invited) if invited.accepted.is_some()) {
            return;
        }
        let Phase::Invited(invited) = std::mem::replace(&mut self.phase, Phase::Established) else { return };
        let answered = self.reliable.as_ref().is_some_and(Reliable::is_answered);
        let sdp = invited.accepted.filter(|_| !answered);
        if let Some(reliable) = &mut self.reliable {
            reliable.silence();
        }
        self.send_success(wire, now, &invited.asked, sdp, invited.offerless, true);
    }

    /// Sends a final refusal; ends the session.
    pub(super) fn refuse(
        &mut self,
        wire: &mut Wire,
        now: Time,
        status: u16,
        q850: Option<u8>,
        warning: Option<Warning>,
    ) {
        self.refuse_as(wire, now, (status, q850, warning), How::Ours, String::new());
    }

    /// The same, for a reason of this kind.
    pub(super) fn refuse_as(
        &mut self,
        wire: &mut Wire,
        now: Time,
        (status, q850, warning): (u16, Option<u8>, Option<Warning>),
        how: How,
        detail: String,
    ) {
        let Phase::Invited(invited) = &self.phase else { return };
        let status = if (300..700).contains(&status) { status } else { 500 };
        let q850 = q850.unwrap_or(cause::of_status(status));
        let Asked { transaction, request, flow } = &invited.asked;
        let mut writer =
            wire.answer(request, *flow, status, &self.dialog.local_tag).header("Reason", cause::reason(q850));
        if let Some(warning) = warning {
            writer = writer.header("Warning", warning.value(&wire.address(*flow)));
        }
        wire.reply(now, *transaction, status, writer);
        self.forget(wire, now);
        self.end(wire, how, Some(status), Some(q850), detail);
    }

    /// The peer takes its INVITE back, by CANCEL or by a BYE in the early dialog (§15.1.2): 487.
    pub(super) fn withdrawn(&mut self, wire: &mut Wire, now: Time, how: How, q850: Option<u8>) {
        let Phase::Invited(invited) = &self.phase else { return };
        let reason = cause::reason(q850.unwrap_or(cause::NORMAL));
        self.reply_with(wire, now, &invited.asked, 487, &[("Reason", &reason)]);
        self.forget(wire, now);
        self.end(wire, how, Some(487), q850, String::new());
    }

    /// The stream that the INVITE came by broke: no answer would arrive.
    pub(super) fn invited_flow_failed(&mut self, wire: &mut Wire, now: Time) {
        let Phase::Invited(invited) = &self.phase else { return };
        let remote = invited.asked.flow.remote;
        wire.transactions.abandon(invited.asked.transaction);
        self.forget(wire, now);
        self.end(wire, How::FlowFailed, None, None, format!("the connection from {remote} broke"));
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
        let Phase::Invited(invited) = &self.phase else { return };
        if invited.deadline() > now {
            return;
        }
        if invited.expires <= now {
            let seconds = invited.asked.request.expires().unwrap_or(0);
            let detail = format!("the INVITE asked for an answer within {seconds} s (Expires)");
            return self.refuse_as(wire, now, (487, None, None), How::PeerCancelled, detail);
        }
        if invited.ring_again <= now {
            let last = invited.last.clone();
            self.progress(wire, now, last);
        }
    }

    /// A 200 to an INVITE or re-INVITE, kept until it is acknowledged.
    pub(super) fn send_success(
        &mut self,
        wire: &mut Wire,
        now: Time,
        asked: &Asked,
        sdp: Option<Vec<u8>>,
        offered: bool,
        first: bool,
    ) {
        let contact = self.dialog.contact(wire);
        let writer = self.success(wire, asked);
        let bytes = match sdp {
            Some(sdp) => writer.body("application/sdp", sdp).finish(),
            None => writer.finish(),
        };
        wire.transactions.reply(now, asked.transaction, 200, bytes.clone(), &mut wire.out);
        self.timer_agreed(now, &asked.request);
        self.unacknowledged.push(Unacknowledged::new(wire, now, asked, bytes, contact, offered, first));
    }

    /// A 200 with all that an INVITE's or UPDATE's has but the body.
    pub(super) fn success(&self, wire: &Wire, asked: &Asked) -> Writer {
        let request: &Message = &asked.request;
        let writer = wire
            .answer(request, asked.flow, 200, &self.dialog.local_tag)
            .headers_of(request, HeaderName::RecordRoute)
            .header("Contact", self.dialog.contact(wire))
            .header("Allow", ALLOW)
            .header("Supported", self.terms.supported())
            .header("Allow-Events", ALLOW_EVENTS);
        match self.phase {
            Phase::Established => self.timer.write(writer, request),
            _ => writer,
        }
    }
}
