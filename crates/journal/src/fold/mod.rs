//! Pure folds of facts. Whatever anyone reads about the past or the present is one of these, so no two
//! readers can be told different things.

mod cdr;
mod csv;
mod snapshot;
mod why;

pub use cdr::{Cdr, CdrFold, LegRecord};
pub use csv::{HEADER, csv_row, json_row};
pub use snapshot::SnapshotFold;
pub use why::{Explanation, Step, why};
