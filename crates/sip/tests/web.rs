//! What browsers say: ICE, handshakes, bundles.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper of a test may fail it")]

use base::Seed;
use media_api::{CertificateHash, Codec, Direction, Fingerprint, Handshake, Security, SpeakersTold, Stream};
use sip::negotiation::{Abilities, Handshaking, Negotiation};
use sip::sdp::{CandidateKind, Origin, Sdp, Setup, write};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

/// The offer of a file in `descriptions/`.
fn offer_of(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/descriptions/{name}.sdp"));
    let text = std::fs::read_to_string(file).unwrap();
    let end = text.find("answer:\n").or(text.find("refusal:\n")).unwrap_or(text.len());
    text[..end].replace('\n', "\r\n")
}

#[test]
fn a_browsers_offer_is_read_with_all_that_it_says_of_its_way() {
    let sdp = Sdp::parse(offer_of("chrome").as_bytes()).unwrap();
    let web = &sdp.media[0].web;
    assert_eq!((sdp.bundle.as_slice(), sdp.ice_lite), (&["0".to_owned()][..], false));
    assert_eq!((web.mid.as_deref(), web.setup, web.trickles), (Some("0"), Some(Setup::ActPass), true));
    assert_eq!(
        (web.ice_ufrag.as_deref(), web.ice_pwd.as_deref()),
        (Some("EsAw"), Some("P2uYro0UCOQ4zxjKXaWCBui1"))
    );
    assert_eq!((web.audio_level(), web.msid.as_deref()), (Some(1), Some("9a1b 77c0")));
    // The one with a name of its own network is nothing to us.
    assert_eq!(web.candidates.len(), 1);
    let candidate = &web.candidates[0];
    assert_eq!((candidate.address, candidate.port), ("192.0.2.90".parse::<IpAddr>().unwrap(), 54_321));
    assert_eq!((candidate.kind, candidate.priority), (CandidateKind::ServerReflexive, 1_677_729_535));
    assert_eq!(web.fingerprints.len(), 1);
    assert_eq!(web.fingerprints[0].as_bytes()[..3], [0x0f, 0x74, 0x31]);
}

#[test]
fn what_the_session_says_holds_for_its_lines_unless_they_say_otherwise() {
    let sdp = Sdp::parse(offer_of("firefox").as_bytes()).unwrap();
    let web = &sdp.media[0].web;
    assert_eq!((web.fingerprints.len(), web.trickles, web.audio_level()), (1, true, Some(1)));
    let own = Fingerprint::new(CertificateHash::Sha256, &[7; 32]).unwrap();
    let both =
        offer_of("firefox").replace("a=mid:0", &format!("a=mid:0\r\na=fingerprint:{own}\r\na=setup:active"));
    let sdp = Sdp::parse(both.replace("a=setup:actpass", "a=x").as_bytes()).unwrap();
    assert_eq!((&sdp.media[0].web.fingerprints, sdp.media[0].web.setup), (&vec![own], Some(Setup::Active)));
    let two = "v=0\r\na=ice-ufrag:aaaa\r\na=ice-pwd:one\r\na=setup:passive\r\nm=audio 9 X 1\r\nm=audio 9 X 1\r\na=ice-ufrag:bbbb\r\n\
        a=ice-pwd:two\r\na=setup:active\r\n";
    let sdp = Sdp::parse(two.as_bytes()).unwrap();
    let names: Vec<_> = sdp
        .media
        .iter()
        .map(|line| (line.web.ice_ufrag.as_deref().unwrap(), line.web.setup.unwrap()))
        .collect();
    assert_eq!(names, [("aaaa", Setup::Passive), ("bbbb", Setup::Active)]);
}

#[test]
fn what_is_broken_or_no_proof_is_passed_over_and_the_rest_is_bounded() {
    let pairs = |count: usize| vec!["AB"; count].join(":");
    for (line, candidates, fingerprints) in [
        ("candidate:1 1 udp 1 192.0.2.1 5 typ host".to_owned(), 1, 0),
        ("candidate:1 1 UDP 1 2001:db8::1 5 typ relay raddr 192.0.2.1 rport 4 generation 0".to_owned(), 1, 0),
        ("candidate:1 2 udp 1 192.0.2.1 5 typ host".to_owned(), 0, 0),
        ("candidate:1 1 tcp 1 192.0.2.1 9 typ host tcptype active".to_owned(), 0, 0),
        ("candidate:1 1 udp 1 192.0.2.1 0 typ host".to_owned(), 0, 0),
        ("candidate:1 1 udp 99999999999 192.0.2.1 5 typ host".to_owned(), 0, 0),
        ("candidate:1 1 udp 1 host.example 5 typ host".to_owned(), 0, 0),
        ("candidate:1 1 udp 1 192.0.2.1 5 typ other".to_owned(), 0, 0),
        ("candidate:".to_owned(), 0, 0),
        (format!("fingerprint:SHA-256 {}", pairs(32).to_lowercase()), 0, 1),
        (format!("fingerprint:sha-512 {}", pairs(64)), 0, 1),
        (format!("fingerprint:sha-1 {}", pairs(20)), 0, 0),
        (format!("fingerprint:sha-256 {}", pairs(31)), 0, 0),
        (format!("fingerprint:sha-256 {}", pairs(33)), 0, 0),
        (format!("fingerprint:sha-256 {}:+1", pairs(31)), 0, 0),
        (format!("fingerprint:sha-256 {}", pairs(4000)), 0, 0),
        ("fingerprint:sha-256".to_owned(), 0, 0),
    ] {
        let text = format!("v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 8\r\na={line}\r\n");
        let web = &Sdp::parse(text.as_bytes()).unwrap().media[0].web;
        assert_eq!((web.candidates.len(), web.fingerprints.len()), (candidates, fingerprints), "{line}");
    }
    let many = |line: &str| format!("v=0\r\nm=audio 9 X 8\r\n{}", format!("a={line}\r\n").repeat(200));
    let read = |line: &str| Sdp::parse(many(line).as_bytes()).unwrap().media.remove(0).web;
    assert_eq!(read("candidate:1 1 udp 1 192.0.2.1 5 typ host").candidates.len(), 32);
    assert_eq!(read(&format!("fingerprint:sha-256 {}", pairs(32))).fingerprints.len(), 8);
    assert_eq!(read("extmap:1 urn:x").extensions.len(), 16);
    assert_eq!(read(&format!("mid:{}", "x".repeat(257))).mid, None);
    assert_eq!(read("setup:whoever").setup, None);
}

#[test]
fn what_is_written_is_read_back_the_same() {
    for name in ["chrome", "firefox"] {
        let mut sdp = Sdp::parse(offer_of(name).as_bytes()).unwrap();
        // Mixes are ours: who reads what we write is not offered to send them.
        let theirs = |name: &str| !name.ends_with("csrc-audio-level");
        sdp.media.iter_mut().for_each(|media| media.web.extensions.retain(|(_, name)| theirs(name)));
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        let text = write(
            &Origin { session: 1, version: 1, address },
            address,
            &Sdp { ice_lite: true, ..sdp.clone() },
        );
        assert_eq!(Sdp::parse(text.as_bytes()).unwrap(), Sdp { ice_lite: true, ..sdp }, "{text}");
    }
}

fn local() -> SocketAddr {
    "203.0.113.1:16384".parse().unwrap()
}

fn fingerprint(byte: u8) -> Fingerprint {
    Fingerprint::new(CertificateHash::Sha256, &[byte; 32]).unwrap()
}

/// A side that speaks with browsers; with `offers` its offers are for one.
fn side(seed: u64, offers: bool) -> Negotiation {
    let ours = Handshaking { fingerprint: fingerprint(seed as u8), seed: Seed::from_number(seed), offers };
    let codecs = vec![Codec::Opus, Codec::Pcma];
    Negotiation::new(seed, Abilities { handshaking: Some(ours), ..Abilities::of(codecs) })
}

fn handshake(stream: &Stream) -> &Handshake {
    match &stream.security {
        Security::Handshake(handshake) => handshake,
        other => panic!("{other:?}"),
    }
}

/// What a browser answers to our offer.
fn answer_of_a_browser(ufrag: &str) -> String {
    offer_of("chrome")
        .replace("setup:actpass", "setup:active")
        .replace("ufrag:EsAw", &format!("ufrag:{ufrag}"))
}

#[test]
fn a_browser_is_answered_as_who_is_found_and_waits_for_its_handshake() {
    let mut ours = side(1, false);
    let (answer, stream) = ours.answer(offer_of("chrome").as_bytes(), local()).unwrap();
    let agreed = handshake(&stream).clone();
    assert_eq!(agreed.theirs.ufrag(), "EsAw");
    assert_eq!(agreed.fingerprints.len(), 1);
    assert_eq!((stream.codec, stream.payload_type, stream.rtcp_mux), (Codec::Opus, 111, true));
    assert_eq!(stream.remote_rtcp, stream.remote);
    let sdp = Sdp::parse(&answer).unwrap();
    let web = &sdp.media[0].web;
    assert_eq!((sdp.ice_lite, sdp.bundle.as_slice()), (true, &["0".to_owned()][..]));
    assert_eq!(sdp.media[0].protocol, "UDP/TLS/RTP/SAVPF");
    assert_eq!((web.setup, web.has_all_candidates), (Some(Setup::Passive), true));
    assert_eq!(web.ice_ufrag.as_deref(), Some(agreed.ours.ufrag()));
    assert_eq!((web.candidates[0].address, web.candidates[0].port), (local().ip(), local().port()));
    assert_eq!((&web.fingerprints, web.audio_level()), (&vec![fingerprint(1)], Some(1)));
    // The same again, perhaps with another direction, changes nothing of it; other names are an ICE restart.
    let held = offer_of("chrome").replace("a=sendrecv", "a=sendonly");
    let (_, again) = ours.answer(held.as_bytes(), local()).unwrap();
    assert_eq!(handshake(&again), &agreed);
    let (_, restarted) = ours.answer(offer_of("chrome").replace("EsAw", "NeWw").as_bytes(), local()).unwrap();
    assert_ne!(handshake(&restarted).ours, agreed.ours);
    assert_eq!(handshake(&restarted).theirs.ufrag(), "NeWw");
}

#[test]
fn a_browser_that_tells_its_ways_later_does_not_hold() {
    let (_, stream) = side(1, false).answer(offer_of("firefox").as_bytes(), local()).unwrap();
    assert_eq!((stream.direction, stream.remote.port()), (Direction::SendRecv, 9));
    assert!(stream.remote.ip().is_unspecified());
}

#[test]
fn our_offer_to_a_browser_lets_it_begin_and_keeps_its_names_as_long_as_the_session_lives() {
    let mut ours = side(2, true);
    let first = ours.offer(local(), Direction::SendRecv);
    let said = Sdp::parse(&first).unwrap();
    let web = said.media[0].web.clone();
    assert_eq!((web.mid.as_deref(), web.setup, said.ice_lite), (Some("0"), Some(Setup::ActPass), true));
    assert!(said.media[0].rtcp_mux && said.bundle == ["0"]);
    let stream = ours.answered(answer_of_a_browser("EsAw").as_bytes()).unwrap();
    assert_eq!(Some(handshake(&stream).ours.ufrag()), web.ice_ufrag.as_deref());
    assert_eq!(handshake(&stream).theirs.ufrag(), "EsAw");
    let again = Sdp::parse(&ours.offer(local(), Direction::SendOnly)).unwrap();
    assert_eq!(again.media[0].web, web);
    let passive = answer_of_a_browser("EsAw").replace("setup:active", "setup:passive");
    let mut refusing = side(2, true);
    refusing.offer(local(), Direction::SendRecv);
    assert_eq!(
        refusing.answered(passive.as_bytes()).unwrap_err().why,
        "the answer does not begin the handshake: a=setup must be active"
    );
}

#[test]
fn two_that_only_wait_to_be_found_do_not_find_each_other() {
    let offer = side(2, true).offer(local(), Direction::SendRecv);
    let refusal = side(3, false).answer(&offer, local()).unwrap_err();
    assert!(refusal.status == 488 && refusal.why.contains("a=ice-lite"), "{refusal}");
    let mut ours = side(2, true);
    ours.offer(local(), Direction::SendRecv);
    let lite = answer_of_a_browser("EsAw").replace("t=0 0", "t=0 0\r\na=ice-lite");
    assert!(ours.answered(lite.as_bytes()).unwrap_err().why.contains("a=ice-lite"));
}

/// RFC 8839 §4.4.1: other names in an answer to the same ones would ask the browser to look for us anew.
#[test]
fn a_browser_that_we_called_and_that_holds_is_answered_by_the_names_of_our_offer() {
    let mut ours = side(2, true);
    ours.offer(local(), Direction::SendRecv);
    let agreed = handshake(&ours.answered(answer_of_a_browser("EsAw").as_bytes()).unwrap()).clone();
    let held = offer_of("chrome").replace("a=sendrecv", "a=sendonly");
    let (answer, stream) = ours.answer(held.as_bytes(), local()).unwrap();
    assert_eq!((&handshake(&stream).ours, &handshake(&stream).theirs), (&agreed.ours, &agreed.theirs));
    let said = Sdp::parse(&answer).unwrap().media.remove(0).web;
    assert_eq!(said.ice_ufrag.as_deref(), Some(agreed.ours.ufrag()));
}

#[test]
fn an_offer_that_restarts_has_new_names_which_hold_once_they_are_answered() {
    let mut ours = side(1, false);
    let (_, stream) = ours.answer(offer_of("chrome").as_bytes(), local()).unwrap();
    let before = handshake(&stream).clone();
    let ufrag = |offer: &[u8]| Sdp::parse(offer).unwrap().media.remove(0).web.ice_ufrag.unwrap();
    ours.restart();
    let refused = ufrag(&ours.offer(local(), Direction::SendRecv));
    assert_ne!(refused, before.ours.ufrag());
    assert_eq!(ufrag(&ours.offer(local(), Direction::SendRecv)), before.ours.ufrag(), "it was not answered");
    ours.restart();
    let again = ufrag(&ours.offer(local(), Direction::SendRecv));
    assert!(again != refused && again != before.ours.ufrag());
    let stream = ours.answered(answer_of_a_browser("NeWw").as_bytes()).unwrap();
    let agreed = handshake(&stream);
    assert_eq!((agreed.ours.ufrag(), agreed.theirs.ufrag()), (again.as_str(), "NeWw"));
    assert_eq!((&agreed.fingerprints, &agreed.tls_id), (&before.fingerprints, &before.tls_id));
    assert_eq!(ufrag(&ours.offer(local(), Direction::SendRecv)), again);
}

/// RFC 8285 §5: a number that was agreed for an extension is never given another meaning, nor it another number.
#[test]
fn an_offer_of_ours_gives_header_extensions_the_numbers_that_the_session_began_with() {
    let level = "extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level";
    for (theirs, number) in [
        ("extmap:14 urn:ietf:params:rtp-hdrext:ssrc-audio-level", Some(14)),
        ("extmap:1 urn:example:another", None),
    ] {
        let mut ours = side(1, false);
        ours.answer(offer_of("chrome").replace(level, theirs).as_bytes(), local()).unwrap();
        for is_restart in [false, true] {
            if is_restart {
                ours.restart();
            }
            let again = Sdp::parse(&ours.offer(local(), Direction::SendRecv)).unwrap();
            assert_eq!(again.media[0].web.audio_level(), number, "{theirs}");
            assert_eq!(again.media[0].web.extensions.len(), usize::from(number.is_some()));
        }
    }
}

/// RFC 6465: said where it is wanted, and the direction says that it is we who mix.
#[test]
fn a_browser_is_told_who_speaks_and_also_how_loud_if_it_takes_that() {
    let line = |text: &str| format!("a=extmap:{text} urn:ietf:params:rtp-hdrext:csrc-audio-level\r\n");
    for (theirs, ours, speakers) in [
        ("", None, SpeakersTold::Names),
        ("2/recvonly", Some("2/sendonly"), SpeakersTold::Levels(2)),
        ("13", Some("13/sendonly"), SpeakersTold::Levels(13)),
        ("13/sendrecv", Some("13/sendonly"), SpeakersTold::Levels(13)),
        ("13/sendonly", None, SpeakersTold::Names),
        ("13/inactive", None, SpeakersTold::Names),
    ] {
        let more = if theirs.is_empty() { String::new() } else { line(theirs) };
        let offer = offer_of("chrome").replace("a=rtcp-mux\r\n", &format!("a=rtcp-mux\r\n{more}"));
        let (answer, stream) = side(1, false).answer(offer.as_bytes(), local()).unwrap();
        let answer = String::from_utf8(answer).unwrap();
        assert_eq!(stream.speakers, speakers, "{theirs}");
        assert_eq!(answer.contains("csrc-audio-level"), ours.is_some(), "{theirs}");
        assert!(ours.is_none_or(|ours| answer.contains(&line(ours))), "{answer}");
    }
    // Of our own offer.
    let mut ours = side(1, true);
    let offer = String::from_utf8(ours.offer(local(), Direction::SendRecv)).unwrap();
    assert!(offer.contains(&line("2/sendonly")), "{offer}");
    let answer = answer_of_a_browser("EsAw");
    assert_eq!(ours.answered(answer.as_bytes()).unwrap().speakers, SpeakersTold::Names);
    ours.offer(local(), Direction::SendRecv);
    let answer = answer.replace("a=rtcp-mux\r\n", &format!("a=rtcp-mux\r\n{}", line("2/recvonly")));
    assert_eq!(ours.answered(answer.as_bytes()).unwrap().speakers, SpeakersTold::Levels(2));
}

/// Its first address may be of the other family than that by which it reached us: it has both.
#[test]
fn a_browser_is_looked_for_by_nobody_so_any_address_of_its_own_will_do() {
    let local = "[2001:db8::1]:16384".parse().unwrap();
    let (answer, _) = side(1, false).answer(offer_of("chrome").as_bytes(), local).unwrap();
    let web = Sdp::parse(&answer).unwrap().media.remove(0).web;
    assert_eq!((web.candidates[0].address, web.ice2), (local.ip(), true));
}

#[test]
fn a_browser_that_tells_no_way_at_all_is_answered() {
    let silent: String = offer_of("chrome")
        .lines()
        .filter(|line| !line.starts_with("a=candidate"))
        .map(|line| format!("{line}\r\n"))
        .collect();
    for offer in [silent.clone(), silent.replace("a=mid:0", "a=mid:0\r\na=end-of-candidates")] {
        let (_, stream) = side(1, false).answer(offer.as_bytes(), local()).unwrap();
        assert_eq!(handshake(&stream).theirs.ufrag(), "EsAw");
    }
}

#[test]
fn who_is_no_whole_browser_is_refused_with_what_is_missing() {
    let without = |line: &str| {
        let offer = offer_of("chrome");
        let lines = offer.lines().filter(|other| !other.starts_with(line));
        lines.map(|line| format!("{line}\r\n")).collect::<String>()
    };
    for (offer, why) in [
        (without("a=rtcp-mux"), "keeps RTCP apart"),
        (without("a=setup"), "there is no a=setup"),
        (without("a=fingerprint"), "no a=fingerprint"),
        (without("a=ice-pwd"), "no a=ice-ufrag and a=ice-pwd"),
        (offer_of("chrome").replace("P2uYro0UCOQ4zxjKXaWCBui1", "short"), "no a=ice-ufrag and a=ice-pwd"),
        (offer_of("chrome").replace("sha-256", "sha-1"), "SHA-256"),
        (offer_of("chrome").replace("actpass", "passive"), "must be actpass"),
    ] {
        let refusal = side(1, false).answer(offer.as_bytes(), local()).unwrap_err();
        assert_eq!(refusal.status, 488);
        assert!(refusal.why.contains(why), "{refusal}, not {why}");
        let mut ours = side(2, true);
        ours.offer(local(), Direction::SendRecv);
        let answer = offer.replace("actpass", "active");
        if why != "must be actpass" {
            assert_eq!(ours.answered(answer.as_bytes()).unwrap_err().status, 488, "{why}");
        }
    }
    let plain = "v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 4000 RTP/AVP 8\r\n";
    let mut ours = side(2, true);
    ours.offer(local(), Direction::SendRecv);
    assert_eq!(ours.answered(plain.as_bytes()).unwrap_err().status, 488, "keys are not to be done without");
    let mut without_browsers = Negotiation::new(1, Abilities::of(vec![Codec::Opus]));
    let refusal = without_browsers.answer(offer_of("chrome").as_bytes(), local()).unwrap_err();
    assert!(refusal.status == 488 && refusal.why.contains("not spoken here yet"), "{refusal}");
}

#[test]
fn a_browser_whose_line_names_an_address_of_another_family_finds_its_own_way() {
    let offer = offer_of("chrome").replace("c=IN IP4 192.0.2.90", "c=IN IP6 2001:db8::9");
    assert!(offer.contains("2001:db8::9"), "{offer}");
    assert!(side(1, false).answer(offer.as_bytes(), local()).is_ok());
}

#[test]
fn a_second_address_of_ours_is_told_after_the_first() {
    let mut ours = side(2, true);
    ours.reach_also_at(Some("10.0.0.5".parse().unwrap()));
    let offered = ours.offer(local(), Direction::SendRecv);
    let sdp = Sdp::parse(&offered).unwrap();
    let [first, second] = &sdp.media[0].web.candidates[..] else { panic!("{sdp:?}") };
    assert_eq!((first.address, first.port), (local().ip(), local().port()));
    assert_eq!((second.address.to_string().as_str(), second.port), ("10.0.0.5", local().port()));
    assert!(first.priority > second.priority && first.foundation != second.foundation);
    ours.reach_also_at(Some(local().ip()));
    let again = Sdp::parse(&ours.offer(local(), Direction::SendRecv)).unwrap();
    assert_eq!(again.media[0].web.candidates.len(), 1);
}
