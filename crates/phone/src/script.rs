//! What a phone does in one run of a command line: call or answer, press keys, play, listen, record, hang
//! up. Every step is told in a line; the first that fails decides the outcome.

mod plan;
mod run;

pub use plan::{BadStep, Deed, Expectation, Key, Keys, Plan, Speech, parse_span};
pub use run::run;
