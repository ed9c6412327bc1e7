//! Session timers in both roles (RFC 4028): whatever two sides agree on, and whatever the network does to it, the
//! session lives as long as refreshes go through, and ends in time when they do not.

use crate::world::*;
use proptest::prelude::*;
use sip::ua::*;
use std::time::Duration;

fn config(number: usize, expires: u64, least: u64) -> Config {
    let mut config = open_config(number);
    config.extensions.session_expires = Duration::from_secs(expires);
    config.extensions.session_min = Duration::from_secs(least);
    config
}

/// Answers what the machines ask of an engine: offers anew where a refresh needs one, and accepts every offer.
fn engines(world: &mut World, seen: &mut [usize; 2], ours: SessionId, theirs: SessionId) {
    for (agent, session) in [(ALICE, ours), (BOB, theirs)] {
        let new: Vec<Event> =
            world.agents[agent].events[seen[agent]..].iter().map(|(_, event)| event.clone()).collect();
        seen[agent] += new.len();
        for event in new {
            match event {
                Event::Reoffered { .. } => {
                    world.act(agent, Do::AcceptReoffer { session, sdp: ANSWER.to_vec() })
                }
                Event::RefreshDue { .. } => world.act(agent, Do::Reoffer { session, sdp: OFFER.to_vec() }),
                _ => {}
            }
        }
    }
}

/// Lets so many seconds pass, with both engines awake.
fn pass(world: &mut World, seconds: u64, seen: &mut [usize; 2], ids: (SessionId, SessionId)) {
    for _ in 0..seconds * 2 {
        world.run_for(500);
        engines(world, seen, ids.0, ids.1);
    }
}

fn lives(world: &World, (ours, theirs): (SessionId, SessionId)) -> bool {
    world.endings(ALICE, ours).is_empty() && world.endings(BOB, theirs).is_empty()
}

#[test]
fn the_side_that_answers_refreshes_by_update_at_half_the_time() {
    let mut world = World::of(vec![config(ALICE, 1800, 90), config(BOB, 600, 90)], 1);
    let ids = world.established();
    assert_eq!(header(&world.seen("INVITE")[0], "Session-Expires"), Some("1800"));
    assert!(header(&world.seen("INVITE")[0], "Supported").unwrap().contains("timer"));
    assert_eq!(header(&world.seen("SIP/2.0 200")[0], "Session-Expires"), Some("600;refresher=uas"));
    pass(&mut world, 1_000, &mut [0, 0], ids);
    assert_eq!((world.sent_by(BOB, "UPDATE"), world.sent_by(ALICE, "UPDATE")), (3, 0));
    assert!(world.seen("UPDATE").iter().all(|update| {
        header(update, "Session-Expires") == Some("600;refresher=uac")
            && header(update, "Content-Length") == Some("0")
    }));
    assert!(lives(&world, ids));
}

#[test]
fn a_peer_without_the_timer_is_left_alone() {
    let mut world = World::of(vec![open_config(ALICE)], 1);
    world.inject(address(7), ALICE, &with_body(&invite(address(7), "plain", ""), OFFER));
    let session = world.incoming(ALICE);
    world.act(ALICE, Do::Accept { session, sdp: ANSWER.to_vec() });
    world.run_for(20);
    let ok = world.take(address(7)).pop().unwrap();
    assert_eq!((header(&ok, "Session-Expires"), header(&ok, "Require")), (None, None));
    world.inject(address(7), ALICE, &request_in(&ok, "ACK", 1, ""));
    world.run_for(24 * 3_600_000);
    assert!(world.take(address(7)).is_empty());
    assert!(world.endings(ALICE, session).is_empty());
}

#[test]
fn a_timer_that_a_proxy_put_in_is_ours_to_refresh() {
    let mut world = World::of(vec![open_config(ALICE)], 1);
    let more = "Session-Expires: 300\nAllow: INVITE, ACK, BYE\n";
    world.inject(address(7), ALICE, &with_body(&invite(address(7), "proxied", more), OFFER));
    let session = world.incoming(ALICE);
    world.act(ALICE, Do::Accept { session, sdp: ANSWER.to_vec() });
    world.run_for(20);
    let ok = world.take(address(7)).pop().unwrap();
    assert_eq!((header(&ok, "Session-Expires"), header(&ok, "Require")), (Some("300;refresher=uas"), None));
    world.inject(address(7), ALICE, &request_in(&ok, "ACK", 1, ""));
    world.run_for(151_000);
    assert!(world.has(ALICE, |e| matches!(e, Event::RefreshDue { .. })), "it takes no UPDATE");
}

#[test]
fn a_session_too_brief_gets_422_and_a_caller_that_gets_one_asks_for_longer() {
    let mut world = World::of(vec![config(ALICE, 120, 90), config(BOB, 1800, 600)], 1);
    let ids = world.established();
    let refusal = &world.seen("SIP/2.0 422")[0];
    assert_eq!(header(refusal, "Min-SE"), Some("600"));
    let second = &world.seen("INVITE")[1];
    assert_eq!((header(second, "Session-Expires"), header(second, "Min-SE")), (Some("600"), Some("600")));
    assert!(lives(&world, ids));
    // One that could not ask again is not refused (RFC 4028 §9).
    let mut world = World::of(vec![config(ALICE, 1800, 600)], 1);
    world.inject(
        address(7),
        ALICE,
        &with_body(&invite(address(7), "brief", "Session-Expires: 100\n"), OFFER),
    );
    assert!(world.has(ALICE, |e| matches!(e, Event::Incoming { .. })));
}

#[test]
fn a_refresh_that_finds_no_room_after_a_422_is_tried_again() {
    let mut config = open_config(ALICE);
    config.limits.transactions = 1;
    let mut world = World::of(vec![config], 1);
    let more = "Supported: timer\nSession-Expires: 300;refresher=uas\nAllow: INVITE, ACK, BYE, UPDATE\n";
    world.inject(address(7), ALICE, &with_body(&invite(address(7), "narrow", more), OFFER));
    let session = world.incoming(ALICE);
    world.act(ALICE, Do::Accept { session, sdp: ANSWER.to_vec() });
    world.run_for(20);
    let ok = world.take(address(7)).pop().unwrap();
    world.inject(address(7), ALICE, &request_in(&ok, "ACK", 1, ""));
    world.run_for(150_000);
    let first = world.take(address(7)).pop().expect("an UPDATE");
    world.inject(address(7), ALICE, &answer_to(&first, "422 Session Interval Too Small", "Min-SE: 600\n"));
    assert!(world.take_nothing(address(7)), "the transaction of the first is still there");
    world.run_for(11_000);
    let second = world.take(address(7)).pop().expect("another UPDATE");
    assert_eq!(header(&second, "Min-SE"), Some("600"));
}

#[test]
fn a_422_that_asks_for_nothing_more_is_a_refusal() {
    let mut world = World::of(vec![open_config(ALICE)], 1);
    let session = world.call(ALICE, BOB);
    world.run_for(20);
    let sent = world.take(address(BOB)).pop().unwrap();
    world.inject(address(BOB), ALICE, &answer_to(&sent, "422 Session Interval Too Small", "Min-SE: 90\n"));
    assert_eq!(world.ending(ALICE, session).status, Some(422));
}

#[test]
fn a_peer_that_promised_to_refresh_and_does_not_ends_the_session_in_time_with_a_reason() {
    let mut world = World::of(vec![open_config(ALICE)], 1);
    let more = "Supported: timer\nSession-Expires: 300;refresher=uac\n";
    world.inject(address(7), ALICE, &with_body(&invite(address(7), "promised", more), OFFER));
    let session = world.incoming(ALICE);
    world.act(ALICE, Do::Accept { session, sdp: ANSWER.to_vec() });
    world.run_for(20);
    let ok = world.take(address(7)).pop().unwrap();
    assert_eq!(
        (header(&ok, "Session-Expires"), header(&ok, "Require")),
        (Some("300;refresher=uac"), Some("timer"))
    );
    world.inject(address(7), ALICE, &request_in(&ok, "ACK", 1, ""));
    world.run_for(267_000);
    assert!(world.endings(ALICE, session).is_empty());
    world.run_for(1_500);
    let ending = world.ending(ALICE, session);
    assert_eq!(ending.how, How::SessionExpired);
    assert!(
        ending.detail.starts_with("session timer expired: the peer did not refresh"),
        "{}",
        ending.detail
    );
    assert!(world.take(address(7)).iter().any(|message| message.starts_with("BYE")));
}

#[test]
fn a_refresh_that_fails_is_told_long_before_the_end() {
    let mut world = World::of(vec![config(ALICE, 600, 90), config(BOB, 600, 90)], 1);
    let (ours, theirs) = world.established();
    world.loses = Some(Box::new(|packet| packet.from == address(ALICE)));
    world.run_for(350_000);
    let failed =
        |e: &Event| matches!(e, Event::RefreshFailed { ends_in, .. } if *ends_in > Duration::from_secs(200));
    assert!(world.has(BOB, failed));
    assert!(world.endings(BOB, theirs).is_empty());
    world.loses = None;
    world.run_for(1_500_000);
    assert!(lives(&world, (ours, theirs)), "the way came back");
}

#[test]
fn a_refresh_that_a_peer_without_update_refuses_becomes_a_re_invite() {
    let mut world = World::of(vec![open_config(ALICE)], 1);
    let more = "Supported: timer\nAllow: INVITE, UPDATE\nSession-Expires: 300\n";
    world.inject(address(7), ALICE, &with_body(&invite(address(7), "liar", more), OFFER));
    let session = world.incoming(ALICE);
    world.act(ALICE, Do::Accept { session, sdp: ANSWER.to_vec() });
    world.run_for(20);
    let ok = world.take(address(7)).pop().unwrap();
    world.inject(address(7), ALICE, &request_in(&ok, "ACK", 1, ""));
    world.run_for(150_500);
    let update = world.take(address(7)).into_iter().find(|m| m.starts_with("UPDATE")).unwrap();
    world.inject(address(7), ALICE, &answer_to(&update, "405 Method Not Allowed", ""));
    world.run_for(100);
    assert!(world.has(ALICE, |e| matches!(e, Event::RefreshDue { .. })));
    assert!(world.endings(ALICE, session).is_empty());
}

#[test]
fn a_refresh_of_a_session_that_the_peer_has_forgotten_ends_it() {
    let mut world = World::of(vec![open_config(ALICE)], 1);
    let more = "Supported: timer\nAllow: INVITE, UPDATE\nSession-Expires: 300\n";
    world.inject(address(7), ALICE, &with_body(&invite(address(7), "gone", more), OFFER));
    let session = world.incoming(ALICE);
    world.act(ALICE, Do::Accept { session, sdp: ANSWER.to_vec() });
    world.run_for(20);
    let ok = world.take(address(7)).pop().unwrap();
    world.inject(address(7), ALICE, &request_in(&ok, "ACK", 1, ""));
    world.run_for(150_500);
    let update = world.take(address(7)).into_iter().find(|m| m.starts_with("UPDATE")).unwrap();
    world.inject(address(7), ALICE, &answer_to(&update, "481 Call Does Not Exist", ""));
    assert_eq!(world.ending(ALICE, session).how, How::PeerRefused);
}

#[derive(Clone, Debug)]
struct Plan {
    seed: u64,
    expires: [u64; 2],
    least: [u64; 2],
    loss: u32,
    jitter: u64,
    /// Who offers anew, and after how many seconds.
    holds: Vec<(usize, u64)>,
}

fn plan() -> impl Strategy<Value = Plan> {
    let expires = prop::array::uniform2(90u64..1_200);
    let least = prop::array::uniform2(90u64..400);
    let holds = prop::collection::vec((0..2usize, 0u64..400), 0..6);
    (any::<u64>(), expires, least, 0u32..120, 0u64..600, holds).prop_map(
        |(seed, expires, least, loss, jitter, holds)| Plan { seed, expires, least, loss, jitter, holds },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 48, ..ProptestConfig::default() })]

    /// Whatever both sides ask for, whoever refreshes, whatever is lost, doubled or overtaken, and whatever else is
    /// offered meanwhile: the session is not cut as long as refreshes can go through.
    #[test]
    fn no_session_is_cut_while_refreshes_go_through(plan in plan()) {
        let configs = [ALICE, BOB].map(|n| config(n, plan.expires[n], plan.least[n])).to_vec();
        let mut world = World::of(configs, plan.seed);
        let ids = world.established();
        world.link = Link {
            delay: Duration::from_millis(10),
            jitter: Duration::from_millis(plan.jitter),
            loss_permille: plan.loss,
            duplicate_permille: plan.loss,
        };
        let mut seen = [0, 0];
        for (agent, after) in &plan.holds {
            pass(&mut world, *after, &mut seen, ids);
            let session = if *agent == ALICE { ids.0 } else { ids.1 };
            world.act(*agent, Do::Reoffer { session, sdp: OFFER.to_vec() });
        }
        pass(&mut world, 3_600, &mut seen, ids);
        prop_assert!(lives(&world, ids), "{:?} {:?}", world.endings(ALICE, ids.0), world.endings(BOB, ids.1));
        prop_assert!(world.seen("UPDATE").len() + world.seen("INVITE").len() > 3);
    }

    /// A side that vanishes is noticed by the other before the agreed time is over.
    #[test]
    fn a_session_whose_peer_vanished_ends_within_the_agreed_time(plan in plan(), gone in 0..2usize, at in 0u64..900) {
        let configs = [ALICE, BOB].map(|n| config(n, plan.expires[n], plan.least[n])).to_vec();
        let mut world = World::of(configs, plan.seed);
        let ids = world.established();
        pass(&mut world, at, &mut [0, 0], ids);
        world.loses = Some(Box::new(move |packet| packet.from == address(gone) || packet.to == address(gone)));
        world.run_for(1_200_000);
        let left = if gone == ALICE { world.ending(BOB, ids.1) } else { world.ending(ALICE, ids.0) };
        prop_assert_eq!(left.how, How::SessionExpired);
    }
}
