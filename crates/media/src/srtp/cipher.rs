//! One direction's session keys at work: AES-CM with HMAC-SHA1 (RFC 3711 §4.1.1, §4.2.1), or AES-GCM (RFC 7714 §8, §9).

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::EncryptingKey;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use super::derivation::{apply, counter_mode};

/// Bytes of the key of HMAC-SHA1.
pub(super) const AUTH_LENGTH: usize = 20;

const TAG_80: usize = 10;
const TAG_32: usize = 4;
const TAG_GCM: usize = 16;

#[allow(clippy::large_enum_variant)] // A leg has four of these, all of the same kind, and a box more would be one more miss.
pub(super) enum Cipher {
    Counter { key: EncryptingKey, salt: [u8; 14], auth: Hmac<Sha1>, rtp_tag: usize },
    Gcm { key: LessSafeKey, salt: [u8; 12] },
}

/// What proves who made a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag {
    bytes: [u8; TAG_GCM],
    length: usize,
}

impl Tag {
    /// The tag in these bytes, 16 at most.
    pub(super) fn of(from: &[u8]) -> Option<Tag> {
        let mut tag = Tag { bytes: [0; TAG_GCM], length: from.len() };
        tag.bytes.get_mut(..from.len())?.copy_from_slice(from);
        Some(tag)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&[])
    }
}

impl Cipher {
    pub(super) fn counter(key: &[u8], salt: &[u8], auth: &[u8], short: bool) -> Option<Cipher> {
        Some(Cipher::Counter {
            key: counter_mode(key)?,
            salt: salt.try_into().ok()?,
            auth: Hmac::new_from_slice(auth).ok()?,
            rtp_tag: if short { TAG_32 } else { TAG_80 },
        })
    }

    pub(super) fn gcm(key: &[u8], salt: &[u8]) -> Option<Cipher> {
        let algorithm = if key.len() == 32 { &AES_256_GCM } else { &AES_128_GCM };
        let key = LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?);
        Some(Cipher::Gcm { key, salt: salt.try_into().ok()? })
    }

    pub(super) fn is_aead(&self) -> bool {
        matches!(self, Cipher::Gcm { .. })
    }

    pub(super) fn rtp_tag_length(&self) -> usize {
        match self {
            Cipher::Counter { rtp_tag, .. } => *rtp_tag,
            Cipher::Gcm { .. } => TAG_GCM,
        }
    }

    pub(super) fn rtcp_tag_length(&self) -> usize {
        match self {
            Cipher::Counter { .. } => TAG_80,
            Cipher::Gcm { .. } => TAG_GCM,
        }
    }

    /// Encrypts what follows the header and gives the tag.
    pub(super) fn seal_rtp(&self, packet: &mut [u8], header: usize, ssrc: u32, index: u64) -> Option<Tag> {
        match self {
            Cipher::Counter { key, salt, auth, rtp_tag } => {
                apply(key, counter_start(salt, ssrc, index), packet.get_mut(header..)?)?;
                Tag::of(authentication(auth, packet, rollover(index)).get(..*rtp_tag)?)
            }
            Cipher::Gcm { key, salt } => {
                let (head, body) = packet.split_at_mut_checked(header)?;
                let nonce = rtp_nonce(salt, ssrc, index);
                let tag = key.seal_in_place_separate_tag(nonce, Aad::from(head), body).ok()?;
                Tag::of(tag.as_ref())
            }
        }
    }

    /// Whether the tag is right; then what follows the header is decrypted.
    pub(super) fn open_rtp(
        &self,
        packet: &mut [u8],
        header: usize,
        ssrc: u32,
        index: u64,
        tag: &Tag,
    ) -> bool {
        match self {
            Cipher::Counter { key, salt, auth, .. } => {
                is_authentic(auth, packet, rollover(index), tag)
                    && packet
                        .get_mut(header..)
                        .and_then(|body| apply(key, counter_start(salt, ssrc, index), body))
                        .is_some()
            }
            Cipher::Gcm { key, salt } => {
                let Some((head, body)) = packet.split_at_mut_checked(header) else { return false };
                open_gcm(key, rtp_nonce(salt, ssrc, index), head, body, tag)
            }
        }
    }

    /// The same for RTCP, whose trailer says its number.
    pub(super) fn seal_rtcp(&self, packet: &mut [u8], head: usize, ssrc: u32, trailer: u32) -> Option<Tag> {
        let index = report_number(trailer);
        match self {
            Cipher::Counter { key, salt, auth, .. } => {
                apply(key, counter_start(salt, ssrc, index), packet.get_mut(head..)?)?;
                Tag::of(authentication(auth, packet, trailer.to_be_bytes()).get(..TAG_80)?)
            }
            Cipher::Gcm { key, salt } => {
                let (head, body) = packet.split_at_mut_checked(head)?;
                let aad = report_aad(head, trailer)?;
                let nonce = rtcp_nonce(salt, ssrc, index);
                Tag::of(key.seal_in_place_separate_tag(nonce, Aad::from(aad), body).ok()?.as_ref())
            }
        }
    }

    pub(super) fn open_rtcp(
        &self,
        packet: &mut [u8],
        head: usize,
        ssrc: u32,
        trailer: u32,
        tag: &Tag,
    ) -> bool {
        let index = report_number(trailer);
        match self {
            Cipher::Counter { key, salt, auth, .. } => {
                is_authentic(auth, packet, trailer.to_be_bytes(), tag)
                    && packet
                        .get_mut(head..)
                        .and_then(|body| apply(key, counter_start(salt, ssrc, index), body))
                        .is_some()
            }
            Cipher::Gcm { key, salt } => {
                let Some((head, body)) = packet.split_at_mut_checked(head) else { return false };
                let Some(aad) = report_aad(head, trailer) else { return false };
                open_gcm(key, rtcp_nonce(salt, ssrc, index), &aad, body, tag)
            }
        }
    }
}

fn open_gcm(key: &LessSafeKey, nonce: Nonce, aad: &[u8], body: &mut [u8], tag: &Tag) -> bool {
    key.open_in_place_separate_tag(nonce, Aad::from(aad), tag.bytes(), body).is_ok()
}

fn report_number(trailer: u32) -> u64 {
    u64::from(trailer & !super::ENCRYPTED)
}

/// The rollover counter, which RTP's tag covers though no packet carries it.
fn rollover(index: u64) -> [u8; 4] {
    ((index >> 16) as u32).to_be_bytes()
}

/// Salt, SSRC and number, each in its place (RFC 3711 §4.1.1).
fn counter_start(salt: &[u8; 14], ssrc: u32, index: u64) -> [u8; 16] {
    let start = u128::from(ssrc) << 64 ^ u128::from(index) << 16;
    let mut iv = start.to_be_bytes();
    iv.iter_mut().zip(salt).for_each(|(byte, salt)| *byte ^= salt);
    iv
}

/// RFC 7714 §8.1.
fn rtp_nonce(salt: &[u8; 12], ssrc: u32, index: u64) -> Nonce {
    salted(salt, u128::from(ssrc) << 48 | u128::from(index & 0xffff_ffff_ffff))
}

/// RFC 7714 §9.1.
fn rtcp_nonce(salt: &[u8; 12], ssrc: u32, index: u64) -> Nonce {
    salted(salt, u128::from(ssrc) << 48 | u128::from(index))
}

fn salted(salt: &[u8; 12], number: u128) -> Nonce {
    let [_, _, _, _, mut nonce @ ..]: [u8; 16] = number.to_be_bytes();
    nonce.iter_mut().zip(salt).for_each(|(byte, salt)| *byte ^= salt);
    Nonce::assume_unique_for_key(nonce)
}

/// RFC 7714 §9.2: the readable head, then the trailer.
fn report_aad(head: &[u8], trailer: u32) -> Option<[u8; 12]> {
    let [h0, h1, h2, h3, h4, h5, h6, h7] = *head.first_chunk::<8>()?;
    let [t0, t1, t2, t3] = trailer.to_be_bytes();
    Some([h0, h1, h2, h3, h4, h5, h6, h7, t0, t1, t2, t3])
}

fn authentication(auth: &Hmac<Sha1>, packet: &[u8], also: [u8; 4]) -> [u8; AUTH_LENGTH] {
    let mut mac = auth.clone();
    mac.update(packet);
    mac.update(&also);
    mac.finalize().into_bytes().into()
}

fn is_authentic(auth: &Hmac<Sha1>, packet: &[u8], also: [u8; 4], tag: &Tag) -> bool {
    let mut mac = auth.clone();
    mac.update(packet);
    mac.update(&also);
    mac.verify_truncated_left(tag.bytes()).is_ok()
}
