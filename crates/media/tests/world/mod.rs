//! A shard in virtual time: packets in, packets out, the shell's tick of 5 ms.

// Each test file is a crate of its own, to which nothing here is public, and uses only a part of it; and
// what is no test itself counts as production code for the lints.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use audio::Clip;
use audio::g711::Law;
use base::{Seed, Time, Wall};
use media::{HandshakeAct, PacketKind, Shard, ShardConfig, ShardInput, ShardOutput};
use media_api::{Codec, Command, Event, LegId, Part, PlayId, Quality, Sound, Stream};

pub const A: LegId = LegId(1);
pub const B: LegId = LegId(2);
pub const PCMA: u8 = 8;
pub const PCMU: u8 = 0;
pub const KEYS: u8 = 101;

/// 2026-11-22T00:00:00Z.
pub const WALL_AT_ZERO: Wall = Wall::from_unix_micros(1_795_305_600_000_000);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rtp {
    pub marker: bool,
    pub payload_type: u8,
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: u32,
    pub payload: Vec<u8>,
}

impl Rtp {
    pub fn speech(sequence: u16, timestamp: u32, ssrc: u32) -> Rtp {
        let payload = vec![0x55 ^ (sequence as u8); 160];
        Rtp { marker: false, payload_type: PCMA, sequence, timestamp, ssrc, payload }
    }

    pub fn key(sequence: u16, timestamp: u32, ssrc: u32, code: u8, end: bool, duration: u16) -> Rtp {
        let [d0, d1] = duration.to_be_bytes();
        let payload = vec![code, u8::from(end) << 7 | 10, d0, d1];
        Rtp { marker: false, payload_type: KEYS, sequence, timestamp, ssrc, payload }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0x80, self.payload_type | u8::from(self.marker) << 7];
        bytes.extend(self.sequence.to_be_bytes());
        bytes.extend(self.timestamp.to_be_bytes());
        bytes.extend(self.ssrc.to_be_bytes());
        bytes.extend(&self.payload);
        bytes
    }

    pub fn read(bytes: &[u8]) -> Rtp {
        assert_eq!(bytes[0], 0x80);
        let word = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        Rtp {
            marker: bytes[1] & 0x80 != 0,
            payload_type: bytes[1] & 0x7f,
            sequence: word(0) as u16,
            timestamp: word(4),
            ssrc: word(8),
            payload: bytes[12..].to_vec(),
        }
    }
}

#[derive(Clone, Debug)]
pub struct Sent {
    pub at: Time,
    pub leg: LegId,
    pub to: SocketAddr,
    pub rtp: Rtp,
    /// Whom it says that it is mixed of, and how loud each is.
    pub speakers: Vec<(u32, Option<u8>)>,
}

/// The number of the header extension that says how loud those are whom a packet is mixed of.
pub const LEVELS: u8 = 2;

/// A packet's list of contributing sources with their levels (of the short form of extensions); and the rest of it.
fn without_speakers(bytes: &[u8]) -> (Vec<(u32, Option<u8>)>, Vec<u8>) {
    let count = usize::from(bytes[0] & 0x0f);
    let (head, rest) = bytes.split_at(12);
    let (listed, rest) = rest.split_at(4 * count);
    let sources = listed.chunks(4).map(|word| u32::from_be_bytes(word.try_into().unwrap()));
    let (levels, payload) = match bytes[0] & 0x10 {
        0 => (Vec::new(), rest),
        _ => {
            assert_eq!((&rest[..2], rest[4]), (&[0xbe, 0xde][..], LEVELS << 4 | (count as u8 - 1)));
            let length = 4 * usize::from(u16::from_be_bytes([rest[2], rest[3]]));
            (rest[5..5 + count].to_vec(), &rest[4 + length..])
        }
    };
    let speakers = sources.enumerate().map(|(at, source)| (source, levels.get(at).copied())).collect();
    let plain = [&[0x80], &head[1..], payload].concat();
    (speakers, plain)
}

pub struct World {
    pub shard: Shard,
    pub now: Time,
    pub sent: Vec<Sent>,
    pub reports: Vec<(Time, LegId, SocketAddr, Vec<u8>)>,
    /// Without how well legs are heard, which comes every ten seconds whatever else happens.
    pub events: Vec<(Time, Event)>,
    pub quality: Vec<(Time, LegId, Quality)>,
    pub asked: Vec<Arc<str>>,
    /// What tapped legs say and are told.
    pub heard: Vec<(LegId, [Vec<i16>; 2])>,
    /// The number of each of these that was for a recording.
    pub parts: Vec<(Part, u64)>,
    /// What is neither RTP nor RTCP: STUN and handshakes.
    pub answers: Vec<(LegId, SocketAddr, Vec<u8>)>,
    /// What handshakes need, and the number of each.
    pub handshakes: Vec<(LegId, u32, HandshakeAct)>,
    /// Answered at once; what is not in here is never answered.
    pub sounds: BTreeMap<Arc<str>, Option<Vec<i16>>>,
}

pub fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// Where the party of a leg says that it is.
pub fn party(leg: LegId) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, leg.0 as u8], 4000 + leg.0 as u16 * 2))
}

pub fn stream(leg: LegId) -> Stream {
    let remote = party(leg);
    Stream::plain(remote, Codec::Pcma, PCMA).with_digits(KEYS)
}

/// A sound at 8 kHz whose A-law bytes are 160 times `first`, 160 times the next, and so on.
pub fn clip(first: u8, frames: u8) -> Vec<i16> {
    let bytes: Vec<u8> = (0..frames).flat_map(|frame| [first.wrapping_add(frame); 160]).collect();
    let mut samples = vec![0; bytes.len()];
    Law::A.decode(&bytes, &mut samples);
    samples
}

/// A sound as a codec writes it.
pub fn written(codec: Codec, samples: &[i16]) -> Arc<Clip> {
    Arc::new(Clip::new(codec, samples, 8000))
}

pub fn sound(sources: &[&str]) -> Sound {
    sources.iter().map(|source| Arc::from(*source)).collect()
}

impl World {
    pub fn new() -> World {
        World::with(ShardConfig { wall_at_zero: WALL_AT_ZERO, ..ShardConfig::default() })
    }

    pub fn with(config: ShardConfig) -> World {
        World {
            shard: Shard::new(config, Seed::from_number(7), Time::ZERO),
            now: Time::ZERO,
            sent: Vec::new(),
            reports: Vec::new(),
            events: Vec::new(),
            quality: Vec::new(),
            asked: Vec::new(),
            heard: Vec::new(),
            parts: Vec::new(),
            handshakes: Vec::new(),
            answers: Vec::new(),
            sounds: BTreeMap::new(),
        }
    }

    /// Two configured legs that hear each other.
    pub fn bridged() -> World {
        let mut world = World::new();
        world.open(A, stream(A));
        world.open(B, stream(B));
        world.command(Command::Bridge { a: A, b: B });
        world
    }

    /// One configured leg.
    pub fn alone() -> World {
        let mut world = World::new();
        world.open(A, stream(A));
        world
    }

    pub fn open(&mut self, leg: LegId, stream: Stream) {
        let local = SocketAddr::from(([198, 51, 100, 1], 16384 + leg.0 as u16 * 2));
        self.input(ShardInput::Opened { leg, local });
        self.command(Command::Configure { leg, stream });
    }

    pub fn command(&mut self, command: Command) {
        self.input(ShardInput::Command(command));
    }

    pub fn play(&mut self, number: u64, sounds: &[&[&str]], repeat: bool) {
        let sounds = sounds.iter().map(|sources| sound(sources)).collect();
        self.command(Command::Play { leg: A, play: PlayId(number), sounds, repeat });
    }

    pub fn from(&mut self, leg: LegId, from: SocketAddr, rtp: &Rtp) {
        self.raw(leg, PacketKind::Rtp, from, &rtp.bytes());
    }

    pub fn say(&mut self, leg: LegId, rtp: &Rtp) {
        self.from(leg, party(leg), rtp);
    }

    pub fn raw(&mut self, leg: LegId, kind: PacketKind, from: SocketAddr, bytes: &[u8]) {
        self.input(ShardInput::Packet { leg, kind, from, bytes });
    }

    pub fn answer(&mut self, source: &str, sound: Option<Vec<i16>>) {
        let clip = sound.map(|samples| written(Codec::Pcma, &samples));
        self.input(ShardInput::Sound { source: Arc::from(source), codec: Codec::Pcma, clip });
    }

    pub fn input(&mut self, input: ShardInput<'_>) {
        self.shard.handle(self.now, input);
        self.drain();
    }

    /// Lets time pass in the shell's ticks.
    pub fn pass(&mut self, millis: u64) {
        let end = self.now + Duration::from_millis(millis);
        while self.now < end {
            self.now = (self.now + Duration::from_millis(5)).min(end);
            self.tick();
        }
    }

    /// A tick that comes late by all of this.
    pub fn oversleep(&mut self, millis: u64) {
        self.now = self.now + Duration::from_millis(millis);
        self.tick();
    }

    pub fn tick(&mut self) {
        self.shard.handle_timeout(self.now);
        self.drain();
    }

    /// Speech of a party, 20 ms a packet, one after the other.
    pub fn talk(&mut self, leg: LegId, ssrc: u32, first: u16, count: u16) {
        for sequence in first..first + count {
            self.say(leg, &Rtp::speech(sequence, u32::from(sequence) * 160, ssrc));
            self.pass(20);
        }
    }

    pub fn to(&self, leg: LegId) -> Vec<Rtp> {
        self.sent.iter().filter(|sent| sent.leg == leg).map(|sent| sent.rtp.clone()).collect()
    }

    pub fn told(&self) -> Vec<Event> {
        self.events.iter().map(|(_, event)| event.clone()).collect()
    }

    pub fn digits(&self) -> String {
        let digit = |event: &Event| match event {
            Event::Digit { digit, .. } => Some(*digit),
            _ => None,
        };
        self.told().iter().filter_map(digit).collect()
    }

    pub fn stats(&mut self, leg: LegId) -> media_api::Stats {
        self.command(Command::Close { leg });
        match self.events.last() {
            Some((_, Event::Closed { stats, .. })) => (**stats).clone(),
            other => panic!("not closed: {other:?}"),
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.shard.poll_output() {
            match output {
                ShardOutput::Send { leg, kind, to, packet } => {
                    let bytes = self.shard.packet(packet);
                    if bytes[0] < 0x80 {
                        self.answers.push((leg, to, bytes.to_vec()));
                        continue;
                    }
                    // By RFC 5761 §4, where the two share a socket.
                    if kind == PacketKind::Rtcp || (192..224).contains(&bytes[1]) {
                        self.reports.push((self.now, leg, to, bytes.to_vec()));
                    } else {
                        let (speakers, plain) = without_speakers(bytes);
                        self.sent.push(Sent { at: self.now, leg, to, rtp: Rtp::read(&plain), speakers });
                    }
                }
                ShardOutput::Event(Event::Quality { leg, quality }) => {
                    self.quality.push((self.now, leg, quality))
                }
                ShardOutput::Event(event) => self.events.push((self.now, event)),
                ShardOutput::NeedSound { source, codec } => {
                    self.asked.push(Arc::clone(&source));
                    if let Some(sound) = self.sounds.get(&source) {
                        let clip = sound.as_ref().map(|samples| written(codec, samples));
                        self.shard.handle(self.now, ShardInput::Sound { source, codec, clip });
                    }
                }
                ShardOutput::Handshake { leg, number, act } => self.handshakes.push((leg, number, act)),
                ShardOutput::Heard { leg, part, number, packet, .. } => {
                    self.parts.extend(part.map(|part| (part, number)));
                    let samples = self.shard.packet(packet).as_chunks::<2>().0;
                    let samples: Vec<i16> = samples.iter().map(|bytes| i16::from_le_bytes(*bytes)).collect();
                    let channel = |first: usize| samples.iter().skip(first).step_by(2).copied().collect();
                    self.heard.push((leg, [channel(0), channel(1)]));
                }
            }
        }
    }
}
