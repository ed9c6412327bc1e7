use crate::wall_micros;
use base::Wall;
use serde::{Deserialize, Serialize};

/// A call outside that an `[[outbound]]` rule let through, as its limits remember it for a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeNow {
    /// When it was let through.
    #[serde(with = "wall_micros")]
    pub at: Wall,
    /// The agent or the trunk.
    pub who: String,
    /// The rule.
    pub rule: String,
    /// Thousandths of a cent: what it is taken to cost, and when it is over what it did.
    pub millicents: u64,
}
