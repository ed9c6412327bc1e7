//! The reader. It passes over what it does not know, and takes LF for CR LF, for a last line without an
//! end, and lines in an odd order. It refuses what would make two readers disagree.

use super::{Crypto, Media, RtpMap, Sdp, Web};
use media_api::Direction;
use std::fmt;
use std::net::IpAddr;

/// Lines of one description.
const LINES_MAX: usize = 512;
/// Media lines of one description.
const MEDIA_MAX: usize = 16;
/// Formats of one media line, and `rtpmap` and `fmtp` of each kind.
const FORMATS_MAX: usize = 64;

/// Keys of one media line.
const CRYPTO_MAX: usize = 16;

/// Why text is no session description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SdpError {
    /// It is not UTF-8.
    NotText,
    /// It does not begin with `v=0`.
    Version,
    /// A line is not `letter=value`.
    Line,
    /// A media line is not `m=kind port protocol formats`.
    Media,
    /// More lines, media lines or formats than anybody needs.
    TooMuch,
}

impl fmt::Display for SdpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SdpError::NotText => "the session description is not UTF-8",
            SdpError::Version => "the session description does not begin with v=0",
            SdpError::Line => "a line of the session description is not letter=value",
            SdpError::Media => "a media line is not m=kind port protocol formats",
            SdpError::TooMuch => "the session description has more lines or formats than the limit",
        })
    }
}

impl std::error::Error for SdpError {}

/// What stands before the first media line holds for all.
#[derive(Default)]
struct Session {
    address: Option<IpAddr>,
    direction: Option<Direction>,
    packet_time_ms: Option<u16>,
    packet_time_max_ms: Option<u16>,
    bundle: Vec<String>,
    ice_lite: bool,
    web: Web,
}

impl Sdp {
    /// Reads a description.
    pub fn parse(bytes: &[u8]) -> Result<Sdp, SdpError> {
        let text = std::str::from_utf8(bytes).map_err(|_| SdpError::NotText)?;
        let mut lines = text.lines().filter(|line| !line.is_empty());
        if lines.next().map(str::trim_end) != Some("v=0") {
            return Err(SdpError::Version);
        }
        let mut session = Session::default();
        let mut media: Vec<Media> = Vec::new();
        for (number, line) in lines.enumerate() {
            if number >= LINES_MAX {
                return Err(SdpError::TooMuch);
            }
            let (kind, value) = split_line(line)?;
            if kind == 'm' {
                if media.len() >= MEDIA_MAX {
                    return Err(SdpError::TooMuch);
                }
                media.push(session.media(value)?);
                continue;
            }
            match (kind, media.last_mut()) {
                ('c', Some(line)) => line.address = connection_address(value),
                ('c', None) => session.address = connection_address(value),
                ('a', Some(line)) => line.read_attribute(value)?,
                ('a', None) => session.read_attribute(value),
                _ => {}
            }
        }
        media.iter_mut().for_each(|line| line.web.inherit(&session.web));
        Ok(Sdp { media, bundle: session.bundle, ice_lite: session.ice_lite })
    }
}

fn split_line(line: &str) -> Result<(char, &str), SdpError> {
    let mut characters = line.chars();
    match (characters.next(), characters.next()) {
        (Some(kind), Some('=')) if kind.is_ascii_alphabetic() => Ok((kind, characters.as_str().trim())),
        _ => Err(SdpError::Line),
    }
}

/// `IN IP4 192.0.2.1`, perhaps with a multicast `/ttl`, which nobody calls with.
fn connection_address(value: &str) -> Option<IpAddr> {
    let mut words = value.split_ascii_whitespace();
    let (network, _family, address) = (words.next()?, words.next()?, words.next()?);
    if !network.eq_ignore_ascii_case("IN") {
        return None;
    }
    // The family word is passed over: RFC 5118 §4.8 shows senders that get it wrong, the address tells.
    address.split('/').next()?.parse().ok()
}

fn direction(word: &str) -> Option<Direction> {
    match word {
        "sendrecv" => Some(Direction::SendRecv),
        "sendonly" => Some(Direction::SendOnly),
        "recvonly" => Some(Direction::RecvOnly),
        "inactive" => Some(Direction::Inactive),
        _ => None,
    }
}

fn packet_time(value: &str) -> Option<u16> {
    // Some write fractions of a millisecond.
    value.trim().split('.').next()?.parse().ok().filter(|ms| *ms > 0)
}

impl Session {
    fn media(&self, value: &str) -> Result<Media, SdpError> {
        let mut words = value.split_ascii_whitespace();
        let (Some(kind), Some(port), Some(protocol)) = (words.next(), words.next(), words.next()) else {
            return Err(SdpError::Media);
        };
        // `port/number` is for layered streams.
        let port = port.split('/').next().unwrap_or("").parse().map_err(|_| SdpError::Media)?;
        let formats: Vec<String> = words.take(FORMATS_MAX + 1).map(str::to_owned).collect();
        match formats.len() {
            0 => Err(SdpError::Media),
            number if number > FORMATS_MAX => Err(SdpError::TooMuch),
            _ => Ok(Media {
                address: self.address,
                direction: self.direction.unwrap_or(Direction::SendRecv),
                packet_time_ms: self.packet_time_ms,
                packet_time_max_ms: self.packet_time_max_ms,
                ..Media::new(kind.to_owned(), port, protocol.to_owned(), formats)
            }),
        }
    }

    fn read_attribute(&mut self, value: &str) {
        match value.split_once(':') {
            Some(("ptime", value)) => self.packet_time_ms = packet_time(value),
            Some(("maxptime", value)) => self.packet_time_max_ms = packet_time(value),
            Some(("group", value)) if self.bundle.is_empty() => {
                self.bundle = bundle(value).unwrap_or_default();
            }
            Some((name, value)) => self.web.read(name, value),
            None if value == "ice-lite" => self.ice_lite = true,
            None => self.direction = direction(value).or(self.direction),
        }
    }
}

impl Media {
    fn read_attribute(&mut self, value: &str) -> Result<(), SdpError> {
        match value.split_once(':') {
            Some(("rtpmap", _)) if self.maps.len() >= FORMATS_MAX => return Err(SdpError::TooMuch),
            Some(("rtpmap", value)) => self.maps.extend(rtp_map(value)),
            Some(("fmtp", _)) if self.parameters.len() >= FORMATS_MAX => return Err(SdpError::TooMuch),
            Some(("fmtp", value)) => self.parameters.extend(format_parameters(value)),
            Some(("ptime", value)) => self.packet_time_ms = packet_time(value).or(self.packet_time_ms),
            Some(("maxptime", value)) => {
                self.packet_time_max_ms = packet_time(value).or(self.packet_time_max_ms);
            }
            Some(("rtcp", value)) => self.rtcp = rtcp(value),
            Some(("crypto", _)) if self.crypto.len() >= CRYPTO_MAX => return Err(SdpError::TooMuch),
            Some(("crypto", value)) => {
                self.crypto.extend(Crypto::parse(value));
                self.mentions_crypto = true;
            }
            Some((name, value)) => self.web.read(name, value),
            None if value == "rtcp-mux" => self.rtcp_mux = true,
            None => {
                self.web.read_flag(value);
                self.direction = direction(value).unwrap_or(self.direction);
            }
        }
        Ok(())
    }
}

/// `BUNDLE audio video`: the names of the first such group.
fn bundle(value: &str) -> Option<Vec<String>> {
    let mut words = value.split_ascii_whitespace();
    let is_bundle = words.next() == Some("BUNDLE");
    is_bundle.then(|| words.take(MEDIA_MAX).map(str::to_owned).collect())
}

/// `8 PCMA/8000/1`.
fn rtp_map(value: &str) -> Option<RtpMap> {
    let (number, encoding) = value.trim().split_once([' ', '\t'])?;
    let mut parts = encoding.trim().split('/');
    Some(RtpMap {
        payload_type: number.parse().ok().filter(|number| *number < 128)?,
        encoding: parts.next().filter(|name| !name.is_empty())?.to_owned(),
        clock: parts.next()?.parse().ok()?,
        channels: parts.next().map_or(Some(1), |channels| channels.parse().ok())?,
    })
}

/// `101 0-16`.
fn format_parameters(value: &str) -> Option<(u8, String)> {
    let (number, text) = value.trim().split_once([' ', '\t'])?;
    Some((number.parse().ok()?, text.trim().to_owned()))
}

/// `53020` or `53020 IN IP4 192.0.2.1` (RFC 3605 §2.1).
fn rtcp(value: &str) -> Option<(u16, Option<IpAddr>)> {
    let value = value.trim();
    let (port, address) = value.split_once(' ').unwrap_or((value, ""));
    Some((port.parse().ok().filter(|port| *port != 0)?, connection_address(address)))
}
