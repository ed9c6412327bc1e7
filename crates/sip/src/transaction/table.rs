//! All transactions: found by their fingerprints, woken by their deadlines, at most a stated number.

use super::client_invite::ClientInvite;
use super::client_non_invite::ClientNonInvite;
use super::fingerprint::{Fingerprint, Fingerprinter};
use super::large::{Instead, Refusers, with_via};
use super::server_invite::ServerInvite;
use super::server_non_invite::ServerNonInvite;
use super::{Intervals, Step, TransactionId, User, derived};
use crate::message::{Message, Method, ParseLimits};
use crate::ua::{Flow, Output, Timers};
use crate::write::Writer;
use base::{Key, Seed, Slots, Time};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;

/// The forks of one INVITE whose ACKs are kept to be repeated.
const FORKS_MAX: usize = 8;
/// What the messages kept may take for each transaction allowed, and what is allowed in any case.
const BYTES_EACH: usize = 2_048;
const BYTES_ANYHOW: usize = 4 << 20;

/// One transaction: its machine and the one message that it may have to send again.
#[derive(Debug)]
pub(crate) struct Transaction {
    machine: Machine,
    fingerprint: Fingerprint,
    origin: Option<Fingerprint>,
    user: User,
    flow: Flow,
    /// It goes by TCP because of its size alone.
    instead: Option<Box<Instead>>,
    message: Vec<u8>,
    /// The ACKs of the 2xx of each fork by its To tag: sent again for each repetition, so that the
    /// session may be forgotten before the last one comes.
    acks: Vec<(Box<str>, Flow, Vec<u8>)>,
    /// The credentials of an INVITE that was accepted, for those ACKs.
    proofs: Vec<u8>,
    armed: Time,
}

#[derive(Debug)]
enum Machine {
    Calling(ClientInvite),
    Asking(ClientNonInvite),
    Called(ServerInvite),
    Asked(ServerNonInvite),
}

/// The table.
#[derive(Debug)]
pub(crate) struct Table {
    transactions: Slots<Transaction>,
    clients: BTreeMap<Fingerprint, TransactionId>,
    servers: BTreeMap<Fingerprint, TransactionId>,
    origins: BTreeMap<Fingerprint, TransactionId>,
    streams: BTreeSet<(Flow, TransactionId)>,
    deadlines: BTreeSet<(Time, TransactionId)>,
    refusers: Refusers,
    fingerprints: Fingerprinter,
    timers: Timers,
    bytes: usize,
    bytes_max: usize,
}

/// A response that the transaction user is to see.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Passed {
    pub(crate) id: TransactionId,
    pub(crate) user: User,
    /// The way that the request went.
    pub(crate) flow: Flow,
}

/// What a received request is to the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Not seen before (or an ACK for a 2xx, which has no transaction of its own).
    New,
    /// A repetition, or the ACK of a refusal: dealt with.
    Absorbed,
    /// The same request came another way already: 482 (RFC 3261 §8.2.2.2).
    Merged,
}

/// How a transaction of ours came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Timer B or F.
    Timeout,
    /// The stream broke or could not be opened.
    Flow,
    /// It is too large for a datagram, and went by one because there was no other way (RFC 3261 §18.1.1).
    TooLarge,
}

/// A transaction that came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failed {
    pub(crate) id: TransactionId,
    pub(crate) user: User,
    pub(crate) failure: Failure,
}

impl Table {
    pub(crate) fn new(limit: usize, timers: Timers, seed: Seed) -> Table {
        Table {
            transactions: Slots::new(limit),
            clients: BTreeMap::new(),
            servers: BTreeMap::new(),
            origins: BTreeMap::new(),
            streams: BTreeSet::new(),
            deadlines: BTreeSet::new(),
            refusers: Refusers::default(),
            fingerprints: Fingerprinter::new(seed),
            timers,
            bytes: 0,
            bytes_max: limit.saturating_mul(BYTES_EACH).max(BYTES_ANYHOW),
        }
    }

    /// Sends a request of ours and sees to its repetition. Nothing if the table is full.
    pub(crate) fn request(
        &mut self,
        now: Time,
        flow: Flow,
        bytes: Vec<u8>,
        branch: &str,
        user: User,
        out: &mut VecDeque<Output>,
    ) -> Option<TransactionId> {
        let invite = bytes.starts_with(b"INVITE ");
        let method = bytes.split(|byte| *byte == b' ').next()?.to_vec();
        let method = std::str::from_utf8(&method).ok()?;
        let fingerprint = self.fingerprints.client(branch, Method::of(method));
        let intervals = self.intervals(flow);
        let machine = match invite {
            true => Machine::Calling(ClientInvite::new(now, &intervals)),
            false => Machine::Asking(ClientNonInvite::new(now, &intervals)),
        };
        let id = self.insert(machine, fingerprint, None, user, flow, bytes)?;
        let other = self.clients.insert(fingerprint, id);
        debug_assert!(other.is_none(), "a branch is used once");
        self.step(id, out, |_, _| Step::SEND);
        Some(id)
    }

    /// Whether somebody may be tried by TCP.
    pub(crate) fn takes_tcp(&self, now: Time, remote: SocketAddr) -> bool {
        !self.refusers.has(now, remote)
    }

    /// The same of a request that is too large for UDP: `by_tcp` is the way and the request for it. If that way
    /// fails before anything comes back, it goes by the other.
    pub(crate) fn request_by_tcp(
        &mut self,
        now: Time,
        by_tcp: (Flow, Vec<u8>),
        instead: Instead,
        branch: &str,
        user: User,
        out: &mut VecDeque<Output>,
    ) -> Option<TransactionId> {
        let (flow, bytes) = by_tcp;
        let id = self.request(now, flow, bytes, branch, user, out)?;
        if let Some(transaction) = self.transactions.get_mut(id) {
            transaction.instead = Some(Box::new(instead));
        }
        Some(id)
    }

    /// Takes a response in. Some if it is for the transaction's user.
    pub(crate) fn response(
        &mut self,
        now: Time,
        response: &Message,
        out: &mut VecDeque<Output>,
    ) -> Option<Passed> {
        let status = response.status()?;
        let (_, method) = response.cseq().ok()?;
        let branch = response.top_via().ok()?.branch()?;
        let id = *self.clients.get(&self.fingerprints.client(branch, method))?;
        if (200..300).contains(&status) && self.repeat_ack(id, response, out) {
            return None;
        }
        let Transaction { user, flow, .. } = *self.transactions.get(id)?;
        let step =
            self.step(id, out, |transaction, intervals| transaction.response(now, response, intervals))?;
        step.tell.then_some(Passed { id, user, flow })
    }

    /// Adds to the ACK of a 2xx what its INVITE proved itself with (RFC 3261 §13.2.2.4).
    pub(crate) fn prove(&self, invite: TransactionId, ack: Writer) -> Writer {
        let proofs = self.transactions.get(invite).map_or(&[][..], |transaction| &transaction.proofs);
        derived::prove(ack, proofs)
    }

    /// Keeps the ACK of a 2xx (RFC 3261 §13.2.2.4), to be sent again by itself when the 2xx is.
    pub(crate) fn keep_ack(&mut self, id: TransactionId, to_tag: &str, flow: Flow, ack: Vec<u8>) {
        let Some(transaction) = self.transactions.get_mut(id) else { return };
        if transaction.acks.len() < FORKS_MAX {
            self.bytes += ack.len();
            transaction.acks.push((to_tag.into(), flow, ack));
        }
    }

    /// Cancels an INVITE that had a provisional answer (RFC 3261 §9.1). False if it cannot be.
    pub(crate) fn cancel(
        &mut self,
        now: Time,
        id: TransactionId,
        reason: &str,
        out: &mut VecDeque<Output>,
    ) -> bool {
        let Some(transaction) = self.transactions.get(id) else { return false };
        if !matches!(transaction.machine, Machine::Calling(ClientInvite::Proceeding { .. })) {
            return false;
        }
        let flow = transaction.flow;
        let Some(invite) = reread(&transaction.message) else { return false };
        let Some(branch) = invite.top_via().ok().and_then(|via| via.branch()) else { return false };
        let Some(bytes) = derived::cancel(&invite, reason) else { return false };
        if self.clients.contains_key(&self.fingerprints.client(branch, Method::Cancel)) {
            return true;
        }
        self.limit(now, id);
        self.request(now, flow, bytes, branch, User::Nobody, out).is_some()
    }

    /// An INVITE whose session is over: if it has no final answer within 64·T1, it is forgotten.
    pub(crate) fn limit(&mut self, now: Time, id: TransactionId) {
        self.step(id, &mut VecDeque::new(), |transaction, intervals| {
            if let Machine::Calling(machine) = &mut transaction.machine {
                machine.limit(now, intervals);
            }
            Step::NOTHING
        });
    }

    /// An INVITE that nobody waits for any more but that may still be answered: it is not sent again, and
    /// whatever comes of it is for nobody's session.
    pub(crate) fn disown(&mut self, now: Time, id: TransactionId) {
        if let Some(transaction) = self.transactions.get_mut(id) {
            transaction.user = User::Abandoned;
        }
        self.step(id, &mut VecDeque::new(), |transaction, intervals| {
            if let Machine::Calling(machine) = &mut transaction.machine {
                machine.hush();
                machine.limit(now, intervals);
            }
            Step::NOTHING
        });
    }

    /// Forgets a transaction that nobody waits for any more.
    pub(crate) fn abandon(&mut self, id: TransactionId) {
        self.remove(id);
    }

    /// What a received request is. Repetitions are answered here.
    pub(crate) fn find(&mut self, now: Time, request: &Message, out: &mut VecDeque<Output>) -> Found {
        let Some(method) = request.method() else { return Found::Absorbed };
        let Some(fingerprint) = self.fingerprints.server(request, method) else { return Found::New };
        let Some(id) = self.servers.get(&fingerprint).copied() else {
            return self.find_merged(request, method);
        };
        let acknowledges = method == Method::Ack;
        let step = self.step(id, out, |transaction, intervals| match &mut transaction.machine {
            Machine::Called(machine) if acknowledges => machine.acknowledged(now, intervals),
            Machine::Called(machine) => machine.repeated(),
            Machine::Asked(machine) => machine.repeated(),
            _ => Step::NOTHING,
        });
        match step {
            Some(step) if step.tell => Found::New,
            _ => Found::Absorbed,
        }
    }

    /// Opens a server transaction for a new request. Nothing if the table is full: answer 503 without one.
    pub(crate) fn serve(&mut self, request: &Message, flow: Flow, user: User) -> Option<TransactionId> {
        let method = request.method()?;
        let fingerprint = self.fingerprints.server(request, method)?;
        let outside_of_dialogs = request.to().ok()?.tag().is_none();
        let origin = outside_of_dialogs.then(|| self.fingerprints.origin(request)).flatten();
        let machine = match method {
            Method::Invite => Machine::Called(ServerInvite::Proceeding),
            _ => Machine::Asked(ServerNonInvite::Trying),
        };
        let id = self.insert(machine, fingerprint, origin, user, flow, Vec::new())?;
        let other = self.servers.insert(fingerprint, id);
        debug_assert!(other.is_none(), "a request is served once");
        if let Some(origin) = origin {
            self.origins.insert(origin, id);
        }
        Some(id)
    }

    /// Answers a received request. An answer after the final one is passed over, and so is one to a
    /// request that is not known any more.
    pub(crate) fn reply(
        &mut self,
        now: Time,
        id: TransactionId,
        status: u16,
        bytes: Vec<u8>,
        out: &mut VecDeque<Output>,
    ) {
        self.step(id, out, |transaction, intervals| transaction.reply(now, status, bytes, intervals));
    }

    /// The transaction and user of the INVITE that a CANCEL is about (RFC 3261 §9.2).
    pub(crate) fn cancelled_by(&self, cancel: &Message) -> Option<(TransactionId, User)> {
        let fingerprint = self.fingerprints.server(cancel, Method::Invite)?;
        let id = *self.servers.get(&fingerprint)?;
        Some((id, self.transactions.get(id)?.user))
    }

    /// When the next deadline is.
    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        self.deadlines.first().map(|(at, _)| *at).filter(|at| *at < Time::FAR)
    }

    /// Does what is due until something fails, and tells that; nothing when all is done.
    pub(crate) fn expire(&mut self, now: Time, out: &mut VecDeque<Output>) -> Option<Failed> {
        while let Some((_, id)) = self.deadlines.first().copied().filter(|(at, _)| *at <= now) {
            let transaction = self.transactions.get(id)?;
            let user = transaction.user;
            let sent_by_tcp = transaction.instead.as_ref().map(|instead| instead.flow.remote);
            let step = self.step(id, out, |transaction, intervals| transaction.timeout(now, intervals))?;
            if step.tell {
                // It took the connection and nothing more.
                sent_by_tcp.into_iter().for_each(|remote| self.refusers.add(now, remote));
                return Some(Failed { id, user, failure: Failure::Timeout });
            }
        }
        None
    }

    /// A stream broke: our requests on it fail at once (RFC 3261 §18.4), unless they may go by UDP.
    pub(crate) fn flow_failed(&mut self, now: Time, flow: Flow, out: &mut VecDeque<Output>) -> Vec<Failed> {
        let (first, last) = ((flow, Key::from_number(0)), (flow, Key::from_number(u64::MAX)));
        let ids: Vec<TransactionId> = self.streams.range(first..=last).map(|(_, id)| *id).collect();
        let mut failed = Vec::new();
        for id in ids {
            let Some(user) = self.transactions.get(id).map(|transaction| transaction.user) else { continue };
            if self.go_back_to_udp(now, id, out) {
                continue;
            }
            let step = self.step(id, out, |transaction, _| transaction.fail());
            if step.is_some_and(|step| step.tell) {
                failed.push(Failed { id, user, failure: Failure::Flow });
            }
        }
        failed
    }

    /// A request of ours is too large for the only way that it had: to send it again would not help.
    pub(crate) fn too_large(&mut self, request: &[u8], out: &mut VecDeque<Output>) -> Option<Failed> {
        let request = reread(request)?;
        let branch = request.top_via().ok()?.branch()?;
        let id = *self.clients.get(&self.fingerprints.client(branch, request.method()?))?;
        let user = self.transactions.get(id)?.user;
        let step = self.step(id, out, |transaction, _| transaction.fail())?;
        step.tell.then_some(Failed { id, user, failure: Failure::TooLarge })
    }

    /// Sends a large request that nothing has come back for by UDP. False if it is none.
    fn go_back_to_udp(&mut self, now: Time, id: TransactionId, out: &mut VecDeque<Output>) -> bool {
        let Some(transaction) = self.transactions.get_mut(id) else { return false };
        let Some(instead) = transaction.instead.take() else { return false };
        let intervals = Intervals::new(&self.timers, false);
        let machine = match &transaction.machine {
            Machine::Calling(machine) => machine.anew(now, &intervals).map(Machine::Calling),
            Machine::Asking(machine) => machine.anew(now, &intervals).map(Machine::Asking),
            Machine::Called(_) | Machine::Asked(_) => None,
        };
        let Some((machine, message)) = machine.zip(with_via(&transaction.message, &instead.via)) else {
            return false;
        };
        self.refusers.add(now, transaction.flow.remote);
        // Its session has gone on to another server: a callee must not ring for both.
        if transaction.user == User::Abandoned {
            return false;
        }
        self.streams.remove(&(transaction.flow, id));
        self.bytes = (self.bytes + message.len()).saturating_sub(transaction.message.len());
        transaction.flow = instead.flow;
        transaction.machine = machine;
        transaction.message = message;
        self.step(id, out, |_, _| Step::SEND);
        true
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.transactions.len()
    }

    fn intervals(&self, flow: Flow) -> Intervals {
        Intervals::new(&self.timers, flow.transport.is_stream())
    }

    fn find_merged(&self, request: &Message, method: Method<'_>) -> Found {
        let outside_of_dialogs = request.to().is_ok_and(|to| to.tag().is_none());
        if !outside_of_dialogs || matches!(method, Method::Ack | Method::Cancel) || self.origins.is_empty() {
            return Found::New;
        }
        let origin = self.fingerprints.origin(request);
        match origin.is_some_and(|origin| self.origins.contains_key(&origin)) {
            true => Found::Merged,
            false => Found::New,
        }
    }

    fn repeat_ack(&self, id: TransactionId, response: &Message, out: &mut VecDeque<Output>) -> bool {
        let Some(transaction) = self.transactions.get(id) else { return false };
        let Some(tag) = response.to().ok().and_then(|to| to.tag()) else { return false };
        let kept = transaction.acks.iter().find(|(known, ..)| **known == *tag);
        let Some((_, flow, ack)) = kept else { return false };
        out.push_back(Output::Send { flow: *flow, bytes: ack.clone() });
        true
    }

    fn insert(
        &mut self,
        machine: Machine,
        fingerprint: Fingerprint,
        origin: Option<Fingerprint>,
        user: User,
        flow: Flow,
        message: Vec<u8>,
    ) -> Option<TransactionId> {
        if self.bytes + message.len() > self.bytes_max {
            return None;
        }
        let bytes = message.len();
        let armed = machine.deadline();
        let (acks, proofs) = (Vec::new(), Vec::new());
        let instead = None;
        let transaction =
            Transaction { machine, fingerprint, origin, user, flow, instead, message, acks, proofs, armed };
        let id = self.transactions.insert(transaction).ok()?;
        self.bytes += bytes;
        self.deadlines.insert((armed, id));
        if flow.transport.is_stream() {
            self.streams.insert((flow, id));
        }
        Some(id)
    }

    /// Lets a machine take one step, sends what it wants sent, and sets its alarm anew.
    fn step(
        &mut self,
        id: TransactionId,
        out: &mut VecDeque<Output>,
        what: impl FnOnce(&mut Transaction, &Intervals) -> Step,
    ) -> Option<Step> {
        let flow = self.transactions.get(id)?.flow;
        let intervals = self.intervals(flow);
        let transaction = self.transactions.get_mut(id)?;
        let before = transaction.held();
        let step = what(transaction, &intervals);
        if step.send && !transaction.message.is_empty() {
            out.push_back(Output::Send { flow, bytes: transaction.message.clone() });
        }
        transaction.shrink();
        self.bytes = self.bytes.saturating_sub(before) + transaction.held();
        let deadline = transaction.machine.deadline();
        if deadline != transaction.armed {
            self.deadlines.remove(&(transaction.armed, id));
            self.deadlines.insert((deadline, id));
            transaction.armed = deadline;
        }
        if transaction.machine.is_over() {
            self.remove(id);
        }
        Some(step)
    }

    fn remove(&mut self, id: TransactionId) {
        let Some(transaction) = self.transactions.remove(id) else { return };
        let acks: usize = transaction.acks.iter().map(|(.., ack)| ack.len()).sum();
        self.bytes = self.bytes.saturating_sub(transaction.held() + acks);
        self.deadlines.remove(&(transaction.armed, id));
        self.streams.remove(&(transaction.flow, id));
        let index = match transaction.machine {
            Machine::Calling(_) | Machine::Asking(_) => &mut self.clients,
            Machine::Called(_) | Machine::Asked(_) => &mut self.servers,
        };
        index.remove(&transaction.fingerprint);
        if let Some(origin) = transaction.origin {
            self.origins.remove(&origin);
        }
        let left = self.transactions.len();
        debug_assert_eq!((self.deadlines.len(), self.clients.len() + self.servers.len()), (left, left));
    }
}

impl Transaction {
    /// The bytes of what is kept, ACKs aside.
    fn held(&self) -> usize {
        self.message.len() + self.proofs.len()
    }

    fn response(&mut self, now: Time, response: &Message, intervals: &Intervals) -> Step {
        let status = response.status().unwrap_or(0);
        match &mut self.machine {
            Machine::Calling(machine) => {
                let step = machine.response(now, status, intervals);
                if step.send && step.tell {
                    let ack = reread(&self.message).and_then(|invite| derived::ack(&invite, response));
                    self.message = ack.unwrap_or_default();
                }
                if (200..300).contains(&status) && step.tell && !self.message.is_empty() {
                    self.proofs = derived::proofs(&self.message);
                }
                step
            }
            Machine::Asking(machine) => machine.response(now, status, intervals),
            _ => Step::NOTHING,
        }
    }

    fn reply(&mut self, now: Time, status: u16, bytes: Vec<u8>, intervals: &Intervals) -> Step {
        let step = match &mut self.machine {
            Machine::Called(machine) => machine.reply(now, status, intervals),
            Machine::Asked(machine) => machine.reply(now, status, intervals),
            _ => Step::NOTHING,
        };
        if step.send {
            self.message = bytes;
            self.message.shrink_to_fit();
        }
        step
    }

    fn timeout(&mut self, now: Time, intervals: &Intervals) -> Step {
        match &mut self.machine {
            Machine::Calling(machine) => machine.handle_timeout(now, intervals),
            Machine::Asking(machine) => machine.handle_timeout(now, intervals),
            Machine::Called(machine) => machine.handle_timeout(now, intervals),
            Machine::Asked(machine) => {
                machine.handle_timeout(now);
                Step::NOTHING
            }
        }
    }

    fn fail(&mut self) -> Step {
        match &mut self.machine {
            Machine::Calling(machine) => machine.fail(),
            Machine::Asking(machine) => machine.fail(),
            _ => Step::NOTHING,
        }
    }

    /// Drops the message as soon as no state can want it again: lingering transactions are many.
    fn shrink(&mut self) {
        let done = match &self.machine {
            Machine::Calling(machine) => matches!(machine, ClientInvite::Accepted { .. }),
            Machine::Asking(machine) => matches!(machine, ClientNonInvite::Completed { .. }),
            Machine::Called(machine) => {
                matches!(machine, ServerInvite::Accepted { .. } | ServerInvite::Confirmed { .. })
            }
            Machine::Asked(_) => false,
        };
        if done {
            self.message = Vec::new();
        }
    }
}

impl Machine {
    fn deadline(&self) -> Time {
        match self {
            Machine::Calling(machine) => machine.deadline(),
            Machine::Asking(machine) => machine.deadline(),
            Machine::Called(machine) => machine.deadline(),
            Machine::Asked(machine) => machine.deadline(),
        }
    }

    fn is_over(&self) -> bool {
        match self {
            Machine::Calling(machine) => matches!(machine, ClientInvite::Terminated),
            Machine::Asking(machine) => matches!(machine, ClientNonInvite::Terminated),
            Machine::Called(machine) => matches!(machine, ServerInvite::Terminated),
            Machine::Asked(machine) => matches!(machine, ServerNonInvite::Terminated),
        }
    }
}

/// Reads what we wrote ourselves.
fn reread(bytes: &[u8]) -> Option<Message> {
    let ours = ParseLimits { message: usize::MAX, headers: 1_024, header: usize::MAX };
    Message::parse(bytes.to_vec(), &ours).ok()
}
