//! What holds for any input: nothing panics, what was written is read back, and `rsip` reads the same.

#![allow(clippy::unwrap_used, reason = "a helper of a test may fail it")]

use base::{Seed, Time};
use proptest::prelude::*;
use rsip::headers::{ToTypedHeader, UntypedHeader};
use rsip::message::HeadersExt;
use sip::digest::{Asking, Verifier, respond};
use sip::framing::{Frame, StreamFramer};
use sip::identity::{Identity, Policy};
use sip::message::{HeaderName, Message, NameAddr, ParseError, ParseLimits, Via};
use sip::negotiation::{Abilities, Negotiation};
use sip::sdp::Sdp;
use sip::uri::Uri;
use sip::write::{Writer, respond as answer};
use std::net::SocketAddr;

const SOURCE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 5)), 9);

/// Asks everything that can be asked of a message.
fn read_everything(message: &Message) {
    let _ = (message.check(), message.start(), message.from(), message.to(), message.cseq());
    let _ = (message.call_id(), message.expires(), message.max_forwards(), sip::cause::given(message));
    let _ = (message.content_length(), message.content_type(), Identity::of(message, Policy::TRUSTED));
    for via in message.vias().flatten() {
        let _ = (via.branch(), via.rport(), via.received(), via.params.are_well_formed());
    }
    for address in message.contacts().flatten().chain(message.from()).chain(message.to()) {
        let _ = (address.display(), address.tag(), address.parse_uri().map(|uri| uri.user_decoded()));
    }
    let _ = (message.routes().count(), message.record_routes().count(), message.all_headers().count());
    if message.is_answerable() {
        let bytes = answer(message, 400, SOURCE, Some("t")).finish();
        // A request may have up to the limits, its answer a little more.
        let limits = ParseLimits { message: 1 << 20, headers: 1 << 10, header: 1 << 17 };
        assert!(Message::parse(bytes, &limits).is_ok());
    }
}

fn parse_and_read(bytes: Vec<u8>) {
    match Message::parse(bytes, &ParseLimits::default()) {
        Ok(message) => read_everything(&message),
        Err(ParseError::BadRequest { request, .. }) => read_everything(&request),
        Err(_) => {}
    }
}

/// Text that is nearly a header field's value: the characters that mean something, in any order.
fn nearly() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop_oneof![
            proptest::sample::select(vec![
                "\"",
                "\\",
                "<",
                ">",
                ";",
                ",",
                ":",
                "=",
                "@",
                "%",
                "%4",
                "%00",
                "[",
                "]",
                "::",
                "/",
                "?",
                "&",
                " ",
                "\t",
                "\r\n ",
                "\r\n",
                "\n",
                "\0",
                "é",
                "sip:",
                "tel:",
                "SIP/2.0/UDP ",
                "tag=",
                "rport",
                "branch=z9hG4bK",
                "192.0.2.1",
                "5060",
                "99999999999999999999",
                "-1",
                "*",
                "INVITE",
                "Digest ",
                "nonce=",
                "realm=",
                "Q.850;cause=16",
            ])
            .prop_map(str::to_owned),
            "[a-z0-9]{0,6}",
        ],
        0..16,
    )
    .prop_map(|pieces| pieces.concat())
}

fn nearly_a_message() -> impl Strategy<Value = Vec<u8>> {
    let name = proptest::sample::select(vec![
        "Via",
        "v",
        "From",
        "f",
        "To",
        "t",
        "Call-ID",
        "i",
        "CSeq",
        "Contact",
        "m",
        "Content-Length",
        "l",
        "Route",
        "Record-Route",
        "Max-Forwards",
        "Expires",
        "Reason",
        "P-Asserted-Identity",
        "X-Other",
        "",
    ]);
    let whole = "Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n";
    let fields = proptest::collection::vec((name, nearly()), 0..8);
    (nearly(), any::<bool>(), fields, nearly()).prop_map(move |(uri, sound, fields, body)| {
        let (uri, rest) = if sound { ("sip:a@b", whole) } else { (uri.as_str(), "") };
        let fields: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!("OPTIONS {uri} SIP/2.0\r\n{rest}{fields}\r\n{body}").into_bytes()
    })
}

/// Text that stands in a header field without being changed.
fn value() -> impl Strategy<Value = String> {
    "[!-~àè]([ -~àè]{0,40}[!-~àè])?"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        parse_and_read(bytes.clone());
        let _ = Sdp::parse(&bytes);
        let mut framer = StreamFramer::new(ParseLimits { message: 100, headers: 3, header: 20 });
        for piece in bytes.chunks(7) {
            framer.push(piece);
            framer.by_ref().for_each(drop);
        }
        let text = String::from_utf8_lossy(&bytes);
        if let Ok(uri) = Uri::parse(&text) {
            prop_assert!(Uri::parse(&text) == Ok(uri), "a URI equals itself");
        }
    }

    #[test]
    fn what_is_nearly_a_message_never_panics(bytes in nearly_a_message()) {
        parse_and_read(bytes);
    }

    #[test]
    fn what_is_nearly_a_value_never_panics(one in nearly(), two in nearly()) {
        let _ = (NameAddr::parse(&one), Via::parse(&one));
        let _ = Uri::parse(&one).and_then(|one| Ok(one == Uri::parse(&two)?));
        let asking = Asking { method: "M", uri: "u", user: &one, password: &two, cnonce: "c", nonce_count: 1 };
        let _ = respond(&[&one, &format!("Digest realm=\"{one}\", nonce={two}")], &asking);
        let mut verifier = Verifier::new("r".to_owned(), vec![sip::digest::Algorithm::Sha256, sip::digest::Algorithm::Md5], Seed::from_number(1), 2);
        let _ = verifier.verify(Time::ZERO, std::net::Ipv4Addr::LOCALHOST.into(), [one.as_str(), &format!("Digest realm=\"r\",{two}")], "M", |_| Some(""));
    }

    #[test]
    fn what_is_nearly_a_description_never_panics(
        lines in proptest::collection::vec(("[vocmabt]", nearly()), 0..12),
        audio in any::<bool>(),
    ) {
        let mut text: String = lines.iter().map(|(kind, value)| format!("{kind}={value}\r\n")).collect();
        if audio {
            text = format!("v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio 1 RTP/AVP 0 8\r\n{text}");
        }
        let mut ours = Negotiation::new(1, Abilities::of(vec![media_api::Codec::Pcma]));
        if let Ok((answer, _)) = ours.answer(text.as_bytes(), SOURCE) {
            let (offer, answer) = (Sdp::parse(text.as_bytes()).unwrap(), Sdp::parse(&answer).unwrap());
            prop_assert_eq!(offer.media.len(), answer.media.len());
        }
        ours.offer(SOURCE, media_api::Direction::SendRecv);
        let _ = ours.answered(text.as_bytes());
    }

    #[test]
    fn what_was_written_is_read_back(
        fields in proptest::collection::vec(("X-[A-Za-z0-9.!%*_+`'~-]{1,20}", value()), 0..20),
        body in proptest::collection::vec(any::<u8>(), 0..100),
        cut in 1usize..50,
    ) {
        let mut writer = Writer::request("OPTIONS", "sip:a@b");
        for (name, value) in &fields {
            writer = writer.header(name, value);
        }
        let bytes = writer.body("application/octet-stream", body.clone()).finish();
        let mut framer = StreamFramer::new(ParseLimits::default());
        let mut frames = Vec::new();
        for piece in bytes.chunks(cut) {
            framer.push(piece);
            frames.extend(framer.by_ref());
        }
        prop_assert_eq!(&frames, &[Ok(Frame::Message(bytes.clone()))]);
        let message = Message::parse(bytes, &ParseLimits::default()).unwrap();
        let read: Vec<_> = message.all_headers().collect();
        let written: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        prop_assert_eq!(&read[..fields.len()], &written[..]);
        prop_assert_eq!(message.body(), body.as_slice());
    }

    #[test]
    fn rsip_reads_the_same(
        user in "[a-z0-9]{1,10}",
        display in proptest::option::of("[A-Za-z][A-Za-z ]{0,10}[A-Za-z]"),
        host in "[a-z]{1,8}\\.example|10\\.0\\.0\\.[1-9]",
        port in proptest::option::of(1u16..),
        method in proptest::sample::select(vec!["INVITE", "BYE", "REGISTER", "OPTIONS"]),
        (cseq, tag, branch) in (0u32..1 << 31, "[a-z0-9]{1,12}", "z9hG4bK[a-z0-9]{1,20}"),
        (body, rport) in ("[a-z\r\n=]{0,60}", any::<bool>()),
    ) {
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        let display = display.map(|display| format!("\"{display}\" ")).unwrap_or_default();
        let rport = if rport { ";rport" } else { "" };
        let bytes = Writer::request(method, &format!("sip:{user}@{host}{port}"))
            .header("Via", format_args!("SIP/2.0/UDP {host}{port};branch={branch}{rport}"))
            .header("Max-Forwards", 70)
            .header("From", format_args!("{display}<sip:{user}@{host}>;tag={tag}"))
            .header("To", format_args!("<sip:{user}@{host}{port}>"))
            .header("Call-ID", format_args!("{tag}@{host}"))
            .header("CSeq", format_args!("{cseq} {method}"))
            .header("Contact", format_args!("<sip:{user}@{host}{port}>"))
            .body("application/sdp", body.as_str())
            .finish();
        let ours = Message::parse(bytes.clone(), &ParseLimits::default()).unwrap();
        ours.check().unwrap();
        let rsip::SipMessage::Request(theirs) = rsip::SipMessage::try_from(bytes).unwrap() else {
            panic!("rsip reads a response")
        };
        prop_assert_eq!(ours.uri().unwrap(), theirs.uri.to_string());
        prop_assert_eq!(ours.method().unwrap().as_str(), theirs.method.to_string());
        prop_assert_eq!(ours.call_id().unwrap(), theirs.call_id_header().unwrap().value());
        prop_assert_eq!(ours.body(), theirs.body.as_slice());
        let (number, _) = ours.cseq().unwrap();
        prop_assert_eq!(number, theirs.cseq_header().unwrap().seq().unwrap());
        let from = ours.from().unwrap();
        let their_from = theirs.from_header().unwrap();
        prop_assert_eq!(from.tag().unwrap(), their_from.tag().unwrap().unwrap().value().to_owned());
        prop_assert_eq!(from.uri, their_from.uri().unwrap().to_string());
        let (via, their_via) = (ours.top_via().unwrap(), theirs.via_header().unwrap().typed().unwrap());
        prop_assert_eq!(via.branch().unwrap(), their_via.branch().unwrap().value().to_owned());
        prop_assert_eq!(via.port, their_via.uri.host_with_port.port.map(|port| *port.value()));
        prop_assert_eq!(via.host, their_via.uri.host_with_port.host.to_string());
        let uri = Uri::parse(ours.uri().unwrap()).unwrap();
        prop_assert_eq!(uri.user(), theirs.uri.user());
        prop_assert_eq!(ours.header(HeaderName::Contact).unwrap(), theirs.contact_header().unwrap().value());
    }
}
