//! REFER within a session, both ways, with the subscription that each makes (RFC 3515, RFC 4488).
//!
//! The subscription is told of by NOTIFY in the session's dialog and may outlive its BYE (RFC 5057 §3.3);
//! it ends with a final status, with its time, or with the first NOTIFY that the peer does not take.

use super::{Asked, Phase, Session};
use crate::message::{HeaderName, Message, NameAddr, Params};
use crate::referral::{ReferTo, SIPFRAG, sipfrag_status};
use crate::transaction::{Failure, TransactionId, User};
use crate::ua::credentials::Credentials;
use crate::ua::wire::Wire;
use crate::ua::{Event, Refer, Referral};
use crate::write::reason_phrase;
use base::Time;
use std::time::Duration;

/// The most REFERs of a peer in one session at a time.
const THEIRS_MAX: usize = 4;
/// How long a transfer may take: as long as anybody lets a phone ring, and a little.
const LASTS: Duration = Duration::from_secs(180);
/// The engine's time to say yes or no, in T1: less than the peer's timer F.
const ANSWER_WITHIN_T1: u32 = 20;

/// The REFERs of both sides in one session.
#[derive(Debug, Default)]
pub(super) struct Referrals {
    theirs: Vec<Theirs>,
    ours: Option<Ours>,
}

/// A REFER of the peer.
#[derive(Debug)]
struct Theirs {
    /// Its CSeq: what its NOTIFYs are told apart by (RFC 3515 §2.4.6).
    id: u32,
    /// Not answered yet.
    asked: Option<Asked>,
    /// The peer wants no NOTIFY (RFC 4488).
    silent: bool,
    until: Time,
    /// The last status that has not been told; the first NOTIFY is due at once.
    untold: Option<u16>,
    /// The last status given: a refreshed subscription is told it again.
    last: u16,
    notify: Option<TransactionId>,
    /// Its time is up, or the peer wants no more.
    expired: bool,
    /// The last NOTIFY has been sent.
    ended: bool,
    credentials: Credentials,
}

/// A REFER of ours.
#[derive(Debug)]
struct Ours {
    refer: Refer,
    /// Its own transaction, until it has its final answer.
    transaction: Option<TransactionId>,
    credentials: Credentials,
    cseq: u32,
    until: Time,
}

impl Theirs {
    /// The Subscription-State of a NOTIFY with this status, without the time that is left.
    fn state(&mut self, status: u16) -> &'static str {
        self.ended = status >= 200 || self.expired;
        match (status >= 200, self.expired) {
            (true, _) => "terminated;reason=noresource",
            (false, true) => "terminated;reason=timeout",
            (false, false) => "active",
        }
    }
}

impl Referrals {
    pub(super) fn deadline(&self) -> Time {
        let theirs = self.theirs.iter().map(|refer| refer.until).min().unwrap_or(Time::FAR);
        self.ours.as_ref().map_or(Time::FAR, |ours| ours.until).min(theirs)
    }

    /// Whether nobody waits for anything of a REFER.
    pub(super) fn is_empty(&self) -> bool {
        self.theirs.is_empty() && self.ours.is_none()
    }

    /// Whether the peer is being told something, or is to be.
    pub(super) fn have_news(&self) -> bool {
        self.theirs.iter().any(|refer| refer.notify.is_some() || refer.untold.is_some())
    }

    /// Whether this is a transaction of a NOTIFY or REFER of ours.
    pub(super) fn knows(&self, id: TransactionId) -> bool {
        let ours = self.ours.as_ref().and_then(|ours| ours.transaction);
        ours == Some(id) || self.theirs.iter().any(|refer| refer.notify == Some(id))
    }
}

/// The peer's side.
impl Session {
    /// A REFER of the peer: read, and given to whoever decides.
    pub(super) fn referred(&mut self, wire: &mut Wire, now: Time, asked: Asked) {
        if !matches!(self.phase, Phase::Established) {
            return self.reply(wire, now, &asked, 500);
        }
        let Some(to) = refer_to(&asked.request) else { return self.reply(wire, now, &asked, 400) };
        if self.referrals.theirs.len() >= THEIRS_MAX {
            return self.reply(wire, now, &asked, 491);
        }
        let id = asked.request.cseq().map_or(0, |(number, _)| number);
        let named = asked.request.header(HeaderName::ReferredBy).and_then(|by| NameAddr::parse(by).ok());
        let referral = Referral { refer: id, to, referred_by: named.map(|by| by.uri.to_owned()) };
        let silent = wants_silence(&asked.request);
        self.referrals.theirs.push(Theirs {
            id,
            asked: Some(asked),
            silent,
            until: now + wire.config.timers.t1 * ANSWER_WITHIN_T1,
            untold: None,
            last: 100,
            notify: None,
            expired: false,
            ended: false,
            credentials: self.credentials.afresh(),
        });
        wire.tell(Event::Referred { session: self.id, referral: Box::new(referral) });
    }

    /// Says yes (202) or no to a REFER of the peer.
    pub(super) fn answer_refer(&mut self, wire: &mut Wire, now: Time, id: u32, status: u16) {
        let Some(at) = self.referrals.theirs.iter().position(|refer| refer.id == id) else { return };
        let Some(refer) = self.referrals.theirs.get_mut(at) else { return };
        let (Some(asked), silent) = (refer.asked.take(), refer.silent) else { return };
        refer.until = now + LASTS;
        refer.untold = Some(100);
        if !(200..300).contains(&status) {
            self.referrals.theirs.remove(at);
            let status = if (300..700).contains(&status) { status } else { 603 };
            return self.reply(wire, now, &asked, status);
        }
        let contact = self.dialog.contact(wire);
        let mut writer =
            wire.answer(&asked.request, asked.flow, 202, &self.dialog.local_tag).header("Contact", contact);
        if silent {
            self.referrals.theirs.remove(at);
            writer = writer.header("Refer-Sub", "false");
        }
        wire.reply(now, asked.transaction, 202, writer);
        self.notify(wire, now);
    }

    /// Tells the peer how far what it asked for has come; a final status is the last that it is told.
    pub(super) fn refer_progress(&mut self, wire: &mut Wire, now: Time, id: u32, status: u16) {
        let found = self.referrals.theirs.iter_mut().find(|refer| refer.id == id && refer.asked.is_none());
        let Some(refer) = found.filter(|refer| refer.last < 200) else { return };
        (refer.untold, refer.last) = (Some(status), status);
        self.notify(wire, now);
    }

    /// A SUBSCRIBE of the peer to what its REFER began: refreshed, or ended (RFC 3515 §2.4.4).
    pub(super) fn refer_subscription(&mut self, wire: &mut Wire, now: Time, asked: &Asked) {
        let wanted = id_of_event(&asked.request);
        let mut live = self.referrals.theirs.iter_mut().filter(|refer| refer.asked.is_none());
        let Some(refer) = live.find(|refer| wanted.is_none_or(|id| id == refer.id)) else {
            return self.reply(wire, now, asked, 481);
        };
        let lasts = u32::try_from(LASTS.as_secs()).unwrap_or(u32::MAX);
        let seconds = asked.request.expires().unwrap_or(lasts).min(lasts);
        refer.until = if seconds == 0 { Time::FAR } else { now + Duration::from_secs(seconds.into()) };
        refer.expired = seconds == 0;
        refer.untold.get_or_insert(refer.last);
        let contact = self.dialog.contact(wire);
        let writer = wire
            .answer(&asked.request, asked.flow, 200, &self.dialog.local_tag)
            .header("Expires", seconds)
            .header("Contact", contact);
        wire.reply(now, asked.transaction, 200, writer);
        self.notify(wire, now);
    }

    /// Sends what has not been told, one NOTIFY at a time for each REFER.
    fn notify(&mut self, wire: &mut Wire, now: Time) {
        for refer in &mut self.referrals.theirs {
            if refer.asked.is_some() || refer.notify.is_some() || refer.ended {
                continue;
            }
            let Some(status) = refer.untold.take().or(refer.expired.then_some(refer.last)) else { continue };
            let (state, left) = (refer.state(status), refer.until.since(now).as_secs());
            let state = if refer.ended { state.to_owned() } else { format!("{state};expires={left}") };
            let contact = self.dialog.contact(wire);
            let (writer, flow, branch) = self.dialog.request(wire, "NOTIFY");
            let writer = refer
                .credentials
                .write(writer)
                .header("Contact", contact)
                .header("Event", format_args!("refer;id={}", refer.id))
                .header("Subscription-State", state)
                .body(SIPFRAG, format!("SIP/2.0 {status} {}\r\n", reason_phrase(status)));
            refer.notify = wire.request(now, flow, User::Session(self.id), &branch, writer);
            // A NOTIFY that there is no room for is a NOTIFY that failed.
            refer.ended |= refer.notify.is_none();
        }
        self.forget_referrals();
    }

    fn notify_response(&mut self, wire: &mut Wire, now: Time, id: TransactionId, response: &Message) {
        let status = response.status().unwrap_or(0);
        let uri = self.dialog.request_uri().to_owned();
        let Some(refer) = self.referrals.theirs.iter_mut().find(|refer| refer.notify == Some(id)) else {
            return;
        };
        if status < 200 {
            return;
        }
        refer.notify = None;
        let challenged = matches!(status, 401 | 407);
        if challenged && refer.credentials.answer(response, "NOTIFY", &uri, &mut wire.rng) {
            refer.ended = false;
            refer.untold.get_or_insert(refer.last);
        } else if (200..300).contains(&status) {
            refer.credentials.settled();
        } else {
            // RFC 6665 §4.2.2: the subscription is over.
            refer.ended = true;
        }
        self.notify(wire, now);
        self.say_bye_after_news(wire, now);
    }

    /// Forgets the peer's REFERs of which all has been told.
    fn forget_referrals(&mut self) {
        self.referrals.theirs.retain(|refer| refer.notify.is_some() || !refer.ended);
    }
}

/// Our side.
impl Session {
    /// Asks the peer to call somebody else. One at a time: a second one is refused at once.
    pub(super) fn refer(&mut self, wire: &mut Wire, now: Time, refer: Refer) {
        if !matches!(self.phase, Phase::Established) || self.referrals.ours.is_some() {
            return wire.tell(Event::ReferProgress { session: self.id, status: 491, over: true });
        }
        let credentials = self.credentials.afresh();
        let until = now + LASTS;
        self.referrals.ours = Some(Ours { refer, transaction: None, credentials, cseq: 0, until });
        self.send_refer(wire, now);
    }

    fn send_refer(&mut self, wire: &mut Wire, now: Time) {
        let Some(ours) = &mut self.referrals.ours else { return };
        let contact = self.dialog.contact(wire);
        let (writer, flow, branch) = self.dialog.request(wire, "REFER");
        let mut writer = ours.credentials.write(writer).header("Contact", contact);
        writer = writer.header("Refer-To", &ours.refer.to);
        if let Some(by) = &ours.refer.referred_by {
            writer = writer.header("Referred-By", format_args!("<{by}>"));
        }
        ours.cseq = self.dialog.local_cseq;
        ours.transaction = wire.request(now, flow, User::Session(self.id), &branch, writer);
        if ours.transaction.is_none() {
            self.refer_is_over(wire, 503);
        }
    }

    fn refer_response(&mut self, wire: &mut Wire, now: Time, response: &Message) {
        let status = response.status().unwrap_or(0);
        let uri = self.dialog.request_uri().to_owned();
        let Some(ours) = &mut self.referrals.ours else { return };
        match status {
            ..200 => {}
            200..=299 => {
                ours.transaction = None;
                if wants_silence(response) {
                    self.refer_is_over(wire, 100);
                } else {
                    wire.tell(Event::ReferProgress { session: self.id, status: 100, over: false });
                }
            }
            401 | 407 if ours.credentials.answer(response, "REFER", &uri, &mut wire.rng) => {
                self.send_refer(wire, now);
            }
            _ => self.refer_is_over(wire, status),
        }
    }

    /// A NOTIFY of the peer in this dialog: of our REFER, or of nothing that we know (481).
    pub(super) fn notified(&mut self, wire: &mut Wire, now: Time, asked: &Asked) {
        let request = &asked.request;
        let id = id_of_event(request);
        let known = self.referrals.ours.as_ref().is_some_and(|ours| id.is_none_or(|id| id == ours.cseq));
        if !known || !is_of_refer(request) {
            return self.reply(wire, now, asked, 481);
        }
        let fragment =
            request.content_type().is_some_and(|kind| kind.eq_ignore_ascii_case("message/sipfrag"));
        let Some(status) = sipfrag_status(request.body()).filter(|_| fragment) else {
            return self.reply(wire, now, asked, 400);
        };
        self.reply(wire, now, asked, 200);
        let state = request.header(HeaderName::SubscriptionState).unwrap_or("");
        if status >= 200 || state.trim_start().to_ascii_lowercase().starts_with("terminated") {
            self.refer_is_over(wire, if status < 200 { 408 } else { status });
        } else {
            wire.tell(Event::ReferProgress { session: self.id, status, over: false });
        }
    }

    fn refer_is_over(&mut self, wire: &mut Wire, status: u16) {
        if self.referrals.ours.take().is_some() {
            wire.tell(Event::ReferProgress { session: self.id, status, over: true });
        }
    }
}

/// Both sides.
impl Session {
    /// A response to a NOTIFY or REFER of ours.
    pub(super) fn referral_response(
        &mut self,
        wire: &mut Wire,
        now: Time,
        id: TransactionId,
        response: &Message,
    ) {
        match self.referrals.ours.as_ref().and_then(|ours| ours.transaction) {
            Some(refer) if refer == id => self.refer_response(wire, now, response),
            _ => self.notify_response(wire, now, id, response),
        }
    }

    /// A NOTIFY or REFER of ours came to nothing.
    pub(super) fn referral_failed(
        &mut self,
        wire: &mut Wire,
        now: Time,
        id: TransactionId,
        failure: Failure,
    ) {
        if self.referrals.ours.as_ref().is_some_and(|ours| ours.transaction == Some(id)) {
            self.refer_is_over(wire, if failure == Failure::Timeout { 408 } else { 503 });
        }
        self.referrals.theirs.retain(|refer| refer.notify != Some(id));
        self.say_bye_after_news(wire, now);
    }

    pub(super) fn referral_timeout(&mut self, wire: &mut Wire, now: Time) {
        let late = |refer: &&Theirs| refer.asked.is_some() && refer.until <= now;
        let unanswered: Vec<u32> = self.referrals.theirs.iter().filter(late).map(|refer| refer.id).collect();
        for id in unanswered {
            self.answer_refer(wire, now, id, 500);
        }
        if self.referrals.ours.as_ref().is_some_and(|ours| ours.until <= now) {
            self.refer_is_over(wire, 408);
        }
        for refer in self.referrals.theirs.iter_mut().filter(|refer| refer.until <= now) {
            (refer.expired, refer.until) = (true, Time::FAR);
        }
        self.notify(wire, now);
    }

    /// The session ends: what the peer was waiting for is over too, unless it still rings somewhere.
    pub(super) fn end_referrals(&mut self, wire: &mut Wire, now: Time) {
        self.refer_is_over(wire, 481);
        let unanswered: Vec<u32> = self
            .referrals
            .theirs
            .iter()
            .filter(|refer| refer.asked.is_some())
            .map(|refer| refer.id)
            .collect();
        for id in unanswered {
            self.answer_refer(wire, now, id, 481);
        }
    }
}

/// Refer-To, if there is exactly one (RFC 3515 §2.4.2).
fn refer_to(request: &Message) -> Option<ReferTo> {
    let mut values = request.headers(HeaderName::ReferTo);
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    ReferTo::parse(value)
}

/// RFC 4488 §4: the peer asks that no subscription be made, or has made none.
fn wants_silence(message: &Message) -> bool {
    message.header_named("Refer-Sub").is_some_and(|value| value.to_ascii_lowercase().starts_with("false"))
}

/// Whether the Event of a request is `refer`.
pub(super) fn is_of_refer(request: &Message) -> bool {
    let event = request.header(HeaderName::Event).unwrap_or("");
    event.split(';').next().is_some_and(|package| package.trim().eq_ignore_ascii_case("refer"))
}

/// The CSeq of the REFER that an Event of `refer` names.
fn id_of_event(request: &Message) -> Option<u32> {
    let (_, params) = request.header(HeaderName::Event)?.split_once(';')?;
    Params::of(params).get("id")?.parse().ok()
}
