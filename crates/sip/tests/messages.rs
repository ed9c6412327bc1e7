//! Messages read and written: typed header fields, faults and their statuses, responses by RFC 3261 §8.2.6.

#![allow(clippy::unwrap_used, reason = "a helper of a test may fail it")]

use sip::message::{HeaderName, Message, Method, ParseError, ParseLimits, Rport, Start};
use sip::write::{Writer, reason_phrase, respond};
use std::net::SocketAddr;

const INVITE: &str = "INVITE sip:2000@192.0.2.9;transport=udp SIP/2.0\r\n\
    Via: SIP/2.0/UDP 192.0.2.1:5062;rport;branch=z9hG4bKtop, SIP/2.0/TCP [2001:db8::1];branch=z9hG4bKlow\r\n\
    v: SIP/2.0/UDP last.example.com;received=192.0.2.77;rport=4000;branch=z9hG4bKlast\r\n\
    Max-Forwards: 70\r\n\
    f: \"Anna \\\"la\\\" Rossi, help\" <sip:anna@example.org>;tag=a1\r\n\
    To: Desk <sip:2000@192.0.2.9>\r\n\
    i: 77@192.0.2.1\r\n\
    CSeq: 314159 INVITE\r\n\
    m: <sip:anna@192.0.2.1:5062>;expires=60, \"x, y\" <sip:b@192.0.2.2>\r\n\
    Record-Route: <sip:p1.example.org;lr>,\r\n   <sip:p2.example.org;lr>\r\n\
    Reason: SIP;cause=600;text=\"a, b\", Q.850;cause=16;text=\"Terminated\"\r\n\
    P-Asserted-Identity: \"Anna\" <tel:+390612345678>\r\n\
    Timestamp: 54\r\n\
    X-Cornetta-Call: 7\r\n\
    Expires: 99999999999999\r\n\
    c: application/sdp; charset=utf-8\r\n\
    l: 4\r\n\r\nv=0\n trailing";

fn parse(text: &str) -> Message {
    Message::parse(text.as_bytes().to_vec(), &ParseLimits::default()).unwrap()
}

fn source() -> SocketAddr {
    "203.0.113.5:40000".parse().unwrap()
}

#[test]
fn every_header_field_of_an_invite_is_read_by_its_meaning() {
    let invite = parse(INVITE);
    invite.check().unwrap();
    let uri = "sip:2000@192.0.2.9;transport=udp";
    assert_eq!(invite.start(), Start::Request { method: Method::Invite, uri });
    let vias: Vec<_> = invite.vias().map(Result::unwrap).collect();
    let hops: Vec<_> = vias.iter().map(|via| (via.transport, via.host, via.port, via.branch())).collect();
    assert_eq!(
        hops,
        [
            ("UDP", "192.0.2.1", Some(5062), Some("z9hG4bKtop")),
            ("TCP", "[2001:db8::1]", None, Some("z9hG4bKlow")),
            ("UDP", "last.example.com", None, Some("z9hG4bKlast")),
        ]
    );
    assert_eq!(
        vias.iter().map(|via| via.rport()).collect::<Vec<_>>(),
        [Rport::Asked, Rport::Absent, Rport::Port(4000)]
    );
    assert_eq!(vias[2].received(), Some("192.0.2.77"));
    let from = invite.from().unwrap();
    assert_eq!(from.display().as_deref(), Some("Anna \"la\" Rossi, help"));
    assert_eq!((from.uri, from.tag()), ("sip:anna@example.org", Some("a1")));
    assert_eq!((invite.to().unwrap().display().as_deref(), invite.to().unwrap().tag()), (Some("Desk"), None));
    assert_eq!(invite.call_id().unwrap(), "77@192.0.2.1");
    assert_eq!(invite.cseq().unwrap(), (314_159, Method::Invite));
    let contacts: Vec<_> =
        invite.contacts().map(Result::unwrap).map(|c| (c.uri, c.param("expires"))).collect();
    assert_eq!(contacts, [("sip:anna@192.0.2.1:5062", Some("60")), ("sip:b@192.0.2.2", None)]);
    let routes: Vec<_> = invite.record_routes().map(Result::unwrap).collect();
    assert_eq!(routes, ["sip:p1.example.org;lr", "sip:p2.example.org;lr"]);
    assert_eq!(sip::cause::given(&invite).q850, Some(16));
    assert_eq!(
        sip::identity::Identity::of(&invite, sip::identity::Policy::TRUSTED).caller.unwrap().user,
        "+390612345678"
    );
    assert_eq!((invite.max_forwards(), invite.expires()), (Some(70), Some(u32::MAX)));
    assert_eq!(invite.header_named("x-cornetta-call"), Some("7"));
    assert_eq!(invite.header_named("call-id"), Some("77@192.0.2.1"));
    assert_eq!(invite.content_type(), Some("application/sdp"));
    assert_eq!(invite.body(), b"v=0\n");
    assert!(invite.bytes().ends_with(b"\r\n\r\nv=0\n"));
}

#[test]
fn a_response_is_read_with_an_empty_or_a_foreign_reason() {
    let head = "Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\n\
        Call-ID: x\r\nCSeq: 1 BYE\r\n\r\n";
    for (line, status, reason) in
        [("SIP/2.0 200 Это я", 200, "Это я"), ("SIP/2.0 100 ", 100, ""), ("SIP/2.0 486", 486, "")]
    {
        let response = parse(&format!("{line}\r\n{head}"));
        response.check().unwrap();
        assert_eq!(response.start(), Start::Response { status, reason });
        assert_eq!((response.method(), response.status()), (None, Some(status)));
    }
    for line in ["SIP/2.0 99 x", "SIP/2.0 700 x", "SIP/2.0 4294967301 x", "SIP/3.0 200 OK", "SIP/2.0 +20 x"] {
        let error = Message::parse(format!("{line}\r\n{head}").into_bytes(), &ParseLimits::default());
        assert!(matches!(error, Err(ParseError::Unanswerable { .. })), "{line}");
    }
}

/// The status that our layer answers to `INVITE` after `from` has become `to`; 0 if it is taken, 1 if it is
/// met with silence.
fn status_after(from: &str, to: &str) -> u16 {
    assert!(INVITE.contains(from), "{from}");
    match Message::parse(INVITE.replace(from, to).into_bytes(), &ParseLimits::default()) {
        Ok(message) => match message.check() {
            Err(fault) if message.is_answerable() => fault.status,
            Err(_) => 1,
            Ok(()) => 0,
        },
        Err(ParseError::BadRequest { fault, .. }) => fault.status,
        Err(_) => 1,
    }
}

#[test]
fn each_fault_has_its_status() {
    let long = "y".repeat(9_000);
    let table: &[(&str, &str, u16)] = &[
        ("SIP/2.0\r\n", "SIP/3.0\r\n", 505),
        ("sip:2000@192.0.2.9;t", "mailto:2000@192.0.2.9;t", 416),
        ("sip:2000@192.0.2.9;t", "tel:2000;t", 0),
        ("sip:2000@192.0.2.9;t", "sip:2000@192.0.2.9:99999;t", 400),
        (";transport=udp", "?Route=x", 400),
        ("INVITE sip", "INVI(TE sip", 400),
        ("INVITE sip", "ACK sip", 1),
        ("CSeq: 314159 INVITE", "CSeq: 314159 BYE", 400),
        ("CSeq: 314159 INVITE", "CSeq: 2147483648 INVITE", 400),
        ("CSeq: 314159 INVITE", "CSeq: 2147483647   INVITE", 0),
        ("CSeq: 314159 INVITE", "CSeq: -1 INVITE", 400),
        ("CSeq: 314159 INVITE", "X: y", 1),
        ("f: ", "f: <sip:z@z>;tag=2\r\nf: ", 400),
        ("To: ", "To: <sip:z@z>\r\nTo: ", 400),
        ("i: ", "Call-ID: z\r\ni: ", 400),
        (";tag=a1", "", 0),
        (";tag=a1", ";;tag=a1", 400),
        ("\"Anna", "Anna", 400),
        (";branch=z9hG4bKtop", "", 0),
        ("SIP/2.0/UDP 192", "SIP/2.0/UDP,192", 1),
        ("SIP/2.0/UDP 192", "XIP/2.0/UDP 192", 400),
        ("Max-Forwards: 70\r\n", "", 0),
        ("Max-Forwards: 70", "Max-Forwards: 256", 400),
        ("l: 4", "l: -4", 400),
        ("l: 4", "l: 4x", 400),
        ("l: 4", "l: 4\r\nContent-Length: 4", 0),
        ("l: 4", "l: 4\r\nContent-Length: 5", 400),
        ("l: 4", "l: 400", 400),
        ("l: 4", "l: 99999999999999999999999", 513),
        ("Timestamp: 54", "Timestamp 54", 400),
        ("Timestamp: 54", "Time stamp: 54", 400),
        ("Timestamp: 54", "Timestamp: 5\n4", 400),
        ("Timestamp: 54", "Timestamp: 5\r4", 400),
        ("Timestamp: 54", "Timestamp: \0", 0),
        ("X-Cornetta-Call: 7", &format!("X: {long}"), 513),
        ("X-Cornetta-Call: 7", &format!("X: {}", "y".repeat(7_000)), 0),
        ("X-Cornetta-Call: 7\r\n", &"X: y\r\n".repeat(300), 513),
        ("\r\n\r\nv=0\n trailing", "\r\n", 400),
    ];
    for (from, to, status) in table {
        assert_eq!(status_after(from, to), *status, "{from:?} -> {to:?}");
    }
    assert_eq!(status_after(" trailing", &"x".repeat(70_000)), 513);
}

#[test]
fn a_keep_alive_is_told_from_garbage() {
    for bytes in ["", "\r\n", "\r\n\r\n"] {
        let error = Message::parse(bytes.into(), &ParseLimits::default());
        assert!(matches!(error, Err(ParseError::KeepAlive)), "{bytes:?}");
    }
    for bytes in [&b"\0\0"[..], b"hello", b"GET /\r\n\r\n", b"\x80\x00\xff\r\n\r\n", b"SIP/2.0\r\n\r\n"] {
        let error = Message::parse(bytes.to_vec(), &ParseLimits::default());
        assert!(matches!(error, Err(ParseError::Unanswerable { .. })), "{bytes:?}");
    }
    // Line ends before the first line are passed over (RFC 3261 §7.5).
    assert_eq!(parse(&format!("\r\n{INVITE}")).call_id().unwrap(), "77@192.0.2.1");
}

#[test]
fn a_header_field_that_is_not_utf_8_stays_readable_and_the_body_stays_as_it_came() {
    let mut bytes = INVITE.replace("Desk", "D@sk").into_bytes();
    let at = bytes.windows(4).position(|four| four == b"D@sk").unwrap();
    bytes[at + 1] = 0xe9;
    let length = bytes.len();
    bytes[length - 13] = 0xff;
    let message = Message::parse(bytes, &ParseLimits::default()).unwrap();
    assert_eq!(message.to().unwrap().display().as_deref(), Some("D\u{fffd}sk"));
    assert_eq!(message.body(), b"\xff=0\n");
    message.check().unwrap();
}

#[test]
fn a_response_copies_what_the_rfc_says_and_fills_in_where_the_request_came_from() {
    let invite = parse(INVITE);
    let bytes = respond(&invite, 100, source(), None).finish();
    let expected = "SIP/2.0 100 Trying\r\n\
        Via: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bKtop;received=203.0.113.5;rport=40000\r\n\
        Via: SIP/2.0/TCP [2001:db8::1];branch=z9hG4bKlow\r\n\
        Via: SIP/2.0/UDP last.example.com;received=192.0.2.77;rport=4000;branch=z9hG4bKlast\r\n\
        From: \"Anna \\\"la\\\" Rossi, help\" <sip:anna@example.org>;tag=a1\r\n\
        To: Desk <sip:2000@192.0.2.9>\r\n\
        Call-ID: 77@192.0.2.1\r\n\
        CSeq: 314159 INVITE\r\n\
        Timestamp: 54\r\n\
        Content-Length: 0\r\n\r\n";
    assert_eq!(String::from_utf8(bytes).unwrap(), expected);

    let ok = respond(&invite, 200, source(), Some("t9")).headers_of(&invite, HeaderName::RecordRoute);
    let ok = Message::parse(ok.body("application/sdp", "v=0\r\n").finish(), &ParseLimits::default()).unwrap();
    ok.check().unwrap();
    assert_eq!(ok.to().unwrap().tag(), Some("t9"));
    assert_eq!(ok.record_routes().count(), 2);
    assert_eq!((ok.header(HeaderName::Timestamp), ok.body()), (None, &b"v=0\r\n"[..]));
    // A tag that is there already is never replaced.
    let again = respond(&parse(&INVITE.replace("9>\r\ni:", "9>;tag=old\r\ni:")), 200, source(), Some("new"));
    assert!(String::from_utf8(again.finish()).unwrap().contains(";tag=old\r\n"));
}

#[test]
fn received_and_rport_follow_rfc_3581() {
    let table = [
        // Via as sent, source, Via as answered
        ("192.0.2.1", "192.0.2.1:5060", "192.0.2.1"),
        ("192.0.2.1", "192.0.2.2:5060", "192.0.2.1;received=192.0.2.2"),
        ("host.example", "192.0.2.2:5060", "host.example;received=192.0.2.2"),
        ("192.0.2.1;rport", "192.0.2.1:999", "192.0.2.1;received=192.0.2.1;rport=999"),
        ("192.0.2.1;RPORT=1;received=6.6.6.6", "192.0.2.1:9", "192.0.2.1;received=192.0.2.1;rport=9"),
        ("[2001:db8::1]", "[2001:DB8:0::1]:5060", "[2001:db8::1]"),
        ("[2001:db8::1]", "[2001:db8::2]:5060", "[2001:db8::1];received=2001:db8::2"),
        ("192.0.2.1", "[::ffff:192.0.2.1]:5060", "192.0.2.1"),
        ("192.0.2.1;maddr=\"a;b\";x", "192.0.2.1:5060", "192.0.2.1;maddr=\"a;b\";x"),
    ];
    for (sent, source, answered) in table {
        let request = format!(
            "BYE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP {sent}\r\nFrom: <sip:a@b>\r\nTo: <sip:a@b>\r\nCall-ID: c\r\nCSeq: 1 BYE\r\n\r\n"
        );
        let response = respond(&parse(&request), 481, source.parse().unwrap(), None).finish();
        let response = Message::parse(response, &ParseLimits::default()).unwrap();
        assert_eq!(response.header(HeaderName::Via).unwrap(), format!("SIP/2.0/UDP {answered}"));
    }
}

#[test]
fn nothing_that_is_written_can_become_another_header_field() {
    let evil = "x\r\nEvil: 1\r\n\r\nbody\0";
    let bytes = Writer::request("BYE\r\nEvil: 1", "sip:a@b\r\nEvil: 1 ")
        .header("Subject", evil)
        .header("Sub\r\nEvil: 1\r\nject", "y")
        .header("l", "99")
        .header("Content-Length", "99")
        .header("", "nameless")
        .body("text/plain\r\nEvil: 1", "hi")
        .finish();
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(!text.contains("\nEvil"), "{text}");
    let message = Message::parse(bytes, &ParseLimits::default()).unwrap();
    assert_eq!(message.uri(), Some("sip:a@b%0D%0AEvil:%201%20"));
    let names: Vec<_> = message.all_headers().map(|(name, _)| name).collect();
    assert_eq!(names, ["Subject", "SubEvil1ject", "Content-Type", "Content-Length"]);
    assert_eq!(message.body(), b"hi");
    let response = String::from_utf8(Writer::response(486, "Busy\r\nEvil: 1").finish()).unwrap();
    assert_eq!(response, "SIP/2.0 486 Busy  Evil: 1\r\nContent-Length: 0\r\n\r\n");
}

#[test]
fn every_status_has_a_phrase() {
    assert_eq!(
        (reason_phrase(486), reason_phrase(499), reason_phrase(0)),
        ("Busy Here", "Request Failure", "Global Failure")
    );
}
