//! What leaves the house: CloudEvents 1.0 made of facts.

mod envelope;
mod kind;
mod mask;
mod personal;
mod sentence;
mod snapshot;

pub use envelope::{Envelopes, Event};
pub(crate) use kind::type_name;
pub(crate) use snapshot::mask_snapshot;

/// A number as the envelope writes it: 20 digits, so that order by text is order by number.
pub(crate) fn sequence(number: u64) -> String {
    format!("{number:020}")
}
