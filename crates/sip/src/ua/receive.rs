//! What arrives: bytes to messages, messages to transactions, and what is left to sessions, registrar or a
//! refusal. Whoever has not proved who they are is answered without a transaction, so that strangers cost
//! no memory.

use super::refusal::why;
use super::wire::{ALLOW, SUPPORTED};
use super::{Config, Event, Flow, Invite, MAX_FORWARDS, Peer, SessionId, UserAgent};
use crate::cause;
use crate::guard::Dropped;
use crate::identity::{Identity, Party};
use crate::message::{HeaderName, Message, Method, NameAddr, ParseError};
use crate::referral::Replaces;
use crate::registrar::{EXPIRES_MIN, Verdict, wants_outbound};
use crate::session::late_response;
use crate::transaction::{Failed, Failure, Found, TransactionId, User};
use crate::uri::Uri;
use base::Time;

/// How often a device that keeps its flow is to ping us, in seconds (RFC 5626 §5.4).
const FLOW_TIMER: u32 = 120;

impl UserAgent {
    /// One datagram, or one framed message.
    pub(super) fn received(&mut self, now: Time, flow: Flow, bytes: Vec<u8>) {
        let standing = match self.wire.guard.ask(now, flow, &bytes) {
            Ok(standing) => standing,
            Err(Dropped(rule)) => return self.wire.block(flow.remote, rule),
        };
        match Message::parse(bytes, &self.wire.parse_limits(standing)) {
            Ok(message) if message.is_request() => self.request(now, flow, message),
            Ok(message) => self.response(now, &message),
            Err(ParseError::KeepAlive) => {}
            Err(ParseError::BadRequest { fault, request }) => {
                let rule = if fault.status == 513 { "too_large" } else { "malformed" };
                self.malformed(now, flow, rule);
                self.refuse_malformed(now, flow, &request, (fault.status, fault.why));
            }
            Err(ParseError::Unanswerable { .. }) => self.malformed(now, flow, "malformed"),
        }
    }

    fn malformed(&mut self, now: Time, flow: Flow, rule: &'static str) {
        self.wire.block(flow.remote, rule);
        self.wire.guard.malformed(now, flow);
    }

    /// Tells whoever is known what is wrong. What a stranger wrote has been counted.
    fn refuse_malformed(&mut self, now: Time, flow: Flow, request: &Message, fault: (u16, &str)) {
        if !self.wire.is_stranger(flow.remote) {
            self.refuse_call(now, flow, request, None, fault);
        }
    }

    /// Tells the user of a transaction that it came to nothing.
    pub(super) fn transaction_failed(&mut self, now: Time, failed: Failed) {
        match failed.user {
            User::Session(id) => self.sessions.failed(&mut self.wire, now, id, failed),
            User::Registration(number) => self.registrations.failed(&mut self.wire, now, number),
            User::Subscription(id) => self.subscriptions.failed(id),
            User::Text(id) => {
                let status = if failed.failure == Failure::Timeout { 408 } else { 480 };
                self.texts.answer(&mut self.wire, now, id, status);
            }
            User::Probe(number) => self.health.failed(&mut self.wire, now, number, failed.id),
            User::Abandoned | User::Nobody => {}
        }
    }

    /// A stream could not be opened, or broke (RFC 3261 §18.4).
    pub(super) fn flow_failed(&mut self, now: Time, flow: Flow) {
        for failed in self.wire.transactions.flow_failed(now, flow, &mut self.wire.out) {
            debug_assert_eq!(failed.failure, Failure::Flow);
            self.transaction_failed(now, failed);
        }
        self.sessions.flow_failed(&mut self.wire, now, flow);
        self.registrations.flow_failed(&mut self.wire, now, flow);
        self.subscriptions.flow_failed(flow);
        for event in self.wire.registrar.flow_failed(flow) {
            self.wire.tell(event);
        }
    }

    /// A request of ours cannot be sent: it is not repeated, and whoever made it hears why. An answer that cannot be
    /// sent is not missed by us, but by whoever waits for it.
    pub(super) fn too_large(&mut self, now: Time, bytes: &[u8]) {
        if let Some(failed) = self.wire.transactions.too_large(bytes, &mut self.wire.out) {
            self.transaction_failed(now, failed);
        }
    }

    /// A response: to the transaction that it answers, and to that one's user. Any other is dropped.
    fn response(&mut self, now: Time, response: &Message) {
        if response.check().is_err() {
            return;
        }
        let Some(passed) = self.wire.transactions.response(now, response, &mut self.wire.out) else { return };
        match passed.user {
            User::Session(id) => self.sessions.response(&mut self.wire, now, id, passed, response),
            User::Registration(number) => {
                self.registrations.response(&mut self.wire, now, number, response);
            }
            User::Probe(number) => self.health.response(&mut self.wire, now, number, passed.id, response),
            User::Abandoned => late_response(&mut self.wire, now, passed, response),
            User::Subscription(id) => self.subscriptions.response(&mut self.wire, now, id, response),
            User::Text(id) => self.texts.response(&mut self.wire, now, id, response),
            User::Nobody => {}
        }
    }

    fn request(&mut self, now: Time, flow: Flow, request: Message) {
        if let Err(fault) = request.check() {
            self.malformed(now, flow, "malformed");
            if request.is_answerable() {
                self.refuse_malformed(now, flow, &request, (fault.status, fault.why));
            }
            return;
        }
        match self.wire.transactions.find(now, &request, &mut self.wire.out) {
            Found::Absorbed => return,
            Found::Merged => {
                let why = why(&request, 482);
                return self.refuse_saying(now, &request, flow, 482, Some(&why));
            }
            Found::New => {}
        }
        let in_dialog = request.to().is_ok_and(|to| to.tag().is_some());
        match request.method() {
            Some(Method::Ack) => self.sessions.acknowledged(&mut self.wire, now, &request),
            Some(Method::Cancel) => self.cancel(now, flow, &request),
            _ if self.refuse_extensions(now, &request, flow) => {}
            _ if in_dialog => self.within_dialog(now, flow, request),
            _ => self.outside_of_dialogs(now, flow, request),
        }
    }

    /// RFC 3261 §9.2: 200 whether it comes in time or not, 481 if there is nothing to cancel.
    fn cancel(&mut self, now: Time, flow: Flow, request: &Message) {
        let Some((invite, user)) = self.wire.transactions.cancelled_by(request) else {
            return self.refuse(now, request, flow, 481);
        };
        let session = if let User::Session(id) = user { Some(id) } else { None };
        let tag = session.and_then(|id| self.sessions.local_tag(id).map(str::to_owned));
        let tag = tag.unwrap_or_else(|| self.wire.tag_for(request));
        let answer = self.wire.answer(request, flow, 200, &tag);
        match self.serve(request, flow, User::Nobody) {
            Some(transaction) => self.wire.reply(now, transaction, 200, answer),
            None => self.wire.reply_statelessly(request, flow, answer),
        }
        if let Some(id) = session {
            self.sessions.cancelled(&mut self.wire, now, id, invite, cause::given(request).q850);
        }
    }

    fn within_dialog(&mut self, now: Time, flow: Flow, request: Message) {
        if let Some(id) = self.subscriptions.find(&request) {
            return self.within_subscription(now, flow, id, &request);
        }
        let Some(id) = self.sessions.find(&request) else {
            return self.refuse(now, &request, flow, 481);
        };
        // Nobody else knows the tags.
        self.wire.guard.acquaint(now, flow.remote.ip());
        match self.serve(&request, flow, User::Session(id)) {
            Some(transaction) => {
                self.sessions.request(&mut self.wire, now, id, transaction, request, flow);
            }
            None => self.refuse_for_capacity(now, &request, flow),
        }
    }

    fn outside_of_dialogs(&mut self, now: Time, flow: Flow, request: Message) {
        match request.method() {
            // Whoever may be the last hop answers whatever is left in it (RFC 3261 §11.2).
            Some(Method::Options) => self.answer_options(now, &request, flow),
            _ if request.max_forwards() == Some(0) => {
                self.refuse_call(now, flow, &request, None, (483, &why(&request, 483)));
            }
            Some(Method::Invite) => self.invite(now, flow, request),
            Some(Method::Register) => self.register(now, flow, &request),
            Some(Method::Subscribe) => self.subscribe(now, flow, &request),
            Some(Method::Message) => self.text(now, flow, request),
            Some(Method::Bye | Method::Info | Method::Update | Method::Prack | Method::Notify) => {
                self.refuse(now, &request, flow, 481);
            }
            // Outside of a call it would let anybody make us call anybody.
            Some(Method::Refer) => self.refuse(now, &request, flow, 403),
            Some(Method::Other(_)) | None => self.refuse(now, &request, flow, 501),
            Some(_) => self.refuse(now, &request, flow, 405),
        }
    }

    fn invite(&mut self, now: Time, flow: Flow, request: Message) {
        let peer = match self.admit(now, flow, &request) {
            Ok(peer) => peer,
            Err(denial) => return self.deny(now, &request, flow, denial),
        };
        let replaces = match self.admissible(&peer, &request) {
            Ok(replaces) => replaces,
            Err(status) => {
                let why = why(&request, status);
                return self.refuse_call(now, flow, &request, Some(peer), (status, &why));
            }
        };
        if !self.sessions.has_room_for(&self.wire, &peer, flow) {
            self.wire.block(flow.remote, "half_open");
            return self.refuse(now, &request, flow, 503);
        }
        let Some(session) = self.sessions.reserve() else {
            return self.refuse_for_capacity(now, &request, flow);
        };
        let Some(transaction) = self.serve(&request, flow, User::Session(session)) else {
            self.sessions.release(session);
            return self.refuse_for_capacity(now, &request, flow);
        };
        let trying = self.wire.answer(&request, flow, 100, "");
        self.wire.reply(now, transaction, 100, trying);
        let beginnings = beginnings(&request, flow, peer, &self.wire.config);
        let came_back = self.sessions.came_back(&request);
        let invite = Box::new(Invite { replaces, came_back, ..beginnings });
        let asked = (transaction, request, flow);
        let taken = self.sessions.invited(&mut self.wire, now, session, asked, &invite.peer);
        match taken {
            Ok(()) => self.wire.tell(Event::Incoming { session, invite }),
            Err(request) => {
                self.sessions.release(session);
                self.wire.block(flow.remote, "malformed");
                let why = "there is no Contact to answer to, or there are too many Record-Routes";
                let answer = self.refusal(&request, flow, 400, Some(why));
                self.wire.reply(now, transaction, 400, answer);
                self.wire.tell(Event::Refused { invite, status: 400, why: why.to_owned() });
            }
        }
    }

    /// Whether an INVITE can begin a session at all: what it takes the place of, or the status that refuses it.
    fn admissible(&self, peer: &Peer, request: &Message) -> Result<Option<SessionId>, u16> {
        if let Some(status) = crate::session::unreadable(request) {
            return Err(status);
        }
        let replaces = self.replaces(request)?;
        self.sessions.admits(&self.wire, peer, request)?;
        Ok(replaces)
    }

    /// The session that an INVITE takes the place of, or the status that RFC 3891 §3 refuses it with.
    fn replaces(&self, request: &Message) -> Result<Option<SessionId>, u16> {
        let Some(replaces) = Replaces::of(request).map_err(|()| 400u16)? else { return Ok(None) };
        let id = self.sessions.replaced(&replaces).ok_or(481u16)?;
        self.sessions.may_be_replaced(id, replaces.early_only)?;
        Ok(Some(id))
    }

    fn register(&mut self, now: Time, flow: Flow, request: &Message) {
        let user = match self.admit_registration(now, flow, request) {
            Ok(user) => user,
            Err(denial) => return self.deny(now, request, flow, denial),
        };
        let Some(transaction) = self.serve(request, flow, User::Nobody) else {
            return self.refuse_for_capacity(now, request, flow);
        };
        let (verdict, events) =
            self.wire.registrar.register(now, &user, request, flow, &self.wire.config.realm);
        if verdict == Verdict::Full {
            self.wire.block(flow.remote, "capacity");
        }
        self.reply_to_register(now, transaction, request, flow, &verdict);
        for event in events {
            if let Event::Registered { contact, .. } = &event {
                self.wire.guard.acquaint_until(contact.flow.remote.ip(), contact.until);
            }
            self.wire.tell(event);
        }
    }

    fn reply_to_register(
        &mut self,
        now: Time,
        transaction: TransactionId,
        request: &Message,
        flow: Flow,
        verdict: &Verdict,
    ) {
        let status = match verdict {
            Verdict::Done(_) => 200,
            Verdict::TooBrief => 423,
            Verdict::Malformed => 400,
            Verdict::OutOfOrder => 500,
            Verdict::Loop => 403,
            Verdict::FirstHop => 439,
            Verdict::Full => 503,
        };
        let tag = self.wire.tag_for(request);
        let mut answer = self.wire.answer(request, flow, status, &tag);
        match verdict {
            Verdict::Done(contacts) => {
                for contact in contacts {
                    answer = answer.header("Contact", contact);
                }
                answer = answer
                    .headers_of(request, HeaderName::Path)
                    .header("Allow", ALLOW)
                    .header("Supported", SUPPORTED);
                if wants_outbound(request) {
                    answer = answer.header("Require", "outbound").header("Flow-Timer", FLOW_TIMER);
                }
            }
            Verdict::TooBrief => answer = answer.header("Min-Expires", EXPIRES_MIN),
            _ => {}
        }
        self.wire.reply(now, transaction, status, answer);
    }

    pub(super) fn serve(&mut self, request: &Message, flow: Flow, user: User) -> Option<TransactionId> {
        self.wire.transactions.serve(request, super::wire::reply_flow(request, flow), user)
    }
}

/// What an INVITE says of the call.
pub(super) fn beginnings(request: &Message, flow: Flow, peer: Peer, config: &Config) -> Invite {
    let dialled = request.uri().and_then(|uri| Uri::parse(uri).ok()).and_then(|uri| Party::of_uri(&uri));
    let identity = Identity::of(request, config.identity_policy(&peer));
    Invite {
        peer,
        flow,
        dialled: dialled.unwrap_or_default().user,
        uri: request.uri().unwrap_or("").to_owned(),
        identity,
        call_id: request.call_id().unwrap_or("").to_owned(),
        sdp: crate::session::sdp_of(request),
        max_forwards: request.max_forwards().unwrap_or(MAX_FORWARDS),
        came_back: None,
        replaces: None,
        referred_by: referrer(request),
    }
}

fn referrer(request: &Message) -> Option<String> {
    let by = NameAddr::parse(request.header(HeaderName::ReferredBy)?).ok()?;
    Some(by.uri.to_owned())
}
