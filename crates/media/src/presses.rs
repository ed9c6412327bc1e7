//! Keys that come in as telephone-events (RFC 4733): one press is one digit, whatever is lost, repeated,
//! reordered or oddly numbered.
//!
//! A press is known by its timestamp and reported at its *first* packet, so that a prompt is cut short at
//! once and nothing depends on the end packets. `held` is therefore what that packet said.

use std::time::Duration;

use base::Time;

use crate::rtp::{TickRate, later};

/// An open press of which nothing came for so long is over: its end packets were lost.
const SILENCE_MAX: Duration = Duration::from_millis(150);

/// Some senders give each end packet a timestamp of its own.
const REPEATED_END_SPAN: Duration = Duration::from_millis(50);

/// No two presses of a key are less than this apart, so a smaller step is the same press told oddly.
const PAUSE_MIN_MILLIS: u32 = 40;

/// A press of more than 65 535 ticks goes on in a segment that begins where the last one was full
/// (RFC 4733 §2.5.1.3).
const SEGMENT_TICKS: i32 = 0xffff;

const KEYS: &[u8; 16] = b"0123456789*#ABCD";

/// One telephone-event packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyPacket {
    pub(crate) marker: bool,
    pub(crate) timestamp: u32,
    code: u8,
    end: bool,
    duration: u16,
    rate: TickRate,
}

impl KeyPacket {
    /// Reads one whose clock is this. `None` if the payload is too short.
    pub(crate) fn parse(marker: bool, timestamp: u32, payload: &[u8], rate: TickRate) -> Option<KeyPacket> {
        let [code, flags, d0, d1] = *payload.first_chunk::<4>()?;
        let duration = u16::from_be_bytes([d0, d1]);
        Some(KeyPacket { marker, timestamp, code, end: flags & 0x80 != 0, duration, rate })
    }

    /// How long the key has been held, as far as this packet tells.
    pub(crate) fn held(&self) -> Duration {
        self.rate.span(u32::from(self.duration))
    }

    /// The clock of its timestamp and its duration.
    pub(crate) fn rate(&self) -> TickRate {
        self.rate
    }
}

#[derive(Debug, Default)]
pub(crate) struct Presses {
    last: Option<Press>,
}

#[derive(Debug)]
struct Press {
    code: u8,
    /// Of its newest segment.
    timestamp: u32,
    duration: u16,
    ended: bool,
    updated_at: Time,
}

impl Presses {
    /// The key, if a press begins with this packet.
    pub(crate) fn take(&mut self, now: Time, packet: &KeyPacket) -> Option<char> {
        let key = *KEYS.get(usize::from(packet.code))?;
        if let Some(last) = &mut self.last {
            // Reordering: what belongs to a press before this one was reported then or comes too late.
            if last.is_before(packet) {
                return None;
            }
            if last.is_same(now, packet) {
                last.update(now, packet);
                return None;
            }
        }
        self.last = Some(Press {
            code: packet.code,
            timestamp: packet.timestamp,
            duration: packet.duration,
            ended: packet.end,
            updated_at: now,
        });
        Some(char::from(key))
    }
}

impl Press {
    /// Two seconds back is late; more is a sender that counts anew.
    fn is_before(&self, packet: &KeyPacket) -> bool {
        (-(packet.rate.millis(2000) as i32)..0).contains(&later(packet.timestamp, self.timestamp))
    }

    fn is_same(&self, now: Time, packet: &KeyPacket) -> bool {
        if packet.code != self.code {
            return false;
        }
        if packet.timestamp == self.timestamp {
            return true;
        }
        let quiet = now - self.updated_at;
        if self.ended {
            return packet.end && quiet <= REPEATED_END_SPAN;
        }
        quiet < SILENCE_MAX && !packet.marker && self.goes_on_in(packet)
    }

    /// Whether an open press goes on under the new timestamp: in a new segment, or with a sender that moves
    /// the timestamp in every packet.
    fn goes_on_in(&self, packet: &KeyPacket) -> bool {
        let step = later(packet.timestamp, self.timestamp);
        // A step may be half a circle, from which nothing can be taken away.
        let pause_from = i32::from(self.duration) + packet.rate.millis(PAUSE_MIN_MILLIS) as i32;
        (SEGMENT_TICKS..=SEGMENT_TICKS + 1).contains(&step) || step < pause_from
    }

    fn update(&mut self, now: Time, packet: &KeyPacket) {
        let is_newer_segment = packet.timestamp != self.timestamp;
        if is_newer_segment || packet.duration > self.duration {
            self.duration = packet.duration;
        }
        self.timestamp = packet.timestamp;
        // A late update after the end does not open the press again.
        self.ended |= packet.end;
        self.updated_at = now;
    }
}
