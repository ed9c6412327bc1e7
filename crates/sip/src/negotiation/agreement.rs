//! What two lines of audio, one offered and one answered, agree.

use super::formats::{digits_for, payload_of, payloads};
use super::{Refusal, direction, opus, packet_time};
use crate::sdp::Media;
use crate::ua::WarnCode;
use media_api::{Codec, Payload, Stream};
use std::net::SocketAddr;

/// The payload types that RTCP's packet types look like with the marker bit, where both share a port (RFC 5761 §4).
const LIKE_RTCP: std::ops::RangeInclusive<u8> = 64..=95;

/// More numbers than this are not remembered.
const LEFT_MAX: usize = 16;

/// The agreement that follows from the peer's offer, if we take this codec of it.
pub(super) fn by_offer(
    theirs: &Media,
    (codec, payload_type): (Codec, u8),
    comfort_noise: bool,
) -> Result<Stream, Refusal> {
    let digits = digits_for(codec, payloads(theirs));
    let stream = terms(theirs, codec, payload_type)?;
    let noise = comfort_noise
        && codec.clock_rate() == 8000
        && payloads(theirs).any(|(_, payload)| payload == Payload::ComfortNoise);
    let looks_like_rtcp =
        LIKE_RTCP.contains(&payload_type) || digits.is_some_and(|d| LIKE_RTCP.contains(&d.payload_type));
    Ok(muxed(Stream { digits, comfort_noise: noise, ..stream }, theirs.rtcp_mux && !looks_like_rtcp))
}

/// The formats of our answer.
pub(super) fn answered_formats(stream: &Stream) -> Vec<(u8, Payload)> {
    let digits =
        stream.digits.map(|digits| (digits.payload_type, Payload::Digits { clock_rate: digits.clock_rate }));
    let noise = stream.comfort_noise.then_some((media_api::COMFORT_NOISE, Payload::ComfortNoise));
    let speech = (stream.payload_type, Payload::Speech(stream.codec));
    [Some(speech), noise, digits].into_iter().flatten().collect()
}

/// The agreement that follows from the peer's answer to our line.
pub(super) fn by_answer(ours: &Media, theirs: &Media) -> Result<Stream, Refusal> {
    let agreed: Vec<(u8, Payload)> = answered(ours, theirs).collect();
    let speech = agreed.iter().find_map(|(number, payload)| match payload {
        Payload::Speech(codec) => Some((*number, *codec)),
        Payload::Digits { .. } | Payload::ComfortNoise => None,
    });
    let Some((payload_type, codec)) = speech else {
        let why = "the answer has no codec that was offered";
        return Err(Refusal::not_acceptable(WarnCode::MediaFormat, why));
    };
    let stream = Stream {
        digits: digits_for(codec, agreed.iter().copied()),
        comfort_noise: agreed.iter().any(|(_, payload)| *payload == Payload::ComfortNoise),
        ..terms(theirs, codec, payload_type)?
    };
    // The peer sends by the numbers of our offer, and some by those of their answer.
    let own = payloads(ours).filter(|(_, payload)| agreed.iter().any(|(_, known)| known == payload));
    let is_news = |(number, payload): &(u8, Payload)| stream.payload(*number) != Some(*payload);
    let also = own.filter(is_news).collect();
    Ok(muxed(Stream { also, ..stream }, ours.rtcp_mux && theirs.rtcp_mux))
}

/// What the peer may still send by what was in force before, until it has our answer: no number changes its meaning as long
/// as the session lives (RFC 3264 §8.3.2).
pub(super) fn left_of(before: &Stream, now: &Stream) -> Vec<(u8, Payload)> {
    let speech = (before.payload_type, Payload::Speech(before.codec));
    let digits =
        before.digits.map(|digits| (digits.payload_type, Payload::Digits { clock_rate: digits.clock_rate }));
    let known = [Some(speech), digits].into_iter().flatten().chain(before.also.iter().copied());
    known.filter(|(number, _)| now.payload(*number).is_none()).take(LEFT_MAX).collect()
}

/// What the answer takes of our offer, by the answer's numbers. One of ours means what we said, even if the answer does
/// not repeat its rtpmap.
fn answered(ours: &Media, theirs: &Media) -> impl Iterator<Item = (u8, Payload)> {
    theirs.payload_types().filter_map(|number| {
        let is_said = theirs.maps.iter().any(|map| map.payload_type == number);
        let offered = |payload: &Payload| payloads(ours).any(|(_, known)| known == *payload);
        let is_ours = || ours.payload_types().any(|known| known == number);
        let payload = match is_said {
            true => payload_of(theirs, number),
            false => payload_of(ours, number).filter(|_| is_ours()),
        };
        payload.filter(offered).map(|payload| (number, payload))
    })
}

/// What the peer's line says of itself: where, how much in a packet, who sends, and how it wants Opus.
fn terms(theirs: &Media, codec: Codec, payload_type: u8) -> Result<Stream, Refusal> {
    let address = theirs.address.ok_or_else(|| {
        let why = "the audio line has no connection line with an IP address";
        Refusal::not_acceptable(WarnCode::NetworkAddress, why)
    })?;
    let ip = address.to_canonical();
    let (rtcp_port, rtcp_ip) = theirs.rtcp.unwrap_or((theirs.port.saturating_add(1), None));
    Ok(Stream {
        remote_rtcp: SocketAddr::new(rtcp_ip.map_or(ip, |ip| ip.to_canonical()), rtcp_port),
        opus: opus::read(theirs.parameters_of(payload_type)),
        direction: direction::left_by(theirs),
        packet_time: packet_time::asked_by(theirs),
        audio_level: theirs.web.audio_level(),
        ..Stream::plain(SocketAddr::new(ip, theirs.port), codec, payload_type)
    })
}

fn muxed(stream: Stream, rtcp_mux: bool) -> Stream {
    match rtcp_mux {
        true => Stream { rtcp_mux, remote_rtcp: stream.remote, ..stream },
        false => stream,
    }
}
