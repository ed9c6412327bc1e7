//! Session keys from a master key (RFC 3711 §4.3). Keys are derived once: no suite of ours agrees on a rate of it.

use aws_lc_rs::cipher::{AES_128, AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use media_api::{MasterKey, Suite};
use zeroize::Zeroizing;

use super::cipher::{AUTH_LENGTH, Cipher};

/// What session keys are for: the labels of RFC 3711 §4.3.1 and §4.3.2 begin here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Rtp,
    Rtcp,
}

const LABEL_KEY: u8 = 0;
const LABEL_AUTH: u8 = 1;
const LABEL_SALT: u8 = 2;

/// A block cipher in counter mode.
pub(super) fn counter_mode(key: &[u8]) -> Option<EncryptingKey> {
    let algorithm = if key.len() == 32 { &AES_256 } else { &AES_128 };
    EncryptingKey::ctr(UnboundCipherKey::new(algorithm, key).ok()?).ok()
}

/// Writes over the bytes with the stream of this beginning.
pub(super) fn apply(key: &EncryptingKey, iv: [u8; 16], bytes: &mut [u8]) -> Option<()> {
    // Nothing to be encrypted is not an error for RTP, but is one for the library.
    if bytes.is_empty() {
        return Some(());
    }
    key.less_safe_encrypt(bytes, EncryptionContext::Iv128(FixedLength::from(iv))).ok().map(drop)
}

/// The cipher of this purpose.
pub(super) fn derive(master: &MasterKey, purpose: Purpose) -> Option<Cipher> {
    let suite = master.suite();
    let first = if purpose == Purpose::Rtp { 0 } else { 3 };
    let source = counter_mode(master.key())?;
    let mut key = Zeroizing::new([0; 32]);
    let mut auth = Zeroizing::new([0; AUTH_LENGTH]);
    let mut salt = [0; 14];
    let key = key.get_mut(..suite.key_length())?;
    let salt = salt.get_mut(..suite.salt_length())?;
    session_key(&source, master.salt(), first + LABEL_KEY, key)?;
    session_key(&source, master.salt(), first + LABEL_SALT, salt)?;
    match suite {
        Suite::AesGcm128 | Suite::AesGcm256 => Cipher::gcm(key, salt),
        _ => {
            session_key(&source, master.salt(), first + LABEL_AUTH, auth.as_mut())?;
            let short = matches!(suite, Suite::AesCm128HmacSha1Tag32 | Suite::AesCm256HmacSha1Tag32);
            Cipher::counter(key, salt, auth.as_ref(), short)
        }
    }
}

/// Fills `out` with the key of this label. A salt of 12 bytes has two zeros behind it (RFC 7714 §11).
pub(super) fn session_key(source: &EncryptingKey, salt: &[u8], label: u8, out: &mut [u8]) -> Option<()> {
    let mut iv = [0; 16];
    iv.get_mut(..salt.len())?.copy_from_slice(salt);
    iv[7] ^= label;
    out.fill(0);
    apply(source, iv, out)
}
