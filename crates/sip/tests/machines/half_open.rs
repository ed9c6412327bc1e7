//! Who needs no password cannot fill the house with calls that nobody answers or acknowledges.

use crate::world::*;
use sip::ua::*;
use std::net::SocketAddr;

/// Open to the test network, with room for three such calls, two of one source.
fn world() -> World {
    let mut config = open_config(ALICE);
    (config.limits.half_open, config.limits.half_open_each) = (3, 2);
    config.trunks = vec![Trunk { addresses: vec!["10.0.0.21/32".parse().unwrap()], ..trunk("operator", 20) }];
    World::of(vec![config], 1)
}

/// The status of the last answer to an INVITE from there.
fn asks(world: &mut World, at: SocketAddr, call_id: &str) -> String {
    world.inject(at, ALICE, &with_body(&invite(at, call_id, ""), OFFER));
    world.run_for(20);
    world.take(at).pop().expect("an answer")
}

fn is_taken(answer: &str) -> bool {
    match answer.get(8..11) {
        Some("100") => true,
        Some("503") => {
            assert!(header(answer, "Retry-After").is_some(), "{answer}");
            false
        }
        _ => panic!("{answer}"),
    }
}

#[test]
fn pending_calls_of_one_open_source_of_all_and_of_a_trunk_have_a_limit() {
    let mut world = world();
    let [one, other, third] = [7, 8, 9].map(address);
    let taken: Vec<bool> = [(one, "a"), (one, "b"), (one, "c"), (other, "d"), (third, "e")]
        .map(|(at, call_id)| is_taken(&asks(&mut world, at, call_id)))
        .into();
    assert_eq!(taken, [true, true, false, true, false], "two of one source, three of all");
    assert_eq!(world.count(ALICE, |e| matches!(e, Event::Blocked { rule: "half_open", .. })), 2);
    let of_trunk = ["t", "u", "v", "w"].map(|call_id| is_taken(&asks(&mut world, address(20), call_id)));
    assert_eq!(of_trunk, [true, true, true, false], "three of its own");
}

#[test]
fn pending_calls_of_one_account_have_a_limit_wherever_they_come_from_and_another_account_its_own() {
    let mut config = open_config(ALICE);
    (config.open_to, config.limits.half_open_each) = (vec![], 2);
    config.accounts = vec![account("maria"), account("paolo")];
    let mut world = World::of(vec![config], 1);
    let mut calls = |number: usize, user: &str| {
        let at = address(number);
        let challenge = asks(&mut world, at, &format!("{user}{number}"));
        let wanted = header(&challenge, "WWW-Authenticate").expect("a challenge");
        let asking = sip::digest::Asking {
            method: "INVITE",
            uri: "sip:help@10.0.0.1",
            user,
            password: &account(user).password,
            cnonce: "c",
            nonce_count: 1,
        };
        let proof = sip::digest::respond(&[wanted], &asking).expect("an answer to it");
        let text = invite(at, &format!("p{user}{number}"), &format!("Authorization: {proof}\n"));
        world.inject(at, ALICE, &with_body(&text, OFFER));
        world.run_for(20);
        is_taken(&world.take(at).pop().expect("an answer"))
    };
    let taken = [(5, "maria"), (6, "maria"), (7, "maria"), (8, "paolo")].map(|(at, user)| calls(at, user));
    assert_eq!(taken, [true, true, false, true]);
}

#[test]
fn a_pending_call_makes_room_when_it_is_refused_cancelled_or_acknowledged_and_not_before() {
    let mut world = world();
    let at = address(7);
    let session = |world: &World| world.incoming(ALICE);
    assert!(is_taken(&asks(&mut world, at, "refused")));
    world.act(ALICE, Do::Refuse { session: session(&world), status: 486, q850: None, warning: None });
    assert!(is_taken(&asks(&mut world, at, "cancelled")));
    world.run_for(20);
    let cancel = invite(at, "cancelled", "").replace("INVITE", "CANCEL");
    world.inject(at, ALICE, &cancel);
    assert!(is_taken(&asks(&mut world, at, "answered")));
    world.act(ALICE, Do::Accept { session: session(&world), sdp: ANSWER.to_vec() });
    world.run_for(20);
    let ok = world.take(at).pop().unwrap();
    assert!(ok.starts_with("SIP/2.0 200"), "{ok}");
    assert!(is_taken(&asks(&mut world, at, "second")));
    assert!(!is_taken(&asks(&mut world, at, "third")), "one is not acknowledged, one not answered");
    world.inject(at, ALICE, &request_in(&ok, "ACK", 1, ""));
    assert!(is_taken(&asks(&mut world, at, "fourth")));
}

#[test]
fn an_answer_that_is_never_acknowledged_gives_its_place_back_after_64_t1() {
    let mut world = world();
    let at = address(7);
    for call_id in ["a", "b"] {
        assert!(is_taken(&asks(&mut world, at, call_id)));
        let session = world.incoming(ALICE);
        world.act(ALICE, Do::Accept { session, sdp: ANSWER.to_vec() });
    }
    assert!(!is_taken(&asks(&mut world, at, "more")));
    world.run_for(33_000);
    world.take(at);
    assert!(is_taken(&asks(&mut world, at, "again")));
}
