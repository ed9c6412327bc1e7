#![no_main]
//! The small readers: numbers as operators and devices write them, digest challenges and proofs.

use base::{Seed, Time};
use libfuzzer_sys::fuzz_target;
use numbers::{Country, Rules};
use sip::digest::{Algorithm, Asking, Verifier, respond};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let rules = Rules::of(Country::by_iso("IT").expect("it is known"));
    let normal = rules.normal(text);
    if normal.e164().is_some() {
        assert_eq!(rules.normal(normal.as_str()), normal, "the normal form is read as itself");
    }
    let _ = (rules.write(&normal), rules.read_dialled(text));
    let mut verifier =
        Verifier::new("desk".into(), vec![Algorithm::Sha256, Algorithm::Md5], Seed::from_number(7), 8);
    let proven = verifier.verify(Time::ZERO, [192, 0, 2, 1].into(), [text], "REGISTER", |_| Some("secret"));
    assert!(proven.is_err(), "nobody was given a nonce");
    let asking = Asking {
        user: "anna",
        password: "secret",
        method: "REGISTER",
        uri: "sip:desk",
        cnonce: "c",
        nonce_count: 1,
    };
    let _ = respond(&[text], &asking);
});
