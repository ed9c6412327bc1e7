//! The writer. It writes CR LF, every line in the order of RFC 8866 §9, and nothing that was not given.

use super::{Media, Sdp, direction_word};
use std::fmt::Write as _;
use std::net::IpAddr;

/// Who describes the session (RFC 8866 §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The same as long as the session lives.
    pub session: u64,
    /// Rises by one with each change.
    pub version: u64,
    /// An address of the writer; it stays the same even if the connection moves.
    pub address: IpAddr,
}

/// The text of a description whose session-wide connection address is `connection`. Media lines with that
/// address have no connection line of their own.
pub fn write(origin: &Origin, connection: IpAddr, sdp: &Sdp) -> String {
    let mut text = String::with_capacity(400);
    let (origin_address, connection_address) = (Address(origin.address), Address(connection));
    // Writing into a string cannot fail.
    let _ = write!(
        text,
        "v=0\r\no=- {} {} {origin_address}\r\ns=-\r\nc={connection_address}\r\nt=0 0\r\n",
        origin.session, origin.version
    );
    if !sdp.bundle.is_empty() {
        let _ = write!(text, "a=group:BUNDLE {}\r\n", sdp.bundle.join(" "));
    }
    if sdp.ice_lite {
        text.push_str("a=ice-lite\r\n");
    }
    for media in &sdp.media {
        push_media(&mut text, media, connection);
    }
    text
}

fn push_media(text: &mut String, media: &Media, session_address: IpAddr) {
    let _ = write!(text, "m={} {} {}", media.kind, media.port, media.protocol);
    for format in &media.formats {
        let _ = write!(text, " {format}");
    }
    text.push_str("\r\n");
    if let Some(address) = media.address.filter(|address| *address != session_address) {
        let _ = write!(text, "c={}\r\n", Address(address));
    }
    if media.port == 0 {
        return;
    }
    for map in &media.maps {
        let _ = write!(text, "a=rtpmap:{} {}/{}", map.payload_type, map.encoding, map.clock);
        if map.channels != 1 {
            let _ = write!(text, "/{}", map.channels);
        }
        text.push_str("\r\n");
    }
    for (payload_type, parameters) in &media.parameters {
        let _ = write!(text, "a=fmtp:{payload_type} {parameters}\r\n");
    }
    if let Some(ms) = media.packet_time_ms {
        let _ = write!(text, "a=ptime:{ms}\r\n");
    }
    if let Some(ms) = media.packet_time_max_ms {
        let _ = write!(text, "a=maxptime:{ms}\r\n");
    }
    if let Some((port, address)) = media.rtcp {
        let _ = write!(text, "a=rtcp:{port}");
        if let Some(address) = address {
            let _ = write!(text, " {}", Address(address));
        }
        text.push_str("\r\n");
    }
    media.web.push_to(text);
    if media.rtcp_mux {
        text.push_str("a=rtcp-mux\r\n");
    }
    for crypto in &media.crypto {
        let _ = write!(text, "a=crypto:{}\r\n", crypto.to_text());
    }
    let _ = write!(text, "a={}\r\n", direction_word(media.direction));
}

struct Address(IpAddr);

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            IpAddr::V4(address) => write!(f, "IN IP4 {address}"),
            IpAddr::V6(address) => write!(f, "IN IP6 {address}"),
        }
    }
}
