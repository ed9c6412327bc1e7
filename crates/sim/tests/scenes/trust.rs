//! How far a caller's number is believed, and as whom we call a party outside.

use crate::support::desk::trunk;
use crate::support::stage::{SENDRECV, Stage, address, config, header, sdp};
use engine::{Forwards, Past, Presentation, Service, Target, TrustStore};
use facts::{FactKind, TrustAssessed};
use numbers::{Country, Rules, Sends};
use sip::ua::Trunk;
use std::net::SocketAddr;
use std::sync::Arc;

fn operator() -> SocketAddr {
    address(70)
}

/// A desk with the operator's trunk: 800100100 echoes, 200 is put through to a number by the trunk.
fn desk() -> engine::Config {
    let mut config = config();
    config.sip.trunks.push(Trunk { domain: Some("operator.example".to_owned()), ..trunk("operator", 70) });
    config.services.insert("800100100".to_owned(), Service::Echo);
    let target = Target::Trunk { trunk: "operator".to_owned(), number: "0699990000".to_owned() };
    config.services.insert("0612340000".to_owned(), Service::Dial(target));
    config
}

fn invite(uri: &str, from: &str, more: &str, call: u32) -> String {
    let body = sdp(operator(), SENDRECV);
    let host = operator();
    format!(
        "INVITE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {host};rport;branch=z9hG4bKin{call}\r\nMax-Forwards: 70\r\n\
         From: {from};tag=mine\r\nTo: <{uri}>\r\nCall-ID: in{call}@{host}\r\nCSeq: 1 INVITE\r\n\
         Contact: <sip:gw@{host}>\r\n{more}Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The last assessment: score, verification, attestation, reasons.
fn assessed(stage: &Stage) -> (u8, String, String, Vec<String>) {
    let last = stage.facts.iter().rev().find_map(|fact| match &fact.kind {
        FactKind::CallTrustAssessed(TrustAssessed { score, verification, attestation, reasons, .. }) => {
            Some((*score, verification.clone(), attestation.clone(), reasons.clone()))
        }
        _ => None,
    });
    last.unwrap()
}

const CALLER: &str = "<sip:+393331234567@operator.example>";

#[test]
fn what_speaks_for_and_against_a_number_is_said_and_nobody_is_refused() {
    let differs = "P-Asserted-Identity: <sip:+390612345678@op>\r\n";
    let passed = "P-Asserted-Identity: <tel:+393331234567;verstat=TN-Validation-Passed>\r\n";
    let failed = "P-Asserted-Identity: <tel:+393331234567;verstat=TN-Validation-Failed>\r\n";
    let cases: [(&str, &str, bool, u8, &[&str]); 8] = [
        (CALLER, "", false, 60, &[]),
        (CALLER, differs, false, 50, &["from_differs"]),
        (CALLER, passed, false, 80, &["operator_verified"]),
        (CALLER, failed, false, 30, &["operator_verification_failed"]),
        (CALLER, "", true, 40, &["italian_mobile_from_abroad"]),
        ("<sip:0612345678@op>", "", true, 20, &["italian_number_from_abroad"]),
        ("<sip:+999123456789@op>", "", false, 20, &["number_invalid"]),
        ("<sip:112@op>", "", false, 30, &["impossible_caller"]),
    ];
    for (from, more, foreign, score, reasons) in cases {
        let mut config = desk();
        if foreign {
            config.numbering.foreign.insert("operator".to_owned());
        }
        let mut stage = Stage::with(config, Past::default());
        stage.send(operator(), &invite("sip:800100100@10.0.0.1", from, more, 1));
        stage.expect(operator(), "SIP/2.0 200");
        let (found, verification, _, found_reasons) = assessed(&stage);
        assert_eq!((found, verification.as_str()), (score, "none"), "{from} {more}");
        assert_eq!(found_reasons, reasons, "{from} {more}");
    }
}

#[test]
fn a_number_that_calls_more_than_a_person_does_is_told() {
    let mut stage = Stage::with(desk(), Past::default());
    for call in 1..=11 {
        stage.send(operator(), &invite("sip:800100100@10.0.0.1", CALLER, "", call));
        let many = if call > 10 { vec!["many_calls".to_owned()] } else { Vec::new() };
        assert_eq!(assessed(&stage).3, many, "call {call}");
    }
}

/// The reference statement of libstirshaken, about 01256789999 calling 01256500600 in 2020.
fn signed(more: &str) -> (String, Arc<TrustStore>) {
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../stir/tests/data");
    let read = |name: &str| std::fs::read_to_string(data.join(name)).unwrap();
    let x5u = "http://shaken.signalwire.cloud/sp.pem";
    let value = format!("Identity: {}{more};info=<{x5u}>;alg=ES256;ppt=shaken\r\n", read("token.txt").trim());
    let store = TrustStore {
        roots: stir::certificates_of(&read("ca.pem")),
        certificates: [(x5u.to_owned(), stir::certificates_of(&read("sp.pem")))].into(),
        ..TrustStore::default()
    };
    (value, Arc::new(store))
}

#[test]
fn a_signed_statement_is_verified_and_only_told() {
    // The stage's day is in 2026: the statement of 2020 is stale whatever else it is.
    let (value, store) = signed("");
    let (bent, _) = signed("A");
    for (value, trust, verification, score) in [
        (&value, store.clone(), "stale", 20),
        (&value, Arc::default(), "no_certificate", 60),
        (&bent, store, "bad_signature", 20),
        (&"Identity: nonsense;info=<x>\r\n".to_owned(), Arc::default(), "unreadable", 60),
    ] {
        let mut config = desk();
        config.numbering.trust = trust;
        let mut stage = Stage::with(config, Past::default());
        stage.send(operator(), &invite("sip:800100100@10.0.0.1", CALLER, value, 1));
        stage.expect(operator(), "SIP/2.0 200");
        let (found, told, _, _) = assessed(&stage);
        assert_eq!((told.as_str(), found), (verification, score));
    }
}

/// The INVITE that goes out when this caller is put through.
fn put_through(presentation: Presentation, from: &str, more: &str) -> String {
    let mut config = desk();
    let national = Rules { sends: Sends::National, ..Rules::of(Country::ITALY) };
    config.numbering.trunks.insert("operator".to_owned(), national);
    config.numbering.shown.insert("operator".to_owned(), presentation);
    let mut stage = Stage::with(config, Past::default());
    stage.send(operator(), &invite("sip:0612340000@10.0.0.1", from, more, 1));
    stage.expect(operator(), "INVITE")
}

#[test]
fn a_party_outside_is_shown_a_number_of_ours_alone() {
    let ours = || vec![Rules::of(Country::ITALY).normal("0655550000")];
    let own = put_through(Presentation::default(), CALLER, "");
    assert!(own.starts_with("INVITE sip:0699990000@"), "{own}");
    assert!(header(&own, "From").starts_with("<sip:0612340000@operator.example>"), "{own}");
    assert!(!own.contains("333123"), "the caller's number is not shown: {own}");

    let named = Presentation { numbers: ours(), asserts: true, ..Presentation::default() };
    let invite = put_through(named.clone(), CALLER, "");
    assert!(header(&invite, "From").starts_with("<sip:0655550000@"), "{invite}");
    assert_eq!(header(&invite, "P-Asserted-Identity"), "<sip:0655550000@operator.example;user=phone>");

    let hidden = put_through(Presentation { withholds: true, ..named.clone() }, CALLER, "");
    assert!(header(&hidden, "From").contains("anonymous@anonymous.invalid"), "{hidden}");
    assert_eq!(header(&hidden, "Privacy"), "id");
    assert!(header(&hidden, "P-Asserted-Identity").contains("0655550000"), "{hidden}");
}

#[test]
fn a_call_that_is_put_through_may_show_its_caller_and_that_we_sent_it_on() {
    let forwards = |forwards| Presentation { forwards, ..Presentation::default() };
    let diverted = put_through(forwards(Forwards::Diversion), CALLER, "");
    assert!(header(&diverted, "From").starts_with("<sip:3331234567@"), "{diverted}");
    assert!(header(&diverted, "Diversion").starts_with("<sip:0612340000@operator.example"), "{diverted}");
    let history = put_through(forwards(Forwards::History), CALLER, "");
    assert!(header(&history, "History-Info").contains("0612340000"), "{history}");
    let withheld = put_through(forwards(Forwards::Diversion), CALLER, "Privacy: id\r\n");
    assert!(header(&withheld, "From").contains("anonymous.invalid"), "{withheld}");
    assert!(!withheld.contains("333123"), "who is withheld stays so: {withheld}");
}
