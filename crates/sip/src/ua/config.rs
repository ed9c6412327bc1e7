//! What a user agent is born with: sockets, accounts, trunks, timers, limits.

use super::{Peer, Transport};
use crate::digest::Algorithm;
use crate::guard::GuardConfig;
use crate::identity::Policy;
use crate::locate::Place;
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// What a user agent is born with.
#[derive(Clone, Debug)]
pub struct Config {
    /// The sockets that the shell has bound; the first of a transport is used for what we begin.
    pub listen: Vec<(Transport, SocketAddr)>,
    /// The address to show in Contact and Via towards peers outside of `local_nets`, if it is not the socket's.
    pub public_address: Option<IpAddr>,
    /// Networks from which the socket's own address can be reached.
    pub local_nets: Vec<IpNet>,
    /// The realm of our challenges and the domain of our accounts.
    pub realm: String,
    /// The algorithms by which accounts may prove themselves. Devices that know only MD5 often stop at a
    /// challenge that has another one beside it.
    pub digest: Vec<Algorithm>,
    /// For User-Agent and Server.
    pub product: String,
    /// Those who may register and call with a password: agents.
    pub accounts: Vec<Account>,
    /// Operators and other exchanges.
    pub trunks: Vec<Trunk>,
    /// Networks that may call without credentials: the explicit, named opening.
    pub open_to: Vec<IpNet>,
    /// What strangers may do before they are kept out.
    pub guard: GuardConfig,
    /// What is agreed with peers beyond RFC 3261.
    pub extensions: Extensions,
    /// Timers (RFC 3261 §17.1.1.1) and limits.
    pub timers: Timers,
    /// Limits.
    pub limits: Limits,
}

/// Nobody is known, nothing is opened, nothing listened on.
impl Default for Config {
    fn default() -> Config {
        Config {
            listen: Vec::new(),
            public_address: None,
            local_nets: Vec::new(),
            realm: "cornetta".to_owned(),
            digest: vec![Algorithm::Sha256, Algorithm::Md5],
            product: "Cornetta".to_owned(),
            accounts: Vec::new(),
            trunks: Vec::new(),
            open_to: Vec::new(),
            guard: GuardConfig::default(),
            extensions: Extensions::default(),
            timers: Timers::default(),
            limits: Limits::default(),
        }
    }
}

impl Config {
    /// The trunk of this name.
    pub fn trunk(&self, name: &str) -> Option<&Trunk> {
        self.trunks.iter().find(|trunk| trunk.name == name)
    }

    /// The networks of those who are known by their address alone.
    pub(crate) fn known_nets(&self) -> Vec<IpNet> {
        let trunks = self.trunks.iter().flat_map(|trunk| &trunk.addresses);
        trunks.chain(&self.open_to).copied().collect()
    }

    /// How much of what this peer says of callers is believed (RFC 3325 §4): operators' lines belong to our
    /// trust domain unless the configuration says otherwise, others never do.
    pub(super) fn identity_policy(&self, peer: &Peer) -> Policy {
        let Peer::Trunk(name) = peer else { return Policy::UNTRUSTED };
        self.trunk(name).map_or(Policy::UNTRUSTED, |trunk| trunk.identity)
    }
}

/// One who may register.
#[derive(Clone)]
pub struct Account {
    /// The user part of the address of record, and the digest's user name.
    pub user: String,
    /// The secret that both sides know.
    pub password: String,
}

/// Without the password: configurations are printed.
impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("user", &self.user).finish_non_exhaustive()
    }
}

/// An operator's line.
#[derive(Clone, Debug)]
pub struct Trunk {
    /// Its name in facts and routes.
    pub name: String,
    /// Where calls to it are sent: the next one if the one before has no way that works. These may be
    /// proxies of another name than `domain`.
    pub targets: Vec<Place>,
    /// The addresses that its calls may come from, besides those of its targets.
    pub addresses: Vec<IpNet>,
    /// The domain in request URIs and To; the first target if it is not given.
    pub domain: Option<String>,
    /// Credentials for what we send to it, and for registering.
    pub credentials: Option<Account>,
    /// Register with it and keep registered.
    pub register: bool,
    /// Reliable provisional answers with it, if other than with everybody.
    pub prack: Option<Prack>,
    /// It understands P-Early-Media (RFC 5009): the header is sent to it and believed of it.
    pub p_early_media: bool,
    /// How much of what it says of callers is believed.
    pub identity: Policy,
    /// How often each of its servers is asked by OPTIONS whether it is there; zero: never.
    pub probe: Duration,
    /// How long a call that we send to it may be answered by nothing but 100 before the next way is tried, where there
    /// is one; none: as long as a callee may ring.
    pub progress_within: Option<Duration>,
}

impl Trunk {
    /// The domain in request URIs and To.
    pub fn domain(&self) -> String {
        let first = || self.targets.first().map_or_else(String::new, Place::in_uri);
        self.domain.clone().unwrap_or_else(first)
    }
}

/// What is agreed with peers beyond RFC 3261.
#[derive(Clone, Copy, Debug)]
pub struct Extensions {
    /// Reliable provisional answers.
    pub prack: Prack,
    /// How long a session lives without a refresh (RFC 4028), asked for in our INVITEs and answers.
    pub session_expires: Duration,
    /// The shortest such time that we take; 90 s at least (RFC 4028 §5).
    pub session_min: Duration,
}

impl Default for Extensions {
    fn default() -> Self {
        Extensions {
            prack: Prack::Supported,
            session_expires: Duration::from_secs(1800),
            session_min: Duration::from_secs(90),
        }
    }
}

/// Reliable provisional answers and PRACK (RFC 3262).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Prack {
    /// Not used: a peer that requires them is refused (420).
    Off,
    /// With every peer that knows them.
    #[default]
    Supported,
    /// A peer that does not know them is refused (421), and one that is called must use them.
    Required,
}

/// RFC 3261's timers. Tests and special networks change them; nobody else.
#[derive(Clone, Copy, Debug)]
pub struct Timers {
    /// The round trip estimate, 500 ms.
    pub t1: Duration,
    /// The longest interval of retransmission, 4 s.
    pub t2: Duration,
    /// How long a message lives in the network, 5 s.
    pub t4: Duration,
    /// How long a callee may ring before the INVITE that we sent is cancelled.
    pub ring_max: Duration,
    /// How long a server may be silent before the next one is tried, where there is one (RFC 3263 §4.3).
    pub failover: Duration,
    /// How long a server that was silent is tried after all others.
    pub aside: Duration,
}

impl Default for Timers {
    fn default() -> Self {
        Timers {
            t1: Duration::from_millis(500),
            t2: Duration::from_secs(4),
            t4: Duration::from_secs(5),
            ring_max: Duration::from_secs(600),
            failover: Duration::from_secs(4),
            aside: Duration::from_secs(60),
        }
    }
}

/// The most of everything. What would go over is refused with 503, 513 or silence, and counted.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of one message.
    pub message: usize,
    /// Header fields of one message.
    pub headers: usize,
    /// Transactions at a time.
    pub transactions: usize,
    /// Sessions at a time.
    pub sessions: usize,
    /// Calls that are not answered, or whose answer is not acknowledged: of one trunk, and of all whom `open_to` lets in
    /// unproved together.
    pub half_open: usize,
    /// The same, of one account, and of one source (an IPv4 address, an IPv6 /64) that `open_to` lets in.
    pub half_open_each: usize,
    /// Registered contacts of one account.
    pub contacts: usize,
    /// Nonces remembered against replay.
    pub nonces: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            message: 65_535,
            headers: 256,
            transactions: 200_000,
            sessions: 20_000,
            half_open: 10_000,
            half_open_each: 2_500,
            contacts: 8,
            nonces: 100_000,
        }
    }
}
