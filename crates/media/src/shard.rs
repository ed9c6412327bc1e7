use base::{Seed, Time};

use crate::api::{PacketRef, ShardConfig, ShardInput, ShardOutput, Why};

/// Many legs and what passes between them.
#[derive(Debug)]
pub struct Shard {
    config: ShardConfig,
    seed: Seed,
    now: Time,
}

impl Shard {
    /// A shard without legs.
    pub fn new(config: ShardConfig, seed: Seed, now: Time) -> Shard {
        Shard { config, seed, now }
    }

    /// Takes one input. All outputs may be taken after it, or after several.
    pub fn handle(&mut self, now: Time, input: ShardInput<'_>) {
        self.now = now;
        let _ = (input, &self.config, &self.seed);
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Time) {
        self.now = now;
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<ShardOutput> {
        None
    }

    /// When to call [`Shard::handle_timeout`] at the latest, and what for.
    pub fn poll_timeout(&self) -> Option<(Time, Why)> {
        None
    }

    /// The bytes of an output.
    pub fn packet(&self, packet: PacketRef) -> &[u8] {
        let _ = packet;
        &[]
    }

    /// How many legs there are.
    pub fn legs(&self) -> usize {
        0
    }
}
