use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

/// Where a certificate is: what an `x5u` of https says (RFC 7515 §4.1.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// A name in lower case, or an address without brackets.
    pub host: String,
    /// 443 if none is written.
    pub port: u16,
    /// With its query, as in the request line.
    pub path: String,
}

/// A document to be fetched from where a statement says that its certificate is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// The `x5u`, as it is written.
    pub url: String,
    /// The same, read.
    pub location: Location,
    /// Addresses that may be asked although they are nobody's on the Internet: the administrator wrote them.
    pub private: Vec<IpAddr>,
}

/// What came of a [`Fetch`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// The document.
    Document {
        /// See [`crate::certificates_in`].
        bytes: Vec<u8>,
        /// How long it may be used, by its `Cache-Control`.
        max_age: Option<Duration>,
    },
    /// None could be had.
    Failed,
}

/// The longest address that is read.
const LENGTH_MAX: usize = 1024;
const HTTPS: u16 = 443;

impl Location {
    /// Reads `https://HOST[:PORT]/PATH`. Nothing for other schemes, for user names and fragments, and for
    /// whatever is no plain text.
    pub fn read(url: &str) -> Option<Location> {
        let plain = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{}|#".contains(&byte);
        if url.len() > LENGTH_MAX || !url.bytes().all(plain) {
            return None;
        }
        let (scheme, rest) = url.split_once("://")?;
        if !scheme.eq_ignore_ascii_case("https") {
            return None;
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end)?;
        let (host, port) = Location::authority(authority)?;
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Some(Location { host, port, path })
    }

    /// Reads `HOST` or `HOST:PORT`, as in an address or as an administrator writes it.
    pub fn authority(text: &str) -> Option<(String, u16)> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (inside, port) = rest.split_once(']')?;
                inside.parse::<std::net::Ipv6Addr>().ok()?;
                (inside, if port.is_empty() { None } else { Some(port.strip_prefix(':')?) })
            }
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let port = port.map_or(Some(HTTPS), |port| port.parse().ok().filter(|port| *port > 0))?;
        let host = host.to_ascii_lowercase();
        let sound = host.parse::<IpAddr>().is_ok() || is_name(&host);
        sound.then_some((host, port))
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "https://{}:{}{}", self.host, self.port, self.path)
    }
}

/// A host name (RFC 1123 §2.1). What looks like an address is none: the last label has a letter.
fn is_name(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = host.rsplit('.').next().unwrap_or_default();
    let numeric = last.starts_with("0x") || last.bytes().all(|byte| byte.is_ascii_digit());
    host.len() <= 253 && host.split('.').all(label) && !numeric
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_in_one_way_or_not_at_all() {
        let read = |url: &str| Location::read(url).map(|place| (place.host, place.port, place.path));
        let is = |host: &str, port, path: &str| Some((host.to_owned(), port, path.to_owned()));
        for (url, found) in [
            ("https://certs.example.it/a.pem", is("certs.example.it", 443, "/a.pem")),
            ("HTTPS://CERTS.example.IT:8443/A.pem?v=1", is("certs.example.it", 8443, "/A.pem?v=1")),
            ("https://certs.example.it", is("certs.example.it", 443, "/")),
            ("https://certs.example.it?x", is("certs.example.it", 443, "/?x")),
            ("https://[2001:db8::1]:444/x", is("2001:db8::1", 444, "/x")),
            ("https://192.0.2.1/x", is("192.0.2.1", 443, "/x")),
        ] {
            assert_eq!(read(url), found, "{url}");
        }
        for url in [
            "",
            "http://certs.example.it/a.pem",
            "file:///etc/passwd",
            "https:///a.pem",
            "https://user@certs.example.it/a.pem",
            "https://certs.example.it@10.0.0.1/a.pem",
            "https://certs.example.it:0/a.pem",
            "https://certs.example.it:99999/a.pem",
            "https://certs.example.it:/a.pem",
            "https://certs.example.it/a.pem#part",
            "https://certs.example.it/a b",
            "https://certs.example.it/a\r\nHost: other",
            "https://certs.example.it\\@10.0.0.1/",
            "https://2130706433/x",
            "https://0x7f.1/x",
            "https://127.1/x",
            "https://0x7f000001/x",
            "https://[::1/x",
            "https://[::1]x/x",
            "https://[nonsense]/x",
            "https://-a.example/x",
            "https://a..example/x",
        ] {
            assert_eq!(read(url), None, "{url}");
        }
    }
}
