//! A packet of 20 ms of G.711 that can be known again: the payload holds which one it is and when it left.

/// Header and payload.
pub const LENGTH: usize = 172;
/// Its header and what it says of itself.
pub const MARKED: usize = 32;
/// Between two packets of a stream.
pub const SPACING_US: u64 = 20_000;

const MAGIC: [u8; 4] = *b"cOrN";
/// The silence of A-law. What a packet says of itself is a difference from it: zeroes, which are most of it, are not heard.
const SILENCE: u8 = 0xd5;

/// What a packet says of itself. A relay may rewrite the header but not these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The stream that it was sent on.
    pub stream: u32,
    /// Its place in the stream, from 0.
    pub count: u32,
    /// When it left: microseconds since the sender's start.
    pub sent_us: u64,
}

/// Writes a packet.
pub fn write(mark: Mark) -> [u8; LENGTH] {
    let mut packet = [SILENCE; LENGTH];
    let (sequence, timestamp) = (mark.count as u16, mark.count.wrapping_mul(160));
    let header: [&[u8]; 4] = [
        &[0x80, if mark.count == 0 { 0x88 } else { 0x08 }],
        &sequence.to_be_bytes(),
        &timestamp.to_be_bytes(),
        &(0x5000_0000 + mark.stream).to_be_bytes(),
    ];
    let says: [&[u8]; 4] =
        [&MAGIC, &mark.stream.to_be_bytes(), &mark.count.to_be_bytes(), &mark.sent_us.to_be_bytes()];
    let says = says.concat().into_iter().map(|byte| byte ^ SILENCE);
    packet.iter_mut().zip(header.concat().into_iter().chain(says)).for_each(|(to, byte)| *to = byte);
    packet
}

/// Reads a packet; nothing if it is not one of ours.
pub fn read(packet: &[u8]) -> Option<Mark> {
    let says: [u8; MARKED - 12] = packet.get(12..MARKED)?.try_into().ok()?;
    let says = says.map(|byte| byte ^ SILENCE);
    let (stream, rest) = says.strip_prefix(&MAGIC)?.split_first_chunk::<4>()?;
    let (count, rest) = rest.split_first_chunk::<4>()?;
    let (sent, _) = rest.split_first_chunk::<8>()?;
    Some(Mark {
        stream: u32::from_be_bytes(*stream),
        count: u32::from_be_bytes(*count),
        sent_us: u64::from_be_bytes(*sent),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_known_again_after_its_header_was_rewritten() {
        let mark = Mark { stream: 399, count: 70_000, sent_us: 1_400_000_123 };
        let mut packet = write(mark);
        packet[1..12].fill(0xff);
        assert_eq!(read(&packet), Some(mark));
        assert_eq!(read(&[0xd5; LENGTH]), None);
        assert_eq!(read(&packet[..20]), None);
    }
}
