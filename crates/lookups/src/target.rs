//! The address that is asked: the look-up's, with what is given in its places.

use hyper::Uri;
use std::fmt::Write;

/// Puts what is given in the places of `{NAME}`, percent-encoded (RFC 3986 §2.1). Nothing if a brace is
/// not closed.
pub(crate) fn fill(url: &str, takes: &[String], with: &[String]) -> Option<String> {
    fill_by(encode, url, takes, with)
}

/// Whether what is given would lead elsewhere in the service: `.` and `..` are steps in a path however they are
/// written (RFC 3986 §5.2.4), and some servers decode slashes before they take them. In a query they are a text.
pub(crate) fn leads_elsewhere(url: &str, takes: &[String], with: &[String]) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let with_places = path.split('/').filter(|segment| segment.contains('{'));
    let mut filled = with_places.filter_map(|segment| fill_by(String::push_str, segment, takes, with));
    filled.any(|segment| segment.split(['/', '\\']).any(|part| matches!(part, "." | "..")))
}

fn fill_by(
    write: impl Fn(&mut String, &str),
    text: &str,
    takes: &[String],
    with: &[String],
) -> Option<String> {
    let mut filled = String::with_capacity(text.len() + 32);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let (name, after) = after.split_once('}')?;
        let given = takes.iter().zip(with).find_map(|(known, value)| (known == name).then_some(value))?;
        write(&mut filled, given);
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

    const URL: &str = "http://h:1/c/{n}/x?q={n}&k=v";

    fn filled(value: &str) -> String {
        fill(URL, &["n".to_owned()], &[value.to_owned()]).unwrap()
    }

    #[test]
    fn what_is_given_stands_encoded_in_its_places() {
        for (value, path) in [
            ("1234", "/c/1234/x?q=1234&k=v"),
            ("+39 06", "/c/%2B39%2006/x?q=%2B39%2006&k=v"),
            ("a/b?c#d", "/c/a%2Fb%3Fc%23d/x?q=a%2Fb%3Fc%23d&k=v"),
            ("{n}", "/c/%7Bn%7D/x?q=%7Bn%7D&k=v"),
            ("è\r\n", "/c/%C3%A8%0D%0A/x?q=%C3%A8%0D%0A&k=v"),
            ("", "/c//x?q=&k=v"),
        ] {
            let target = Target::parse(&filled(value)).unwrap();
            assert_eq!(target.path, path, "{value:?}");
            assert_eq!((target.host.as_str(), target.port), ("h", 1));
        }
    }

    #[test]
    fn a_step_in_a_path_leads_elsewhere_and_a_dot_in_a_word_does_not() {
        let takes = ["n".to_owned(), "m".to_owned()];
        let leads = |url: &str, value: &str| leads_elsewhere(url, &takes, &[value.to_owned(), String::new()]);
        for value in [".", "..", "../x", "a/../../b", "a/.", "..\\x"] {
            assert!(leads(URL, value), "{value}");
            assert!(!leads("http://h/x?q={n}", value), "{value} in a query");
        }
        for value in ["", "...", "a.b", "1.", "%2e%2e", "{m}..", "a/b"] {
            assert!(!leads(URL, value), "{value}");
        }
        assert!(leads("http://h/{m}.{n}", ".") && leads("http://h/{n}{m}/x", ".."));
        assert!(!leads("http://h/v.{n}", "."), "it is a word with what stands beside it");
        assert!(!leads("http://h/a/../{n}", "1"), "what the administrator has written is meant so");
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
            let target = Target::parse(&filled(&value)).unwrap();
            prop_assert_eq!(target.authority, "h:1");
            prop_assert!(target.path.starts_with("/c/") && target.path.ends_with("&k=v"));
            prop_assert_eq!(target.path.matches('/').count(), 3);
        }
    }
}
