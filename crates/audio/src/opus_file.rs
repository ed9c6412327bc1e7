//! Ogg Opus files (RFC 7845), decoded straight to the rate that is wanted: libopus needs no resampler for that.

use std::io::Cursor;
use std::time::Duration;

use crate::prompt::{PromptError, SECONDS_MAX};

/// Opus counts time at 48 kHz whatever it is decoded to (RFC 7845 §4).
const CLOCK: u64 = 48_000;

/// The longest Opus packet is 120 ms (RFC 6716 §3.2.5).
const PACKET_SAMPLES_MAX: usize = 5760;

struct Head {
    /// At 48 kHz.
    pre_skip: u64,
    gain: i16,
}

/// Whether the first packet of this Ogg file is Opus's: it stands on a page of its own (RFC 7845 §3), whose header has 28 bytes.
pub(crate) fn is(file: &[u8]) -> bool {
    file.get(28..36) == Some(b"OpusHead")
}

/// At 8, 16 or 48 kHz.
pub(crate) fn read(file: &[u8], rate: u32) -> Result<Vec<i16>, PromptError> {
    let mut packets = ogg::PacketReader::new(Cursor::new(file));
    let first = next(&mut packets)?.ok_or(PromptError::Damaged("it has no Opus header"))?;
    let stream = first.stream_serial();
    let head = read_head(&first.data)?;
    let mut decoder = ::opus::Decoder::new(rate, ::opus::Channels::Mono)
        .map_err(|error| PromptError::Unsupported(format!("this decoder ({error})")))?;
    decoder
        .set_gain(i32::from(head.gain))
        .map_err(|_| PromptError::Damaged("its output gain is out of range"))?;

    let mut samples = Vec::new();
    let mut frame = [0i16; PACKET_SAMPLES_MAX];
    let mut tags_seen = false;
    let mut end = None;
    while let Some(packet) = next(&mut packets)? {
        if packet.stream_serial() != stream {
            continue;
        }
        if !tags_seen {
            tags_seen = true;
            continue;
        }
        // An empty packet would ask the decoder to conceal a loss; in a file there is none.
        if packet.data.is_empty() {
            return Err(PromptError::Damaged("a packet is empty"));
        }
        let count = decoder
            .decode(&packet.data, &mut frame, false)
            .map_err(|_| PromptError::Damaged("a packet is not Opus"))?;
        samples.extend_from_slice(frame.get(..count).unwrap_or(&frame));
        if samples.len() as u64 > SECONDS_MAX * u64::from(rate) + at(head.pre_skip, rate) {
            return Err(PromptError::TooLong);
        }
        end = packet.last_in_stream().then(|| packet.absgp_page());
    }
    trim(&mut samples, &head, end, rate);
    Ok(samples)
}

/// How long the file lasts, told by its head and its pages, without decoding anything. Nothing if it was cut off within a page:
/// then none of it is played.
pub(crate) fn length(file: &[u8]) -> Option<Duration> {
    let head = read_head(file.get(28..)?).ok()?;
    let stream = file.get(14..18)?;
    let (mut granule, mut rest) = (0, file);
    while rest.starts_with(b"OggS") {
        let page = 27 + usize::from(*rest.get(26)?);
        let body: usize = rest.get(27..page)?.iter().map(|length| usize::from(*length)).sum();
        let position = u64::from_le_bytes(rest.get(6..14)?.try_into().ok()?);
        // No packet ends on this page.
        if position != u64::MAX && rest.get(14..18)? == stream {
            granule = position;
        }
        rest = rest.get(page + body..)?;
    }
    let micros = granule.saturating_sub(head.pre_skip).checked_mul(1_000_000)? / CLOCK;
    Some(Duration::from_micros(micros)).filter(|length| length.as_secs() <= SECONDS_MAX)
}

fn next(packets: &mut ogg::PacketReader<Cursor<&[u8]>>) -> Result<Option<ogg::Packet>, PromptError> {
    packets.read_packet().map_err(|_| PromptError::Damaged("a page of Ogg cannot be read"))
}

/// The identification header (RFC 7845 §5.1). Families above 0 hold more than two channels.
fn read_head(bytes: &[u8]) -> Result<Head, PromptError> {
    let Some(&[b'O', b'p', b'u', b's', b'H', b'e', b'a', b'd', version, channels, s0, s1, ..]) =
        bytes.first_chunk::<19>()
    else {
        return Err(PromptError::Unsupported("an Ogg file that is not Opus".to_owned()));
    };
    let (gain, family) = match bytes.get(16..19) {
        Some(&[g0, g1, family]) => (i16::from_le_bytes([g0, g1]), family),
        _ => return Err(PromptError::Damaged("its Opus header is too short")),
    };
    if version > 15 || family != 0 || !(1..=2).contains(&channels) {
        return Err(PromptError::Unsupported(format!("Opus of {channels} channels in family {family}")));
    }
    let pre_skip = u64::from(u16::from_le_bytes([s0, s1]));
    Ok(Head { pre_skip, gain })
}

/// The first samples only let the decoder settle, and the last packet is padded: the granule position of
/// the last page says where the sound ends (RFC 7845 §4.2 and §4.4).
fn trim(samples: &mut Vec<i16>, head: &Head, end: Option<u64>, rate: u32) {
    if let Some(length) = end.and_then(|granule| usize::try_from(at(granule, rate)).ok()) {
        samples.truncate(length);
    }
    let skipped = (at(head.pre_skip, rate) as usize).min(samples.len());
    samples.drain(..skipped);
}

/// A time of Opus in samples at this rate.
fn at(clock: u64, rate: u32) -> u64 {
    clock / (CLOCK / u64::from(rate))
}
