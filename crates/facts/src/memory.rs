//! What is remembered of callers, because they have agreed to it.

use crate::wall_micros;
use base::Wall;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A caller's language is known to a script, for so long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallerRemembered {
    /// To which script, and to no other.
    pub script: String,
    /// The caller's, in its normal form.
    pub number: String,
    /// The language.
    pub language: String,
    /// How long, in seconds from this fact on.
    pub for_s: u64,
}

/// Nothing is known of a caller any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallerForgotten {
    /// To which script.
    pub script: String,
    /// The caller's number.
    pub number: String,
    /// `refused`: the caller no longer agrees; `expired`; `erased`: a person asked for it; `evicted`: there was no room for
    /// more.
    pub why: String,
    /// The client that asked for it, if one did.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub by: String,
}

/// What a script knows of a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryNow {
    /// The language of whoever called last from there.
    pub language: String,
    /// Until then.
    #[serde(with = "wall_micros")]
    pub until: Wall,
}

impl MemoryNow {
    /// What a fact of this time says.
    pub fn new(at: Wall, remembered: &CallerRemembered) -> MemoryNow {
        let until = at + Duration::from_secs(remembered.for_s);
        MemoryNow { language: remembered.language.clone(), until }
    }
}
