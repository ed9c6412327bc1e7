//! One party's packets on another party's line: sequence gaps stay visible as the losses that they are,
//! timestamps keep their distances, and a sender that begins anew makes no jump.

use base::{Key, Time};

use crate::leg::{Leg, Received, Spoken};
use crate::line::{Line, Position};
use crate::rtp::{Packet, ahead, later};
use crate::srtp::{Window, first, guess};

/// A timestamp that runs ahead of the time by more than this has jumped.
const LEAP_MAX_MILLIS: u32 = 1000;

/// So far behind the newest packet none is awaited any more.
const FLOOR_DISTANCE: i16 = 1000;

#[derive(Debug, Default)]
pub(crate) struct Relay {
    feed: Option<Feed>,
}

/// A sender, and what makes its numbers those of the line.
#[derive(Debug)]
struct Feed {
    from: Key<Leg>,
    ssrc: u32,
    sequence_offset: u16,
    timestamp_offset: u32,
    /// Packets before this one have no place on the line.
    floor: u16,
    /// The newest, in the sender's numbers.
    highest: u16,
    /// Which of the newest had their turn.
    passed: Window,
    /// The newest that tells the time, and when it came.
    timestamp: u32,
    at: Time,
}

impl Relay {
    /// Others speak on the line now; the next packet begins anew.
    pub(crate) fn forget(&mut self) {
        self.feed = None;
    }

    /// Where on the line this packet stands, and whether a talk-spurt begins with it. `None` if it is too
    /// late to have a place, or has had it: two packets of one number must not be sealed (RFC 3711 §9.1).
    pub(crate) fn place(
        &mut self,
        line: &Line,
        now: Time,
        received: &Received<'_>,
    ) -> Option<(Position, bool)> {
        let packet = &received.packet;
        let feed = match self.known(received.from, packet) {
            Some(feed) if !received.restarted => feed,
            _ => return Some((self.begin(line, now, received.from, packet), true)),
        };
        let number = guess(feed.passed.newest(), packet.sequence);
        if ahead(packet.sequence, feed.floor) < 0 || feed.passed.has_seen(number) {
            return None;
        }
        feed.passed.see(number);
        let is_newest = ahead(packet.sequence, feed.highest) > 0;
        let mut marker = packet.marker;
        if is_newest {
            feed.advance(packet.sequence);
            // The timestamp of a key is that of its beginning.
            if matches!(received.spoken, Spoken::Speech(_)) {
                marker |= feed.follow_clock(line, now, packet.timestamp);
            }
        }
        let position = Position {
            sequence: packet.sequence.wrapping_add(feed.sequence_offset),
            timestamp: packet.timestamp.wrapping_add(feed.timestamp_offset),
            at: now,
        };
        Some((position, marker))
    }

    /// A packet of the sender that is not for this line leaves no gap on it.
    pub(crate) fn pass_over(&mut self, from: Key<Leg>, packet: &Packet<'_>) {
        if let Some(feed) = self.known(from, packet)
            && ahead(packet.sequence, feed.highest) > 0
        {
            feed.passed.see(guess(feed.passed.newest(), packet.sequence));
            feed.advance(packet.sequence);
            feed.floor = packet.sequence.wrapping_add(1);
            feed.sequence_offset = feed.sequence_offset.wrapping_sub(1);
        }
    }

    fn known(&mut self, from: Key<Leg>, packet: &Packet<'_>) -> Option<&mut Feed> {
        self.feed.as_mut().filter(|feed| feed.from == from && feed.ssrc == packet.ssrc)
    }

    fn begin(&mut self, line: &Line, now: Time, from: Key<Leg>, packet: &Packet<'_>) -> Position {
        let position = line.resume(now);
        let mut passed = Window::new(first(packet.sequence));
        passed.see(passed.newest());
        self.feed = Some(Feed {
            from,
            ssrc: packet.ssrc,
            sequence_offset: position.sequence.wrapping_sub(packet.sequence),
            timestamp_offset: position.timestamp.wrapping_sub(packet.timestamp),
            floor: packet.sequence,
            highest: packet.sequence,
            passed,
            timestamp: packet.timestamp,
            at: now,
        });
        position
    }
}

impl Feed {
    fn advance(&mut self, sequence: u16) {
        self.highest = sequence;
        // The floor follows, or half a circle later it would lie ahead.
        if ahead(sequence, self.floor) > 2 * FLOOR_DISTANCE {
            self.floor = sequence.wrapping_sub(FLOOR_DISTANCE as u16);
        }
    }

    /// True if the sender's clock has jumped, back or ahead of the time, and was set anew. One that stood
    /// still meanwhile has not: many senders count only what they send.
    fn follow_clock(&mut self, line: &Line, now: Time, timestamp: u32) -> bool {
        let step = i64::from(later(timestamp, self.timestamp));
        let elapsed = i64::from(line.rate().ticks(now.since(self.at)));
        let has_jumped = step < 0 || step > elapsed + i64::from(line.rate().millis(LEAP_MAX_MILLIS));
        if has_jumped {
            self.timestamp_offset = line.resume(now).timestamp.wrapping_sub(timestamp);
        }
        (self.timestamp, self.at) = (timestamp, now);
        has_jumped
    }
}
