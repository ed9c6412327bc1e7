//! What browsers say: ICE, handshakes, bundles.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper of a test may fail it")]

use media_api::{CertificateHash, Fingerprint};
use sip::sdp::{CandidateKind, Origin, Sdp, Setup, write};
use std::net::IpAddr;
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
        let sdp = Sdp::parse(offer_of(name).as_bytes()).unwrap();
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        let text = write(
            &Origin { session: 1, version: 1, address },
            address,
            &Sdp { ice_lite: true, ..sdp.clone() },
        );
        assert_eq!(Sdp::parse(text.as_bytes()).unwrap(), Sdp { ice_lite: true, ..sdp }, "{text}");
    }
}
