//! What went over the wire in a call, so that it can be seen afterwards: every SIP message of every call is
//! kept for some days, with its secrets masked before it is stored; drawn as a ladder; captured together with
//! its media as a file for Wireshark; and sent on to Homer.
//!
//! [`Trace`] is a thread with bounded queues: a call never waits for it. What it cannot take is dropped and
//! counted. Everything else here is pure.

mod belonging;
pub mod hep;
pub mod ladder;
mod mask;
mod message;
pub mod pcapng;
mod record;
mod segments;
mod thread;

pub use belonging::Belonging;
pub use mask::mask;
pub use message::{Traced, Way, born};
pub use segments::{Found, Limits, read_call};
pub use thread::{Capture, CaptureLimits, Config, Counts, MediaPacket, Trace};
