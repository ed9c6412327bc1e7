use crate::{FactKind, wall_micros};
use base::Wall;
use serde::{Deserialize, Serialize};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// Its place in the log: contiguous, never given twice.
    pub number: u64,
    /// When, by the wall clock.
    #[serde(with = "wall_micros")]
    pub at: Wall,
    /// The call that it belongs to: one id for the caller's whole experience.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// The body whose it is, where several share an installation; nothing if it is the installation's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Its place among the call's facts, from 1, contiguous; 0 outside of calls.
    #[serde(default)]
    pub callseq: u32,
    /// What.
    pub kind: FactKind,
}
