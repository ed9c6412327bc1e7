//! The HTTP and WebSocket face of the log.
//!
//! Integrators read facts as CloudEvents, resume from any number, take snapshots and send commands.
//! Every reader reads the durable log itself: a slow one costs disk reads, never memory and never a call.
//! `docs/cti.md` is the integrator's page.

mod access;
mod command;
mod config;
mod connection;
mod counters;
mod error;
mod feed;
mod filter;
mod metrics;
mod problem;
mod reload;
mod routes;
mod scripts;
mod server;
mod sight;
mod stream;
mod versions;
mod wire;

pub use access::{Scope, Token, TokenError};
pub use command::{CommandCode, CommandError, CommandRequest};
pub use config::{CtiConfig, Limits, RecordingFiles};
pub use counters::{Counter, Counters};
pub use error::CtiError;
pub use reload::{ReloadRequest, Reloaded};
pub use scripts::Scripts;
pub use server::{CtiServer, serve};
pub use versions::{ScriptVersion, ScriptVersions};
pub use wire::{Envelopes, Event};
