//! What callers' operators sign, from the INVITE to the fact: certificates that are here, and those that are
//! fetched while the call goes on.

use crate::support::desk::trunk;
use crate::support::operator::{NOW, Operator, X5U};
use crate::support::stage::{SENDRECV, Stage, address, config, sdp};
use engine::{Input, Past, Service, TrustStore};
use facts::{FactKind, TrustAssessed};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use stir::Fetched;

const CALLER: &str = "393331234567";
const DATE: &str = "Tue, 09 Jun 2026 10:13:20 GMT";

fn line() -> SocketAddr {
    address(70)
}

/// A desk with a trunk; 800100100 echoes.
fn stage(trust: TrustStore) -> Stage {
    let mut config = config();
    config.sip.trunks.push(trunk("operator", 70));
    config.services.insert("800100100".to_owned(), Service::Echo);
    config.numbering.trust = Arc::new(trust);
    Stage::with(config, Past::default())
}

fn calls(stage: &mut Stage, identity: &str) {
    calls_with(stage, identity, "");
}

fn calls_with(stage: &mut Stage, identity: &str, sdp_lines: &str) {
    let (host, body) = (line(), sdp(line(), SENDRECV) + sdp_lines);
    let call = stage.facts.len();
    let text = format!(
        "INVITE sip:+39800100100@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {host};rport;branch=z9hG4bK{call}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:+{CALLER}@op>;tag=a\r\nTo: <sip:+39800100100@desk>\r\n\
         Call-ID: c{call}@{host}\r\nCSeq: 1 INVITE\r\nContact: <sip:gw@{host}>\r\n{identity}\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stage.send(host, &text);
    stage.expect(host, "SIP/2.0 200");
}

/// Every assessment so far: score, verification, attestation, the reasons in one text.
fn assessed(stage: &Stage) -> Vec<(u8, String, String, String)> {
    let told = stage.facts.iter().filter_map(|fact| match &fact.kind {
        FactKind::CallTrustAssessed(TrustAssessed { score, verification, attestation, reasons, .. }) => {
            Some((*score, verification.clone(), attestation.clone(), reasons.join(" ")))
        }
        _ => None,
    });
    told.collect()
}

fn is(score: u8, verification: &str, attestation: &str, reasons: &str) -> (u8, String, String, String) {
    (score, verification.to_owned(), attestation.to_owned(), reasons.to_owned())
}

fn shaken(made: i64, dest: &str, attest: &str) -> String {
    format!(
        r#"{{"attest":"{attest}","dest":{{"tn":["{dest}"]}},"iat":{made},"orig":{{"tn":"{CALLER}"}},"origid":"123e4567"}}"#
    )
}

fn base(made: i64, dest: &str) -> String {
    format!(r#"{{"dest":{{"tn":["{dest}"]}},"iat":{made},"orig":{{"tn":"{CALLER}"}}}}"#)
}

fn div(made: i64, from: &str, to: &str) -> String {
    format!(r#"{{"dest":{{"tn":["{to}"]}},"div":{{"tn":"{from}"}},"iat":{made},"orig":{{"tn":"{CALLER}"}}}}"#)
}

#[test]
fn a_statement_is_believed_as_far_as_its_operator_goes() {
    let operator = Operator::new(&[]);
    let here = "39800100100";
    for (kind, claims, told) in [
        ("shaken", shaken(NOW, here, "A"), is(100, "passed", "A", "signed")),
        ("shaken", shaken(NOW, here, "B"), is(80, "passed", "B", "signed")),
        ("shaken", shaken(NOW, here, "C"), is(60, "passed", "C", "signed")),
        ("", base(NOW, here), is(80, "passed", "", "signed")),
        ("shaken", base(NOW, here), is(20, "incomplete", "", "incomplete")),
        ("shaken", shaken(NOW - 61, here, "A"), is(20, "stale", "", "stale")),
        ("shaken", shaken(NOW + 61, here, "A"), is(20, "stale", "", "stale")),
        ("shaken", shaken(NOW, "39800100101", "A"), is(20, "other_called", "", "other_called")),
        ("rph", base(NOW, here), is(60, "none", "", "priority_signed")),
        ("msgi", base(NOW, here), is(60, "unsupported", "", "unsupported")),
    ] {
        let mut stage = stage(operator.known());
        calls(&mut stage, &operator.signs(kind, &claims));
        assert_eq!(assessed(&stage), [told], "{kind} {claims}");
    }
    let mut stage = stage(operator.known());
    calls(&mut stage, &operator.signs("shaken", &shaken(NOW, here, "A")));
    let named =
        stage.count(|kind| matches!(kind, FactKind::CallTrustAssessed(told) if told.origid == "123e4567"));
    assert_eq!(named, 1, "who is to be asked where the call began");
}

#[test]
fn an_operator_speaks_for_the_numbers_of_its_certificate() {
    for (numbers, verification) in [([CALLER], "passed"), (["390699999999"], "not_their_number")] {
        let operator = Operator::new(&numbers);
        let mut stage = stage(operator.known());
        calls(&mut stage, &operator.signs("shaken", &shaken(NOW, "39800100100", "A")));
        assert_eq!(assessed(&stage)[0].1, verification);
    }
    let (operator, other) = (Operator::new(&[]), Operator::new(&[]));
    let mut stage = stage(TrustStore { roots: other.known().roots, ..operator.known() });
    calls(&mut stage, &operator.signs("shaken", &shaken(NOW, "39800100100", "A")));
    assert_eq!(assessed(&stage)[0].1, "not_trusted");
}

#[test]
fn the_compact_form_is_filled_in_from_the_message_and_its_date() {
    let operator = Operator::new(&[]);
    for (dest, made, date, verification) in [
        ("39800100100", NOW, DATE, "passed"),
        ("39800100101", NOW, DATE, "bad_signature"),
        ("39800100100", NOW - 1, DATE, "bad_signature"),
        ("39800100100", NOW - 3600, "Tue, 09 Jun 2026 09:13:20 GMT", "stale"),
        ("39800100100", NOW, "yesterday", "unreadable"),
    ] {
        let mut stage = stage(operator.known());
        calls(&mut stage, &operator.signs_compactly(CALLER, dest, made, date));
        assert_eq!(assessed(&stage)[0].1, verification, "{dest} {made} {date}");
    }
}

#[test]
fn a_call_that_was_sent_on_is_believed_if_that_was_signed_too() {
    let operator = Operator::new(&[]);
    let (first, second, here) = ("390612345678", "390687654321", "39800100100");
    let original = operator.signs("shaken", &shaken(NOW, first, "A"));
    let on = |from, to| operator.signs("div", &div(NOW, from, to));
    let diversion = format!("Diversion: <sip:+{first}@op>\r\n");
    for (identity, told) in [
        (format!("{original}{}", on(first, here)), is(100, "passed", "A", "diversion_signed signed")),
        (
            format!("{original}{}{}", on(first, second), on(second, here)),
            is(100, "passed", "A", "diversion_signed signed"),
        ),
        (format!("{original}{}", on(first, second)), is(20, "other_called", "", "other_called")),
        (format!("{original}{diversion}"), is(60, "other_called", "", "diversion_unsigned")),
        (original.clone(), is(20, "other_called", "", "other_called")),
        (on(first, here), is(60, "none", "", "diversion_signed")),
        (operator.signs("div", &base(NOW, here)), is(20, "incomplete", "", "incomplete")),
    ] {
        let mut stage = stage(operator.known());
        calls(&mut stage, &identity);
        assert_eq!(assessed(&stage), [told], "{identity}");
    }
}

#[test]
fn a_statement_about_other_keys_of_the_media_is_about_another_call() {
    let operator = Operator::new(&[]);
    let claims = format!(
        r#"{{"dest":{{"tn":["39800100100"]}},"iat":{NOW},"mky":[{{"alg":"sha-256","dig":"021ACC5427AB"}}],"orig":{{"tn":"{CALLER}"}}}}"#
    );
    for (line, verification) in [
        ("a=fingerprint:sha-256 02:1A:CC:54:27:AB\r\n", "passed"),
        ("a=fingerprint:sha-256 03:1A:CC:54:27:AB\r\n", "other_keys"),
        ("", "other_keys"),
    ] {
        let mut stage = stage(operator.known());
        calls_with(&mut stage, &operator.signs("", &claims), line);
        assert_eq!(assessed(&stage)[0].1, verification, "{line}");
    }
}

#[test]
fn a_call_does_not_wait_for_a_certificate_and_is_judged_again_when_it_has_come() {
    let operator = Operator::new(&[]);
    let mut stage = stage(operator.trusted());
    calls(&mut stage, &operator.signs("shaken", &shaken(NOW, "39800100100", "A")));
    assert_eq!(
        assessed(&stage),
        [is(60, "no_certificate", "", "certificate_awaited")],
        "answered all the same"
    );
    let asked: Vec<(String, String)> =
        stage.fetches.iter().map(|fetch| (fetch.url.clone(), fetch.location.host.clone())).collect();
    assert_eq!(asked, [(X5U.to_owned(), "certs.example.it".to_owned())]);

    // However long it takes: the statement was fresh when the call came.
    stage.wait(Duration::from_secs(9));
    let answer = Fetched::Document { bytes: operator.document(), max_age: Some(Duration::from_secs(600)) };
    stage.input(Input::Fetched { url: X5U.to_owned(), answer: answer.clone() });
    assert_eq!(assessed(&stage)[1], is(100, "passed", "A", "signed"));
    stage.input(Input::Fetched { url: X5U.to_owned(), answer });
    assert_eq!(assessed(&stage).len(), 2, "what nobody waits for is passed over");

    calls(&mut stage, &operator.signs("shaken", &shaken(NOW + 9, "39800100100", "B")));
    assert_eq!(assessed(&stage)[2], is(80, "passed", "B", "signed"), "the next call has it at once");
    assert_eq!(stage.fetches.len(), 1);
}

#[test]
fn a_certificate_that_cannot_be_had_is_nobodys_fault_and_says_why() {
    let operator = Operator::new(&[]);
    let identity = operator.signs("shaken", &shaken(NOW, "39800100100", "A"));
    let junk = Fetched::Document { bytes: b"<html>".to_vec(), max_age: None };
    for (answer, why) in [(Fetched::Failed, "certificate_unreachable"), (junk, "certificate_unusable")] {
        let mut stage = stage(operator.trusted());
        calls(&mut stage, &identity);
        stage.input(Input::Fetched { url: X5U.to_owned(), answer });
        assert_eq!(assessed(&stage)[1], is(60, "no_certificate", "", why));
    }
    let mut stage = stage(TrustStore { fetch_from: Default::default(), ..operator.trusted() });
    calls(&mut stage, &identity);
    assert_eq!(assessed(&stage), [is(60, "no_certificate", "", "certificate_unlisted")]);
    assert!(stage.fetches.is_empty(), "nobody is asked whom the administrator did not name");
}
