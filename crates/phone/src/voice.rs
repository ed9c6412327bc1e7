use crate::ear::Ear;
use crate::line::{FRAME, Frame, Line};
use audio::Clip;
use audio::g711::Law;
use base::{Seed, Time};
use media::{PacketKind, PacketRef, Shard, ShardConfig, ShardInput, ShardOutput};
use media_api::{Codec, Command, Event, LegId, PlayId, Sound, Stream, Tapping};
use net::{Clock, PortPair, PortPairs};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Legs of one phone: a few calls, each with a line of its own.
const LEGS: usize = 16;
/// Packets read from one socket in one turn.
const PACKETS_PER_SOCKET: usize = 64;
/// Clips that were given to play last; earlier ones have been asked for long ago.
const CLIPS: usize = 16;
/// Samples a second of a clip.
const CLIP_RATE: u32 = 8000;
/// Frames of a live line that may wait.
const LINE_FRAMES: usize = 10;
/// No packet is sent between a line's two halves; the shard wants addresses all the same.
const LINE_HERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8);
/// What an ear hears and a line carries a second.
const RATE: u32 = 8000;
/// The payload type of A-law (RFC 3551 §6).
const LINE_PAYLOAD_TYPE: u8 = 8;
const LINE_THERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9);

/// The media of one phone: a shard of its own, driven by the phone's worker.
pub(crate) struct Voice {
    shard: Shard,
    clock: Clock,
    ports: PortPairs,
    legs: HashMap<LegId, Leg>,
    lines: HashMap<LegId, Speaking>,
    /// Samples at 8 kHz.
    clips: VecDeque<(Arc<str>, Arc<[i16]>)>,
    next_number: u64,
    buffer: Vec<u8>,
}

struct Leg {
    sockets: PortPair,
    ear: Arc<Ear>,
    to_line: Option<mpsc::Sender<Frame>>,
}

/// The half of a live line that looks to the shard like one more party, bridged to the call.
struct Speaking {
    frames: mpsc::Receiver<Frame>,
    of: LegId,
    sequence: u16,
    timestamp: u32,
}

impl Voice {
    pub(crate) fn new(clock: Clock, ports: PortPairs, seed: Seed) -> Voice {
        let config =
            ShardConfig { legs_max: LEGS, wall_at_zero: clock.wall_at_zero(), ..ShardConfig::default() };
        Voice {
            shard: Shard::new(config, seed.named("phone.shard"), clock.now()),
            clock,
            ports,
            legs: HashMap::new(),
            lines: HashMap::new(),
            clips: VecDeque::new(),
            next_number: 1,
            buffer: vec![0; 2048],
        }
    }

    /// Whether [`Voice::turn`] has anything to do.
    pub(crate) fn is_active(&self) -> bool {
        !self.legs.is_empty()
    }

    /// Binds ports for a new leg, which is heard by `ear`.
    pub(crate) fn open(&mut self, ear: Arc<Ear>) -> io::Result<(LegId, SocketAddr)> {
        let sockets = self.ports.bind()?;
        let (leg, local) = (LegId(self.number()), sockets.local);
        self.legs.insert(leg, Leg { sockets, ear, to_line: None });
        self.shard.handle(self.clock.now(), ShardInput::Opened { leg, local });
        self.command(Command::Tap { leg, tapping: Some(Tapping::at(RATE)) });
        Ok((leg, local))
    }

    pub(crate) fn configure(&mut self, leg: LegId, stream: Stream) {
        self.command(Command::Configure { leg, stream });
    }

    pub(crate) fn command(&mut self, command: Command) {
        self.shard.handle(self.clock.now(), ShardInput::Command(command));
    }

    /// Plays these samples at 8 kHz, from now on or once.
    pub(crate) fn play(&mut self, leg: LegId, clip: Arc<[i16]>, repeat: bool) {
        let number = self.number();
        let source: Arc<str> = Arc::from(format!("clip/{number}"));
        if self.clips.len() >= CLIPS {
            self.clips.pop_front();
        }
        self.clips.push_back((source.clone(), clip));
        let sound: Sound = Arc::from([source]);
        self.command(Command::Play { leg, play: PlayId(number), sounds: vec![sound], repeat });
    }

    /// Joins a live line to the call: what it speaks goes to the peer until something else is played.
    pub(crate) fn join(&mut self, leg: LegId) -> Option<Line> {
        let (speak, frames) = mpsc::channel(LINE_FRAMES);
        let (to_line, heard) = mpsc::channel(LINE_FRAMES);
        let line = LegId(self.number());
        let call = self.legs.get_mut(&leg)?;
        call.to_line = Some(to_line);
        self.lines.insert(line, Speaking { frames, of: leg, sequence: 0, timestamp: 0 });
        self.shard.handle(self.clock.now(), ShardInput::Opened { leg: line, local: LINE_HERE });
        self.command(Command::Configure { leg: line, stream: line_stream() });
        self.command(Command::Bridge { a: leg, b: line });
        Some(Line { speak, heard })
    }

    pub(crate) fn close(&mut self, leg: LegId) {
        let of_this = |(line, speaking): (&LegId, &Speaking)| (speaking.of == leg).then_some(*line);
        let lines: Vec<LegId> = self.lines.iter().filter_map(of_this).collect();
        for line in lines {
            self.lines.remove(&line);
            self.command(Command::Close { leg: line });
        }
        self.command(Command::Close { leg });
    }

    /// Reads the sockets and the lines, and lets the shard do what is due.
    pub(crate) fn turn(&mut self) {
        let now = self.clock.now();
        for (leg, at) in &self.legs {
            for (kind, socket) in [(PacketKind::Rtp, &at.sockets.rtp), (PacketKind::Rtcp, &at.sockets.rtcp)] {
                for _ in 0..PACKETS_PER_SOCKET {
                    let Ok((length, from)) = socket.recv_from(&mut self.buffer) else { break };
                    let bytes = self.buffer.get(..length).unwrap_or_default();
                    self.shard.handle(now, ShardInput::Packet { leg: *leg, kind, from, bytes });
                }
            }
        }
        for (leg, line) in &mut self.lines {
            while let Ok(frame) = line.frames.try_recv() {
                let packet = line.packet(&frame);
                let input =
                    ShardInput::Packet { leg: *leg, kind: PacketKind::Rtp, from: LINE_THERE, bytes: &packet };
                self.shard.handle(now, input);
            }
        }
        self.shard.handle_timeout(now);
    }

    /// Does what the shard wants; gives what the phone must know.
    pub(crate) fn poll(&mut self) -> Option<Event> {
        let now = self.clock.now();
        while let Some(output) = self.shard.poll_output() {
            match output {
                ShardOutput::Send { leg, kind, to, packet } => self.send(leg, kind, to, packet),
                ShardOutput::Heard { leg, is_said, packet, .. } => self.hear(now, leg, is_said, packet),
                ShardOutput::NeedSound { source, codec } => {
                    let clip = self.clips.iter().find(|(name, _)| *name == source);
                    let clip = clip.map(|(_, samples)| Arc::new(Clip::new(codec, samples, CLIP_RATE)));
                    self.shard.handle(now, ShardInput::Sound { source, codec, clip });
                }
                // A phone offers no browser's line.
                ShardOutput::Handshake { .. } => {}
                ShardOutput::Event(event) => {
                    if let Event::Closed { leg, .. } = &event {
                        self.legs.remove(leg);
                    }
                    return Some(event);
                }
            }
        }
        None
    }

    fn send(&self, leg: LegId, kind: PacketKind, to: SocketAddr, packet: PacketRef) {
        // A line has no sockets: what is meant for it is heard through the tap.
        let Some(at) = self.legs.get(&leg) else { return };
        let socket = match kind {
            PacketKind::Rtp => &at.sockets.rtp,
            PacketKind::Rtcp => &at.sockets.rtcp,
        };
        // What the kernel does not take is lost, like anything else on a network.
        let _ = socket.send_to(self.shard.packet(packet), to);
    }

    fn hear(&self, now: Time, leg: LegId, is_said: bool, packet: PacketRef) {
        let Some(at) = self.legs.get(&leg).filter(|_| is_said) else { return };
        let mut frame = [0; FRAME];
        // What is said and what is told in turns, two bytes each.
        let samples = self.shard.packet(packet).as_chunks::<4>().0;
        for (place, [low, high, ..]) in frame.iter_mut().zip(samples) {
            *place = i16::from_le_bytes([*low, *high]);
        }
        at.ear.hear(now, &frame);
        if let Some(to_line) = &at.to_line {
            let _ = to_line.try_send(frame);
        }
    }

    fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }
}

impl Speaking {
    fn packet(&mut self, frame: &Frame) -> [u8; 12 + FRAME] {
        let mut packet = [0; 12 + FRAME];
        let (head, payload) = packet.split_at_mut(12);
        let [s0, s1] = self.sequence.to_be_bytes();
        let [t0, t1, t2, t3] = self.timestamp.to_be_bytes();
        head.copy_from_slice(&[0x80, LINE_PAYLOAD_TYPE, s0, s1, t0, t1, t2, t3, 0, 0, 0, 1]);
        Law::A.encode(frame, payload);
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(FRAME as u32);
        packet
    }
}

/// A live line speaks A-law; the shard makes of it what the call speaks.
fn line_stream() -> Stream {
    Stream::plain(LINE_THERE, Codec::Pcma, LINE_PAYLOAD_TYPE)
}
