//! What an interpreter is told and what it tells: the seam between `ivr` and whoever runs calls with it.

use media_api::Sound;
use std::time::Duration;

/// How a call comes to a script.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The number or user that was dialled; scripts may start elsewhere for some numbers.
    pub dialled: String,
    /// The language, if it is known before the first word; otherwise the script's first.
    pub language: Option<String>,
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
    /// The transfer's target did not answer.
    TransferFailed,
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
        /// A number, or a SIP URI.
        to: String,
        /// How long it may ring.
        ring: Duration,
    },
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
    /// Something is known of the call: `language`, `topic`, `priority` or the script's own.
    Set {
        /// What.
        key: String,
        /// Its value.
        value: String,
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
        /// `queue`, `transfer` or `hang_up`.
        to: &'static str,
    },
}

/// The deadlines of an interpreter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The caller has this long to press a key.
    NoInput,
}
