//! URIs that reach one device of an account, wherever it is (GRUUs, RFC 5627): how they are written and read.
//!
//! The public one is the account's address with the device's lasting name in `gr`. A temporary one tells nobody whose it
//! is: its user part is the number of a registration, sealed with a key of ours and a nonce of its own. So nothing is
//! kept for it, two of one device have nothing in common, and it is worth something as long as the registration stands.

use crate::ua::wire::escaped_user;
use crate::uri::{Host, Scheme, Uri, decoded};
use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base::{Rng, Seed};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

/// What the user part of a temporary one begins with.
const TEMPORARY: &str = "tgruu.";
/// The most bytes of a device's name: a UUID's URN has 45.
const INSTANCE_MAX: usize = 128;
/// Bytes of a number, and of the seal behind it.
const NUMBER: usize = 8;
const TAG: usize = 16;

/// One device of an account, whatever its address is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// The account.
    pub user: String,
    /// Its lasting name (RFC 5626 §4.1) as its Contact has it: `<urn:uuid:…>`.
    pub instance: String,
}

/// What a URI with `gr` says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Gruu {
    /// A device of this account, by its name without `<>`.
    Public { user: String, name: String },
    /// The sealed number of a registration.
    Temporary { sealed: String },
}

impl Gruu {
    /// Reads a URI; nothing if it names no device. Whose domain it is of is for others to say.
    pub(crate) fn of(uri: &Uri<'_>) -> Option<Gruu> {
        let name = uri.param("gr").filter(|_| matches!(uri.scheme(), Scheme::Sip | Scheme::Sips))?;
        let user = uri.user_decoded()?;
        if let Some(sealed) = user.strip_prefix(TEMPORARY) {
            return Some(Gruu::Temporary { sealed: sealed.to_owned() });
        }
        let name: Vec<u8> = decoded(name).map(|(octet, _)| octet).collect();
        Some(Gruu::Public { user: user.into_owned(), name: String::from_utf8(name).ok()? })
    }
}

/// Whether a URI is of this domain.
pub(crate) fn is_of(uri: &Uri<'_>, domain: &str) -> bool {
    match (uri.host(), Host::parse(domain)) {
        (Some(Host::Name(one)), Some(Host::Name(two))) => one.eq_ignore_ascii_case(two),
        (one, two) => one.is_some() && one == two,
    }
}

/// The public one of a device; SIPS for a Contact that is (RFC 5630 §5.1.1.2).
pub(crate) fn public(scheme: &str, user: &str, domain: &str, instance: &str) -> String {
    format!("{scheme}:{}@{domain};gr={}", escaped_user(user), escaped_name(name_of(instance)))
}

/// A temporary one, by what [`Seal::close`] gave.
pub(crate) fn temporary(scheme: &str, sealed: &str, domain: &str) -> String {
    format!("{scheme}:{TEMPORARY}{sealed}@{domain};gr")
}

/// Whether a device can be named so.
pub(crate) fn is_name(instance: &str) -> bool {
    let name = name_of(instance);
    name.len() + 2 == instance.len() && (1..=INSTANCE_MAX).contains(&name.len())
}

/// A device's name without `<>`.
pub(crate) fn name_of(instance: &str) -> &str {
    instance.strip_prefix('<').and_then(|name| name.strip_suffix('>')).unwrap_or(instance)
}

/// What may stand in a URI's parameter (RFC 3261 §25.1), and the rest as `%HH`.
fn escaped_name(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*'()[]/:&+$".contains(&byte);
    name.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// Makes names of numbers that only we can read and nobody else can make.
pub(crate) struct Seal {
    /// There is always one: 32 bytes are a key.
    key: Option<LessSafeKey>,
    nonces: Rng,
}

impl Seal {
    pub(crate) fn new(seed: Seed) -> Seal {
        let mut bytes = seed.named("key").rng();
        let key: [u8; 32] = std::array::from_fn(|_| bytes.below(256) as u8);
        let key = UnboundKey::new(&AES_256_GCM_SIV, &key).ok().map(LessSafeKey::new);
        Seal { key, nonces: seed.named("nonces").rng() }
    }

    /// Another name of the same number each time.
    pub(crate) fn close(&mut self, number: u64) -> Option<String> {
        let nonce: [u8; NONCE_LEN] = std::array::from_fn(|_| self.nonces.below(256) as u8);
        let mut sealed = number.to_be_bytes().to_vec();
        let key = self.key.as_ref()?;
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed).ok()?;
        Some(BASE64.encode([&nonce[..], &sealed].concat()))
    }

    /// The number, if we made the name.
    pub(crate) fn open(&self, name: &str) -> Option<u64> {
        let mut bytes = [0; NONCE_LEN + NUMBER + TAG];
        let length = BASE64.decode_slice(name, &mut bytes).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk_mut::<NONCE_LEN>()?;
        if length != NONCE_LEN + NUMBER + TAG {
            return None;
        }
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let number = self.key.as_ref()?.open_in_place(nonce, Aad::empty(), sealed).ok()?;
        Some(u64::from_be_bytes(number.try_into().ok()?))
    }
}

/// Without the key.
impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn read(uri: &str) -> Option<Gruu> {
        Gruu::of(&Uri::parse(uri).unwrap())
    }

    #[test]
    fn a_public_one_is_read_as_it_was_written() {
        for instance in [
            "<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>",
            "<a name; with \"marks\" and = ? @ of all kinds>",
            "<città>",
        ] {
            let written = public("sip", "maria rossi", "help.example", instance);
            let name = name_of(instance).to_owned();
            assert_eq!(read(&written), Some(Gruu::Public { user: "maria rossi".into(), name }), "{written}");
        }
    }

    #[test]
    fn what_names_no_device_is_none() {
        for uri in ["sip:maria@help.example", "sip:help.example;gr=a", "tel:+3906;gr=a", "sip:m@h;gr=%ff"] {
            assert_eq!(read(uri), None, "{uri}");
        }
        for instance in ["", "<>", "urn:uuid:1", &format!("<{}>", "a".repeat(INSTANCE_MAX + 1))] {
            assert!(!is_name(instance), "{instance}");
        }
    }

    #[test]
    fn a_sealed_number_is_opened_by_who_closed_it_and_by_nobody_else() {
        let mut seal = Seal::new(Seed::from_number(1));
        let sealed = seal.close(7).unwrap();
        assert_eq!(seal.open(&sealed), Some(7));
        assert_eq!(Seal::new(Seed::from_number(2)).open(&sealed), None);
        for at in 0..sealed.len() {
            let mut forged = sealed.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(seal.open(std::str::from_utf8(&forged).unwrap()), None, "byte {at}");
        }
        for broken in ["", "A", "====", &sealed[1..], &format!("{sealed}A"), &format!("{sealed}{sealed}")] {
            assert_eq!(seal.open(broken), None, "{broken}");
        }
    }

    #[test]
    fn names_of_one_number_and_of_two_have_nothing_in_common() {
        let mut seal = Seal::new(Seed::from_number(1));
        let names: Vec<String> = (0..200).map(|n| seal.close(n % 2).unwrap()).collect();
        let all: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(all.len(), names.len());
        // 288 bits: two by chance agree in half of them.
        let bytes: Vec<Vec<u8>> = names.iter().map(|name| BASE64.decode(name).unwrap()).collect();
        for (one, two) in bytes.iter().zip(&bytes[2..]) {
            let same: u32 = one.iter().zip(two).map(|(a, b)| (!(a ^ b)).count_ones()).sum();
            assert!((90..200).contains(&same), "{same} of 288 bits are the same");
        }
    }
}
