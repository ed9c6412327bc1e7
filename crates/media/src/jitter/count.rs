//! One sender's count: its sequence numbers and timestamps as numbers that never wrap.

use crate::rtp::{ahead, later};

/// A step forward of more packets than this is a new count and no loss, and one further back than this is not late
/// (RFC 3550 §A.1).
const DROPOUT_MAX: i16 = 3000;
const MISORDER_MAX: i16 = 100;

/// Timestamps that differ from the time by more than this since the last packet have jumped.
const LEAP_MIN: i64 = 1_000_000;

#[derive(Debug)]
pub(super) struct Count {
    ssrc: u32,
    clock_rate: i64,
    highest: i64,
    /// Bit n: the packet n before the highest has come.
    seen: u128,
    /// The same of those that have come and were not handed out.
    discarded: u128,
    timestamp: u32,
    /// That timestamp in ticks, unwrapped, without the whole seconds.
    ticks: i64,
    /// What is added: those seconds, and what makes up for jumps, in microseconds.
    moved: i64,
    newest: Option<Newest>,
}

/// The packet of the highest number whose timestamp tells when it was made.
#[derive(Clone, Copy, Debug)]
struct Newest {
    sequence: i64,
    made: i64,
    /// How long it was on its way.
    transit: i64,
}

/// Where a packet stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) sequence: i64,
    /// When its first sample was made, in microseconds of the sender's clock.
    pub(super) made: i64,
    /// The timestamp does not go on from those before.
    pub(super) has_jumped: bool,
    /// When it was made is told by its number, and how long it was on its way is not known.
    pub(super) is_guess: bool,
}

impl Count {
    pub(super) fn new(ssrc: u32, clock_rate: u32, sequence: u16, timestamp: u32) -> Count {
        Count {
            ssrc,
            clock_rate: i64::from(clock_rate.max(1)),
            // Room for those that come after it and belong before it.
            highest: 0x1_0000 + i64::from(sequence),
            seen: 0,
            discarded: 0,
            timestamp,
            ticks: 0,
            moved: 0,
            newest: None,
        }
    }

    /// Whether a packet of this source and number belongs to this count.
    pub(super) fn holds(&self, ssrc: u32, sequence: u16) -> bool {
        ssrc == self.ssrc && (-MISORDER_MAX..DROPOUT_MAX).contains(&self.step(sequence))
    }

    pub(super) fn highest(&self) -> i64 {
        self.highest
    }

    /// The newest packet's source and number, and which of those up to it have come and were not handed out: bit n is the
    /// packet n before it.
    pub(super) fn discarded(&self) -> (u32, u16, u64) {
        (self.ssrc, self.highest as u16, self.discarded as u64)
    }

    /// This packet is not handed out.
    pub(super) fn discard(&mut self, sequence: i64) {
        let before = u32::try_from(self.highest - sequence).unwrap_or(u32::MAX);
        self.discarded |= 1u128.checked_shl(before).unwrap_or(0);
    }

    /// Enters a packet that belongs to this count. `None` if it has come before. `is_timed`: its timestamp tells when it
    /// was made, as that of a key does not. `span`: how long a packet lasts, in microseconds.
    pub(super) fn enter(
        &mut self,
        now: u64,
        sequence: u16,
        timestamp: u32,
        is_timed: bool,
        span: i64,
    ) -> Option<Place> {
        let step = i64::from(self.step(sequence));
        let extended = self.highest + step;
        if step > 0 {
            let on =
                |bits: u128| u32::try_from(step).ok().and_then(|step| bits.checked_shl(step)).unwrap_or(0);
            (self.seen, self.discarded) = (on(self.seen) | 1, on(self.discarded));
            self.highest = extended;
        } else {
            let bit = 1u128.checked_shl(u32::try_from(-step).unwrap_or(u32::MAX)).unwrap_or(0);
            if self.seen & bit != 0 {
                return None;
            }
            self.seen |= bit;
        }
        let ticks = self.ticks + i64::from(later(timestamp, self.timestamp));
        let made = self.micros(ticks);
        Some(match self.newest {
            _ if !is_timed => Place { sequence: extended, made, has_jumped: false, is_guess: false },
            Some(newest) if extended < newest.sequence => newest.precede(now, extended, made, span),
            _ => {
                (self.ticks, self.timestamp) = (ticks, timestamp);
                self.carry();
                self.follow(now, extended, made)
            }
        })
    }

    /// The newest packet: one that jumps was as long on its way as the one before.
    fn follow(&mut self, now: u64, sequence: i64, made: i64) -> Place {
        let transit = now as i64 - made;
        let before = self.newest.map_or(transit, |newest| newest.transit);
        let has_jumped = (transit - before).abs() > LEAP_MIN;
        let leap = if has_jumped { transit - before } else { 0 };
        self.moved += leap;
        self.newest = Some(Newest { sequence, made: made + leap, transit: transit - leap });
        Place { sequence, made: made + leap, has_jumped, is_guess: false }
    }

    fn step(&self, sequence: u16) -> i16 {
        ahead(sequence, self.highest as u16)
    }

    /// Keeps the ticks few, whatever timestamps come: their product with a million is to stay a number.
    fn carry(&mut self) {
        let seconds = self.ticks.div_euclid(self.clock_rate);
        self.ticks -= seconds * self.clock_rate;
        self.moved += seconds * 1_000_000;
    }

    fn micros(&self, ticks: i64) -> i64 {
        ticks * 1_000_000 / self.clock_rate + self.moved
    }
}

impl Newest {
    /// Where a packet stands that comes after this one and was sent before. It was not made later: a timestamp that says
    /// so, or that is as far off as a jump, is from before a jump or false, and the number tells better.
    fn precede(&self, now: u64, sequence: i64, made: i64, span: i64) -> Place {
        let is_guess = made > self.made || now as i64 - made - self.transit > LEAP_MIN;
        let made = if is_guess { self.made - (self.sequence - sequence) * span } else { made };
        Place { sequence, made, has_jumped: false, is_guess }
    }
}
