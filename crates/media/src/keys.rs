//! Keys that go out as telephone-events (RFC 4733 §2.5.1): 100 ms each with 100 ms between them, an update
//! every 20 ms, the end three times.

use std::collections::VecDeque;
use std::time::Duration;

use base::Time;

use crate::rtp::TickRate;

/// More keys than this are not kept: no number is longer.
const QUEUE_MAX: usize = 64;

const UPDATE_MILLIS: u32 = 20;
const UPDATE: Duration = Duration::from_millis(UPDATE_MILLIS as u64);

/// The press lasts this many updates, the last of which carries the end.
const UPDATES_PER_PRESS: u8 = 5;
const ENDS: u8 = 3;

/// From the first packet of a press to the first of the next.
const UPDATES_PER_KEY: u8 = 10;

/// −10 dBm0, a usual level of a key (RFC 4733 §2.3.5).
const VOLUME: u8 = 10;

/// How long a press takes.
pub(crate) const PRESS_MILLIS: u32 = UPDATES_PER_PRESS as u32 * UPDATE_MILLIS;

#[derive(Debug, Default)]
pub(crate) struct Keys {
    queue: VecDeque<u8>,
    /// The event code being sent and how many updates ago it began.
    current: Option<(u8, u8)>,
    due: Option<Time>,
}

/// What is due of the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// This packet; `first` begins a press and with it a timestamp.
    Packet { payload: [u8; 4], first: bool },
    /// Nothing: the pause after a press.
    Pause,
}

impl Keys {
    /// Adds the keys among these characters.
    pub(crate) fn push(&mut self, now: Time, digits: &str) {
        for code in digits.bytes().filter_map(code) {
            if self.queue.len() < QUEUE_MAX {
                self.queue.push_back(code);
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

    /// What is due at `now`, by the line's clock; to be called again until it is `None`.
    pub(crate) fn next(&mut self, now: Time, rate: TickRate) -> Option<Due> {
        let due = self.due.filter(|due| *due <= now)?;
        let (code, updates) = match self.current {
            Some((_, updates)) if updates >= UPDATES_PER_KEY => (self.queue.pop_front(), 0),
            Some((code, updates)) => (Some(code), updates),
            None => (self.queue.pop_front(), 0),
        };
        let Some(code) = code else {
            self.clear();
            return None;
        };
        self.current = Some((code, updates + 1));
        // A late packet moves those after it: a burst of updates would tell nothing.
        self.due = Some((due + UPDATE).max(now + UPDATE / 2));
        Some(packet(code, updates, rate))
    }
}

fn packet(code: u8, updates: u8, rate: TickRate) -> Due {
    if updates >= UPDATES_PER_PRESS - 1 + ENDS {
        return Due::Pause;
    }
    let is_end = updates >= UPDATES_PER_PRESS - 1;
    let duration = rate.millis(UPDATE_MILLIS * u32::from((updates + 1).min(UPDATES_PER_PRESS))) as u16;
    let [d0, d1] = duration.to_be_bytes();
    Due::Packet { payload: [code, VOLUME | u8::from(is_end) << 7, d0, d1], first: updates == 0 }
}

fn code(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'*' => Some(10),
        b'#' => Some(11),
        b'A'..=b'D' => Some(digit - b'A' + 12),
        _ => None,
    }
}
