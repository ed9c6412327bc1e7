use crate::wall_micros;
use base::Wall;
use serde::{Deserialize, Serialize};

/// Somebody who will be called back, and is not yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackNow {
    /// The queue whose agents call.
    pub queue: String,
    /// Whom to call.
    pub number: String,
    /// What they had dialled.
    pub dialled: String,
    /// The skill wanted.
    pub language: String,
    /// The skill wanted; empty for any.
    pub topic: String,
    /// Higher is served first.
    pub priority: u8,
    /// When they began to wait: they keep that place.
    #[serde(with = "wall_micros")]
    pub since: Wall,
    /// How often they are called at most.
    pub tries: u32,
    /// Milliseconds between two tries.
    pub pause_ms: u64,
    /// How often they have been called.
    pub attempts: u32,
    /// When the last try failed; before the first, when they asked.
    #[serde(with = "wall_micros")]
    pub at: Wall,
    /// They are left alone for the pause that began then.
    pub pauses: bool,
}
