//! RTP, RTCP, keys, prompts and the relay: everything that happens to a call's packets, without sockets,
//! threads or clocks.
//!
//! A [`Shard`] owns many legs. The shell hands it packets, commands and the time, and does what it puts out.

mod api;
mod cadence;
mod contributors;
mod deadlines;
mod ear;
mod ice;
pub mod jitter;
mod keys;
mod leg;
mod line;
mod loudness;
mod outbox;
mod player;
mod presses;
mod quality;
mod reception;
mod relay;
mod reports;
mod room;
mod rtcp;
mod rtp;
mod shard;
mod sounds;
mod source;
mod spans;
pub mod srtp;
mod voice;
mod watchdog;

pub use api::{
    HandshakeAct, HandshakePeer, HandshakeTold, PacketKind, PacketRef, ShardConfig, ShardInput, ShardOutput,
    Why,
};
pub use audio::Clip;
pub use shard::{MovingLeg, Shard};
