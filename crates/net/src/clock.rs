use base::{Time, Wall};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The one clock of the process. Machines are told what it says; they never read it.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    began: Instant,
}

impl Clock {
    /// A clock whose [`Time::ZERO`] is now.
    pub fn start() -> Clock {
        Clock { began: Instant::now() }
    }

    /// How long the clock has run.
    pub fn now(&self) -> Time {
        Time::ZERO + self.began.elapsed()
    }

    /// What people's clocks say. May jump.
    pub fn wall(&self) -> Wall {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => Wall::default() + since,
            Err(before) => {
                Wall::from_unix_micros(-i64::try_from(before.duration().as_micros()).unwrap_or(i64::MAX))
            }
        }
    }

    /// What people's clocks would have said at [`Time::ZERO`], going by what they say now.
    pub fn wall_at_zero(&self) -> Wall {
        let since = i64::try_from(self.now().micros()).unwrap_or(i64::MAX);
        Wall::from_unix_micros(self.wall().unix_micros().saturating_sub(since))
    }

    /// The system's instant for `time`, to sleep until. A time beyond what the system can express is a year away.
    pub fn instant(&self, time: Time) -> Instant {
        const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
        self.began + (time - Time::ZERO).min(YEAR + self.began.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_goes_forward_and_its_instants_agree_with_its_times() {
        let clock = Clock::start();
        let before = clock.now();
        let instant = clock.instant(before + Duration::from_secs(1));
        assert!(instant > Instant::now());
        assert!(clock.now() >= before);
        assert!(clock.instant(Time::FAR) > clock.instant(Time::from_millis(1_000_000)));
        assert!(clock.wall() > Wall::from_unix_micros(1_700_000_000_000_000));
    }
}
