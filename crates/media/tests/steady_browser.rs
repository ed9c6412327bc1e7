//! A steady tick of a browser's leg allocates nothing.

// What is no test itself counts as production code for the lints.
#![allow(clippy::unwrap_used)]

mod world;

use std::alloc::System;
use std::net::SocketAddr;
use std::time::Duration;

use base::{Seed, Time};
use media::srtp::Sealer;
use media::{HandshakeTold, PacketKind, Shard, ShardConfig, ShardInput, ShardOutput};
use media_api::{
    Command, Handshake, IceCredentials, KeyExchange, Keys, LegId, MasterKey, Offerer, Security, Stream, Suite,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use stun::{Key, Kind, Role, Writer};
use world::{A, B, Rtp, party, stream};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What a browser sends in a talk: speech, and a check every other second.
#[test]
fn talking_with_a_browser_allocates_nothing() {
    let mut shard = Shard::new(ShardConfig::default(), Seed::from_number(1), Time::ZERO);
    let suite = Suite::AesCm128HmacSha1Tag80;
    let [ours, theirs] =
        [1, 2].map(|fill| MasterKey::from_bytes(suite, &vec![fill; suite.master_length()]).unwrap());
    let mut sealer = Sealer::new(&theirs).unwrap();
    let (exchange, offerer) = (KeyExchange::Dtls, Offerer::Peer);
    let keys = Box::new(Keys { ours, theirs, their_name: None, exchange, offerer });
    let password = "a+password+of+ICE+itself";
    let [ours, theirs] = ["ours", "theirs"].map(|ufrag| IceCredentials::new(ufrag, password).unwrap());
    let handshake =
        Handshake { ours, theirs, fingerprints: Vec::new(), tls_id: None, offerer: Offerer::Peer };
    let browser = Stream { rtcp_mux: true, security: Security::Handshake(Box::new(handshake)), ..stream(A) };
    for (leg, stream) in [(A, browser), (B, stream(B))] {
        let local = SocketAddr::from(([127, 0, 0, 1], 16384 + leg.0 as u16 * 2));
        shard.handle(Time::ZERO, ShardInput::Opened { leg, local });
        shard.handle(Time::ZERO, ShardInput::Command(Command::Configure { leg, stream }));
    }
    shard.handle(Time::ZERO, ShardInput::Command(Command::Bridge { a: A, b: B }));
    let told = HandshakeTold::Keys(keys);
    shard.handle(Time::ZERO, ShardInput::Handshake { leg: A, number: 1, told });
    let mut check = Vec::new();
    let writer = Writer::new(&mut check, Kind::Request, &[7; 12]).username("ours:theirs").priority(1);
    writer.role(Role::Controlling(1)).nominating().sign(&Key::of(password)).fingerprint();
    let speech = |n: u16, ssrc| Rtp::speech(n, u32::from(n) * 160, ssrc).bytes();
    let mut packets = Vec::new();
    for n in 0..3000u16 {
        let mut sealed = speech(n, 7);
        sealer.seal(&mut sealed, 0).unwrap();
        packets.push([
            (A, sealed),
            (B, speech(n, 8)),
            (A, if n % 50 == 0 { check.clone() } else { vec![64] }),
        ]);
    }
    let (mut now, mut sent) = (Time::ZERO, 0);
    let mut run = |packets: &[[(LegId, Vec<u8>); 3]]| {
        for (leg, bytes) in packets.iter().flatten() {
            now = now + Duration::from_micros(6666);
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
    assert!(sent > 2 * 2999 + 60, "speech both ways and answers to checks: {sent}");
}
