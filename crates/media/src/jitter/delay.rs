//! How long packets are on their way, and how long speech should therefore wait.
//!
//! Nobody knows the way's own length, for two clocks are compared. What counts is how much longer a packet takes than
//! the quickest one lately. All times are microseconds.

/// The quickest packet is one of the last four seconds: a clock that drifts by 200 ppm moves less than a millisecond
/// in that time.
const WINDOW_PARTS: u64 = 8;
const PART: u64 = 500_000;

/// How finely the delays are counted, and up to which: what is later than any target only tells that.
const BIN: i64 = 5000;
const BINS: usize = 60;

/// At so many packets all counts are halved: the last five to ten seconds of packets of 20 ms.
const MEMORY: u32 = 512;
/// So many packets of a hundred may come later than speech waits for them.
const LATE_PERCENT: u32 = 1;

/// Speech waits so much longer than the delays ask for: half a tick of the hearer's.
pub(super) const MARGIN: i64 = 10_000;
/// Before anything is known of the way.
pub(super) const FIRST: i64 = 40_000;
pub(super) const SHORTEST: i64 = 20_000;
pub(super) const LONGEST: i64 = 200_000;

/// Packets that are known before the counts are believed more than [`FIRST`].
const KNOWN: u32 = 25;

/// What is known of the way.
#[derive(Debug)]
pub(super) struct Delay {
    parts: [Part; WINDOW_PARTS as usize],
    counts: [u16; BINS],
    total: u32,
    /// What the counts are longer than.
    counted_from: i64,
    /// What follows from the counts; it is asked for more often than they change.
    target: i64,
}

/// The shortest way in half a second.
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    /// Which half second, and one; 0 if none.
    number: u64,
    shortest: i64,
}

impl Delay {
    pub(super) fn new() -> Delay {
        Delay {
            parts: Default::default(),
            counts: [0; BINS],
            total: 0,
            counted_from: i64::MAX,
            target: FIRST,
        }
    }

    /// Takes in a packet that was so long on its way.
    pub(super) fn measure(&mut self, now: u64, transit: i64) {
        self.enter(now, transit);
        let floor = self.floor(now).unwrap_or(transit);
        self.count_from(floor);
        let longer = transit.saturating_sub(floor);
        let bin = usize::try_from(longer / BIN).unwrap_or(0).min(BINS - 1);
        if let Some(count) = self.counts.get_mut(bin) {
            *count += 1;
            self.total += 1;
        }
        if self.total >= MEMORY {
            self.counts.iter_mut().for_each(|count| *count /= 2);
            self.total = self.counts.iter().map(|count| u32::from(*count)).sum();
        }
        let known = if self.total < KNOWN { FIRST } else { SHORTEST };
        self.target = (self.covered() + MARGIN).clamp(known, LONGEST);
    }

    /// The way is another one: its length is that of the next packet. What is known of the delays stays.
    pub(super) fn forget_floor(&mut self) {
        self.parts = Default::default();
    }

    /// How long the quickest packet was on its way lately; `None` if none came.
    pub(super) fn floor(&self, now: u64) -> Option<i64> {
        let oldest = (now / PART + 1).saturating_sub(WINDOW_PARTS - 1);
        self.parts.iter().filter(|part| part.number >= oldest.max(1)).map(|part| part.shortest).min()
    }

    /// How long after the quickest packet's arrival speech is to be heard.
    pub(super) fn target(&self) -> i64 {
        self.target
    }

    /// The delay that all but a few packets keep.
    fn covered(&self) -> i64 {
        let mut later = 0;
        for (bin, count) in self.counts.iter().enumerate().rev() {
            later += u32::from(*count);
            if later * 100 > self.total * LATE_PERCENT {
                return (bin as i64 + 1) * BIN;
            }
        }
        0
    }

    /// The way has become longer for good: what was counted as late before was only that.
    fn count_from(&mut self, floor: i64) {
        let rise = floor.saturating_sub(std::mem::replace(&mut self.counted_from, floor));
        let shifted = usize::try_from(rise / BIN).unwrap_or(0).min(BINS - 1);
        if shifted == 0 {
            return;
        }
        let merged: u32 = self.counts.iter().take(shifted + 1).map(|count| u32::from(*count)).sum();
        self.counts.rotate_left(shifted);
        self.counts.iter_mut().rev().take(shifted).for_each(|count| *count = 0);
        if let Some(first) = self.counts.first_mut() {
            *first = u16::try_from(merged).unwrap_or(u16::MAX);
        }
    }

    fn enter(&mut self, now: u64, transit: i64) {
        let number = now / PART + 1;
        let Some(part) = self.parts.get_mut((number % WINDOW_PARTS) as usize) else { return };
        if part.number == number {
            part.shortest = part.shortest.min(transit);
        } else {
            *part = Part { number, shortest: transit };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: u64 = 20_000;

    fn after(packets: u64, delay: impl Fn(u64) -> i64) -> Delay {
        let mut known = Delay::new();
        (0..packets).for_each(|n| known.measure(n * FRAME, 1_000_000 + delay(n)));
        known
    }

    #[test]
    fn a_steady_way_asks_for_the_shortest_wait_once_it_is_known() {
        assert_eq!(after(5, |_| 0).target(), FIRST);
        assert_eq!(after(50, |_| 0).target(), SHORTEST);
    }

    #[test]
    fn the_wait_covers_all_but_one_packet_in_a_hundred() {
        let target = after(2000, |n| (n as i64 * 7919 % 100) * 1000).target();
        assert!((100_000..=115_000).contains(&target), "{target}");
        let stray = after(2000, |n| if n % 200 == 199 { 150_000 } else { 0 }).target();
        assert_eq!(stray, SHORTEST);
    }

    #[test]
    fn the_wait_grows_within_a_few_packets_and_shrinks_in_seconds() {
        let mut known = after(2000, |_| 0);
        (2000..2006).for_each(|n| known.measure(n * FRAME, 1_080_000));
        assert!(known.target() >= 90_000, "{}", known.target());
        // The counts are halved whenever they reach the memory's end: until then, and then as long as what is left of the late
        // ones is more than one in a hundred.
        let counted = known.total;
        let late = 6 / 2 * 100 / LATE_PERCENT;
        let expected = (MEMORY - counted) + (late - MEMORY / 2);
        let mut quiet = 0;
        while known.target() > SHORTEST {
            known.measure((2006 + quiet) * FRAME, 1_000_000);
            quiet += 1;
        }
        assert_eq!((counted, quiet), (470, u64::from(expected)), "a second and a half");
    }

    #[test]
    fn no_delay_asks_for_more_than_the_longest_wait() {
        assert_eq!(after(500, |n| (n as i64 % 2) * 5_000_000).target(), LONGEST);
    }

    #[test]
    fn a_slower_way_is_the_quickest_after_four_seconds() {
        let known = after(400, |n| if n < 200 { 0 } else { 50_000 });
        assert_eq!(known.floor(400 * FRAME), Some(1_050_000));
        let known = after(300, |n| if n < 200 { 0 } else { 50_000 });
        assert_eq!(known.floor(300 * FRAME), Some(1_000_000));
        assert_eq!(known.floor(1000 * FRAME), None);
    }
}
