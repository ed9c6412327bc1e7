//! Offers before the final answer: UPDATE in early dialogs in both roles (RFC 3311), and what is told of early
//! media (RFC 5009).

use crate::world::*;
use sip::ua::*;

const NEWER: &[u8] =
    b"v=0\r\no=- 1 2 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4002 RTP/AVP 8\r\n";

fn progress(session: SessionId, sdp: Option<&[u8]>) -> Do {
    Do::Progress {
        session,
        status: 183,
        sdp: sdp.map(<[u8]>::to_vec),
        early_media: Some(EarlyMedia::SendOnly),
    }
}

/// Alice has called Bob, who has answered early.
fn early() -> (World, SessionId, SessionId) {
    let mut world = World::pair();
    let ours = world.call(ALICE, BOB);
    world.run_for(50);
    let theirs = world.incoming(BOB);
    world.act(BOB, progress(theirs, Some(ANSWER)));
    world.run_for(100);
    assert!(world.has(ALICE, |e| matches!(e, Event::Progress { sdp: Some(sdp), .. } if sdp == ANSWER)));
    (world, ours, theirs)
}

fn reoffer(session: SessionId) -> Do {
    Do::Reoffer { session, sdp: NEWER.to_vec() }
}

#[test]
fn either_side_may_offer_anew_before_the_answer_by_update() {
    for (from, to) in [(ALICE, BOB), (BOB, ALICE)] {
        let (mut world, ours, theirs) = early();
        let (mine, other) = if from == ALICE { (ours, theirs) } else { (theirs, ours) };
        world.act(from, reoffer(mine));
        world.run_for(50);
        assert!(world.has(to, |e| matches!(e, Event::Reoffered { sdp: Some(sdp), .. } if sdp == NEWER)));
        world.act(to, Do::AcceptReoffer { session: other, sdp: ANSWER.to_vec() });
        world.run_for(50);
        assert!(world.has(from, |e| matches!(e, Event::Reanswered { sdp, .. } if sdp == ANSWER)));
        assert_eq!(world.sent_by(from, "UPDATE"), 1);
        world.act(BOB, Do::Accept { session: theirs, sdp: ANSWER.to_vec() });
        world.run_for(50);
        assert!(world.has(ALICE, |e| matches!(e, Event::Answered { sdp: None, .. })));
        assert!(world.has(BOB, |e| matches!(e, Event::Confirmed { .. })));
        world.act(ALICE, Do::HangUp { session: ours, q850: None });
        world.run_to_rest();
        world.assert_idle();
    }
}

#[test]
fn updates_that_meet_get_491_and_are_tried_again() {
    let (mut world, ours, theirs) = early();
    world.act(ALICE, reoffer(ours));
    world.act(BOB, reoffer(theirs));
    world.run_for(50);
    assert_eq!(world.seen("SIP/2.0 491").len(), 2);
    for _ in 0..100 {
        world.run_for(50);
        for (agent, session) in [(ALICE, ours), (BOB, theirs)] {
            let open = world.count(agent, |e| matches!(e, Event::Reoffered { .. }));
            if open > 0 {
                world.act(agent, Do::AcceptReoffer { session, sdp: ANSWER.to_vec() });
            }
        }
    }
    let answered =
        |agent| world.count(agent, |e| matches!(e, Event::Reanswered { .. } | Event::ReofferRefused { .. }));
    assert_eq!((answered(ALICE), answered(BOB)), (1, 1));
}

#[test]
fn an_update_before_the_first_answer_gets_500_with_retry_after() {
    let mut world = World::of(vec![open_config(ALICE)], 1);
    world.inject(address(7), ALICE, &with_body(&invite(address(7), "soon", "Supported: 100rel\n"), OFFER));
    let session = world.incoming(ALICE);
    world.act(ALICE, Do::ring(session));
    world.run_for(20);
    let ringing = world.take(address(7)).pop().unwrap();
    world.inject(address(7), ALICE, &with_body(&request_in(&ringing, "UPDATE", 2, ""), NEWER));
    world.run_for(20);
    let refused = world.take(address(7)).pop().unwrap();
    assert!(refused.starts_with("SIP/2.0 500"), "{refused}");
    assert!(header(&refused, "Retry-After").is_some());
    world.inject(address(7), ALICE, &request_in(&ringing, "UPDATE", 3, ""));
    world.run_for(20);
    assert!(world.take(address(7)).pop().unwrap().starts_with("SIP/2.0 200"), "it offers nothing");
}

#[test]
fn an_offer_before_the_first_was_answered_cannot_be_made() {
    let mut world = World::pair();
    let ours = world.call(ALICE, BOB);
    world.run_for(50);
    let theirs = world.incoming(BOB);
    world.act(BOB, Do::ring(theirs));
    world.run_for(50);
    world.act(ALICE, reoffer(ours));
    world.run_for(50);
    assert_eq!(world.sent_by(ALICE, "UPDATE"), 0);
    assert!(world.has(ALICE, |e| matches!(e, Event::ReofferRefused { status: 491, .. })));
}

#[test]
fn a_2xx_waits_for_our_answer_to_an_early_update() {
    let (mut world, ours, theirs) = early();
    world.act(ALICE, reoffer(ours));
    world.run_for(50);
    world.act(BOB, Do::Accept { session: theirs, sdp: ANSWER.to_vec() });
    world.run_for(50);
    assert!(!world.has(ALICE, |e| matches!(e, Event::Answered { .. })));
    world.act(BOB, Do::AcceptReoffer { session: theirs, sdp: ANSWER.to_vec() });
    world.run_for(50);
    assert!(world.has(ALICE, |e| matches!(e, Event::Answered { sdp: None, .. })));
}

#[test]
fn p_early_media_is_written_and_believed_only_where_the_trunk_knows_it() {
    for known in [true, false] {
        let trunk = |name: &str, at: usize| Trunk {
            addresses: vec![address(at).ip().into()],
            p_early_media: known,
            ..trunk(name, at)
        };
        let mut configs = vec![open_config(ALICE), open_config(BOB)];
        configs[ALICE].trunks = vec![trunk("to bob", BOB)];
        configs[BOB].trunks = vec![trunk("to alice", ALICE)];
        let mut world = World::of(configs, 1);
        world.call_towards(ALICE, Towards::Trunk("to bob".into()), "bob.example", None);
        world.run_for(50);
        let theirs = world.incoming(BOB);
        world.act(BOB, progress(theirs, Some(ANSWER)));
        world.run_for(50);
        let told = if known { Some(EarlyMedia::SendOnly) } else { None };
        assert!(
            world.has(ALICE, |e| matches!(e, Event::Progress { early_media, .. } if *early_media == told))
        );
        assert_eq!(header(&world.seen("INVITE")[0], "P-Early-Media"), known.then_some("supported"));
        assert_eq!(header(&world.seen("SIP/2.0 183")[0], "P-Early-Media"), known.then_some("sendonly"));
    }
}

#[test]
fn an_update_that_nobody_answered_is_over_with_its_call() {
    let (mut world, _, theirs) = early();
    world.act(BOB, reoffer(theirs));
    world.run_for(50);
    assert!(world.has(ALICE, |e| matches!(e, Event::Reoffered { .. })));
    world.act(BOB, Do::Refuse { session: theirs, status: 486, q850: None, warning: None });
    world.run_to_rest();
    world.assert_idle();
}
