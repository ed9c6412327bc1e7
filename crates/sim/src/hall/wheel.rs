//! Packets on their way, by the tick in which they arrive.

use super::TICK;
use base::Time;
use media::PacketKind;
use std::net::SocketAddr;
use std::time::Duration;

/// More ticks than any packet takes: two seconds and a half.
const SLOTS: usize = 512;

/// What a phone meant a packet to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Speech,
    /// The same packet once more.
    Again,
    /// Nobody's whom the exchange knows.
    Stray,
    /// Of this press.
    Key(u32),
    Report,
}

/// A packet on its way.
#[derive(Clone, Debug)]
pub(super) struct Packet {
    pub(super) kind: PacketKind,
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    /// What it was meant to be; nothing for those of the exchange.
    pub(super) what: Option<What>,
    pub(super) bytes: Vec<u8>,
}

impl Packet {
    /// The same packet, as a network that repeats it delivers it.
    fn once_more(&self) -> Packet {
        Packet { what: self.what.map(|_| What::Again), ..self.clone() }
    }
}

pub(super) struct Wheel {
    slots: Vec<Vec<Packet>>,
    at: usize,
    now: Time,
    held: usize,
}

impl Wheel {
    pub(super) fn new(now: Time) -> Wheel {
        Wheel { slots: (0..SLOTS).map(|_| Vec::new()).collect(), at: 0, now, held: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.held == 0
    }

    /// Nothing was on its way for a while.
    pub(super) fn rest_until(&mut self, now: Time) {
        self.now = now;
    }

    /// A packet comes, and perhaps once more: then what is repeated comes first, also within one tick.
    pub(super) fn carry(&mut self, [first, second]: [Option<Time>; 2], packet: Packet) {
        let again = second.map(|at| (at, packet.once_more()));
        for (at, packet) in first.map(|at| (at, packet)).into_iter().chain(again) {
            self.insert(at, packet);
        }
    }

    pub(super) fn insert(&mut self, at: Time, packet: Packet) {
        let ticks = at.since(self.now).as_micros().div_ceil(TICK.as_micros()) as usize;
        let slot = (self.at + ticks.clamp(1, SLOTS - 1)) % SLOTS;
        self.slots[slot].push(packet);
        self.held += 1;
    }

    /// What arrives in the next tick.
    pub(super) fn turn(&mut self) -> Vec<Packet> {
        self.at = (self.at + 1) % SLOTS;
        self.now = self.now + TICK;
        let arrived = std::mem::take(&mut self.slots[self.at]);
        self.held -= arrived.len();
        arrived
    }
}

/// The longest that a packet may take.
pub(super) const LONGEST: Duration = Duration::from_millis(5 * (SLOTS as u64 - 1));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_packet_comes_in_the_first_tick_that_is_not_before_it() {
        let mut wheel = Wheel::new(Time::from_millis(1000));
        let at = SocketAddr::from(([10, 0, 0, 1], 1));
        let packet = |n: u8| Packet { kind: PacketKind::Rtp, from: at, to: at, what: None, bytes: vec![n] };
        for (millis, n) in [(1012, 1), (1000, 2), (1005, 3), (1006, 4)] {
            wheel.insert(Time::from_millis(millis), packet(n));
        }
        let mut turns = || wheel.turn().iter().map(|packet| packet.bytes[0]).collect::<Vec<_>>();
        assert_eq!([turns(), turns(), turns(), turns()], [vec![2, 3], vec![4], vec![1], vec![]]);
        assert!(wheel.is_empty());
    }

    #[test]
    fn what_is_repeated_within_a_tick_comes_before_its_repetition() {
        let mut wheel = Wheel::new(Time::ZERO);
        let at = SocketAddr::from(([10, 0, 0, 1], 1));
        let packet =
            Packet { kind: PacketKind::Rtp, from: at, to: at, what: Some(What::Key(3)), bytes: Vec::new() };
        wheel.carry([Some(Time::from_millis(3)); 2], packet);
        let come: Vec<bool> = wheel.turn().iter().map(|packet| packet.what == Some(What::Again)).collect();
        assert_eq!(come, [false, true]);
    }
}
