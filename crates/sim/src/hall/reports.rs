//! RTCP of a phone: what it reports, and whether what the exchange reports is sound.

use base::{Rng, Time};
use std::time::Duration;

/// Between two reports of a phone.
const INTERVAL: Duration = Duration::from_secs(5);
/// Seconds from 1900 to 1970, and then some.
const EPOCH: u64 = 2_208_988_800 + 1_781_000_000;
const SENDER: u8 = 200;
const RECEIVER: u8 = 201;
const DESCRIPTION: u8 = 202;

pub(crate) struct Reports {
    due: Option<Time>,
    phase: Duration,
    packets: u32,
    bytes: u32,
    /// The newest timestamp, and when it was sent.
    timestamp: (u32, Time),
    /// The exchange's source, and its newest number.
    heard: Option<(u32, u16)>,
    /// The middle of the time in the exchange's last report, and when that came.
    last: Option<(u32, Time)>,
    /// Packets that the exchange says to have sent.
    claimed: u32,
}

impl Reports {
    pub(crate) fn new(rng: &mut Rng) -> Reports {
        Reports {
            due: None,
            phase: Duration::from_millis(rng.below(5_000)),
            packets: 0,
            bytes: 0,
            timestamp: (0, Time::ZERO),
            heard: None,
            last: None,
            claimed: 0,
        }
    }

    pub(crate) fn sent(&mut self, now: Time, timestamp: u32, bytes: u32) {
        self.due.get_or_insert(now + self.phase);
        self.packets = self.packets.wrapping_add(1);
        self.bytes = self.bytes.wrapping_add(bytes);
        self.timestamp = (timestamp, now);
    }

    pub(crate) fn received(&mut self, ssrc: u32, sequence: u16) {
        self.heard = Some((ssrc, sequence));
    }

    /// A sender's report with one block, and a name (RFC 3550 §6.4.1, §6.5).
    pub(crate) fn write(&mut self, now: Time, ssrc: u32) -> Option<Vec<u8>> {
        let due = self.due.filter(|due| *due <= now)?;
        self.due = Some(due + INTERVAL);
        let blocks = u8::from(self.heard.is_some());
        let mut bytes = vec![0x80 | blocks, SENDER, 0, 6 + 6 * blocks];
        let words =
            [ssrc, (ntp(now) >> 32) as u32, ntp(now) as u32, self.timestamp.0, self.packets, self.bytes];
        bytes.extend(words.iter().flat_map(|word| word.to_be_bytes()));
        if let Some((theirs, sequence)) = self.heard {
            let (middle, at) = self.last.unwrap_or((0, now));
            let since = if middle == 0 { 0 } else { (now.since(at).as_micros() * 65_536 / 1_000_000) as u32 };
            let words = [theirs, 0, u32::from(sequence), 0, middle, since];
            bytes.extend(words.iter().flat_map(|word| word.to_be_bytes()));
        }
        bytes.extend([0x81, DESCRIPTION, 0, 3]);
        bytes.extend(ssrc.to_be_bytes());
        bytes.extend([1, 4, b's', b'i', b'm', b'x', 0, 0]);
        Some(bytes)
    }

    /// What is wrong with a report of the exchange's, if anything is.
    pub(crate) fn take(&mut self, now: Time, bytes: &[u8]) -> Option<String> {
        let mut rest = bytes;
        let mut first = true;
        while !rest.is_empty() {
            let Some([head, kind, high, low]) = rest.first_chunk::<4>().copied() else {
                return Some(format!("a report with {} bytes after its end", rest.len()));
            };
            let length = 4 * (1 + usize::from(u16::from_be_bytes([high, low])));
            let Some((packet, after)) = rest.split_at_checked(length) else {
                return Some(format!(
                    "a report of type {kind} that says {length} bytes and has {}",
                    rest.len()
                ));
            };
            if head >> 6 != 2 || (first && !matches!(kind, SENDER | RECEIVER)) {
                return Some(format!("a report that begins with {head:#x} {kind}"));
            }
            if kind == SENDER
                && let Some(wrong) = self.take_sender(now, packet)
            {
                return Some(wrong);
            }
            (rest, first) = (after, false);
        }
        None
    }

    fn take_sender(&mut self, now: Time, packet: &[u8]) -> Option<String> {
        let word = |at: usize| {
            packet.get(4 * at..4 * at + 4).map_or(0, |b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]))
        };
        let (ssrc, packets) = (word(1), word(5));
        if let Some((heard, _)) = self.heard
            && heard != ssrc
        {
            return Some(format!("a report of source {ssrc:08x}, where {heard:08x} is heard"));
        }
        let middle = word(2) << 16 | word(3) >> 16;
        self.last = Some((middle, now));
        // Reports may overtake each other.
        self.claimed = self.claimed.max(packets);
        None
    }
}

fn ntp(now: Time) -> u64 {
    let micros = now.micros();
    ((EPOCH + micros / 1_000_000) << 32) | (((micros % 1_000_000) << 32) / 1_000_000)
}
