//! Pure folds of facts. Whatever anyone reads about the past or the present is one of these, so no two
//! readers can be told different things.

mod callbacks;
mod cdr;
mod csv;
mod ivr;
mod memories;
mod reachability;
mod snapshot;
mod why;

pub use cdr::{Cdr, CdrFold, LegRecord, Origin};
pub use csv::{HEADER, csv_row, json_row};
pub use ivr::{IvrFold, NodeCounts};
pub use reachability::{REACHABILITY_HEADER, Reach, ReachabilityFold};
pub use snapshot::SnapshotFold;
pub use why::{Explanation, Step, why};
