#![no_main]
//! RTP, RTCP and extended reports, sound and broken, into two legs that hear each other: nothing panics, every turn ends,
//! and what is sent on is never longer than what came.

use std::net::SocketAddr;
use std::time::Duration;

use base::{Seed, Time};
use libfuzzer_sys::fuzz_target;
use media::{PacketKind, Shard, ShardConfig, ShardInput, ShardOutput};
use media_api::{Codec, Command, LegId, Stream};

const LEGS: [LegId; 2] = [LegId(1), LegId(2)];

fn party(leg: LegId) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, leg.0 as u8], 4000))
}

// Packets: which leg and socket, milliseconds to the one before, a length of two bytes, and so many bytes.
fuzz_target!(|bytes: &[u8]| {
    let mut shard = Shard::new(ShardConfig::default(), Seed::from_number(1), Time::ZERO);
    let mut now = Time::from_millis(1000);
    for leg in LEGS {
        let local = SocketAddr::from(([198, 51, 100, 1], 16_384 + leg.0 as u16 * 2));
        shard.handle(now, ShardInput::Opened { leg, local });
        let stream = Stream::plain(party(leg), Codec::Pcma, 8).with_digits(101);
        shard.handle(now, ShardInput::Command(Command::Configure { leg, stream }));
    }
    shard.handle(now, ShardInput::Command(Command::Bridge { a: LEGS[0], b: LEGS[1] }));
    let mut rest = bytes;
    while let Some(([way, millis, l0, l1], after)) = rest.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes([*l0, *l1]) % 1600);
        let (packet, after) = after.split_at(length.min(after.len()));
        rest = after;
        now = now + Duration::from_millis(u64::from(*millis));
        let leg = LEGS[usize::from(way % 2)];
        let kind = if way & 2 == 0 { PacketKind::Rtp } else { PacketKind::Rtcp };
        let from = if way & 4 == 0 { party(leg) } else { SocketAddr::from(([203, 0, 113, 9], 9)) };
        shard.handle(now, ShardInput::Packet { leg, kind, from, bytes: packet });
        shard.handle_timeout(now);
        for turn in 0.. {
            assert!(turn < 10_000, "a turn ends");
            let Some(output) = shard.poll_output() else { break };
            if let ShardOutput::Send { packet: sent, .. } = output {
                assert!(shard.packet(sent).len() <= packet.len().max(400));
            }
        }
    }
});
