//! How loud a party says that it is (RFC 6464), in decibels below the loudest.

/// Silence.
const LEAST: u8 = 127;

/// What it said last, and how loud it was just before: a word is not over with its quietest sound.
#[derive(Clone, Copy, Debug)]
pub(super) struct Level {
    latest: u8,
    lately: u8,
}

impl Default for Level {
    fn default() -> Level {
        Level { latest: LEAST, lately: LEAST }
    }
}

impl Level {
    /// A packet says so.
    pub(super) fn hear(&mut self, level: u8) {
        self.latest = level;
        self.lately = self.lately.min(level);
    }

    /// The level of the next frame: up at once, down by a decibel each 20 ms.
    pub(super) fn next(&mut self) -> u8 {
        let now = self.lately;
        self.lately = now.saturating_add(1).min(self.latest);
        now
    }
}
