//! What one party receives is one line: one SSRC, sequence numbers without holes of our own making, and
//! timestamps that go with the time, whoever speaks on it.

use base::{Rng, Time};

use crate::rtp::{Header, TickRate, ahead, later};

/// Who speaks on a line. Another one begins a talk-spurt of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Talker {
    Player,
    Relay,
    Translation,
    Room,
    Keys,
    /// Nobody: a sign of life.
    Idle,
}

#[derive(Debug)]
pub(crate) struct Line {
    ssrc: u32,
    rate: TickRate,
    next_sequence: u16,
    /// Of the newest packet, and the time that it belongs to.
    timestamp: u32,
    at: Time,
    /// How many ticks the newest packet lasts; 0 before the first.
    span: u32,
    talker: Option<Talker>,
    packets: u64,
    bytes: u64,
}

/// Where on the line a packet stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    /// The time that the timestamp belongs to.
    pub(crate) at: Time,
}

/// A packet that is about to go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) talker: Talker,
    pub(crate) position: Position,
    /// How many ticks it lasts.
    pub(crate) span: u32,
    pub(crate) payload_type: u8,
    pub(crate) marker: bool,
}

impl Line {
    pub(crate) fn new(rng: &mut Rng, now: Time) -> Line {
        Line {
            ssrc: rng.next_u32(),
            rate: TickRate::TELEPHONE,
            // A start in the lower half keeps the first wrap well away from the first packets.
            next_sequence: rng.next_u32() as u16 >> 1,
            timestamp: rng.next_u32(),
            at: now,
            span: 0,
            talker: None,
            packets: 0,
            bytes: 0,
        }
    }

    /// Another codec is spoken from now on. The timestamps go on from where they are, at its pace (RFC 7160 §4.1).
    pub(crate) fn set_rate(&mut self, now: Time, rate: TickRate) {
        if rate != self.rate {
            let next = self.resume(now);
            (self.timestamp, self.at, self.span, self.rate) = (next.timestamp, next.at, 0, rate);
        }
    }

    pub(crate) fn rate(&self) -> TickRate {
        self.rate
    }

    pub(crate) fn ssrc(&self) -> u32 {
        self.ssrc
    }

    pub(crate) fn packets(&self) -> u64 {
        self.packets
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The time of the newest packet; `None` before the first.
    pub(crate) fn newest_at(&self) -> Option<Time> {
        (self.packets > 0).then_some(self.at)
    }

    pub(crate) fn talker(&self) -> Option<Talker> {
        self.talker
    }

    /// This talker has nothing to say for now; when it speaks again, a talk-spurt begins.
    pub(crate) fn fall_silent(&mut self, talker: Talker) {
        if self.talker == Some(talker) {
            self.talker = None;
        }
    }

    /// Where speech stands that begins at `now`: after all that was sent, and as much later as it is later.
    pub(crate) fn resume(&self, now: Time) -> Position {
        let elapsed = self.rate.ticks(now.since(self.at));
        let step = elapsed.max(self.span);
        let at = self.at + self.rate.span(step);
        self.ahead_by(step, if elapsed >= self.span { now } else { at })
    }

    /// Where speech stands that follows the newest packet without a gap.
    pub(crate) fn follow(&self) -> Position {
        self.ahead_by(self.span, self.at + self.rate.span(self.span))
    }

    /// Where a packet stands that tells more of what the newest one began, as those of a key do.
    pub(crate) fn newest(&self) -> Position {
        self.ahead_by(0, self.at)
    }

    /// The timestamp that belongs to `now`, for sender reports.
    pub(crate) fn timestamp_at(&self, now: Time) -> u32 {
        self.timestamp.wrapping_add(self.rate.ticks(now.since(self.at)))
    }

    /// Enters a packet with so many bytes of payload and gives its header.
    pub(crate) fn enter(&mut self, entry: Entry, length: usize) -> Header {
        let position = entry.position;
        if ahead(position.sequence, self.next_sequence) >= 0 {
            self.next_sequence = position.sequence.wrapping_add(1);
        }
        if self.packets == 0 || later(position.timestamp, self.timestamp) >= 0 {
            (self.timestamp, self.at, self.span) = (position.timestamp, position.at, entry.span);
        }
        self.talker = Some(entry.talker);
        self.packets += 1;
        self.bytes += length as u64;
        Header {
            marker: entry.marker,
            payload_type: entry.payload_type,
            sequence: position.sequence,
            timestamp: position.timestamp,
            ssrc: self.ssrc,
        }
    }

    fn ahead_by(&self, step: u32, at: Time) -> Position {
        Position { sequence: self.next_sequence, timestamp: self.timestamp.wrapping_add(step), at }
    }
}
