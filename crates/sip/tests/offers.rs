//! Offer and answer for one audio line (RFC 3264), and the session descriptions that carry them (RFC 8866).

#![allow(clippy::unwrap_used, reason = "a helper of a test may fail it")]

use media_api::{Codec, Digits, Direction, Payload, Stream};
use sip::negotiation::{Abilities, Negotiation};
use sip::sdp::{Sdp, SdpError};
use std::net::SocketAddr;
use std::time::Duration;

fn local() -> SocketAddr {
    "192.0.2.1:16384".parse().unwrap()
}

fn ours() -> Negotiation {
    Negotiation::new(77, Abilities::of(vec![Codec::Pcma, Codec::Pcmu]))
}

const DIGITS: Option<Digits> = Some(Digits { payload_type: 101, clock_rate: 8000 });

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// A description of one audio line; `more` stands after it.
fn description(address: &str, media: &str, more: &str) -> Vec<u8> {
    format!("v=0\r\no=x 1 1 IN IP4 h\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\nm={media}\r\n{more}")
        .into_bytes()
}

const FIRST_OFFER: &str = "v=0\r\no=- 77 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
    m=audio 16384 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
    a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=rtcp-mux\r\na=sendrecv\r\n";

#[test]
fn the_version_of_an_offer_rises_only_when_its_text_changes() {
    let mut ours = ours();
    assert_eq!(text(ours.offer(local(), Direction::SendRecv)), FIRST_OFFER);
    assert_eq!(text(ours.offer(local(), Direction::SendRecv)), FIRST_OFFER);
    let held = text(ours.offer(local(), Direction::SendOnly));
    assert_eq!(held, FIRST_OFFER.replace("77 1", "77 2").replace("sendrecv", "sendonly"));
    let moved = text(ours.offer("198.51.100.7:20000".parse().unwrap(), Direction::SendOnly));
    // The origin stays, the connection moves.
    assert!(moved.contains("o=- 77 3 IN IP4 192.0.2.1\r\n") && moved.contains("c=IN IP4 198.51.100.7\r\n"));
}

#[test]
fn the_first_codec_of_the_offer_that_we_have_is_taken_with_its_numbers() {
    let mut theirs = ours();
    let offer = description(
        "203.0.113.9",
        "audio 4000 RTP/AVP 18 97 0 8 96",
        "a=rtpmap:97 pcma/8000/1\r\na=rtpmap:96 telephone-event/8000\r\na=fmtp:96 0-15\r\na=ptime:30\r\na=rtcp:4100 IN IP4 203.0.113.10\r\n",
    );
    let (answer, stream) = theirs.answer(&offer, local()).unwrap();
    let expected = Stream {
        remote_rtcp: "203.0.113.10:4100".parse().unwrap(),
        packet_time: Duration::from_millis(30),
        ..Stream::plain("203.0.113.9:4000".parse().unwrap(), Codec::Pcma, 97).with_digits(96)
    };
    assert_eq!((&stream, theirs.stream()), (&expected, Some(&expected)));
    assert!(text(answer).ends_with(
        "m=audio 16384 RTP/AVP 97 96\r\na=rtpmap:97 PCMA/8000\r\na=rtpmap:96 telephone-event/8000\r\n\
         a=fmtp:96 0-16\r\na=ptime:20\r\na=sendrecv\r\n"
    ));
    // A later offer of ours keeps the numbers and puts what is in force first.
    let again = text(theirs.offer(local(), Direction::SendRecv));
    assert!(again.contains("m=audio 16384 RTP/AVP 97 0 96\r\n"), "{again}");

    let (_, preferred) = ours().answer_preferring(&offer, local(), Codec::Pcmu).unwrap();
    assert_eq!((preferred.codec, preferred.payload_type), (Codec::Pcmu, 0));
    let only_pcma = description("203.0.113.9", "audio 4000 RTP/AVP 8", "");
    let (_, fallen_back) = ours().answer_preferring(&only_pcma, local(), Codec::Pcmu).unwrap();
    assert_eq!((fallen_back.codec, fallen_back.digits), (Codec::Pcma, None));
    assert_eq!(fallen_back.remote_rtcp, "203.0.113.9:4001".parse().unwrap());
    assert_eq!(fallen_back.packet_time, Duration::from_millis(20));
}

#[test]
fn lines_that_we_do_not_take_are_refused_in_their_places_for_ever() {
    let mut ours = ours();
    let offer = description(
        "203.0.113.9",
        "video 5000 RTP/AVP 31",
        "m=audio 5002 RTP/SAVP 8\r\nm=audio 5004 RTP/AVP 3\r\nm=audio 5006 RTP/AVP 0\r\nc=IN IP4 203.0.113.8\r\n\
         m=audio 5008 RTP/AVP 8\r\nm=image 5010 udptl t38\r\n",
    );
    let (answer, stream) = ours.answer(&offer, local()).unwrap();
    assert_eq!(stream.remote, "203.0.113.8:5006".parse().unwrap());
    let lines = |text: &str| -> Vec<String> {
        text.lines().filter(|line| line.starts_with("m=")).map(str::to_owned).collect()
    };
    let refused_around = |audio: &str| {
        [
            "m=video 0 RTP/AVP 31",
            "m=audio 0 RTP/SAVP 8",
            "m=audio 0 RTP/AVP 3",
            audio,
            "m=audio 0 RTP/AVP 8",
            "m=image 0 udptl t38",
        ]
        .map(str::to_owned)
    };
    assert_eq!(lines(&text(answer)), refused_around("m=audio 16384 RTP/AVP 0"));
    let reoffer = text(ours.offer(local(), Direction::SendOnly));
    assert_eq!(lines(&reoffer), refused_around("m=audio 16384 RTP/AVP 0 8 101"));
    // The peer's answer has our audio in the same place.
    let mut peer = Negotiation::new(5, Abilities::of(vec![Codec::Pcmu]));
    let (answer, _) = peer.answer(reoffer.as_bytes(), "203.0.113.8:5006".parse().unwrap()).unwrap();
    assert_eq!(ours.answered(&answer).unwrap().direction, Direction::SendOnly);
}

#[test]
fn hold_by_direction_and_by_address_goes_both_ways() {
    use Direction::{Inactive, RecvOnly, SendOnly, SendRecv};
    let table = [
        // The offer's address and direction, then ours.
        ("203.0.113.9", "", SendRecv),
        ("203.0.113.9", "a=sendrecv\r\n", SendRecv),
        ("203.0.113.9", "a=sendonly\r\n", RecvOnly),
        ("203.0.113.9", "a=recvonly\r\n", SendOnly),
        ("203.0.113.9", "a=inactive\r\n", Inactive),
        ("0.0.0.0", "", RecvOnly),
        ("0.0.0.0", "a=sendonly\r\n", RecvOnly),
        ("0.0.0.0", "a=recvonly\r\n", Inactive),
        ("::", "", RecvOnly),
    ];
    for (address, direction, expected) in table {
        let offer = description(address, "audio 4000 RTP/AVP 8", direction);
        let (answer, stream) = ours().answer(&offer, local()).unwrap();
        assert_eq!(stream.direction, expected, "{address} {direction}");
        let said = Sdp::parse(&answer).unwrap().media[0].direction;
        assert_eq!(said, expected, "{address} {direction}");
    }
    for (offered, answered, expected) in [
        (SendRecv, "a=sendrecv", SendRecv),
        (SendRecv, "a=recvonly", SendOnly),
        (SendOnly, "a=recvonly", SendOnly),
        (SendOnly, "a=sendrecv", SendOnly),
        (SendOnly, "a=inactive", Inactive),
        (RecvOnly, "a=sendonly", RecvOnly),
        (Inactive, "a=sendrecv", Inactive),
    ] {
        let mut ours = ours();
        ours.offer(local(), offered);
        let answer = description("203.0.113.9", "audio 4000 RTP/AVP 8", answered);
        assert_eq!(ours.answered(&answer).unwrap().direction, expected, "{offered:?} {answered}");
    }
    // A direction of the session holds for its lines.
    let session_wide = b"v=0\r\na=sendonly\r\nc=IN IP4 1.2.3.4\r\nm=audio 1 RTP/AVP 8\r\n";
    assert_eq!(ours().answer(session_wide, local()).unwrap().1.direction, RecvOnly);
}

#[test]
fn two_of_us_agree_and_keep_agreeing_through_hold_and_resume() {
    let mut caller = Negotiation::new(1, Abilities::of(vec![Codec::Pcmu, Codec::Pcma]));
    let mut callee = ours();
    let (a, b): (SocketAddr, SocketAddr) =
        ("[2001:db8::a]:4000".parse().unwrap(), "[2001:db8::b]:5000".parse().unwrap());
    for direction in [Direction::SendRecv, Direction::SendOnly, Direction::SendRecv] {
        let offer = caller.offer(a, direction);
        let (answer, theirs) = callee.answer(&offer, b).unwrap();
        let mine = caller.answered(&answer).unwrap();
        assert_eq!((mine.codec, mine.payload_type, mine.digits), (Codec::Pcmu, 0, DIGITS));
        assert_eq!((theirs.codec, theirs.payload_type, theirs.digits), (Codec::Pcmu, 0, DIGITS));
        assert_eq!((mine.remote, theirs.remote, mine.direction), (b, a, direction));
        // The answer in the 200 repeats that of the 183.
        assert_eq!(caller.answered(&answer).unwrap(), mine);
    }
    // Now the other one offers.
    let offer = callee.offer(b, Direction::SendRecv);
    assert!(String::from_utf8_lossy(&offer).contains("m=audio 5000 RTP/AVP 0 8 101"));
    caller.answer(&offer, a).unwrap();
    assert_eq!(caller.answered(&offer).unwrap_err().status, 400, "the peer's offer took our own back");
}

#[test]
fn what_cannot_be_taken_is_refused_with_its_status_and_changes_nothing() {
    let offers = [
        (b"".to_vec(), 400),
        (b"hello".to_vec(), 400),
        (b"v=0\r\nm=audio\r\n".to_vec(), 400),
        (b"v=0\r\nm=audio 70000 RTP/AVP 8\r\n".to_vec(), 400),
        (b"v=0\r\nx\r\n".to_vec(), 400),
        (b"v=0\r\n\xff=1\r\n".to_vec(), 400),
        (b"v=0\r\n".to_vec(), 488),
        (b"v=0\r\nm=audio 4000 RTP/AVP 8\r\n".to_vec(), 488),
        (b"v=0\r\nc=IN IP4 host.example\r\nm=audio 4000 RTP/AVP 8\r\n".to_vec(), 488),
        (b"v=0\r\nc=IN IP6 2001:db8::1\r\nm=audio 4000 RTP/AVP 8\r\n".to_vec(), 488),
        (description("1.2.3.4", "audio 0 RTP/AVP 8", ""), 488),
        (description("1.2.3.4", "audio 4000 RTP/SAVP 8", ""), 488),
        (description("1.2.3.4", "audio 4000 RTP/AVP 18 3", ""), 488),
        (description("1.2.3.4", "audio 4000 RTP/AVP 8", "a=rtpmap:8 G729/8000\r\n"), 488),
        (description("1.2.3.4", "audio 4000 RTP/AVP 8", "a=rtpmap:8 PCMA/16000\r\n"), 488),
        (description("1.2.3.4", "video 4000 RTP/AVP 8", ""), 488),
    ];
    for (offer, status) in offers {
        let mut ours = ours();
        let refusal = ours.answer(&offer, local()).unwrap_err();
        assert_eq!(refusal.status, status, "{refusal} {}", String::from_utf8_lossy(&offer));
        assert_eq!(text(ours.offer(local(), Direction::SendRecv)), FIRST_OFFER);
    }
    let answers = [
        (b"nonsense".to_vec(), 400),
        (b"v=0\r\n".to_vec(), 400),
        (description("1.2.3.4", "audio 4000 RTP/AVP 8", "m=video 1 RTP/AVP 31\r\n"), 400),
        (description("1.2.3.4", "audio 0 RTP/AVP 8", ""), 488),
        (description("1.2.3.4", "video 4000 RTP/AVP 8", ""), 488),
        (description("1.2.3.4", "audio 4000 RTP/AVP 18", ""), 488),
        (description("1.2.3.4", "audio 4000 RTP/AVP 101", "a=rtpmap:101 telephone-event/8000\r\n"), 488),
    ];
    assert_eq!(ours().answered(&description("1.2.3.4", "audio 4000 RTP/AVP 8", "")).unwrap_err().status, 400);
    for (answer, status) in answers {
        let mut ours = ours();
        ours.offer(local(), Direction::SendRecv);
        let before = ours.answered(&description("1.2.3.4", "audio 4000 RTP/AVP 0 101", "")).unwrap();
        assert_eq!(before.digits, DIGITS, "a number of ours needs no rtpmap in the answer");
        let refusal = ours.answered(&answer).unwrap_err();
        assert_eq!(refusal.status, status, "{refusal} {}", String::from_utf8_lossy(&answer));
        assert_eq!(ours.stream(), Some(&before));
    }
}

#[test]
fn the_reader_is_tolerant_of_what_is_harmless_and_bounds_the_rest() {
    let odd = "v=0\no=- 1 1 IN IP4 h\ns=\nb=AS:64\nc=IN IP6 192.0.2.4/127\nk=prompt\nz=1\na=ptime:0\na=unknown\n\
        m=audio 4000/2 RTP/AVP 8 200 xyz\na=rtpmap:999 X/1\na=rtpmap:8\na=fmtp:x\na=ptime:20.5\na=rtcp:0";
    let sdp = Sdp::parse(odd.as_bytes()).unwrap();
    let audio = &sdp.media[0];
    assert_eq!((audio.address, audio.port), (Some("192.0.2.4".parse().unwrap()), 4000));
    assert_eq!((audio.packet_time_ms, audio.rtcp, audio.maps.len()), (Some(20), None, 0));
    assert_eq!(audio.payload_types().collect::<Vec<_>>(), [8]);
    assert!(audio.protocol == "RTP/AVP");
    assert_eq!(audio.encoding_of(8), Some(("PCMA", 8000, 1)));

    let line = "m=audio 1 RTP/AVP 8\r\n";
    for (many, limit) in [
        (line.repeat(17), SdpError::TooMuch),
        (format!("m=audio 1 RTP/AVP{}\r\n", " 8".repeat(65)), SdpError::TooMuch),
        (format!("{line}{}", "a=rtpmap:9 X/1\r\n".repeat(65)), SdpError::TooMuch),
        (format!("{line}{}", "a=fmtp:9 x\r\n".repeat(65)), SdpError::TooMuch),
        ("a=x\r\n".repeat(513), SdpError::TooMuch),
    ] {
        assert_eq!(Sdp::parse(format!("v=0\r\n{many}").as_bytes()), Err(limit));
    }
}

#[test]
fn what_was_agreed_before_a_new_offer_is_understood_until_the_peer_has_the_answer() {
    let offer =
        |list: &str, maps: &str| description("203.0.113.9", &format!("audio 4000 RTP/AVP {list}"), maps);
    let mut ours = ours();
    let events = |number: u8| format!("a=rtpmap:{number} telephone-event/8000\r\n");
    ours.answer(&offer("8 96", &events(96)), local()).unwrap();
    let (_, again) = ours.answer(&offer("0 101", &events(101)), local()).unwrap();
    let before = [8, 96].map(|number| again.payload(number));
    assert_eq!(before, [Some(Payload::Speech(Codec::Pcma)), Some(Payload::Digits { clock_rate: 8000 })]);
    let now = [0, 101].map(|number| again.payload(number));
    assert_eq!(now, [Some(Payload::Speech(Codec::Pcmu)), Some(Payload::Digits { clock_rate: 8000 })]);
    // However often it offers anew, so much is kept.
    for number in 97..=127 {
        let (_, stream) = ours.answer(&offer(&format!("0 {number}"), &events(number)), local()).unwrap();
        assert!(stream.also.len() <= 16, "{:?}", stream.also);
    }
}
