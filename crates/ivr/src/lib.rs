//! Scripts: from TOML to a checked flow, and its interpreter.

mod api;
mod diff;
mod graph;
mod hearing;
mod interpreter;
mod look_up;
mod script;
mod veil;

pub use api::*;
pub use diff::{Difference, diff, summary};
pub use document::Fault;
pub use graph::{live_svg, mermaid, svg};
pub use hearing::{Heard, Wording, hear, hear_position, wordings};
pub use interpreter::{Interpreter, KEYS_AHEAD_MAX, STEPS_MAX, shown};
pub use look_up::{ANSWER_MAX, Csv, Http, LookUp, Secret, Source, Sql, VALUE_MAX};
pub use script::{Script, ScriptFiles, SoundInventory, Spoken, Step, is_service, schema};
pub use veil::unveiled;
