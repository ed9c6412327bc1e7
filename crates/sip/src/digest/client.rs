//! The side that proves who it is.

use super::{Algorithm, Fields, Proof, quoted};
use std::fmt;

/// Who asks for what.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// The method of the request.
    pub method: &'a str,
    /// Its request URI.
    pub uri: &'a str,
    /// The user name.
    pub user: &'a str,
    /// The password.
    pub password: &'a str,
    /// A token that nobody could know before.
    pub cnonce: &'a str,
    /// How often this nonce has been used, this time included: 1, then 2 and so on.
    pub nonce_count: u32,
}

/// Why no challenge can be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswerable {
    /// None is of the Digest scheme with a realm and a nonce.
    NoDigest,
    /// None is for SHA-256 or MD5 with `qop=auth` or without qop.
    Unsupported,
}

impl fmt::Display for Unanswerable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unanswerable::NoDigest => "the peer sent no digest challenge; only digest is supported",
            Unanswerable::Unsupported => "the peer asks for a digest other than SHA-256 or MD5 with qop=auth",
        })
    }
}

impl std::error::Error for Unanswerable {}

struct Challenge<'a> {
    fields: Fields<'a>,
    algorithm: Algorithm,
    realm: &'a str,
    nonce: &'a str,
    auth: bool,
}

/// The value of Authorization (for WWW-Authenticate) or Proxy-Authorization (for Proxy-Authenticate) that
/// answers the strongest of `challenges`, each the value of one header field.
pub fn respond(challenges: &[&str], asking: &Asking<'_>) -> Result<String, Unanswerable> {
    let mut why = Unanswerable::NoDigest;
    let mut best: Option<Challenge<'_>> = None;
    for value in challenges {
        match Challenge::read(value) {
            // Of equals the first is the one that the server likes better.
            Ok(challenge) if best.as_ref().is_none_or(|best| challenge.algorithm > best.algorithm) => {
                best = Some(challenge);
            }
            Ok(_) => {}
            Err(Unanswerable::Unsupported) => why = Unanswerable::Unsupported,
            Err(Unanswerable::NoDigest) => {}
        }
    }
    Ok(best.ok_or(why)?.answer(asking))
}

/// Whether a challenge says that only its nonce was too old: the password was right (RFC 7616 §3.3).
pub fn is_stale(challenges: &[&str]) -> bool {
    challenges
        .iter()
        .filter_map(|value| Fields::of(value)?.raw("stale"))
        .any(|stale| stale.eq_ignore_ascii_case("true"))
}

/// The challenges of each realm, in the order in which the realms come. Every proxy on the way may have its own
/// (RFC 3261 §22.3).
pub(crate) fn by_realm<'a>(challenges: &[&'a str]) -> Vec<(&'a str, Vec<&'a str>)> {
    let mut realms: Vec<(&str, Vec<&str>)> = Vec::new();
    for challenge in challenges {
        let Some(realm) = Fields::of(challenge).and_then(|fields| fields.raw("realm")) else { continue };
        match realms.iter_mut().find(|(known, _)| *known == realm) {
            Some((_, those)) => those.push(challenge),
            None => realms.push((realm, vec![challenge])),
        }
    }
    realms
}

impl<'a> Challenge<'a> {
    fn read(value: &'a str) -> Result<Challenge<'a>, Unanswerable> {
        let fields = Fields::of(value).ok_or(Unanswerable::NoDigest)?;
        let (Some(realm), Some(nonce)) = (fields.raw("realm"), fields.raw("nonce")) else {
            return Err(Unanswerable::NoDigest);
        };
        let algorithm = Algorithm::of(fields.raw("algorithm")).ok_or(Unanswerable::Unsupported)?;
        let auth = match fields.raw("qop") {
            None => false,
            Some(qop) if qop.split(',').any(|word| word.trim().eq_ignore_ascii_case("auth")) => true,
            Some(_) => return Err(Unanswerable::Unsupported),
        };
        Ok(Challenge { fields, algorithm, realm, nonce, auth })
    }

    fn answer(&self, asking: &Asking<'_>) -> String {
        let Asking { method, uri, user, password, cnonce, nonce_count } = *asking;
        let count = format!("{nonce_count:08x}");
        let (algorithm, realm, nonce) = (self.algorithm, self.realm, self.nonce);
        let auth = self.auth.then_some((count.as_str(), cnonce));
        let response = Proof { algorithm, user, realm, password, method, uri, nonce, auth }.response();
        let user = quoted(user);
        let mut value = format!(
            "Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", response=\"{response}\""
        );
        if self.fields.raw("algorithm").is_some() {
            value.push_str(&format!(", algorithm={}", algorithm.name()));
        }
        if let Some(opaque) = self.fields.raw("opaque") {
            value.push_str(&format!(", opaque=\"{opaque}\""));
        }
        if self.auth {
            value.push_str(&format!(", qop=auth, cnonce=\"{cnonce}\", nc={count}"));
        }
        value
    }
}
