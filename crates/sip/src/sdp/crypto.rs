//! `a=crypto`: keys of SRTP in a description (SDES, RFC 4568).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use media_api::{KeyName, MasterKey, Suite};
use zeroize::Zeroizing;

/// The longest base64 text of a key: 46 bytes.
const KEY_TEXT_MAX: usize = 64;
/// The highest tag: nine digits (RFC 4568 §9.2).
const TAG_MAX: u32 = 999_999_999;

/// One way to encrypt that its writer offers or takes: how the writer itself will.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crypto {
    /// What an answer refers to it by.
    pub tag: u32,
    /// Key, salt and suite.
    pub key: MasterKey,
    /// The name that stands in every packet, if there is one.
    pub name: Option<KeyName>,
}

impl Crypto {
    /// Reads what follows `a=crypto:`. Nothing if it is broken, or asks for what is not done here: another suite, several
    /// keys, keys that are derived anew, packets that are not encrypted or not authenticated. Such a line is not chosen, as
    /// RFC 4568 §5.1.2 wants it; another one may be.
    pub fn parse(value: &str) -> Option<Crypto> {
        let mut words = value.split_ascii_whitespace();
        let tag = words.next()?;
        let is_tag = (1..=9).contains(&tag.len()) && tag.bytes().all(|digit| digit.is_ascii_digit());
        let tag = tag.parse().ok().filter(|_| is_tag)?;
        let suite = Suite::named(words.next()?)?;
        let (key, name) = key(words.next()?, suite)?;
        words.all(is_harmless).then_some(Crypto { tag, key, name })
    }

    /// What follows `a=crypto:`, without a name of the key: ours have none.
    pub fn to_text(&self) -> String {
        let key = Zeroizing::new(STANDARD.encode(self.key.as_bytes()));
        format!("{} {} inline:{}", self.tag.min(TAG_MAX), self.key.suite().name(), *key)
    }
}

/// `inline:BASE64|2^20|1:4`: how long a key lasts is its sender's affair; one that sends longer is believed.
fn key(parameters: &str, suite: Suite) -> Option<(MasterKey, Option<KeyName>)> {
    let (method, info) = parameters.split_once(':')?;
    if !method.eq_ignore_ascii_case("inline") || info.contains(';') {
        return None;
    }
    let mut parts = info.split('|');
    let text = parts.next().filter(|text| text.len() <= KEY_TEXT_MAX)?;
    let decoded = STANDARD.decode(text).or_else(|_| STANDARD_NO_PAD.decode(text));
    let key = MasterKey::from_bytes(suite, &Zeroizing::new(decoded.ok()?))?;
    let (second, third) = (parts.next(), parts.next());
    if parts.next().is_some() {
        return None;
    }
    let name = match (second, third) {
        (None, None) => None,
        (Some(part), None) if part.contains(':') => Some(key_name(part)?),
        (Some(lifetime), name) if is_lifetime(lifetime) => {
            name.map_or(Some(None), |name| key_name(name).map(Some))?
        }
        _ => return None,
    };
    Some((key, name))
}

/// `1:4`: a number and how many bytes it is written in.
fn key_name(text: &str) -> Option<KeyName> {
    let (value, length) = text.split_once(':')?;
    KeyName::new(value.parse().ok()?, length.parse().ok()?)
}

/// `2^20`, or a number.
fn is_lifetime(text: &str) -> bool {
    let number = text.strip_prefix("2^").unwrap_or(text);
    (1..=15).contains(&number.len()) && number.bytes().all(|digit| digit.is_ascii_digit())
}

/// Whether a session parameter changes nothing of what we do: the size of the window, no derivation anew, and what begins
/// with `-` and may be passed over (RFC 4568 §6.3).
fn is_harmless(parameter: &str) -> bool {
    parameter.starts_with('-') || parameter.starts_with("WSH=") || parameter == "KDR=0"
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: &str = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";

    #[test]
    fn what_is_read_and_what_is_passed_over() {
        for (written, taken) in [
            (format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"), Some((1, None))),
            (format!("2 aes_cm_128_hmac_sha1_32 INLINE:{KEY}"), Some((2, None))),
            (format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20"), Some((1, None))),
            (format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|1048576|1:4"), Some((1, Some(4)))),
            (format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20|1:4"), Some((1, Some(4)))),
            (format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|1:1"), Some((1, Some(1)))),
            (
                format!("999999999 AES_CM_128_HMAC_SHA1_80 inline:{KEY} WSH=64 -x=1 KDR=0"),
                Some((999_999_999, None)),
            ),
            (format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20|1:5"), None),
            (format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20|256:1"), None),
            (format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|1:4|2^20"), None),
            (format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|x"), None),
            (format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|1:4;inline:{KEY}|2:4"), None),
            (format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} KDR=1"), None),
            (format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} UNENCRYPTED_SRTP"), None),
            (format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} UNAUTHENTICATED_SRTP"), None),
            (format!("1 AES_CM_128_HMAC_SHA1_80 uri:{KEY}"), None),
            (format!("1 F8_128_HMAC_SHA1_80 inline:{KEY}"), None),
            (format!("1 AES_256_CM_HMAC_SHA1_80 inline:{KEY}"), None),
            (format!("0000000001 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"), None),
            (format!("+1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"), None),
            ("1 AES_CM_128_HMAC_SHA1_80 inline:WVNf".to_owned(), None),
            ("1 AES_CM_128_HMAC_SHA1_80".to_owned(), None),
            (String::new(), None),
        ] {
            let crypto = Crypto::parse(&written);
            let found = crypto.map(|crypto| (crypto.tag, crypto.name.map(KeyName::length)));
            assert_eq!(found, taken, "{written}");
        }
    }

    #[test]
    fn what_is_written_is_read_back_and_never_printed() {
        for suite in Suite::ALL {
            let bytes: Vec<u8> = (0..suite.master_length() as u8).map(|n| n.wrapping_mul(7)).collect();
            let key = MasterKey::from_bytes(suite, &bytes).unwrap();
            let crypto = Crypto { tag: 3, key, name: None };
            assert_eq!(Crypto::parse(&crypto.to_text()).as_ref(), Some(&crypto));
            let secret = STANDARD.encode(&bytes);
            assert!(crypto.to_text().contains(&secret) && !format!("{crypto:?}").contains(&secret));
        }
    }

    proptest! {
        #[test]
        fn whatever_is_written_nothing_panics(text in "[0-9]{0,3} ?AES_CM_128_HMAC_SHA1_80 inline:[ -~]{0,90}") {
            let _ = Crypto::parse(&text);
        }
    }
}
