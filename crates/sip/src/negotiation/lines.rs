//! The media lines that we write: our line of audio, and the refusals of others.

use super::formats::{map_of, parameters_of};
use super::packet_time::OURS_MS;
use crate::sdp::{Crypto, Media};
use media_api::{Direction, Opus, Payload};
use std::net::SocketAddr;

pub(super) const PLAIN_RTP: &str = "RTP/AVP";

/// Our line of audio, with these formats in this order, Opus to be sent to us so.
pub(super) fn audio(
    local: SocketAddr,
    (formats, opus): (&[(u8, Payload)], &Opus),
    direction: Direction,
    rtcp_mux: bool,
    (protocol, crypto): (String, Vec<Crypto>),
) -> Media {
    let numbers = formats.iter().map(|(number, _)| number.to_string()).collect();
    let parameters = |(number, payload): &(u8, Payload)| Some((*number, parameters_of(*payload, opus)?));
    Media {
        address: Some(local.ip()),
        direction,
        maps: formats.iter().map(|(number, payload)| map_of(*number, *payload)).collect(),
        parameters: formats.iter().filter_map(parameters).collect(),
        packet_time_ms: Some(OURS_MS),
        rtcp_mux,
        mentions_crypto: !crypto.is_empty(),
        crypto,
        ..Media::new("audio".to_owned(), local.port(), protocol, numbers)
    }
}

/// The answer to a line that we do not take (RFC 3264 §6): its kind, protocol and formats with port 0.
pub(super) fn refused(offered: Media) -> Media {
    Media { direction: Direction::Inactive, ..Media::new(offered.kind, 0, offered.protocol, offered.formats) }
}
