//! An operator that signs statements about its callers, with a certificate of an authority of its own.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use engine::TrustStore;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, IsCa, KeyPair,
    PKCS_ECDSA_P256_SHA256,
};

/// Where it says that its certificate is.
pub(crate) const X5U: &str = "https://certs.example.it/sp.pem";
/// The stage's time of day, in seconds since 1970.
pub(crate) const NOW: i64 = 1_781_000_000;

pub(crate) struct Operator {
    pair: EcdsaKeyPair,
    authority: String,
    certificate: String,
}

impl Operator {
    /// One that may speak for these numbers alone, if any are named.
    pub(crate) fn new(numbers: &[&str]) -> Operator {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = || KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let issuer = CertifiedIssuer::self_signed(params, key()).unwrap();
        let mut params = CertificateParams::new(["op.example.it".to_owned()]).unwrap();
        if !numbers.is_empty() {
            let entries: Vec<u8> = numbers.iter().flat_map(|number| one(number)).collect();
            let list = tagged(0x30, &entries);
            params.custom_extensions =
                vec![CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 26], list)];
        }
        let own = key();
        let certificate = params.signed_by(&own, &issuer).unwrap();
        Operator {
            pair: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &own.serialize_der()).unwrap(),
            authority: issuer.pem(),
            certificate: certificate.pem(),
        }
    }

    /// The document at [`X5U`].
    pub(crate) fn document(&self) -> Vec<u8> {
        self.certificate.clone().into_bytes()
    }

    /// An installation that trusts its authority and has its certificate.
    pub(crate) fn known(&self) -> TrustStore {
        let certificates = [(X5U.to_owned(), stir::certificates_of(&self.certificate))].into();
        TrustStore { certificates, ..self.trusted() }
    }

    /// An installation that trusts its authority and fetches its certificate.
    pub(crate) fn trusted(&self) -> TrustStore {
        TrustStore {
            roots: stir::certificates_of(&self.authority),
            fetch_from: [("certs.example.it".to_owned(), 443)].into(),
            ..TrustStore::default()
        }
    }

    /// An Identity header field with a statement in the full form: of this extension, with these claims.
    pub(crate) fn signs(&self, kind: &str, claims: &str) -> String {
        let ppt = if kind.is_empty() { String::new() } else { format!(r#""ppt":"{kind}","#) };
        let header = format!(r#"{{"alg":"ES256",{ppt}"typ":"passport","x5u":"{X5U}"}}"#);
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let signed = format!("{}.{}", part(&header), part(claims));
        let kind = if kind.is_empty() { String::new() } else { format!(";ppt=\"{kind}\"") };
        format!("Identity: {signed}.{};info=<{X5U}>;alg=ES256{kind}\r\n", self.signature(&signed))
    }

    /// The same in the compact form (RFC 8225 §7), made at this second, with the Date that says so.
    pub(crate) fn signs_compactly(&self, orig: &str, dest: &str, made: i64, date: &str) -> String {
        let header = format!(r#"{{"alg":"ES256","typ":"passport","x5u":"{X5U}"}}"#);
        let claims = format!(r#"{{"dest":{{"tn":["{dest}"]}},"iat":{made},"orig":{{"tn":"{orig}"}}}}"#);
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let signature = self.signature(&format!("{}.{}", part(&header), part(&claims)));
        format!("Date: {date}\r\nIdentity: ..{signature};info=<{X5U}>;alg=ES256\r\n")
    }

    fn signature(&self, signed: &str) -> String {
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        URL_SAFE_NO_PAD.encode(signature)
    }
}

/// One number of a TNAuthorizationList (RFC 8226 §9).
fn one(number: &str) -> Vec<u8> {
    tagged(0xa2, &tagged(0x16, number.as_bytes()))
}

fn tagged(tag: u8, inside: &[u8]) -> Vec<u8> {
    let length = u8::try_from(inside.len()).unwrap();
    assert!(length < 0x80);
    [&[tag, length], inside].concat()
}
