//! Whom a mix is made of, as its listeners are told in the header of each packet (RFC 3550 §5.1, RFC 6465).

use media_api::SpeakersTold;

use crate::rtp::Header;

/// A header lists no more.
const CONTRIBUTORS_MAX: usize = 15;
/// The highest number of an extension of the short form (RFC 8285 §4.2).
const SHORT_MAX: u8 = 14;

/// One whose speech is in a mix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Contributor {
    pub(crate) source: u32,
    /// In decibels below overload, 0 to 127.
    pub(crate) level: u8,
}

impl Header {
    /// Appends the header with as much of those who are in the mix as its listener is told.
    pub(crate) fn write(self, mixed_of: &[Contributor], told: SpeakersTold, bytes: &mut Vec<u8>) {
        let mut head = self.to_bytes();
        let listed = mixed_of.get(..CONTRIBUTORS_MAX).unwrap_or(mixed_of);
        let count = listed.len() as u8;
        if told == SpeakersTold::Nothing || count == 0 {
            return bytes.extend_from_slice(&head);
        }
        let is_extended = matches!(told, SpeakersTold::Levels(_));
        if let Some(first) = head.first_mut() {
            *first |= count | u8::from(is_extended) << 4;
        }
        bytes.extend_from_slice(&head);
        bytes.extend(listed.iter().flat_map(|contributor| contributor.source.to_be_bytes()));
        if let SpeakersTold::Levels(number) = told {
            extend(listed, number, bytes);
        }
    }
}

/// Appends the header extension of this number.
fn extend(listed: &[Contributor], number: u8, bytes: &mut Vec<u8>) {
    let count = listed.len() as u8;
    let is_short = number <= SHORT_MAX;
    let words = (if is_short { 1 } else { 2 } + count).div_ceil(4);
    bytes.extend_from_slice(if is_short { &[0xbe, 0xde] } else { &[0x10, 0x00] });
    bytes.extend_from_slice(&u16::from(words).to_be_bytes());
    let start = bytes.len();
    match is_short {
        true => bytes.push(number << 4 | (count - 1)),
        false => bytes.extend_from_slice(&[number, count]),
    }
    bytes.extend(listed.iter().map(|contributor| contributor.level & 0x7f));
    bytes.resize(start + usize::from(words) * 4, 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp;

    fn written(count: u8, told: SpeakersTold) -> Vec<u8> {
        let header = Header { marker: true, payload_type: 111, sequence: 5, timestamp: 6, ssrc: 7 };
        let mixed_of: Vec<Contributor> = (0..count)
            .map(|number| Contributor { source: 1000 + u32::from(number), level: 20 + number })
            .collect();
        let mut bytes = vec![1, 2, 3];
        header.write(&mixed_of, told, &mut bytes);
        bytes.extend([9; 4]);
        bytes.split_off(3)
    }

    #[test]
    fn a_header_tells_a_listener_what_it_takes_of_who_is_in_the_mix() {
        for (count, told, listed, levels) in [
            (2, SpeakersTold::Nothing, 0, None),
            (0, SpeakersTold::Levels(2), 0, None),
            (2, SpeakersTold::Names, 2, None),
            (1, SpeakersTold::Levels(1), 1, Some(1)),
            (3, SpeakersTold::Levels(14), 3, Some(14)),
            (3, SpeakersTold::Levels(15), 3, Some(15)),
            (15, SpeakersTold::Levels(200), 15, Some(200)),
            (20, SpeakersTold::Levels(2), 15, Some(2)),
        ] {
            let bytes = written(count, told);
            let packet = rtp::parse(&bytes).unwrap();
            assert_eq!((packet.payload, packet.ssrc, packet.marker), (&[9; 4][..], 7, true));
            assert_eq!(bytes[0] & 0x0f, listed, "{told:?}");
            for (number, source) in (0..listed).zip(bytes[12..].chunks(4)) {
                assert_eq!(source, (1000 + u32::from(number)).to_be_bytes());
            }
            let found = levels.and_then(|number| rtp::extension(&bytes, number));
            let expected: Vec<u8> = (0..listed).map(|number| 20 + number).collect();
            assert_eq!(found, levels.map(|_| &expected[..]), "{told:?}");
            assert_eq!(bytes[0] & 0x10 != 0, levels.is_some());
        }
    }
}
