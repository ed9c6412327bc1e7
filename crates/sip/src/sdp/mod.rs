//! Session descriptions (RFC 8866), as far as one line of audio needs them: a tolerant reader and an exact
//! writer.

mod crypto;
mod fingerprint;
mod ice;
mod payload_types;
mod read;
mod web;
mod write;

use media_api::Direction;
use std::net::IpAddr;

pub use crypto::Crypto;
pub use fingerprint::Setup;
pub use ice::{Candidate, CandidateKind};
pub use read::SdpError;
pub use web::{AUDIO_LEVEL, MIXER_LEVEL, Web};
pub use write::{Origin, write};

/// What a session description says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sdp {
    /// Its media lines, in order. Answers have one for each of an offer's.
    pub media: Vec<Media>,
    /// The names of the lines that share one way (`a=group:BUNDLE`, RFC 9143); none if there is no such group.
    pub bundle: Vec<String>,
    /// `a=ice-lite`: the writer is found and does not look (RFC 8839 §5.3).
    pub ice_lite: bool,
}

/// One media line with what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// `audio`, `video` and so on.
    pub kind: String,
    /// The RTP port; 0 refuses the line.
    pub port: u16,
    /// `RTP/AVP` and so on.
    pub protocol: String,
    /// Payload types, or whatever the protocol has in their place, best first, as written.
    pub formats: Vec<String>,
    /// The address: that of the line, or else of the session. Nothing if there is none, or it is a name.
    pub address: Option<IpAddr>,
    /// Seen from the side that wrote the description. `sendrecv` if nothing is said.
    pub direction: Direction,
    /// What `a=rtpmap` says.
    pub maps: Vec<RtpMap>,
    /// What `a=fmtp` says: the format, and its parameters as written.
    pub parameters: Vec<(u8, String)>,
    /// `a=ptime` in milliseconds.
    pub packet_time_ms: Option<u16>,
    /// `a=maxptime` in milliseconds.
    pub packet_time_max_ms: Option<u16>,
    /// `a=rtcp` (RFC 3605): a port, and the address if it is another one than RTP's.
    pub rtcp: Option<(u16, Option<IpAddr>)>,
    /// `a=rtcp-mux` (RFC 5761): RTCP by the port of RTP.
    pub rtcp_mux: bool,
    /// What `a=crypto` offers or takes, as far as we can do it.
    pub crypto: Vec<Crypto>,
    /// There is an `a=crypto`, of whatever kind.
    pub mentions_crypto: bool,
    /// The words of browsers.
    pub web: Web,
}

/// What a payload type stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RtpMap {
    /// 0 to 127.
    pub payload_type: u8,
    /// The encoding's name, as written; compare it in whatever case.
    pub encoding: String,
    /// Ticks a second.
    pub clock: u32,
    /// Channels; 1 if nothing is said.
    pub channels: u8,
}

impl Media {
    /// A line that says nothing but its first.
    pub fn new(kind: String, port: u16, protocol: String, formats: Vec<String>) -> Media {
        Media {
            kind,
            port,
            protocol,
            formats,
            address: None,
            direction: Direction::SendRecv,
            maps: Vec::new(),
            parameters: Vec::new(),
            packet_time_ms: None,
            packet_time_max_ms: None,
            rtcp: None,
            rtcp_mux: false,
            crypto: Vec::new(),
            mentions_crypto: false,
            web: Web::default(),
        }
    }

    /// Whether it is audio over SRTP, by whatever exchange of keys (RFC 3711, RFC 5124, RFC 5764).
    pub fn is_encrypted_audio(&self) -> bool {
        self.kind == "audio" && self.port != 0 && self.protocol.contains("RTP/SAVP")
    }

    /// The payload types of the line, best first.
    pub fn payload_types(&self) -> impl Iterator<Item = u8> {
        self.formats.iter().filter_map(|format| format.parse().ok()).filter(|number| *number < 128)
    }

    /// The encoding, clock and channels of a payload type: by its `rtpmap`, or for a static one without it by RFC 3551 §6.
    pub fn encoding_of(&self, payload_type: u8) -> Option<(&str, u32, u8)> {
        match self.maps.iter().find(|map| map.payload_type == payload_type) {
            Some(map) => Some((&map.encoding, map.clock, map.channels)),
            None => payload_types::fixed(payload_type),
        }
    }

    /// The parameters of a payload type.
    pub fn parameters_of(&self, payload_type: u8) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| *known == payload_type).map(|(_, text)| text.as_str())
    }

    /// Whether the line asks us to send nothing by its address (RFC 2543's hold): `0.0.0.0` or `::`. Where a side is found
    /// by ICE that means that its ways are told later (RFC 8840 §4.1.1).
    pub fn is_held_by_address(&self) -> bool {
        let is_nowhere = self.address.is_some_and(|address| address.is_unspecified());
        is_nowhere && self.web.ice_ufrag.is_none()
    }
}

/// How `a=` writes a direction.
pub(crate) fn direction_word(direction: Direction) -> &'static str {
    match direction {
        Direction::SendRecv => "sendrecv",
        Direction::SendOnly => "sendonly",
        Direction::RecvOnly => "recvonly",
        Direction::Inactive => "inactive",
    }
}
