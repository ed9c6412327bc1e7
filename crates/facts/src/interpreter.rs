use serde::{Deserialize, Serialize};

/// A call has waited long enough for its language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueWidened {
    /// Where.
    pub queue: String,
    /// That need not be spoken any more.
    pub language: String,
}

/// A wish for an interpreter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterpreterWish {
    /// The caller's.
    pub language: String,
    /// Where they are sought.
    pub queue: String,
    /// Milliseconds after which the two are left to themselves.
    pub within_ms: u64,
    /// The two do not hear each other before.
    pub parted: bool,
    /// The token that asked; `script` where the script did.
    pub by: String,
}

/// A wish that came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterpreterMiss {
    /// The caller's.
    pub language: String,
    /// Why.
    pub reason: NoInterpreter,
    /// Milliseconds that they were sought.
    pub waited_ms: u64,
}

/// Why no interpreter came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoInterpreter {
    /// Nobody who speaks the language is logged on in the queue.
    NobodyThere,
    /// The queue is full.
    Full,
    /// Nobody answered in time.
    NoAnswer,
    /// The agent, or the caller, was gone before.
    TooLate,
    /// Somebody asked that none be sought any more.
    Cancelled,
}

/// An interpreter who is sought for a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterpreterNow {
    /// Of this language.
    pub language: String,
    /// Among the agents of this queue.
    pub queue: String,
    /// The two do not hear each other before.
    pub parted: bool,
}
