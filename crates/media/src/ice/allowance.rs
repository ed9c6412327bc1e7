use std::time::Duration;

use base::Time;

/// So many of something in each second.
#[derive(Debug)]
pub(super) struct Allowance {
    per_second: u32,
    left: u32,
    since: Time,
}

impl Allowance {
    pub(super) fn of(per_second: u32) -> Allowance {
        Allowance { per_second, left: per_second, since: Time::ZERO }
    }

    /// Takes one, if there is one left.
    pub(super) fn take(&mut self, now: Time) -> bool {
        if now - self.since >= Duration::from_secs(1) {
            (self.since, self.left) = (now, self.per_second);
        }
        let is_left = self.left > 0;
        self.left = self.left.saturating_sub(1);
        is_left
    }
}
