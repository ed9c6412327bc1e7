//! New offers in an established session, in both directions: re-INVITE and UPDATE (RFC 3261 §14, RFC 3311).

use super::callee::success;
use super::{Asked, Phase, Session, sdp_of};
use crate::message::{HeaderName, Message, Method};
use crate::transaction::{Failure, TransactionId, User};
use crate::ua::wire::{ALLOW, SUPPORTED, Wire};
use crate::ua::{Event, How};
use base::Time;
use std::time::Duration;

/// How often an offer of ours that met the peer's is made again.
const TRIES_MAX: u8 = 5;
/// A peer that says 500 with a longer Retry-After is taken at its first word: refused.
const RETRY_AFTER_MAX: u32 = 10;
/// The engine's time to answer a new offer: less than the peer's timer F, so that every request gets a
/// final answer.
const ANSWER_WITHIN_T1: u32 = 20;

/// Our new offer.
#[derive(Debug)]
pub(super) enum Ours {
    /// None.
    None,
    /// It waits: for a time after 491, or until nothing stands in its way.
    Due { at: Time, sdp: Vec<u8>, tries: u8 },
    /// It is on its way.
    Sent { transaction: TransactionId, sdp: Vec<u8>, tries: u8 },
}

/// The peer's new offer, unanswered.
#[derive(Debug)]
pub(super) struct Theirs {
    asked: Asked,
    until: Time,
    /// The answer that we are asked for is an offer.
    offerless: bool,
}

impl Ours {
    pub(super) fn deadline(&self) -> Time {
        if let Ours::Due { at, .. } = self { *at } else { Time::FAR }
    }

    fn is_sent(&self) -> bool {
        matches!(self, Ours::Sent { .. })
    }
}

impl Theirs {
    pub(super) fn deadline(&self) -> Time {
        self.until
    }
}

impl Session {
    /// Offers anew, as soon as nothing stands in the way. A later offer takes the place of one that waits.
    pub(super) fn reoffer(&mut self, wire: &mut Wire, now: Time, sdp: Vec<u8>) {
        if !matches!(self.phase, Phase::Established) || self.ours.is_sent() {
            return;
        }
        self.ours = Ours::Due { at: Time::FAR, sdp, tries: 0 };
        self.continue_reoffer(wire, now);
    }

    /// Sends an offer that waited for something other than time.
    pub(super) fn continue_reoffer(&mut self, wire: &mut Wire, now: Time) {
        let is_free = self.theirs.is_none() && self.unacknowledged.is_empty();
        let waits = matches!(self.ours, Ours::Due { at: Time::FAR, .. });
        if is_free && waits && matches!(self.phase, Phase::Established) {
            let Ours::Due { sdp, tries, .. } = std::mem::replace(&mut self.ours, Ours::None) else { return };
            self.credentials.settled();
            self.send_reoffer(wire, now, sdp, tries);
        }
    }

    /// The peer's re-INVITE or UPDATE with an offer (or a re-INVITE that asks for one).
    pub(super) fn reoffered(&mut self, wire: &mut Wire, now: Time, asked: Asked) {
        let invite = asked.request.method() == Some(Method::Invite);
        if self.theirs.is_some() {
            // RFC 3261 §14.2, RFC 3311 §5.2: the first one is to be answered before.
            let seconds = wire.rng.below(u64::from(RETRY_AFTER_MAX));
            let writer = wire
                .answer(&asked.request, asked.flow, 500, &self.dialog.local_tag)
                .header("Retry-After", seconds);
            return wire.reply(now, asked.transaction, 500, writer);
        }
        // An offer in our 200 that waits for its answer is an offer of ours, too; a plain 200 whose ACK was
        // overtaken is not (RFC 5407 §3.1.5).
        let open = self.unacknowledged.iter().any(super::Unacknowledged::is_offer);
        if self.ours.is_sent() || open || self.unacknowledged.len() > 1 {
            return self.reply(wire, now, &asked, 491);
        }
        if let Some(status) = unreadable(&asked.request) {
            let writer = wire
                .answer(&asked.request, asked.flow, status, &self.dialog.local_tag)
                .header("Accept", "application/sdp");
            return wire.reply(now, asked.transaction, status, writer);
        }
        let sdp = sdp_of(&asked.request);
        if sdp.is_none() && !invite {
            self.follow(&asked);
            let contact = self.dialog.contact(wire);
            let writer = success(wire, &asked, &self.dialog.local_tag, &contact);
            return wire.reply(now, asked.transaction, 200, writer);
        }
        if invite {
            let trying = wire.answer(&asked.request, asked.flow, 100, "");
            wire.reply(now, asked.transaction, 100, trying);
        }
        let until = now + wire.config.timers.t1 * ANSWER_WITHIN_T1;
        self.theirs = Some(Theirs { asked, until, offerless: sdp.is_none() });
        wire.tell(Event::Reoffered { session: self.id, sdp });
    }

    /// Answers the peer's new offer.
    pub(super) fn accept_reoffer(&mut self, wire: &mut Wire, now: Time, sdp: Vec<u8>) {
        let Some(Theirs { asked, offerless, .. }) = self.theirs.take() else { return };
        self.follow(&asked);
        self.drop_outdated(wire);
        if asked.request.method() == Some(Method::Invite) {
            self.send_success(wire, now, &asked, sdp, offerless, false);
        } else {
            let contact = self.dialog.contact(wire);
            let writer = success(wire, &asked, &self.dialog.local_tag, &contact).body("application/sdp", sdp);
            wire.reply(now, asked.transaction, 200, writer);
        }
        self.continue_reoffer(wire, now);
    }

    /// An offer of ours that still waits describes the session as it was before the peer's, under an older
    /// version (RFC 3264 §8): whoever made it must make it anew.
    fn drop_outdated(&mut self, wire: &mut Wire) {
        if let Ours::Due { .. } = self.ours {
            self.ours = Ours::None;
            wire.tell(Event::ReofferRefused { session: self.id, status: 491 });
        }
    }

    /// Refuses the peer's new offer; nothing changes.
    pub(super) fn refuse_reoffer(&mut self, wire: &mut Wire, now: Time, status: u16) {
        let Some(theirs) = self.theirs.take() else { return };
        let status = if (300..700).contains(&status) { status } else { 488 };
        self.reply(wire, now, &theirs.asked, status);
        self.continue_reoffer(wire, now);
    }

    /// The peer's CANCEL of its re-INVITE.
    pub(super) fn reoffer_withdrawn(&mut self, wire: &mut Wire, now: Time, transaction: TransactionId) {
        if self.theirs.as_ref().is_some_and(|theirs| theirs.asked.transaction == transaction) {
            self.refuse_reoffer(wire, now, 487);
        }
    }

    /// With a BYE of either side, what is pending of the peer gets its final answer (§15.1.2), and what is
    /// pending of ours may get none.
    pub(super) fn refuse_pending(&mut self, wire: &mut Wire, now: Time) {
        if let Ours::Sent { transaction, .. } = self.ours {
            wire.transactions.limit(now, transaction);
        }
        if let Some(theirs) = self.theirs.take() {
            self.reply(wire, now, &theirs.asked, 487);
        }
        self.end_referrals(wire, now);
    }

    /// Whether this is the transaction of our offer.
    pub(super) fn is_our_offer(&self, id: TransactionId) -> bool {
        matches!(self.ours, Ours::Sent { transaction, .. } if transaction == id)
    }

    /// The peer answered our offer.
    pub(super) fn reoffer_response(
        &mut self,
        wire: &mut Wire,
        now: Time,
        id: TransactionId,
        response: &Message,
    ) {
        let status = response.status().unwrap_or(0);
        if status < 200 {
            return;
        }
        let Ours::Sent { sdp, tries, .. } = std::mem::replace(&mut self.ours, Ours::None) else { return };
        match status {
            200..=299 => {
                self.credentials.settled();
                self.dialog.retarget(response);
                self.acknowledge(wire, id, response);
                let sdp = sdp_of(response).unwrap_or_default();
                if !self.told {
                    wire.tell(Event::Reanswered { session: self.id, sdp });
                }
            }
            _ if !matches!(self.phase, Phase::Established) => {}
            // RFC 5057 §5.1: these say that the dialog, or the whole way to it, is gone.
            404 | 408 | 410 | 416 | 481 | 482 | 483 | 484 | 485 | 502 | 604 => {
                let how = if status == 408 { How::PeerTimeout } else { How::PeerRefused };
                let detail = "the peer does not know the session any more".to_owned();
                self.end(wire, how, Some(status), response.reason_q850(), detail);
                self.send_bye(wire, now, None);
            }
            _ => self.reoffer_again(wire, now, response, sdp, tries),
        }
    }

    /// Our offer came to nothing: so has the session (§12.2.1.2).
    pub(super) fn reoffer_failed(&mut self, wire: &mut Wire, now: Time, failure: Failure) {
        self.ours = Ours::None;
        if !matches!(self.phase, Phase::Established) {
            return;
        }
        let remote = self.dialog.flow.remote;
        let (how, detail) = match failure {
            Failure::Timeout => (How::PeerTimeout, format!("no answer to a re-INVITE from {remote}")),
            Failure::Flow => (How::FlowFailed, format!("no connection to {remote} for a re-INVITE")),
        };
        self.end(wire, how, None, None, detail);
        self.send_bye(wire, now, None);
    }

    pub(super) fn reoffer_timeout(&mut self, wire: &mut Wire, now: Time) {
        if let Some(theirs) = self.theirs.take_if(|theirs| theirs.until <= now) {
            self.reply(wire, now, &theirs.asked, 500);
        }
        if let Ours::Due { at, .. } = &mut self.ours
            && *at <= now
        {
            *at = Time::FAR;
        }
        self.continue_reoffer(wire, now);
    }

    fn reoffer_again(&mut self, wire: &mut Wire, now: Time, response: &Message, sdp: Vec<u8>, tries: u8) {
        let status = response.status().unwrap_or(0);
        let uri = self.dialog.request_uri().to_owned();
        if matches!(status, 401 | 407) && self.credentials.answer(response, "INVITE", &uri, &mut wire.rng) {
            return self.send_reoffer(wire, now, sdp, tries);
        }
        let retry_after = response.number(HeaderName::RetryAfter).filter(|after| *after <= RETRY_AFTER_MAX);
        let pause = match (status, retry_after) {
            (491, _) => Some(self.pause_after_glare(wire)),
            (500, Some(seconds)) => Some(Duration::from_secs(seconds.into())),
            _ => None,
        };
        match pause.filter(|_| tries + 1 < TRIES_MAX) {
            Some(pause) => self.ours = Ours::Due { at: now + pause, sdp, tries: tries + 1 },
            None => wire.tell(Event::ReofferRefused { session: self.id, status }),
        }
    }

    /// §14.1: the owner of the Call-ID waits longer, in steps of 10 ms.
    fn pause_after_glare(&self, wire: &mut Wire) -> Duration {
        let steps = if self.caller { 210 + wire.rng.below(191) } else { wire.rng.below(201) };
        Duration::from_millis(10 * steps)
    }

    fn send_reoffer(&mut self, wire: &mut Wire, now: Time, sdp: Vec<u8>, tries: u8) {
        let (mut writer, flow, branch) = self.dialog.request(wire, "INVITE");
        writer = writer.header("Allow", ALLOW).header("Supported", SUPPORTED);
        writer = self.credentials.write(writer).body("application/sdp", sdp.clone());
        match wire.request(now, flow, User::Session(self.id), &branch, writer) {
            Some(transaction) => self.ours = Ours::Sent { transaction, sdp, tries },
            None => {
                self.ours = Ours::None;
                wire.tell(Event::ReofferRefused { session: self.id, status: 503 });
            }
        }
    }

    /// A target refresh that we accept: Contact, and the way that it came if the device has moved.
    fn follow(&mut self, asked: &Asked) {
        self.dialog.retarget(&asked.request);
        self.dialog.flow = asked.flow;
    }
}

/// 415 for a body that is not SDP (§8.2.3), 406 if the caller takes no SDP in our answer (§21.4.7).
pub(crate) fn unreadable(request: &Message) -> Option<u16> {
    let is_sdp = |kind: &str| kind.eq_ignore_ascii_case("application/sdp");
    let readable = request.body().is_empty() || request.content_type().is_some_and(is_sdp);
    let plain =
        request.header(HeaderName::ContentEncoding).is_none_or(|e| e.eq_ignore_ascii_case("identity"));
    match readable && plain {
        false => Some(415),
        true => (!takes_sdp(request)).then_some(406),
    }
}

/// Whoever says nothing takes SDP (§20.1). Types are compared without their parameters.
fn takes_sdp(request: &Message) -> bool {
    let mut types = request.list(HeaderName::Accept).peekable();
    types.peek().is_none()
        || types.any(|range| {
            let kind = range.split(';').next().unwrap_or("").trim();
            ["application/sdp", "application/*", "*/*"].iter().any(|fits| kind.eq_ignore_ascii_case(fits))
        })
}
