//! The user agent: transactions, sessions, registrar and registrations behind one face.

mod act;
mod admission;
mod api;
mod aside;
mod asked;
mod config;
pub(crate) mod credentials;
mod devices;
pub(crate) mod early_media;
mod event;
mod locating;
mod receive;
mod refusal;
mod transport;
mod warning;
pub(crate) mod ways;
pub(crate) mod wire;

pub use act::*;
pub use api::*;
pub use config::*;
pub use early_media::EarlyMedia;
pub use event::*;
pub use transport::Transport;
pub use warning::{WarnCode, Warning};
pub use ways::{Reach, Towards};
pub use wire::escaped_user;

use crate::digest::Verifier;
use crate::gruu::{self, Device, Gruu};
use crate::health::Health;
use crate::referral::Replaces;
use crate::registration::Registrations;
use crate::session::Sessions;
use crate::subscription::{State, Subscriptions};
use crate::texts::Texts;
use crate::uri::Uri;
use base::{Seed, Time};
use locating::Waiting;
use std::collections::BTreeMap;
use std::time::Duration;
use wire::Wire;

/// What we ask of a trunk's registrar: often enough to notice within minutes that it has forgotten us.
const TRUNK_EXPIRES: Duration = Duration::from_secs(600);

/// A SIP user agent without sockets or clock: datagrams, framed messages, acts and deadlines go in; bytes
/// to send and events come out. After each input, drain [`UserAgent::poll_output`].
pub struct UserAgent {
    wire: Wire,
    sessions: Sessions,
    registrations: Registrations,
    subscriptions: Subscriptions,
    texts: Texts,
    verifier: Verifier,
    /// Calls that wait for a name server.
    waiting: Waiting,
    health: Health,
    /// The accounts' passwords by their user names.
    passwords: BTreeMap<String, String>,
    seed: Seed,
}

/// How much a user agent holds: all zero when nothing is left to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Transactions that are not terminated.
    pub transactions: usize,
    /// Sessions reserved, living, or with a last request on its way.
    pub sessions: usize,
    /// Registered contacts of accounts.
    pub contacts: usize,
    /// Subscriptions of accounts.
    pub subscriptions: usize,
    /// Texts without a final answer.
    pub texts: usize,
}

impl UserAgent {
    /// A user agent. Registrations with trunks begin at once: drain the outputs.
    pub fn new(config: Config, seed: Seed, now: Time) -> UserAgent {
        let limits = config.limits;
        let mut agent = UserAgent {
            sessions: Sessions::new(limits.sessions),
            registrations: Registrations::default(),
            subscriptions: Subscriptions::new(),
            texts: Texts::new(),
            verifier: verifier_of(&config, seed),
            passwords: passwords_of(&config),
            wire: Wire::new(config, seed, now),
            waiting: Waiting::default(),
            health: Health::new(seed),
            seed,
        };
        agent.wire.ask_name_servers();
        agent.wire.make_known();
        agent.register_trunks(now);
        agent.wire.tell_of_guard();
        agent.health.watch(&agent.wire.config.trunks, now);
        agent
    }

    /// Takes one input.
    pub fn handle(&mut self, now: Time, input: Input) {
        match input {
            Input::Received { flow, bytes } => self.received(now, flow, bytes),
            Input::FlowFailed { flow } => self.flow_failed(now, flow),
            Input::TooLarge { bytes } => self.too_large(now, &bytes),
            Input::Resolved { query, answer } => self.resolved(now, query, answer),
            Input::Do(act) => self.act(now, act),
        }
        self.wire.tell_of_guard();
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Time) {
        while let Some(failed) = self.wire.transactions.expire(now, &mut self.wire.out) {
            self.transaction_failed(now, failed);
        }
        self.sessions.handle_timeout(&mut self.wire, now);
        for event in self.wire.registrar.handle_timeout(now) {
            self.wire.tell(event);
        }
        self.registrations.handle_timeout(&mut self.wire, now);
        self.wire.keep_devices_reachable(now);
        self.subscriptions.handle_timeout(&mut self.wire, now);
        self.texts.handle_timeout(&mut self.wire, now);
        self.wire.guard.handle_timeout(now);
        self.wire.tell_of_guard();
        self.health.handle_timeout(&mut self.wire, now);
        self.locating_timeout(now);
    }

    /// The next thing to do, in the order in which they are to be done.
    pub fn poll_output(&mut self) -> Option<Output> {
        base::next_output(&mut self.wire.out)
    }

    /// When `handle_timeout` is due next, and why.
    pub fn poll_timeout(&self) -> Option<(Time, Why)> {
        [
            (self.wire.transactions.poll_timeout(), Why::Transaction),
            (self.sessions.poll_timeout(), Why::Session),
            (self.wire.registrar.poll_timeout(), Why::Registrar),
            (self.registrations.poll_timeout(), Why::Registration),
            (self.wire.devices.poll_timeout(), Why::Device),
            (self.subscriptions.poll_timeout(), Why::Subscription),
            (self.texts.poll_timeout(), Why::Text),
            (self.wire.guard.poll_timeout(), Why::Guard),
            (self.wire.ways.poll_timeout(), Why::Locating),
            (self.health.poll_timeout(), Why::Health),
        ]
        .into_iter()
        .filter_map(|(at, why)| at.map(|at| (at, why)))
        .min_by_key(|(at, _)| *at)
    }

    /// An id for a [`Do::Call`]; nothing if as many sessions as allowed are there. One that is not called
    /// with is given back by [`Do::HangUp`].
    pub fn reserve(&mut self) -> Option<SessionId> {
        self.sessions.reserve()
    }

    /// The way that a call would go first if it were made now; nothing if that is not known.
    pub fn way_to(&mut self, now: Time, towards: &Towards) -> Option<Flow> {
        match self.wire.ways(now, towards, false) {
            ways::Found::Ways(ways) => ways.front().copied(),
            ways::Found::WaitsFor(_) | ways::Found::None(_) => None,
        }
    }

    /// Whether a call to the trunk of this name would be taken now, as far as is known.
    pub fn reach(&mut self, now: Time, trunk: &str) -> Reach {
        self.wire.reach(now, trunk)
    }

    /// The Call-ID of a session: of one that is only reserved, the one that it will be called with.
    pub fn call_id(&self, session: SessionId) -> Option<String> {
        match self.sessions.call_id(session) {
            Some(call_id) => Some(call_id.to_owned()),
            None => self.sessions.is_reserved(session).then(|| self.wire.call_id(session)),
        }
    }

    /// By which way a request within a session would go now: to a device that has registered anew, by its new one.
    pub fn way_of(&self, session: SessionId) -> Option<Flow> {
        self.sessions.way_of(&self.wire, session)
    }

    /// The living contacts of an account. The one to be called is the last: the highest q (RFC 3261 §20.10), and of
    /// equals the newest.
    pub fn contacts(&self, user: &str) -> &[Contact] {
        self.wire.registrar.contacts(user)
    }

    /// The device that a URI names, if it is a GRUU of ours (RFC 5627 §6.1), whatever its host: peers write whatever
    /// name they know us by. An error is the status that says why it reaches none: 480 for one that is not registered,
    /// 404 for one that never was, or that was temporary and is not worth anything any more. Nothing if the URI is
    /// none of ours.
    pub fn device(&self, uri: &str) -> Option<Result<Device, u16>> {
        let uri = Uri::parse(uri).ok()?;
        let gruu = Gruu::of(&uri)?;
        let absent = match &gruu {
            Gruu::Public { user, name } if self.passwords.contains_key(user) && !name.is_empty() => 480,
            Gruu::Temporary { .. } => 404,
            Gruu::Public { .. } if gruu::is_of(&uri, &self.wire.config.realm) => 404,
            Gruu::Public { .. } => return None,
        };
        Some(self.wire.registrar.device(&gruu).ok_or(absent))
    }

    /// The contact by which a device is reached: its newest.
    pub fn contact_of(&self, device: &Device) -> Option<&Contact> {
        self.wire.registrar.contact_of(device, None)
    }

    /// The ways to a contact of an account: its flow, and the other flows of the same device that lead to it (RFC 5626
    /// §5.3), the newest first.
    pub fn towards(&self, user: &str, contact: &Contact) -> Towards {
        Towards::Flows(self.wire.registrar.flows_to(user, contact))
    }

    /// The session whose dialog a Replaces names.
    pub fn replaced(&self, replaces: &Replaces) -> Option<SessionId> {
        self.sessions.replaced(replaces)
    }

    /// How the dialog of a session is named in a Replaces for its peer. Nothing before the peer has answered.
    pub fn name_of(&self, session: SessionId) -> Option<Replaces> {
        self.sessions.name_of(session)
    }

    /// The URI by which the peer of a session is called: its Contact. Nothing of a session without a dialog.
    pub fn peer_uri(&self, session: SessionId) -> Option<&str> {
        self.sessions.peer_uri(session)
    }

    /// Whether the peer of an established session takes keys by INFO, as far as it has said so and has refused none.
    pub fn takes_keys(&self, session: SessionId) -> bool {
        self.sessions.takes_keys(session)
    }

    /// How much is held.
    pub fn load(&self) -> Load {
        Load {
            transactions: self.wire.transactions.len(),
            sessions: self.sessions.len(),
            contacts: self.wire.registrar.len(),
            subscriptions: self.subscriptions.len(),
            texts: self.texts.len(),
        }
    }

    /// Whether no transaction, no session and no text is left; contacts and subscriptions may be.
    pub fn is_idle(&self) -> bool {
        let load = self.load();
        load.transactions == 0 && load.sessions == 0 && load.texts == 0
    }

    fn act(&mut self, now: Time, act: Do) {
        match act {
            Do::Call { session, call } => self.call(now, session, call),
            Do::Register { registration } => {
                self.registrations.register(&mut self.wire, now, registration);
            }
            Do::Unregister { name } => self.registrations.unregister(&mut self.wire, now, &name),
            Do::Occupation { user, occupation } => {
                let state = State::Occupied(occupation);
                self.subscriptions.publish(&mut self.wire, now, &user, state);
            }
            Do::Messages { user, new, old } => {
                let state = State::Messages { new, old };
                self.subscriptions.publish(&mut self.wire, now, &user, state);
            }
            Do::ForwardText { text, from, to } => self.texts.forward(&mut self.wire, now, text, from, *to),
            Do::RefuseText { text, status } => self.texts.answer(&mut self.wire, now, text, status),
            Do::Ban { ban } => self.wire.guard.begin_ban(*ban),
            Do::LiftBan { source } => {
                self.wire.guard.lift(source);
            }
            Do::Reconfigure { config } => self.reconfigure(now, *config),
            act => self.sessions.act(&mut self.wire, now, act),
        }
    }

    fn reconfigure(&mut self, now: Time, config: Config) {
        let Config { listen, timers, limits, trunks, realm, digest, .. } = self.wire.config.clone();
        self.wire.config = Config { listen, timers, limits, ..config };
        self.wire.keep_located(now);
        self.health.watch(&self.wire.config.trunks, now);
        self.passwords = passwords_of(&self.wire.config);
        self.wire.configure_guard();
        if (realm, digest) != (self.wire.config.realm.clone(), self.wire.config.digest.clone()) {
            self.verifier = verifier_of(&self.wire.config, self.seed);
        }
        for event in self.wire.registrar.keep_only(|user| self.passwords.contains_key(user)) {
            self.wire.tell(event);
        }
        self.subscriptions.keep_only(&mut self.wire, now, |user| self.passwords.contains_key(user));
        let kept =
            |name: &str| self.wire.config.trunks.iter().any(|trunk| trunk.name == name && trunk.register);
        let gone: Vec<String> =
            trunks.into_iter().filter(|t| t.register && !kept(&t.name)).map(|t| t.name).collect();
        for name in gone {
            self.registrations.unregister(&mut self.wire, now, &name);
        }
        self.register_trunks(now);
    }

    fn register_trunks(&mut self, now: Time) {
        let wanted: Vec<Registration> = self.wire.config.trunks.iter().filter_map(registration_of).collect();
        for registration in wanted {
            self.registrations.register(&mut self.wire, now, registration);
        }
    }
}

/// Without the passwords and nonces.
impl std::fmt::Debug for UserAgent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserAgent").field("load", &self.load()).finish_non_exhaustive()
    }
}

fn registration_of(trunk: &Trunk) -> Option<Registration> {
    Some(Registration {
        name: trunk.name.clone(),
        towards: Towards::Places(trunk.targets.clone()),
        domain: trunk.domain(),
        account: trunk.credentials.clone().filter(|_| trunk.register)?,
        expires: TRUNK_EXPIRES,
    })
}

fn verifier_of(config: &Config, seed: Seed) -> Verifier {
    let (realm, algorithms) = (config.realm.clone(), config.digest.clone());
    Verifier::new(realm, algorithms, seed.named("sip.nonces"), config.limits.nonces)
}

fn passwords_of(config: &Config) -> BTreeMap<String, String> {
    config.accounts.iter().map(|account| (account.user.clone(), account.password.clone())).collect()
}
