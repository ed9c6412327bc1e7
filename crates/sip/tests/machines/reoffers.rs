//! New offers in an established session: hold and resume both ways, glare, refusals (RFC 3261 §14, RFC 3311).

use crate::world::*;
use sip::ua::*;
use std::time::Duration;

const HOLD: &[u8] = b"v=0\r\nhold\r\n";

fn reoffer(session: SessionId) -> Do {
    Do::Reoffer { session, sdp: HOLD.to_vec() }
}

fn accept(session: SessionId) -> Do {
    Do::AcceptReoffer { session, sdp: ANSWER.to_vec() }
}

/// A request of a peer that the test plays, in the dialog that our `ok` opened.
fn in_dialog(ok: &str, method: &str, cseq: u32, more: &str) -> String {
    let peer = address(7);
    let (body, kind) = match more.split_once("\n\n") {
        Some((kind, body)) => (body, format!("{kind}\n")),
        None => ("", more.to_owned()),
    };
    format!(
        "{method} sip:help@10.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP {peer};branch=z9hG4bK{method}{cseq}\nFrom: <sip:x@y>;tag=f\n\
         To: {}\nCall-ID: {}\nCSeq: {cseq} {method}\nContact: <sip:x@{peer}>\n{kind}Content-Length: {}\n\n{body}",
        header(ok, "To").unwrap(),
        header(ok, "Call-ID").unwrap(),
        body.len()
    )
}

/// Alice in a session with the test as her peer: the session and her 200.
fn with_peer() -> (World, SessionId, String) {
    with_peer_of(&invite(address(7), "reoffers", ""))
}

/// The same with a peer that calls so.
fn with_peer_of(invite: &str) -> (World, SessionId, String) {
    let mut world = World::of(vec![open_config(ALICE)], 1);
    let peer = address(7);
    world.inject(peer, ALICE, invite);
    let session = world.incoming(ALICE);
    world.act(ALICE, Do::Accept { session, sdp: OFFER.to_vec() });
    world.run_for(20);
    let ok = world.take(peer).pop().unwrap();
    world.inject(peer, ALICE, &in_dialog(&ok, "ACK", 1, "Content-Type: application/sdp\n\nv=0\n"));
    assert!(world.has(ALICE, |e| matches!(e, Event::Confirmed { .. })));
    (world, session, ok)
}

const SDP: &str = "Content-Type: application/sdp\n\nv=0\n";

/// What the test sends, and the statuses of what comes back.
fn exchange(world: &mut World, text: &str) -> Vec<String> {
    world.inject(address(7), ALICE, text);
    world.run_for(20);
    world.take(address(7)).iter().map(|answer| answer[8..11].to_owned()).collect()
}

#[test]
fn either_side_can_hold_and_resume() {
    let mut world = World::pair();
    let (ours, theirs) = world.established();
    for (from, session, to, other) in [(ALICE, ours, BOB, theirs), (BOB, theirs, ALICE, ours)] {
        let (asked, answered) = (world.count(to, is_reoffered), world.count(from, is_reanswered));
        world.act(from, reoffer(session));
        world.run_for(50);
        assert_eq!(world.count(to, is_reoffered), asked + 1);
        world.act(to, accept(other));
        world.run_for(50);
        assert_eq!(world.count(from, is_reanswered), answered + 1);
    }
    assert_eq!(world.seen("SIP/2.0 491").len(), 0);
    world.act(ALICE, Do::HangUp { session: ours, q850: None });
    world.run_to_rest();
    world.assert_idle();
}

fn is_reoffered(event: &Event) -> bool {
    matches!(event, Event::Reoffered { sdp: Some(sdp), .. } if sdp == HOLD)
}

fn is_reanswered(event: &Event) -> bool {
    matches!(event, Event::Reanswered { sdp, .. } if sdp == ANSWER)
}

#[test]
fn a_lost_ack_of_a_reinvite_is_sent_again_and_a_missing_one_ends_the_session() {
    let mut world = World::pair();
    let (ours, theirs) = world.established();
    world.act(ALICE, reoffer(ours));
    world.run_for(50);
    world.lose("ACK", 2);
    world.act(BOB, accept(theirs));
    world.run_for(5_000);
    assert_eq!(world.count(ALICE, is_reanswered), 1);
    assert!(world.endings(BOB, theirs).is_empty());
    world.act(ALICE, reoffer(ours));
    world.run_for(50);
    world.lose("ACK", 99);
    world.act(BOB, accept(theirs));
    world.run_for(33_000);
    assert_eq!(world.ending(BOB, theirs).how, How::NotAcknowledged);
    assert_eq!(world.ending(ALICE, ours).how, How::PeerHungUp);
}

#[test]
fn a_refused_reinvite_leaves_the_session_as_it_was() {
    let mut world = World::pair();
    let (ours, theirs) = world.established();
    world.act(ALICE, reoffer(ours));
    world.run_for(50);
    world.act(BOB, Do::RefuseReoffer { session: theirs, status: 488, warning: None });
    world.run_for(50);
    assert!(world.has(ALICE, |e| matches!(e, Event::ReofferRefused { status: 488, .. })));
    world.run_for(60_000);
    assert!(world.endings(ALICE, ours).is_empty() && world.endings(BOB, theirs).is_empty());
    world.act(BOB, reoffer(theirs));
    world.run_for(50);
    world.act(ALICE, accept(ours));
    world.run_for(50);
    assert_eq!(world.count(BOB, is_reanswered), 1);
}

#[test]
fn of_offers_that_meet_that_of_the_owner_of_the_call_id_waits_longer_and_is_outdated_then() {
    let mut world = World::pair();
    let (ours, theirs) = world.established();
    let began = world.now;
    world.act(ALICE, reoffer(ours));
    world.act(BOB, reoffer(theirs));
    for _ in 0..60 {
        world.run_for(100);
        world.act(ALICE, accept(ours));
        world.act(BOB, accept(theirs));
    }
    assert_eq!(world.seen("SIP/2.0 491").len(), 2);
    assert_eq!((world.count(ALICE, is_reanswered), world.count(BOB, is_reanswered)), (0, 1));
    assert_eq!((world.count(ALICE, is_met), world.count(BOB, is_met)), (1, 0));
    let answered = world.agents[BOB].events.iter().find(|(_, event)| is_reanswered(event));
    let after = answered.unwrap().0.since(began);
    assert!(after <= Duration::from_millis(2_300), "{after:?}");
}

#[test]
fn an_offer_that_is_always_met_by_491_is_refused_in_the_end() {
    let (mut world, session, _) = with_peer();
    world.act(ALICE, reoffer(session));
    for _ in 0..40 {
        world.run_for(500);
        for sent in world.take(address(7)).iter().filter(|sent| sent.starts_with("INVITE")) {
            let answer = answer_to(sent, "491 Request Pending", "");
            world.inject(address(7), ALICE, &answer);
        }
    }
    assert_eq!(world.count(ALICE, is_met), 1);
    assert!(world.endings(ALICE, session).is_empty());
}

#[test]
fn a_500_with_retry_after_is_taken_at_its_word() {
    let (mut world, session, _) = with_peer();
    world.act(ALICE, reoffer(session));
    world.run_for(20);
    let sent = world.take(address(7)).pop().unwrap();
    world.inject(address(7), ALICE, &answer_to(&sent, "500 Later", "Retry-After: 3\n"));
    world.run_for(2_900);
    assert!(!world.take(address(7)).iter().any(|sent| sent.starts_with("INVITE")));
    world.run_for(200);
    let again = world.take(address(7)).pop().unwrap();
    assert!(again.starts_with("INVITE") && header(&again, "CSeq") != header(&sent, "CSeq"));
}

#[test]
fn a_peer_that_forgot_the_session_ends_it() {
    for (status, how) in [("481 Gone", How::PeerRefused), ("408 Timeout", How::PeerTimeout)] {
        let (mut world, session, _) = with_peer();
        world.act(ALICE, reoffer(session));
        world.run_for(20);
        let sent = world.take(address(7)).pop().unwrap();
        world.inject(address(7), ALICE, &answer_to(&sent, status, ""));
        world.run_for(20);
        assert_eq!(world.ending(ALICE, session).how, how);
        assert!(world.take(address(7)).iter().any(|sent| sent.starts_with("BYE")));
    }
}

#[test]
fn a_reinvite_that_nobody_answers_ends_the_session() {
    let (mut world, session, _) = with_peer();
    world.act(ALICE, reoffer(session));
    world.run_for(33_000);
    assert_eq!(world.ending(ALICE, session).how, How::PeerTimeout);
    world.run_for(33_000);
    world.assert_idle();
}

#[test]
fn a_second_offer_before_the_first_is_answered_gets_500_with_retry_after() {
    let (mut world, session, ok) = with_peer();
    assert_eq!(exchange(&mut world, &in_dialog(&ok, "INVITE", 2, SDP)), ["100"]);
    assert_eq!(exchange(&mut world, &in_dialog(&ok, "INVITE", 3, SDP)), ["500"]);
    assert_eq!(exchange(&mut world, &in_dialog(&ok, "UPDATE", 4, SDP)), ["500"]);
    assert!(world.seen("SIP/2.0 500").iter().all(|answer| header(answer, "Retry-After").is_some()));
    world.act(ALICE, accept(session));
    world.run_for(20);
    assert!(world.take(address(7))[0].starts_with("SIP/2.0 200"));
    assert_eq!(world.count(ALICE, |e| matches!(e, Event::Reoffered { .. })), 1);
}

#[test]
fn an_update_that_the_engine_never_answers_gets_504_in_time() {
    let (mut world, session, ok) = with_peer();
    assert_eq!(exchange(&mut world, &in_dialog(&ok, "UPDATE", 2, SDP)), Vec::<String>::new());
    world.run_for(10_000);
    assert!(world.take(address(7))[0].starts_with("SIP/2.0 504"));
    world.act(ALICE, accept(session));
    world.run_for(20);
    assert!(world.take(address(7)).is_empty());
}

#[test]
fn an_update_with_an_offer_is_answered_like_a_reinvite_and_one_without_at_once() {
    let (mut world, session, ok) = with_peer();
    assert_eq!(exchange(&mut world, &in_dialog(&ok, "UPDATE", 2, "")), ["200"]);
    assert!(!world.has(ALICE, |e| matches!(e, Event::Reoffered { .. })));
    assert_eq!(exchange(&mut world, &in_dialog(&ok, "UPDATE", 3, SDP)), Vec::<String>::new());
    assert!(world.has(ALICE, |e| matches!(e, Event::Reoffered { sdp: Some(_), .. })));
    world.act(ALICE, accept(session));
    world.run_for(20);
    let answer = world.take(address(7)).pop().unwrap();
    assert!(answer.starts_with("SIP/2.0 200") && answer.ends_with("RTP/AVP 8\r\n"));
    world.run_for(60_000);
    assert!(world.endings(ALICE, session).is_empty(), "no ACK is awaited for an UPDATE");
}

#[test]
fn an_offerless_reinvite_asks_for_an_offer_and_its_ack_has_the_answer() {
    let (mut world, session, ok) = with_peer();
    assert_eq!(exchange(&mut world, &in_dialog(&ok, "INVITE", 2, "")), ["100"]);
    assert!(world.has(ALICE, |e| matches!(e, Event::Reoffered { sdp: None, .. })));
    world.act(ALICE, accept(session));
    // An offer of ours is open: another one of theirs is refused until it is answered.
    assert_eq!(exchange(&mut world, &in_dialog(&ok, "INVITE", 3, SDP)), ["200", "491"]);
    let refused = in_dialog(&ok, "ACK", 3, "").replace("z9hG4bKACK", "z9hG4bKINVITE");
    assert_eq!(exchange(&mut world, &refused), Vec::<String>::new());
    assert_eq!(exchange(&mut world, &in_dialog(&ok, "ACK", 2, SDP)), Vec::<String>::new());
    assert_eq!(world.count(ALICE, |e| matches!(e, Event::Reanswered { .. })), 1);
}

#[test]
fn a_cancelled_reinvite_gets_487_and_the_session_goes_on() {
    let (mut world, session, ok) = with_peer();
    assert_eq!(exchange(&mut world, &in_dialog(&ok, "INVITE", 2, SDP)), ["100"]);
    let cancel = in_dialog(&ok, "CANCEL", 2, "").replace("z9hG4bKCANCEL", "z9hG4bKINVITE");
    assert_eq!(exchange(&mut world, &cancel), ["200", "487"]);
    world.act(ALICE, accept(session));
    world.run_for(100);
    assert_eq!(world.seen("SIP/2.0 200").iter().filter(|ok| ok.contains("2 INVITE")).count(), 0);
    assert!(world.endings(ALICE, session).is_empty());
}

#[test]
fn a_bye_answers_what_is_pending_with_487() {
    let (mut world, session, ok) = with_peer();
    assert_eq!(exchange(&mut world, &in_dialog(&ok, "INVITE", 2, SDP)), ["100"]);
    assert_eq!(exchange(&mut world, &in_dialog(&ok, "BYE", 3, "")), ["200", "487"]);
    assert_eq!(world.ending(ALICE, session).how, How::PeerHungUp);
    let (mut world, session, ok) = with_peer();
    assert_eq!(exchange(&mut world, &in_dialog(&ok, "INVITE", 2, SDP)), ["100"]);
    world.act(ALICE, Do::HangUp { session, q850: None });
    world.run_for(20);
    let sent = world.take(address(7));
    assert!(sent[0].starts_with("SIP/2.0 487") && sent[1].starts_with("BYE"), "{sent:#?}");
}

/// Bob wants to offer anew while Alice's offer is unanswered.
fn waiting_behind_theirs() -> (World, SessionId, SessionId) {
    let mut world = World::pair();
    let (ours, theirs) = world.established();
    world.act(ALICE, reoffer(ours));
    world.run_for(50);
    world.act(BOB, reoffer(theirs));
    world.run_for(50);
    assert_eq!(world.sent_by(BOB, "INVITE"), 0);
    (world, ours, theirs)
}

fn is_met(event: &Event) -> bool {
    matches!(event, Event::ReofferRefused { status: 491, .. })
}

#[test]
fn an_offer_of_ours_waits_until_theirs_is_refused() {
    let (mut world, ours, theirs) = waiting_behind_theirs();
    world.act(BOB, Do::RefuseReoffer { session: theirs, status: 488, warning: None });
    world.run_for(50);
    assert_eq!(world.sent_by(BOB, "INVITE"), 1);
    world.act(ALICE, accept(ours));
    world.run_for(50);
    assert_eq!(world.count(BOB, is_reanswered), 1);
}

#[test]
fn an_offer_of_ours_that_waits_is_outdated_when_theirs_is_accepted() {
    let (mut world, _, theirs) = waiting_behind_theirs();
    world.act(BOB, accept(theirs));
    world.run_for(5_000);
    assert_eq!(world.sent_by(BOB, "INVITE"), 0);
    assert_eq!(world.count(BOB, is_met), 1);
    assert_eq!(world.count(ALICE, is_reanswered), 1);
}

#[test]
fn a_target_refresh_moves_what_follows() {
    let (mut world, session, ok) = with_peer();
    let moved = in_dialog(&ok, "UPDATE", 2, "")
        .replace("Contact: <sip:x@10.0.0.8:5060>", "Contact: <sip:new@10.0.0.9:5060>");
    assert_eq!(exchange(&mut world, &moved), ["200"]);
    world.act(ALICE, Do::HangUp { session, q850: None });
    world.run_for(20);
    assert!(world.take(address(8))[0].starts_with("BYE sip:new@10.0.0.9:5060"));
}

#[test]
fn a_reinvite_whose_answer_never_comes_because_of_a_bye_is_forgotten() {
    let (mut world, session, ok) = with_peer();
    world.act(ALICE, reoffer(session));
    world.run_for(20);
    let sent = world.take(address(7)).pop().unwrap();
    world.inject(address(7), ALICE, &answer_to(&sent, "100 Trying", ""));
    assert_eq!(exchange(&mut world, &in_dialog(&ok, "BYE", 2, "")), ["200"]);
    world.run_for(33_000);
    world.run_for(32_000);
    world.assert_idle();
}

#[test]
fn the_late_answer_to_a_reinvite_is_acknowledged_through_the_nat_that_the_call_came_through() {
    let behind_nat = invite(address(7), "reoffers", "").replace("10.0.0.8:5060", "192.168.7.7:5060");
    let (mut world, session, _) = with_peer_of(&behind_nat);
    world.act(ALICE, reoffer(session));
    world.act(ALICE, Do::HangUp { session, q850: None });
    world.run_for(20);
    let sent = world.take(address(7));
    assert!(sent[0].starts_with("INVITE") && sent[1].starts_with("BYE"), "{sent:#?}");
    assert_eq!(exchange(&mut world, &answer_to(&sent[1], "200 OK", "")), [""; 0]);
    let late = answer_to(&sent[0], "200 OK", "Contact: <sip:x@192.168.7.7:5060>\n");
    world.inject(address(7), ALICE, &late);
    world.run_for(20);
    let last = world.take(address(7));
    assert!(last.len() == 1 && last[0].starts_with("ACK sip:x@192.168.7.7"), "{last:#?}");
    assert_eq!(world.sent_by(ALICE, "BYE"), 1, "it has ended already");
    world.run_for(33_000);
    world.assert_idle();
}

#[test]
fn what_comes_after_our_bye_gets_481_and_is_not_told() {
    let (mut world, session, ok) = with_peer();
    world.act(ALICE, Do::HangUp { session, q850: None });
    world.run_for(20);
    world.take(address(7));
    let digit = in_dialog(&ok, "INFO", 2, "Content-Type: application/dtmf\n\n5");
    assert_eq!(exchange(&mut world, &digit), ["481"]);
    assert_eq!(exchange(&mut world, &in_dialog(&ok, "INVITE", 3, SDP)), ["481"]);
    assert!(!world.has(ALICE, |e| matches!(e, Event::InfoDigit { .. } | Event::Reoffered { .. })));
}
