//! A steady tick of secured legs allocates nothing either.

// What is no test itself counts as production code for the lints.
#![allow(clippy::unwrap_used)]

mod world;

use std::alloc::System;
use std::net::SocketAddr;
use std::time::Duration;

use base::{Seed, Time};
use media::srtp::Sealer;
use media::{PacketKind, Shard, ShardConfig, ShardInput, ShardOutput};
use media_api::{Command, KeyExchange, Keys, LegId, MasterKey, Offerer, Security, Stream, Suite};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use world::{A, B, Rtp, party, stream};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn secured(leg: LegId, suite: Suite) -> (Stream, Sealer) {
    let key = |fill| MasterKey::from_bytes(suite, &vec![fill; suite.master_length()]).unwrap();
    let (ours, theirs) = (key(1), key(2));
    let sealer = Sealer::new(&theirs).unwrap();
    let keys = Keys { ours, theirs, their_name: None, exchange: KeyExchange::Sdes, offerer: Offerer::Us };
    (Stream { security: Security::Keyed(Box::new(keys)), ..stream(leg) }, sealer)
}

#[test]
fn relaying_between_secured_legs_allocates_nothing() {
    let mut shard = Shard::new(ShardConfig::default(), Seed::from_number(1), Time::ZERO);
    let mut sealers = Vec::new();
    for (leg, suite) in [(A, Suite::AesCm128HmacSha1Tag80), (B, Suite::AesGcm256)] {
        let local = SocketAddr::from(([127, 0, 0, 1], 16384 + leg.0 as u16 * 2));
        shard.handle(Time::ZERO, ShardInput::Opened { leg, local });
        let (stream, sealer) = secured(leg, suite);
        sealers.push((leg, sealer));
        shard.handle(Time::ZERO, ShardInput::Command(Command::Configure { leg, stream }));
    }
    shard.handle(Time::ZERO, ShardInput::Command(Command::Bridge { a: A, b: B }));
    let mut packets = Vec::new();
    for n in 0..3000u16 {
        for (leg, sealer) in &mut sealers {
            let mut bytes = Rtp::speech(n, u32::from(n) * 160, leg.0 as u32).bytes();
            sealer.seal(&mut bytes, 0).unwrap();
            packets.push((*leg, bytes));
        }
    }
    let (mut now, mut sent) = (Time::ZERO, 0);
    let mut run = |packets: &[(LegId, Vec<u8>)]| {
        for (leg, bytes) in packets {
            now = now + Duration::from_millis(10);
            let input = ShardInput::Packet { leg: *leg, kind: PacketKind::Rtp, from: party(*leg), bytes };
            shard.handle(now, input);
            shard.handle_timeout(now);
            while let Some(output) = shard.poll_output() {
                sent += usize::from(matches!(output, ShardOutput::Send { kind: PacketKind::Rtp, .. }));
            }
        }
    };
    let (warm, steady) = packets.split_at(2000);
    run(warm);
    let region = Region::new(ALLOCATOR);
    run(steady);
    let change = region.change();
    assert_eq!((change.allocations, change.reallocations), (0, 0), "{change:?}");
    assert_eq!(sent, packets.len());
}
