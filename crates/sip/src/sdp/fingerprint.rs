//! Certificates' hashes, and who begins the handshake (RFC 8122, RFC 4145 §4).

use media_api::{CertificateHash, Fingerprint};

/// Who begins the handshake, seen from the side that wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setup {
    /// The writer.
    Active,
    /// The other.
    Passive,
    /// As the other likes: what an offer has to say (RFC 8842 §5.2).
    ActPass,
    /// Nobody for now.
    HoldConn,
}

impl Setup {
    const ALL: [Setup; 4] = [Setup::Active, Setup::Passive, Setup::ActPass, Setup::HoldConn];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Setup::Active => "active",
            Setup::Passive => "passive",
            Setup::ActPass => "actpass",
            Setup::HoldConn => "holdconn",
        }
    }

    pub(super) fn named(word: &str) -> Option<Setup> {
        Setup::ALL.into_iter().find(|setup| setup.word().eq_ignore_ascii_case(word.trim()))
    }
}

/// Reads what follows `a=fingerprint:`. Nothing if it is broken, or of a hash that is no proof.
pub(super) fn fingerprint(value: &str) -> Option<Fingerprint> {
    let (name, pairs) = value.trim().split_once(' ')?;
    let hash = CertificateHash::ALL.into_iter().find(|hash| hash.name().eq_ignore_ascii_case(name))?;
    let mut bytes = Vec::with_capacity(hash.length());
    for pair in pairs.trim().split(':') {
        let is_pair = pair.len() == 2 && pair.bytes().all(|digit| digit.is_ascii_hexdigit());
        if !is_pair || bytes.len() == hash.length() {
            return None;
        }
        bytes.push(u8::from_str_radix(pair, 16).ok()?);
    }
    Fingerprint::new(hash, &bytes)
}
