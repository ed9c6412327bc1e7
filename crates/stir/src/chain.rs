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

/// The certificates of a document: PEM, or one certificate in DER (RFC 7515 §4.1.5, RFC 8224 §7.1).
pub fn certificates_in(document: &[u8]) -> Vec<Certificate> {
    const SEQUENCE: u8 = 0x30;
    match (document.first(), std::str::from_utf8(document)) {
        (Some(&SEQUENCE), _) => Certificate::read(document).into_iter().collect(),
        (_, Ok(pem)) => certificates_of(pem),
        (_, Err(_)) => Vec::new(),
    }
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
