//! A steady tick allocates nothing.

mod world;

use std::alloc::System;
use std::net::SocketAddr;
use std::time::Duration;

use base::{Seed, Time};
use media::jitter::{Arrived, Content, JitterBuffer, Taken};
use media::{PacketKind, Shard, ShardConfig, ShardInput, ShardOutput};
use media_api::{Codec, Command, Heard, LegId, PlayId, RoomId, Seat, SpeakersTold, Stream, Tapping};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use world::{PCMU, Rtp, clip, party, sound, stream, written};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Ticks until every buffer has grown: music has begun again by then.
const WARM: u64 = 2000;
/// Frames in which nothing may be allocated. Not so many that the test takes a minute: its harness would say so, and what it
/// says is allocated.
const FRAMES: u64 = 300;

struct Hall {
    shard: Shard,
    now: Time,
    sent: usize,
    bytes: usize,
}

impl Hall {
    fn new(legs: u64) -> Hall {
        Hall::with(legs, Codec::Pcmu)
    }

    /// Every fourth leg speaks this codec.
    fn with(legs: u64, other: Codec) -> Hall {
        let config = ShardConfig { legs_max: legs as usize, ..ShardConfig::default() };
        let mut shard = Shard::new(config, Seed::from_number(1), Time::ZERO);
        for n in 1..=legs {
            let local = SocketAddr::from(([127, 0, 0, 1], 16384 + n as u16 * 2));
            shard.handle(Time::ZERO, ShardInput::Opened { leg: LegId(n), local });
            let mut stream = stream(LegId(n));
            if n % 4 == 0 {
                (stream.codec, stream.payload_type) = (other, other.static_payload_type().unwrap_or(PCMU));
            }
            shard.handle(Time::ZERO, ShardInput::Command(Command::Configure { leg: LegId(n), stream }));
        }
        Hall { shard, now: Time::ZERO, sent: 0, bytes: 0 }
    }

    fn command(&mut self, command: Command) {
        self.shard.handle(self.now, ShardInput::Command(command));
    }

    fn drain(&mut self) {
        while let Some(output) = self.shard.poll_output() {
            if let ShardOutput::Send { packet, .. } | ShardOutput::Heard { packet, .. } = output {
                self.sent += 1;
                self.bytes += self.shard.packet(packet).len();
            }
        }
    }

    /// Ticks of 5 ms; in every fourth one all packets come in.
    fn run(&mut self, ticks: u64, packets: &mut [(LegId, SocketAddr, Vec<u8>)]) {
        for tick in 0..ticks {
            self.now = self.now + Duration::from_millis(5);
            if tick % 4 == 0 {
                for (leg, from, bytes) in packets.iter_mut() {
                    move_on(bytes);
                    let input = ShardInput::Packet { leg: *leg, kind: PacketKind::Rtp, from: *from, bytes };
                    self.shard.handle(self.now, input);
                }
            }
            self.shard.handle_timeout(self.now);
            self.drain();
        }
    }
}

/// The next packet of the same sender.
fn move_on(bytes: &mut [u8]) {
    let sequence = u16::from_be_bytes([bytes[2], bytes[3]]).wrapping_add(1);
    let timestamp = u32::from_be_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]).wrapping_add(160);
    bytes[2..4].copy_from_slice(&sequence.to_be_bytes());
    bytes[4..8].copy_from_slice(&timestamp.to_be_bytes());
}

fn talkers(legs: u64) -> Vec<(LegId, SocketAddr, Vec<u8>)> {
    talkers_with(legs, PCMU)
}

fn talkers_with(legs: u64, other: u8) -> Vec<(LegId, SocketAddr, Vec<u8>)> {
    (1..=legs)
        .map(|n| {
            let mut rtp = Rtp::speech(0, 0, n as u32);
            rtp.payload_type = if n % 4 == 0 { other } else { rtp.payload_type };
            (LegId(n), party(LegId(n)), rtp.bytes())
        })
        .collect()
}

/// One test, because the allocator counts for the whole process.
#[test]
fn relaying_playing_hearing_and_mixing_allocate_nothing() {
    relaying_allocates_nothing();
    translating_allocates_nothing();
    listening_for_keys_allocates_nothing();
    mixing_allocates_nothing();
    playing_allocates_nothing();
    holding_packets_allocates_nothing();
}

fn relaying_allocates_nothing() {
    let mut hall = Hall::new(100);
    for n in (1..=100).step_by(2) {
        hall.command(Command::Bridge { a: LegId(n), b: LegId(n + 1) });
    }
    hall.command(Command::Tap { leg: LegId(1), tapping: Some(Tapping::at(8000)) });
    let mut packets = talkers(100);
    hall.run(WARM, &mut packets);
    (hall.sent, hall.bytes) = (0, 0);
    let region = Region::new(ALLOCATOR);
    hall.run(4 * FRAMES, &mut packets);
    let change = region.change();
    assert_eq!((change.allocations, change.reallocations), (0, 0), "{change:?}");
    assert!(hall.sent > 100 * FRAMES as usize, "{}", hall.sent);
    assert!(hall.bytes > hall.sent * 150);
}

const G722: u8 = 9;

fn translating_allocates_nothing() {
    let mut hall = Hall::with(40, Codec::G722);
    for n in (3..=40).step_by(4) {
        hall.command(Command::Bridge { a: LegId(n), b: LegId(n + 1) });
    }
    assert_steady(&mut hall, &mut talkers_with(40, G722), 20);
}

/// Every fourth party has no events: alone, or talking with one who has.
fn listening_for_keys_allocates_nothing() {
    for (other, payload_type) in [(Codec::Pcmu, PCMU), (Codec::G722, 9)] {
        let mut hall = Hall::with(100, other);
        for n in (4..=100).step_by(4) {
            let stream = Stream { digits: None, ..Stream::plain(party(LegId(n)), other, payload_type) };
            hall.command(Command::Configure { leg: LegId(n), stream });
            if n % 8 == 0 {
                hall.command(Command::Bridge { a: LegId(n), b: LegId(n - 1) });
            }
        }
        let mut talkers = talkers_with(100, payload_type);
        hall.run(WARM, &mut talkers);
        let region = Region::new(ALLOCATOR);
        hall.run(FRAMES * 4, &mut talkers);
        let change = region.change();
        assert_eq!((change.allocations, change.reallocations), (0, 0), "{other:?}: {change:?}");
    }
}

fn mixing_allocates_nothing() {
    let mut hall = Hall::with(40, Codec::G722);
    for n in 1..=40 {
        let seat = if n == 40 { Seat { hears: true, heard: Heard::By(vec![LegId(1)]) } } else { Seat::OPEN };
        let speakers =
            [SpeakersTold::Nothing, SpeakersTold::Levels(2), SpeakersTold::Levels(15)][n as usize % 3];
        let stream = Stream { speakers, ..Stream::plain(party(LegId(n)), Codec::G722, G722) };
        hall.command(Command::Configure { leg: LegId(n), stream });
        hall.command(Command::Join { leg: LegId(n), room: RoomId(n % 2), seat, chime: true });
    }
    assert_steady(&mut hall, &mut talkers_with(40, G722), 40);
}

/// In steady ticks nothing is allocated, and each of so many hearers is sent a packet every 20 ms.
fn assert_steady(hall: &mut Hall, packets: &mut [(LegId, SocketAddr, Vec<u8>)], hearers: usize) {
    hall.run(WARM, packets);
    hall.sent = 0;
    let region = Region::new(ALLOCATOR);
    hall.run(4 * FRAMES, packets);
    let change = region.change();
    assert_eq!((change.allocations, change.reallocations), (0, 0), "{change:?}");
    assert!(hall.sent >= hearers * FRAMES as usize, "{}", hall.sent);
}

fn playing_allocates_nothing() {
    let mut hall = Hall::new(100);
    for n in 1..=100 {
        let sounds = vec![sound(&["moh/calm"]), sound(&["moh/bright"])];
        hall.command(Command::Play { leg: LegId(n), play: PlayId(n), sounds, repeat: true });
    }
    for source in ["moh/calm", "moh/bright"] {
        for codec in [Codec::Pcma, Codec::Pcmu] {
            let clip = Some(written(codec, &clip(1, 111)));
            hall.shard.handle(hall.now, ShardInput::Sound { source: source.into(), codec, clip });
        }
    }
    let mut packets = talkers(100);
    hall.run(WARM, &mut packets);
    hall.sent = 0;
    let region = Region::new(ALLOCATOR);
    hall.run(4 * FRAMES, &mut packets);
    let change = region.change();
    assert_eq!((change.allocations, change.reallocations), (0, 0), "{change:?}");
    assert!(hall.sent >= 100 * FRAMES as usize, "{}", hall.sent);
}

fn holding_packets_allocates_nothing() {
    let mut buffer = JitterBuffer::new(8000);
    let payload = [0x55; 160];
    let mut heard = 0;
    let mut hold = |packets: std::ops::Range<u32>| {
        for n in packets {
            let now = Time::from_millis(u64::from(n) * 20);
            let (sequence, timestamp) = (n as u16, n * 160);
            let (marker, payload_type, content) = (false, 8, Content::Speech);
            let packet =
                Arrived { ssrc: 7, sequence, timestamp, marker, payload_type, content, payload: &payload };
            // One in ten is lost, one in seven comes twice.
            if n % 10 != 9 {
                buffer.insert(now, &packet);
            }
            if n % 7 == 0 {
                buffer.insert(now, &packet);
            }
            heard += u32::from(matches!(buffer.take(now, Duration::ZERO), Taken::Speech { .. }));
        }
    };
    hold(0..200);
    let region = Region::new(ALLOCATOR);
    hold(200..10_000);
    let change = region.change();
    assert_eq!((change.allocations, change.reallocations), (0, 0), "{change:?}");
    assert!(heard > 8500, "{heard}");
}
