//! What every phone needs below its habits: requests repeated until answered, answers repeated to whoever
//! asks again, 2xx repeated until acknowledged. All over UDP.

use super::describing::Sessions;
use super::text::{Message, answer, finish, push};
use base::{Rng, Time};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

pub(crate) const T1: Duration = Duration::from_millis(500);
const T2: Duration = Duration::from_secs(4);
/// Of the first connection of a phone.
const FIRST_PORT: u16 = 30_000;
/// 64·T1: how long a transaction is kept alive.
pub(crate) const LIFETIME: Duration = Duration::from_secs(32);
/// A CANCEL that overtook its INVITE cancels nothing, and the call may take as long as a server is waited for.
const GRACE: Duration = Duration::from_secs(5);
/// How long a request may still be repeated: its answer is kept so long.
const REMEMBERED: Duration = Duration::from_secs(64);

pub(crate) struct Stack {
    pub(crate) now: Time,
    pub(crate) rng: Rng,
    pub(crate) me: SocketAddr,
    pub(crate) server: SocketAddr,
    pub(crate) user: String,
    /// Its SIP goes by TCP.
    pub(crate) stream: bool,
    /// Where it says that it is, if not where it is.
    pub(crate) shown: Option<String>,
    /// What it says of its media.
    pub(crate) sessions: Sessions,
    /// Messages to be sent.
    pub(crate) out: Vec<Vec<u8>>,
    /// Keys pressed towards this RTP address.
    pub(crate) digits: Vec<(SocketAddr, char)>,
    /// Habits that were shown, for the count of what a run met.
    pub(crate) met: Vec<&'static str>,
    /// What a good exchange would not have done.
    pub(crate) complaints: Vec<String>,
    /// Transactions begun before may fail without complaint: the network was bad.
    pub(crate) strict_from: Time,
    /// Everything is sent so many times more.
    pub(crate) echoes: u32,
    /// It neither sends nor hears any more.
    pub(crate) vanished: bool,
    /// It has just stopped to send speech.
    pub(crate) falls_silent: bool,
    clients: Vec<Client>,
    unacked: Vec<Unacked>,
    replies: BTreeMap<String, Vec<u8>>,
    /// The same, as they came.
    remembered: VecDeque<(Time, String)>,
    branches: u64,
}

/// A dialog, seen from the phone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dialog {
    pub(crate) call_id: String,
    /// From of what we send: URI and tag.
    pub(crate) local: String,
    pub(crate) local_tag: String,
    pub(crate) remote: String,
    pub(crate) remote_tag: String,
    pub(crate) target: String,
    /// What stands between the phone and the exchange.
    pub(crate) routes: Vec<String>,
    pub(crate) cseq: u32,
}

impl Dialog {
    /// How it is named in a Replaces (RFC 3891): the exchange's tag first.
    pub(crate) fn as_replaces(&self) -> String {
        format!("{};to-tag={};from-tag={}", self.call_id, self.remote_tag, self.local_tag)
    }
}

struct Client {
    branch: String,
    method: &'static str,
    bytes: Vec<u8>,
    began: Time,
    next: Option<Time>,
    interval: Duration,
    dies: Time,
    answered: bool,
    cancelled: bool,
    ack: Option<Vec<u8>>,
}

/// An answer to an INVITE that is repeated until the phone hears that it came.
struct Unacked {
    call_id: String,
    cseq: u32,
    /// Of a provisional one, which waits for its PRACK.
    rseq: Option<u32>,
    bytes: Vec<u8>,
    began: Time,
    next: Time,
    interval: Duration,
    dies: Time,
}

/// A response that was new.
pub(crate) struct Answer {
    pub(crate) method: &'static str,
    pub(crate) branch: String,
    pub(crate) status: u16,
}

impl Stack {
    pub(crate) fn new(
        rng: Rng,
        me: SocketAddr,
        server: SocketAddr,
        user: String,
        sessions: Sessions,
    ) -> Stack {
        Stack {
            now: Time::ZERO,
            rng,
            me,
            server,
            user,
            stream: false,
            shown: None,
            sessions,
            out: Vec::new(),
            digits: Vec::new(),
            met: Vec::new(),
            complaints: Vec::new(),
            strict_from: Time::ZERO,
            echoes: 0,
            vanished: false,
            falls_silent: false,
            clients: Vec::new(),
            unacked: Vec::new(),
            replies: BTreeMap::new(),
            remembered: VecDeque::new(),
            branches: 0,
        }
    }

    /// This was done, or came about.
    pub(crate) fn met(&mut self, what: &'static str) {
        self.met.push(what);
    }

    pub(crate) fn send(&mut self, bytes: Vec<u8>) {
        if self.vanished {
            return;
        }
        for _ in 0..self.echoes {
            self.out.push(bytes.clone());
        }
        self.out.push(bytes);
    }

    /// From now on by TCP: connections from any port, and to the one at which it listens.
    pub(crate) fn by_stream(&mut self) {
        self.stream = true;
        self.shown = Some(format!("{};transport=tcp", self.me));
        self.me.set_port(FIRST_PORT);
    }

    pub(crate) fn contact(&self) -> String {
        match &self.shown {
            Some(shown) => format!("<sip:{}@{shown}>", self.user),
            None => format!("<sip:{}@{}>", self.user, self.me),
        }
    }

    pub(crate) fn branch(&mut self) -> String {
        self.branches += 1;
        format!("z9hG4bK-{}-{}", self.me.ip(), self.branches)
    }

    /// Writes a request of a dialog.
    pub(crate) fn write(
        &self,
        dialog: &Dialog,
        (method, branch, cseq): (&str, &str, u32),
        extra: &[(&str, &str)],
        body: &str,
    ) -> Vec<u8> {
        let mut text = format!("{method} {} SIP/2.0\r\n", dialog.target);
        let transport = if self.stream { "TCP" } else { "UDP" };
        push(&mut text, "Via", &format!("SIP/2.0/{transport} {};rport;branch={branch}", self.me));
        push(&mut text, "Max-Forwards", "70");
        for route in &dialog.routes {
            push(&mut text, "Route", route);
        }
        push(&mut text, "From", &format!("{};tag={}", dialog.local, dialog.local_tag));
        match dialog.remote_tag.as_str() {
            "" => push(&mut text, "To", &dialog.remote),
            tag => push(&mut text, "To", &format!("{};tag={tag}", dialog.remote)),
        }
        push(&mut text, "Call-ID", &dialog.call_id);
        push(&mut text, "CSeq", &format!("{cseq} {method}"));
        push(&mut text, "Contact", &self.contact());
        finish(text, extra, body)
    }

    /// Sends the dialog's next request, and again until it is answered. Gives its branch.
    pub(crate) fn request(
        &mut self,
        dialog: &mut Dialog,
        method: &'static str,
        extra: &[(&str, &str)],
        body: &str,
    ) -> String {
        dialog.cseq += 1;
        self.request_numbered(dialog, (method, dialog.cseq), extra, body)
    }

    /// The same, with a CSeq of one's own liking.
    pub(crate) fn request_numbered(
        &mut self,
        dialog: &Dialog,
        (method, cseq): (&'static str, u32),
        extra: &[(&str, &str)],
        body: &str,
    ) -> String {
        let branch = self.branch();
        let bytes = self.write(dialog, (method, &branch, cseq), extra, body);
        self.begin(method, branch.clone(), bytes);
        branch
    }

    /// CANCEL of the INVITE with this branch and number.
    pub(crate) fn cancel(&mut self, dialog: &Dialog, branch: &str, cseq: u32) {
        let untagged = Dialog { remote_tag: String::new(), ..dialog.clone() };
        let bytes = self.write(&untagged, ("CANCEL", branch, cseq), &[], "");
        self.begin("CANCEL", branch.to_owned(), bytes);
        for client in self.clients.iter_mut().filter(|client| client.branch == branch) {
            // A refused or lost CANCEL must not leave the INVITE open for ever (RFC 3261 §9.1).
            client.dies = self.now + LIFETIME + GRACE;
            client.cancelled = true;
        }
    }

    pub(crate) fn acknowledge(&mut self, dialog: &Dialog, cseq: u32, body: &str) {
        let branch = self.branch();
        let bytes = self.write(dialog, ("ACK", &branch, cseq), &[], body);
        self.send(bytes);
    }

    fn begin(&mut self, method: &'static str, branch: String, bytes: Vec<u8>) {
        let (now, interval) = (self.now, T1);
        self.clients.push(Client {
            branch,
            method,
            bytes: bytes.clone(),
            began: now,
            // A stream loses nothing.
            next: (!self.stream).then_some(now + interval),
            interval,
            dies: now + LIFETIME,
            answered: false,
            cancelled: false,
            ack: None,
        });
        self.send(bytes);
    }

    /// A response: stops the repetition of what it answers. Nothing if it is no news.
    pub(crate) fn response(&mut self, message: &Message<'_>) -> Option<Answer> {
        let (branch, status) = (message.branch(), message.status()?);
        let method = message.cseq().1;
        let at = self
            .clients
            .iter()
            .position(|client| client.branch == branch && client.method.eq_ignore_ascii_case(method))?;
        let client = self.clients.get_mut(at)?;
        if client.answered {
            let ack = client.ack.clone();
            if status >= 300
                && let Some(ack) = ack
            {
                self.send(ack);
            }
            return None;
        }
        if status < 200 {
            if client.method == "INVITE" {
                client.next = None;
                if !client.cancelled {
                    client.dies = Time::FAR;
                }
            } else {
                client.interval = T2;
            }
            return Some(Answer { method: client.method, branch: branch.to_owned(), status });
        }
        client.answered = true;
        client.next = None;
        client.dies = self.now + LIFETIME;
        let found = Answer { method: client.method, branch: branch.to_owned(), status };
        if client.method == "INVITE" && status >= 300 {
            let ack = refusal_ack(&client.bytes, message);
            client.ack = Some(ack.clone());
            self.send(ack);
        }
        Some(found)
    }

    /// Whether a request has been seen before; if so its answer, if any yet, is sent again.
    pub(crate) fn is_repeated(&mut self, request: &Message<'_>) -> bool {
        let key = key_of(request);
        match self.replies.get(&key).cloned() {
            Some(reply) => {
                if !reply.is_empty() {
                    self.send(reply);
                }
                true
            }
            None => {
                self.remember(key, Vec::new());
                false
            }
        }
    }

    pub(crate) fn reply(
        &mut self,
        request: &Message<'_>,
        status: u16,
        tag: &str,
        extra: &[(&str, &str)],
        body: &str,
    ) {
        if status >= 300 && matches!(request.method(), Some("INVITE" | "UPDATE")) {
            self.sessions.refuses(request.call_id());
        }
        let bytes = answer(request, status, tag, extra, body);
        self.remember(key_of(request), bytes.clone());
        self.send(bytes);
    }

    /// 200 to an INVITE: again and again until the ACK comes.
    pub(crate) fn accept(&mut self, request: &Message<'_>, tag: &str, extra: &[(&str, &str)], body: &str) {
        let contact = self.contact();
        let mut headers = vec![("Contact", contact.as_str())];
        headers.extend_from_slice(extra);
        self.reply(request, 200, tag, &headers, body);
        let bytes = answer(request, 200, tag, &headers, body);
        let (now, interval) = (self.now, T1);
        self.unacked.push(Unacked {
            call_id: request.call_id().to_owned(),
            cseq: request.cseq().0,
            rseq: None,
            bytes,
            began: now,
            next: now + interval,
            interval,
            dies: now + LIFETIME,
        });
    }

    /// An ACK: the 200 need not be repeated any more. False if none waited for it.
    pub(crate) fn acknowledged(&mut self, ack: &Message<'_>) -> bool {
        let (call_id, cseq) = (ack.call_id(), ack.cseq().0);
        let before = self.unacked.len();
        self.unacked.retain(|waiting| waiting.call_id != call_id || waiting.cseq != cseq);
        self.unacked.len() < before
    }

    /// A provisional answer to an INVITE: again and again until its PRACK comes (RFC 3262 §3).
    pub(crate) fn ring_reliably(
        &mut self,
        request: &Message<'_>,
        (status, rseq): (u16, u32),
        tag: &str,
        extra: &[(&str, &str)],
        body: &str,
    ) {
        let (contact, number) = (self.contact(), rseq.to_string());
        let mut headers = vec![("Contact", contact.as_str()), ("Require", "100rel"), ("RSeq", &number)];
        headers.extend_from_slice(extra);
        self.reply(request, status, tag, &headers, body);
        let bytes = answer(request, status, tag, &headers, body);
        let (now, interval) = (self.now, T1);
        self.unacked.push(Unacked {
            call_id: request.call_id().to_owned(),
            cseq: request.cseq().0,
            rseq: Some(rseq),
            bytes,
            began: now,
            next: now + interval,
            interval,
            dies: now + LIFETIME,
        });
    }

    /// A PRACK: whether one of the provisional answers waited for it.
    pub(crate) fn pracked(&mut self, prack: &Message<'_>) -> bool {
        let mut rack = prack.header("RAck").split(' ').map(str::parse::<u32>);
        let (Some(Ok(rseq)), Some(Ok(cseq))) = (rack.next(), rack.next()) else { return false };
        let before = self.unacked.len();
        self.unacked.retain(|waiting| {
            waiting.rseq != Some(rseq) || waiting.cseq != cseq || waiting.call_id != prack.call_id()
        });
        self.unacked.len() < before
    }

    /// Whether a provisional answer of this call still waits for its PRACK.
    pub(crate) fn waits_for_prack(&self, call_id: &str) -> bool {
        self.unacked.iter().any(|waiting| waiting.rseq.is_some() && waiting.call_id == call_id)
    }

    /// The call is over: no provisional answer of it is repeated any more.
    pub(crate) fn forget_pracks(&mut self, call_id: &str) {
        self.unacked.retain(|waiting| waiting.rseq.is_none() || waiting.call_id != call_id);
    }

    fn remember(&mut self, key: String, reply: Vec<u8>) {
        while self.remembered.front().is_some_and(|(at, _)| self.now.since(*at) > REMEMBERED) {
            if let Some((_, old)) = self.remembered.pop_front() {
                self.replies.remove(&old);
            }
        }
        if self.replies.insert(key.clone(), reply).is_none() {
            self.remembered.push_back((self.now, key));
        }
    }

    /// Repeats what is due. Gives the requests that were never answered.
    pub(crate) fn handle_timeout(&mut self, now: Time) -> Vec<(&'static str, String)> {
        self.now = now;
        let mut again = Vec::new();
        for client in &mut self.clients {
            if client.next.is_some_and(|at| at <= now) {
                again.push(client.bytes.clone());
                let doubled = client.interval * 2;
                client.interval = if client.method == "INVITE" { doubled } else { doubled.min(T2) };
                client.next = Some(now + client.interval);
            }
        }
        for waiting in &mut self.unacked {
            if waiting.next <= now {
                again.push(waiting.bytes.clone());
                waiting.interval = (waiting.interval * 2).min(T2);
                waiting.next = now + waiting.interval;
            }
        }
        again.into_iter().for_each(|bytes| self.send(bytes));
        self.bury(now)
    }

    fn bury(&mut self, now: Time) -> Vec<(&'static str, String)> {
        let (strict_from, vanished) = (self.strict_from, self.vanished);
        let mut never = Vec::new();
        for client in self.clients.iter().filter(|client| client.dies <= now && !client.answered) {
            never.push((client.method, client.branch.clone()));
            if client.began >= strict_from && !vanished {
                self.complaints.push(format!("{} {} was never answered", client.method, client.branch));
            }
        }
        self.clients.retain(|client| client.dies > now);
        for waiting in self.unacked.iter().filter(|waiting| waiting.dies <= now) {
            if waiting.began >= strict_from && !vanished {
                let what = if waiting.rseq.is_some() { "provisional answer" } else { "200" };
                self.complaints.push(format!("{what} of {} was never acknowledged", waiting.call_id));
            }
        }
        self.unacked.retain(|waiting| waiting.dies > now);
        never
    }

    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        let clients = self.clients.iter().map(|client| client.next.unwrap_or(client.dies).min(client.dies));
        let unacked = self.unacked.iter().map(|waiting| waiting.next.min(waiting.dies));
        clients.chain(unacked).min().filter(|at| *at < Time::FAR)
    }
}

fn key_of(request: &Message<'_>) -> String {
    format!("{} {}", request.branch(), request.first.split(' ').next().unwrap_or(""))
}

/// The ACK of a refusal belongs to the INVITE's own transaction (RFC 3261 §17.1.1.3).
fn refusal_ack(invite: &[u8], refusal: &Message<'_>) -> Vec<u8> {
    let Some(invite) = Message::read(invite) else { return Vec::new() };
    let mut text = invite.first.replacen("INVITE", "ACK", 1);
    text.push_str("\r\n");
    push(&mut text, "Via", invite.header("Via"));
    push(&mut text, "Max-Forwards", "70");
    push(&mut text, "From", invite.header("From"));
    push(&mut text, "To", refusal.header("To"));
    push(&mut text, "Call-ID", invite.call_id());
    push(&mut text, "CSeq", &format!("{} ACK", invite.cseq().0));
    finish(text, &[], "")
}
