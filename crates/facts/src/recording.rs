//! What facts and commands say of recordings in words of their own.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What is to be recorded of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// The party that the call is about in the left channel, and all that it hears in the right one, until the call ends.
    Call,
    /// What that party says alone, in one channel, until it is done.
    Message {
        /// Nothing was said for so long.
        silence: Duration,
        /// It has taken so long.
        longest: Duration,
        /// The party has pressed this key.
        key: Option<char>,
    },
}

impl Recorded {
    /// As it is written in facts and commands.
    pub fn as_str(self) -> &'static str {
        match self {
            Recorded::Call => "call",
            Recorded::Message { .. } => "message",
        }
    }
}

/// Why a recording ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordingEnd {
    /// Somebody asked for it.
    Asked,
    /// Its call did.
    CallEnded,
    /// Of a message: nothing was said for long.
    Silence,
    /// Of a message: nothing was said at all.
    NothingSaid,
    /// Of a message: it has taken as long as it may.
    Longest,
    /// Of a message: the party has pressed the key for that.
    Key,
}

/// The recording of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordingNow {
    /// Its id.
    pub recording: String,
    /// Nothing is recorded for now.
    pub paused: bool,
}
