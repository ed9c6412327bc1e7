//! A place as people write it: a host, and a port and transport if they are known.

use crate::message::host_and_port;
use crate::ua::Transport;
use crate::uri::{self, Scheme, Uri};
use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// Where a SIP server is said to be. What is left open is found by asking name servers (RFC 3263 §4).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The host.
    pub host: Host,
    /// The port, if it is given: then nobody is asked for SRV.
    pub port: Option<u16>,
    /// The transport, if it is given: then nobody is asked for NAPTR.
    pub transport: Option<Transport>,
    /// Nothing but TLS will do (`sips:`).
    pub secure: bool,
}

/// A machine or a domain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// In lower case, without a dot at the end.
    Name(String),
    /// Needs no look-up.
    Address(IpAddr),
}

/// Why text is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceError {
    /// What stands before the first colon is no transport.
    Transport,
    /// The host is neither a name nor an address, or the port no number from 1 to 65535.
    Host,
}

impl fmt::Display for PlaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PlaceError::Transport => "the transport is none of udp, tcp, tls, ws, wss and sips",
            PlaceError::Host => "the host is no name and no address, or the port no number up to 65535",
        })
    }
}

impl std::error::Error for PlaceError {}

impl Place {
    /// Reads `sip.example.com`, `udp:sip.example.com`, `tls:192.0.2.1:5061`, `[2001:db8::1]:5060` or
    /// `sips:example.com`.
    ///
    /// # Errors
    /// Says which part is wrong.
    pub fn parse(text: &str) -> Result<Place, PlaceError> {
        if let Ok(ip) = text.parse::<IpAddr>() {
            return Ok(Place::at(ip, None, None));
        }
        let (transport, secure, rest) = match text.split_once(':') {
            Some((word, rest)) if word.eq_ignore_ascii_case("sips") => (None, true, rest),
            Some((word, rest)) if word.chars().all(|letter| letter.is_ascii_alphabetic()) => {
                match Transport::by_name(word) {
                    Some(transport) => (Some(transport), false, rest),
                    // `host:5060` has a number after the colon, and only one colon.
                    None if rest.parse::<u16>().is_ok() => (None, false, text),
                    None => return Err(PlaceError::Transport),
                }
            }
            _ => (None, false, text),
        };
        if let Ok(ip) = rest.parse::<IpAddr>() {
            return Ok(Place { secure, ..Place::at(ip, None, transport) });
        }
        let (host, port) = host_and_port(rest).ok_or(PlaceError::Host)?;
        if port == Some(0) {
            return Err(PlaceError::Host);
        }
        let host = host_of(host).ok_or(PlaceError::Host)?;
        Ok(Place { host, port, transport, secure })
    }

    /// The place that a SIP or SIPS URI points at. Nothing for other URIs, and for hosts and transports
    /// that cannot be. `maddr` is not followed: it would let anybody aim our requests at a third party.
    pub fn of_uri(uri: &Uri<'_>) -> Option<Place> {
        let secure = match uri.scheme() {
            Scheme::Sip => false,
            Scheme::Sips => true,
            Scheme::Tel | Scheme::Other => return None,
        };
        let transport = match uri.param("transport") {
            None => None,
            Some(name) => Some(match (Transport::by_name(name)?, secure) {
                (Transport::Tcp, true) => Transport::Tls,
                (Transport::Ws, true) => Transport::Wss,
                (Transport::Udp, true) => return None,
                (transport, _) => transport,
            }),
        };
        let host = match uri.host()? {
            uri::Host::Name(name) => host_of(name)?,
            uri::Host::V4(ip) => Host::Address(ip.into()),
            uri::Host::V6(ip) => Host::Address(ip.into()),
        };
        Some(Place { host, port: uri.port().filter(|port| *port != 0), transport, secure })
    }

    /// Whether one of these sockets could lead there.
    pub fn is_reachable_from(&self, listen: &[(Transport, SocketAddr)]) -> bool {
        listen.iter().any(|(transport, local)| {
            let by_this = self.transport.is_none_or(|wanted| wanted == *transport)
                && (!self.secure || transport.is_secure());
            by_this && !matches!(self.host, Host::Address(ip) if ip.is_ipv4() != local.is_ipv4())
        })
    }

    /// The place of an address.
    pub fn at(ip: IpAddr, port: Option<u16>, transport: Option<Transport>) -> Place {
        Place { host: Host::Address(ip), port, transport, secure: false }
    }

    /// The host as it is written in a URI.
    pub fn host_in_uri(&self) -> String {
        match &self.host {
            Host::Name(name) => name.clone(),
            Host::Address(IpAddr::V4(ip)) => ip.to_string(),
            Host::Address(IpAddr::V6(ip)) => format!("[{ip}]"),
        }
    }

    /// The host, and the port if one is given, as they are written in a URI.
    pub fn in_uri(&self) -> String {
        match (&self.host, self.port) {
            (Host::Address(ip), Some(port)) => SocketAddr::new(*ip, port).to_string(),
            (_, Some(port)) => format!("{}:{port}", self.host_in_uri()),
            (_, None) => self.host_in_uri(),
        }
    }
}

/// As [`Place::parse`] reads it.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.transport, self.secure) {
            (Some(transport), _) => write!(f, "{}:", transport.name())?,
            (None, true) => f.write_str("sips:")?,
            (None, false) => {}
        }
        f.write_str(&self.in_uri())
    }
}

fn host_of(text: &str) -> Option<Host> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    if let Some(bare) = bare {
        return bare.parse().ok().map(Host::Address);
    }
    if let Ok(ip) = text.parse() {
        return Some(Host::Address(ip));
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    is_name(name).then(|| Host::Name(name.to_ascii_lowercase()))
}

/// A name that name servers could know (RFC 1035 §2.3.4, with the underscore of RFC 2782).
fn is_name(name: &str) -> bool {
    let fits = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    let top = name.rsplit('.').next().unwrap_or("");
    // What ends in a number is an address that was written wrong.
    name.len() <= 253 && name.split('.').all(fits) && !top.bytes().all(|byte| byte.is_ascii_digit())
}
