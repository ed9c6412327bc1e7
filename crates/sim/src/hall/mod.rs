//! Real media for a whole town: a shard in virtual time, and for each dialog of a phone a party whose packets go through the
//! same bad network as its signalling.

mod conversations;
mod hearing;
mod orders;
mod party;
mod presses;
mod reports;
mod stranger;
mod timeline;
mod voices;
mod watch;
mod wheel;

use crate::network::{Path, Way};
use crate::phones::Talk;
use crate::trace::Fnv;
use crate::{Depth, Figures};
use base::{Rng, Seed, Time};
use conversations::{Conversations, Ears};
use engine::Config;
use facts::Fact;
use hearing::Hearing;
use media::{PacketKind, Shard, ShardConfig, ShardInput, ShardOutput};
use media_api::{Codec, Command, Event, Family, LegId};
use orders::Orders;
use party::{Party, Received};
use presses::Presses;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use stranger::Stranger;
use timeline::Timeline;
use voices::{Source, Voices};
use watch::Watch;
use wheel::{Packet, What, Wheel};

/// That of the shell.
pub(crate) const TICK: Duration = Duration::from_millis(5);
const TICKS_PER_FRAME: u64 = 4;
/// So many ports of one address are used.
const PORTS: u32 = 20_000;

/// All the media of a world.
pub(crate) struct Hall {
    depth: Depth,
    seed: Seed,
    shards: u64,
    shard: Shard,
    rng: Rng,
    /// Ports that do not open, sounds that are missing.
    troubled: bool,
    ticks: u64,
    next_tick: Time,
    next_number: u32,
    legs: BTreeMap<SocketAddr, LegId>,
    /// Those whose ports did not open.
    failed: BTreeSet<LegId>,
    orders: Orders,
    conversations: Conversations,
    /// The ports of which what is heard may have gone through a mixer; what is on its way outlives them.
    mixed: BTreeSet<u32>,
    /// Something has changed in who may hear whom.
    is_stale: bool,
    parties: BTreeMap<u32, Party>,
    next_party: u32,
    by_call: BTreeMap<(usize, String), u32>,
    by_address: BTreeMap<SocketAddr, u32>,
    wheel: Wheel,
    /// What the shard has sent since the last tick.
    sent: Vec<(u32, Packet)>,
    wanted: Vec<(Time, Arc<str>, Codec)>,
    voices: Voices,
    hearing: Hearing,
    presses: Presses,
    watch: Watch,
    lines: BTreeMap<u32, Timeline>,
    hash: Fnv,
    figures: Figures,
    /// What the shard tells call control, and when.
    pub(crate) events: Vec<(Time, Event)>,
    /// Phones that have just heard a person.
    pub(crate) touched: Vec<usize>,
    pub(crate) complaints: Vec<String>,
}

/// The ways to the phones, and their chance.
pub(crate) struct Network<'a> {
    pub(crate) paths: &'a mut BTreeMap<usize, Path>,
    pub(crate) rng: &'a mut Rng,
}

impl Hall {
    pub(crate) fn new(depth: Depth, seed: Seed, now: Time, config: &Config, troubled: bool) -> Hall {
        Hall {
            depth,
            conversations: Conversations::new(config),
            mixed: BTreeSet::new(),
            is_stale: false,
            shards: 0,
            shard: Shard::new(ShardConfig::default(), seed.named("shard"), now),
            rng: seed.named("hall").rng(),
            seed,
            troubled,
            ticks: 0,
            next_tick: now + TICK,
            next_number: 0,
            legs: BTreeMap::new(),
            failed: BTreeSet::new(),
            orders: Orders::default(),
            parties: BTreeMap::new(),
            next_party: 0,
            by_call: BTreeMap::new(),
            by_address: BTreeMap::new(),
            wheel: Wheel::new(now),
            sent: Vec::new(),
            wanted: Vec::new(),
            voices: Voices::new(depth),
            hearing: Hearing::default(),
            presses: Presses::default(),
            watch: Watch::default(),
            lines: BTreeMap::new(),
            hash: Fnv::default(),
            figures: Figures::default(),
            events: Vec::new(),
            touched: Vec::new(),
            complaints: Vec::new(),
        }
    }

    /// When the next tick is due: none where nothing is sent and nobody waits for anything.
    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        let is_quiet = self.legs.is_empty()
            && self.parties.is_empty()
            && self.wheel.is_empty()
            && self.sent.is_empty()
            && self.wanted.is_empty();
        (!is_quiet).then_some(self.next_tick)
    }

    pub(crate) fn open_legs(&self) -> usize {
        self.orders.len().max(self.shard.legs())
    }

    /// What it came to.
    pub(crate) fn figures(&self) -> Figures {
        Figures {
            heard: self.hearing.heard,
            told: self.presses.told,
            hash: self.hash.value(),
            ..self.figures
        }
    }

    /// The process ended: its ports are closed, and nothing is told.
    pub(crate) fn forget_all(&mut self, now: Time) {
        self.shards += 1;
        let seed = self.seed.named("shard").numbered(self.shards);
        self.shard = Shard::new(ShardConfig::default(), seed, now);
        self.hearing.end_all(now);
        let closed: Vec<u32> = self.orders.numbers().collect();
        closed.into_iter().for_each(|number| self.forget(now, number));
        self.orders = Orders::default();
        self.conversations.end_all();
        self.legs.clear();
        self.failed.clear();
        self.sent.clear();
        self.wanted.clear();
    }

    fn forget(&mut self, now: Time, number: u32) {
        self.voices.end(now, number);
        self.presses.forget(number);
        self.watch.forget(number);
        self.lines.remove(&number);
    }

    /// Does an order.
    pub(crate) fn command(&mut self, now: Time, command: Command) {
        self.catch_up(now);
        if let Command::Open { leg, family } = command {
            return self.open(now, leg, family);
        }
        if command.leg().is_some_and(|leg| self.failed.contains(&leg)) {
            return;
        }
        if let Command::Close { leg } = command {
            return self.close(now, leg);
        }
        self.orders.apply(&command);
        if let Command::Configure { leg, stream } = &command
            && let Some(number) = self.orders.number_of(*leg)
        {
            self.watch.expects(now, number, stream);
        }
        self.shard.handle(now, ShardInput::Command(command));
        self.drain(now);
    }

    /// The log says something new.
    pub(crate) fn fact(&mut self, fact: &Fact) {
        self.conversations.apply(fact);
        self.is_stale = true;
    }

    fn close(&mut self, now: Time, leg: LegId) {
        let number = self.orders.number_of(leg);
        self.shard.handle(now, ShardInput::Command(Command::Close { leg }));
        self.drain(now);
        self.orders.apply(&Command::Close { leg });
        self.legs.retain(|_, known| *known != leg);
        if let Some(number) = number {
            self.hearing.allow(now, number, &Ears::new());
            self.forget(now, number);
        }
    }

    /// Nothing happened for a while, and no tick was due.
    fn catch_up(&mut self, now: Time) {
        if self.poll_timeout().is_none() {
            self.next_tick = now + TICK;
            self.wheel.rest_until(now);
        }
    }

    fn open(&mut self, now: Time, leg: LegId, _family: Family) {
        self.next_number += 1;
        let number = self.next_number;
        if self.troubled && self.rng.chance_permille(4) {
            let why = "no port was free".to_owned();
            self.failed.insert(leg);
            return self.events.push((now, Event::OpenFailed { leg, why }));
        }
        let local = address_of(number);
        self.orders.open(leg, number);
        self.legs.insert(local, leg);
        self.voices.begin(now, number);
        self.shard.handle(now, ShardInput::Opened { leg, local });
        self.drain(now);
        self.events.push((now, Event::Opened { leg, local }));
    }

    /// Reckons who may hear whom now, if that has changed.
    pub(crate) fn reckon(&mut self, now: Time) {
        if !std::mem::take(&mut self.is_stale) {
            return;
        }
        let counted = self.depth == Depth::Packets;
        let mut ears = self.conversations.ears(counted);
        for number in self.orders.numbers() {
            self.hearing.allow(now, number, &ears.remove(&number).unwrap_or_default());
        }
        self.mixed.extend(self.conversations.mixed());
    }
}

/// Phones.
impl Hall {
    /// A phone has agreed to something.
    pub(crate) fn agree(&mut self, now: Time, (phone, call_id): (usize, String), talk: Talk, path: &Path) {
        self.catch_up(now);
        let key = (phone, call_id);
        if let Some(number) = number_of(talk.remote) {
            self.hearing.set_way(number, way(path, &talk));
            self.conversations.agreed(&key.1, number);
            self.is_stale = true;
        }
        match self.by_call.get(&key).copied() {
            Some(id) => {
                let Some(party) = self.parties.get_mut(&id) else { return };
                self.by_address.remove(&party.talk.local);
                self.by_address.insert(talk.local, id);
                party.agree(talk);
            }
            None => {
                self.next_party += 1;
                let id = self.next_party;
                self.by_address.insert(talk.local, id);
                self.by_call.insert(key, id);
                self.parties.insert(id, Party::new(phone, talk, &mut self.rng));
            }
        }
    }

    /// A dialog of a phone is over.
    pub(crate) fn hangs_up(&mut self, phone: usize, call_id: &str) {
        if let Some(id) = self.by_call.remove(&(phone, call_id.to_owned()))
            && let Some(party) = self.parties.remove(&id)
            && self.by_address.get(&party.talk.local) == Some(&id)
        {
            self.by_address.remove(&party.talk.local);
        }
    }

    /// A phone is unplugged.
    pub(crate) fn vanishes(&mut self, phone: usize) {
        let calls: Vec<String> =
            self.by_call.keys().filter(|(its, _)| *its == phone).map(|(_, call)| call.clone()).collect();
        calls.iter().for_each(|call| self.hangs_up(phone, call));
    }

    /// A key is pressed in the dialog that talks to this port.
    pub(crate) fn press(&mut self, phone: usize, port: SocketAddr, digit: char) {
        let Some(number) = number_of(port) else { return };
        let mut its = self.parties.values_mut().filter(|party| party.phone == phone);
        let Some(party) = its.find(|party| party.talk.remote == port && party.talk.keys.is_some()) else {
            return;
        };
        let press = self.presses.pressed(number, digit);
        self.figures.pressed += u64::from(party.press(press, digit));
    }
}

/// Packets.
impl Hall {
    /// What happens in one tick of the shell.
    pub(crate) fn tick(&mut self, mut network: Network<'_>) {
        let now = self.next_tick;
        self.next_tick = now + TICK;
        self.ticks += 1;
        self.sounds_come(now);
        self.phones_speak(now, &mut network);
        for packet in self.wheel.turn() {
            match packet.what {
                Some(what) => self.reaches_the_exchange(now, packet, what),
                None => self.reaches_a_phone(now, packet),
            }
        }
        self.shard.handle_timeout(now);
        self.drain(now);
        self.exchange_speaks(now, &mut network);
        if self.ticks.is_multiple_of(200) {
            let complaints = self.watch.check(now);
            self.complaints.extend(complaints);
        }
        self.collect();
    }

    fn sounds_come(&mut self, now: Time) {
        let due = self.wanted.iter().any(|(at, _, _)| *at <= now);
        if !due {
            return;
        }
        let (come, wanted) = std::mem::take(&mut self.wanted).into_iter().partition(|(at, _, _)| *at <= now);
        self.wanted = wanted;
        let come: Vec<(Time, Arc<str>, Codec)> = come;
        for (_, source, codec) in come {
            let is_missing = self.troubled && self.rng.chance_permille(10);
            let frames = 25 + source.bytes().map(usize::from).sum::<usize>() % 175;
            let clip = (!is_missing).then(|| self.voices.sound(&source, codec, frames));
            self.shard.handle(now, ShardInput::Sound { source, codec, clip });
            self.drain(now);
        }
    }

    fn phones_speak(&mut self, now: Time, network: &mut Network<'_>) {
        let mut talking: Vec<(SocketAddr, SocketAddr)> = Vec::new();
        if self.troubled {
            talking.extend(self.parties.values().map(|party| (party.talk.local, party.talk.remote)));
            talking.sort_unstable();
        }
        for party in self.parties.values_mut() {
            if self.ticks % TICKS_PER_FRAME != party.phase {
                continue;
            }
            let Some(number) = number_of(party.talk.remote) else { continue };
            let is_heard = self.watch.is_held(now, number);
            if self.troubled && party.stranger.is_none() && self.rng.chance_permille(3) {
                // Who talks to another port: of two branches of one call the exchange may hear either.
                let elsewhere = |(_, remote): &&(SocketAddr, SocketAddr)| *remote != party.talk.remote;
                let from = talking.iter().filter(|(local, _)| *local > party.talk.local).find(elsewhere);
                let from = from.filter(|_| self.rng.chance_permille(500)).map(|(local, _)| *local);
                party.stranger = Some(Stranger::new(&mut self.rng, from, is_heard));
            }
            let intrudes = party.stranger.as_mut();
            match intrudes.and_then(|other| other.speak(is_heard, &party.talk, &mut self.voices)) {
                Some(packet) => self.wheel.insert(now + TICK, packet),
                None => party.stranger = None,
            }
            let said = party.speak(now, &mut self.voices, number);
            for packet in said.into_iter().chain(party.report(now)) {
                let arrivals = network.carry(party.phone, now, Way::ToEngine);
                self.figures.lost += u64::from(arrivals == [None, None]);
                self.wheel.carry(arrivals, packet);
            }
        }
    }

    fn reaches_the_exchange(&mut self, now: Time, packet: Packet, what: What) {
        let Packet { kind, from, to, bytes, .. } = packet;
        let port = SocketAddr::new(to.ip(), to.port() & !1);
        let (Some(leg), Some(number)) = (self.legs.get(&port).copied(), number_of(port)) else { return };
        self.figures.received += 1;
        if kind == PacketKind::Rtp && what != What::Stray {
            self.watch.heard(now, number, what == What::Again);
        }
        let first = match what {
            What::Speech => {
                self.hearing.said(now, number);
                false
            }
            What::Key(press) => self.presses.arrives(number, press),
            What::Report | What::Again | What::Stray => false,
        };
        self.shard.handle(now, ShardInput::Packet { leg, kind, from, bytes: &bytes });
        self.drain(now);
        if let What::Key(press) = what
            && first
            && self.must_be_told(now, leg, number)
            && self.presses.is_untold(number, press)
        {
            self.complaints.push(format!("a key pressed towards port {number} was not told"));
        }
    }

    /// Whether a key that comes there must be the party's: it was heard there before, and is still to be.
    fn must_be_told(&self, now: Time, leg: LegId, number: u32) -> bool {
        let agreed = self.orders.stream_of(leg);
        agreed.is_some_and(|stream| stream.may_receive() && stream.digits.is_some())
            && self.watch.is_steady(now, number)
            && self.hearing.is_fair(number)
    }

    fn exchange_speaks(&mut self, now: Time, network: &mut Network<'_>) {
        for (number, packet) in std::mem::take(&mut self.sent) {
            let id = self.by_address.get(&even(packet.to));
            let phone = id.and_then(|id| self.parties.get(id)).map(|party| party.phone);
            let arrivals = phone.map_or([None, None], |phone| network.carry(phone, now, Way::ToPhone));
            if arrivals == [None, None] {
                self.figures.lost += 1;
                if packet.kind == PacketKind::Rtp {
                    self.hearing.lost(now, number, &[]);
                }
            }
            self.wheel.carry(arrivals, packet);
        }
    }

    fn reaches_a_phone(&mut self, now: Time, mut packet: Packet) {
        let from = even(packet.from);
        let Some(number) = number_of(from) else { return };
        let party = self.by_address.get(&even(packet.to)).and_then(|id| self.parties.get_mut(id));
        // A phone hears nobody but the one with whom it has agreed.
        let Some(party) = party.filter(|party| party.talk.remote == from) else {
            return self.hearing.lost(now, number, &[]);
        };
        if packet.kind == PacketKind::Rtcp {
            let wrong = party.receive_report(now, &mut packet.bytes);
            self.complaints.extend(wrong.map(|wrong| format!("port {number} sends {wrong}")));
            return;
        }
        let (codec, payload) = match party.receive(&mut packet.bytes) {
            Received::Speech(codec, payload) => (codec, payload),
            Received::Other | Received::Nothing => return,
            Received::Strange(payload_type) => {
                let what = format!("port {number} sends payload type {payload_type}, which was not agreed");
                return self.complaints.push(what);
            }
        };
        let heard = match self.depth {
            Depth::Audio => {
                let expected = self.hearing.expected(now, number);
                party.listen(now, (codec, &payload), &self.voices, &expected)
            }
            _ => Party::read(codec, &payload, &self.voices),
        };
        // What was mixed is read as far as it can be.
        let is_blurred = self.depth == Depth::Packets && self.mixed.contains(&number);
        let is_sure = |source: &Source| !is_blurred || self.voices.is_known(*source);
        let heard: Vec<Source> = heard.into_iter().filter(is_sure).collect();
        self.hearing.heard(now, number, &heard, self.depth == Depth::Packets);
        if party.is_in_doubt(&heard) {
            self.hearing.lost(now, number, &heard);
        }
        let others = heard.iter().any(|source| matches!(source, Source::Party(other) if *other != number));
        if others && !std::mem::replace(&mut party.has_heard, true) {
            self.touched.push(party.phone);
        }
    }

    /// Takes what the shard wants done.
    fn drain(&mut self, now: Time) {
        while let Some(output) = self.shard.poll_output() {
            match output {
                ShardOutput::Send { leg, kind, to, packet } => {
                    let bytes = self.shard.packet(packet).to_vec();
                    let Some(number) = self.orders.number_of(leg) else { continue };
                    let from = match kind {
                        PacketKind::Rtp => address_of(number),
                        PacketKind::Rtcp => {
                            SocketAddr::new(address_of(number).ip(), address_of(number).port() + 1)
                        }
                    };
                    self.figures.sent += 1;
                    self.hash.add(&bytes);
                    if kind == PacketKind::Rtp {
                        let wrong = self.lines.entry(number).or_default().take(&bytes);
                        self.complaints.extend(wrong.map(|wrong| format!("port {number} sends {wrong}")));
                    }
                    self.sent.push((number, Packet { kind, from, to, what: None, bytes }));
                }
                ShardOutput::Event(event) => self.told(now, event),
                ShardOutput::NeedSound { source, codec } => {
                    let at = now + Duration::from_micros(self.rng.below(100_000));
                    self.wanted.push((at, source, codec));
                }
                ShardOutput::Heard { .. } | ShardOutput::Handshake { .. } => {}
            }
        }
    }

    fn told(&mut self, now: Time, event: Event) {
        match &event {
            Event::Digit { leg, digit, .. } => {
                if let Some(number) = self.orders.number_of(*leg) {
                    self.presses.told(number, *digit);
                }
            }
            Event::Silent { leg, evidence } => {
                if let Some(number) = self.orders.number_of(*leg) {
                    let wrong = self.watch.silent(now, number, evidence);
                    self.complaints.extend(wrong);
                }
            }
            Event::Restored { leg, .. } => {
                self.orders.number_of(*leg).into_iter().for_each(|number| self.watch.restored(number));
            }
            _ => {}
        }
        self.events.push((now, event));
    }

    fn collect(&mut self) {
        let lists = [&mut self.hearing.complaints, &mut self.presses.complaints, &mut self.orders.complaints];
        self.complaints.extend(lists.into_iter().flat_map(std::mem::take));
    }
}

impl Network<'_> {
    fn carry(&mut self, phone: usize, now: Time, way: Way) -> [Option<Time>; 2] {
        match self.paths.get_mut(&phone) {
            Some(path) => path.carry(now, way, self.rng),
            None => [None, None],
        }
    }
}

fn way(path: &Path, talk: &Talk) -> hearing::Way {
    hearing::Way {
        longest: path.longest().min(wheel::LONGEST),
        is_fair: path.is_orderly() && !talk.behind_nat,
    }
}

/// The address of RTP, of either of the two ports.
fn even(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip(), address.port() & !1)
}

/// Where the exchange listens for the leg that was opened as this one. No address is used twice.
fn address_of(number: u32) -> SocketAddr {
    let [_, b, c, d] = (number / PORTS).to_be_bytes();
    SocketAddr::from((Ipv4Addr::new(10, 200 + b, c, d), 20_000 + (number % PORTS) as u16 * 2))
}

fn number_of(address: SocketAddr) -> Option<u32> {
    let SocketAddr::V4(address) = address else { return None };
    let [_, b, c, d] = address.ip().octets();
    let many = u32::from_be_bytes([0, b.checked_sub(200)?, c, d]);
    Some(many * PORTS + u32::from(address.port().checked_sub(20_000)?) / 2)
}

#[cfg(test)]
mod ears;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_has_one_number() {
        for number in [1, 19_999, 20_000, 1_000_003] {
            assert_eq!(number_of(address_of(number)), Some(number));
        }
    }
}
