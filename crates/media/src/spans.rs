//! How long the speech in a packet lasts, by its codec and its bytes.

use media_api::Codec;

/// No packet holds more (RFC 6716 §3.2.5); 120 ms at 48 kHz.
const OPUS_TICKS_MAX: u32 = 5760;

/// The ticks of the codec's clock that a packet's speech lasts; 0 for one that holds none.
pub(crate) fn span_of(codec: Codec, payload: &[u8]) -> u32 {
    let bytes = payload.len() as u32;
    match codec {
        // G.722 writes two samples in a byte, and its clock counts every second sample.
        Codec::Pcma | Codec::Pcmu | Codec::G722 => bytes,
        Codec::L16 => bytes / 2,
        Codec::Opus => opus_span(payload),
    }
}

/// By the first byte of the packet: the length of its frames, and how many there are (RFC 6716 §3.1, §3.2).
fn opus_span(payload: &[u8]) -> u32 {
    let Some(first) = payload.first() else { return 0 };
    let frame = match first >> 3 {
        config @ 0..=11 => [480, 960, 1920, 2880][usize::from(config % 4)],
        config @ 12..=15 => [480, 960][usize::from(config % 2)],
        config => [120, 240, 480, 960][usize::from(config % 4)],
    };
    let frames = match (first & 3, payload.get(1)) {
        (0, _) => 1,
        (1 | 2, _) => 2,
        (_, Some(count)) => u32::from(count & 0x3f),
        (_, None) => 0,
    };
    (frame * frames).min(OPUS_TICKS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_tells_how_long_it_lasts() {
        for (codec, payload, ticks) in [
            (Codec::Pcma, &[0; 160][..], 160),
            (Codec::G722, &[0; 160], 160),
            (Codec::L16, &[0; 640], 320),
            (Codec::Opus, &[], 0),
            // 20 ms of SILK in the narrow band, one frame; two of 60 ms; three of 20 ms of CELT; a count that is missing.
            (Codec::Opus, &[1 << 3, 0], 960),
            (Codec::Opus, &[3 << 3 | 1, 0], 5760),
            (Codec::Opus, &[31 << 3 | 3, 3], 2880),
            (Codec::Opus, &[31 << 3 | 3], 0),
            (Codec::Opus, &[3 << 3 | 3, 63], 5760),
        ] {
            assert_eq!(span_of(codec, payload), ticks, "{codec:?} {:?}", payload.first());
        }
    }
}
