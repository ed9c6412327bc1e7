//! Queues, agents, skills and offers.

mod api;

pub use api::*;
