//! When a shard's ticks are due: on a grid, so that nothing drifts.

use base::Time;
use std::time::Duration;

/// The length of a tick. Wake-ups are batched on it; what a packet costs beyond is the kernel's.
pub(super) const TICK: Duration = Duration::from_millis(5);

/// A tick that is due, and how late it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) at: Time,
    /// A whole tick or more too late.
    pub(super) is_late: bool,
}

/// The tick after the one that was due at `due` and has ended by now. Ticks that were missed are passed over but for the last one, which
/// is due at once: a thread that slept while it is behind would stay behind. The shard catches up by its own rule.
pub(super) fn next(due: Time, now: Time) -> Due {
    let missed = (now - (due + TICK)).as_micros() / TICK.as_micros();
    let at = due + TICK * u32::try_from(missed).unwrap_or(u32::MAX).saturating_add(1);
    Due { at, is_late: missed > 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time::from_millis(millis)
    }

    fn due(millis: u64, is_late: bool) -> Due {
        Due { at: at(millis), is_late }
    }

    #[test]
    fn a_tick_that_ends_in_time_is_followed_by_the_next_on_the_grid() {
        assert_eq!(next(at(100), at(101)), due(105, false));
        assert_eq!(next(at(100), at(105)), due(105, false));
    }

    #[test]
    fn after_a_tick_that_took_longer_the_next_is_due_at_once_and_the_one_after_it_on_the_grid() {
        assert_eq!(next(at(100), at(108)), due(105, false));
        assert_eq!(next(at(105), at(109)), due(110, false));
        assert_eq!(next(at(100), at(117)), due(115, true));
        assert_eq!(next(at(115), at(118)), due(120, false));
    }

    #[test]
    fn who_has_more_to_do_than_a_tick_each_tick_never_sleeps() {
        let (mut tick, mut now) = (due(0, false), at(0));
        for _ in 0..1000 {
            assert!(tick.at <= now, "{tick:?} at {now}");
            now = now + Duration::from_micros(5_300);
            tick = next(tick.at, now);
        }
    }
}
