//! Keys that go out: 100 ms each with 100 ms between them, in steps of 20 ms. As telephone-events (RFC 4733 §2.5.1) each
//! step is an update, with the end three times; as tones each is a frame.

use std::collections::VecDeque;
use std::time::Duration;

use base::Time;

use crate::rtp::TickRate;

/// More keys than this are not kept: no number is longer.
const QUEUE_MAX: usize = 64;

const STEP_MILLIS: u32 = 20;
const STEP: Duration = Duration::from_millis(STEP_MILLIS as u64);

/// The press lasts this many steps, the last of which carries the end.
const STEPS_PER_PRESS: u8 = 5;
const ENDS: u8 = 3;

/// From the beginning of a press to that of the next.
const STEPS_PER_KEY: u8 = 10;

/// −10 dBm0, a usual level of a key (RFC 4733 §2.3.5).
const VOLUME: u8 = 10;

/// How long a press takes.
pub(crate) const PRESS_MILLIS: u32 = STEPS_PER_PRESS as u32 * STEP_MILLIS;

#[derive(Debug, Default)]
pub(crate) struct Keys {
    queue: VecDeque<char>,
    /// The key being sent and how many steps ago it began.
    current: Option<(char, u8)>,
    due: Option<Time>,
}

/// The next 20 ms of a key, its pause included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) key: char,
    number: u8,
}

impl Keys {
    /// Adds the keys among these characters.
    pub(crate) fn push(&mut self, now: Time, digits: &str) {
        for key in digits.chars().filter(|key| code(*key).is_some()) {
            if self.queue.len() < QUEUE_MAX {
                self.queue.push_back(key);
            }
        }
        if self.current.is_none() && !self.queue.is_empty() {
            self.due = Some(now);
        }
    }

    /// Gives up what has not been sent.
    pub(crate) fn clear(&mut self) {
        *self = Keys::default();
    }

    /// Whether the line belongs to the keys, pauses included.
    pub(crate) fn are_sending(&self) -> bool {
        self.due.is_some()
    }

    pub(crate) fn due(&self) -> Option<Time> {
        self.due
    }

    /// What is due at `now`; to be called again until it is `None`.
    pub(crate) fn next(&mut self, now: Time) -> Option<Step> {
        let due = self.due.filter(|due| *due <= now)?;
        let (key, number) = match self.current {
            Some((key, steps)) if steps < STEPS_PER_KEY => (Some(key), steps),
            Some(_) | None => (self.queue.pop_front(), 0),
        };
        let Some(key) = key else {
            self.clear();
            return None;
        };
        self.current = Some((key, number + 1));
        // A late step moves those after it: a burst of updates would tell nothing.
        self.due = Some((due + STEP).max(now + STEP / 2));
        Some(Step { key, number })
    }
}

impl Step {
    /// A press begins with it, and a timestamp.
    pub(crate) fn is_first(self) -> bool {
        self.number == 0
    }

    /// As a telephone-event, whose duration counts at this rate; `None` in the pause.
    pub(crate) fn event(self, rate: TickRate) -> Option<[u8; 4]> {
        if self.number >= STEPS_PER_PRESS - 1 + ENDS {
            return None;
        }
        let is_end = self.number >= STEPS_PER_PRESS - 1;
        let duration = rate.millis(STEP_MILLIS * u32::from((self.number + 1).min(STEPS_PER_PRESS))) as u16;
        let [d0, d1] = duration.to_be_bytes();
        Some([code(self.key)?, VOLUME | u8::from(is_end) << 7, d0, d1])
    }
}

fn code(key: char) -> Option<u8> {
    match key {
        '0'..='9' => Some(key as u8 - b'0'),
        '*' => Some(10),
        '#' => Some(11),
        'A'..='D' => Some(key as u8 - b'A' + 12),
        _ => None,
    }
}
