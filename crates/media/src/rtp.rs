//! The fixed header of RTP (RFC 3550 §5.1), read and written by hand.

use media_api::Codec;
use std::time::Duration;

/// Longer than any packet of speech on a path of usual size.
const LENGTH_MAX: usize = 1500;

/// The length of the header without contributing sources and extensions.
const HEADER_LENGTH: usize = 12;

/// How fast timestamps run. Every codec's clock makes whole ticks in a millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TickRate {
    per_milli: u32,
}

impl TickRate {
    /// 8 000 ticks a second, the clock of telephones.
    pub(crate) const TELEPHONE: TickRate = TickRate { per_milli: 8 };

    pub(crate) const fn of(codec: Codec) -> TickRate {
        TickRate::hz(codec.clock_rate())
    }

    /// So many ticks a second, from 1 000 to 192 000; what a peer says beyond is taken for the nearest.
    pub(crate) const fn hz(clock_rate: u32) -> TickRate {
        let per_milli = match clock_rate {
            0..2000 => 1,
            2000..192_000 => clock_rate / 1000,
            _ => 192,
        };
        TickRate { per_milli }
    }

    /// The ticks of so many milliseconds.
    pub(crate) const fn millis(self, millis: u32) -> u32 {
        millis * self.per_milli
    }

    /// The ticks of so long; those of a long time go round the circle as timestamps do.
    pub(crate) const fn ticks(self, span: Duration) -> u32 {
        self.ticks_of_micros(span.as_micros())
    }

    pub(crate) const fn ticks_of_micros(self, micros: u128) -> u32 {
        // Of all but the longest times, without the division of 128 bits that the processor has not got.
        if micros <= (u64::MAX / 192) as u128 {
            return (micros as u64 * self.per_milli as u64 / 1000) as u32;
        }
        (micros * self.per_milli as u128 / 1000) as u32
    }

    /// How long so many ticks last.
    pub(crate) const fn span(self, ticks: u32) -> Duration {
        Duration::from_micros(ticks as u64 * 1000 / self.per_milli as u64)
    }
}

/// A received packet whose header is sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Packet<'a> {
    pub(crate) marker: bool,
    pub(crate) payload_type: u8,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) ssrc: u32,
    /// Without contributing sources, extension and padding.
    pub(crate) payload: &'a [u8],
}

/// The checks of RFC 3550 §A.1 that one packet alone allows.
pub(crate) fn parse(bytes: &[u8]) -> Option<Packet<'_>> {
    if bytes.len() > LENGTH_MAX {
        return None;
    }
    let head = bytes.first_chunk::<HEADER_LENGTH>()?;
    let [first, second, q0, q1, t0, t1, t2, t3, s0, s1, s2, s3] = *head;
    let mut payload = bytes.get(header_length(bytes)?..)?;
    if first & 0x20 != 0 {
        let padding = usize::from(*payload.last()?);
        if padding == 0 {
            return None;
        }
        payload = payload.get(..payload.len().checked_sub(padding)?)?;
    }
    Some(Packet {
        marker: second & 0x80 != 0,
        payload_type: second & 0x7f,
        sequence: u16::from_be_bytes([q0, q1]),
        timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
        ssrc: u32::from_be_bytes([s0, s1, s2, s3]),
        payload,
    })
}

/// The length of a header with its contributing sources and its extension, as far as they are there.
pub(crate) fn header_length(bytes: &[u8]) -> Option<usize> {
    let first = *bytes.first().filter(|first| **first >> 6 == 2)?;
    let mut length = HEADER_LENGTH + 4 * usize::from(first & 0x0f);
    if first & 0x10 != 0 {
        let [_, _, l0, l1] = *bytes.get(length..)?.first_chunk::<4>()?;
        length += 4 + 4 * usize::from(u16::from_be_bytes([l0, l1]));
    }
    (length <= bytes.len()).then_some(length)
}

/// How many decibels below the loudest the speech in a packet is, as its sender says in the header extension of this number
/// (RFC 6464): 0 to 127.
pub(crate) fn audio_level(bytes: &[u8], number: u8) -> Option<u8> {
    extension(bytes, number)?.first().map(|level| level & 0x7f)
}

/// A header extension in either form of RFC 8285.
pub(crate) fn extension(bytes: &[u8], number: u8) -> Option<&[u8]> {
    let first = *bytes.first()?;
    let start = HEADER_LENGTH + 4 * usize::from(first & 0x0f);
    let [p0, p1, ..] = *bytes.get(start..)?.first_chunk::<4>().filter(|_| first & 0x10 != 0)?;
    let mut rest = bytes.get(start + 4..header_length(bytes)?)?;
    let is_long = match u16::from_be_bytes([p0, p1]) {
        0xbede => false,
        0x1000..=0x100f => true,
        _ => return None,
    };
    while let Some((head, after)) = rest.split_first() {
        let (found, length, data) = match (is_long, *head) {
            (_, 0) => {
                rest = after;
                continue;
            }
            (false, head) => (head >> 4, usize::from(head & 0x0f) + 1, after),
            (true, head) => {
                let (length, data) = after.split_first()?;
                (head, usize::from(*length), data)
            }
        };
        // Of the short form, 15 ends the list.
        if !is_long && found == 15 {
            return None;
        }
        let (value, after) = data.split_at_checked(length)?;
        if found == number {
            return Some(value);
        }
        rest = after;
    }
    None
}

/// What of a header changes from packet to packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) marker: bool,
    pub(crate) payload_type: u8,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) ssrc: u32,
}

impl Header {
    pub(crate) fn to_bytes(self) -> [u8; HEADER_LENGTH] {
        let [q0, q1] = self.sequence.to_be_bytes();
        let [t0, t1, t2, t3] = self.timestamp.to_be_bytes();
        let [s0, s1, s2, s3] = self.ssrc.to_be_bytes();
        let second = (self.payload_type & 0x7f) | (u8::from(self.marker) << 7);
        [0x80, second, q0, q1, t0, t1, t2, t3, s0, s1, s2, s3]
    }
}

/// How far `a` lies ahead of `b` on the circle of sequence numbers; negative if behind.
pub(crate) fn ahead(a: u16, b: u16) -> i16 {
    a.wrapping_sub(b) as i16
}

/// How far `a` lies ahead of `b` on the circle of timestamps; negative if behind.
pub(crate) fn later(a: u32, b: u32) -> i32 {
    a.wrapping_sub(b) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(first: u8, rest: &[u8]) -> Vec<u8> {
        let mut bytes = vec![first, 8, 0, 1, 0, 0, 0, 160, 1, 2, 3, 4];
        bytes.extend_from_slice(rest);
        bytes
    }

    #[test]
    fn the_level_is_found_in_either_form_of_extension_and_nothing_else_is_taken_for_it() {
        let with = |profile: [u8; 2], list: &[u8]| {
            let words = list.len().div_ceil(4) as u8;
            let padding = vec![0; usize::from(words) * 4 - list.len()];
            packet(0x90, &[&profile[..], &[0, words], list, &padding, &[9]].concat())
        };
        let short = |list: &[u8]| with([0xbe, 0xde], list);
        let long = |list: &[u8]| with([0x10, 0x00], list);
        for (bytes, level) in [
            (short(&[0x10, 0x85]), Some(5)),
            (short(&[0x10, 0x7f]), Some(127)),
            (short(&[0, 0, 0x31, 7, 7, 0x10, 0x21]), Some(33)),
            (long(&[1, 1, 0xa0]), Some(32)),
            (long(&[7, 0, 0, 1, 2, 0x05, 0]), Some(5)),
            (long(&[1, 0]), None),
            (short(&[0xf0, 0x10, 0x10, 0x10]), None),
            (short(&[0x20, 0x10]), None),
            (short(&[0x1f, 0x10]), None),
            (with([0x12, 0x34], &[0x10, 0x10]), None),
            (packet(0x80, &[9; 20]), None),
            (packet(0x90, &[0xbe, 0xde, 0, 9, 0x10, 0x10]), None),
            (packet(0x90, &[0xbe]), None),
            (Vec::new(), None),
        ] {
            assert_eq!(audio_level(&bytes, 1), level, "{bytes:?}");
        }
    }

    #[test]
    fn a_payload_is_what_csrc_extension_and_padding_leave() {
        for (first, rest, payload) in [
            (0x80, &[9, 9, 9][..], Some(&[9, 9, 9][..])),
            (0x80, &[], Some(&[])),
            (0x81, &[0, 0, 0, 7, 9], Some(&[9])),
            (0x81, &[0, 0, 0], None),
            (0x90, &[0xbe, 0xde, 0, 1, 1, 2, 3, 4, 9], Some(&[9])),
            (0x90, &[0xbe, 0xde, 0xff, 0xff, 1, 2, 3, 4, 9], None),
            (0x90, &[0xbe, 0xde, 0], None),
            (0xa0, &[9, 9, 0, 2], Some(&[9, 9])),
            (0xa0, &[9, 9, 0, 0], None),
            (0xa0, &[9, 9, 0, 5], None),
            (0xa0, &[], None),
            (0x40, &[9, 9, 9], None),
            (0x00, &[9, 9, 9], None),
        ] {
            assert_eq!(
                parse(&packet(first, rest)).map(|packet| packet.payload),
                payload,
                "{first:x} {rest:?}"
            );
        }
        assert_eq!(parse(&packet(0x80, &[])[..11]), None);
        assert_eq!(parse(&packet(0x80, &[0; 1489])), None);
    }

    #[test]
    fn what_is_written_is_read_back() {
        let header =
            Header { marker: true, payload_type: 101, sequence: 65535, timestamp: u32::MAX - 3, ssrc: 7 };
        let bytes = header.to_bytes();
        let packet = parse(&bytes).unwrap();
        assert_eq!((packet.marker, packet.payload_type, packet.sequence), (true, 101, 65535));
        assert_eq!((packet.timestamp, packet.ssrc), (u32::MAX - 3, 7));
    }
}
