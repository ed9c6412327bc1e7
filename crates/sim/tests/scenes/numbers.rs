//! Whichever form a trunk writes a number in, the same service answers it, and the caller has one form.

use crate::support::desk::trunk;
use crate::support::stage::{SENDRECV, Stage, address, config, sdp};
use engine::{Numbering, Past, Service};
use facts::FactKind;
use numbers::{Arrives, Country, Rules};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// Where the operator's calls come from.
fn operator() -> SocketAddr {
    address(70)
}

/// A desk with the operator's trunk and these rules, which answers 800100100 and 1510.
fn desk(rules: Rules) -> engine::Config {
    let mut config = config();
    config.sip.trunks.push(trunk("operator", 70));
    config.numbering = Numbering {
        home: Rules::of(Country::ITALY),
        trunks: BTreeMap::from([("operator".to_owned(), rules)]),
        ..Numbering::default()
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

/// Source, withheld, kind, operator.
fn origin(stage: &Stage) -> (String, bool, String, String) {
    stage.fact(|kind| match kind {
        FactKind::CallOrigin { source, withheld, kind, operator, .. } => {
            Some((source.clone(), *withheld, kind.clone(), operator.clone()))
        }
        _ => None,
    })
}

const LYCAMOBILE: &str = "+393510123456";
const NOBODY: &str = "\"Anonymous\" <sip:anonymous@anonymous.invalid>";

/// A name, From, further header fields, who is shown, and by which of them and whether withheld.
type Shape = (&'static str, String, String, &'static str, (&'static str, bool));

/// The shapes in which a Lycamobile customer's call arrives by an operator's trunk.
fn lycamobile_shapes() -> Vec<Shape> {
    let from = format!("<sip:{LYCAMOBILE}@operator.example;user=phone>");
    let pai = format!("P-Asserted-Identity: <sip:{LYCAMOBILE}@operator.example;user=phone>\r\n");
    let tel = format!("P-Asserted-Identity: <tel:{LYCAMOBILE}>\r\n");
    let shown = LYCAMOBILE;
    vec![
        ("plain", from.clone(), String::new(), shown, ("from", false)),
        ("identity withheld", NOBODY.into(), format!("{pai}Privacy: id\r\n"), "anonymous", ("pai", true)),
        ("withheld, nothing asserted", NOBODY.into(), "Privacy: id\r\n".into(), "anonymous", ("from", true)),
        ("asserted alone", "<sip:gw.operator.example>".into(), pai.clone(), shown, ("pai", false)),
        (
            "asserted as tel",
            "<sip:unknown@10.0.0.70>".into(),
            format!("{tel}Privacy: none\r\n"),
            shown,
            ("pai", false),
        ),
        (
            "a foreign route, with 00",
            "<sip:00393510123456@212.0.0.1>".into(),
            String::new(),
            shown,
            ("from", false),
        ),
        (
            "a foreign route, without +",
            "<sip:393510123456@212.0.0.1>".into(),
            String::new(),
            shown,
            ("from", false),
        ),
        ("national", "<sip:3510123456@operator.example>".into(), String::new(), shown, ("from", false)),
        ("tel From", "<tel:3510123456;phone-context=+39>".into(), String::new(), shown, ("from", false)),
        (
            "odd phone-context",
            "<sip:3510123456;phone-context=mnc035.mcc222.3gppnetwork.org@operator.example;user=phone>".into(),
            String::new(),
            shown,
            ("from", false),
        ),
        (
            "phone-context without +",
            "<tel:3510123456;phone-context=0039>".into(),
            String::new(),
            shown,
            ("from", false),
        ),
        (
            "ported, looked up",
            format!("<sip:{LYCAMOBILE};npdi;rn=+3935100@operator.example>"),
            String::new(),
            shown,
            ("from", false),
        ),
        (
            "session timers wanted",
            from.clone(),
            "Supported: timer\r\nSession-Expires: 1800;refresher=uac\r\nMin-SE: 90\r\n".into(),
            shown,
            ("from", false),
        ),
        (
            "old Remote-Party-ID",
            "<sip:trunk@operator.example>".into(),
            format!("Remote-Party-ID: <sip:{LYCAMOBILE}@operator.example>;party=calling;screen=yes\r\n"),
            shown,
            ("rpid", false),
        ),
        (
            "no early media, no reliable answers",
            from,
            "P-Early-Media: inactive\r\nAllow: INVITE,ACK,BYE,CANCEL\r\n".into(),
            shown,
            ("from", false),
        ),
    ]
}

#[test]
fn lycamobile_customers_are_answered_in_every_shape_in_which_their_calls_arrive() {
    for (name, from, more, shown, (source, withheld)) in lycamobile_shapes() {
        let mut stage = Stage::with(desk(Rules::of(Country::ITALY)), Past::default());
        stage.send(operator(), &invite("sip:+39800100100@10.0.0.1;user=phone", &from, &more));
        stage.expect(operator(), "SIP/2.0 200");
        assert_eq!(arrived(&stage).0, shown, "{name}");
        let known = source != "from" || !withheld;
        let operator = if known { "Lycamobile" } else { "" };
        let kind = if known { "mobile" } else { "anonymous" };
        assert_eq!(
            origin(&stage),
            (source.to_owned(), withheld, kind.to_owned(), operator.to_owned()),
            "{name}"
        );
        if withheld {
            let told = format!("{:?}", stage.facts);
            assert!(!told.contains("510123456"), "{name}: the number of who is withheld is in no fact");
        }
    }
}

#[test]
fn no_origin_is_ever_refused() {
    for from in [
        "<sip:3281234567@op>",
        "<sip:3381234567@op>",
        "<sip:3481234567@op>",
        "<sip:3931234567@op>",
        "<sip:3513123456@op>",
        "<sip:3511123456@op>",
        "<sip:3711123456@op>",
        "<sip:0612345678@op>",
        "<sip:+40712345678@op>",
        "<sip:+8801712345678@op>",
        "<sip:+882161234567@op>",
        "<sip:+999@op>",
        "<sip:99999999999999999999999@op>",
        "<sip:unknown@op>",
        "<sip:op>",
        "<tel:112>",
        "<sip:%00%ff@op>",
    ] {
        let mut stage = Stage::with(desk(Rules::of(Country::ITALY)), Past::default());
        stage.send(operator(), &invite("sip:800100100@10.0.0.1", from, ""));
        stage.expect(operator(), "SIP/2.0 200");
        origin(&stage);
    }
}

#[test]
fn who_sent_the_call_on_and_what_came_along_is_written_down() {
    let more = "Diversion: <sip:0612345678@op>;reason=no-answer, <sip:x@op>;reason=unconditional;privacy=full\r\n\
                User-to-User: 7469636b6574;encoding=hex;purpose=isdn-uui\r\n";
    let mut stage = Stage::with(desk(Rules::of(Country::ITALY)), Past::default());
    stage.send(operator(), &invite("sip:800100100@10.0.0.1", CALLER, more));
    stage.expect(operator(), "SIP/2.0 200");
    let told: Vec<String> = stage
        .kinds()
        .iter()
        .filter_map(|kind| match kind {
            FactKind::CallDiverted { by, reason, .. } => Some(format!("{by} {reason}")),
            FactKind::CallUserData(sent) => Some(format!("{} {}", sent.data, sent.encoding)),
            _ => None,
        })
        .collect();
    assert_eq!(told, ["anonymous unconditional", "+390612345678 no-answer", "7469636b6574 hex"]);
}

#[test]
fn a_trunk_that_is_not_trusted_cannot_assert_who_calls() {
    let mut config = desk(Rules::of(Country::ITALY));
    config.sip.trunks[0].identity = sip::identity::Policy::UNTRUSTED;
    let mut stage = Stage::with(config, Past::default());
    let more = "P-Asserted-Identity: <sip:112@op>\r\nDiversion: <sip:0612345678@op>\r\n";
    stage.send(operator(), &invite("sip:800100100@10.0.0.1", CALLER, more));
    stage.expect(operator(), "SIP/2.0 200");
    assert_eq!(arrived(&stage).0, "+393331234567");
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::CallDiverted { .. })), 0);
}
