//! A call that a proxy sends to several: early dialogs of their own, one answer, and what comes too late.

use crate::world::*;
use sip::ua::*;

const OTHER: &[u8] =
    b"v=0\r\no=- 3 3 IN IP4 10.0.0.3\r\ns=-\r\nc=IN IP4 10.0.0.3\r\nt=0 0\r\nm=audio 6000 RTP/AVP 8\r\n";

/// Alice calls; her INVITE.
fn calling() -> (World, SessionId, String) {
    let mut world = World::of(vec![open_config(ALICE)], 1);
    let session = world.call(ALICE, BOB);
    world.run_for(20);
    let invite = world.take(address(BOB)).pop().unwrap();
    (world, session, invite)
}

/// A reliable answer of the fork `tag`, which lives at the test's address `at`.
fn early(invite: &str, tag: &str, at: usize, rseq: u32) -> String {
    let more =
        format!("Require: 100rel\nRSeq: {rseq}\nAllow: UPDATE\nContact: <sip:{tag}@{}>\n", address(at));
    answer_to(invite, "183 Session Progress", &more).replace(";tag=peer", &format!(";tag={tag}"))
}

fn methods(world: &mut World, at: usize) -> Vec<String> {
    world.run_for(20);
    let taken = world.take(address(at));
    taken.iter().map(|message| message.split(' ').next().unwrap().to_owned()).collect()
}

#[test]
fn each_fork_has_numbers_and_a_place_of_its_own() {
    let (mut world, _, invite) = calling();
    world.inject(address(BOB), ALICE, &early(&invite, "one", 7, 1));
    world.inject(address(BOB), ALICE, &early(&invite, "two", 8, 900));
    world.run_for(20);
    let pracks = [7, 8].map(|at| world.take(address(at)).pop().expect("a PRACK for each"));
    for (prack, (tag, rseq)) in pracks.iter().zip([("one", 1), ("two", 900)]) {
        assert!(prack.starts_with(&format!("PRACK sip:{tag}@")), "{prack}");
        assert!(header(prack, "To").unwrap().ends_with(&format!(";tag={tag}")));
        assert!(header(prack, "RAck").unwrap().starts_with(&format!("{rseq} ")));
    }
    // One goes on from its own number, not from the other's.
    world.inject(address(BOB), ALICE, &early(&invite, "one", 7, 2));
    assert_eq!(methods(&mut world, 7), ["PRACK"]);
    world.inject(address(BOB), ALICE, &early(&invite, "two", 8, 3));
    assert!(methods(&mut world, 8).is_empty());
}

#[test]
fn the_fork_that_answers_is_the_one_that_is_talked_with() {
    let (mut world, session, invite) = calling();
    world.inject(address(BOB), ALICE, &with_body(&early(&invite, "one", 7, 1), ANSWER));
    world.inject(address(BOB), ALICE, &with_body(&early(&invite, "two", 8, 1), OTHER));
    // The first answers; the second was heard last, so the answer is told again.
    world.inject(address(BOB), ALICE, &fork(&invite, "one", address(7)));
    let told = |e: &Event| matches!(e, Event::Answered { sdp: Some(sdp), .. } if sdp == ANSWER);
    assert!(world.has(ALICE, told));
    world.act(ALICE, Do::HangUp { session, q850: None });
    world.run_for(20);
    assert_eq!(methods(&mut world, 7), ["PRACK", "ACK", "BYE"]);
}

#[test]
fn the_2xx_of_a_second_fork_is_acknowledged_and_hung_up() {
    let (mut world, session, invite) = calling();
    world.inject(address(BOB), ALICE, &with_body(&early(&invite, "one", 7, 1), ANSWER));
    world.inject(address(BOB), ALICE, &early(&invite, "two", 8, 1));
    world.inject(address(BOB), ALICE, &fork(&invite, "one", address(7)));
    world.inject(address(BOB), ALICE, &fork(&invite, "two", address(8)));
    world.inject(address(BOB), ALICE, &fork(&invite, "two", address(8)));
    assert_eq!(methods(&mut world, 8), ["PRACK", "ACK", "BYE", "ACK"]);
    assert_eq!(methods(&mut world, 7), ["PRACK", "ACK"]);
    assert_eq!(world.count(ALICE, |e| matches!(e, Event::Answered { .. })), 1);
    assert!(world.endings(ALICE, session).is_empty());
}

#[test]
fn the_bye_of_a_second_fork_is_numbered_beyond_its_pracks() {
    let (mut world, _, invite) = calling();
    world.inject(address(BOB), ALICE, &early(&invite, "two", 8, 1));
    world.inject(address(BOB), ALICE, &early(&invite, "two", 8, 2));
    world.inject(address(BOB), ALICE, &fork(&invite, "one", address(7)));
    world.inject(address(BOB), ALICE, &fork(&invite, "two", address(8)));
    world.run_for(20);
    let taken = world.take(address(8));
    let number = |method: &str| -> Option<u32> {
        let last = taken.iter().rev().find(|message| message.starts_with(method))?;
        header(last, "CSeq")?.split(' ').next()?.parse().ok()
    };
    assert!(number("BYE").unwrap() > number("PRACK").unwrap(), "{taken:?}");
}

#[test]
fn a_fork_that_was_offered_anew_keeps_its_place_until_the_answer() {
    let (mut world, session, invite) = calling();
    world.inject(address(BOB), ALICE, &with_body(&early(&invite, "one", 7, 1), ANSWER));
    world.act(ALICE, Do::Reoffer { session, sdp: OFFER.to_vec() });
    world.run_for(20);
    let update = world.take(address(7)).into_iter().find(|m| m.starts_with("UPDATE")).unwrap();
    world.inject(address(BOB), ALICE, &with_body(&early(&invite, "two", 8, 1), OTHER));
    assert!(!world.has(ALICE, |e| matches!(e, Event::Progress { sdp: Some(sdp), .. } if sdp == OTHER)));
    world.inject(address(7), ALICE, &with_body(&answer_to(&update, "200 OK", ""), ANSWER));
    assert!(world.has(ALICE, |e| matches!(e, Event::Reanswered { .. })));
    world.inject(address(BOB), ALICE, &with_body(&fork(&invite, "two", address(8)), OTHER));
    assert!(world.has(ALICE, |e| matches!(e, Event::Answered { sdp: Some(sdp), .. } if sdp == OTHER)));
}

#[test]
fn more_forks_than_can_be_heard_are_told_of_but_not_heard() {
    let (mut world, _, invite) = calling();
    for number in 0..20 {
        world.inject(address(BOB), ALICE, &with_body(&early(&invite, &format!("f{number}"), 7, 1), ANSWER));
    }
    assert_eq!(methods(&mut world, 7).len(), 8);
    world.inject(address(BOB), ALICE, &with_body(&fork(&invite, "f19", address(7)), OTHER));
    assert!(world.has(ALICE, |e| matches!(e, Event::Answered { sdp: Some(sdp), .. } if sdp == OTHER)));
}

#[test]
fn a_2xx_that_comes_after_we_gave_up_is_hung_up() {
    let (mut world, session, invite) = calling();
    world.run_for(33_000);
    assert_eq!(world.ending(ALICE, session).how, How::PeerTimeout);
    world.take(address(BOB));
    world.inject(address(BOB), ALICE, &fork(&invite, "late", address(BOB)));
    assert_eq!(methods(&mut world, BOB), ["ACK", "BYE"]);
    world.inject(address(BOB), ALICE, &fork(&invite, "late", address(BOB)));
    assert_eq!(methods(&mut world, BOB)[0], "ACK");
    world.run_to_rest();
    world.assert_idle();
}

#[test]
fn a_callee_that_begins_to_ring_after_we_gave_up_is_cancelled() {
    let (mut world, session, invite) = calling();
    world.run_for(33_000);
    assert_eq!(world.ending(ALICE, session).how, How::PeerTimeout);
    world.take(address(BOB));
    world.inject(address(BOB), ALICE, &answer_to(&invite, "180 Ringing", ""));
    assert_eq!(methods(&mut world, BOB), ["CANCEL"]);
    world.inject(address(BOB), ALICE, &answer_to(&invite, "180 Ringing", ""));
    assert!(!methods(&mut world, BOB).contains(&"INVITE".to_owned()));
    world.run_to_rest();
    world.assert_idle();
}
