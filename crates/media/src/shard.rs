mod moving;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use audio::Clip;
use base::{Key, Numbered, Seed, Slots, Time};
use media_api::{Codec, Command, Event, LegId, PlayId, RoomId, Seat, Sound, Stream};

use crate::api::{PacketKind, PacketRef, ShardConfig, ShardInput, ShardOutput, Why};
use crate::deadlines::Deadlines;
use crate::leg::{Leg, Received, Route};
use crate::outbox::Outbox;
use crate::player::SOUNDS_MAX;
use crate::quality::Heard;
use crate::room::Room;
use crate::sounds::{Ask, Waiter, Wanted};
pub use moving::MovingLeg;

/// The shell's tick. Legs play in different ones.
const TICK: Duration = Duration::from_millis(5);
const TICKS_PER_FRAME: u32 = 4;

/// A leg that was just served waits at least so long, that it cannot keep the others from their turn.
const REST: Duration = Duration::from_millis(1);

/// Many legs and what passes between them.
///
/// The shell calls [`Shard::handle`] for all that has come in, then [`Shard::handle_timeout`], then takes
/// the outputs. A turn costs what the packets and the due legs cost; legs that rest cost nothing, and
/// relaying and playing allocate nothing once the buffers have grown.
#[derive(Debug)]
pub struct Shard {
    config: ShardConfig,
    seed: Seed,
    legs: Slots<Leg>,
    keys: Numbered<LegId, Key<Leg>>,
    deadlines: Deadlines<Leg>,
    rooms: BTreeMap<RoomId, Room>,
    wanted: Wanted,
    out: Outbox,
    /// Where secured packets are opened.
    opened: Vec<u8>,
}

impl Shard {
    /// A shard without legs.
    pub fn new(config: ShardConfig, seed: Seed, _now: Time) -> Shard {
        Shard {
            legs: Slots::new(config.legs_max),
            config,
            seed,
            keys: Numbered::default(),
            deadlines: Deadlines::new(),
            rooms: BTreeMap::new(),
            wanted: Wanted::default(),
            out: Outbox::default(),
            opened: Vec::new(),
        }
    }

    /// Takes one input. The outputs may be taken after each input or after several.
    pub fn handle(&mut self, now: Time, input: ShardInput<'_>) {
        self.out.begin();
        match input {
            ShardInput::Opened { leg, local } => self.open(now, leg, local),
            ShardInput::Command(command) => self.command(now, command),
            ShardInput::Packet { leg, kind, from, bytes } => self.packet_in(now, leg, kind, from, bytes),
            ShardInput::Sound { source, codec, clip } => self.sound(now, (&source, codec), clip.as_ref()),
            ShardInput::Handshake { leg, number, told } => {
                self.with(leg, |leg, out| leg.handshake_told(now, number, told, out));
            }
        }
    }

    /// Does all that is due.
    pub fn handle_timeout(&mut self, now: Time) {
        self.out.begin();
        while let Some((time, _, key)) = self.deadlines.first()
            && time <= now
        {
            let next = self.legs.get_mut(key).and_then(|leg| {
                leg.handle_timeout(now, &mut self.out);
                leg.deadline()
            });
            self.deadlines.set(key, next.map(|(time, why)| (time.max(now + REST), why)));
        }
        for room in self.rooms.values_mut() {
            room.handle_timeout(now, &mut self.legs, &mut self.out);
        }
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<ShardOutput> {
        self.out.pop()
    }

    /// When to call [`Shard::handle_timeout`] at the latest, and what for.
    pub fn poll_timeout(&self) -> Option<(Time, Why)> {
        let leg = self.deadlines.first().map(|(time, why, _)| (time, why));
        let room = self.rooms.values().filter_map(Room::due).min().map(|time| (time, Why::Room));
        [leg, room].into_iter().flatten().min_by_key(|(time, _)| *time)
    }

    /// The bytes of an output; none if it is older than the last input that followed on an empty queue.
    pub fn packet(&self, packet: PacketRef) -> &[u8] {
        self.out.bytes(packet)
    }

    /// How many legs there are.
    pub fn legs(&self) -> usize {
        self.legs.len()
    }

    fn open(&mut self, now: Time, id: LegId, local: SocketAddr) {
        if self.keys.contains(&id) {
            return;
        }
        let phase = TICK * (self.legs.len() as u32 % TICKS_PER_FRAME);
        let rng = self.seed.numbered(id.0).rng();
        let leg = Leg::new(id, local, phase, rng, self.config.silent_after, self.config.wall_at_zero, now);
        match self.legs.insert(leg) {
            Ok(key) => {
                self.keys.insert(id, key);
            }
            Err(_) => {
                let why = format!(
                    "this media thread already carries {} legs; allow more or start more threads",
                    self.config.legs_max
                );
                self.out.event(Event::OpenFailed { leg: id, why });
            }
        }
    }

    fn command(&mut self, now: Time, command: Command) {
        match command {
            // The shell binds sockets; only then a leg comes here.
            Command::Open { .. } => {}
            // The shell sees every packet; a shard has nothing to add.
            Command::Capture { .. } => {}
            Command::Configure { leg, stream } => self.configure(now, leg, stream),
            Command::Play { leg, play, sounds, repeat } => self.play(now, leg, play, sounds, repeat),
            Command::Stop { leg } => self.with(leg, |leg, out| leg.stop_play(out)),
            Command::SendDigits { leg, digits } => self.with(leg, |leg, _| leg.push_keys(now, &digits)),
            Command::Bridge { a, b } => self.bridge(a, b),
            Command::Listen { leg, to } => self.listen(leg, to),
            Command::Unbridge { leg } => self.unbridge(leg),
            Command::Join { leg, room, seat, chime } => self.join(now, leg, room, seat, chime),
            Command::Announce { room, play, sounds, to, alone } => {
                self.announce(now, (room, play), sounds, (to, alone));
            }
            Command::Echo { leg } => {
                self.unbridge(leg);
                self.with(leg, |leg, out| leg.set_routes(Route::Itself, None, out));
            }
            Command::HearKeys { leg, kept } => self.with(leg, |leg, _| leg.hear_keys(now, kept)),
            Command::HearProgress { leg, on } => self.with(leg, |leg, _| leg.hear_progress(on)),
            Command::Tap { leg, tapping } => self.with(leg, |leg, _| leg.tap(now, tapping.as_ref())),
            Command::Close { leg } => self.close(now, leg),
        }
    }

    /// Does something with a leg, if it is there, and sets its deadline.
    fn with(&mut self, id: LegId, act: impl FnOnce(&mut Leg, &mut Outbox)) {
        if let Some(key) = self.keys.get(&id) {
            self.with_key(*key, act);
        }
    }

    fn with_key(&mut self, key: Key<Leg>, act: impl FnOnce(&mut Leg, &mut Outbox)) {
        if let Some(leg) = self.legs.get_mut(key) {
            act(leg, &mut self.out);
            self.deadlines.set(key, leg.deadline());
        }
    }

    fn configure(&mut self, now: Time, id: LegId, stream: Stream) {
        let Some(key) = self.keys.get(&id).copied() else { return };
        let Some(leg) = self.legs.get_mut(key) else { return };
        leg.agree_names(now, &stream.security);
        leg.agree_handshake(&stream.security, &mut self.out);
        let (wanted, out) = (&mut self.wanted, &mut self.out);
        leg.configure(now, stream, &mut |wish| wanted.ask(now, wish, Waiter::Leg(key), out));
        self.deadlines.set(key, leg.deadline());
    }

    fn play(&mut self, now: Time, id: LegId, play: PlayId, sounds: Vec<Sound>, repeat: bool) {
        let Some(key) = self.keys.get(&id).copied() else { return };
        let Some(leg) = self.legs.get_mut(key) else { return };
        leg.stop_play(&mut self.out);
        if sounds.len() > SOUNDS_MAX {
            self.out.event(Event::PlayEnded { leg: id, play, complete: false });
        } else {
            let (wanted, out) = (&mut self.wanted, &mut self.out);
            leg.play(now, play, sounds, repeat, &mut |wish| wanted.ask(now, wish, Waiter::Leg(key), out));
        }
        self.deadlines.set(key, leg.deadline());
    }

    fn sound(&mut self, now: Time, wish: (&Arc<str>, Codec), clip: Option<&Arc<Clip>>) {
        for who in self.wanted.answered(wish.0, wish.1) {
            let mut wishes = Vec::new();
            let ask: Ask<'_> = &mut |(source, codec)| wishes.push((Arc::clone(source), codec));
            match who {
                Waiter::Leg(key) => self.with_key(key, |leg, out| leg.answer(now, wish, clip, ask, out)),
                Waiter::Room(id) => {
                    self.rooms.get_mut(&id).into_iter().for_each(|room| room.answer(wish, clip, ask));
                }
            }
            for (source, codec) in wishes {
                self.wanted.ask(now, (&source, codec), who, &mut self.out);
            }
        }
    }

    fn announce(
        &mut self,
        now: Time,
        (id, play): (RoomId, PlayId),
        sounds: Vec<Sound>,
        to: (Option<LegId>, bool),
    ) {
        let room = self.rooms.get_mut(&id).filter(|room| room.may_announce() && sounds.len() <= SOUNDS_MAX);
        let Some(room) = room else {
            return self.out.event(Event::Announced { room: id, play, complete: false });
        };
        let (wanted, out) = (&mut self.wanted, &mut self.out);
        room.announce(play, sounds, to, &mut |wish| wanted.ask(now, wish, Waiter::Room(id), out));
    }

    fn bridge(&mut self, a: LegId, b: LegId) {
        let Some((key_a, key_b)) = self.parted(a, b) else { return };
        self.with_key(key_a, |leg, out| leg.set_routes(Route::Peer(key_b), Some(key_b), out));
        self.with_key(key_b, |leg, out| leg.set_routes(Route::Peer(key_a), Some(key_a), out));
    }

    fn listen(&mut self, hearer: LegId, heard: LegId) {
        let Some((hearer, heard)) = self.parted(hearer, heard) else { return };
        self.with_key(hearer, |leg, out| leg.set_routes(Route::Nobody, Some(heard), out));
        self.with_key(heard, |leg, out| leg.set_routes(Route::Peer(hearer), None, out));
    }

    fn join(&mut self, now: Time, id: LegId, room: RoomId, seat: Seat, chime: bool) {
        let Some(key) = self.keys.get(&id).copied() else { return };
        let is_there = self.legs.get(key).is_some_and(|leg| leg.route == Route::Room(room));
        let with = self.legs.get(key).and_then(Leg::bridged_with);
        if !is_there {
            self.unbridge(id);
            self.with_key(key, |leg, out| leg.set_routes(Route::Room(room), None, out));
        }
        let phase = TICK * (self.rooms.len() as u32 % TICKS_PER_FRAME);
        let seed = self.seed.named("room").numbered(room.0);
        let room = self.rooms.entry(room).or_insert_with(|| Room::new(room, now, phase, seed));
        room.join(now, (key, id), seat, chime, with);
    }

    /// Two legs that are there and have nothing to do with anybody any more.
    fn parted(&mut self, a: LegId, b: LegId) -> Option<(Key<Leg>, Key<Leg>)> {
        let pair = (self.keys.get(&a).copied()?, self.keys.get(&b).copied()?);
        if pair.0 == pair.1 {
            return None;
        }
        self.unbridge(a);
        self.unbridge(b);
        Some(pair)
    }

    /// Ends what a leg hears of others and they of it.
    fn unbridge(&mut self, id: LegId) {
        let Some(key) = self.keys.get(&id).copied() else { return };
        let Some(leg) = self.legs.get_mut(key) else { return };
        let (route, heard) = leg.part();
        let hearer = match route {
            Route::Peer(hearer) => Some(hearer),
            Route::Room(id) => return self.leave(key, id),
            Route::Nobody | Route::Itself => None,
        };
        for other in [hearer, heard].into_iter().flatten() {
            if let Some(other) = self.legs.get_mut(other) {
                other.part_from(key);
            }
        }
    }

    fn leave(&mut self, key: Key<Leg>, id: RoomId) {
        let is_empty = self.rooms.get_mut(&id).is_some_and(|room| room.leave(key));
        if is_empty && let Some(room) = self.rooms.remove(&id) {
            self.wanted.forget(Waiter::Room(id));
            room.close(&mut self.out);
        }
    }

    fn close(&mut self, now: Time, id: LegId) {
        self.unbridge(id);
        let Some(key) = self.keys.remove(&id) else { return };
        self.deadlines.set(key, None);
        self.wanted.forget(Waiter::Leg(key));
        if let Some(leg) = self.legs.remove(key) {
            leg.close(now, &mut self.out);
        }
    }

    fn packet_in(&mut self, now: Time, id: LegId, kind: PacketKind, from: SocketAddr, bytes: &[u8]) {
        let Some(key) = self.keys.get(&id).copied() else { return };
        let talks_with = self.legs.get(key).and_then(Leg::presses_for).and_then(|peer| self.legs.get(peer));
        let are_pressed_on = talks_with.is_some_and(Leg::takes_events);
        let Some(leg) = self.legs.get_mut(key) else { return };
        if !leg.takes_as_media(now, kind, from, bytes, &mut self.out) {
            return self.deadlines.set(key, leg.deadline());
        }
        let is_report = kind == PacketKind::Rtcp || leg.is_report(bytes);
        let (opened, out) = (&mut self.opened, &mut self.out);
        let Some(bytes) = leg.open(now, is_report, from, bytes, opened, out) else { return };
        if is_report {
            return leg.receive_report(now, from, bytes);
        }
        let is_timed = leg.is_timed_by_packets();
        let received = leg.receive(now, (key, are_pressed_on), from, bytes, &mut self.out);
        if is_timed {
            self.deadlines.set(key, leg.deadline());
        }
        let Some(received) = received else { return };
        let ways = (&mut self.legs, &mut self.deadlines, &mut self.out);
        let heard = match received.to {
            Route::Nobody => None,
            Route::Itself => pass_on(now, key, &received, ways),
            Route::Peer(peer) => pass_on(now, peer, &received, ways),
            Route::Room(room) => self.rooms.get_mut(&room).and_then(|room| {
                if let Some(hearer) = room.hands_over(now, &received, ways.0) {
                    return pass_on(now, hearer, &received, ways);
                }
                room.hear(now, &received);
                room.heard(key)
            }),
        };
        if let Some(heard) = heard
            && let Some(leg) = self.legs.get_mut(key)
        {
            leg.is_heard(&heard);
        }
    }
}

/// What was received goes to this party; gives how it has heard, if it has an ear for it.
fn pass_on(
    now: Time,
    hearer: Key<Leg>,
    received: &Received<'_>,
    (legs, deadlines, out): (&mut Slots<Leg>, &mut Deadlines<Leg>, &mut Outbox),
) -> Option<Heard> {
    let leg = legs.get_mut(hearer)?;
    leg.relay(now, received, out);
    if leg.has_times_of_its_own() {
        deadlines.set(hearer, leg.deadline());
    }
    leg.heard()
}
