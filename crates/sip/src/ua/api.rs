//! What a user agent is told and what it tells: the seam between `sip` and whoever runs calls with it.

use crate::digest::Algorithm;
use base::{Key, Time};
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// How a message travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// One datagram, one message.
    Udp,
    /// A stream, framed by Content-Length (RFC 3261 §18.3).
    Tcp,
}

/// A way to a peer: which local socket or listener, and the address at the other end. A TCP flow without a
/// living connection is opened by the shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    /// Datagrams or a stream.
    pub transport: Transport,
    /// The local address that it was received on, or is to be sent from.
    pub local: SocketAddr,
    /// The peer's.
    pub remote: SocketAddr,
}

/// One INVITE dialog from its first message to its last.
#[derive(Debug)]
pub struct Session;
/// The key of a session: ended sessions' keys find nothing.
pub type SessionId = Key<Session>;

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
    /// Timers (RFC 3261 §17.1.1.1) and limits.
    pub timers: Timers,
    /// Limits.
    pub limits: Limits,
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
    /// Where calls to it are sent.
    pub target: Flow,
    /// The addresses that its calls may come from.
    pub addresses: Vec<IpNet>,
    /// The domain in request URIs and To; the target's address if it is not given.
    pub domain: Option<String>,
    /// Credentials for what we send to it, and for registering.
    pub credentials: Option<Account>,
    /// Register with it and keep registered.
    pub register: bool,
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
}

impl Default for Timers {
    fn default() -> Self {
        Timers {
            t1: Duration::from_millis(500),
            t2: Duration::from_secs(4),
            t4: Duration::from_secs(5),
            ring_max: Duration::from_secs(600),
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
            contacts: 8,
            nonces: 100_000,
        }
    }
}

/// What can be told to a user agent.
#[derive(Clone, Debug)]
pub enum Input {
    /// One datagram, or one framed message of a stream.
    Received {
        /// By which way.
        flow: Flow,
        /// The message.
        bytes: Vec<u8>,
    },
    /// A stream could not be opened, or broke: its transactions fail at once (RFC 3261 §18.4).
    FlowFailed {
        /// Which.
        flow: Flow,
    },
    /// Something to do.
    Do(Do),
}

/// What a user agent can be asked to do. An act on a session that is over is passed over: the session's
/// `Ended` has been, or is about to be, handed out.
#[derive(Clone, Debug)]
pub enum Do {
    /// Tell the caller that someone is being alerted (180).
    Ring {
        /// An incoming session without a final answer.
        session: SessionId,
    },
    /// Answer an incoming session with 200 and this SDP.
    Accept {
        /// An incoming session without a final answer.
        session: SessionId,
        /// The answer, or the offer if the INVITE had none.
        sdp: Vec<u8>,
    },
    /// Refuse an incoming session.
    Refuse {
        /// An incoming session without a final answer.
        session: SessionId,
        /// 300 to 699.
        status: u16,
        /// Q.850, for the Reason header (RFC 3326).
        q850: Option<u8>,
    },
    /// Call someone. The id comes from [`UserAgent::reserve`](super::UserAgent::reserve).
    Call {
        /// A reserved id.
        session: SessionId,
        /// Whom and how.
        call: Call,
    },
    /// End a session by whatever its state asks for: CANCEL, BYE, or a final refusal.
    HangUp {
        /// Which.
        session: SessionId,
        /// Q.850, for the Reason header.
        q850: Option<u8>,
    },
    /// Offer anew in an established session (hold, resume, a new address).
    Reoffer {
        /// An established session without an offer on its way.
        session: SessionId,
        /// The offer.
        sdp: Vec<u8>,
    },
    /// Answer the peer's re-INVITE.
    AcceptReoffer {
        /// A session with an unanswered `Reoffered`.
        session: SessionId,
        /// The answer (or the offer, if the re-INVITE had none).
        sdp: Vec<u8>,
    },
    /// Refuse the peer's re-INVITE; the session goes on as it was.
    RefuseReoffer {
        /// A session with an unanswered `Reoffered`.
        session: SessionId,
        /// 488 as a rule.
        status: u16,
    },
    /// Register an account of ours with a server, as a softphone does, and keep it until `Unregister`.
    Register {
        /// Where, and as whom.
        registration: Registration,
    },
    /// Take a registration made by `Register` back.
    Unregister {
        /// Its name.
        name: String,
    },
    /// New accounts, trunks and openings; sessions go on.
    Reconfigure {
        /// The whole new configuration. `listen`, `timers` and `limits` stay as they were.
        config: Box<Config>,
    },
}

/// Whom to call, and how.
#[derive(Clone, Debug)]
pub struct Call {
    /// The way.
    pub flow: Flow,
    /// The request URI.
    pub uri: String,
    /// The To URI; the request URI if it is not given.
    pub to: Option<String>,
    /// The From URI's user part.
    pub from_user: String,
    /// The From display name.
    pub from_display: Option<String>,
    /// The offer.
    pub sdp: Vec<u8>,
    /// For 401 and 407.
    pub credentials: Option<Account>,
    /// More header fields, such as `Alert-Info` or `X-Cornetta-Call`.
    pub headers: Vec<(String, String)>,
}

/// A registration that we keep with a server.
#[derive(Clone, Debug)]
pub struct Registration {
    /// Ours, for `RegistrationUp` and `RegistrationDown`.
    pub name: String,
    /// The way to the registrar.
    pub flow: Flow,
    /// The domain of the address of record.
    pub domain: String,
    /// Who we are there.
    pub account: Account,
    /// What we ask for; the registrar decides.
    pub expires: Duration,
}

/// What a user agent gives, in the order in which it is to be done.
#[derive(Clone, Debug)]
pub enum Output {
    /// Send these bytes.
    Send {
        /// By this way.
        flow: Flow,
        /// One message.
        bytes: Vec<u8>,
    },
    /// Something happened.
    Event(Event),
}

/// Who a request is from, as far as was proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A trunk, by its address.
    Trunk(String),
    /// An account, by digest.
    Account(String),
    /// Someone in a network of `open_to`.
    Open,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A call arrives. 100 has been sent; a final answer must follow.
    Incoming {
        /// The new session.
        session: SessionId,
        /// Its beginnings.
        invite: Box<Invite>,
    },
    /// The peer of a `Call` is alerting (18x).
    Ringing {
        /// Which.
        session: SessionId,
        /// The status, 180 to 199.
        status: u16,
        /// Early media, if any was described.
        sdp: Option<Vec<u8>>,
    },
    /// The peer of a `Call` answered; the ACK has been sent.
    Answered {
        /// Which.
        session: SessionId,
        /// The answer.
        sdp: Vec<u8>,
    },
    /// Our 200 was acknowledged.
    Confirmed {
        /// Which.
        session: SessionId,
        /// The answer, if our 200 held an offer.
        sdp: Option<Vec<u8>>,
    },
    /// The peer offers anew (re-INVITE or UPDATE); answer with `AcceptReoffer` or `RefuseReoffer`.
    Reoffered {
        /// Which.
        session: SessionId,
        /// The offer; nothing if we are asked to make one.
        sdp: Option<Vec<u8>>,
    },
    /// The peer answered our `Reoffer`.
    Reanswered {
        /// Which.
        session: SessionId,
        /// The answer.
        sdp: Vec<u8>,
    },
    /// The peer refused our `Reoffer` (after 491 has been tried again), or an offer of the peer's has taken
    /// its place (491); the session goes on.
    ReofferRefused {
        /// Which.
        session: SessionId,
        /// The final status.
        status: u16,
    },
    /// A key by INFO (`application/dtmf-relay` or `application/dtmf`).
    InfoDigit {
        /// Which.
        session: SessionId,
        /// 0-9, *, #, A-D.
        digit: char,
        /// Its length.
        held: Duration,
    },
    /// The session is over; nothing more comes of it.
    Ended {
        /// Which.
        session: SessionId,
        /// Why.
        ending: Ending,
    },
    /// An account's device is there, or is still there.
    Registered {
        /// Who.
        user: String,
        /// Where, and until when.
        contact: Contact,
        /// It was not there before.
        new: bool,
    },
    /// An account's last contact is gone.
    Unregistered {
        /// Who.
        user: String,
        /// How.
        why: Gone,
    },
    /// A registration of ours holds.
    RegistrationUp {
        /// The trunk's name, or that of `Register`.
        name: String,
    },
    /// A registration of ours was refused or came to nothing. It is being tried again, for ever.
    RegistrationDown {
        /// The trunk's name, or that of `Register`.
        name: String,
        /// The credentials were refused, as opposed to an outage.
        refused: bool,
        /// The final status, if any came.
        status: Option<u16>,
        /// When it is tried again.
        next_try: Duration,
    },
    /// Somebody was refused: for facts of the security kind.
    Blocked {
        /// From where.
        source: SocketAddr,
        /// `unknown_source`, `bad_credentials`, `replayed_nonce`, `malformed`, `too_large`, `capacity`.
        rule: &'static str,
    },
}

/// The beginnings of an incoming call.
#[derive(Clone, Debug)]
pub struct Invite {
    /// Who sent it.
    pub peer: Peer,
    /// By which way.
    pub flow: Flow,
    /// The user part of the request URI: what was dialled.
    pub dialled: String,
    /// The caller's user part or number: P-Asserted-Identity of a trunk, otherwise From; `anonymous` if withheld.
    pub from: String,
    /// The caller's display name.
    pub from_display: Option<String>,
    /// Call-ID.
    pub call_id: String,
    /// The offer; nothing if we are asked to make one.
    pub sdp: Option<Vec<u8>>,
}

/// Where an account's device is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// As it wrote it.
    pub uri: String,
    /// The way that its REGISTER came: requests go back by it (symmetric, RFC 3581 in spirit).
    pub flow: Flow,
    /// Its User-Agent.
    pub user_agent: String,
    /// When it is forgotten.
    pub until: Time,
}

/// How the last contact went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// The time ran out.
    Expired,
    /// The device said so.
    ByDevice,
    /// The stream that it came by broke.
    FlowLost,
}

/// Why a session is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// What happened.
    pub how: How,
    /// The final status sent or received, if one was.
    pub status: Option<u16>,
    /// The Q.850 cause that the peer gave (RFC 3326).
    pub q850: Option<u8>,
    /// For people: addresses, what was missing.
    pub detail: String,
}

/// The ways in which a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The peer sent BYE.
    PeerHungUp,
    /// The peer sent CANCEL before our final answer.
    PeerCancelled,
    /// We hung up, cancelled or refused.
    Ours,
    /// The peer refused with `status`.
    PeerRefused,
    /// The callee rang longer than `ring_max`, or answered 408.
    NoAnswer,
    /// No answer at all to our request (timer B or F).
    PeerTimeout,
    /// The way to the peer broke.
    FlowFailed,
    /// Our 200 was never acknowledged (64·T1, RFC 3261 §13.3.1.4); BYE has been sent.
    NotAcknowledged,
    /// A limit was reached.
    Capacity,
}

/// The deadlines of a user agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// A transaction's timer.
    Transaction,
    /// A session waits for its ACK, or retries after 491.
    Session,
    /// A contact runs out.
    Registrar,
    /// A registration of ours is due.
    Registration,
}
