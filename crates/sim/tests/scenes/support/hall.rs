//! Real media for small scenes: a shard, a network that loses and delays, and for each leg a party who says a tone of
//! its own, presses keys, and hears.

use super::stage::Stage;
use audio::tone::{Tone, heard};
use audio::{Clip, Decoder, Encoder, EncoderSettings, Resampler};
use base::{Rng, Seed, Time};
use media::jitter::{Arrived, Content, JitterBuffer, Taken};
use media::{PacketKind, Shard, ShardConfig, ShardInput, ShardOutput};
use media_api::{Codec, Command, Event, Family, LegId, Stream};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

const TICK: Duration = Duration::from_millis(5);
const TICKS_PER_FRAME: u64 = 4;
/// Whose tone is which: more than 40 Hz apart, and none a multiple of another.
const PARTIES_HERTZ: [f64; 8] = [430.0, 510.0, 590.0, 670.0, 750.0, 910.0, 1070.0, 1190.0];
const PROMPT_HERTZ: f64 = 1700.0;
const MUSIC_HERTZ: f64 = 2050.0;
/// What is quieter is no part of a tone for longer than a sample or two.
const QUIET: u16 = 200;
/// A press is five packets and three that say that it is over.
const KEY_PACKETS: u16 = 8;

/// Something that can be heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Heard {
    /// The party of this leg.
    Party(u64),
    Prompt,
    Music,
}

/// What the network does to packets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weather {
    pub(crate) seed: u64,
    pub(crate) lost_permille: u32,
    pub(crate) delay_max: Duration,
}

pub(crate) struct Hall {
    shard: Shard,
    next_tick: Time,
    ticks: u64,
    weather: Weather,
    rng: Rng,
    parties: BTreeMap<LegId, Party>,
    /// On their way to the shard: when they come, whose they are, from where.
    incoming: BTreeMap<(Time, u64), (LegId, SocketAddr, Vec<u8>)>,
    outgoing: BTreeMap<(Time, u64), (LegId, Vec<u8>)>,
    packets: u64,
}

struct Party {
    stream: Option<Stream>,
    tone: Tone,
    encoder: Encoder,
    sequence: u16,
    timestamp: u32,
    keys: VecDeque<(u8, u16, u32)>,
    ear: JitterBuffer,
    decoder: Decoder,
    resampler: Resampler,
    /// Samples at 8 kHz that it has heard, the last second of them.
    heard: Vec<i16>,
}

impl Hall {
    pub(crate) fn new(now: Time, weather: Weather) -> Hall {
        let config = ShardConfig::default();
        Hall {
            shard: Shard::new(config, Seed::from_number(3), now),
            next_tick: now + TICK,
            ticks: 0,
            weather,
            rng: Seed::from_number(weather.seed).rng(),
            parties: BTreeMap::new(),
            incoming: BTreeMap::new(),
            outgoing: BTreeMap::new(),
            packets: 0,
        }
    }

    /// Does what call control wants.
    pub(crate) fn command(&mut self, now: Time, command: Command) -> Vec<Event> {
        let mut told = Vec::new();
        match &command {
            Command::Open { leg, family } => {
                let port = 20_000 + 2 * leg.0 as u16;
                let local = match family {
                    Family::V4 => SocketAddr::from(([10, 0, 0, 1], port)),
                    Family::V6 => SocketAddr::from((super::stage::OWN_V6, port)),
                };
                self.shard.handle(now, ShardInput::Opened { leg: *leg, local });
                self.parties.insert(*leg, Party::new(*leg));
                told.push(Event::Opened { leg: *leg, local });
            }
            Command::Configure { leg, stream } => {
                self.parties.get_mut(leg).into_iter().for_each(|party| party.agree(stream));
            }
            Command::Close { leg } => drop(self.parties.remove(leg)),
            _ => {}
        }
        self.shard.handle(now, ShardInput::Command(command));
        self.drain(now, &mut told);
        told
    }

    pub(crate) fn next_tick(&self) -> Time {
        self.next_tick
    }

    /// What happens in one tick of the shell.
    pub(crate) fn tick(&mut self) -> Vec<Event> {
        let now = self.next_tick;
        self.next_tick = now + TICK;
        self.ticks += 1;
        let mut told = Vec::new();
        if self.ticks.is_multiple_of(TICKS_PER_FRAME) {
            self.parties_speak(now);
        }
        while let Some(first) = self.incoming.first_entry().filter(|first| first.key().0 <= now) {
            let (leg, from, bytes) = first.remove();
            self.shard.handle(now, ShardInput::Packet { leg, kind: PacketKind::Rtp, from, bytes: &bytes });
            self.drain(now, &mut told);
        }
        self.shard.handle_timeout(now);
        self.drain(now, &mut told);
        while let Some(first) = self.outgoing.first_entry().filter(|first| first.key().0 <= now) {
            let (leg, bytes) = first.remove();
            self.parties.get_mut(&leg).into_iter().for_each(|party| party.receive(now, &bytes));
        }
        if self.ticks.is_multiple_of(TICKS_PER_FRAME) {
            self.parties.values_mut().for_each(|party| party.listen(now));
        }
        told
    }

    pub(crate) fn press(&mut self, leg: LegId, digit: char) {
        let code = "0123456789*#".find(digit).unwrap() as u8;
        let party = self.parties.get_mut(&leg).unwrap();
        let begin = party.timestamp;
        party.keys.extend((1..=KEY_PACKETS).map(|n| (code, n, begin)));
    }

    /// What a party has heard in its last 100 ms.
    pub(crate) fn heard_by(&self, leg: LegId) -> BTreeSet<Heard> {
        let known = (1..).map(Heard::Party).zip(PARTIES_HERTZ);
        let known: Vec<(Heard, f64)> =
            known.chain([(Heard::Prompt, PROMPT_HERTZ), (Heard::Music, MUSIC_HERTZ)]).collect();
        let hertz: Vec<f64> = known.iter().map(|(_, hertz)| *hertz).collect();
        let samples = &self.parties[&leg].heard;
        let found = heard(&samples[samples.len().saturating_sub(800)..], &hertz);
        known.iter().filter(|(_, hertz)| found.contains(hertz)).map(|(what, _)| *what).collect()
    }

    /// The longest silence in the last second that a party has heard.
    pub(crate) fn longest_gap(&self, leg: LegId) -> Duration {
        let runs = self.parties[&leg].heard.split(|sample| sample.unsigned_abs() > QUIET);
        Duration::from_secs(1) * runs.map(<[i16]>::len).max().unwrap_or(0) as u32 / 8000
    }

    fn parties_speak(&mut self, now: Time) {
        let mut said = Vec::new();
        for (leg, party) in &mut self.parties {
            said.extend(party.speak().map(|(from, bytes)| (*leg, from, bytes)));
        }
        for (leg, from, bytes) in said {
            if let Some(at) = self.travels(now) {
                self.incoming.insert((at, self.packets), (leg, from, bytes));
            }
        }
    }

    /// When a packet that is sent now arrives, if it does.
    fn travels(&mut self, now: Time) -> Option<Time> {
        self.packets += 1;
        let delay = self.rng.below(self.weather.delay_max.as_micros() as u64 + 1);
        let is_lost = self.rng.chance_permille(self.weather.lost_permille);
        (!is_lost).then(|| now + Duration::from_micros(delay))
    }

    fn drain(&mut self, now: Time, told: &mut Vec<Event>) {
        while let Some(output) = self.shard.poll_output() {
            match output {
                ShardOutput::Send { leg, kind: PacketKind::Rtp, packet, .. } => {
                    let bytes = self.shard.packet(packet).to_vec();
                    if let Some(at) = self.travels(now) {
                        self.outgoing.insert((at, self.packets), (leg, bytes));
                    }
                }
                ShardOutput::Event(event) => told.push(event),
                ShardOutput::NeedSound { source, codec } => {
                    let hertz = if source.starts_with("moh/") { MUSIC_HERTZ } else { PROMPT_HERTZ };
                    let clip = Some(Arc::new(Clip::new(codec, &Tone::new(hertz, 4000).take(8000), 8000)));
                    self.shard.handle(now, ShardInput::Sound { source, codec, clip });
                }
                ShardOutput::Send { .. } | ShardOutput::Heard { .. } | ShardOutput::Handshake { .. } => {}
            }
        }
    }
}

impl Party {
    fn new(leg: LegId) -> Party {
        let hertz = PARTIES_HERTZ[leg.0 as usize - 1];
        Party {
            stream: None,
            tone: Tone::new(hertz, 4000),
            encoder: Encoder::new(Codec::Pcma, &EncoderSettings::default()),
            sequence: 0,
            timestamp: 0,
            keys: VecDeque::new(),
            ear: JitterBuffer::new(8000),
            decoder: Decoder::at(Codec::Pcma, 8000),
            resampler: Resampler::new(8000, 8000),
            heard: Vec::new(),
        }
    }

    fn agree(&mut self, stream: &Stream) {
        let codec = stream.codec;
        if self.stream.as_ref().is_none_or(|old| old.codec != codec) {
            self.encoder = Encoder::at(codec, 8000, &EncoderSettings::default());
            self.ear = JitterBuffer::new(codec.clock_rate());
            self.decoder = Decoder::at(codec, 8000);
            self.resampler = Resampler::new(self.decoder.sample_rate(), 8000);
        }
        self.stream = Some(stream.clone());
    }

    /// The next packet, and from where it is sent.
    fn speak(&mut self) -> Option<(SocketAddr, Vec<u8>)> {
        let stream = self.stream.as_ref().filter(|stream| stream.may_receive())?;
        let step = stream.codec.clock_rate() / 50;
        let (payload_type, timestamp, payload) = match self.keys.pop_front() {
            Some((code, n, begin)) => {
                let duration = (u32::from(n.min(KEY_PACKETS - 2)) * step) as u16;
                let [high, low] = duration.to_be_bytes();
                let end = u8::from(n > KEY_PACKETS - 3) << 7;
                (stream.digits?.payload_type, begin, vec![code, end | 10, high, low])
            }
            None => {
                let mut samples = Vec::new();
                let rate = self.encoder.sample_rate();
                Resampler::new(8000, rate).process(&self.tone.take(160), &mut samples);
                let mut payload = Vec::new();
                self.encoder.encode(&samples, &mut payload);
                (stream.payload_type, self.timestamp, payload)
            }
        };
        let mut bytes = vec![0x80, payload_type];
        bytes.extend(self.sequence.to_be_bytes());
        bytes.extend(timestamp.to_be_bytes());
        bytes.extend([0, 0, 0, 9]);
        bytes.extend(payload);
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(step);
        Some((stream.remote, bytes))
    }

    fn receive(&mut self, now: Time, bytes: &[u8]) {
        let Some(stream) = &self.stream else { return };
        let payload_type = bytes[1] & 0x7f;
        let is_speech = payload_type == stream.payload_type;
        let arrived = Arrived {
            ssrc: u32::from_be_bytes(bytes[8..12].try_into().unwrap()),
            sequence: u16::from_be_bytes(bytes[2..4].try_into().unwrap()),
            timestamp: u32::from_be_bytes(bytes[4..8].try_into().unwrap()),
            marker: bytes[1] & 0x80 != 0,
            payload_type,
            content: if is_speech { Content::Speech } else { Content::Other },
            payload: &bytes[12..],
        };
        self.ear.insert(now, &arrived);
    }

    /// Hears the next 20 ms.
    fn listen(&mut self, now: Time) {
        let mut samples = Vec::new();
        let rate = self.decoder.sample_rate() as usize;
        match self.ear.take(now, Duration::ZERO) {
            Taken::Speech { payload, .. } => drop(self.decoder.decode(payload, &mut samples)),
            Taken::Lost { .. } => self.decoder.conceal(rate / 50, &mut samples),
            _ => samples.resize(rate / 50, 0),
        }
        self.resampler.process(&samples, &mut self.heard);
        let too_much = self.heard.len().saturating_sub(8000);
        self.heard.drain(..too_much);
    }
}

/// From a second on, each of these legs hears all of this, and never anything else. A bad network may swallow a tenth of
/// a second.
pub(crate) fn assert_ears(stage: &mut Stage, expected: &[(u64, &[Heard])]) {
    assert_ears_after(stage, Duration::from_secs(1), expected);
}

/// The same, from so long on.
pub(crate) fn assert_ears_after(stage: &mut Stage, settled: Duration, expected: &[(u64, &[Heard])]) {
    stage.wait(settled);
    let mut heard = vec![BTreeSet::new(); expected.len()];
    for _ in 0..10 {
        stage.wait(Duration::from_millis(100));
        let hall = stage.hall.as_ref().unwrap();
        for ((leg, allowed), heard) in expected.iter().zip(&mut heard) {
            let now = hall.heard_by(LegId(*leg));
            assert!(now.iter().all(|what| allowed.contains(what)), "leg {leg} hears {now:?}");
            heard.extend(now);
        }
    }
    for ((leg, allowed), heard) in expected.iter().zip(&heard) {
        assert_eq!(*heard, allowed.iter().copied().collect(), "leg {leg}");
    }
}
