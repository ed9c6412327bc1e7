//! The durable log of [`facts::Fact`]s and its folds.
//!
//! [`Journal`] takes facts from the engine without ever making it wait, writes them in groups with one
//! synced transaction each, and lets any number of readers read what is durable. [`fold`] turns facts into
//! what people and integrators want to know: the present state, call records, explanations.
//!
//! The rule for "full": [`Journal::try_append`] gives the facts back. The caller holds them, takes no new
//! calls, and tries again; no fact is ever dropped. A disk that fails is tried again for as long as the
//! process lives, with the facts kept in memory up to [`Config::held_max`].

pub mod fold;
mod journal;
mod recovery;
pub mod store;
mod writer;

pub use journal::{Config, Journal, JournalError, ReadError, Refusal, Refused, Unwritten};
pub use recovery::Recovery;
