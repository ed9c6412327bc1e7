//! The words that every crate shares: time, chance, ids, queues, names of bodies and texts within XML. No dependencies.
//!
//! Nothing here reads a clock or draws from the system's randomness; both are handed in by the shell.

mod body;
mod bounded;
mod numbered;
mod outputs;
mod seed;
mod slots;
mod time;
pub mod xml;

pub use body::{BODY_MARK, body_of, may_name, name_in, named, without_body};
pub use bounded::Bounded;
pub use numbered::Numbered;
pub use outputs::next_output;
pub use seed::{Rng, Seed};
pub use slots::{Key, Slots};
pub use time::{Time, Wall};
