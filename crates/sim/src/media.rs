//! The stand-in for media: ports that open, sounds that last as long as their name says, keys and silences
//! that phones cause. It also watches that call control gives it orders that make sense.

use crate::phones::between;
use base::{Rng, Time};
use media_api::{Command, Event, Evidence, Family, KeysBy, LegId, PlayId, Sound};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// How long after the last packet a party counts as silent.
const WATCHDOG: Duration = Duration::from_secs(10);
/// `Closed` comes after everything that was on its way.
const CLOSING: Duration = Duration::from_millis(5);

/// How long sounds last, by their best source.
pub(crate) type Lengths = Arc<BTreeMap<String, Duration>>;

/// Every leg's media.
pub(crate) struct StandIn {
    legs: BTreeMap<LegId, Leg>,
    by_port: BTreeMap<SocketAddr, LegId>,
    /// The legs that stream to a phone.
    by_phone: BTreeSet<(IpAddr, LegId)>,
    next_port: u32,
    /// Trouble: ports that do not open, parties that fall silent, sounds that are missing.
    troubled: bool,
    rng: Rng,
    /// How long sounds last, by their best source, if anybody said.
    lengths: Lengths,
    /// Events to come.
    pub(crate) events: Vec<(Time, Pending)>,
    /// Phones that hear a person now.
    pub(crate) voices: Vec<IpAddr>,
    /// Orders that make no sense.
    pub(crate) complaints: Vec<String>,
}

/// An event, or the end of a sound that may have been stopped before.
#[derive(Clone, Debug)]
pub(crate) enum Pending {
    Surely(Event),
    PlayEnds(LegId, PlayId),
    Silent(LegId, SocketAddr),
}

struct Leg {
    local: SocketAddr,
    remote: Option<SocketAddr>,
    play: Option<PlayId>,
    partner: Option<LegId>,
    /// The phone sends nothing any more, for good.
    gone: bool,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// Told by `OpenFailed`, which may be on its way.
    Failed,
}

impl StandIn {
    pub(crate) fn new(rng: Rng, troubled: bool) -> StandIn {
        StandIn {
            legs: BTreeMap::new(),
            by_port: BTreeMap::new(),
            by_phone: BTreeSet::new(),
            next_port: 0,
            troubled,
            rng,
            lengths: Lengths::default(),
            events: Vec::new(),
            voices: Vec::new(),
            complaints: Vec::new(),
        }
    }

    /// The same, where sounds last as long as this says.
    pub(crate) fn lasting(self, lengths: Lengths) -> StandIn {
        StandIn { lengths, ..self }
    }

    /// The process ended: nothing is left, and nothing is told.
    pub(crate) fn forget_all(&mut self) {
        self.legs.clear();
        self.by_port.clear();
        self.by_phone.clear();
    }

    pub(crate) fn open_legs(&self) -> usize {
        self.legs.len()
    }

    /// Does an order.
    pub(crate) fn command(&mut self, now: Time, command: Command) {
        let Some(leg) = command.leg() else { return };
        if let Command::Open { leg, family } = command {
            return self.open(now, leg, family);
        }
        match self.legs.get(&leg).map(|leg| leg.state) {
            Some(State::Open) => {}
            Some(State::Failed) => return,
            None => return self.complaints.push(format!("{command:?} for a leg that is not open")),
        }
        match command {
            Command::Configure { leg, stream } => self.configure(now, leg, stream.remote),
            Command::Play { leg, play, sounds, repeat } => self.play(now, leg, play, &sounds, repeat),
            Command::Stop { leg } => self.stop(now, leg),
            Command::Bridge { a, b } => self.bridge(a, b, &[a, b]),
            Command::Listen { leg, to } => self.bridge(leg, to, &[leg]),
            Command::Unbridge { leg } => self.part(leg),
            Command::Close { leg } => self.close(now, leg),
            Command::Open { .. }
            | Command::Join { .. }
            | Command::Announce { .. }
            | Command::Echo { .. }
            | Command::HearProgress { .. }
            | Command::HearKeys { .. }
            | Command::Tap { .. }
            | Command::Capture { .. }
            | Command::SendDigits { .. } => {}
        }
    }

    fn later(&mut self, at: Time, event: Event) {
        self.events.push((at, Pending::Surely(event)));
    }

    fn open(&mut self, now: Time, leg: LegId, family: Family) {
        let after = Duration::from_micros(100 + self.rng.below(2_000));
        self.next_port += 1;
        let number = self.next_port;
        let [_, b, c, d] = (number / 20_000).to_be_bytes();
        let (ip, port) = (Ipv4Addr::new(10, 200 + b, c, d), 20_000 + (number % 20_000) as u16 * 2);
        let local = match family {
            Family::V4 => SocketAddr::from((ip, port)),
            // RFC 6052 §2.1: an IPv4 address within an IPv6 one.
            Family::V6 => {
                let [a, b, c, d] = ip.octets().map(u16::from);
                SocketAddr::from((Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, a << 8 | b, c << 8 | d), port))
            }
        };
        let failed = self.troubled && self.rng.chance_permille(4);
        let state = if failed { State::Failed } else { State::Open };
        let new = Leg { local, remote: None, play: None, partner: None, gone: false, state };
        if self.legs.insert(leg, new).is_some() {
            self.complaints.push(format!("{leg:?} was opened twice"));
        }
        if failed {
            return self.later(now + after, Event::OpenFailed { leg, why: "no port was free".to_owned() });
        }
        self.by_port.insert(local, leg);
        self.later(now + after, Event::Opened { leg, local });
    }

    fn configure(&mut self, now: Time, leg: LegId, remote: SocketAddr) {
        let Some(known) = self.legs.get_mut(&leg) else { return };
        let before = known.remote.replace(remote);
        before.map(|before| self.by_phone.remove(&(before.ip(), leg)));
        self.by_phone.insert((remote.ip(), leg));
        if before.is_some() || !self.troubled {
            return;
        }
        if self.rng.chance_permille(20) {
            let at = now + between(&mut self.rng, 1_000, 40_000);
            let after = between(&mut self.rng, 1_000, 20_000);
            self.events.push((at + WATCHDOG, Pending::Silent(leg, remote)));
            self.events.push((at + WATCHDOG + after, Pending::Surely(Event::Restored { leg, after })));
        }
        if self.rng.chance_permille(20) {
            let at = now + between(&mut self.rng, 1_000, 20_000);
            self.later(at, Event::SoundMissing { leg, sound: "it/lost".into() });
        }
    }

    fn play(&mut self, now: Time, leg: LegId, play: PlayId, sounds: &[Sound], repeat: bool) {
        self.stop(now, leg);
        let Some(known) = self.legs.get_mut(&leg) else { return };
        known.play = Some(play);
        if !repeat {
            let length: Duration = sounds.iter().map(|sound| self.length_of(sound)).sum();
            self.events.push((now + length, Pending::PlayEnds(leg, play)));
        }
    }

    fn stop(&mut self, now: Time, leg: LegId) {
        if let Some(play) = self.legs.get_mut(&leg).and_then(|leg| leg.play.take()) {
            let after = Duration::from_micros(200);
            self.later(now + after, Event::PlayEnded { leg, play, complete: false });
        }
    }

    /// The two are together; `hear` are those of them who hear the other.
    fn bridge(&mut self, a: LegId, b: LegId, hear: &[LegId]) {
        for leg in [a, b] {
            match self.legs.get(&leg).and_then(|leg| leg.remote) {
                Some(_) if !hear.contains(&leg) => {}
                Some(remote) => self.voices.push(remote.ip()),
                None => self.complaints.push(format!("{leg:?} was bridged before it was agreed where it is")),
            }
        }
        for (leg, other) in [(a, b), (b, a)] {
            self.part(leg);
            if let Some(known) = self.legs.get_mut(&leg) {
                known.partner = Some(other);
            }
        }
    }

    fn part(&mut self, leg: LegId) {
        let partner = self.legs.get_mut(&leg).and_then(|leg| leg.partner.take());
        if let Some(other) = partner.and_then(|partner| self.legs.get_mut(&partner)) {
            other.partner = None;
        }
    }

    fn close(&mut self, now: Time, leg: LegId) {
        self.part(leg);
        if let Some(closed) = self.legs.remove(&leg) {
            self.by_port.remove(&closed.local);
            closed.remote.map(|remote| self.by_phone.remove(&(remote.ip(), leg)));
            self.later(now + CLOSING, Event::Closed { leg, stats: Box::default() });
        }
    }

    /// As somebody said, or by the name of the sound.
    fn length_of(&self, sound: &Sound) -> Duration {
        let Some(name) = sound.first() else { return Duration::ZERO };
        self.lengths.get(name.as_ref()).copied().unwrap_or_else(|| by_name(name))
    }

    /// A phone sends a key to this address.
    pub(crate) fn digit(&mut self, now: Time, local: SocketAddr, digit: char) {
        if let Some(leg) = self.by_port.get(&local).copied() {
            let held = Duration::from_millis(40);
            self.later(now + Duration::from_millis(1), Event::Digit { leg, digit, held, by: KeysBy::Events });
        }
    }

    /// A phone sends nothing any more.
    pub(crate) fn falls_silent(&mut self, now: Time, phone: IpAddr) {
        for (_, leg) in self.by_phone.range((phone, LegId(0))..=(phone, LegId(u64::MAX))) {
            let Some(known) = self.legs.get_mut(leg) else { continue };
            known.gone = true;
            self.events.extend(known.remote.map(|remote| (now + WATCHDOG, Pending::Silent(*leg, remote))));
        }
    }

    /// What is to be told now of something pending.
    pub(crate) fn due(&mut self, pending: Pending) -> Option<Event> {
        match pending {
            Pending::Surely(event @ Event::SoundMissing { leg, .. }) => {
                self.legs.contains_key(&leg).then_some(event)
            }
            Pending::Surely(event @ Event::Restored { leg, .. }) => {
                self.legs.get(&leg).is_some_and(|leg| !leg.gone).then_some(event)
            }
            Pending::Surely(event) => {
                // It was never told where it streams to.
                if let Event::OpenFailed { leg, .. } = &event {
                    self.legs.remove(leg);
                }
                Some(event)
            }
            Pending::PlayEnds(leg, play) => {
                let known = self.legs.get_mut(&leg)?;
                known.play.take_if(|current| *current == play)?;
                Some(Event::PlayEnded { leg, play, complete: true })
            }
            Pending::Silent(leg, expected) => {
                self.legs.get(&leg)?;
                let evidence = Evidence {
                    expected,
                    last_source: None,
                    silent_for: WATCHDOG,
                    received: 7,
                    rejected: 0,
                    rtcp_alive: false,
                };
                Some(Event::Silent { leg, evidence })
            }
        }
    }
}

/// From half a second to four.
fn by_name(name: &str) -> Duration {
    let sum = name.bytes().fold(17u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    Duration::from_millis(500 + sum % 3_500)
}
