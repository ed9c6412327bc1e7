//! Keys that two sides agree on the media's own path (DTLS-SRTP, RFC 5763), as browsers do, and the names by which they
//! find each other there (ICE, RFC 8445).

use crate::Offerer;
use std::fmt;

/// The hash of a certificate, which the other side told (RFC 8122).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CertificateHash {
    /// SHA-256: what everybody has.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl CertificateHash {
    /// All of them; SHA-1 and older are no proof any more.
    pub const ALL: [CertificateHash; 3] =
        [CertificateHash::Sha256, CertificateHash::Sha384, CertificateHash::Sha512];

    /// The name in `a=fingerprint`.
    pub const fn name(self) -> &'static str {
        match self {
            CertificateHash::Sha256 => "sha-256",
            CertificateHash::Sha384 => "sha-384",
            CertificateHash::Sha512 => "sha-512",
        }
    }

    /// Bytes of the hash.
    pub const fn length(self) -> usize {
        match self {
            CertificateHash::Sha256 => 32,
            CertificateHash::Sha384 => 48,
            CertificateHash::Sha512 => 64,
        }
    }
}

/// The hash of a certificate.
#[derive(Clone, PartialEq, Eq)]
pub struct Fingerprint {
    hash: CertificateHash,
    bytes: Box<[u8]>,
}

impl Fingerprint {
    /// The hash in these bytes; nothing if they are not as many as it has.
    pub fn new(hash: CertificateHash, bytes: &[u8]) -> Option<Fingerprint> {
        (bytes.len() == hash.length()).then(|| Fingerprint { hash, bytes: bytes.into() })
    }

    /// Which hash it is.
    pub fn hash(&self) -> CertificateHash {
        self.hash
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Display for Fingerprint {
    /// As `a=fingerprint` says it: `sha-256 0F:74:…`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parted = " ";
        f.write_str(self.hash.name())?;
        for byte in &self.bytes {
            write!(f, "{parted}{byte:02X}")?;
            parted = ":";
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// By what one side's packets of connectivity checks are known (RFC 8445 §7.2.2). The password is not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct IceCredentials {
    ufrag: String,
    password: String,
}

impl IceCredentials {
    /// Nothing if they are not of 4 to 256 and of 22 to 256 letters, digits, `+` and `/` (RFC 8839 §5.4).
    pub fn new(ufrag: &str, password: &str) -> Option<IceCredentials> {
        let is_ice = |text: &str| {
            text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/')
        };
        let fits = (4..=256).contains(&ufrag.len()) && (22..=256).contains(&password.len());
        (fits && is_ice(ufrag) && is_ice(password))
            .then(|| IceCredentials { ufrag: ufrag.to_owned(), password: password.to_owned() })
    }

    /// The first half of a check's user name.
    pub fn ufrag(&self) -> &str {
        &self.ufrag
    }

    /// What checks are signed with.
    pub fn password(&self) -> &str {
        &self.password
    }
}

impl fmt::Debug for IceCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IceCredentials({}, ..)", self.ufrag)
    }
}

/// What two sides told each other before their handshake. We are ICE-lite (RFC 8445 §2.5): the peer looks for the way; and
/// the peer begins the handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// Our name.
    pub ours: IceCredentials,
    /// The peer's. Others mean an ICE restart.
    pub theirs: IceCredentials,
    /// The peer's certificate has one of these; none else is believed.
    pub fingerprints: Vec<Fingerprint>,
    /// The name of the peer's handshake (RFC 8842): another one asks for another handshake.
    pub tls_id: Option<String>,
    /// By whose offer.
    pub offerer: Offerer,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_has_the_length_of_its_hash_and_is_written_in_pairs() {
        for hash in CertificateHash::ALL {
            let bytes = vec![0xab; hash.length()];
            let written = Fingerprint::new(hash, &bytes).unwrap().to_string();
            assert_eq!(written, format!("{} AB{}", hash.name(), ":AB".repeat(hash.length() - 1)));
            assert_eq!(Fingerprint::new(hash, &bytes[1..]), None);
        }
    }

    #[test]
    fn names_of_ice_are_of_its_characters_and_the_password_is_not_printed() {
        let password = "P2uYro0UCOQ4zxjKXaWCB+/1";
        let names = IceCredentials::new("EsAw", password).unwrap();
        assert_eq!((names.ufrag(), names.password()), ("EsAw", password));
        assert!(!format!("{names:?}").contains(password));
        for (ufrag, password) in
            [("abc", password), ("ab:d", password), ("abcd", "short"), ("abcd", "P2uYro0UCOQ4zxjKXaWCB =")]
        {
            assert_eq!(IceCredentials::new(ufrag, password), None, "{ufrag} {password}");
        }
        assert_eq!(IceCredentials::new(&"a".repeat(257), password), None);
    }
}
