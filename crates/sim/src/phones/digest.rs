//! The phones' own answer to a challenge (RFC 7616).

use super::text::Message;
use md5::Md5;
use sha2::{Digest, Sha256};

/// The value of Authorization for a 401; the last algorithm if `weak`, else the first that is offered.
pub(crate) fn authorization(
    refusal: &Message<'_>,
    (user, password): (&str, &str),
    (method, uri): (&str, &str),
    cnonce: &str,
    weak: bool,
) -> Option<String> {
    let offered: Vec<&str> = refusal.headers("WWW-Authenticate").collect();
    let challenge = if weak { *offered.last()? } else { *offered.first()? };
    let (realm, nonce) = (quoted(challenge, "realm")?, quoted(challenge, "nonce")?);
    let strong = challenge.contains("SHA-256");
    let hash = if strong { hex::<Sha256> } else { hex::<Md5> };
    let secret = hash(&format!("{user}:{realm}:{password}"));
    let asked = hash(&format!("{method}:{uri}"));
    let response = hash(&format!("{secret}:{nonce}:00000001:{cnonce}:auth:{asked}"));
    let algorithm = if strong { "SHA-256" } else { "MD5" };
    Some(format!(
        "Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", \
         response=\"{response}\", algorithm={algorithm}, cnonce=\"{cnonce}\", qop=auth, nc=00000001"
    ))
}

fn quoted<'a>(challenge: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = challenge.split_once(&format!("{name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}

fn hex<D: Digest>(text: &str) -> String {
    use std::fmt::Write as _;
    let mut written = String::new();
    for byte in D::digest(text.as_bytes()).iter() {
        // A String takes whatever is written into it.
        let _ = write!(written, "{byte:02x}");
    }
    written
}
