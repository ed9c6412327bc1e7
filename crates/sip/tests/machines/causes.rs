//! Why something ended, as both sides are told: Reason in every refusal, BYE and CANCEL (RFC 3326, RFC 6432), and
//! warnings that people can read.

use crate::world::*;
use sip::cause;
use sip::ua::*;

#[test]
fn every_status_has_a_cause_and_every_cause_a_status_and_words() {
    for status in 300..700 {
        let q850 = cause::of_status(status);
        assert!((1..128).contains(&q850), "{status}");
        assert!(!cause::text(q850).is_empty(), "{status}");
    }
    for q850 in 0..128 {
        assert!((400..700).contains(&cause::to_status(q850)), "{q850}");
    }
}

#[test]
fn the_usual_refusals_keep_their_meaning_through_the_telephone_network_and_back() {
    // RFC 3398 §8.2.6.1 and §7.2.4.1.
    for (status, q850) in
        [(404, 1), (486, 17), (410, 22), (484, 28), (501, 79), (503, 41), (488, 65), (504, 102)]
    {
        assert_eq!((cause::of_status(status), cause::to_status(q850)), (q850, status));
    }
    for (status, q850, back) in
        [(600, 17, 486), (603, 21, 403), (604, 1, 404), (480, 18, 408), (408, 102, 504)]
    {
        assert_eq!((cause::of_status(status), cause::to_status(q850)), (q850, back));
    }
    for (q850, status) in
        [(16, 480), (19, 480), (20, 480), (21, 403), (26, 404), (27, 502), (34, 503), (127, 500)]
    {
        assert_eq!(cause::to_status(q850), status);
    }
}

fn reasons(world: &World, beginning: &str) -> Vec<String> {
    world.seen(beginning).iter().map(|message| header(message, "Reason").unwrap_or("").to_owned()).collect()
}

#[test]
fn a_refusal_without_a_cause_gets_the_one_that_its_status_means() {
    let mut world = World::pair();
    let ours = world.call(ALICE, BOB);
    world.run_for(50);
    let session = world.incoming(BOB);
    world.act(BOB, Do::Refuse { session, status: 486, q850: None, warning: None });
    world.run_for(50);
    assert_eq!(reasons(&world, "SIP/2.0 486"), ["Q.850;cause=17;text=\"User busy\""]);
    assert_eq!(world.ending(ALICE, ours).q850, Some(17));
}

#[test]
fn a_refusal_outside_of_sessions_has_a_reason_too() {
    let mut world = World::of(vec![open_config(ALICE)], 1);
    world.inject(
        address(7),
        ALICE,
        &invite(address(7), "odd", "Content-Type: text/plain\n")
            .replace("Content-Length: 0\n\n", "Content-Length: 1\n\nx"),
    );
    world.run_for(20);
    let refused = world.take(address(7)).pop().unwrap();
    assert!(refused.starts_with("SIP/2.0 415"));
    assert!(header(&refused, "Reason").unwrap().starts_with("Q.850;cause=79"));
}

#[test]
fn a_warning_says_what_is_wrong_with_the_offer() {
    let mut world = World::pair();
    world.call(ALICE, BOB);
    world.run_for(50);
    let session = world.incoming(BOB);
    let warning = Some(Warning::new(WarnCode::MediaFormat, "none of the codecs \"x\" is ours"));
    world.act(BOB, Do::Refuse { session, status: 488, q850: None, warning });
    world.run_for(50);
    let warned = header(&world.seen("SIP/2.0 488")[0], "Warning").map(str::to_owned);
    assert_eq!(warned.as_deref(), Some("305 10.0.0.2:5060 \"none of the codecs \\\"x\\\" is ours\""));
}

#[test]
fn a_bye_says_why_and_is_understood() {
    for (given, told) in [(None, 16), (Some(31), 31)] {
        let mut world = World::pair();
        let (ours, theirs) = world.established();
        world.act(ALICE, Do::HangUp { session: ours, q850: given });
        world.run_for(50);
        assert!(reasons(&world, "BYE")[0].starts_with(&format!("Q.850;cause={told};")));
        assert_eq!(world.ending(BOB, theirs).q850, Some(told));
    }
}

#[test]
fn a_call_that_somebody_else_took_is_cancelled_so_that_no_call_is_missed() {
    let mut world = World::pair();
    let ours = world.call(ALICE, BOB);
    world.run_for(50);
    let theirs = world.incoming(BOB);
    world.act(ALICE, Do::HangUp { session: ours, q850: Some(cause::ELSEWHERE) });
    world.run_for(50);
    let reason = &reasons(&world, "CANCEL")[0];
    assert!(
        reason.starts_with("SIP;cause=200;text=\"Call completed elsewhere\", Q.850;cause=26"),
        "{reason}"
    );
    assert_eq!(world.ending(BOB, theirs).q850, Some(26));
}

#[test]
fn a_reason_in_sips_own_words_counts_as_well() {
    for (value, q850) in [
        ("SIP;cause=486;text=\"Busy Here\"", Some(17)),
        ("SIP;cause=200;text=\"Call completed elsewhere\"", Some(26)),
        ("Q.850;cause=34, SIP;cause=486", Some(34)),
        ("SIP;cause=603\nReason: Q.850 ; cause=21", Some(21)),
        ("Q.850;cause=300", None),
        ("Q.850", None),
        ("preemption;cause=1", None),
    ] {
        let mut world = World::of(vec![open_config(ALICE)], 1);
        let session = world.call(ALICE, BOB);
        world.run_for(20);
        let sent = world.take(address(BOB)).pop().unwrap();
        world.inject(address(BOB), ALICE, &answer_to(&sent, "480 Gone", &format!("Reason: {value}\n")));
        assert_eq!(world.ending(ALICE, session).q850, q850, "{value}");
    }
}
