//! What a user agent can be asked to do.

use super::{Account, Config, Contact, EarlyMedia, SessionId, TextId, Towards, Warning};
use crate::guard::Ban;
use crate::referral::ReferTo;
use ipnet::IpNet;
use std::time::Duration;

/// The hops that a request may take (RFC 3261 §8.1.1.6).
pub const MAX_FORWARDS: u8 = 70;

/// What a user agent can be asked to do. An act on a session that is over is passed over: the session's
/// `Ended` has been, or is about to be, handed out.
#[derive(Clone, Debug)]
pub enum Do {
    /// Tell the caller how far the call is: 180 if someone is being alerted, 183 for what can be heard
    /// already. It is sent reliably (RFC 3262) if the caller knows that, and repeated every minute.
    Progress {
        /// An incoming session without a final answer.
        session: SessionId,
        /// 101 to 199.
        status: u16,
        /// The answer to the INVITE's offer, for early media. Passed over if the INVITE had no offer.
        sdp: Option<Vec<u8>>,
        /// What the caller's network is told of it, if it understands that (RFC 5009).
        early_media: Option<EarlyMedia>,
    },
    /// Answer an incoming session with 200 and this SDP.
    Accept {
        /// An incoming session without a final answer.
        session: SessionId,
        /// The answer, or the offer if the INVITE had none. Not sent if an answer was, reliably, before.
        sdp: Vec<u8>,
    },
    /// Refuse an incoming session.
    Refuse {
        /// An incoming session without a final answer.
        session: SessionId,
        /// 300 to 699.
        status: u16,
        /// Q.850, for the Reason header (RFC 3326); what the status means if it is not given.
        q850: Option<u8>,
        /// What is wrong, for people.
        warning: Option<Warning>,
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
        /// Q.850, for the Reason header: 16 if it is not given. A CANCEL for 26 says that somebody else
        /// answered.
        q850: Option<u8>,
    },
    /// Offer anew (hold, resume, a new address): by a re-INVITE in an established session; before the final
    /// answer by an UPDATE, if the first offer has been answered reliably and the peer takes UPDATE.
    Reoffer {
        /// A session without an offer on its way.
        session: SessionId,
        /// The offer.
        sdp: Vec<u8>,
    },
    /// Answer the peer's new offer: a re-INVITE, an UPDATE, or a PRACK.
    AcceptReoffer {
        /// A session with an unanswered `Reoffered`.
        session: SessionId,
        /// The answer (or the offer, if the re-INVITE had none).
        sdp: Vec<u8>,
    },
    /// Refuse the peer's new offer; the session goes on as it was.
    RefuseReoffer {
        /// A session with an unanswered `Reoffered`.
        session: SessionId,
        /// 488 as a rule.
        status: u16,
        /// What is wrong, for people.
        warning: Option<Warning>,
    },
    /// Send a key by INFO, after those that are under way. Passed over if the peer does not say that it takes INFO.
    SendKey {
        /// An established session.
        session: SessionId,
        /// 0-9, *, #, A-D.
        key: char,
    },
    /// Ask the peer to call somebody else (REFER, RFC 3515). What becomes of it is told by `Event::ReferProgress`.
    Refer {
        /// An established session.
        session: SessionId,
        /// Whom to call.
        refer: Refer,
    },
    /// Accept a REFER of the peer (202), or refuse it.
    AnswerRefer {
        /// A session with an unanswered `Referred`.
        session: SessionId,
        /// Which, as `Referral::refer` says.
        refer: u32,
        /// 202, or 300 to 699.
        status: u16,
    },
    /// Tell the peer how far the call that it asked for has come (NOTIFY with `message/sipfrag`). A REFER that
    /// was accepted is to get a final status in the end. The session itself may be over.
    ReferProgress {
        /// Which.
        session: SessionId,
        /// Which, as `Referral::refer` says.
        refer: u32,
        /// 100 to 699.
        status: u16,
    },
    /// What an account does, for those who watch it (RFC 4235).
    Occupation {
        /// Who.
        user: String,
        /// What.
        occupation: Occupation,
    },
    /// How many messages wait for an account (RFC 3842).
    Messages {
        /// Whose.
        user: String,
        /// Not heard yet.
        new: u32,
        /// Heard.
        old: u32,
    },
    /// Hand a text on to a device; what the device answers is the sender's answer.
    ForwardText {
        /// One of `TextArrived`.
        text: TextId,
        /// The user part of From towards the device.
        from: String,
        /// The device.
        to: Box<Contact>,
    },
    /// Refuse a text.
    RefuseText {
        /// One of `TextArrived`.
        text: TextId,
        /// 300 to 699.
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
    /// Keep somebody out: a person says so, or the log of the time before.
    Ban {
        /// Whom, until when and why.
        ban: Box<Ban>,
    },
    /// Let somebody in again.
    LiftBan {
        /// As the ban says.
        source: IpNet,
    },
    /// New accounts, trunks and openings; sessions go on.
    Reconfigure {
        /// The whole new configuration. `listen`, `timers` and `limits` stay as they were.
        config: Box<Config>,
    },
}

impl Do {
    /// Someone is being alerted: 180.
    pub fn ring(session: SessionId) -> Do {
        Do::Progress { session, status: 180, sdp: None, early_media: None }
    }
}

/// What can be tried after the last way to a callee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elsewhere {
    /// Nothing: the callee may be slow.
    Nowhere,
    /// Something that has failed of late, or may not take the call: better than a way from which nothing comes at all.
    Doubtful,
    /// Something that works: better, too, than a way from which nothing but 100 comes.
    Ready,
}

/// Whom to call, and how.
#[derive(Clone, Debug)]
pub struct Call {
    /// Where the request goes. Of several ways the next is tried if one fails, is silent or says 503
    /// (RFC 3263 §4.3).
    pub towards: Towards,
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
    /// What its user has left to try when all ways are used up.
    pub elsewhere: Elsewhere,
    /// Help in danger: servers that asked to be left alone (503 with Retry-After) are tried too, after all others.
    pub urgent: bool,
    /// The Max-Forwards of the INVITE: [`MAX_FORWARDS`], but for a call that is put through one less than it came
    /// with, so that a loop over other exchanges has an end (RFC 7332 §4).
    pub max_forwards: u8,
}

/// What an account does, as far as others may know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occupation {
    /// It is in no call.
    None,
    /// It is being rung.
    Rung,
    /// It is in a call.
    Talking,
}

/// A REFER of ours.
#[derive(Clone, Debug)]
pub struct Refer {
    /// Whom the peer is to call, and in place of whom.
    pub to: ReferTo,
    /// The URI of whoever asks for it (RFC 3892).
    pub referred_by: Option<String>,
}

/// A registration that we keep with a server.
#[derive(Clone, Debug)]
pub struct Registration {
    /// Ours, for `RegistrationUp` and `RegistrationDown`.
    pub name: String,
    /// Where the registrar is.
    pub towards: Towards,
    /// The domain of the address of record.
    pub domain: String,
    /// Who we are there.
    pub account: Account,
    /// What we ask for; the registrar decides.
    pub expires: Duration,
}
