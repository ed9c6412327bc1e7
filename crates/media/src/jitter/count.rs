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
    timestamp: u32,
    /// That timestamp in ticks, unwrapped.
    ticks: i64,
    /// What is added to make up for jumps, in microseconds.
    moved: i64,
    transit: Option<i64>,
}

/// Where a packet stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) sequence: i64,
    /// When its first sample was made, in microseconds of the sender's clock.
    pub(super) made: i64,
    /// The timestamp does not go on from those before.
    pub(super) has_jumped: bool,
}

impl Count {
    pub(super) fn new(ssrc: u32, clock_rate: u32, sequence: u16, timestamp: u32) -> Count {
        Count {
            ssrc,
            clock_rate: i64::from(clock_rate.max(1)),
            // Room for those that come after it and belong before it.
            highest: 0x1_0000 + i64::from(sequence),
            seen: 0,
            timestamp,
            ticks: 0,
            moved: 0,
            transit: None,
        }
    }

    /// Whether a packet of this source and number belongs to this count.
    pub(super) fn holds(&self, ssrc: u32, sequence: u16) -> bool {
        ssrc == self.ssrc && (-MISORDER_MAX..DROPOUT_MAX).contains(&self.step(sequence))
    }

    pub(super) fn highest(&self) -> i64 {
        self.highest
    }

    /// Enters a packet that belongs to this count. `None` if it has come before. `is_timed`: its timestamp tells when it
    /// was made, as that of a key does not.
    pub(super) fn enter(&mut self, now: u64, sequence: u16, timestamp: u32, is_timed: bool) -> Option<Place> {
        let step = i64::from(self.step(sequence));
        let extended = self.highest + step;
        if step > 0 {
            self.seen =
                u32::try_from(step).ok().and_then(|step| self.seen.checked_shl(step)).unwrap_or(0) | 1;
            self.highest = extended;
        } else {
            let bit = 1u128.checked_shl(u32::try_from(-step).unwrap_or(u32::MAX)).unwrap_or(0);
            if self.seen & bit != 0 {
                return None;
            }
            self.seen |= bit;
        }
        let ticks = self.ticks + i64::from(later(timestamp, self.timestamp));
        let mut made = self.micros(ticks);
        let mut has_jumped = false;
        if is_timed && step >= 0 {
            let transit = now as i64 - made;
            let before = self.transit.unwrap_or(transit);
            has_jumped = (transit - before).abs() > LEAP_MIN;
            if has_jumped {
                self.moved += transit - before;
                made += transit - before;
            }
            self.transit = Some(now as i64 - made);
            (self.ticks, self.timestamp) = (ticks, timestamp);
        }
        Some(Place { sequence: extended, made, has_jumped })
    }

    fn step(&self, sequence: u16) -> i16 {
        ahead(sequence, self.highest as u16)
    }

    fn micros(&self, ticks: i64) -> i64 {
        ticks * 1_000_000 / self.clock_rate + self.moved
    }
}
