//! Registrations of ours: with trunks, and as a softphone (RFC 3261 §10.2). They never give up. Refused
//! credentials and outages are told apart, because a person must act on the one and not on the other.

use crate::message::{HeaderName, Message};
use crate::transaction::{TransactionId, User};
use crate::ua::credentials::Credentials;
use crate::ua::ways::Found;
use crate::ua::wire::{Wire, escaped_user};
use crate::ua::{Event, Flow, MAX_FORWARDS, Registration, Towards};
use crate::write::Writer;
use base::Time;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// After a refusal: a person has to correct something.
const REFUSED_FIRST: Duration = Duration::from_secs(60);
const REFUSED_LAST: Duration = Duration::from_secs(1_800);
/// After an outage: it may be over at any moment.
const OUTAGE_FIRST: Duration = Duration::from_secs(2);
const OUTAGE_LAST: Duration = Duration::from_secs(60);
/// A Retry-After or Min-Expires beyond a day is nonsense or malice.
const SECONDS_MAX: u32 = 86_400;

/// All of them, by name.
#[derive(Debug, Default)]
pub(crate) struct Registrations {
    kept: BTreeMap<String, Kept>,
    last_number: u64,
}

/// One of them.
#[derive(Debug)]
struct Kept {
    /// What its transactions know it by; a name may be used again.
    number: u64,
    registration: Registration,
    credentials: Credentials,
    state: State,
    /// The way that the last REGISTER went, and goes again.
    flow: Option<Flow>,
    /// The ways that this try has left.
    others: VecDeque<Flow>,
    /// What we ask for: more than configured after 423.
    expires: u32,
    call_id: String,
    tag: String,
    cseq: u32,
    /// The registrar has our contact, as far as we know.
    up: bool,
    refusals: u32,
    outages: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Until the next refresh or try.
    Waiting(Time),
    /// Until a name server has answered.
    Locating,
    /// If there is another way, it is tried then.
    Asking(TransactionId, Time),
    /// Expires: 0 is on its way; then it is forgotten.
    Leaving(TransactionId),
    /// To be forgotten.
    Gone,
}

impl Registrations {
    /// Begins one, or begins one anew if its particulars changed.
    pub(crate) fn register(&mut self, wire: &mut Wire, now: Time, registration: Registration) {
        if let Some(kept) = self.kept.get(&registration.name) {
            if kept.is_for(&registration) && !matches!(kept.state, State::Leaving(_)) {
                return;
            }
            let name = registration.name.clone();
            self.unregister(wire, now, &name);
        }
        self.last_number += 1;
        let mut kept = Kept {
            number: self.last_number,
            credentials: Credentials::new(Some(registration.account.clone())),
            state: State::Gone,
            flow: None,
            others: VecDeque::new(),
            expires: u32::try_from(registration.expires.as_secs())
                .unwrap_or(SECONDS_MAX)
                .clamp(1, SECONDS_MAX),
            call_id: wire.rng.token(24),
            tag: wire.rng.token(16),
            cseq: 0,
            up: false,
            refusals: 0,
            outages: 0,
            registration,
        };
        kept.ask(wire, now);
        self.kept.insert(kept.registration.name.clone(), kept);
    }

    /// Takes one back: Expires 0, then it is forgotten.
    pub(crate) fn unregister(&mut self, wire: &mut Wire, now: Time, name: &str) {
        let Some(kept) = self.kept.get_mut(name) else { return };
        kept.leave(wire, now);
        self.forget_gone(name);
    }

    /// A response to a REGISTER of ours.
    pub(crate) fn response(&mut self, wire: &mut Wire, now: Time, number: u64, response: &Message) {
        let Some(kept) = self.kept.values_mut().find(|kept| kept.number == number) else { return };
        kept.response(wire, now, response);
        let name = kept.registration.name.clone();
        self.forget_gone(&name);
    }

    /// A REGISTER of ours came to nothing.
    pub(crate) fn failed(&mut self, wire: &mut Wire, now: Time, number: u64) {
        let Some(kept) = self.kept.values_mut().find(|kept| kept.number == number) else { return };
        kept.silent(wire, now);
        let name = kept.registration.name.clone();
        self.forget_gone(&name);
    }

    /// A name server answered.
    pub(crate) fn located(&mut self, wire: &mut Wire, now: Time) {
        for kept in self.kept.values_mut().filter(|kept| kept.state == State::Locating) {
            kept.ask(wire, now);
        }
    }

    /// A stream broke: what was registered by it is to be registered again.
    pub(crate) fn flow_failed(&mut self, wire: &mut Wire, now: Time, flow: Flow) {
        for kept in self.kept.values_mut().filter(|kept| kept.flow == Some(flow)) {
            if kept.up && matches!(kept.state, State::Waiting(_)) {
                kept.outage(wire, now, None, None);
            }
        }
    }

    /// When the next one is due.
    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        self.kept.values().filter_map(Kept::deadline).min()
    }

    /// Refreshes or tries again what is due.
    pub(crate) fn handle_timeout(&mut self, wire: &mut Wire, now: Time) {
        for kept in self.kept.values_mut() {
            match kept.state {
                _ if kept.deadline().is_none_or(|at| at > now) => {}
                State::Asking(transaction, _) => {
                    wire.transactions.abandon(transaction);
                    kept.silent(wire, now);
                }
                _ => kept.ask(wire, now),
            }
        }
    }

    fn forget_gone(&mut self, name: &str) {
        if self.kept.get(name).is_some_and(|kept| kept.state == State::Gone) {
            self.kept.remove(name);
        }
    }
}

impl Kept {
    fn deadline(&self) -> Option<Time> {
        match self.state {
            State::Waiting(at) => Some(at),
            State::Asking(_, until) => Some(until).filter(|until| *until < Time::FAR),
            State::Locating | State::Leaving(_) | State::Gone => None,
        }
    }

    fn is_for(&self, other: &Registration) -> bool {
        let this = &self.registration;
        (&this.towards, &this.domain, this.expires) == (&other.towards, &other.domain, other.expires)
            && this.account.user == other.account.user
            && this.account.password == other.account.password
    }

    /// Begins a try: by the way that worked last, if it is still one, then by the others.
    fn ask(&mut self, wire: &mut Wire, now: Time) {
        match wire.ways(now, &self.registration.towards, false) {
            Found::Ways(mut ways) => {
                let usual = self.flow.filter(|flow| self.up && ways.contains(flow));
                if let Some(usual) = usual {
                    ways.retain(|flow| *flow != usual);
                    ways.push_front(usual);
                }
                self.others = ways;
                self.ask_next(wire, now, (None, None));
            }
            Found::WaitsFor(_) => self.state = State::Locating,
            Found::None(_) => self.outage(wire, now, None, None),
        }
    }

    /// Goes on by the next way, or has tried them all: then that is why.
    fn ask_next(&mut self, wire: &mut Wire, now: Time, why: (Option<u16>, Option<u32>)) {
        let Some(flow) = self.others.pop_front() else { return self.outage(wire, now, why.0, why.1) };
        self.flow = Some(flow);
        self.credentials.settled();
        self.ask_again(wire, now);
    }

    /// Sends the REGISTER by the way in use.
    fn ask_again(&mut self, wire: &mut Wire, now: Time) {
        let until = if self.others.is_empty() { Time::FAR } else { now + wire.config.timers.failover };
        match self.send(wire, now, self.expires) {
            Some(transaction) => self.state = State::Asking(transaction, until),
            None => self.outage(wire, now, None, None),
        }
    }

    /// Nobody answered by the way in use, or it broke.
    fn silent(&mut self, wire: &mut Wire, now: Time) {
        if let Some(flow) = self.flow.filter(|_| !self.is_of_one_flow()) {
            wire.way_failed(now, flow);
        }
        match self.state {
            State::Leaving(_) => self.state = State::Gone,
            _ => self.ask_next(wire, now, (None, None)),
        }
    }

    fn is_of_one_flow(&self) -> bool {
        matches!(self.registration.towards, Towards::Flows(_))
    }

    fn leave(&mut self, wire: &mut Wire, now: Time) {
        match self.state {
            State::Leaving(_) | State::Gone => return,
            State::Asking(transaction, _) => wire.transactions.abandon(transaction),
            State::Waiting(_) | State::Locating => {}
        }
        // A REGISTER on its way may have made the contact although no answer came.
        let may_be_there = self.up || matches!(self.state, State::Asking(..));
        let sent = if may_be_there { self.send(wire, now, 0) } else { None };
        self.state = sent.map_or(State::Gone, State::Leaving);
        wire.unregistered(now, &self.registration.name);
    }

    fn send(&mut self, wire: &mut Wire, now: Time, expires: u32) -> Option<TransactionId> {
        let flow = &self.flow?;
        self.cseq += 1;
        let Registration { domain, account, .. } = &self.registration;
        let branch = wire.branch();
        let address = format!("<sip:{}@{domain}>", escaped_user(&account.user));
        let mut writer = Writer::request("REGISTER", &request_uri(domain))
            .header("Via", wire.via(*flow, &branch))
            .header("Max-Forwards", MAX_FORWARDS)
            .header("From", format_args!("{address};tag={}", self.tag))
            .header("To", &address)
            .header("Call-ID", &self.call_id)
            .header("CSeq", format_args!("{} REGISTER", self.cseq))
            .header("Contact", wire.contact(*flow, &account.user))
            .header("Expires", expires)
            .header("Supported", "path");
        writer = self.credentials.write(writer);
        wire.request(now, *flow, User::Registration(self.number), &branch, writer)
    }

    fn response(&mut self, wire: &mut Wire, now: Time, response: &Message) {
        let status = response.status().unwrap_or(0);
        let retry_after = response.number(HeaderName::RetryAfter);
        if let Some(flow) = self.flow.filter(|_| !self.is_of_one_flow()) {
            match status {
                503 => wire.way_is_busy(now, flow, retry_after),
                _ => wire.way_works(flow),
            }
        }
        match status {
            0..=199 => self.is_heard(),
            401 | 407 => self.challenged(wire, now, response),
            _ if matches!(self.state, State::Leaving(_)) => self.state = State::Gone,
            200..=299 => self.granted(wire, now, response),
            403 | 404 => self.refused(wire, now, status),
            423 => self.too_brief(wire, now, response),
            503 => self.ask_next(wire, now, (Some(status), retry_after)),
            _ => self.outage(wire, now, Some(status), retry_after),
        }
    }

    /// Whoever says 100 is there: no other way is tried for being slow.
    fn is_heard(&mut self) {
        if let State::Asking(_, until) = &mut self.state {
            *until = Time::FAR;
        }
    }

    fn challenged(&mut self, wire: &mut Wire, now: Time, response: &Message) {
        let status = response.status().unwrap_or(0);
        let uri = request_uri(&self.registration.domain);
        if !self.credentials.answer(response, "REGISTER", &uri, &mut wire.rng) {
            return self.refused(wire, now, status);
        }
        match self.state {
            State::Leaving(_) => {
                self.state = self.send(wire, now, 0).map_or(State::Gone, State::Leaving);
            }
            _ => self.ask_again(wire, now),
        }
    }

    fn granted(&mut self, wire: &mut Wire, now: Time, response: &Message) {
        let seconds = self.granted_seconds(response).min(SECONDS_MAX);
        if seconds == 0 {
            return self.outage(wire, now, response.status(), None);
        }
        self.credentials.settled();
        (self.refusals, self.outages) = (0, 0);
        let permille = 800 + wire.rng.below(101);
        self.state = State::Waiting(now + Duration::from_millis(u64::from(seconds) * permille));
        if let Some(flow) = self.flow {
            wire.registered(now, &self.registration.name, flow, response);
        }
        if !self.up {
            self.up = true;
            wire.tell(Event::RegistrationUp { name: self.registration.name.clone() });
        }
    }

    /// What the registrar gave our contact: it may list those of other devices, too.
    fn granted_seconds(&self, response: &Message) -> u32 {
        let user = escaped_user(&self.registration.account.user);
        let port = format!(":{}", self.flow.map_or(0, |flow| flow.local.port()));
        let ours = response
            .contacts()
            .filter_map(Result::ok)
            .filter(|contact| contact.uri.contains(&format!("{user}@")) && contact.uri.contains(&port))
            .filter_map(|contact| contact.param("expires").and_then(|text| text.parse().ok()))
            .max();
        ours.or_else(|| response.expires()).unwrap_or(self.expires)
    }

    fn too_brief(&mut self, wire: &mut Wire, now: Time, response: &Message) {
        match response.number(HeaderName::MinExpires).filter(|least| *least <= SECONDS_MAX) {
            Some(least) if least > self.expires => {
                self.expires = least;
                self.ask_again(wire, now);
            }
            _ => self.outage(wire, now, Some(423), None),
        }
    }

    fn refused(&mut self, wire: &mut Wire, now: Time, status: u16) {
        let pause = doubled(REFUSED_FIRST, self.refusals, REFUSED_LAST);
        (self.refusals, self.outages) = (self.refusals + 1, 0);
        self.down(wire, now, true, Some(status), pause);
    }

    fn outage(&mut self, wire: &mut Wire, now: Time, status: Option<u16>, retry_after: Option<u32>) {
        let pause = match retry_after {
            Some(seconds) => Duration::from_secs(seconds.clamp(1, SECONDS_MAX).into()),
            // Everybody noticed the outage at once; let them not come back at once.
            None => doubled(OUTAGE_FIRST, self.outages, OUTAGE_LAST) * (75 + wire.rng.below(26) as u32) / 100,
        };
        self.outages += 1;
        self.down(wire, now, false, status, pause);
    }

    fn down(&mut self, wire: &mut Wire, now: Time, refused: bool, status: Option<u16>, pause: Duration) {
        if matches!(self.state, State::Leaving(_)) {
            self.state = State::Gone;
            return;
        }
        self.up = false;
        self.others.clear();
        wire.unregistered(now, &self.registration.name);
        self.credentials.settled();
        self.state = State::Waiting(now + pause);
        let name = self.registration.name.clone();
        wire.tell(Event::RegistrationDown { name, refused, status, next_try: pause });
    }
}

fn request_uri(domain: &str) -> String {
    format!("sip:{domain}")
}

fn doubled(first: Duration, times: u32, last: Duration) -> Duration {
    first.saturating_mul(1 << times.min(16)).min(last)
}
