//! What protects a party's media: the suites of SRTP, and the keys that were agreed.

use crate::Handshake;
use std::fmt;
use zeroize::Zeroizing;

/// The longest master key with its salt: 32 and 14 bytes.
const MASTER_MAX: usize = 46;

/// How SRTP encrypts and authenticates, by the names of SDES (RFC 4568 §6.2, RFC 6188 §4, RFC 7714 §14).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Suite {
    /// AES-CM of 128 bits with tags of 80 bits: what everybody has (RFC 3711).
    AesCm128HmacSha1Tag80,
    /// The same with tags of 32 bits on RTP; on RTCP they keep 80.
    AesCm128HmacSha1Tag32,
    /// AES-CM of 256 bits with tags of 80 bits.
    AesCm256HmacSha1Tag80,
    /// AES-CM of 256 bits with tags of 32 bits on RTP.
    AesCm256HmacSha1Tag32,
    /// AES-GCM of 128 bits.
    AesGcm128,
    /// AES-GCM of 256 bits.
    AesGcm256,
}

impl Suite {
    /// All of them.
    pub const ALL: [Suite; 6] = [
        Suite::AesCm128HmacSha1Tag80,
        Suite::AesGcm128,
        Suite::AesGcm256,
        Suite::AesCm256HmacSha1Tag80,
        Suite::AesCm128HmacSha1Tag32,
        Suite::AesCm256HmacSha1Tag32,
    ];

    /// The name in `a=crypto`, and in facts.
    pub const fn name(self) -> &'static str {
        match self {
            Suite::AesCm128HmacSha1Tag80 => "AES_CM_128_HMAC_SHA1_80",
            Suite::AesCm128HmacSha1Tag32 => "AES_CM_128_HMAC_SHA1_32",
            Suite::AesCm256HmacSha1Tag80 => "AES_256_CM_HMAC_SHA1_80",
            Suite::AesCm256HmacSha1Tag32 => "AES_256_CM_HMAC_SHA1_32",
            Suite::AesGcm128 => "AEAD_AES_128_GCM",
            Suite::AesGcm256 => "AEAD_AES_256_GCM",
        }
    }

    /// The suite of this name, in whatever case.
    pub fn named(name: &str) -> Option<Suite> {
        Suite::ALL.into_iter().find(|suite| suite.name().eq_ignore_ascii_case(name))
    }

    /// Bytes of the master key.
    pub const fn key_length(self) -> usize {
        match self {
            Suite::AesCm128HmacSha1Tag80 | Suite::AesCm128HmacSha1Tag32 | Suite::AesGcm128 => 16,
            Suite::AesCm256HmacSha1Tag80 | Suite::AesCm256HmacSha1Tag32 | Suite::AesGcm256 => 32,
        }
    }

    /// Bytes of the master salt.
    pub const fn salt_length(self) -> usize {
        match self {
            Suite::AesGcm128 | Suite::AesGcm256 => 12,
            _ => 14,
        }
    }

    /// Bytes of both.
    pub const fn master_length(self) -> usize {
        self.key_length() + self.salt_length()
    }
}

/// A master key with its salt behind it. It is not printed, and is wiped when it is no longer used.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey {
    suite: Suite,
    bytes: Zeroizing<[u8; MASTER_MAX]>,
}

impl MasterKey {
    /// The key in these bytes, salt last; nothing if they are not as many as the suite has.
    pub fn from_bytes(suite: Suite, bytes: &[u8]) -> Option<MasterKey> {
        let mut key = MasterKey { suite, bytes: Zeroizing::new([0; MASTER_MAX]) };
        let place = key.bytes.get_mut(..suite.master_length())?;
        (place.len() == bytes.len()).then(|| place.copy_from_slice(bytes))?;
        Some(key)
    }

    /// What it is a key of.
    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// Key and salt, as `inline:` carries them.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.suite.master_length()).unwrap_or(&[])
    }

    /// The key alone.
    pub fn key(&self) -> &[u8] {
        self.bytes.get(..self.suite.key_length()).unwrap_or(&[])
    }

    /// The salt alone.
    pub fn salt(&self) -> &[u8] {
        self.bytes.get(self.suite.key_length()..self.suite.master_length()).unwrap_or(&[])
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({}, ..)", self.suite.name())
    }
}

/// The name of a master key in every packet (MKI, RFC 3711 §3.1), as its sender announced it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyName {
    value: u32,
    length: u8,
}

impl KeyName {
    /// A number written in so many bytes, 1 to 4; nothing if it does not fit. Longer ones are nobody's.
    pub fn new(value: u32, length: u8) -> Option<KeyName> {
        let fits = (1..=4).contains(&length) && (length == 4 || value >> (8 * u32::from(length)) == 0);
        fits.then_some(KeyName { value, length })
    }

    /// How it stands in a packet: the last bytes of these four.
    pub fn to_bytes(self) -> [u8; 4] {
        self.value.to_be_bytes()
    }

    /// How many bytes it takes.
    pub fn length(self) -> usize {
        usize::from(self.length)
    }
}

/// How keys were agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyExchange {
    /// Written into offer and answer (RFC 4568).
    Sdes,
    /// By a handshake on the media's own path (RFC 5763).
    Dtls,
}

/// Who made the offer by which they were agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offerer {
    /// Cornetta.
    Us,
    /// The peer.
    Peer,
}

/// What may be told of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyTerms {
    /// What they are of.
    pub suite: Suite,
    /// How they were agreed.
    pub exchange: KeyExchange,
    /// By whose offer.
    pub offerer: Offerer,
}

/// What both sides know of a secured stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// How we encrypt.
    pub ours: MasterKey,
    /// How the peer does, by the same suite.
    pub theirs: MasterKey,
    /// The name that the peer puts into its packets, if it announced one.
    pub their_name: Option<KeyName>,
    /// How they were agreed.
    pub exchange: KeyExchange,
    /// By whose offer.
    pub offerer: Offerer,
}

impl Keys {
    /// What may be told of them.
    pub fn terms(&self) -> KeyTerms {
        KeyTerms { suite: self.ours.suite(), exchange: self.exchange, offerer: self.offerer }
    }
}

/// What protects a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Security {
    /// Nothing.
    #[default]
    Plain,
    /// SRTP by these keys: nothing else is sent, and nothing else believed.
    Keyed(Box<Keys>),
    /// SRTP by keys that a handshake is still to give: until then nothing is sent, and nothing believed.
    Handshake(Box<Handshake>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_the_length_of_its_suite_and_is_not_printed() {
        for suite in Suite::ALL {
            assert_eq!(Suite::named(suite.name()), Some(suite));
            let bytes: Vec<u8> = (0..suite.master_length() as u8).map(|n| n + 100).collect();
            let key = MasterKey::from_bytes(suite, &bytes).unwrap();
            assert_eq!([key.key(), key.salt()].concat(), bytes);
            assert_eq!(key.as_bytes(), bytes);
            assert_eq!(MasterKey::from_bytes(suite, &bytes[1..]), None);
            assert!(!format!("{key:?}").contains("10"), "{key:?}");
        }
        assert_eq!(MasterKey::from_bytes(Suite::AesGcm256, &[0; 50]), None);
    }

    #[test]
    fn a_name_fits_its_bytes() {
        assert_eq!(KeyName::new(256, 1), None);
        assert_eq!(KeyName::new(255, 1).map(KeyName::to_bytes), Some([0, 0, 0, 255]));
        assert!(KeyName::new(u32::MAX, 4).is_some());
        assert_eq!(KeyName::new(1, 0), None);
        assert_eq!(KeyName::new(1, 5), None);
    }
}
