//! Payload types and what they stand for: in the peer's words, and in ours.

use super::opus;
use crate::sdp::{Media, RtpMap};
use media_api::{COMFORT_NOISE, Codec, Digits, Opus, Payload};

/// The events that we take: keys and flash (RFC 4733 §3.2).
const DIGITS_EVENTS: &str = "0-16";
const DIGITS_ENCODING: &str = "telephone-event";
const NOISE_ENCODING: &str = "CN";
/// The clocks that telephone-events can be of: those of our codecs.
const DIGITS_CLOCKS: [u32; 3] = [8000, 16_000, 48_000];

/// What a payload type of a line stands for, if that is something that we know.
pub(super) fn payload_of(media: &Media, payload_type: u8) -> Option<Payload> {
    let (encoding, clock, channels) = media.encoding_of(payload_type)?;
    if encoding.eq_ignore_ascii_case(DIGITS_ENCODING) {
        return DIGITS_CLOCKS.contains(&clock).then_some(Payload::Digits { clock_rate: clock });
    }
    if encoding.eq_ignore_ascii_case(NOISE_ENCODING) {
        return (payload_type == COMFORT_NOISE && clock == 8000).then_some(Payload::ComfortNoise);
    }
    let is_meant = |codec: &Codec| {
        // Opus always says two channels (RFC 7587 §7), but for those who have not read that.
        let fits = *codec == Codec::Opus || codec.channels() == channels;
        codec.encoding().eq_ignore_ascii_case(encoding) && codec.clock_rate() == clock && fits
    };
    Codec::ALL.into_iter().find(is_meant).map(Payload::Speech)
}

/// All that we know of a line, in its order.
pub(super) fn payloads(media: &Media) -> impl Iterator<Item = (u8, Payload)> {
    media.payload_types().filter_map(|number| Some((number, payload_of(media, number)?)))
}

/// Of the telephone-events that there are, those whose clock is that of the codec, which alone can share its
/// timestamps (RFC 4733 §2.1). Some have only the clock of 8 000 beside every codec: better that than none.
pub(super) fn digits_for(codec: Codec, known: impl Iterator<Item = (u8, Payload)>) -> Option<Digits> {
    let digits = known.filter_map(|(payload_type, payload)| match payload {
        Payload::Digits { clock_rate } => Some(Digits { payload_type, clock_rate }),
        Payload::Speech(_) | Payload::ComfortNoise => None,
    });
    let strangeness = |digits: &Digits| (digits.clock_rate != codec.clock_rate(), digits.clock_rate);
    digits.min_by_key(strangeness)
}

/// How we write what a payload type stands for.
pub(super) fn map_of(payload_type: u8, payload: Payload) -> RtpMap {
    let (encoding, clock, channels) = match payload {
        Payload::Speech(codec) => (codec.encoding(), codec.clock_rate(), codec.channels()),
        Payload::Digits { clock_rate } => (DIGITS_ENCODING, clock_rate, 1),
        Payload::ComfortNoise => (NOISE_ENCODING, 8000, 1),
    };
    RtpMap { payload_type, encoding: encoding.to_owned(), clock, channels }
}

/// What we say of it besides, when we want to be sent Opus so.
pub(super) fn parameters_of(payload: Payload, asked: &Opus) -> Option<String> {
    match payload {
        Payload::Speech(Codec::Opus) => opus::write(asked),
        Payload::Digits { .. } => Some(DIGITS_EVENTS.to_owned()),
        Payload::Speech(_) | Payload::ComfortNoise => None,
    }
}
