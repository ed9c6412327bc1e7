//! Whether a party that should be heard is heard.

use std::time::Duration;

use base::Time;

#[derive(Debug)]
pub(crate) struct Watchdog {
    patience: Duration,
    watch: Option<Watch>,
}

#[derive(Debug)]
struct Watch {
    /// The last valid packet, or the beginning of the watch.
    since: Time,
    check_at: Time,
    is_silent: bool,
}

impl Watchdog {
    pub(crate) fn new(patience: Duration) -> Watchdog {
        Watchdog { patience, watch: None }
    }

    /// From now on the party should be heard, or need not be.
    pub(crate) fn expect(&mut self, now: Time, on: bool) {
        match (&self.watch, on) {
            (_, false) => self.watch = None,
            (Some(_), true) => {}
            (None, true) => {
                let check_at = now + self.patience;
                self.watch = Some(Watch { since: now, check_at, is_silent: false });
            }
        }
    }

    /// A valid packet. If the party was silent: for how long.
    pub(crate) fn heard(&mut self, now: Time) -> Option<Duration> {
        let watch = self.watch.as_mut()?;
        let since = std::mem::replace(&mut watch.since, now);
        if !std::mem::take(&mut watch.is_silent) {
            return None;
        }
        watch.check_at = now + self.patience;
        Some(now - since)
    }

    /// The last valid packet, or the beginning of the watch.
    pub(crate) fn since(&self) -> Option<Time> {
        self.watch.as_ref().map(|watch| watch.since)
    }

    /// Whether the party is missed: then a packet sets the watch again.
    pub(crate) fn is_silent(&self) -> bool {
        self.watch.as_ref().is_some_and(|watch| watch.is_silent)
    }

    pub(crate) fn due(&self) -> Option<Time> {
        self.watch.as_ref().filter(|watch| !watch.is_silent).map(|watch| watch.check_at)
    }

    /// For how long the party has been silent, if that was too long and has not been said yet.
    pub(crate) fn check(&mut self, now: Time) -> Option<Duration> {
        let watch = self.watch.as_mut().filter(|watch| !watch.is_silent && watch.check_at <= now)?;
        // Packets do not move the deadline, so that they cost nothing; it moves when it is reached.
        watch.check_at = watch.since + self.patience;
        if watch.check_at > now {
            return None;
        }
        watch.is_silent = true;
        Some(now - watch.since)
    }
}
