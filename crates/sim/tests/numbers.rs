//! Whichever form a trunk writes a number in, the same service answers it, and the caller has one form.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails says where")]
// Scenes of other tests use the rest of the stage.
#![allow(dead_code)]

mod support;

use engine::{Numbering, Past, Service};
use facts::FactKind;
use numbers::{Arrives, Country, Rules};
use sip::ua::{Flow, Transport, Trunk};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use support::stage::{SENDRECV, Stage, address, config, sdp};

/// Where the operator's calls come from.
fn operator() -> SocketAddr {
    address(70)
}

fn trunk() -> Trunk {
    Trunk {
        name: "operator".to_owned(),
        target: Flow { transport: Transport::Udp, local: address(1), remote: operator() },
        addresses: vec!["10.0.0.70/32".parse().unwrap()],
        domain: None,
        credentials: None,
        register: false,
        prack: None,
        p_early_media: false,
    }
}

/// A desk with the operator's trunk and these rules, which answers 800100100 and 1510.
fn desk(rules: Rules) -> engine::Config {
    let mut config = config();
    config.sip.trunks.push(trunk());
    config.numbering = Numbering {
        home: Rules::of(Country::ITALY),
        trunks: BTreeMap::from([("operator".to_owned(), rules)]),
    };
    config.services.insert("800100100".to_owned(), Service::Echo);
    config.services.insert("+391510".to_owned(), Service::Silence);
    config
}

/// An INVITE of the operator for this request URI, from this From, with these further header fields.
fn invite(uri: &str, from: &str, more: &str) -> String {
    let body = sdp(operator(), SENDRECV);
    let host = operator();
    format!(
        "INVITE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {host};rport;branch=z9hG4bKin\r\nMax-Forwards: 70\r\n\
         From: {from};tag=mine\r\nTo: <{uri}>\r\nCall-ID: in@{host}\r\nCSeq: 1 INVITE\r\n\
         Contact: <sip:gw@{host}>\r\n{more}Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn arrived(stage: &Stage) -> (String, String, String) {
    stage.fact(|kind| match kind {
        FactKind::CallArrived { from, to, service, .. } => Some((from.clone(), to.clone(), service.clone())),
        _ => None,
    })
}

const CALLER: &str = "<sip:+393331234567@operator.example>";

#[test]
fn every_form_of_a_number_reaches_its_service() {
    for uri in [
        "sip:800100100@10.0.0.1",
        "sip:+39800100100@10.0.0.1;user=phone",
        "sip:0039800100100@10.0.0.1",
        "sip:39800100100@10.0.0.1",
        "sip:800100100;phone-context=+39@10.0.0.1;user=phone",
        "sip:+39-800-100.100;npdi@10.0.0.1",
        "tel:+39800100100",
        "tel:800-100-100;phone-context=+39",
        "tel:800100100;phone-context=operator.example",
    ] {
        let mut stage = Stage::with(desk(Rules::of(Country::ITALY)), Past::default());
        stage.send(operator(), &invite(uri, CALLER, ""));
        stage.expect(operator(), "SIP/2.0 200");
        let (from, to, service) = arrived(&stage);
        assert_eq!(
            (from.as_str(), to.as_str(), service.as_str()),
            ("+393331234567", "+39800100100", "echo"),
            "{uri}"
        );
    }
}

#[test]
fn a_short_code_is_reached_with_and_without_a_calling_code() {
    for uri in ["sip:1510@10.0.0.1", "sip:+391510@10.0.0.1", "tel:1510;phone-context=+39"] {
        let mut stage = Stage::with(desk(Rules::of(Country::ITALY)), Past::default());
        stage.send(operator(), &invite(uri, "<sip:3331234567@operator.example>", ""));
        stage.expect(operator(), "SIP/2.0 200");
        let (from, to, service) = arrived(&stage);
        assert_eq!(
            (from.as_str(), to.as_str(), service.as_str()),
            ("+393331234567", "1510", "silence"),
            "{uri}"
        );
    }
}

#[test]
fn an_operator_who_sends_only_the_last_digits_is_understood() {
    let rules =
        Rules { prefix: "+39800100".to_owned(), arrives: Arrives::National, ..Rules::of(Country::ITALY) };
    let mut stage = Stage::with(desk(rules), Past::default());
    stage.send(operator(), &invite("sip:100@10.0.0.1", CALLER, ""));
    stage.expect(operator(), "SIP/2.0 200");
    assert_eq!(arrived(&stage).1, "+39800100100");
}

#[test]
fn a_number_that_nobody_answers_is_not_found() {
    let mut stage = Stage::with(desk(Rules::of(Country::ITALY)), Past::default());
    stage.send(operator(), &invite("sip:+39800100101@10.0.0.1", CALLER, ""));
    stage.expect(operator(), "SIP/2.0 404");
}
