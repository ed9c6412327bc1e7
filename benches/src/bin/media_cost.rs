//! What it costs to pass on what was said, to say it in another codec, and to mix: a shard in virtual time, without
//! sockets, beside what the codecs alone cost for the same. CPU time in nanoseconds for each second of a call with two
//! directions, and of a participant; the least of rounds that take turns.

use audio::{Decoder, Encoder, EncoderSettings, Resampler};
use base::{Seed, Time};
use benches::{args::Args, cpu};
use media::{PacketKind, Shard, ShardConfig, ShardInput, ShardOutput};
use media_api::{Codec, Command, LegId, RoomId, Seat, Stream};
use std::error::Error;
use std::hint::black_box;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

const FRAMES_PER_SECOND: usize = 50;
/// Spoken before the measuring, so that every buffer has grown.
const WARM_SECONDS: usize = 2;
/// Different packets of each party, one after the other and again.
const SPOKEN: usize = 50;
const PAIRS: u64 = 20;
/// Relayed calls: as many as keep the caches from holding all that is known of them, as beside a kernel.
const RELAYED: u64 = 500;

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::read(&["rounds", "seconds"])?;
    let (rounds, seconds): (usize, usize) = (args.get("rounds", 3)?, args.get("seconds", 10)?);
    let least = (0..rounds.max(1)).map(|_| bridged((Codec::Pcma, Codec::Pcma), RELAYED, seconds)).min();
    let packets = 2 * RELAYED * (seconds * FRAMES_PER_SECOND) as u64;
    println!(r#"{{"relayed_calls":{RELAYED},"packet_ns":{}}}"#, least.unwrap_or(0) / packets);
    for (one, other) in [(Codec::G722, Codec::Pcma), (Codec::Opus, Codec::Pcma), (Codec::Opus, Codec::G722)] {
        let mut least = [u64::MAX; 2];
        for _ in 0..rounds.max(1) {
            least[0] = least[0].min(codecs_alone(one, other, seconds));
            least[1] = least[1].min(bridged((one, other), PAIRS, seconds));
        }
        let [floor, ours] = least.map(|nanos| nanos / seconds as u64 / PAIRS);
        println!(r#"{{"bridge":"{one:?}-{other:?}","ns":{ours},"codecs_ns":{floor}}}"#);
    }
    for participants in [10, 50, 100] {
        let room = Room { participants, codec: Codec::Pcma, levels: false };
        let least = (0..rounds.max(1)).map(|_| conference(&room, seconds)).min().unwrap_or(0);
        println!(r#"{{"conference":{participants},"ns":{}}}"#, least / seconds as u64 / participants.max(1));
    }
    let mut least = [u64::MAX; 2];
    for _ in 0..rounds.max(1) {
        for (least, levels) in least.iter_mut().zip([false, true]) {
            *least =
                (*least).min(conference(&Room { participants: 100, codec: Codec::Opus, levels }, seconds));
        }
    }
    let [without, with] = least.map(|nanos| nanos / seconds as u64 / 100);
    println!(r#"{{"levels":100,"ns":{with},"without_ns":{without}}}"#);
    Ok(())
}

/// Both directions of as many calls, packet by packet, with nothing around them: of one call alone a frame would cost
/// more, for the code would have left the caches.
fn codecs_alone(one: Codec, other: Codec, seconds: usize) -> u64 {
    let both = || [Way::new(one, other), Way::new(other, one)];
    let mut ways: Vec<Way> = (0..PAIRS).flat_map(|_| both()).collect();
    let before = cpu::of_thread();
    for frame in 0..seconds * FRAMES_PER_SECOND {
        ways.iter_mut().for_each(|way| way.say_again(frame));
    }
    cpu::of_thread() - before
}

struct Way {
    spoken: Vec<Vec<u8>>,
    decoder: Decoder,
    resampler: Resampler,
    encoder: Encoder,
    samples: Vec<i16>,
    resampled: Vec<i16>,
    payload: Vec<u8>,
}

impl Way {
    fn new(from: Codec, to: Codec) -> Way {
        let encoder = Encoder::at(to, from.sample_rate(), &EncoderSettings::default());
        let decoder = Decoder::at(from, encoder.sample_rate());
        Way {
            spoken: speech(from),
            resampler: Resampler::new(decoder.sample_rate(), encoder.sample_rate()),
            decoder,
            encoder,
            samples: Vec::new(),
            resampled: Vec::new(),
            payload: Vec::new(),
        }
    }

    fn say_again(&mut self, frame: usize) {
        self.samples.clear();
        self.resampled.clear();
        self.payload.clear();
        // What was encoded here is decodable.
        let _ = self.decoder.decode(&self.spoken[frame % SPOKEN], &mut self.samples);
        self.resampler.process(&self.samples, &mut self.resampled);
        self.encoder.encode(&self.resampled, &mut self.payload);
        black_box(&self.payload);
    }
}

fn bridged((one, other): (Codec, Codec), pairs: u64, seconds: usize) -> u64 {
    let mut hall = Hall::new();
    for pair in 0..pairs {
        let (a, b) = (hall.enter(one), hall.enter(other));
        debug_assert_eq!(a.0, 2 * pair + 1);
        hall.command(Command::Bridge { a, b });
    }
    hall.costs(seconds)
}

/// Who meets, and whether each says how loud it is (RFC 6464).
struct Room {
    participants: u64,
    codec: Codec,
    levels: bool,
}

fn conference(room: &Room, seconds: usize) -> u64 {
    let mut hall = Hall::new();
    for number in 0..room.participants {
        let leg = hall.enter(room.codec);
        if room.levels {
            hall.says_how_loud(leg, (number % 100) as u8);
        }
        hall.command(Command::Join { leg, room: RoomId(1), seat: Seat::OPEN, chime: false });
    }
    hall.costs(seconds)
}

struct Hall {
    shard: Shard,
    now: Time,
    parties: Vec<Party>,
    frame: usize,
}

struct Party {
    leg: LegId,
    codec: Codec,
    said: Rc<Vec<Vec<u8>>>,
    spoken: Vec<Vec<u8>>,
}

impl Hall {
    fn new() -> Hall {
        let shard = Shard::new(ShardConfig::default(), Seed::from_number(1), Time::ZERO);
        Hall { shard, now: Time::ZERO, parties: Vec::new(), frame: 0 }
    }

    fn enter(&mut self, codec: Codec) -> LegId {
        let leg = LegId(self.parties.len() as u64 + 1);
        self.shard.handle(self.now, ShardInput::Opened { leg, local: address(leg, 1) });
        let payload_type = codec.static_payload_type().unwrap_or(111);
        let mut stream = Stream::plain(address(leg, 2), codec, payload_type);
        // As `codecs_alone` encodes it.
        stream.opus.fec = true;
        self.command(Command::Configure { leg, stream });
        let header = |at: usize, payload: Vec<u8>| packet(codec, payload_type, at, &payload);
        let said = match self.parties.iter().find(|party| party.codec == codec) {
            Some(party) => party.said.clone(),
            None => Rc::new(speech(codec)),
        };
        let spoken = said.iter().cloned().enumerate().map(|(at, payload)| header(at, payload)).collect();
        self.parties.push(Party { leg, codec, said, spoken });
        leg
    }

    /// The party writes this level, in decibels below the loudest, into each of its packets.
    fn says_how_loud(&mut self, leg: LegId, level: u8) {
        let Some(party) = self.parties.iter_mut().find(|party| party.leg == leg) else { return };
        for bytes in &mut party.spoken {
            bytes[0] |= 0x10;
            bytes.splice(12..12, [0xbe, 0xde, 0, 1, 0x10, level, 0, 0]);
        }
        let payload_type = party.codec.static_payload_type().unwrap_or(111);
        let mut stream = Stream::plain(address(leg, 2), party.codec, payload_type);
        (stream.opus.fec, stream.audio_level) = (true, Some(1));
        self.command(Command::Configure { leg, stream });
    }

    fn command(&mut self, command: Command) {
        self.shard.handle(self.now, ShardInput::Command(command));
    }

    /// The CPU time of so many seconds in which all talk.
    fn costs(&mut self, seconds: usize) -> u64 {
        self.run(WARM_SECONDS);
        let before = cpu::of_thread();
        let sent = self.run(seconds);
        let cost = cpu::of_thread() - before;
        let expected = self.parties.len() * seconds * FRAMES_PER_SECOND;
        assert!(sent + self.parties.len() >= expected, "{sent} of {expected} packets were sent");
        cost
    }

    fn run(&mut self, seconds: usize) -> usize {
        let mut sent = 0;
        for tick in 0..seconds * FRAMES_PER_SECOND * 4 {
            self.now = self.now + Duration::from_millis(5);
            if tick % 4 == 0 {
                self.all_speak();
            }
            self.shard.handle_timeout(self.now);
            while let Some(output) = self.shard.poll_output() {
                if let ShardOutput::Send { kind: PacketKind::Rtp, packet, .. } = output {
                    black_box(self.shard.packet(packet));
                    sent += 1;
                }
            }
        }
        sent
    }

    fn all_speak(&mut self) {
        for party in &mut self.parties {
            let bytes = &mut party.spoken[self.frame % SPOKEN];
            number(party.codec, self.frame, bytes);
            let (leg, from) = (party.leg, address(party.leg, 2));
            self.shard.handle(self.now, ShardInput::Packet { leg, kind: PacketKind::Rtp, from, bytes });
        }
        self.frame += 1;
    }
}

fn address(leg: LegId, host: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, host], 10_000 + 2 * leg.0 as u16))
}

fn packet(codec: Codec, payload_type: u8, at: usize, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x80, payload_type, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];
    number(codec, at, &mut bytes);
    bytes.extend_from_slice(payload);
    bytes
}

fn number(codec: Codec, frame: usize, bytes: &mut [u8]) {
    bytes[2..4].copy_from_slice(&(frame as u16).to_be_bytes());
    let timestamp = frame as u32 * codec.clock_rate() / FRAMES_PER_SECOND as u32;
    bytes[4..8].copy_from_slice(&timestamp.to_be_bytes());
}

/// A second of something like speech: a voice of many harmonics that swells four times a second.
fn speech(codec: Codec) -> Vec<Vec<u8>> {
    let rate = codec.sample_rate();
    let mut encoder = Encoder::new(codec, &EncoderSettings::default());
    let frame = |number: usize| -> Vec<i16> {
        let first = number * rate as usize / FRAMES_PER_SECOND;
        (first..first + rate as usize / FRAMES_PER_SECOND)
            .map(|at| voice(at as f64 / f64::from(rate)))
            .collect()
    };
    let encoded = |number: usize| {
        let mut payload = Vec::new();
        encoder.encode(&frame(number), &mut payload);
        payload
    };
    (0..SPOKEN).map(encoded).collect()
}

fn voice(second: f64) -> i16 {
    let turn = std::f64::consts::TAU;
    let swell = 0.55 + 0.45 * (turn * 4.0 * second).sin();
    let harmonics = (1..=20).map(|n| (turn * 140.0 * f64::from(n) * second).sin() / f64::from(n));
    (harmonics.sum::<f64>() * swell * 4000.0) as i16
}
