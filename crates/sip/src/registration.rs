//! Registrations of ours: with trunks, and as a softphone (RFC 3261 §10.2). They never give up. Refused
//! credentials and outages are told apart, because a person must act on the one and not on the other.

use crate::message::{HeaderName, Message};
use crate::transaction::{TransactionId, User};
use crate::ua::credentials::Credentials;
use crate::ua::wire::{Wire, escaped_user};
use crate::ua::{Event, Flow, Registration};
use crate::write::Writer;
use base::Time;
use std::collections::BTreeMap;
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
    Asking(TransactionId),
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
        kept.outage(wire, now, None, None);
        let name = kept.registration.name.clone();
        self.forget_gone(&name);
    }

    /// A stream broke: what was registered by it is to be registered again.
    pub(crate) fn flow_failed(&mut self, wire: &mut Wire, now: Time, flow: Flow) {
        for kept in self.kept.values_mut().filter(|kept| kept.registration.flow == flow) {
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
            if kept.deadline().is_some_and(|at| at <= now) {
                kept.ask(wire, now);
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
        if let State::Waiting(at) = self.state { Some(at) } else { None }
    }

    fn is_for(&self, other: &Registration) -> bool {
        let this = &self.registration;
        (this.flow, &this.domain, this.expires) == (other.flow, &other.domain, other.expires)
            && this.account.user == other.account.user
            && this.account.password == other.account.password
    }

    fn ask(&mut self, wire: &mut Wire, now: Time) {
        match self.send(wire, now, self.expires) {
            Some(transaction) => self.state = State::Asking(transaction),
            None => self.outage(wire, now, None, None),
        }
    }

    fn leave(&mut self, wire: &mut Wire, now: Time) {
        match self.state {
            State::Leaving(_) | State::Gone => return,
            State::Asking(transaction) => wire.transactions.abandon(transaction),
            State::Waiting(_) => {}
        }
        // A REGISTER on its way may have made the contact although no answer came.
        let may_be_there = self.up || matches!(self.state, State::Asking(_));
        let sent = if may_be_there { self.send(wire, now, 0) } else { None };
        self.state = sent.map_or(State::Gone, State::Leaving);
    }

    fn send(&mut self, wire: &mut Wire, now: Time, expires: u32) -> Option<TransactionId> {
        self.cseq += 1;
        let Registration { flow, domain, account, .. } = &self.registration;
        let branch = wire.branch();
        let address = format!("<sip:{}@{domain}>", escaped_user(&account.user));
        let mut writer = Writer::request("REGISTER", &request_uri(domain))
            .header("Via", wire.via(*flow, &branch))
            .header("Max-Forwards", 70)
            .header("From", format_args!("{address};tag={}", self.tag))
            .header("To", &address)
            .header("Call-ID", &self.call_id)
            .header("CSeq", format_args!("{} REGISTER", self.cseq))
            .header("Contact", wire.contact(*flow, &account.user))
            .header("Expires", expires);
        writer = self.credentials.write(writer);
        wire.request(now, *flow, User::Registration(self.number), &branch, writer)
    }

    fn response(&mut self, wire: &mut Wire, now: Time, response: &Message) {
        let status = response.status().unwrap_or(0);
        match status {
            0..=199 => {}
            401 | 407 => self.challenged(wire, now, response),
            _ if matches!(self.state, State::Leaving(_)) => self.state = State::Gone,
            200..=299 => self.granted(wire, now, response),
            403 | 404 => self.refused(wire, now, status),
            423 => self.too_brief(wire, now, response),
            _ => self.outage(wire, now, Some(status), response.number(HeaderName::RetryAfter)),
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
            _ => self.ask(wire, now),
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
        if !self.up {
            self.up = true;
            wire.tell(Event::RegistrationUp { name: self.registration.name.clone() });
        }
    }

    /// What the registrar gave our contact: it may list those of other devices, too.
    fn granted_seconds(&self, response: &Message) -> u32 {
        let user = escaped_user(&self.registration.account.user);
        let port = format!(":{}", self.registration.flow.local.port());
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
                self.ask(wire, now);
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
