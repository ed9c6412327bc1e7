//! Which codec, by which number, with what parameters: descriptions in, agreements and descriptions out.

#![allow(clippy::unwrap_used, reason = "a helper of a test may fail it")]

use media_api::{Codec, Digits, Direction, Opus, Payload, Stream};
use sip::negotiation::{Abilities, Negotiation};
use std::net::SocketAddr;
use std::time::Duration;

use Codec::{G722, L16, Pcma, Pcmu};

fn local() -> SocketAddr {
    "192.0.2.1:16384".parse().unwrap()
}

fn of(codecs: &[Codec]) -> Negotiation {
    Negotiation::new(77, Abilities::of(codecs.to_vec()))
}

fn all() -> Negotiation {
    of(&[Pcma, Pcmu, G722, Codec::Opus, L16])
}

/// A description with one line of audio of these formats; attributes are parted by spaces that nothing else has.
fn description(formats: &str, attributes: &[&str]) -> Vec<u8> {
    let mut text = format!(
        "v=0\r\no=x 1 1 IN IP4 h\r\ns=-\r\nc=IN IP4 203.0.113.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP {formats}\r\n"
    );
    for attribute in attributes {
        text.push_str(&format!("a={attribute}\r\n"));
    }
    text.into_bytes()
}

/// The formats of the audio line, and the attributes that are not the same in every description.
fn said(description: &[u8]) -> (String, Vec<String>) {
    let text = std::str::from_utf8(description).unwrap();
    let line = text.lines().find(|line| line.starts_with("m=audio")).unwrap();
    let formats = line.split(" RTP/AVP ").nth(1).unwrap().to_owned();
    let usual = ["a=ptime:20", "a=sendrecv"];
    let attributes =
        text.lines().filter_map(|line| line.strip_prefix("a=").filter(|_| !usual.contains(&line)));
    (formats, attributes.map(str::to_owned).collect())
}

fn digits(payload_type: u8, clock_rate: u32) -> Option<Digits> {
    Some(Digits { payload_type, clock_rate })
}

#[test]
fn an_offer_says_every_codec_with_its_clock_and_the_telephone_events_of_each_clock() {
    let (formats, attributes) = said(&all().offer(local(), Direction::SendRecv));
    assert_eq!(formats, "8 0 9 96 97 101 110 111");
    assert_eq!(
        attributes,
        [
            "rtpmap:8 PCMA/8000",
            "rtpmap:0 PCMU/8000",
            "rtpmap:9 G722/8000",
            "rtpmap:96 opus/48000/2",
            "rtpmap:97 L16/16000",
            "rtpmap:101 telephone-event/8000",
            "rtpmap:110 telephone-event/48000",
            "rtpmap:111 telephone-event/16000",
            "fmtp:96 useinbandfec=1",
            "fmtp:101 0-16",
            "fmtp:110 0-16",
            "fmtp:111 0-16",
            "rtcp-mux",
        ]
    );
    let abilities = Abilities { comfort_noise: true, ..Abilities::of(vec![Pcma, Codec::Opus]) };
    let (formats, _) = said(&Negotiation::new(1, abilities).offer(local(), Direction::SendRecv));
    assert_eq!(formats, "8 96 13 101 110", "comfort noise where it is wanted");
}

#[test]
fn an_answer_takes_the_first_codec_that_is_ours_by_the_offers_own_number() {
    // Formats and attributes of the offer; the codec and its number; telephone-events; formats of the answer.
    let te8 = "rtpmap:101 telephone-event/8000";
    type Row<'a> = (&'a str, &'a [&'a str], (Codec, u8), Option<Digits>, &'a str);
    let table: &[Row<'_>] = &[
        ("8 0", &[], (Pcma, 8), None, "8"),
        ("9 8", &[], (G722, 9), None, "9"),
        ("0", &[], (Pcmu, 0), None, "0"),
        ("9 101", &["rtpmap:9 G722/8000", te8], (G722, 9), digits(101, 8000), "9 101"),
        ("9 8", &["rtpmap:9 G722/16000"], (Pcma, 8), None, "8"),
        ("18 3 8", &[], (Pcma, 8), None, "8"),
        ("120 8", &["rtpmap:120 opus/48000/2"], (Codec::Opus, 120), None, "120"),
        ("120 8", &["rtpmap:120 OPUS/48000"], (Codec::Opus, 120), None, "120"),
        ("120 8", &["rtpmap:120 opus/16000/1"], (Pcma, 8), None, "8"),
        ("120 8", &[], (Pcma, 8), None, "8"),
        ("10 11 8", &[], (Pcma, 8), None, "8"),
        ("100 8", &["rtpmap:100 L16/16000"], (L16, 100), None, "100"),
        ("100 8", &["rtpmap:100 L16/16000/2"], (Pcma, 8), None, "8"),
        ("8 9", &["rtpmap:8 G729/8000"], (G722, 9), None, "9"),
        // The clock of the telephone-events is that of the codec, if the offer has it.
        (
            "111 110 126",
            &[
                "rtpmap:111 opus/48000/2",
                "rtpmap:110 telephone-event/48000",
                "rtpmap:126 telephone-event/8000",
            ],
            (Codec::Opus, 111),
            digits(110, 48_000),
            "111 110",
        ),
        (
            "8 110 126",
            &["rtpmap:110 telephone-event/48000", "rtpmap:126 telephone-event/8000"],
            (Pcma, 8),
            digits(126, 8000),
            "8 126",
        ),
        ("111 101", &["rtpmap:111 opus/48000/2", te8], (Codec::Opus, 111), digits(101, 8000), "111 101"),
        ("8 101", &["rtpmap:101 telephone-event/44100"], (Pcma, 8), None, "8"),
    ];
    for (formats, attributes, (codec, payload_type), digits, answered) in table {
        let (answer, stream) = all().answer(&description(formats, attributes), local()).unwrap();
        let got = (stream.codec, stream.payload_type, stream.digits);
        assert_eq!(got, (*codec, *payload_type, *digits), "{formats} {attributes:?}");
        assert_eq!(said(&answer).0, *answered, "{formats} {attributes:?}");
    }
}

#[test]
fn what_is_preferred_is_taken_and_else_what_costs_least_to_make_of_it() {
    let offer = description("111 9 8 0", &["rtpmap:111 opus/48000/2"]);
    let only_one_law = description("111 9 0", &["rtpmap:111 opus/48000/2"]);
    for (offer, prefer, taken) in [
        (&offer, Pcmu, Pcmu),
        (&offer, G722, G722),
        (&offer, Codec::Opus, Codec::Opus),
        (&offer, L16, Codec::Opus),
        (&only_one_law, Pcma, Pcmu),
    ] {
        let (_, stream) = all().answer_preferring(offer, local(), prefer).unwrap();
        assert_eq!(stream.codec, taken, "{prefer:?}");
    }
    let (_, stream) = of(&[Pcma]).answer_preferring(&offer, local(), Codec::Opus).unwrap();
    assert_eq!(stream.codec, Pcma, "only what this session may speak");
    let refusal = of(&[G722]).answer(&description("8", &[]), local()).unwrap_err();
    assert_eq!(
        (refusal.status, refusal.why.as_str()),
        (488, "none of the offered codecs is one of ours: G722")
    );
}

#[test]
fn opus_is_sent_as_the_peer_says_and_ours_says_what_we_want() {
    let plain = Opus::default();
    for (parameters, expected) in [
        ("", plain),
        ("fmtp:111 minptime=10;useinbandfec=1", Opus { fec: true, ..plain }),
        (
            "fmtp:111 useinbandfec=1; usedtx=1 ;stereo=1;sprop-stereo=1",
            Opus { fec: true, dtx: true, stereo: true, ..plain },
        ),
        (
            "fmtp:111 maxplaybackrate=16000; maxaveragebitrate=20000;cbr=1",
            Opus { constant_bit_rate: true, bit_rate_max: Some(20_000), playback_rate_max: 16_000, ..plain },
        ),
        ("fmtp:111 MaxAverageBitrate=5999;maxplaybackrate=96000;useinbandfec=yes;;=;x", plain),
        ("fmtp:111 maxaveragebitrate=99999999999999;stereo", plain),
    ] {
        let attributes: Vec<&str> =
            ["rtpmap:111 opus/48000/2", parameters].into_iter().filter(|a| !a.is_empty()).collect();
        let (answer, stream) = all().answer(&description("111", &attributes), local()).unwrap();
        assert_eq!(stream.opus, expected, "{parameters}");
        assert_eq!(said(&answer).1, ["rtpmap:111 opus/48000/2", "fmtp:111 useinbandfec=1"]);
        // The same in an answer to our offer.
        let mut ours = all();
        ours.offer(local(), Direction::SendRecv);
        let stream = ours.answered(&description("111", &attributes)).unwrap();
        assert_eq!((stream.codec, stream.payload_type, stream.opus), (Codec::Opus, 111, expected));
    }
}

#[test]
fn opus_is_asked_for_as_another_party_wants_it() {
    let other = Opus {
        fec: false,
        dtx: true,
        stereo: true,
        constant_bit_rate: true,
        bit_rate_max: Some(20_000),
        playback_rate_max: 16_000,
    };
    let wanted = "fmtp:96 usedtx=1;stereo=1;cbr=1;maxaveragebitrate=20000;maxplaybackrate=16000";
    let mut ours = of(&[Codec::Opus]);
    for (opus, expected) in
        [(Some(other), Some(wanted)), (Some(Opus::default()), None), (None, Some("fmtp:96 useinbandfec=1"))]
    {
        ours.ask_for_opus(opus);
        let (_, attributes) = said(&ours.offer(local(), Direction::SendRecv));
        let fmtp = attributes.iter().find(|line| line.starts_with("fmtp:96 "));
        assert_eq!(fmtp.map(String::as_str), expected);
        // Who reads it has what the other one said.
        let mut theirs = of(&[Codec::Opus]);
        let offer = ours.offer(local(), Direction::SendRecv);
        let read = theirs.offered_opus(&offer).unwrap();
        assert_eq!(read, opus.unwrap_or(Opus { fec: true, ..Opus::default() }));
        theirs.answer(&offer, local()).unwrap();
        assert_eq!(theirs.opus(), Some(read));
    }
    let mut speaks_alaw = all();
    let offer = description("8 111", &["rtpmap:111 opus/48000/2", "fmtp:111 usedtx=1"]);
    assert_eq!(speaks_alaw.offered_opus(&offer), Some(Opus { dtx: true, ..Opus::default() }));
    speaks_alaw.answer(&offer, local()).unwrap();
    assert_eq!(speaks_alaw.opus(), None);
    assert_eq!(of(&[Pcma]).offered_opus(&offer), None);
}

#[test]
fn an_answer_by_other_numbers_is_sent_to_by_those_and_heard_by_both() {
    let mut ours = all();
    ours.offer(local(), Direction::SendRecv);
    let answer = description(
        "107 102 8",
        &["rtpmap:107 opus/48000/2", "rtpmap:102 telephone-event/48000", "rtpmap:8 PCMA/8000"],
    );
    let stream = ours.answered(&answer).unwrap();
    assert_eq!((stream.codec, stream.payload_type, stream.digits), (Codec::Opus, 107, digits(102, 48_000)));
    for (number, meaning) in [
        (107, Some(Payload::Speech(Codec::Opus))),
        (96, Some(Payload::Speech(Codec::Opus))),
        (8, Some(Payload::Speech(Pcma))),
        (0, None),
        (102, Some(Payload::Digits { clock_rate: 48_000 })),
        (110, Some(Payload::Digits { clock_rate: 48_000 })),
        (101, None),
        (13, Some(Payload::ComfortNoise)),
        (97, None),
    ] {
        assert_eq!(stream.payload(number), meaning, "{number}");
    }
    // Where the peer's own number is one of ours for something else that is agreed, ours holds.
    let crossed = description("96 97", &["rtpmap:96 L16/16000", "rtpmap:97 opus/48000/2"]);
    let stream = ours.answered(&crossed).unwrap();
    assert_eq!((stream.codec, stream.payload_type), (L16, 96));
    assert_eq!(stream.payload(96), Some(Payload::Speech(Codec::Opus)));
    assert_eq!(stream.payload(97), Some(Payload::Speech(L16)));
    // Numbers of ours without their maps mean what we said; what we did not offer is nothing.
    let bare = ours.answered(&description("96 101 110", &[])).unwrap();
    assert_eq!(
        (bare.codec, bare.digits, bare.also),
        (Codec::Opus, digits(110, 48_000), vec![(101, Payload::Digits { clock_rate: 8000 })])
    );
    let mut narrow = of(&[Pcma]);
    narrow.offer(local(), Direction::SendRecv);
    assert_eq!(narrow.answered(&description("9 0", &[])).unwrap_err().status, 488);
}

#[test]
fn no_number_changes_its_meaning_as_long_as_the_session_lives() {
    let mut ours = all();
    let offer = description("8 96 101", &["rtpmap:96 AMR/8000", "rtpmap:101 telephone-event/8000"]);
    ours.answer(&offer, local()).unwrap();
    let (formats, attributes) = said(&ours.offer(local(), Direction::SendRecv));
    assert_eq!(formats, "8 0 9 97 98 101 110 111", "96 is the peer's for AMR, so Opus has another");
    assert!(attributes.contains(&"rtpmap:97 opus/48000/2".to_owned()), "{attributes:?}");
    // The peer comes with Opus by its own number, and ours follows.
    let offer = description("120 101", &["rtpmap:120 opus/48000/2", "rtpmap:101 telephone-event/48000"]);
    let (answer, stream) = ours.answer(&offer, local()).unwrap();
    assert_eq!((stream.codec, stream.payload_type, stream.digits), (Codec::Opus, 120, digits(101, 48_000)));
    assert_eq!(said(&answer).0, "120 101");
    let (formats, attributes) = said(&ours.offer(local(), Direction::SendRecv));
    assert_eq!(formats, "120 8 0 9 98 101 102 111", "what is in force comes first");
    assert!(attributes.contains(&"rtpmap:102 telephone-event/8000".to_owned()), "{attributes:?}");
    // Where the peer has given our static number to something else, ours has to go by another one.
    let mut ours = all();
    let offer = description("8 0", &["rtpmap:8 G729/8000"]);
    ours.answer(&offer, local()).unwrap();
    let (formats, attributes) = said(&ours.offer(local(), Direction::SendRecv));
    assert!(!formats.split(' ').any(|format| format == "8"), "{formats}");
    assert!(attributes.iter().any(|line| line.ends_with("PCMA/8000")), "{attributes:?}");
}

#[test]
fn a_peer_may_change_the_codec_in_mid_call_and_nothing_but_the_old_numbers_is_left() {
    let mut ours = all();
    let first = description(
        "111 101",
        &["rtpmap:111 opus/48000/2", "fmtp:111 useinbandfec=1;usedtx=1", "rtpmap:101 telephone-event/48000"],
    );
    ours.answer(&first, local()).unwrap();
    let (answer, stream) =
        ours.answer(&description("9 97", &["rtpmap:97 telephone-event/8000"]), local()).unwrap();
    // RFC 3264 §8.3.2: what is on its way by them is still to be heard.
    assert_eq!(stream.also.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [111, 101]);
    let mut expected = Stream::plain("203.0.113.9:4000".parse().unwrap(), G722, 9).with_digits(97);
    expected.also.clone_from(&stream.also);
    assert_eq!((&stream, said(&answer).0.as_str()), (&expected, "9 97"));
}

#[test]
fn reports_share_the_port_of_speech_if_both_say_so_and_no_number_looks_like_them() {
    let remote: SocketAddr = "203.0.113.9:4000".parse().unwrap();
    let next: SocketAddr = "203.0.113.9:4001".parse().unwrap();
    for (formats, attributes, muxed) in [
        ("8", &["rtcp-mux"][..], true),
        ("8", &[][..], false),
        ("8", &["rtcp:4001", "rtcp-mux"][..], true),
        ("72", &["rtpmap:72 PCMA/8000", "rtcp-mux"][..], false),
        ("8 95", &["rtpmap:95 telephone-event/8000", "rtcp-mux"][..], false),
    ] {
        let offer = description(formats, attributes);
        let (answer, stream) = all().answer(&offer, local()).unwrap();
        assert_eq!(
            (stream.rtcp_mux, stream.remote_rtcp),
            (muxed, if muxed { remote } else { next }),
            "{formats}"
        );
        assert_eq!(said(&answer).1.contains(&"rtcp-mux".to_owned()), muxed, "{formats} {attributes:?}");
    }
    let mut ours = all();
    ours.offer(local(), Direction::SendRecv);
    assert!(ours.answered(&description("8", &["rtcp-mux"])).unwrap().rtcp_mux);
    assert!(!ours.answered(&description("8", &[])).unwrap().rtcp_mux);
}

#[test]
fn comfort_noise_is_agreed_only_where_both_want_it() {
    let offer = description("8 13", &["rtpmap:13 CN/8000"]);
    let wanting = |codecs: &[Codec]| {
        Negotiation::new(1, Abilities { comfort_noise: true, ..Abilities::of(codecs.to_vec()) })
    };
    let (answer, stream) = wanting(&[Pcma]).answer(&offer, local()).unwrap();
    assert_eq!((said(&answer).0.as_str(), stream.comfort_noise), ("8 13", true));
    let (answer, stream) = all().answer(&offer, local()).unwrap();
    assert_eq!((said(&answer).0.as_str(), stream.comfort_noise), ("8", false));
    let wide = description("111 13", &["rtpmap:111 opus/48000/2"]);
    let (answer, stream) = wanting(&[Codec::Opus]).answer(&wide, local()).unwrap();
    assert_eq!((said(&answer).0.as_str(), stream.comfort_noise), ("111", false), "its clock is 8 000");
    let mut ours = wanting(&[Pcma]);
    ours.offer(local(), Direction::SendRecv);
    assert!(ours.answered(&description("8 13", &[])).unwrap().comfort_noise);
    assert!(!ours.answered(&description("8", &[])).unwrap().comfort_noise);
}

#[test]
fn packets_are_as_long_as_the_peer_wants_and_no_longer_than_it_takes() {
    for (attributes, ms) in [
        (&[][..], 20),
        (&["ptime:30"][..], 30),
        (&["ptime:40", "maxptime:20"][..], 20),
        (&["maxptime:10"][..], 10),
        (&["maxptime:150"][..], 20),
        (&["ptime:1"][..], 10),
        (&["ptime:200", "maxptime:240"][..], 60),
        (&["ptime:x", "maxptime:"][..], 20),
    ] {
        let (_, stream) = all().answer(&description("8", attributes), local()).unwrap();
        assert_eq!(stream.packet_time, Duration::from_millis(ms), "{attributes:?}");
    }
}
