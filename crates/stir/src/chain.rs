use crate::Certificate;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The most certificates of one file, and the longest chain.
const CERTIFICATES_MAX: usize = 8;

/// The certificates of a PEM text, in order (RFC 7468); those that STIR does not use are left out.
pub fn certificates_of(pem: &str) -> Vec<Certificate> {
    let blocks = pem.split("-----BEGIN CERTIFICATE-----").skip(1);
    let bodies = blocks.filter_map(|block| block.split_once("-----END CERTIFICATE-----"));
    let read = bodies.filter_map(|(body, _)| {
        let text: String = body.chars().filter(|letter| !letter.is_whitespace()).collect();
        Certificate::read(&STANDARD.decode(text).ok()?)
    });
    read.take(CERTIFICATES_MAX).collect()
}

/// Whether the first of `certificates` is signed, over the others if need be, by one of `roots`, and all are
/// in force now.
pub(crate) fn is_trusted(certificates: &[Certificate], roots: &[Certificate], now: i64) -> bool {
    let Some((leaf, others)) = certificates.split_first() else { return false };
    let mut at = leaf;
    for _ in 0..CERTIFICATES_MAX {
        if !at.is_in_force(now) {
            return false;
        }
        if roots.iter().any(|root| root.is_in_force(now) && (root == at || signed(at, root))) {
            return true;
        }
        let Some(next) = others.iter().find(|other| *other != at && signed(at, other)) else { return false };
        at = next;
    }
    false
}

fn signed(certificate: &Certificate, by: &Certificate) -> bool {
    by.is_authority && certificate.issuer == by.subject && {
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &by.key);
        key.verify(&certificate.signed, &certificate.signature).is_ok()
    }
}
