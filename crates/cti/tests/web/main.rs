//! The web face before a real log: one program, so that what all its tests share is built once.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails says where")]

mod bodies;
mod envelopes;
mod ivr;
mod page;
mod raw_log;
mod requests;
mod streams;
mod support;
mod versions;
