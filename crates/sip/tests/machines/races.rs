//! Everything that can cross: CANCEL, BYE, ACK and 2xx, lost and late (RFC 3261 §9, §13, §15; RFC 5407).

use crate::world::*;
use sip::ua::*;

fn hang_up(session: SessionId) -> Do {
    Do::HangUp { session, q850: None }
}

#[test]
fn a_cancel_ends_a_ringing_call_with_487() {
    let mut world = World::pair();
    let ours = world.call(ALICE, BOB);
    world.run_for(50);
    let theirs = world.incoming(BOB);
    world.act(ALICE, Do::HangUp { session: ours, q850: Some(16) });
    assert_eq!(world.ending(ALICE, ours).how, How::Ours);
    world.run_for(50);
    let ending = world.ending(BOB, theirs);
    assert_eq!((ending.how, ending.status, ending.q850), (How::PeerCancelled, Some(487), Some(16)));
    assert_eq!(world.sent_by(BOB, "SIP/2.0 487"), 1);
    assert_eq!(world.sent_by(ALICE, "ACK"), 1);
    world.run_to_rest();
    world.assert_idle();
}

#[test]
fn a_cancel_before_any_provisional_answer_waits_for_one() {
    let mut world = World::pair();
    world.lose("SIP/2.0 100", 1);
    let ours = world.call(ALICE, BOB);
    world.run_for(5);
    world.act(ALICE, hang_up(ours));
    world.run_for(400);
    assert_eq!(world.sent_by(ALICE, "CANCEL"), 0);
    // The INVITE is repeated, and so is the 100.
    world.run_for(200);
    assert_eq!(world.sent_by(ALICE, "CANCEL"), 1);
    assert_eq!(world.ending(BOB, world.incoming(BOB)).how, How::PeerCancelled);
    world.run_to_rest();
    world.assert_idle();
}

#[test]
fn a_200_that_crosses_a_cancel_is_acknowledged_and_ended_by_bye() {
    let mut world = World::pair();
    let ours = world.call(ALICE, BOB);
    world.run_for(50);
    let theirs = world.incoming(BOB);
    world.act(BOB, Do::Accept { session: theirs, sdp: ANSWER.to_vec() });
    world.act(ALICE, hang_up(ours));
    world.run_for(100);
    assert_eq!((world.sent_by(ALICE, "ACK"), world.sent_by(ALICE, "BYE")), (1, 1));
    let order: Vec<bool> = world
        .sent
        .iter()
        .filter(|p| p.bytes.starts_with(b"ACK") || p.bytes.starts_with(b"BYE"))
        .map(|p| p.bytes[0] == b'A')
        .collect();
    assert_eq!(order, [true, false], "the ACK goes first");
    // The CANCEL came after the final answer: 200, and no effect.
    assert!(
        world.seen("SIP/2.0 200").iter().any(|answer| header(answer, "CSeq").unwrap().ends_with("CANCEL"))
    );
    assert_eq!(world.ending(BOB, theirs).how, How::PeerHungUp);
    assert!(!world.has(ALICE, |e| matches!(e, Event::Answered { .. })));
    world.run_to_rest();
    world.assert_idle();
}

#[test]
fn a_200_that_answers_a_cancel_which_was_not_sent_yet_is_ended_too() {
    let mut world = World::pair();
    world.lose("SIP/2.0 100", 9);
    let ours = world.call(ALICE, BOB);
    world.run_for(15);
    let theirs = world.incoming(BOB);
    world.act(ALICE, Do::HangUp { session: ours, q850: Some(31) });
    world.act(BOB, Do::Accept { session: theirs, sdp: ANSWER.to_vec() });
    world.run_for(100);
    assert_eq!((world.sent_by(ALICE, "CANCEL"), world.sent_by(ALICE, "BYE")), (0, 1));
    assert_eq!(world.ending(BOB, theirs).q850, Some(31));
    world.run_to_rest();
    world.assert_idle();
}

#[test]
fn a_cancel_that_matches_nothing_gets_481() {
    let mut world = World::of(vec![open_config(ALICE)], 1);
    let peer = address(7);
    let cancel = invite(peer, "nothing", "").replace("INVITE", "CANCEL");
    world.inject(peer, ALICE, &cancel);
    world.run_for(20);
    assert!(world.take(peer)[0].starts_with("SIP/2.0 481"));
}

#[test]
fn a_cancel_that_is_never_obeyed_is_given_up_after_64_t1() {
    let mut world = World::of(vec![open_config(ALICE)], 1);
    let ours = world.call(ALICE, BOB);
    world.run_for(20);
    let sent = world.take(address(BOB)).pop().unwrap();
    world.inject(address(BOB), ALICE, &answer_to(&sent, "180 Ringing", ""));
    world.act(ALICE, hang_up(ours));
    world.run_for(31_000);
    assert_eq!(world.agents[ALICE].ua.load().sessions, 1);
    world.run_for(2_000);
    world.run_for(32_000);
    world.assert_idle();
    assert_eq!(world.ending(ALICE, ours).how, How::Ours);
}

#[test]
fn a_lost_ack_is_sent_again_with_each_200() {
    let mut world = World::pair();
    world.lose("ACK", 3);
    let ours = world.call(ALICE, BOB);
    world.run_for(50);
    let theirs = world.incoming(BOB);
    world.act(BOB, Do::Accept { session: theirs, sdp: ANSWER.to_vec() });
    world.run_for(10_000);
    // At 0, 0.5, 1.5 and 3.5 s; the fourth ACK arrives.
    assert_eq!((world.sent_by(BOB, "SIP/2.0 200"), world.sent_by(ALICE, "ACK")), (4, 4));
    assert_eq!(world.count(BOB, |e| matches!(e, Event::Confirmed { .. })), 1);
    assert_eq!(world.count(ALICE, |e| matches!(e, Event::Answered { session, .. } if *session == ours)), 1);
}

#[test]
fn a_200_that_nobody_acknowledges_ends_after_64_t1_with_evidence_and_bye() {
    let mut world = World::pair();
    world.lose("ACK", 99);
    let ours = world.call(ALICE, BOB);
    world.run_for(50);
    let theirs = world.incoming(BOB);
    world.act(BOB, Do::Accept { session: theirs, sdp: ANSWER.to_vec() });
    world.run_for(31_990);
    assert!(world.endings(BOB, theirs).is_empty());
    world.run_for(100);
    let ending = world.ending(BOB, theirs);
    assert_eq!(ending.how, How::NotAcknowledged);
    assert_eq!(
        ending.detail,
        "the 200 was not acknowledged in 32 s; Contact sent was <sip:help@10.0.0.2:5060>; \
         the peer's source was UDP 10.0.0.1:5060"
    );
    assert_eq!(world.ending(ALICE, ours).how, How::PeerHungUp);
    // RFC 3261 §13.3.1.4: from T1 doubling to T2: 0, .5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5 s.
    assert_eq!(world.sent_by(BOB, "SIP/2.0 200"), 11);
    world.run_to_rest();
    world.assert_idle();
}

#[test]
fn a_callee_that_hangs_up_before_the_ack_waits_for_it() {
    let mut world = World::pair();
    world.lose("ACK", 1);
    let ours = world.call(ALICE, BOB);
    world.run_for(50);
    let theirs = world.incoming(BOB);
    world.act(BOB, Do::Accept { session: theirs, sdp: ANSWER.to_vec() });
    world.act(BOB, Do::HangUp { session: theirs, q850: Some(16) });
    assert_eq!(world.ending(BOB, theirs).how, How::Ours);
    world.run_for(400);
    assert_eq!(world.sent_by(BOB, "BYE"), 0);
    world.run_for(300);
    assert_eq!(world.sent_by(BOB, "BYE"), 1);
    assert_eq!(world.ending(ALICE, ours).q850, Some(16));
    world.run_to_rest();
    world.assert_idle();
}

#[test]
fn crossing_byes_each_get_200() {
    let mut world = World::pair();
    let (ours, theirs) = world.established();
    world.act(ALICE, hang_up(ours));
    world.act(BOB, hang_up(theirs));
    world.run_for(100);
    let oks = world.seen("SIP/2.0 200");
    assert_eq!(oks.iter().filter(|ok| header(ok, "CSeq").unwrap().ends_with("BYE")).count(), 2);
    assert_eq!(world.seen("SIP/2.0 481").len(), 0);
    assert_eq!((world.ending(ALICE, ours).how, world.ending(BOB, theirs).how), (How::Ours, How::Ours));
    world.run_to_rest();
    world.assert_idle();
}

#[test]
fn a_bye_that_is_lost_is_repeated() {
    let mut world = World::pair();
    let (ours, theirs) = world.established();
    world.lose("BYE", 4);
    world.act(ALICE, hang_up(ours));
    world.run_for(8_000);
    assert_eq!(world.ending(BOB, theirs).how, How::PeerHungUp);
    assert_eq!(world.sent_by(ALICE, "BYE"), 5);
    world.run_to_rest();
    world.assert_idle();
}

#[test]
fn a_bye_that_nobody_answers_leaves_nothing_behind() {
    let mut world = World::pair();
    let (ours, _) = world.established();
    world.loses = Some(Box::new(|_| true));
    world.act(ALICE, hang_up(ours));
    world.run_for(33_000);
    assert!(world.agents[ALICE].ua.is_idle());
}

#[test]
fn a_bye_in_the_early_dialog_gets_200_and_the_invite_487() {
    let mut world = World::of(vec![open_config(ALICE)], 1);
    let peer = address(7);
    world.inject(peer, ALICE, &invite(peer, "early", ""));
    let session = world.incoming(ALICE);
    world.act(ALICE, Do::ring(session));
    world.run_for(20);
    let ringing = world.take(peer).pop().unwrap();
    let to = header(&ringing, "To").unwrap();
    let bye = format!(
        "BYE sip:help@10.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP {peer};branch=z9hG4bKbye\nFrom: <sip:x@y>;tag=f\nTo: {to}\n\
         Call-ID: early\nCSeq: 2 BYE\nContent-Length: 0\n\n"
    );
    world.inject(peer, ALICE, &bye);
    world.run_for(20);
    let answers = world.take(peer);
    assert!(answers[0].starts_with("SIP/2.0 200") && answers[1].starts_with("SIP/2.0 487"), "{answers:#?}");
    assert_eq!(world.ending(ALICE, session).how, How::PeerHungUp);
}

#[test]
fn the_second_fork_that_answers_is_acknowledged_and_ended() {
    let mut world = World::of(vec![open_config(ALICE)], 1);
    let ours = world.call(ALICE, BOB);
    world.run_for(20);
    let sent = world.take(address(BOB)).pop().unwrap();
    let (one, other) = (address(7), address(8));
    world.inject(address(BOB), ALICE, &fork(&sent, "one", one));
    world.inject(address(BOB), ALICE, &fork(&sent, "other", other));
    world.inject(address(BOB), ALICE, &fork(&sent, "other", other));
    world.inject(address(BOB), ALICE, &fork(&sent, "one", one));
    world.run_for(20);
    let (first, second) = (world.take(one), world.take(other));
    assert_eq!(first.iter().map(|m| &m[..3]).collect::<Vec<_>>(), ["ACK", "ACK"]);
    assert_eq!(second.iter().map(|m| &m[..3]).collect::<Vec<_>>(), ["ACK", "BYE", "ACK"]);
    assert!(second[1].contains(";tag=other") && second[1].starts_with("BYE sip:other@"));
    assert!(world.endings(ALICE, ours).is_empty(), "the first fork's call goes on");
    assert_eq!(world.count(ALICE, |e| matches!(e, Event::Answered { .. })), 1);
}

#[test]
fn a_200_is_acknowledged_even_after_its_session_is_forgotten() {
    let mut world = World::of(vec![open_config(ALICE)], 1);
    let ours = world.call(ALICE, BOB);
    world.run_for(20);
    let sent = world.take(address(BOB)).pop().unwrap();
    let ok = fork(&sent, "one", address(BOB));
    world.inject(address(BOB), ALICE, &ok);
    world.act(ALICE, hang_up(ours));
    world.run_for(20);
    let bye = world.take(address(BOB)).into_iter().find(|message| message.starts_with("BYE")).unwrap();
    world.inject(address(BOB), ALICE, &answer_to(&bye, "200 OK", ""));
    assert_eq!(world.agents[ALICE].ua.load().sessions, 0);
    world.inject(address(BOB), ALICE, &ok);
    world.run_for(20);
    let last = world.take(address(BOB));
    assert!(last.len() == 1 && last[0].starts_with("ACK"), "{last:#?}");
}

#[test]
fn messages_that_come_twice_or_in_the_wrong_order_change_nothing() {
    let mut world = World::pair();
    world.link.duplicate_permille = 1000;
    world.link.jitter = std::time::Duration::from_millis(40);
    let (ours, theirs) = world.established();
    world.act(ALICE, hang_up(ours));
    world.run_to_rest();
    assert_eq!(world.ending(ALICE, ours).how, How::Ours);
    assert_eq!(world.ending(BOB, theirs).how, How::PeerHungUp);
    assert_eq!(world.count(BOB, |e| matches!(e, Event::Incoming { .. })), 1);
    world.assert_idle();
}

/// Found by fuzzing: the second BYE asked for a second CANCEL with the first one's branch.
#[test]
fn a_callee_that_hangs_up_twice_before_it_answers_is_cancelled_once() {
    let mut world = World::pair();
    let peer: std::net::SocketAddr = "10.0.0.9:5060".parse().unwrap();
    let flow = Flow { transport: Transport::Udp, local: address(ALICE), remote: peer };
    let ours = world.call_as(ALICE, flow, None);
    world.run_for(20);
    let sent = world.take(peer).remove(0);
    world.inject(peer, ALICE, &answer_to(&sent, "180 Ringing", ""));
    world.run_for(20);
    let (from, to) = (header(&sent, "From").unwrap(), header(&sent, "To").unwrap());
    for cseq in [1, 2] {
        let bye = format!(
            "BYE sip:x@10.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP {peer};branch=z9hG4bKbye{cseq}\nFrom: {to};tag=peer\n\
             To: {from}\nCall-ID: {}\nCSeq: {cseq} BYE\nMax-Forwards: 70\nContent-Length: 0\n\n",
            header(&sent, "Call-ID").unwrap()
        );
        world.inject(peer, ALICE, &bye);
        world.run_for(20);
    }
    assert_eq!(world.ending(ALICE, ours).how, How::PeerHungUp);
    assert_eq!(world.sent_by(ALICE, "CANCEL"), 1);
    world.run_to_rest();
    world.assert_idle();
}
