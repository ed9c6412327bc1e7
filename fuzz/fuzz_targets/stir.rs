#![no_main]
//! What a stranger says of who calls: an Identity header field, and the certificates that it points to.

use libfuzzer_sys::fuzz_target;
use stir::{Asked, Certificate, Location, Statement, certificates_in, verify};

fuzz_target!(|input: (&str, &[u8], Option<i64>)| {
    let (value, document, date) = input;
    let certificates = certificates_in(document);
    assert!(certificates.len() <= document.len());
    if let Some(certificate) = Certificate::read(document) {
        let _ = certificate.speaks_for("390612345678");
    }
    let _ = Location::read(value);
    let Some(statement) = Statement::read(value, "390612345678", "39800100100", date) else { return };
    let asked = Asked {
        orig: "390612345678",
        dest: &["39800100100"],
        keys: &[],
        certificates: &certificates,
        roots: &certificates,
        now: date.unwrap_or(0),
    };
    let _ = verify(&statement, &asked);
});
