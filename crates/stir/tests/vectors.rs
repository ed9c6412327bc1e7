//! Statements that others made, and hostile ones.
#![allow(clippy::unwrap_used, reason = "a helper of a test may fail it")]

use proptest::prelude::*;
use stir::{About, Asked, Attestation, Certificate, Fault, Statement, Verified, certificates_of, verify};

const TOKEN: &str = include_str!("data/token.txt");
const RFC8225: &str = include_str!("data/rfc8225.txt");
const CA: &str = include_str!("data/ca.pem");
const SP: &str = include_str!("data/sp.pem");
const WRONG: &str = include_str!("data/wrongsp.pem");

const MADE: i64 = 1_603_458_131;
const ORIG: &str = "01256789999";
const DEST: &str = "01256500600";

fn value() -> String {
    format!("{};info=<http://shaken.signalwire.cloud/sp.pem>;alg=ES256;ppt=shaken", TOKEN.trim())
}

fn verdict(value: &str, pem: &str, orig: &str, dest: &[&str], now: i64) -> Result<Verified, Fault> {
    let statement = Statement::read(value, orig, dest[0], None).unwrap();
    let (certificates, roots) = (certificates_of(pem), certificates_of(CA));
    verify(&statement, &Asked { orig, dest, keys: &[], certificates: &certificates, roots: &roots, now })
}

#[test]
fn the_reference_statement_holds_with_its_certificate_alone() {
    let holds = Verified { about: About::Caller, attestation: Some(Attestation::Full) };
    assert_eq!(verdict(&value(), SP, ORIG, &[DEST], MADE), Ok(holds));
    assert_eq!(verdict(&value(), SP, ORIG, &["39800100100", DEST], MADE + 60), Ok(holds), "it was sent on");
    assert_eq!(verdict(&value(), SP, ORIG, &[DEST], MADE + 61), Err(Fault::Stale));
    assert_eq!(verdict(&value(), SP, ORIG, &[DEST], MADE - 61), Err(Fault::Stale));
    assert_eq!(verdict(&value(), SP, "01256789998", &[DEST], MADE), Err(Fault::OtherCaller));
    assert_eq!(verdict(&value(), SP, ORIG, &["39800100100"], MADE), Err(Fault::OtherCalled));
    assert_eq!(verdict(&value(), WRONG, ORIG, &[DEST], MADE), Err(Fault::NotTrusted));
    assert_eq!(verdict(&value(), "", ORIG, &[DEST], MADE), Err(Fault::NoCertificate));
    assert_eq!(verdict(&value(), SP, ORIG, &[DEST], 4_000_000_000), Err(Fault::NotTrusted), "out of force");
    let moved = value().replace("signalwire.cloud/sp.pem>", "example.org/sp.pem>");
    assert_eq!(verdict(&moved, SP, ORIG, &[DEST], MADE), Err(Fault::BadSignature), "another certificate");
}

#[test]
fn one_changed_letter_breaks_the_signature() {
    let (signed, signature) = TOKEN.trim().rsplit_once('.').unwrap();
    let swapped = if signature.starts_with('G') { "H" } else { "G" };
    let changed =
        format!("{signed}.{swapped}{};info=<http://shaken.signalwire.cloud/sp.pem>", &signature[1..]);
    assert_eq!(verdict(&changed, SP, ORIG, &[DEST], MADE), Err(Fault::BadSignature));
}

#[test]
fn the_rfcs_statement_says_what_the_rfc_says() {
    let statement = Statement::read(RFC8225.trim(), "", "", None).unwrap();
    let passport = statement.passport;
    assert_eq!(passport.x5u, "https://cert.example.org/passport.cer");
    assert_eq!((passport.made, passport.orig.as_str()), (1_471_375_418, "12155551212"));
    assert_eq!(passport.dest, ["sip:alice@example.com"]);
    assert_eq!(passport.attestation, None);
}

#[test]
fn what_is_no_statement_is_none() {
    for value in [
        "",
        "a.b.c",
        "....",
        "..",
        "..AAAA",
        "e30.e30.AA",
        &format!("{};alg=RS256", TOKEN.trim()),
        &format!("{};ppt=div", TOKEN.trim()),
        &format!("{}.x", TOKEN.trim()),
        &"a".repeat(9_000),
    ] {
        assert_eq!(Statement::read(value, "", "", None), None, "{value}");
    }
    assert_eq!(certificates_of("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"), []);
}

proptest! {
    #[test]
    fn no_bytes_make_a_certificate_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = Certificate::read(&bytes);
    }

    #[test]
    fn a_bent_certificate_or_statement_never_panics(at in 0_usize..700, with in any::<u8>(), letter in "[ -~]") {
        let pem = SP.as_bytes().to_vec();
        let mut bent = pem.clone();
        if let Some(byte) = bent.get_mut(at) { *byte = with & 0x7f; }
        let bent = String::from_utf8(bent).unwrap();
        let _ = verdict(&value(), &bent, ORIG, &[DEST], MADE);
        let mut text = value();
        let at = at % text.len();
        text.replace_range(at..=at, &letter);
        if let Some(statement) = Statement::read(&text, ORIG, DEST, Some(MADE)) {
            let certificates = certificates_of(SP);
            let asked = Asked { orig: ORIG, dest: &[DEST], keys: &[], certificates: &certificates, roots: &certificates, now: MADE };
            let _ = verify(&statement, &asked);
        }
    }
}
