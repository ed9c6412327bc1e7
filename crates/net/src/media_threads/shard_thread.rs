use super::MediaConfig;
use super::counting::{Counters, MediaCounts};
use super::events::Events;
use super::grid::{self, TICK};
use super::moving::{Arrivals, Coming, Life, Move, Way};
use super::shaking::Shaking;
use super::tap::{Captured, Tap};
use crate::handshakes::Told;
use crate::sounds::Wish;
use crate::zone::without_link;
use crate::{Clock, PortPair, Recordings, SoundStore};
use base::{Key, Numbered, Slots, Time};
use crossbeam_channel::{Receiver, Sender};
use media::{Clip, HandshakeAct, PacketKind, PacketRef, Shard, ShardConfig, ShardInput, ShardOutput};
use media_api::{Command, Event, LegId};
use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::fd::OwnedFd;
use rustix::net::{RecvFlags, SendFlags, recvfrom, sendto};
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

/// Packets read from one socket in one tick; the rest waits in the kernel for the next.
const PACKETS_PER_SOCKET: usize = 64;
/// Sockets asked at once which of them hold packets; the kernel names the others first the next time. No more than are read in half a
/// tick or so, so that time is looked at.
const READY: usize = 256;
/// More than the longest packet that any link carries whole; what is longer is cut and fails validation.
const PACKET: usize = 2048;

/// What is told to a shard's thread.
#[derive(Debug)]
pub(super) enum ToShard {
    Opened {
        leg: LegId,
        local: SocketAddr,
        pair: PortPair,
    },
    Command(Command),
    Sound {
        wish: Wish,
        clip: Option<Arc<Clip>>,
    },
    Handshake {
        leg: LegId,
        number: u32,
        told: Told,
    },
    /// The leg goes on in another shard.
    Release {
        leg: LegId,
        way: Way,
    },
    /// A leg of another shard is on its way here.
    Await {
        leg: LegId,
        coming: Coming,
    },
    Stop,
}

/// What comes to a shard's thread.
pub(super) struct Queues {
    pub(super) inbox: Receiver<ToShard>,
    /// For the loader's answers.
    pub(super) own_inbox: Sender<ToShard>,
    pub(super) life: Life,
}

/// One shard with its sockets, on one thread.
pub(super) struct ShardThread {
    shard: Shard,
    clock: Clock,
    epoll: OwnedFd,
    buffer: Box<[u8; PACKET]>,
    legs: Slots<Sockets>,
    key_of: Numbered<LegId, Key<Sockets>>,
    inbox: Receiver<ToShard>,
    /// For the loader's answers.
    own_inbox: Sender<ToShard>,
    arrivals: Arrivals,
    /// Let go by the end of the thread, also by a panic.
    _life: Life,
    sounds: SoundStore,
    tap: Tap,
    recordings: Recordings,
    shaking: Shaking,
    events: Events,
    counters: Arc<Counters>,
    /// What is not in `counters` yet.
    counts: MediaCounts,
}

pub(super) struct Sockets {
    leg: LegId,
    rtp: UdpSocket,
    rtcp: UdpSocket,
    captured: Option<Captured>,
}

impl ShardThread {
    pub(super) fn new(
        number: usize,
        config: &MediaConfig,
        Queues { inbox, own_inbox, life }: Queues,
        shaking: Shaking,
        events: Events,
        counters: Arc<Counters>,
    ) -> io::Result<ShardThread> {
        let now = config.clock.now();
        let shard_config = ShardConfig {
            // All may come to meet in one.
            legs_max: config.legs.saturating_mul(config.threads.max(1)),
            wall_at_zero: config.clock.wall_at_zero(),
            ..ShardConfig::default()
        };
        let seed = config.seed.named("media.shard").numbered(number as u64);
        Ok(ShardThread {
            shard: Shard::new(shard_config, seed, now),
            clock: config.clock,
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            buffer: Box::new([0; PACKET]),
            legs: Slots::new(config.legs.saturating_mul(config.threads.max(1))),
            key_of: Numbered::default(),
            inbox,
            own_inbox,
            arrivals: Arrivals::default(),
            _life: life,
            sounds: config.sounds.clone(),
            tap: config.tap.clone(),
            recordings: config.recordings.clone(),
            shaking,
            events,
            counters,
            counts: MediaCounts::default(),
        })
    }

    /// Runs until told to stop: on absolute deadlines while there are legs, asleep while there are none.
    pub(super) fn run(mut self) {
        let mut ready = Vec::with_capacity(READY);
        let mut due = self.clock.now();
        loop {
            if self.is_idle() {
                let Ok(told) = self.inbox.recv() else { return };
                due = self.clock.now();
                if !self.take(due, told) {
                    return;
                }
            }
            // Slept from an absolute deadline, never for a tick after the work.
            std::thread::sleep(due - self.clock.now());
            if !self.tick(self.clock.now(), &mut ready) {
                return;
            }
            let next = grid::next(due, self.clock.now());
            self.counts.late_ticks += u64::from(next.is_late);
            due = next.at;
        }
    }

    /// Whether there is nothing to be done before something comes.
    fn is_idle(&self) -> bool {
        self.key_of.is_empty()
            && self.events.is_empty()
            && self.shaking.is_idle()
            && !self.arrivals.are_awaited()
    }

    /// One turn; false if it was the last.
    fn tick(&mut self, now: Time, ready: &mut Vec<epoll::Event>) -> bool {
        for _ in 0..self.inbox.len() {
            self.take_in(now);
            if self.arrivals.are_awaited() {
                break;
            }
            let Ok(told) = self.inbox.try_recv() else { break };
            if !self.take(now, told) {
                return false;
            }
        }
        self.take_in(now);
        self.read_sockets(now, ready);
        self.shard.handle_timeout(now);
        self.drain(now);
        self.shaking.flush();
        self.events.flush();
        self.counts.ticks += 1;
        self.publish_counts();
        true
    }

    fn take(&mut self, now: Time, told: ToShard) -> bool {
        match told {
            ToShard::Opened { leg, local, pair } => {
                if let Err(error) = self.enter(leg, pair) {
                    tracing::error!(leg = leg.0, %error, "a leg's sockets cannot be watched: it will stay silent");
                }
                self.shard.handle(now, ShardInput::Opened { leg, local });
            }
            ToShard::Command(Command::Capture { leg, capture }) => self.capture(leg, capture),
            ToShard::Command(command) => self.shard.handle(now, ShardInput::Command(command)),
            ToShard::Sound { wish: (source, codec), clip } => {
                self.shard.handle(now, ShardInput::Sound { source, codec, clip });
            }
            ToShard::Handshake { leg, number, told } => {
                let told = told.as_told();
                self.shard.handle(now, ShardInput::Handshake { leg, number, told });
            }
            ToShard::Release { leg, way } => self.release(now, leg, &way),
            ToShard::Await { leg, coming } => self.arrivals.expect(leg, coming),
            ToShard::Stop => return false,
        }
        self.drain(now);
        true
    }

    /// Hands a leg to another shard, with what waits in its sockets.
    fn release(&mut self, now: Time, leg: LegId, way: &Way) {
        let moving = self.shard.release(leg);
        self.drain(now);
        let sockets = self.key_of.remove(&leg).and_then(|key| self.legs.remove(key));
        if let Some(sockets) = &sockets {
            for socket in [&sockets.rtp, &sockets.rtcp] {
                // What cannot be taken out is told of no more: its key is void.
                let _ = epoll::delete(&self.epoll, socket);
            }
        }
        let come = moving.zip(sockets).map(|(moving, sockets)| {
            let word = self.shaking.goes_on_elsewhere(leg);
            Box::new(Move { leg: moving, sockets, word })
        });
        // An error means that the other shard has ended, and so does the leg.
        let _ = way.send(come);
    }

    /// Takes in the leg that is awaited, if it has come.
    fn take_in(&mut self, now: Time) {
        let Some(come) = self.arrivals.take() else { return };
        let Move { leg: moving, sockets, word } = *come;
        let leg = sockets.leg;
        if let Err(error) = self.watch(sockets) {
            tracing::error!(leg = leg.0, %error, "a leg's sockets cannot be watched: it will stay silent");
        }
        self.shaking.goes_on_here(leg, word);
        self.shard.adopt(now, moving);
        self.drain(now);
    }

    fn capture(&mut self, leg: LegId, capture: Option<u64>) {
        let sockets = self.key_of.get(&leg).and_then(|key| self.legs.get_mut(*key));
        if let Some(sockets) = sockets {
            sockets.captured =
                capture.and_then(|capture| Captured::new(capture, &sockets.rtp, &sockets.rtcp));
        }
    }

    fn enter(&mut self, leg: LegId, pair: PortPair) -> io::Result<()> {
        self.watch(Sockets { leg, rtp: pair.rtp, rtcp: pair.rtcp, captured: None })
    }

    fn watch(&mut self, sockets: Sockets) -> io::Result<()> {
        let leg = sockets.leg;
        let key = self.legs.insert(sockets).map_err(|_| io::Error::other("the shard is full"))?;
        self.key_of.insert(leg, key);
        let Some(sockets) = self.legs.get(key) else { return Ok(()) };
        for (kind, socket) in [(PacketKind::Rtp, &sockets.rtp), (PacketKind::Rtcp, &sockets.rtcp)] {
            epoll::add(&self.epoll, socket, event_data(key, kind), epoll::EventFlags::IN)?;
        }
        Ok(())
    }

    /// Reads one packet each of some of the sockets that hold any, then asks again: in the common case of one packet
    /// this spares the read that would find nothing. Who was named comes last in the kernel's row.
    fn read_sockets(&mut self, now: Time, ready: &mut Vec<epoll::Event>) {
        const AT_ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };
        for _ in 0..PACKETS_PER_SOCKET {
            ready.clear();
            let found = epoll::wait(&self.epoll, spare_capacity(ready), Some(&AT_ONCE));
            if !matches!(found, Ok(1..)) {
                break;
            }
            for event in ready.iter() {
                self.read_packet(now, event.data.u64());
            }
            // While more comes than can be read, prompts and commands have their turn all the same.
            if self.clock.now() - now >= TICK {
                break;
            }
        }
    }

    fn read_packet(&mut self, now: Time, data: u64) {
        let (key, kind) = (Key::from_number(data >> 1), kind_of(data));
        let Some(sockets) = self.legs.get(key) else { return };
        let Some((length, from)) = receive(sockets.socket(kind), self.buffer.as_mut_slice()) else { return };
        let Some(bytes) = self.buffer.get(..length) else { return };
        self.counts.received += 1;
        if let Some(captured) = &sockets.captured {
            self.tap.give(captured.packet(self.clock.wall(), kind, true, from, bytes));
        }
        self.shard.handle(now, ShardInput::Packet { leg: sockets.leg, kind, from, bytes });
        self.drain(now);
    }

    fn drain(&mut self, now: Time) {
        while let Some(output) = self.shard.poll_output() {
            match output {
                ShardOutput::Send { leg, kind, to, packet } => self.send(leg, kind, to, packet),
                ShardOutput::Event(event) => self.hand_up(event),
                ShardOutput::NeedSound { source, codec } => self.need_sound(now, (source, codec)),
                ShardOutput::Handshake { leg, number, act } => match act {
                    HandshakeAct::Begin(peer) => self.shaking.begin(leg, number, peer),
                    HandshakeAct::Datagram(packet) => {
                        self.shaking.datagram(leg, number, self.shard.packet(packet));
                    }
                    HandshakeAct::End => self.shaking.end(leg, number),
                },
                ShardOutput::Heard { part: Some(part), number, packet, .. } => {
                    self.recordings.put(part, number, self.shard.packet(packet));
                }
                ShardOutput::Heard { part: None, .. } => {}
            }
        }
    }

    fn send(&mut self, leg: LegId, kind: PacketKind, to: SocketAddr, packet: PacketRef) {
        let sockets = self.key_of.get(&leg).and_then(|key| self.legs.get(*key));
        let Some(sockets) = sockets else { return };
        if let Some(captured) = &sockets.captured {
            let bytes = self.shard.packet(packet);
            self.tap.give(captured.packet(self.clock.wall(), kind, false, to, bytes));
        }
        match sendto(sockets.socket(kind), self.shard.packet(packet), SendFlags::empty(), &to) {
            Ok(_) => self.counts.sent += 1,
            Err(_) => self.counts.unsent += 1,
        }
    }

    fn hand_up(&mut self, event: Event) {
        if let Event::Closed { leg, .. } | Event::OpenFailed { leg, .. } = &event {
            // Closing a socket takes it out of the epoll set too.
            let key = self.key_of.remove(leg);
            key.and_then(|key| self.legs.remove(key));
        }
        self.events.push(event);
    }

    fn need_sound(&mut self, now: Time, wish: Wish) {
        if let Some(clip) = self.sounds.cached(&wish) {
            let (source, codec) = wish;
            return self.shard.handle(now, ShardInput::Sound { source, codec, clip: Some(clip) });
        }
        let inbox = self.own_inbox.clone();
        self.sounds.load(wish, move |wish, clip| {
            // The shard has ended: nobody waits for the sound.
            let _ = inbox.send(ToShard::Sound { wish, clip });
        });
    }

    fn publish_counts(&mut self) {
        let mut counts = std::mem::take(&mut self.counts);
        counts.events_dropped = self.events.take_dropped();
        self.counters.add(&counts);
    }
}

impl Sockets {
    fn socket(&self, kind: PacketKind) -> &UdpSocket {
        match kind {
            PacketKind::Rtp => &self.rtp,
            PacketKind::Rtcp => &self.rtcp,
        }
    }
}

/// The next packet and its sender. The system calls are made directly: the C library's are points at which a thread can be
/// cancelled, which costs each of them more than finding the leg does.
fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
    let (length, _, from) = recvfrom(socket, buffer, RecvFlags::empty()).ok()?;
    Some((length, without_link(SocketAddr::try_from(from?).ok()?)))
}

fn event_data(key: Key<Sockets>, kind: PacketKind) -> epoll::EventData {
    epoll::EventData::new_u64(key.number() << 1 | u64::from(kind == PacketKind::Rtcp))
}

fn kind_of(data: u64) -> PacketKind {
    if data & 1 == 1 { PacketKind::Rtcp } else { PacketKind::Rtp }
}
