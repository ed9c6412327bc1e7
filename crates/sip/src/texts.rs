//! MESSAGE (RFC 3428): a text that arrives waits here until it has been handed on and its answer is known, or
//! until it is refused. Every one gets a final answer.

use crate::message::{HeaderName, Message};
use crate::transaction::{TransactionId, User};
use crate::ua::wire::{Wire, escaped_user};
use crate::ua::{Contact, Event, Flow, MAX_FORWARDS, Peer, Text};
use crate::uri::Uri;
use crate::write::Writer;
use base::{Key, Slots, Time};
use std::collections::BTreeSet;

/// The most bytes of a text (RFC 3428 §8).
pub(crate) const BYTES_MAX: usize = 1_300;
/// The most that wait at a time.
const LIMIT: usize = 1_000;
/// The user's time to say where it goes, in T1.
const DECIDE_WITHIN_T1: u32 = 20;

/// A text that has no final answer.
#[derive(Debug)]
pub struct Waiting {
    transaction: TransactionId,
    request: Message,
    flow: Flow,
    /// When it is refused if nothing was decided; never once it has been handed on, which has its own timer.
    until: Time,
}

/// The key of a text that waits for its answer.
pub type TextId = Key<Waiting>;

/// All texts that wait.
#[derive(Debug)]
pub(crate) struct Texts {
    waiting: Slots<Waiting>,
    deadlines: BTreeSet<(Time, TextId)>,
}

impl Texts {
    pub(crate) fn new() -> Texts {
        Texts { waiting: Slots::new(LIMIT), deadlines: BTreeSet::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn has_room(&self) -> bool {
        self.waiting.len() < LIMIT
    }

    /// Takes a text in and tells of it.
    pub(crate) fn arrived(
        &mut self,
        wire: &mut Wire,
        now: Time,
        (transaction, request, flow): (TransactionId, Message, Flow),
        peer: Peer,
    ) {
        let user = |uri: Option<&str>| {
            let user = uri.and_then(|uri| Uri::parse(uri).ok()).and_then(|uri| uri.user_decoded());
            user.unwrap_or_default().into_owned()
        };
        let from = match &peer {
            Peer::Account(user) => user.clone(),
            _ => user(request.from().ok().map(|from| from.uri)),
        };
        let text = Text {
            peer,
            from,
            to: user(request.uri()),
            uri: request.uri().unwrap_or("").to_owned(),
            bytes: request.body().len(),
            content_type: request.header(HeaderName::ContentType).unwrap_or("").to_owned(),
        };
        let until = now + wire.config.timers.t1 * DECIDE_WITHIN_T1;
        let Ok(id) = self.waiting.insert(Waiting { transaction, request, flow, until }) else { return };
        self.deadlines.insert((until, id));
        wire.tell(Event::TextArrived { text: id, told: Box::new(text) });
    }

    /// Hands a text on to a device. The device's answer is the sender's.
    pub(crate) fn forward(&mut self, wire: &mut Wire, now: Time, id: TextId, from: String, to: Contact) {
        let Some(waiting) = self.waiting.get_mut(id).filter(|waiting| waiting.until < Time::FAR) else {
            return;
        };
        self.deadlines.remove(&(waiting.until, id));
        waiting.until = Time::FAR;
        let (branch, tag, call_id) = (wire.branch(), wire.rng.token(16), wire.rng.token(24));
        let from = format!("<sip:{}@{}>;tag={tag}", escaped_user(&from), wire.config.realm);
        let max_forwards = waiting.request.max_forwards().unwrap_or(MAX_FORWARDS).saturating_sub(1);
        let writer = Writer::request("MESSAGE", &to.uri)
            .header("Via", wire.via(to.flow, &branch))
            .header("Max-Forwards", max_forwards)
            .header("From", from)
            .header("To", format_args!("<{}>", to.uri))
            .header("Call-ID", call_id)
            .header("CSeq", "1 MESSAGE");
        let writer = to.path.iter().fold(writer, |writer, hop| writer.header("Route", hop));
        let kind = waiting.request.header(HeaderName::ContentType).unwrap_or("text/plain").to_owned();
        let writer = writer.body(&kind, waiting.request.body().to_vec());
        if wire.request(now, to.flow, User::Text(id), &branch, writer).is_none() {
            self.answer(wire, now, id, 503);
        }
    }

    /// The device answered.
    pub(crate) fn response(&mut self, wire: &mut Wire, now: Time, id: TextId, response: &Message) {
        match response.status() {
            // A challenge was for us, and a redirection names places that we do not send to.
            Some(300..400 | 401 | 407) => self.answer(wire, now, id, 480),
            Some(status @ 200..) => self.answer(wire, now, id, status),
            _ => {}
        }
    }

    /// Answers a text, finally.
    pub(crate) fn answer(&mut self, wire: &mut Wire, now: Time, id: TextId, status: u16) {
        let Some(waiting) = self.waiting.remove(id) else { return };
        self.deadlines.remove(&(waiting.until, id));
        let tag = wire.tag_for(&waiting.request);
        let answer = wire.answer(&waiting.request, waiting.flow, status, &tag);
        wire.reply(now, waiting.transaction, status, answer);
        wire.tell(Event::TextOver { text: id, status });
    }

    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    pub(crate) fn handle_timeout(&mut self, wire: &mut Wire, now: Time) {
        while let Some((_, id)) = self.deadlines.first().copied().filter(|(at, _)| *at <= now) {
            self.answer(wire, now, id, 500);
        }
    }
}
