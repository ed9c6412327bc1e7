//! What an interpreter is told and what it tells: the seam between `ivr` and whoever runs calls with it.

use crate::LookUp;
use media_api::Sound;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How a call comes to a script, with all that is known of every call.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// The number or user that was dialled, as the script writes it under `[numbers]`, where it may start elsewhere.
    pub written: String,
    /// The same in its normal form: `$dialled`.
    pub dialled: String,
    /// Who calls, in the normal form: `$caller`.
    pub caller: String,
    /// How far the caller's number can be believed, from 0 to 100: `$trust`.
    pub trust: String,
    /// The language, if it is known before the first word; otherwise the script's first.
    pub language: Option<String>,
    /// What is known of who comes from another service of the house: `topic`, `priority`.
    pub brought: BTreeMap<String, String>,
    /// The language that is remembered of the caller, for scripts that remember. It gives way to `language`, and to what the
    /// script says of the number that was dialled.
    pub remembered: Option<String>,
}

/// A desk that somebody has closed by command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// Who and why; told as the rule that decided, wherever a calendar is asked.
    pub rule: String,
    /// The phrase that is heard before anything else; empty for none.
    pub message: String,
}

/// What can be told to an interpreter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The caller can hear: begin.
    Start,
    /// A key.
    Digit(char),
    /// The sounds of the last `Play` ended.
    Played {
        /// Each was heard to its end.
        complete: bool,
    },
    /// The queue gave the call back.
    QueueEnded(QueueEnd),
    /// Whom the call was to be put through to did not take it.
    TransferFailed(TransferEnd),
    /// What came of the look-up of this number.
    LookedUp {
        /// The number that `Output::LookUp` told.
        serial: u32,
        /// What came of it.
        answer: Answer,
    },
    /// What came of the wish to be called back.
    CalledBack {
        /// It will be done.
        accepted: bool,
    },
    /// The caller's message has ended.
    MessageEnded(MessageEnd),
}

/// What comes of a look-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// There is something: what becomes known of the call, by name.
    Found(BTreeMap<String, String>),
    /// There is nothing.
    Missing,
    /// Nobody answered, or nothing that could be understood.
    Failed,
}

/// Why nobody took a call that was put through: `$transfer_failed` from then on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferEnd {
    /// They talk, are being asked, or write up a call.
    Busy,
    /// They let it ring.
    NoAnswer,
    /// They said no.
    Declined,
    /// The agent takes no calls.
    Paused,
    /// No device of the agent is there.
    LoggedOff,
    /// There is nobody of that name or number.
    Unknown,
    /// They could not be reached, or not be heard.
    Unreachable,
}

impl TransferEnd {
    /// All of them.
    pub const ALL: [TransferEnd; 7] = [
        TransferEnd::Busy,
        TransferEnd::NoAnswer,
        TransferEnd::Declined,
        TransferEnd::Paused,
        TransferEnd::LoggedOff,
        TransferEnd::Unknown,
        TransferEnd::Unreachable,
    ];

    /// As scripts and facts write it.
    pub fn as_str(self) -> &'static str {
        match self {
            TransferEnd::Busy => "busy",
            TransferEnd::NoAnswer => "no_answer",
            TransferEnd::Declined => "declined",
            TransferEnd::Paused => "paused",
            TransferEnd::LoggedOff => "logged_off",
            TransferEnd::Unknown => "unknown",
            TransferEnd::Unreachable => "unreachable",
        }
    }
}

/// How a message ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageEnd {
    /// It is kept.
    Kept,
    /// The caller said nothing.
    Empty,
    /// It could not be kept.
    Failed,
}

/// Why a queue gives a call back to the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueEnd {
    /// It waited as long as `overflow_after` says.
    Overflow,
    /// The queue is full.
    Full,
    /// No agent who could ever take it is logged on.
    NobodyThere,
    /// An agent talked with the caller and has hung up. Only for a wait that the script [`follows`](Wait::follows).
    Ended,
}

/// What an interpreter asks for, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Play these; `Input::Played` follows, unless `Stop` or another `Play` comes first.
    Play {
        /// One after the other.
        sounds: Vec<Sound>,
    },
    /// Be silent at once.
    Stop,
    /// Let the call wait for an agent. The interpreter rests until `QueueEnded`.
    Queue(Wait),
    /// Put the call through. The interpreter rests until `TransferFailed`.
    Transfer {
        /// A number, a SIP URI, or a service of the house (see [`is_service`](crate::is_service)).
        to: String,
        /// How long it may ring.
        ring: Duration,
    },
    /// Put the call through to this agent and nobody else. The interpreter rests until `TransferFailed`.
    TransferToAgent {
        /// Their name.
        agent: String,
        /// How long they may be rung.
        ring: Duration,
    },
    /// Ask, and tell `Input::LookedUp`. The interpreter waits as long as the look-up allows and no longer.
    LookUp {
        /// Of this question; from 1.
        serial: u32,
        /// Whom to ask.
        look_up: Arc<LookUp>,
        /// What the look-up takes, in its order.
        with: Vec<String>,
    },
    /// The caller is to be called back. The interpreter rests until `CalledBack`.
    CallBack(CallBack),
    /// Record what the caller says. The interpreter rests until `MessageEnded`.
    Message {
        /// For whom.
        mailbox: String,
        /// The most.
        longest: Duration,
        /// So much silence ends it.
        silence: Duration,
    },
    /// Remember the caller's language, who has agreed to it.
    Remember {
        /// It.
        language: String,
        /// For so long from now on; for what is left of the time before, if they agreed then.
        length: Option<Duration>,
    },
    /// Remember nothing of the caller, who does not agree.
    Forget,
    /// End the call. Nothing more comes.
    HangUp {
        /// The script's own reason.
        reason: String,
    },
    /// For the log.
    Trace(Trace),
}

/// A wait for an agent.
#[derive(Clone, Debug, PartialEq)]
pub struct Wait {
    /// Where.
    pub queue: String,
    /// The skill wanted: the call's language.
    pub language: String,
    /// The skill wanted: the call's topic; empty if none was chosen.
    pub topic: String,
    /// Higher is served first; 0 to 9.
    pub priority: u8,
    /// Give the call back after this wait.
    pub overflow_after: Option<Duration>,
    /// Tell the caller the place this often; the first time at once.
    pub position_every: Option<Duration>,
    /// What is heard meanwhile, for ever.
    pub music: Option<Sound>,
    /// The script goes on with the caller when the agent hangs up: `QueueEnded` with `Ended`.
    pub follows: bool,
    /// Somebody is to interpret where the agent does not speak the language.
    pub interpreter: Option<Interpreting>,
}

/// When agents without the caller's language are asked too, and who interprets then.
#[derive(Clone, Debug, PartialEq)]
pub struct Interpreting {
    /// Its agents interpret.
    pub queue: String,
    /// For so long only agents with the language are sought.
    pub after: Duration,
    /// For so long an interpreter is sought, once an agent without it has answered.
    pub within: Duration,
    /// What the caller hears first while one is.
    pub say: Vec<Sound>,
}

/// A wish to be called back: what the caller would have waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallBack {
    /// Where.
    pub queue: String,
    /// Whom to call.
    pub number: String,
    /// The skill wanted: the call's language.
    pub language: String,
    /// The skill wanted: the call's topic; empty if none was chosen.
    pub topic: String,
    /// Higher is served first; 0 to 9.
    pub priority: u8,
    /// How often to call at most.
    pub tries: u32,
    /// Between one try and the next.
    pub pause: Duration,
}

/// What happened in the script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trace {
    /// The flow came to a node.
    Entered {
        /// Which.
        node: String,
    },
    /// Prompts began.
    PromptStarted {
        /// Where.
        node: String,
        /// Each by its best source.
        prompts: Vec<String>,
    },
    /// Prompts ended.
    PromptEnded {
        /// Where.
        node: String,
        /// Heard to the end.
        complete: bool,
    },
    /// A key chose something.
    Chosen {
        /// Where.
        node: String,
        /// The key.
        key: char,
        /// The node, language or value that it chose.
        choice: String,
    },
    /// Nothing was pressed in time.
    NoInput {
        /// Where.
        node: String,
        /// From 1.
        attempt: u32,
    },
    /// A key that means nothing here.
    NoMatch {
        /// Where.
        node: String,
        /// The key.
        key: char,
        /// From 1.
        attempt: u32,
    },
    /// Digits were typed.
    Collected {
        /// Where.
        node: String,
        /// They; a dot for each one that nobody shall read.
        digits: String,
    },
    /// A question was answered.
    Surveyed {
        /// Where.
        node: String,
        /// Which.
        question: String,
        /// The key.
        answer: char,
    },
    /// Something is known of the call: `language`, `topic`, `priority` or the script's own.
    Set {
        /// What.
        key: String,
        /// Its value; a dot for each character that nobody shall read.
        value: String,
    },
    /// Something was asked.
    LookedUp {
        /// Where.
        node: String,
        /// Which look-up.
        look_up: String,
        /// `found`, `missing`, `failed` or `late`.
        outcome: &'static str,
        /// How long the caller waited.
        waited: Duration,
    },
    /// A calendar decided.
    Hours {
        /// Which.
        calendar: String,
        /// The decision.
        open: bool,
        /// The rule that decided.
        rule: String,
    },
    /// The flow gave the call on.
    Left {
        /// The last node.
        node: String,
        /// `queue`, `transfer`, `callback`, `message` or `hang_up`.
        to: &'static str,
    },
}

/// The deadlines of an interpreter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The caller has this long to press a key.
    NoInput,
    /// So long is an answer waited for.
    LookUp,
}
