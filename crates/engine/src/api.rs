//! What the engine is told and what it gives: the seam between the pure house and its shell.

use crate::Bodies;
use crate::Codecs;
use crate::Numbering;
use crate::OutboundRule;
use crate::PeerTerms;
use crate::Routing;
use crate::context::CallKey;
use base::Wall;
use facts::{Command, Fact};
use ipnet::IpNet;
use media_api::{Addresses, Fingerprint, Sound};
use sip::gruu::Device;
use sip::locate::{Answer, Query};
use sip::ua::Flow;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// What an engine is born with, and what a reload brings.
#[derive(Clone, Debug)]
pub struct Config {
    /// The node's name: part of every call's id.
    pub node: String,
    /// The hash of the files that this was read from.
    pub version: String,
    /// For `system.started`.
    pub program_version: String,
    /// SIP: sockets, accounts, trunks, limits.
    pub sip: sip::ua::Config,
    /// Queues and agents. An agent's name is the user that their device registers.
    pub acd: acd::Config,
    /// How numbers are written, by whom.
    pub numbering: Numbering,
    /// By dialled number or user, in any form: what is dialled is compared in its normal form.
    pub services: BTreeMap<String, Service>,
    /// Whose numbers those are, where several bodies share the installation.
    pub bodies: Bodies,
    /// The trunks whose operators may transfer our callers by REFER; that of any other is declined (603).
    pub referring_trunks: BTreeSet<String>,
    /// The trunks whose operators are asked by REFER to connect a caller of theirs with a number of theirs without us.
    pub referred_trunks: BTreeSet<String>,
    /// The trunks from which texts for agents are taken; those of any other are refused (403).
    pub texting_trunks: BTreeSet<String>,
    /// The service of numbers that are not in `services`, if calls to any number are taken.
    pub otherwise: Option<Service>,
    /// What is offered to whom, and answered.
    pub codecs: Codecs,
    /// What a party hears while the other holds, or while a transfer rings.
    pub hold_music: Option<Sound>,
    /// With whom media is encrypted.
    pub media_terms: PeerTerms,
    /// The accounts that may listen to calls, whisper to their agents and barge in.
    pub supervisors: BTreeSet<String>,
    /// The hash of the certificate that browsers know us by. Without one they are not spoken with.
    pub media_certificate: Option<Fingerprint>,
    /// Networks in which RTP addresses are what they say; elsewhere that of `media_public` is shown in SDP
    /// which is of the same family.
    pub media_public: Addresses,
    /// See `media_public`.
    pub local_nets: Vec<IpNet>,
    /// A party that sends no speech for this long is asked by a re-INVITE whether it is still there.
    pub silence_probe: Duration,
    /// By which trunks numbers outside are called, and what each trunk can carry.
    pub routing: Routing,
    /// What agents may call outside: nothing that no rule opens.
    pub outbound: Vec<OutboundRule>,
    /// The most calls at a time; the next one gets 503.
    pub calls_max: usize,
}

impl Config {
    pub(crate) fn has_account(&self, user: &str) -> bool {
        self.sip.accounts.iter().any(|account| account.user == user)
    }
}

/// What answers a number.
#[derive(Clone, Debug)]
pub enum Service {
    /// A script.
    Script {
        /// Checked.
        script: Arc<ivr::Script>,
        /// The language of callers of this number, if it is known.
        language: Option<String>,
    },
    /// Answered at once, then nothing.
    Silence,
    /// Answered, then this again and again.
    Play(Sound),
    /// Answered, then the caller hears themselves.
    Echo,
    /// Answered, then together with all other callers of the same room.
    Room {
        /// Its name; several numbers may lead to one.
        name: String,
        /// Those who are there hear when somebody comes or leaves.
        chime: bool,
        /// Whoever comes hears these, beside what is said.
        announce: Vec<Sound>,
    },
    /// Put through; answered when the other party answers.
    Dial(Target),
}

impl Service {
    /// Its name in facts.
    pub fn name(&self) -> &str {
        match self {
            Service::Script { script, .. } => script.name(),
            Service::Silence => "silence",
            Service::Play(_) => "play",
            Service::Echo => "echo",
            Service::Room { .. } => "room",
            Service::Dial(_) => "dial",
        }
    }
}

/// Somebody who is to be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The device of the account of this name.
    Agent(String),
    /// One device of an account, and no other.
    Device(Device),
    /// A SIP URI: its host is located (RFC 3263).
    Uri {
        /// As in the request line.
        uri: String,
    },
    /// A number outside, by the trunks of its route; the first trunk, if no route takes it.
    Number {
        /// In any form.
        number: String,
    },
    /// A number outside, by the trunk of this name and no other.
    Trunk {
        /// Its name.
        trunk: String,
        /// In any form; it is sent as the trunk wants it.
        number: String,
    },
}

impl Target {
    /// The account that is rung.
    pub(crate) fn agent(&self) -> Option<&str> {
        match self {
            Target::Agent(agent) => Some(agent),
            Target::Device(device) => Some(&device.user),
            Target::Uri { .. } | Target::Number { .. } | Target::Trunk { .. } => None,
        }
    }
}

/// What can be told to the engine.
#[derive(Clone, Debug)]
pub enum Input {
    /// A message came.
    Sip {
        /// By which way.
        flow: Flow,
        /// One message.
        bytes: Vec<u8>,
    },
    /// A stream could not be opened, or broke.
    FlowFailed {
        /// Which.
        flow: Flow,
    },
    /// A datagram was not sent and never will be: it is too large for the kernel.
    TooLarge {
        /// The message.
        bytes: Vec<u8>,
    },
    /// What came of an [`Output::Resolve`].
    Resolved {
        /// The query.
        query: Query,
        /// What name servers said.
        answer: Answer,
    },
    /// What came of an [`Output::Fetch`].
    Fetched {
        /// Its address.
        url: String,
        /// The document, or that there is none.
        answer: stir::Fetched,
    },
    /// What came of an [`Output::LookUp`].
    LookedUp {
        /// Who asked.
        asker: Asker,
        /// What came of it.
        answer: ivr::Answer,
    },
    /// Media has something to say.
    Media(media_api::Event),
    /// A recording has ended or failed.
    Recorded(media_api::RecordingTold),
    /// What people's clocks say now. Given at birth, and again when it has jumped.
    Wall(Wall),
    /// Somebody outside asks for something. Answered by `Output::Reply`.
    Command {
        /// For the reply.
        id: u64,
        /// Who asks, for the log. Whoever has the name of a body's own, such as `venezia/crm`, asks for nothing but what is
        /// that body's.
        by: String,
        /// What.
        command: Command,
    },
    /// A new configuration, already checked whole: for new calls at once; calls in progress keep their script.
    Reload(Box<Config>),
    /// A configuration was found wrong; for the log only.
    ReloadRefused {
        /// Every fault.
        findings: Vec<String>,
    },
    /// The log takes no more facts for now (true), or takes them again (false). Meanwhile new calls get 503:
    /// what cannot be written down must not happen.
    LogFull(bool),
    /// Take no new calls.
    Drain,
    /// End every call now.
    Stop,
}

/// A look-up of a script.
#[derive(Clone, Debug)]
pub struct Question {
    /// Who asks.
    pub asker: Asker,
    /// Whom to ask.
    pub look_up: Arc<ivr::LookUp>,
    /// What the look-up takes, in its order.
    pub with: Vec<String>,
}

/// A call that asked something, and which of its questions it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asker {
    pub(crate) call: CallKey,
    pub(crate) serial: u32,
}

/// Why a command was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandRefused {
    /// No such agent, call, callback or ban.
    NotFound,
    /// It cannot be done in the present state; nothing changed.
    InvalidState,
    /// A rule of the desk forbids it; nothing changed.
    NotPermitted,
    /// The configuration does not name that account as a supervisor; nothing changed.
    NoSupervisor,
    /// No script that would be closed has this phrase among its messages; nothing changed.
    NoMessage,
}

/// What the engine gives, in the order in which it is to be done.
#[derive(Clone, Debug)]
pub enum Output {
    /// Send this message.
    Sip {
        /// By this way.
        flow: Flow,
        /// One message.
        bytes: Vec<u8>,
    },
    /// Ask a name server, without waiting for it here, and tell what came of it.
    Resolve {
        /// What to ask.
        query: Query,
    },
    /// Fetch this certificate, without waiting for it here, and tell what came of it.
    Fetch(Box<stir::Fetch>),
    /// Ask this, without waiting for it here, and tell what came of it.
    LookUp(Question),
    /// From now on the certificate at this address must bear this name (RFC 5922). Told again and again.
    Expect {
        /// The peer of a TLS connection to come.
        remote: SocketAddr,
        /// A domain, or an address as it stands in a URI.
        name: String,
    },
    /// Tell this to the leg's shard. `Open` names the leg whose shard the new one must share.
    Media {
        /// What.
        command: media_api::Command,
        /// For `Open` alone.
        beside: Option<media_api::LegId>,
    },
    /// Tell this to whoever writes recordings. What becomes of each that is begun is to be told.
    Record(media_api::RecordingOrder),
    /// Who is to be let to the sockets has changed.
    Door(sip::guard::Change),
    /// Write this down.
    Fact(Fact),
    /// The command was done, or not.
    Reply {
        /// Of which command.
        id: u64,
        /// The number of the last fact that it caused, to wait for on disk.
        result: Result<u64, CommandRefused>,
    },
}

/// The deadlines of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// SIP's.
    Sip(sip::ua::Why),
    /// The distributor's.
    Acd(acd::Why),
    /// A caller is to press a key, a transfer has rung long enough, a silent party is to be asked.
    Call,
    /// Somebody is to be called back again.
    Callback,
    /// A caller is to be remembered no longer.
    Memory,
    /// Refused messages are to be summed up.
    Blocked,
}

/// What the log knows of a time before this engine.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// The number of the last fact.
    pub head: Option<u64>,
    /// Calls that had not ended when the process did: they are ended now, with that reason.
    pub broken: Vec<facts::OpenCall>,
    /// Agents who were paused, and why.
    pub paused: Vec<(String, String)>,
    /// Calls outside of the last day that were let through, by the number of the fact.
    pub charges: Vec<(u64, facts::ChargeNow)>,
    /// Who was kept out.
    pub bans: Vec<facts::BanNow>,
    /// What was closed by command.
    pub emergencies: Vec<facts::EmergencyNow>,
    /// Who will be called back, by the number of the fact that says so.
    pub callbacks: BTreeMap<u64, facts::CallbackNow>,
    /// Who was remembered: number, script and what it knew.
    pub memories: Vec<(String, String, facts::MemoryNow)>,
}
