use crate::chain::is_trusted;
use crate::{Attestation, Certificate, Passport, Statement};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

/// What a statement is held against.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Who calls, as the message says: digits of the normal form without `+`.
    pub orig: &'a str,
    /// Those who may be meant by who is called: digits without `+`, or other identities as they are.
    pub dest: &'a [&'a str],
    /// The keys of the media that the message offers: `algorithm` and hexadecimal digits without colons.
    pub keys: &'a [(String, String)],
    /// The certificates that stand where the statement says, the operator's own first.
    pub certificates: &'a [Certificate],
    /// The authorities that are trusted.
    pub roots: &'a [Certificate],
    /// Seconds since 1970.
    pub now: i64,
}

/// A statement holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// What it is about.
    pub about: About,
    /// How well the operator knows the caller, if it says so.
    pub attestation: Option<Attestation>,
}

/// What a statement is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Who began the call.
    Caller,
    /// How the call was sent on (`div`, RFC 8946): by [`crate::Passport::diverted_from`].
    Diversion,
    /// How urgent it is (`rph`, RFC 8443): nothing about who calls.
    Priority,
}

/// Why a statement does not hold. The statuses are those of RFC 8224 §6.2.2; a call is never refused for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No certificate is there (436).
    NoCertificate,
    /// Nobody who is trusted signed the certificate, or it is not in force (437).
    NotTrusted,
    /// The certificate may not speak for this number (437).
    NotTheirNumber,
    /// The signature is of something else, or of somebody else (438).
    BadSignature,
    /// It is about another caller (438).
    OtherCaller,
    /// It is about another who is called: it was made for another call (438).
    OtherCalled,
    /// It is about a call whose media has other keys (438).
    OtherKeys,
    /// It is too old, or from the future (403).
    Stale,
    /// It is of an extension that is not known here: nothing follows from it (RFC 8224 §6.2.1).
    Unsupported,
    /// It lacks what its extension must say (RFC 8588 §4 and §5, RFC 8946 §3): 438.
    Incomplete,
}

impl Fault {
    /// Its stable name in facts.
    pub fn as_str(self) -> &'static str {
        match self {
            Fault::NoCertificate => "no_certificate",
            Fault::NotTrusted => "not_trusted",
            Fault::NotTheirNumber => "not_their_number",
            Fault::BadSignature => "bad_signature",
            Fault::OtherCaller => "other_caller",
            Fault::OtherCalled => "other_called",
            Fault::OtherKeys => "other_keys",
            Fault::Stale => "stale",
            Fault::Unsupported => "unsupported",
            Fault::Incomplete => "incomplete",
        }
    }
}

/// How old a statement may be, in seconds (RFC 8224 §6.2.4), and how far a clock may be ahead.
const FRESH_S: u64 = 60;

/// Verifies a statement (RFC 8224 §6.2, RFC 8225 §8): its certificate, its signature, whom it is about, and
/// when it was made.
pub fn verify(statement: &Statement, asked: &Asked<'_>) -> Result<Verified, Fault> {
    let passport = &statement.passport;
    let about = about(passport)?;
    let certificate = asked.certificates.first().ok_or(Fault::NoCertificate)?;
    if !is_trusted(asked.certificates, asked.roots, asked.now) {
        return Err(Fault::NotTrusted);
    }
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &certificate.key);
    key.verify(passport.signed.as_bytes(), &passport.signature).map_err(|_| Fault::BadSignature)?;
    if !passport.x5u.is_empty() && !statement.info.is_empty() && passport.x5u != statement.info {
        return Err(Fault::BadSignature);
    }
    if certificate.speaks_for(&canonical(&passport.orig)) == Some(false) {
        return Err(Fault::NotTheirNumber);
    }
    if asked.now.saturating_sub(passport.made).unsigned_abs() > FRESH_S {
        return Err(Fault::Stale);
    }
    if canonical(&passport.orig) != asked.orig {
        return Err(Fault::OtherCaller);
    }
    let meant = |dest: &String| asked.dest.contains(&canonical(dest).as_str());
    if !passport.dest.iter().any(meant) {
        return Err(Fault::OtherCalled);
    }
    if passport.keys.iter().any(|key| !asked.keys.contains(key)) {
        return Err(Fault::OtherKeys);
    }
    Ok(Verified { about, attestation: passport.attestation })
}

/// What a statement is about, by its extension; whether it says what the extension must.
fn about(passport: &Passport) -> Result<About, Fault> {
    let (about, whole) = match passport.kind.as_str() {
        "" => (About::Caller, true),
        "shaken" => (About::Caller, passport.attestation.is_some() && !passport.origid.is_empty()),
        "div" => (About::Diversion, passport.diverted_from.is_some()),
        "rph" => (About::Priority, true),
        _ => return Err(Fault::Unsupported),
    };
    if whole { Ok(about) } else { Err(Fault::Incomplete) }
}

/// A number as RFC 8224 §8.3 writes it, without whatever is no digit; another identity as it is.
pub fn canonical(party: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_digit() || b"+-.() ".contains(&byte);
    match party.bytes().all(plain) {
        true => party.chars().filter(char::is_ascii_digit).collect(),
        false => party.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Numbers, Passport};
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    const NOW: i64 = 1_800_000_000;
    const ORIG: &str = "390612345678";
    const DEST: &str = "39800100100";
    const X5U: &str = "https://op.example/sp.pem";

    struct Operator {
        pair: EcdsaKeyPair,
        certificate: Certificate,
    }

    impl Operator {
        /// An operator whose certificate is itself a root, for these numbers.
        fn new(numbers: Option<Vec<Numbers>>) -> Operator {
            let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
            let certificate = Certificate {
                signed: Vec::new(),
                signature: Vec::new(),
                issuer: Vec::new(),
                subject: Vec::new(),
                key: pair.public_key().as_ref().to_vec(),
                valid: (NOW - 1000, NOW + 1000),
                is_authority: true,
                numbers,
            };
            Operator { pair, certificate }
        }

        /// The compact form of a statement about `ORIG` and `DEST`, made now.
        fn compact(&self) -> String {
            let unsigned = Passport::of_compact("", X5U, ORIG, DEST, NOW).unwrap();
            let signature = self.pair.sign(&SystemRandom::new(), unsigned.signed.as_bytes()).unwrap();
            format!("..{};info=<{X5U}>;alg=ES256", URL_SAFE_NO_PAD.encode(signature))
        }

        fn verdict(&self, value: &str, orig: &str, dest: &str, now: i64) -> Result<Verified, Fault> {
            let statement = Statement::read(value, orig, dest, Some(NOW)).unwrap();
            let certificates = [self.certificate.clone()];
            let asked = Asked {
                orig,
                dest: &[dest],
                keys: &[],
                certificates: &certificates,
                roots: &certificates,
                now,
            };
            verify(&statement, &asked)
        }
    }

    #[test]
    fn a_compact_statement_holds_for_the_call_that_it_was_made_for() {
        let operator = Operator::new(None);
        let value = operator.compact();
        let holds = Verified { about: About::Caller, attestation: None };
        assert_eq!(operator.verdict(&value, ORIG, DEST, NOW), Ok(holds));
        assert_eq!(operator.verdict(&value, ORIG, "39800100101", NOW), Err(Fault::BadSignature));
        assert_eq!(operator.verdict(&value, "390612345679", DEST, NOW), Err(Fault::BadSignature));
        assert_eq!(operator.verdict(&value, ORIG, DEST, NOW + 61), Err(Fault::Stale));
        assert_eq!(operator.verdict(&value, ORIG, DEST, NOW + 1001), Err(Fault::NotTrusted));
        let other = Operator::new(None);
        assert_eq!(other.verdict(&value, ORIG, DEST, NOW), Err(Fault::BadSignature));
    }

    #[test]
    fn an_operator_speaks_for_its_own_numbers_alone() {
        let own = Operator::new(Some(vec![Numbers::Range(390_612_345_000, 1000)]));
        assert!(own.verdict(&own.compact(), ORIG, DEST, NOW).is_ok());
        let others = Operator::new(Some(vec![Numbers::One("390699999999".to_owned())]));
        assert_eq!(others.verdict(&others.compact(), ORIG, DEST, NOW), Err(Fault::NotTheirNumber));
    }
}
