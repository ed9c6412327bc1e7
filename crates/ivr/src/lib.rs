//! Scripts: from TOML to a checked flow, and its interpreter.

mod api;

pub use api::*;
