//! Cases of a script: a call as a person would make it, and what shall come of it.
//!
//! A case stands in TOML beside the script ([`read`]). It is played by the real engine, its interpreter and its
//! distributor, in virtual time, with a caller, the agents and a party outside whose phones do what the case says
//! ([`Desk::play`]). What was found is compared with what was expected, and counted ([`Coverage`]).

mod agenda;
mod coverage;
mod desk;
mod expected;
mod fingers;
mod given;
mod led;
mod messages;
mod play;
mod read;
mod record;
mod schema;
mod story;

pub use coverage::Coverage;
pub use expected::Difference;
pub use play::{Desk, Played};
pub use read::{Case, read};
pub use record::record;
pub use schema::schema;
