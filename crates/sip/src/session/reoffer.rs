//! New offers in an established session, in both directions: re-INVITE and UPDATE (RFC 3261 §14, RFC 3311).

use super::{Asked, Phase, Session, sdp_of};
use crate::cause;
use crate::message::{HeaderName, Message, Method};
use crate::transaction::{Failure, TransactionId, User};
use crate::ua::wire::{ALLOW, Wire};
use crate::ua::{Event, How, Warning};
use base::Time;
use std::time::Duration;

/// How often an offer of ours that met the peer's is made again.
const TRIES_MAX: u8 = 5;
/// A peer that says 500 with a longer Retry-After is taken at its first word: refused.
pub(super) const RETRY_AFTER_MAX: u32 = 10;
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
    pub(super) asked: Asked,
    until: Time,
    /// The answer that we are asked for is an offer.
    offerless: bool,
}

impl Ours {
    pub(super) fn deadline(&self) -> Time {
        if let Ours::Due { at, .. } = self { *at } else { Time::FAR }
    }

    pub(super) fn is_sent(&self) -> bool {
        matches!(self, Ours::Sent { .. })
    }
}

impl Theirs {
    pub(super) fn new(wire: &Wire, now: Time, asked: Asked, offerless: bool) -> Theirs {
        Theirs { asked, until: now + wire.config.timers.t1 * ANSWER_WITHIN_T1, offerless }
    }

    pub(super) fn deadline(&self) -> Time {
        self.until
    }
}

impl Session {
    /// Offers anew, as soon as nothing stands in the way. A later offer takes the place of one that waits.
    pub(super) fn reoffer(&mut self, wire: &mut Wire, now: Time, sdp: Vec<u8>) {
        if self.told || self.ours.is_sent() {
            return;
        }
        if !self.may_offer() {
            return wire.tell(Event::ReofferRefused { session: self.id, status: 491 });
        }
        self.ours = Ours::Due { at: Time::FAR, sdp, tries: 0 };
        self.continue_reoffer(wire, now);
    }

    /// Sends an offer that waited for something other than time.
    pub(super) fn continue_reoffer(&mut self, wire: &mut Wire, now: Time) {
        let is_free = self.theirs.is_none() && self.unacknowledged.is_empty();
        let waits = matches!(self.ours, Ours::Due { at: Time::FAR, .. });
        if is_free && waits && self.may_offer() {
            let Ours::Due { sdp, tries, .. } = std::mem::replace(&mut self.ours, Ours::None) else { return };
            self.credentials.settled();
            self.send_reoffer(wire, now, sdp, tries);
        }
    }

    /// The peer's re-INVITE or UPDATE with an offer (or a re-INVITE that asks for one).
    pub(super) fn reoffered(&mut self, wire: &mut Wire, now: Time, asked: Asked) {
        let invite = asked.request.method() == Some(Method::Invite);
        let sdp = sdp_of(&asked.request);
        if sdp.is_none() && !invite && !asked.request.description().not_understood {
            return self.refreshed_by_update(wire, now, &asked);
        }
        if self.meets_an_offer(wire, now, &asked) {
            return;
        }
        if invite {
            let trying = wire.answer(&asked.request, asked.flow, 100, "");
            wire.reply(now, asked.transaction, 100, trying);
        }
        self.theirs = Some(Theirs::new(wire, now, asked, sdp.is_none()));
        wire.tell(Event::Reoffered { session: self.id, sdp });
    }

    /// Answers an offer of the peer's that cannot be taken: because one of its own waits for its answer (500),
    /// because one of ours does (491), or because it cannot be read. False if it can.
    pub(super) fn meets_an_offer(&mut self, wire: &mut Wire, now: Time, asked: &Asked) -> bool {
        if self.theirs.is_some() {
            self.refuse_for_now(wire, now, asked);
            return true;
        }
        // An offer in our 200 that waits for its answer is an offer of ours, too; a plain 200 whose ACK was
        // overtaken is not (RFC 5407 §3.1.5).
        let open = self.unacknowledged.iter().any(super::Unacknowledged::is_offer);
        if self.ours.is_sent() || open || self.unacknowledged.len() > 1 {
            self.reply(wire, now, asked, 491);
            return true;
        }
        if let Some(status) = unreadable(&asked.request) {
            self.reply_with(wire, now, asked, status, &[("Accept", "application/sdp")]);
            return true;
        }
        false
    }

    /// RFC 3261 §14.2, RFC 3311 §5.2: another offer is to be answered before.
    pub(super) fn refuse_for_now(&mut self, wire: &mut Wire, now: Time, asked: &Asked) {
        let seconds = wire.rng.below(u64::from(RETRY_AFTER_MAX)).to_string();
        self.reply_with(wire, now, asked, 500, &[("Retry-After", &seconds)]);
    }

    /// The peer's UPDATE without an offer: it is there, perhaps somewhere else.
    pub(super) fn refreshed_by_update(&mut self, wire: &mut Wire, now: Time, asked: &Asked) {
        self.follow(wire, asked);
        let writer = self.success(wire, asked);
        wire.reply(now, asked.transaction, 200, writer);
        self.timer_agreed(now, &asked.request);
    }

    /// Answers the peer's new offer.
    pub(super) fn accept_reoffer(&mut self, wire: &mut Wire, now: Time, sdp: Vec<u8>) {
        let Some(Theirs { asked, offerless, .. }) = self.theirs.take() else { return };
        self.follow(wire, &asked);
        self.drop_outdated(wire);
        if asked.request.method() == Some(Method::Invite) {
            self.send_success(wire, now, &asked, Some(sdp), offerless, false);
        } else {
            let writer = self.success(wire, &asked).body("application/sdp", sdp);
            wire.reply(now, asked.transaction, 200, writer);
            self.timer_agreed(now, &asked.request);
        }
        self.continue_reoffer(wire, now);
        self.accept_that_waited(wire, now);
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
    pub(super) fn refuse_reoffer(
        &mut self,
        wire: &mut Wire,
        now: Time,
        status: u16,
        warning: Option<Warning>,
    ) {
        let Some(Theirs { asked, .. }) = self.theirs.take() else { return };
        let status = if (300..700).contains(&status) { status } else { 488 };
        let warning = warning.map(|warning| warning.value(&wire.address(asked.flow)));
        let reason = cause::reason(cause::of_status(status));
        let headers = [("Reason", reason.as_str()), ("Warning", warning.as_deref().unwrap_or(""))];
        let given = if warning.is_some() { 2 } else { 1 };
        self.reply_with(wire, now, &asked, status, headers.get(..given).unwrap_or(&[]));
        self.continue_reoffer(wire, now);
        self.accept_that_waited(wire, now);
    }

    /// Forgets an offer of ours. False if there is none.
    pub(super) fn drop_our_offer(&mut self) -> bool {
        !matches!(std::mem::replace(&mut self.ours, Ours::None), Ours::None)
    }

    /// The peer's CANCEL of its re-INVITE.
    pub(super) fn reoffer_withdrawn(&mut self, wire: &mut Wire, now: Time, transaction: TransactionId) {
        if self.theirs.as_ref().is_some_and(|theirs| theirs.asked.transaction == transaction) {
            self.refuse_reoffer(wire, now, 487, None);
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
                self.follow_answer(wire, response);
                if response.cseq().is_ok_and(|(_, method)| method == Method::Invite) {
                    self.acknowledge(wire, id, response);
                    self.timer.answered(now, response, false);
                }
                let sdp = sdp_of(response).unwrap_or_default();
                if !self.told {
                    wire.tell(Event::Reanswered { session: self.id, sdp });
                }
            }
            _ if matches!(self.phase, Phase::Closing(_) | Phase::Over) => {}
            // What becomes of a call without a final answer is decided by its INVITE.
            404 | 408 | 481 if !matches!(self.phase, Phase::Established) => {
                wire.tell(Event::ReofferRefused { session: self.id, status });
            }
            _ if status == 408 || says_that_it_is_gone(status) => {
                let how = if status == 408 { How::PeerTimeout } else { How::PeerRefused };
                let detail = "the peer does not know the session any more".to_owned();
                self.end(wire, how, Some(status), cause::given(response).q850, detail);
                self.send_bye(wire, now, None);
            }
            _ => self.reoffer_again(wire, now, response, sdp, tries),
        }
    }

    /// Our offer came to nothing: so has the session (§12.2.1.2).
    pub(super) fn reoffer_failed(&mut self, wire: &mut Wire, now: Time, failure: Failure) {
        let ours = std::mem::replace(&mut self.ours, Ours::None);
        match (&self.phase, ours) {
            (Phase::Established, Ours::Sent { sdp, tries, .. }) if self.dialog.give_up_hop() => {
                return self.send_reoffer(wire, now, sdp, tries);
            }
            _ => {}
        }
        match self.phase {
            Phase::Established => {}
            Phase::Calling(_) | Phase::Invited(_) if !self.told => {
                return wire.tell(Event::ReofferRefused { session: self.id, status: 408 });
            }
            _ => return,
        }
        let remote = self.dialog.flow.remote;
        let (how, detail) = match failure {
            Failure::Timeout => (How::PeerTimeout, format!("no answer to a re-INVITE from {remote}")),
            Failure::Flow => (How::FlowFailed, format!("no connection to {remote} for a re-INVITE")),
            Failure::TooLarge => (How::FlowFailed, format!("a re-INVITE to {remote} is too large for UDP")),
        };
        self.end(wire, how, None, None, detail);
        self.send_bye(wire, now, None);
    }

    pub(super) fn reoffer_timeout(&mut self, wire: &mut Wire, now: Time) {
        if let Some(theirs) = self.theirs.take_if(|theirs| theirs.until <= now) {
            // RFC 3311 §5.2: an UPDATE waits for nobody.
            let update = theirs.asked.request.method() == Some(Method::Update);
            self.reply(wire, now, &theirs.asked, if update { 504 } else { 500 });
            self.accept_that_waited(wire, now);
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
        let method = self.offering_method();
        if matches!(status, 401 | 407) && self.credentials.answer(response, method, &uri, &mut wire.rng) {
            return self.send_reoffer(wire, now, sdp, tries);
        }
        if status == 422 && self.timer.learn_least(response) {
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
    pub(super) fn pause_after_glare(&self, wire: &mut Wire) -> Duration {
        let steps = if self.caller { 210 + wire.rng.below(191) } else { wire.rng.below(201) };
        Duration::from_millis(10 * steps)
    }

    fn send_reoffer(&mut self, wire: &mut Wire, now: Time, sdp: Vec<u8>, tries: u8) {
        let (mut writer, flow, branch) = self.begin_offer(wire);
        writer = writer.header("Allow", ALLOW).header("Supported", self.terms.supported());
        if matches!(self.phase, Phase::Established) {
            writer = self.timer.ask(writer, false);
        }
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
    fn follow(&mut self, wire: &Wire, asked: &Asked) {
        if asked.request.method() != Some(Method::Prack) {
            let dialog = self.dialog_of(&asked.request);
            dialog.flow = asked.flow;
            dialog.retarget(wire, &asked.request);
        }
    }
}

/// RFC 5057 §5.1: these say that the dialog, or the whole way to it, is gone.
pub(super) fn says_that_it_is_gone(status: u16) -> bool {
    matches!(status, 404 | 410 | 416 | 481 | 482 | 483 | 484 | 485 | 502 | 604)
}

/// 415 for a body that is to be understood and is not (§8.2.3), 406 if the caller takes no SDP in our answer
/// (§21.4.7).
pub(crate) fn unreadable(request: &Message) -> Option<u16> {
    let readable = !request.description().not_understood;
    let plain =
        request.header(HeaderName::ContentEncoding).is_none_or(|e| e.eq_ignore_ascii_case("identity"));
    match readable && plain {
        false => Some(415),
        true => (!request.accepts("application/sdp")).then_some(406),
    }
}
