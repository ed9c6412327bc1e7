//! The address that is asked: the look-up's, with what is given in its places.

use hyper::Uri;
use std::fmt::Write;

/// Puts what is given in the places of `{NAME}`, percent-encoded (RFC 3986 §2.1). Nothing if a brace is
/// not closed, or a value would lead elsewhere in the service: `.` and `..` are steps in a path, however they are written (§3.3).
pub(crate) fn fill(url: &str, takes: &[String], with: &[String]) -> Option<String> {
    let mut filled = String::with_capacity(url.len() + 32);
    let mut rest = url;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let (name, after) = after.split_once('}')?;
        let given = takes.iter().zip(with).find_map(|(known, value)| (known == name).then_some(value))?;
        if matches!(given.as_str(), "." | "..") {
            return None;
        }
        encode(&mut filled, given);
        rest = after;
    }
    filled.push_str(rest);
    Some(filled)
}

/// All but the unreserved marks (RFC 3986 §2.3).
fn encode(filled: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                filled.push(char::from(byte))
            }
            _ => drop(write!(filled, "%{byte:02X}")),
        }
    }
}

/// Where a URL leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) secure: bool,
    /// As it is written; an IPv6 address in brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Host, and port if it is written.
    pub(crate) authority: String,
    /// Path and query.
    pub(crate) path: String,
}

impl Target {
    /// Reads a URL that is filled.
    pub(crate) fn parse(url: &str) -> Result<Target, String> {
        // No message of the parser: it might hold what is given.
        let uri: Uri = url.parse().map_err(|_| "the address is none".to_owned())?;
        let secure = uri.scheme_str() == Some("https");
        let authority = uri.authority().ok_or("the address names no host")?;
        if authority.as_str().contains('@') {
            return Err("the address holds a name or password".to_owned());
        }
        let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let path = if path.starts_with('/') { path } else { format!("/{path}") };
        Ok(Target { secure, host: authority.host().to_owned(), port, authority: authority.to_string(), path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn filled(value: &str) -> Option<String> {
        fill("http://h:1/c/{n}/x?q={n}&k=v", &["n".to_owned()], &[value.to_owned()])
    }

    #[test]
    fn what_is_given_stands_encoded_in_its_places() {
        for (value, path) in [
            ("1234", Some("/c/1234/x?q=1234&k=v")),
            ("+39 06", Some("/c/%2B39%2006/x?q=%2B39%2006&k=v")),
            ("a/../b?c#d", Some("/c/a%2F..%2Fb%3Fc%23d/x?q=a%2F..%2Fb%3Fc%23d&k=v")),
            ("{n}", Some("/c/%7Bn%7D/x?q=%7Bn%7D&k=v")),
            ("è\r\n", Some("/c/%C3%A8%0D%0A/x?q=%C3%A8%0D%0A&k=v")),
            ("", Some("/c//x?q=&k=v")),
            ("..", None),
            (".", None),
        ] {
            let url = filled(value);
            let target = url.map(|url| Target::parse(&url).unwrap());
            assert_eq!(target.as_ref().map(|target| target.path.as_str()), path, "{value:?}");
            assert!(target.is_none_or(|target| target.host == "h" && target.port == 1));
        }
    }

    #[test]
    fn hosts_ports_and_paths_are_read() {
        for (url, secure, host, port, path) in [
            ("http://a.example", false, "a.example", 80, "/"),
            ("https://a.example/x", true, "a.example", 443, "/x"),
            ("https://[::1]:8443/x?y", true, "[::1]", 8443, "/x?y"),
            ("http://10.0.0.1?y=1", false, "10.0.0.1", 80, "/?y=1"),
        ] {
            let target = Target::parse(url).unwrap();
            assert_eq!((target.secure, target.host.as_str(), target.port), (secure, host, port), "{url}");
            assert_eq!(target.path, path, "{url}");
        }
        for url in ["http://", "http://a:b@c/", "http:///x", "http://a b/", "/x"] {
            assert!(Target::parse(url).is_err(), "{url}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_caller_gives_the_host_and_the_path_before_it_stay(value in ".{0,40}") {
            if let Some(url) = filled(&value) {
                let target = Target::parse(&url).unwrap();
                prop_assert_eq!(target.authority, "h:1");
                prop_assert!(target.path.starts_with("/c/") && target.path.ends_with("&k=v"));
                prop_assert_eq!(target.path.matches('/').count(), 3);
            }
        }
    }
}
