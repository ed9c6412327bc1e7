//! What facts say of legs, agents, offers, queues and silence in words of their own.

use serde::{Deserialize, Serialize};

/// A prompt as it was played.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlayedPrompt {
    /// The phrase's key or the file's best source.
    pub prompt: String,
}

/// A key that means nothing where it was pressed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrongKey {
    /// The node.
    pub node: String,
    /// The key.
    pub key: String,
    /// Which try, from 1.
    pub attempt: u32,
}

/// How far a caller's number can be believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustAssessed {
    /// 0 to 100; 60 if nothing speaks for or against it.
    pub score: u8,
    /// What became of a signed statement (RFC 8224): `passed`, `none`, or why it does not hold.
    pub verification: String,
    /// How well the operator knows the caller: `A`, `B`, `C` (RFC 8588), or nothing.
    pub attestation: String,
    /// The operator's name for where the call began (RFC 8588 §5), to be asked by it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub origid: String,
    /// What the score is made of.
    pub reasons: Vec<String>,
}

/// A trunk by which a call could have gone, but did not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassedOver {
    /// Its name in the configuration.
    pub trunk: String,
    /// `channels` or `calls_per_second`: it has no room; `down`: its servers do not answer or are not found, or we are not registered;
    /// `retry_after`: it asked to be left alone for a while.
    pub why: String,
}

/// Whose connection a leg is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegRole {
    /// The person who calls for help.
    Caller,
    /// The person who helps.
    Agent,
    /// A number outside.
    External,
    /// An agent who interprets between the two.
    Interpreter,
    /// An account that listens to the others, whispers to one of them or talks with them.
    Supervisor,
}

/// What a supervisor does in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SupervisionMode {
    /// Hears all, and nobody hears them.
    Listen,
    /// Hears all, and only the agent hears them.
    Whisper,
    /// Hears all, and all hear them.
    Barge,
}

impl SupervisionMode {
    /// As it is written in facts and commands.
    pub fn as_str(self) -> &'static str {
        match self {
            SupervisionMode::Listen => "listen",
            SupervisionMode::Whisper => "whisper",
            SupervisionMode::Barge => "barge",
        }
    }
}

/// What an agent does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentState {
    /// No device is registered.
    LoggedOff,
    /// May be offered a call.
    Ready,
    /// Is being asked to take one.
    Offered,
    /// Talks.
    Talking,
    /// Writes up the last call.
    Wrapup,
    /// Takes no calls, for a reason.
    Paused,
}

/// Why an offer came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferEnd {
    /// The agent said no.
    Rejected,
    /// The deadline passed.
    Expired,
    /// The caller left first.
    Withdrawn,
    /// The device could not be reached.
    Failed,
}

impl LegRole {
    /// Whether it is the agent's whom a call is for, as all were before there were interpreters.
    pub fn is_agent(&self) -> bool {
        *self == LegRole::Agent
    }

    /// That of whoever is asked in a log that names none.
    pub(crate) fn agent() -> LegRole {
        LegRole::Agent
    }
}

/// Why a call could not wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueRefusal {
    /// The queue was full.
    Full,
    /// Nobody who could take it was logged on.
    NobodyThere,
}

/// Why a call waits no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueLeft {
    /// An agent took it.
    Answered,
    /// The caller hung up.
    Abandoned,
    /// It waited too long and the script goes on.
    Timeout,
    /// The engine ended the call.
    Ended,
}

/// What became of a party's speech where it was decoded: for a party with another codec, in a room, or for a tap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeardSpeech {
    /// Packets that came too late, or too many at once, to be heard.
    pub discarded: u64,
    /// Milliseconds that were made up for, because they were lost or late.
    pub concealed_ms: u64,
    /// Milliseconds that were left out or said longer, to follow the sender's clock and the way's length.
    pub stretched_ms: u64,
    /// The longest wait of the leg's speech for what is later, in milliseconds.
    pub longest_wait_ms: u64,
}

/// What a silent leg was seen to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilenceEvidence {
    /// Where the peer said that it would send from.
    pub expected: String,
    /// Where valid packets last came from.
    pub last_source: Option<String>,
    /// Milliseconds of silence.
    pub silent_ms: u64,
    /// Valid packets before it.
    pub received: u64,
    /// Packets refused.
    pub rejected: u64,
    /// RTCP came meanwhile.
    pub rtcp_alive: bool,
}

/// How keys of encrypted media were agreed. Never the keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyFacts {
    /// The suite, by its name in SDES (RFC 4568).
    pub suite: String,
    /// `sdes` or `dtls`.
    pub exchange: String,
    /// Whose offer it was: `us` or `peer`.
    pub offered_by: String,
}

/// How long each part of a call took.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallData {
    /// Milliseconds from arrival to end.
    pub total_ms: u64,
    /// Milliseconds in scripts.
    pub ivr_ms: u64,
    /// Milliseconds in queues.
    pub queue_ms: u64,
    /// Milliseconds with an agent or another party.
    pub talk_ms: u64,
}
