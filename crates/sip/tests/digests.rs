//! Digest authentication: the RFC's own vectors, and the two sides against each other.

#![allow(clippy::unwrap_used, reason = "a helper of a test may fail it")]

use base::{Seed, Time};
use sip::digest::{Asking, Denied, NONCE_LIFETIME, Reason, Unanswerable, Verifier, is_stale, respond};
use std::time::Duration;

const MUFASA: Asking<'_> = Asking {
    method: "GET",
    uri: "/dir/index.html",
    user: "Mufasa",
    password: "Circle of Life",
    cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    nonce_count: 1,
};

/// A challenge of RFC 7616 §3.9.1.
fn rfc_7616(algorithm: &str) -> String {
    format!(
        "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, \
         nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
         opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
    )
}

#[test]
fn the_vectors_of_rfc_7616_and_rfc_2617_hold() {
    let rfc_2617 = "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", \
        nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
    let older = Asking { password: "Circle Of Life", cnonce: "0a4f113b", ..MUFASA };
    let table = [
        (rfc_7616("MD5"), MUFASA, "8ca523f5e9506fed4657c9700eebdbec"),
        (rfc_7616("SHA-256"), MUFASA, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        (rfc_2617.to_owned(), older, "6629fae49393a05397450978507c4ef1"),
    ];
    for (challenge, asking, response) in table {
        let value = respond(&[&challenge], &asking).unwrap();
        assert!(value.contains(&format!("response=\"{response}\"")), "{value}");
        assert!(value.contains(", qop=auth, ") && value.contains(", nc=00000001"), "{value}");
    }
}

#[test]
fn the_strongest_challenge_that_we_can_answer_is_answered() {
    let (md5, sha) = (rfc_7616("MD5"), rfc_7616("SHA-256"));
    let unknown = rfc_7616("SHA-512-256");
    for challenges in [[&md5, &sha, &unknown], [&unknown, &sha, &md5]] {
        let value = respond(&challenges.map(String::as_str), &MUFASA).unwrap();
        assert!(value.contains("algorithm=SHA-256,"), "{value}");
    }
    assert_eq!(respond(&[&unknown], &MUFASA), Err(Unanswerable::Unsupported));
    let integrity = md5.replace("auth, auth-int", "auth-int");
    assert_eq!(respond(&[&integrity], &MUFASA), Err(Unanswerable::Unsupported));
    for none in [vec![], vec!["Basic realm=\"x\""], vec!["Digest"], vec!["Digest realm=\"x\""]] {
        assert_eq!(respond(&none, &MUFASA), Err(Unanswerable::NoDigest));
    }
}

const NOW: Time = Time::from_millis(1_000_000);

fn verifier() -> Verifier {
    Verifier::new(
        "desk.example".to_owned(),
        vec![sip::digest::Algorithm::Sha256, sip::digest::Algorithm::Md5],
        Seed::from_number(3),
        4,
    )
}

fn agent(nonce_count: u32, password: &str) -> Asking<'_> {
    Asking {
        method: "REGISTER",
        uri: "sip:desk.example",
        user: "an\"na",
        password,
        cnonce: "c0ffee",
        nonce_count,
    }
}

const HERE: std::net::IpAddr = std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn answer(challenges: &[String], asking: &Asking<'_>) -> String {
    respond(&challenges.iter().map(String::as_str).collect::<Vec<_>>(), asking).unwrap()
}

fn verify(verifier: &mut Verifier, now: Time, value: &str) -> Result<String, Reason> {
    verifier
        .verify(now, HERE, [value], "REGISTER", |user| (user == "an\"na").then_some("secret"))
        .map(|proven| proven.user)
        .map_err(|Denied { reason, .. }| reason)
}

#[test]
fn who_knows_the_password_is_let_in_once_for_each_nonce_count() {
    let mut verifier = verifier();
    let challenges = verifier.challenge(NOW, false, HERE);
    for algorithm in &challenges {
        // Both carry the same nonce: what was used with one hash cannot be used with the other.
        let one = [algorithm.clone()];
        let first = algorithm.contains("SHA-256");
        let (count, again) = if first { (1, 2) } else { (3, 4) };
        let value = answer(&one, &agent(count, "secret"));
        assert_eq!(verify(&mut verifier, NOW, &value), Ok("an\"na".to_owned()));
        assert_eq!(verify(&mut verifier, NOW, &value), Err(Reason::Replayed));
        assert!(verify(&mut verifier, NOW, &answer(&one, &agent(again, "secret"))).is_ok());
        assert_eq!(verify(&mut verifier, NOW, &answer(&one, &agent(count, "secret"))), Err(Reason::Replayed));
    }
    assert!(challenges[0].contains("algorithm=SHA-256") && challenges[1].contains("algorithm=MD5"));
}

#[test]
fn every_way_of_not_proving_oneself_has_its_reason() {
    let mut verifier = verifier();
    let challenges = verifier.challenge(NOW, false, HERE);
    let good = answer(&challenges, &agent(1, "secret"));
    let table = [
        (answer(&challenges, &agent(1, "Secret")), Reason::Wrong),
        (good.replace("an\\\"na", "nobody"), Reason::Wrong),
        (good.replace("sip:desk", "sip:disk"), Reason::Wrong),
        (good.replace("nc=00000001", "nc=00000002"), Reason::Wrong),
        (good.replace("c0ffee", "c0ffed"), Reason::Wrong),
        (good.replace("response=\"", "response=\"0"), Reason::Wrong),
        (good.replace("desk.example\", nonce", "other.example\", nonce"), Reason::Missing),
        (good.replace("Digest", "Basic"), Reason::Missing),
        ("Digest".to_owned(), Reason::Missing),
        (good.replace("username", "name"), Reason::Malformed),
        (good.replace("response", "resp"), Reason::Malformed),
        (good.replace("nc=00000001", "nc=1"), Reason::Malformed),
        (good.replace("nc=00000001", "nc=0000000g"), Reason::Malformed),
        (good.replace("cnonce", "c"), Reason::Malformed),
        (good.replace("qop=auth", "qop=auth-int"), Reason::Malformed),
        (good.replace("SHA-256", "SHA-1"), Reason::Malformed),
    ];
    for (value, reason) in table {
        assert_eq!(verify(&mut verifier, NOW, &value), Err(reason), "{value}");
    }
    assert_eq!(
        verifier.verify(NOW, HERE, [], "REGISTER", |_| Some("secret")),
        Err(Denied { reason: Reason::Missing, user: None, returned: false })
    );
    let other_method = verifier.verify(NOW, HERE, [good.as_str()], "INVITE", |_| Some("secret"));
    assert_eq!(
        other_method,
        Err(Denied { reason: Reason::Wrong, user: Some("an\"na".to_owned()), returned: true })
    );
    assert!(verify(&mut verifier, NOW, &good).is_ok(), "a failed attempt does not use the nonce up");
}

#[test]
fn an_old_or_a_forged_nonce_is_stale_only_for_those_who_know_the_password() {
    let mut verifier = verifier();
    let challenges = verifier.challenge(NOW, true, HERE);
    assert!(is_stale(&challenges.iter().map(String::as_str).collect::<Vec<_>>()));
    let (good, wrong) = (answer(&challenges, &agent(1, "secret")), answer(&challenges, &agent(1, "guess")));
    let late = NOW + NONCE_LIFETIME + Duration::from_micros(1);
    assert_eq!(verify(&mut verifier, late, &good), Err(Reason::Stale));
    assert_eq!(verify(&mut verifier, late, &wrong), Err(Reason::Wrong));
    assert!(verify(&mut verifier, NOW + NONCE_LIFETIME, &good).is_ok());

    let mut stranger = Verifier::new(
        "desk.example".to_owned(),
        vec![sip::digest::Algorithm::Sha256, sip::digest::Algorithm::Md5],
        Seed::from_number(4),
        4,
    );
    let forged = answer(&stranger.challenge(NOW, false, HERE), &agent(1, "secret"));
    assert_eq!(verify(&mut verifier, NOW, &forged), Err(Reason::Stale));
    let short = ["Digest realm=\"desk.example\", nonce=\"AAAA\", qop=\"auth\"".to_owned()];
    assert_eq!(verify(&mut verifier, NOW, &answer(&short, &agent(1, "secret"))), Err(Reason::Stale));
}

#[test]
fn what_the_memory_had_to_forget_can_not_be_replayed() {
    let mut verifier = verifier();
    let values: Vec<String> =
        (0..6).map(|_| answer(&verifier.challenge(NOW, false, HERE), &agent(1, "secret"))).collect();
    for value in &values {
        assert!(verify(&mut verifier, NOW, value).is_ok());
    }
    let again: Vec<_> = values.iter().map(|value| verify(&mut verifier, NOW, value)).collect();
    let (stale, replayed) = (Err(Reason::Stale), Err(Reason::Replayed));
    assert_eq!(again, [stale.clone(), stale, replayed.clone(), replayed.clone(), replayed.clone(), replayed]);
}

#[test]
fn a_wrong_proof_tells_whether_its_nonce_was_given_to_the_one_who_sends_it() {
    let mut verifier = verifier();
    let wrong = answer(&verifier.challenge(NOW, false, HERE), &agent(1, "guess"));
    let mut returned = |now, from: &str| {
        let from = from.parse().unwrap();
        verifier.verify(now, from, [wrong.as_str()], "REGISTER", |_| Some("secret")).unwrap_err().returned
    };
    assert!(returned(NOW, "127.0.0.1") && returned(NOW, "::ffff:127.0.0.1"));
    assert!(!returned(NOW, "127.0.0.2"), "another one's nonce, as a forger would send it");
    assert!(!returned(NOW + NONCE_LIFETIME + Duration::from_micros(1), "127.0.0.1"));
}

#[test]
fn a_client_without_qop_can_use_a_nonce_once() {
    let mut verifier = verifier();
    let challenges = verifier.challenge(NOW, false, HERE).into_iter();
    let challenges: Vec<String> = challenges.map(|value| value.replace(", qop=\"auth\"", "")).collect();
    let value = answer(&challenges, &agent(1, "secret"));
    assert!(!value.contains("qop"));
    assert!(verify(&mut verifier, NOW, &value).is_ok());
    assert_eq!(verify(&mut verifier, NOW, &value), Err(Reason::Replayed));
}

#[test]
fn an_algorithm_that_is_not_offered_proves_nothing() {
    let mut verifier = Verifier::new(
        "desk.example".to_owned(),
        vec![sip::digest::Algorithm::Sha256],
        Seed::from_number(3),
        4,
    );
    let challenge = verifier.challenge(Time::ZERO, false, HERE);
    assert_eq!(challenge.len(), 1);
    let weaker = challenge[0].replace("SHA-256", "MD5");
    let asking = Asking {
        user: "anna",
        password: "secret",
        method: "REGISTER",
        uri: "sip:desk.example",
        cnonce: "abc",
        nonce_count: 1,
    };
    let credentials = respond(&[&weaker], &asking).unwrap();
    let denied = verifier
        .verify(Time::ZERO, HERE, [credentials.as_str()], "REGISTER", |_| Some("secret"))
        .unwrap_err();
    assert_eq!(denied.reason, Reason::Missing);
}
