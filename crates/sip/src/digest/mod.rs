//! Digest access authentication (RFC 7616, RFC 8760, RFC 3261 §22), with SHA-256 and MD5.

mod client;
mod server;

pub(crate) use client::by_realm;
pub use client::{Asking, Unanswerable, is_stale, respond};
pub use server::{Denied, NONCE_LIFETIME, Proven, Reason, Verifier};

use crate::message::{Elements, unescaped};
use md5::Md5;
use sha2::Sha256;
use sha2::digest::Digest;
use std::borrow::Cow;

/// The hash of an exchange; the stronger one is the greater one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// What every device can.
    Md5,
    /// RFC 7616 and RFC 8760. Some devices stop at a challenge that has it, even beside MD5.
    Sha256,
}

impl Algorithm {
    /// The one of this name, as challenges write it.
    pub fn from_name(name: &str) -> Option<Algorithm> {
        Algorithm::of(Some(name))
    }

    /// What an `algorithm` parameter names; without one it is MD5.
    fn of(name: Option<&str>) -> Option<Algorithm> {
        match name {
            None => Some(Algorithm::Md5),
            Some(name) if name.eq_ignore_ascii_case("MD5") => Some(Algorithm::Md5),
            Some(name) if name.eq_ignore_ascii_case("SHA-256") => Some(Algorithm::Sha256),
            Some(_) => None,
        }
    }

    /// As challenges write it.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Sha256 => "SHA-256",
        }
    }

    /// The hash of `parts` with colons between them, in hexadecimal.
    fn hash(self, parts: &[&str]) -> String {
        match self {
            Algorithm::Md5 => hash::<Md5>(parts),
            Algorithm::Sha256 => hash::<Sha256>(parts),
        }
    }
}

fn hash<D: Digest>(parts: &[&str]) -> String {
    let mut hasher = D::new();
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            hasher.update(b":");
        }
        hasher.update(part.as_bytes());
    }
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    hasher.finalize().iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// What the response is computed of (RFC 7616 §3.4.1).
struct Proof<'a> {
    algorithm: Algorithm,
    user: &'a str,
    realm: &'a str,
    password: &'a str,
    method: &'a str,
    uri: &'a str,
    nonce: &'a str,
    /// The nonce count and the client's nonce, with `qop=auth`.
    auth: Option<(&'a str, &'a str)>,
}

impl Proof<'_> {
    fn response(&self) -> String {
        let hash = |parts: &[&str]| self.algorithm.hash(parts);
        let secret = hash(&[self.user, self.realm, self.password]);
        let asked = hash(&[self.method, self.uri]);
        match self.auth {
            Some((count, cnonce)) => hash(&[&secret, self.nonce, count, cnonce, "auth", &asked]),
            None => hash(&[&secret, self.nonce, &asked]),
        }
    }
}

/// The parameters of a challenge or of credentials of the Digest scheme.
struct Fields<'a>(&'a str);

impl<'a> Fields<'a> {
    fn of(value: &'a str) -> Option<Fields<'a>> {
        let (scheme, fields) = value.trim().split_once([' ', '\t'])?;
        scheme.eq_ignore_ascii_case("Digest").then_some(Fields(fields))
    }

    /// The value of a parameter, with its escapes if it is quoted.
    fn raw(&self, name: &str) -> Option<&'a str> {
        Elements::of(self.0).find_map(|field| {
            let (known, value) = field.split_once('=')?;
            let value = value.trim();
            known
                .trim()
                .eq_ignore_ascii_case(name)
                .then_some(value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value))
        })
    }

    fn plain(&self, name: &str) -> Option<Cow<'a, str>> {
        self.raw(name).map(unescaped)
    }
}

/// `text` as it stands within quotes.
fn quoted(text: &str) -> Cow<'_, str> {
    match text.contains(['"', '\\']) {
        true => Cow::Owned(text.replace('\\', "\\\\").replace('"', "\\\"")),
        false => Cow::Borrowed(text),
    }
}
