//! How much somebody may send: a token bucket that is a single instant.

use base::Time;
use std::time::Duration;

/// So many at once, and one more after each `every`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// From one to the next, if they come for ever.
    pub every: Duration,
    /// At once, after a quiet time.
    pub burst: u32,
}

impl Rate {
    /// `per_second` for ever, and `burst` at once. Nothing a second is one an hour.
    pub fn per_second(per_second: u32, burst: u32) -> Rate {
        let every = Duration::from_secs(1).checked_div(per_second).unwrap_or(Duration::from_secs(3600));
        Rate { every, burst }
    }
}

/// What is left of a rate: the instant at which the bucket will be full again. One that was never used is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bucket(Time);

impl Bucket {
    /// Takes one, if there is one.
    pub(super) fn take(&mut self, now: Time, rate: Rate) -> bool {
        let full_at = self.0.max(now) + rate.every;
        if full_at.since(now) > rate.every.saturating_mul(rate.burst) {
            return false;
        }
        self.0 = full_at;
        true
    }

    /// Whether there is one to take.
    pub(super) fn has(self, now: Time, rate: Rate) -> bool {
        let mut copy = self;
        copy.take(now, rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_one_at_a_time() {
        let rate = Rate::per_second(10, 5);
        let mut bucket = Bucket::default();
        let now = Time::from_millis(1000);
        assert_eq!((0..9).filter(|_| bucket.take(now, rate)).count(), 5);
        assert!(!bucket.take(Time::from_millis(1099), rate));
        assert!(bucket.take(Time::from_millis(1100), rate));
        assert!(!bucket.take(Time::from_millis(1100), rate));
        let later = Time::from_millis(60_000);
        assert_eq!((0..9).filter(|_| bucket.take(later, rate)).count(), 5, "a quiet time gives no more");
    }

    #[test]
    fn no_rate_and_no_burst_pass_next_to_nothing() {
        let mut bucket = Bucket::default();
        assert!(!bucket.take(Time::ZERO, Rate { every: Duration::from_secs(1), burst: 0 }));
        assert!(bucket.take(Time::ZERO, Rate::per_second(0, 1)));
        assert!(!bucket.take(Time::from_millis(3_599_999), Rate::per_second(0, 1)));
    }
}
