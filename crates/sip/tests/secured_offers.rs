//! Keys of media in offer and answer (RFC 4568).

// What is no test itself counts as production code for the lints.
#![allow(clippy::unwrap_used, clippy::panic)]

use base::Seed;
use media_api::{Codec, Direction, Keys, Offerer, Security, Stream, Suite};
use sip::negotiation::{Abilities, Keying, MediaSecurity, Negotiation, Refusal};
use std::net::SocketAddr;

const KEY: &str = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
const OTHER: &str = "QUNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";

fn local() -> SocketAddr {
    "192.0.2.1:16384".parse().unwrap()
}

fn ours(policy: MediaSecurity, may_tell: bool) -> Negotiation {
    numbered(policy, may_tell, 7)
}

fn numbered(policy: MediaSecurity, may_tell: bool, seed: u64) -> Negotiation {
    let keying = Keying { policy, may_tell, seed: Seed::from_number(seed) };
    Negotiation::new(1, Abilities { keying, ..Abilities::of(vec![Codec::Pcma]) })
}

fn sdp(lines: &[&str]) -> Vec<u8> {
    let mut text = String::from("v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n");
    lines.iter().for_each(|line| text.push_str(&format!("{line}\r\n")));
    text.into_bytes()
}

fn crypto(tag: u32, suite: &str, key: &str) -> String {
    format!("a=crypto:{tag} {suite} inline:{key}")
}

fn usual(key: &str) -> String {
    crypto(1, "AES_CM_128_HMAC_SHA1_80", key)
}

fn keys(stream: &Stream) -> &Keys {
    match &stream.security {
        Security::Keyed(keys) => keys,
        other => panic!("{other:?}"),
    }
}

fn text(sdp: &[u8]) -> String {
    String::from_utf8(sdp.to_vec()).unwrap()
}

fn answer(policy: MediaSecurity, may_tell: bool, lines: &[&str]) -> Result<(String, Stream), Refusal> {
    let (sdp, stream) = ours(policy, may_tell).answer(&sdp(lines), local())?;
    Ok((text(&sdp), stream))
}

#[test]
fn what_is_answered_to_what_is_offered() {
    use MediaSecurity::{Off, Optional, Required};
    let crypto = &usual(KEY);
    let f8 = "a=crypto:1 F8_128_HMAC_SHA1_80 inline:WVNf";
    let plain: &[&str] = &["m=audio 4000 RTP/AVP 8"];
    let secure: &[&str] = &["m=audio 4000 RTP/SAVP 8", crypto];
    let both_in_one: &[&str] = &["m=audio 4000 RTP/AVP 8", crypto];
    let two_lines: &[&str] = &["m=audio 4000 RTP/AVP 8", "m=audio 4002 RTP/SAVP 8", crypto];
    let feedback: &[&str] = &["m=audio 4000 RTP/SAVPF 8", crypto];
    let unknown: &[&str] = &["m=audio 4000 RTP/SAVP 8", f8];
    let unknown_beside_plain: &[&str] = &["m=audio 4000 RTP/AVP 8", f8];
    let dtls: &[&str] = &["m=audio 4000 UDP/TLS/RTP/SAVPF 8", "a=fingerprint:sha-256 AB"];
    for (policy, may_tell, offer, expected) in [
        (Off, true, plain, Ok("RTP/AVP")),
        (Off, true, both_in_one, Ok("RTP/AVP")),
        (Off, true, two_lines, Ok("RTP/AVP")),
        (Off, true, secure, Err(488)),
        (Optional, false, plain, Ok("RTP/AVP")),
        (Optional, false, secure, Ok("RTP/SAVP crypto")),
        (Optional, true, both_in_one, Ok("RTP/AVP crypto")),
        (Optional, true, two_lines, Ok("RTP/SAVP crypto")),
        (Optional, true, feedback, Ok("RTP/SAVPF crypto")),
        (Optional, true, unknown, Err(488)),
        (Optional, true, unknown_beside_plain, Ok("RTP/AVP")),
        (Optional, true, dtls, Err(488)),
        (Required, true, plain, Err(488)),
        (Required, true, secure, Ok("RTP/SAVP crypto")),
        (Required, true, both_in_one, Ok("RTP/AVP crypto")),
        (Required, true, unknown_beside_plain, Err(488)),
        (Required, false, secure, Err(488)),
        (Required, false, plain, Err(488)),
    ] {
        let found = answer(policy, may_tell, offer).map(|(sdp, stream)| {
            let line = sdp.lines().find(|line| line.starts_with("m=audio 16384")).unwrap();
            let protocol = line.split(' ').nth(2).unwrap().to_owned();
            let secured = stream.security != Security::Plain;
            assert_eq!(secured, sdp.contains("a=crypto"), "{policy:?} {offer:?}");
            if secured { format!("{protocol} crypto") } else { protocol }
        });
        let found = found.map_err(|refusal| refusal.status);
        assert_eq!(found, expected.map(str::to_owned), "{policy:?} {may_tell} {offer:?}");
    }
}

#[test]
fn a_refusal_says_what_to_do() {
    let crypto = &usual(KEY);
    for (policy, offer, why) in [
        (MediaSecurity::Off, ["m=audio 4000 RTP/SAVP 8", crypto], "media_security is off"),
        (MediaSecurity::Required, ["m=audio 4000 RTP/SAVP 8", crypto], "call by TLS"),
        (MediaSecurity::Required, ["m=audio 4000 RTP/AVP 8", "a=sendrecv"], "no line of audio offers that"),
        (MediaSecurity::Optional, ["m=audio 4000 RTP/SAVP 8", "a=sendrecv"], "no key"),
    ] {
        let refusal = answer(policy, false, &offer).unwrap_err();
        assert!(refusal.why.contains(why), "{refusal}");
        assert!(!refusal.why.contains(KEY));
    }
}

#[test]
fn the_first_suite_that_we_have_is_taken_with_its_tag_and_a_key_of_our_own() {
    let offer = [
        "m=audio 4000 RTP/SAVP 8",
        "a=crypto:1 F8_128_HMAC_SHA1_80 inline:WVNf",
        &crypto(7, "AES_CM_128_HMAC_SHA1_32", OTHER),
        &usual(KEY),
    ];
    let (sdp, stream) = answer(MediaSecurity::Required, true, &offer).unwrap();
    let keys = keys(&stream);
    assert_eq!(keys.terms().suite, Suite::AesCm128HmacSha1Tag32);
    assert_eq!(keys.terms().offerer, Offerer::Peer);
    assert_eq!(sdp.matches("a=crypto:").count(), 1);
    assert!(sdp.contains("a=crypto:7 AES_CM_128_HMAC_SHA1_32 inline:"));
    assert!(!sdp.contains(OTHER));
    assert_ne!(keys.ours, keys.theirs);
}

#[test]
fn our_key_changes_exactly_when_the_peers_does() {
    let mut session = ours(MediaSecurity::Optional, false);
    let mut offer = |key: &str| {
        let (_, stream) = session.answer(&sdp(&["m=audio 4000 RTP/SAVP 8", &usual(key)]), local()).unwrap();
        keys(&stream).clone()
    };
    let (first, again, other) = (offer(KEY), offer(KEY), offer(OTHER));
    assert_eq!(first, again);
    assert_ne!(first.ours, other.ours);
    let mut elsewhere = numbered(MediaSecurity::Optional, false, 8);
    let (_, stream) = elsewhere.answer(&sdp(&["m=audio 4000 RTP/SAVP 8", &usual(KEY)]), local()).unwrap();
    assert_ne!(keys(&stream).ours, first.ours, "another session has other keys");
}

#[test]
fn what_is_offered() {
    use MediaSecurity::{Off, Optional, Required};
    for (policy, may_tell, protocol, lines) in [
        (Off, true, "RTP/AVP", 0),
        (Optional, false, "RTP/AVP", 0),
        (Optional, true, "RTP/AVP", 4),
        (Required, true, "RTP/SAVP", 4),
    ] {
        let mut session = ours(policy, may_tell);
        let sdp = text(&session.offer(local(), Direction::SendRecv));
        assert!(sdp.contains(&format!("m=audio 16384 {protocol} ")), "{sdp}");
        assert_eq!(sdp.matches("a=crypto:").count(), lines);
        assert_eq!(text(&session.offer(local(), Direction::SendRecv)), sdp, "the same again is the same");
    }
    assert!(!ours(Required, false).can_offer());
    assert!(ours(Optional, false).can_offer());
}

#[test]
fn what_the_answer_to_our_offer_means() {
    use MediaSecurity::{Optional, Required};
    let gcm = crypto(2, "AEAD_AES_128_GCM", "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubA==");
    let wrong_tag = crypto(3, "AES_CM_128_HMAC_SHA1_80", KEY);
    let taken = &usual(KEY);
    for (policy, answer, expected) in [
        (Optional, ["m=audio 4000 RTP/AVP 8", "a=sendrecv"], Ok(None)),
        (Optional, ["m=audio 4000 RTP/AVP 8", taken], Ok(Some(Suite::AesCm128HmacSha1Tag80))),
        (Optional, ["m=audio 4000 RTP/AVP 8", &gcm], Ok(Some(Suite::AesGcm128))),
        (Optional, ["m=audio 4000 RTP/SAVP 8", taken], Ok(Some(Suite::AesCm128HmacSha1Tag80))),
        (Optional, ["m=audio 4000 RTP/AVP 8", &wrong_tag], Err(488)),
        (Optional, ["m=audio 4000 RTP/SAVP 8", "a=sendrecv"], Err(488)),
        (Required, ["m=audio 4000 RTP/SAVP 8", taken], Ok(Some(Suite::AesCm128HmacSha1Tag80))),
        (Required, ["m=audio 4000 RTP/AVP 8", "a=sendrecv"], Err(488)),
        (Required, ["m=audio 4000 RTP/SAVP 8", "a=sendrecv"], Err(488)),
        (Required, ["m=audio 4000 RTP/SAVP 8", &wrong_tag], Err(488)),
        (Required, ["m=audio 0 RTP/SAVP 8", taken], Err(488)),
    ] {
        let mut session = ours(policy, true);
        let offer = text(&session.offer(local(), Direction::SendRecv));
        let found = session.answered(&sdp(&answer)).map(|stream| match &stream.security {
            Security::Plain | Security::Handshake(_) => None,
            Security::Keyed(keys) => {
                assert!(offer.contains(keys.terms().suite.name()) && keys.terms().offerer == Offerer::Us);
                Some(keys.terms().suite)
            }
        });
        assert_eq!(found.map_err(|refusal| refusal.status), expected, "{policy:?} {answer:?}");
    }
}

#[test]
fn what_is_in_force_is_offered_again() {
    let mut session = ours(MediaSecurity::Optional, false);
    let (_, stream) = session.answer(&sdp(&["m=audio 4000 RTP/SAVP 8", &usual(KEY)]), local()).unwrap();
    let offer = session.offer(local(), Direction::SendOnly);
    assert!(text(&offer).contains("m=audio 16384 RTP/SAVP "));
    assert_eq!(text(&offer).matches("a=crypto:").count(), 1);
    let held = session.answered(&sdp(&["m=audio 4000 RTP/SAVP 8", &usual(KEY), "a=recvonly"])).unwrap();
    assert_eq!((&keys(&held).ours, &keys(&held).theirs), (&keys(&stream).ours, &keys(&stream).theirs));
    let mut plain = ours(MediaSecurity::Optional, true);
    plain.answer(&sdp(&["m=audio 4000 RTP/AVP 8"]), local()).unwrap();
    assert!(!text(&plain.offer(local(), Direction::SendOnly)).contains("a=crypto"));
}

/// Two of ours, one calling the other: what one sends by is what the other opens by.
#[test]
fn both_ends_agree_on_the_same_keys_the_other_way_round() {
    let (mut one, mut other) =
        (ours(MediaSecurity::Required, true), numbered(MediaSecurity::Optional, true, 9));
    let offer = one.offer(local(), Direction::SendRecv);
    let (answer, at_other) = other.answer(&offer, local()).unwrap();
    let at_one = one.answered(&answer).unwrap();
    assert_eq!(keys(&at_one).ours, keys(&at_other).theirs);
    assert_eq!(keys(&at_one).theirs, keys(&at_other).ours);
}

#[test]
fn more_keys_than_anybody_needs_are_refused() {
    let line = usual(KEY);
    let mut lines = vec!["m=audio 4000 RTP/SAVP 8"];
    lines.extend([line.as_str(); 17]);
    assert_eq!(answer(MediaSecurity::Optional, true, &lines).unwrap_err().status, 400);
}
