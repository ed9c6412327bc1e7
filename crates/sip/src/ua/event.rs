//! What a user agent tells.

use super::{EarlyMedia, Flow, SessionId, TextId};
use crate::guard::Ban;
use crate::identity::Identity;
use crate::referral::ReferTo;
use base::Time;
use ipnet::IpNet;
use std::net::SocketAddr;
use std::time::Duration;

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
    /// A call arrived that could not become a session; it has been refused. Only of peers that are known.
    Refused {
        /// What can be read of it.
        invite: Box<Invite>,
        /// The status.
        status: u16,
        /// What is wrong with it, for people.
        why: String,
    },
    /// The peer of a `Call`, or one of its forks, says how far it is (101 to 199).
    Progress {
        /// Which.
        session: SessionId,
        /// The status: 180 if it is alerting.
        status: u16,
        /// An answer to the call's offer, for early media. That of another fork, or a later one of the same,
        /// takes its place.
        sdp: Option<Vec<u8>>,
        /// What its network says of early media (RFC 5009), if it says anything and is believed.
        early_media: Option<EarlyMedia>,
    },
    /// The peer of a `Call` answered; the ACK has been sent.
    Answered {
        /// Which.
        session: SessionId,
        /// The answer to the call's offer; nothing if what was agreed last holds: a reliable `Progress`,
        /// perhaps followed by offers of either side.
        sdp: Option<Vec<u8>>,
    },
    /// Our 200 was acknowledged.
    Confirmed {
        /// Which.
        session: SessionId,
        /// The answer, if our 200 held an offer.
        sdp: Option<Vec<u8>>,
    },
    /// The peer offers anew (by re-INVITE, UPDATE or PRACK), perhaps before the final answer; answer with `AcceptReoffer` or `RefuseReoffer`.
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
    /// The session is to be refreshed, by a `Reoffer` of what is in force: its peer takes no UPDATE.
    RefreshDue {
        /// Which.
        session: SessionId,
    },
    /// A refresh of the session came to nothing (RFC 4028). It is tried again; the session goes on until then.
    RefreshFailed {
        /// Which.
        session: SessionId,
        /// The final status, if any came.
        status: Option<u16>,
        /// When the session ends if no refresh goes through.
        ends_in: Duration,
    },
    /// The connection that an established session's messages came by broke. The session goes on: the peer may come back by
    /// another one, which a page that was closed does not.
    WayBroke {
        /// Which.
        session: SessionId,
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
    /// The peer refused a key that it got by INFO, and takes no other.
    KeysRefused {
        /// Whose.
        session: SessionId,
        /// That key and those that waited behind it.
        keys: String,
    },
    /// The peer wants the other party to be called by somebody else (REFER); answer with `AnswerRefer`.
    Referred {
        /// In which session.
        session: SessionId,
        /// To whom.
        referral: Box<Referral>,
    },
    /// How far the peer has come with our `Refer`.
    ReferProgress {
        /// In which session.
        session: SessionId,
        /// What the peer told last: 100 once it has accepted. With `over`, the final status of the call, or why
        /// it was never made; or 100 if the peer accepts and will tell nothing (RFC 4488).
        status: u16,
        /// Nothing more will be told.
        over: bool,
    },
    /// The session is over; nothing more comes of it, but the progress of a REFER.
    Ended {
        /// Which.
        session: SessionId,
        /// Why.
        ending: Ending,
    },
    /// An account or a trunk sends a text; say where it goes with `ForwardText`, or `RefuseText`.
    TextArrived {
        /// Its name.
        text: TextId,
        /// What is known of it.
        told: Box<Text>,
    },
    /// A text got its final answer: 2xx if it was taken.
    TextOver {
        /// Which.
        text: TextId,
        /// The status.
        status: u16,
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
    /// Nobody answered a call of ours by one way, nothing came after 100, the way broke, or 503 came; the next is being
    /// tried.
    WentOn {
        /// Which.
        session: SessionId,
        /// Where nothing came of it.
        from: SocketAddr,
        /// Where it is sent now.
        to: SocketAddr,
        /// 503, 100 if nothing followed it, or nothing if no answer came.
        status: Option<u16>,
    },
    /// What OPTIONS found of a trunk's servers has changed.
    TrunkHealth {
        /// The trunk's name.
        name: String,
        /// How many of its servers answer.
        up: usize,
        /// Those that do not, and their final status if any came: 408 or 503. None at all, up or down: no
        /// address of it is known.
        down: Vec<(SocketAddr, Option<u16>)>,
    },
    /// Somebody was refused: for facts of the security kind.
    Blocked {
        /// From where.
        source: SocketAddr,
        /// `unknown_source`, `bad_credentials`, `replayed_nonce`, `malformed`, `too_large`, `capacity`, `half_open`, or what
        /// the guard says: [`Dropped`](crate::guard::Dropped).
        rule: &'static str,
    },
    /// A rule keeps somebody out from now on.
    Banned {
        /// Whom, until when and why.
        ban: Box<Ban>,
    },
    /// A ban is over, without anybody's asking.
    Unbanned {
        /// Whose.
        source: IpNet,
        /// `expired`, or `evicted`: there was no room for more.
        why: &'static str,
    },
}

/// The beginnings of an incoming call.
#[derive(Clone, Debug)]
pub struct Invite {
    /// Who sent it.
    pub peer: Peer,
    /// By which way.
    pub flow: Flow,
    /// What was dialled: the user part of the request URI, or its number with the parameters of a tel URI.
    pub dialled: String,
    /// The request URI: [`UserAgent::device`](super::UserAgent::device) says whether it names one device of an account.
    pub uri: String,
    /// Who calls, and by whom the call was sent here.
    pub identity: Identity,
    /// Call-ID.
    pub call_id: String,
    /// The offer; nothing if we are asked to make one.
    pub sdp: Option<Vec<u8>>,
    /// How many hops it may still take.
    pub max_forwards: u8,
    /// The session of ours whose INVITE this is: it has come back to us. A loop, or a detour to something else.
    pub came_back: Option<SessionId>,
    /// The session that it takes the place of (RFC 3891). Whether this peer may do so is for the user to say.
    pub replaces: Option<SessionId>,
    /// The URI of whoever referred the caller (RFC 3892), as claimed.
    pub referred_by: Option<String>,
}

/// A text (RFC 3428), without its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Who sent it.
    pub peer: Peer,
    /// The sender: the account, or the user part of From.
    pub from: String,
    /// The user part of the request URI.
    pub to: String,
    /// The request URI.
    pub uri: String,
    /// Its length.
    pub bytes: usize,
    /// Of the `text` kind.
    pub content_type: String,
}

/// A REFER of the peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referral {
    /// Its name within the session.
    pub refer: u32,
    /// Whom it names, and in place of which dialog.
    pub to: ReferTo,
    /// The URI of whoever asks (RFC 3892), as claimed.
    pub referred_by: Option<String>,
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
    /// Route values for whatever is sent to it (RFC 3327), the nearest proxy first.
    pub path: Vec<String>,
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
    /// The session was not refreshed in time (RFC 4028 §10); BYE has been sent.
    SessionExpired,
    /// A limit was reached.
    Capacity,
}
