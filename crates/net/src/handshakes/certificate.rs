use aws_lc_rs::digest;
use dimpl::DtlsCertificate;
use media_api::{CertificateHash, Fingerprint};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, SerialNumber};
use std::fmt;
use std::io;

/// What peers are told that certificates of this kind are of: nobody believes a name that nobody has signed.
const COMMON_NAME: &str = "WebRTC";

/// The certificate that proves us to browsers: of ECDSA on P-256, signed by itself, believed for its hash in SIP.
#[derive(Clone)]
pub struct MediaCertificate {
    certificate: DtlsCertificate,
    fingerprint: Fingerprint,
}

impl MediaCertificate {
    /// A new one, with a key that is nowhere but in memory.
    ///
    /// # Errors
    /// The system gives no chance.
    pub fn draw() -> io::Result<MediaCertificate> {
        let (certificate, private_key) = drawn().map_err(io::Error::other)?;
        let hash = CertificateHash::Sha256;
        let fingerprint = Fingerprint::new(hash, hashed(hash, &certificate).as_ref())
            .ok_or_else(|| io::Error::other("a hash of another length than its own"))?;
        Ok(MediaCertificate { certificate: DtlsCertificate { certificate, private_key }, fingerprint })
    }

    /// Its SHA-256, for `a=fingerprint`.
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    pub(super) fn to_dtls(&self) -> DtlsCertificate {
        self.certificate.clone()
    }
}

impl fmt::Debug for MediaCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MediaCertificate({})", self.fingerprint)
    }
}

/// Whether the peer's certificate is one of those that SIP has told the hash of (RFC 8122 §5: one match is enough).
pub(super) fn is_one_of(fingerprints: &[Fingerprint], certificate: &[u8]) -> bool {
    fingerprints.iter().any(|told| told.as_bytes() == hashed(told.hash(), certificate).as_ref())
}

/// The SHA-256 of a certificate, for people.
pub(super) fn described(certificate: &[u8]) -> String {
    let hash = CertificateHash::Sha256;
    let told = Fingerprint::new(hash, hashed(hash, certificate).as_ref());
    told.map(|told| told.to_string()).unwrap_or_default()
}

fn hashed(hash: CertificateHash, certificate: &[u8]) -> digest::Digest {
    let algorithm = match hash {
        CertificateHash::Sha256 => &digest::SHA256,
        CertificateHash::Sha384 => &digest::SHA384,
        CertificateHash::Sha512 => &digest::SHA512,
    };
    digest::digest(algorithm, certificate)
}

/// Certificate and key, both DER. Its dates are as wide as they can be, so that no clock decides; its number is of 120 bits
/// of chance, because browsers take two of one name and number for one.
fn drawn() -> Result<(Vec<u8>, Vec<u8>), Box<dyn std::error::Error + Send + Sync>> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, COMMON_NAME);
    let mut number = [0u8; 16];
    aws_lc_rs::rand::fill(&mut number)?;
    // A positive number, of one length.
    number[0] = 1;
    params.serial_number = Some(SerialNumber::from_slice(&number));
    let certificate = params.self_signed(&key)?;
    Ok((certificate.der().to_vec(), key.serialize_der()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_certificate_is_another_and_is_known_by_any_one_of_the_hashes_told_of_it() {
        let (one, other) = (MediaCertificate::draw().unwrap(), MediaCertificate::draw().unwrap());
        assert_ne!(one.fingerprint(), other.fingerprint());
        let der = &one.certificate.certificate;
        for hash in CertificateHash::ALL {
            let told = Fingerprint::new(hash, hashed(hash, der).as_ref()).unwrap();
            assert!(is_one_of(&[other.fingerprint().clone(), told], der), "{hash:?}");
        }
        assert!(!is_one_of(&[other.fingerprint().clone()], der));
        assert!(!is_one_of(&[], der));
        assert_eq!(described(der), one.fingerprint().to_string());
    }

    #[test]
    fn nothing_of_the_key_is_printed() {
        let certificate = MediaCertificate::draw().unwrap();
        assert_eq!(format!("{certificate:?}"), format!("MediaCertificate({})", certificate.fingerprint()));
    }
}
