//! One server after the other (RFC 3263 §4.3): who is tried next, who is left aside, and what becomes of those who
//! answer late.

use crate::world::*;
use sip::ua::*;
use std::net::SocketAddr;

const FIRST: usize = 6;
const SECOND: usize = 7;

fn line(name: &str) -> Trunk {
    Trunk {
        targets: vec![place(FIRST, Transport::Udp), place(SECOND, Transport::Udp)],
        domain: Some("operator.example".into()),
        ..crate::world::trunk(name, FIRST)
    }
}

/// Alice with a trunk of two servers, both played by the test.
fn world() -> World {
    let mut config = open_config(ALICE);
    config.trunks = vec![line("operator")];
    World::of(vec![config], 5)
}

fn trunk() -> Towards {
    Towards::Trunk("operator".into())
}

fn call_to(towards: Towards, more: usize) -> Call {
    Call {
        headers: vec![("X-More".into(), "x".repeat(more))],
        ..plain_call(towards, "sip:help@operator.example")
    }
}

fn call(world: &mut World, towards: Towards, more: usize) -> SessionId {
    let session = world.agents[ALICE].ua.reserve().unwrap();
    world.act(ALICE, Do::Call { session, call: call_to(towards, more) });
    session
}

/// Where a call to the trunk would go first now.
fn best(world: &mut World) -> SocketAddr {
    world.agents[ALICE].ua.way_to(world.now, &trunk()).expect("a way").remote
}

#[test]
fn a_device_that_is_silent_is_no_server_that_is_put_aside() {
    let mut world = world();
    let flow = world.flow(ALICE, FIRST);
    let session = call(&mut world, flow.into(), 0);
    world.run_for(33_000);
    assert_eq!(world.ending(ALICE, session).how, How::PeerTimeout);
    assert_eq!(best(&mut world), address(FIRST));
}

#[test]
fn a_server_that_was_given_up_is_not_called_again_by_udp_when_tcp_fails() {
    let mut world = world();
    call(&mut world, trunk(), 1_300);
    world.run_for(5_000);
    assert!(world.has(ALICE, |event| matches!(event, Event::WentOn { .. })));
    let flow = Flow { transport: Transport::Tcp, local: address(ALICE), remote: address(FIRST) };
    world.agents[ALICE].ua.handle(world.now, Input::FlowFailed { flow });
    world.drain(ALICE);
    world.run_for(5_000);
    let to_first: Vec<Transport> = world
        .sent
        .iter()
        .filter(|packet| packet.to == address(FIRST))
        .map(|packet| packet.transport)
        .collect();
    assert_eq!(to_first, [Transport::Tcp], "the call is another server's by now");
}

#[test]
fn of_two_lines_at_one_operator_each_has_its_own_terms_and_a_device_there_has_neither() {
    let mut config = open_config(ALICE);
    let strict = Trunk { prack: Some(Prack::Required), p_early_media: true, ..line("strict") };
    config.trunks = vec![strict, line("plain")];
    let mut world = World::of(vec![config], 5);
    let flow = world.flow(ALICE, FIRST);
    for (towards, terms) in [
        (Towards::Trunk("strict".into()), (Some("100rel"), Some("supported"))),
        (Towards::Trunk("plain".into()), (None, None)),
        (flow.into(), (None, None)),
    ] {
        call(&mut world, towards.clone(), 0);
        let invite = world.seen("INVITE ").pop().unwrap();
        let said = (header(&invite, "Require"), header(&invite, "P-Early-Media"));
        assert_eq!(said, terms, "{towards:?}");
    }
}

/// Alice's call to the trunk, and the INVITE as its first server got it.
fn called(world: &mut World) -> (SessionId, String) {
    let session = call(world, trunk(), 0);
    world.run_for(20);
    let invite = world.take(address(FIRST)).pop().expect("an INVITE at the first server");
    (session, invite)
}

fn answer(world: &mut World, server: usize, sent: &str, status: &str, more: &str) {
    world.inject(address(server), ALICE, &answer_to(sent, status, more));
}

/// The INVITE that a server has got, with what came before it.
fn asked(world: &mut World, server: usize) -> Option<String> {
    world.run_for(20);
    world.take(address(server)).into_iter().rfind(|message| message.starts_with("INVITE "))
}

/// From where to where calls went on, and why.
fn went_on(world: &World) -> Vec<(SocketAddr, SocketAddr, Option<u16>)> {
    let events = world.agents[ALICE].events.iter().filter_map(|(_, event)| match event {
        Event::WentOn { from, to, status, .. } => Some((*from, *to, *status)),
        _ => None,
    });
    events.collect()
}

#[test]
fn a_silent_server_is_given_up_after_four_seconds_and_the_next_is_asked() {
    let mut world = world();
    let (session, first) = called(&mut world);
    world.run_for(3_900);
    assert!(world.take_nothing(address(SECOND)));
    world.run_for(100);
    let second = asked(&mut world, SECOND).expect("an INVITE at the second server");
    assert_eq!(went_on(&world), [(address(FIRST), address(SECOND), None)]);
    assert_eq!(header(&first, "Call-ID"), header(&second, "Call-ID"), "it is one call");
    assert_ne!(header(&first, "Via"), header(&second, "Via"), "by another transaction (RFC 3263 §4.3)");
    answer(&mut world, SECOND, &second, "486 Busy Here", "");
    assert_eq!(world.ending(ALICE, session).status, Some(486));
    world.run_to_rest();
    world.assert_idle();
}

#[test]
fn a_server_that_is_only_slow_is_waited_for_where_no_time_is_written() {
    let mut world = world();
    let (session, first) = called(&mut world);
    world.run_for(3_000);
    answer(&mut world, FIRST, &first, "100 Trying", "");
    world.run_for(120_000);
    assert!(world.take_nothing(address(SECOND)));
    answer(&mut world, FIRST, &first, "486 Busy Here", "");
    assert_eq!(world.ending(ALICE, session).status, Some(486));
}

/// The same, of a trunk that is to tell more than 100 within ten seconds.
fn impatient() -> World {
    let mut config = open_config(ALICE);
    config.trunks =
        vec![Trunk { progress_within: Some(std::time::Duration::from_secs(10)), ..line("operator") }];
    World::of(vec![config], 5)
}

/// The first server has said 100 and nothing else for ten seconds; what it gets then, and the second.
fn mute(world: &mut World) -> (SessionId, String, Vec<String>, String) {
    let (session, first) = called(world);
    world.run_for(200);
    answer(world, FIRST, &first, "100 Trying", "");
    world.run_for(9_700);
    assert!(world.take_nothing(address(SECOND)) && world.take_nothing(address(FIRST)));
    world.run_for(200);
    let told = world.take(address(FIRST));
    let second = asked(world, SECOND).expect("an INVITE at the second server");
    (session, first, told, second)
}

#[test]
fn a_server_that_says_100_and_nothing_else_is_cancelled_and_the_next_is_asked() {
    let mut world = impatient();
    let (session, first, told, second) = mute(&mut world);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("CANCEL sip:help@operator.example "), "{told:?}");
    assert_eq!(header(&told[0], "Via"), header(&first, "Via"));
    assert_eq!(went_on(&world), [(address(FIRST), address(SECOND), Some(100))]);
    answer(&mut world, FIRST, &told[0], "200 OK", "");
    answer(&mut world, FIRST, &first, "487 Request Terminated", "");
    answer(&mut world, SECOND, &second, "486 Busy Here", "");
    assert_eq!(world.ending(ALICE, session).status, Some(486));
    assert_eq!(best(&mut world), address(FIRST), "the server itself is alive");
    world.run_to_rest();
    world.assert_idle();
}

#[test]
fn what_crosses_the_cancel_of_a_mute_server_is_never_taken() {
    let mut world = impatient();
    let (session, first, told, second) = mute(&mut world);
    answer(&mut world, FIRST, &first, "180 Ringing", "");
    world.run_for(20);
    assert!(world.take_nothing(address(FIRST)), "it is cancelled already");
    answer(&mut world, FIRST, &told[0], "200 OK", "");
    let ok = fork(&first, "late", address(FIRST));
    world.inject(address(FIRST), ALICE, &with_body(&ok, ANSWER));
    world.run_for(20);
    let sent = world.take(address(FIRST));
    let begin = |method: &str| sent.iter().any(|message| message.starts_with(method));
    assert!(begin("ACK ") && begin("BYE "), "{sent:?}");
    assert!(!world.has(ALICE, |event| matches!(event, Event::Answered { .. } | Event::Progress { .. })));
    answer(&mut world, SECOND, &second, "180 Ringing", "");
    world.run_for(60_000);
    answer(&mut world, SECOND, &second, "486 Busy Here", "");
    assert_eq!(world.ending(ALICE, session).status, Some(486));
}

#[test]
fn who_shows_any_progress_in_time_and_who_is_the_last_may_take_their_time() {
    for progress in ["180 Ringing", "181 Call Is Being Forwarded", "183 Session Progress"] {
        let mut world = impatient();
        let (session, first) = called(&mut world);
        answer(&mut world, FIRST, &first, "100 Trying", "");
        world.run_for(9_900);
        answer(&mut world, FIRST, &first, progress, "");
        world.run_for(120_000);
        assert!(world.take_nothing(address(SECOND)), "{progress}");
        answer(&mut world, FIRST, &first, "486 Busy Here", "");
        assert_eq!(world.ending(ALICE, session).status, Some(486));
    }
    let mut world = impatient();
    let (session, _, _, second) = mute(&mut world);
    answer(&mut world, SECOND, &second, "100 Trying", "");
    world.run_for(120_000);
    answer(&mut world, SECOND, &second, "486 Busy Here", "");
    assert_eq!(world.ending(ALICE, session).status, Some(486));
}

#[test]
fn with_somewhere_else_to_go_the_last_server_may_be_mute_no_longer_than_the_first() {
    let mut world = impatient();
    let session = world.agents[ALICE].ua.reserve().unwrap();
    let call = Call { elsewhere: Elsewhere::Ready, ..call_to(trunk(), 0) };
    world.act(ALICE, Do::Call { session, call });
    for server in [FIRST, SECOND] {
        let invite = asked(&mut world, server).expect("an INVITE");
        answer(&mut world, server, &invite, "100 Trying", "");
        world.run_for(10_000);
    }
    let ending = world.ending(ALICE, session);
    assert_eq!(ending.how, How::PeerTimeout);
    assert!(ending.detail.starts_with("nothing but 100 came from"), "{}", ending.detail);
    world.run_to_rest();
    world.assert_idle();
}

#[test]
fn who_says_100_is_not_left_for_what_is_known_to_be_down() {
    let mut world = impatient();
    let (session, first) = called(&mut world);
    answer(&mut world, FIRST, &first, "503 Service Unavailable", "");
    assert!(asked(&mut world, SECOND).is_some());
    world.run_for(33_000);
    assert_eq!(world.ending(ALICE, session).how, How::PeerTimeout);
    world.take(address(SECOND));

    let session = world.agents[ALICE].ua.reserve().unwrap();
    let call = Call { elsewhere: Elsewhere::Doubtful, ..call_to(trunk(), 0) };
    world.act(ALICE, Do::Call { session, call });
    let first = asked(&mut world, FIRST).expect("an INVITE at the server that lives");
    answer(&mut world, FIRST, &first, "100 Trying", "");
    world.run_for(20_000);
    assert!(world.take_nothing(address(SECOND)), "it has not answered before");
    answer(&mut world, FIRST, &first, "180 Ringing", "");
    answer(&mut world, FIRST, &first, "486 Busy Here", "");
    assert_eq!(world.ending(ALICE, session).status, Some(486));
}

#[test]
fn a_503_goes_on_at_once_and_every_other_refusal_is_the_answer() {
    for status in
        ["500 Server Internal Error", "504 Server Time-out", "486 Busy Here", "404 Not Found", "603 Decline"]
    {
        let mut world = world();
        let (session, first) = called(&mut world);
        answer(&mut world, FIRST, &first, status, "");
        assert_eq!(world.ending(ALICE, session).status, status[..3].parse().ok());
        assert!(asked(&mut world, SECOND).is_none(), "{status}");
    }
    let mut world = world();
    let (session, first) = called(&mut world);
    answer(&mut world, FIRST, &first, "503 Service Unavailable", "");
    let second = asked(&mut world, SECOND).expect("an INVITE at the second server");
    assert_eq!(went_on(&world), [(address(FIRST), address(SECOND), Some(503))]);
    answer(&mut world, SECOND, &second, "503 Service Unavailable", "");
    let ending = world.ending(ALICE, session);
    assert_eq!((ending.how, ending.status), (How::PeerRefused, Some(503)));
    world.run_to_rest();
    world.assert_idle();
}

#[test]
fn a_connection_that_is_refused_goes_on_at_once() {
    let mut config = open_config(ALICE);
    let targets = vec![place(FIRST, Transport::Tcp), place(SECOND, Transport::Tcp)];
    config.trunks = vec![Trunk { targets, ..line("operator") }];
    let mut world = World::of(vec![config], 5);
    let (session, _) = called(&mut world);
    let flow = Flow { transport: Transport::Tcp, local: address(ALICE), remote: address(FIRST) };
    world.agents[ALICE].ua.handle(world.now, Input::FlowFailed { flow });
    world.drain(ALICE);
    assert!(asked(&mut world, SECOND).is_some());
    let flow = Flow { remote: address(SECOND), ..flow };
    world.agents[ALICE].ua.handle(world.now, Input::FlowFailed { flow });
    world.drain(ALICE);
    assert_eq!(world.ending(ALICE, session).how, How::FlowFailed);
    assert_eq!(went_on(&world), [(address(FIRST), address(SECOND), None)]);
    world.assert_idle();
}

#[test]
fn who_was_silent_is_tried_last_for_a_minute_and_first_again_after_it() {
    let mut world = world();
    called(&mut world);
    world.run_for(4_100);
    let second = asked(&mut world, SECOND).expect("an INVITE at the second server");
    answer(&mut world, SECOND, &second, "486 Busy Here", "");
    assert_eq!(best(&mut world), address(SECOND));
    world.run_for(55_000);
    assert_eq!(best(&mut world), address(SECOND));
    world.run_for(6_000);
    assert_eq!(best(&mut world), address(FIRST));
}

#[test]
fn a_server_that_asks_to_be_left_alone_gets_nothing_until_then() {
    let mut world = world();
    let (_, first) = called(&mut world);
    answer(
        &mut world,
        FIRST,
        &first,
        "503 Service Unavailable",
        "Retry-After: 300 (maintenance);duration=60\n",
    );
    let second = asked(&mut world, SECOND).expect("an INVITE at the second server");
    answer(&mut world, SECOND, &second, "486 Busy Here", "");
    world.run_for(299_000);
    world.take(address(FIRST));
    let session = call(&mut world, trunk(), 0);
    let second = asked(&mut world, SECOND).expect("an INVITE at the second server");
    answer(&mut world, SECOND, &second, "503 Service Unavailable", "");
    assert_eq!(world.ending(ALICE, session).status, Some(503), "the first is not tried even as the last");
    assert!(asked(&mut world, FIRST).is_none());
    world.run_for(2_000);
    assert_eq!(best(&mut world), address(FIRST));
}

#[test]
fn a_503_without_retry_after_counts_for_that_call_alone() {
    let mut world = world();
    let (_, first) = called(&mut world);
    answer(&mut world, FIRST, &first, "503 Service Unavailable", "");
    assert_eq!(best(&mut world), address(FIRST));
}

#[test]
fn no_server_is_left_alone_for_longer_than_an_hour() {
    let mut world = world();
    let (_, first) = called(&mut world);
    answer(&mut world, FIRST, &first, "503 Service Unavailable", "Retry-After: 4294967295\n");
    world.run_for(3_590_000);
    assert_eq!(best(&mut world), address(SECOND));
    world.run_for(11_000);
    assert_eq!(best(&mut world), address(FIRST));
}

#[test]
fn a_trunk_of_which_every_server_asks_to_be_left_alone_is_called_by_nobody() {
    let mut world = world();
    let (_, first) = called(&mut world);
    answer(&mut world, FIRST, &first, "503 Service Unavailable", "Retry-After: 60\n");
    let second = asked(&mut world, SECOND).expect("an INVITE at the second server");
    answer(&mut world, SECOND, &second, "503 Service Unavailable", "Retry-After: 30\n");
    let now = world.now;
    assert_eq!(world.agents[ALICE].ua.reach(now, "operator"), Reach::Closed);
    let sent = world.sent.len();
    let session = call(&mut world, trunk(), 0);
    let ending = world.ending(ALICE, session);
    assert_eq!(ending.how, How::FlowFailed);
    assert!(ending.detail.contains("left alone"), "{}", ending.detail);
    assert_eq!(world.sent.len(), sent);
    world.run_for(31_000);
    let now = world.now;
    assert_eq!(world.agents[ALICE].ua.reach(now, "operator"), Reach::Ready);
}

#[test]
fn cancel_and_ack_go_to_the_server_that_they_are_about() {
    let mut world = world();
    let (session, first) = called(&mut world);
    answer(&mut world, FIRST, &first, "503 Service Unavailable", "");
    let second = asked(&mut world, SECOND).expect("an INVITE at the second server");
    let acks = world.take(address(FIRST));
    assert!(acks.len() == 1 && acks[0].starts_with("ACK "), "{acks:?}");
    assert_eq!(
        header(&acks[0], "Via"),
        header(&first, "Via"),
        "of the INVITE's transaction (RFC 3261 §17.1.1.3)"
    );
    world.act(ALICE, Do::HangUp { session, q850: None });
    world.run_for(20);
    assert!(world.take_nothing(address(FIRST)) && world.take_nothing(address(SECOND)), "nothing rings yet");
    answer(&mut world, SECOND, &second, "180 Ringing", "");
    world.run_for(20);
    let cancel = world.take(address(SECOND)).pop().expect("a CANCEL at the second server");
    assert!(cancel.starts_with("CANCEL sip:help@operator.example "), "{cancel}");
    assert_eq!(header(&cancel, "Via"), header(&second, "Via"));
    answer(&mut world, SECOND, &cancel, "200 OK", "");
    answer(&mut world, SECOND, &second, "487 Request Terminated", "");
    world.run_for(20);
    let ack = world.take(address(SECOND)).pop().expect("an ACK at the second server");
    assert_eq!((&ack[..4], header(&ack, "Via")), ("ACK ", header(&second, "Via")));
    assert!(world.take_nothing(address(FIRST)));
    assert_eq!(world.ending(ALICE, session).how, How::Ours);
    world.run_to_rest();
    world.assert_idle();
}

#[test]
fn what_follows_an_answer_goes_to_the_server_that_gave_it() {
    let mut world = world();
    let (session, first) = called(&mut world);
    answer(&mut world, FIRST, &first, "503 Service Unavailable", "");
    let second = asked(&mut world, SECOND).expect("an INVITE at the second server");
    world.take(address(FIRST));
    let ok = answer_to(&second, "200 OK", &format!("Contact: <sip:gw@{}>\n", address(SECOND)));
    world.inject(address(SECOND), ALICE, &with_body(&ok, ANSWER));
    world.run_for(20);
    assert!(world.take(address(SECOND))[0].starts_with("ACK sip:gw@10.0.0.8:5060 "));
    world.act(ALICE, Do::HangUp { session, q850: None });
    world.run_for(20);
    let bye = world.take(address(SECOND)).pop().expect("a BYE at the second server");
    answer(&mut world, SECOND, &bye, "200 OK", "");
    assert!(world.take_nothing(address(FIRST)));
    world.run_to_rest();
    world.assert_idle();
}

#[test]
fn what_a_server_that_was_given_up_answers_late_is_ended_and_never_taken() {
    let mut world = world();
    let (session, first) = called(&mut world);
    world.run_for(4_100);
    let second = asked(&mut world, SECOND).expect("an INVITE at the second server");
    world.take(address(FIRST));
    answer(&mut world, FIRST, &first, "180 Ringing", "");
    world.run_for(20);
    let cancel = world.take(address(FIRST)).pop().expect("a CANCEL: it need not ring");
    assert!(cancel.starts_with("CANCEL "), "{cancel}");
    let ok = fork(&first, "late", address(FIRST));
    world.inject(address(FIRST), ALICE, &with_body(&ok, ANSWER));
    world.run_for(20);
    let sent = world.take(address(FIRST));
    let begin = |method: &str| sent.iter().any(|message| message.starts_with(method));
    assert!(begin("ACK ") && begin("BYE "), "{sent:?}");
    assert!(!world.has(ALICE, |event| matches!(event, Event::Answered { .. } | Event::Progress { .. })));
    answer(&mut world, SECOND, &second, "486 Busy Here", "");
    assert_eq!(world.ending(ALICE, session).status, Some(486));
}

#[test]
fn with_somewhere_else_to_go_the_last_server_may_be_silent_no_longer_than_the_first() {
    for (elsewhere, over) in
        [(Elsewhere::Ready, true), (Elsewhere::Doubtful, true), (Elsewhere::Nowhere, false)]
    {
        let mut world = world();
        let session = world.agents[ALICE].ua.reserve().unwrap();
        let call = Call { elsewhere, ..call_to(trunk(), 0) };
        world.act(ALICE, Do::Call { session, call });
        world.run_for(8_100);
        assert_eq!(!world.endings(ALICE, session).is_empty(), over);
        world.run_for(40_000);
        let ending = world.ending(ALICE, session);
        assert_eq!(ending.how, How::PeerTimeout, "{ending:?}");
        world.run_to_rest();
        world.assert_idle();
    }
}

#[test]
fn a_challenge_begins_the_patience_anew() {
    let mut config = open_config(ALICE);
    config.trunks = vec![Trunk { credentials: Some(account("line1")), ..line("operator") }];
    let mut world = World::of(vec![config], 5);
    let session = world.agents[ALICE].ua.reserve().unwrap();
    let call = Call { credentials: Some(account("line1")), ..call_to(trunk(), 0) };
    world.act(ALICE, Do::Call { session, call });
    world.run_for(3_500);
    let first = world.take(address(FIRST)).pop().expect("an INVITE at the first server");
    let challenge = "Proxy-Authenticate: Digest realm=\"op\", nonce=\"n1\", qop=\"auth\"\n";
    answer(&mut world, FIRST, &first, "407 Proxy Authentication Required", challenge);
    world.run_for(3_500);
    assert!(world.take_nothing(address(SECOND)), "it has answered within its time");
    world.run_for(600);
    assert!(asked(&mut world, SECOND).is_some());
}
