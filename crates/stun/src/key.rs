use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::{HEADER, INTEGRITY};

/// What messages are signed with: a short-term password, such as that of an ICE agent (RFC 8489 §9.1.1). It is not printed.
#[derive(Clone)]
pub struct Key(Option<Hmac<Sha1>>);

impl Key {
    /// The key of a password of letters, digits, `+` and `/`, as all of ICE are.
    pub fn of(password: &str) -> Key {
        // HMAC takes keys of every length.
        Key(Hmac::new_from_slice(password.as_bytes()).ok())
    }

    /// The tag of a message that ends before its MESSAGE-INTEGRITY. Its header is taken to count that in, whatever it says
    /// (RFC 8489 §14.5).
    pub(crate) fn tag(&self, message: &[u8]) -> Option<[u8; INTEGRITY]> {
        Some(self.mac(message)?.finalize().into_bytes().into())
    }

    /// Whether this is that tag. Takes as long for a wrong one as for the right one.
    pub(crate) fn has_made(&self, message: &[u8], tag: &[u8]) -> bool {
        self.mac(message).is_some_and(|mac| mac.verify_slice(tag).is_ok())
    }

    fn mac(&self, message: &[u8]) -> Option<Hmac<Sha1>> {
        let (kind, rest) = message.split_at_checked(2)?;
        let (_, rest) = rest.split_at_checked(2)?;
        let length = u16::try_from(message.len() + 4 + INTEGRITY - HEADER).ok()?;
        let mut mac = self.0.clone()?;
        mac.update(kind);
        mac.update(&length.to_be_bytes());
        mac.update(rest);
        Some(mac)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}
