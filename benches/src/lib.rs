//! What the floor programs and the load have in common.
//!
//! * `floor_tight`: receive and send, nothing else, never waiting: what the kernel costs.
//! * `floor_tick`: the same on the tick of the product's media shards: what the product is held against.
//! * `load`: the packets and the ears, in a process of its own so that its CPU is nobody else's.

pub mod args;
pub mod cpu;
pub mod rtp;
pub mod sockets;
pub mod talk;
