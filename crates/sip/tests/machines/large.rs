//! Requests that are too large for a datagram (RFC 3261 §18.1.1).

use crate::world::*;
use sip::ua::*;
use std::net::SocketAddr;

/// Calls with so many bytes more than usual.
fn call(world: &mut World, remote: SocketAddr, more: usize) -> SessionId {
    let session = world.agents[ALICE].ua.reserve().unwrap();
    let call = Call {
        headers: vec![("X-More".into(), "x".repeat(more))],
        ..plain_call(
            Flow { transport: Transport::Udp, local: address(ALICE), remote }.into(),
            &format!("sip:help@{remote}"),
        )
    };
    world.act(ALICE, Do::Call { session, call });
    session
}

/// How each INVITE went: by what, and what its Via says.
fn invites(world: &World) -> Vec<(Transport, String)> {
    let invites = world.sent.iter().filter(|packet| packet.bytes.starts_with(b"INVITE "));
    let via = |packet: &Packet| {
        let text = String::from_utf8_lossy(&packet.bytes).into_owned();
        header(&text, "Via").unwrap().split(' ').next().unwrap().to_owned()
    };
    invites.map(|packet| (packet.transport, via(packet))).collect()
}

fn tcp_fails(world: &mut World, remote: SocketAddr) {
    let flow = Flow { transport: Transport::Tcp, local: address(ALICE), remote };
    world.agents[ALICE].ua.handle(world.now, Input::FlowFailed { flow });
    world.drain(ALICE);
}

fn by_udp() -> (Transport, String) {
    (Transport::Udp, "SIP/2.0/UDP".to_owned())
}

fn by_tcp() -> (Transport, String) {
    (Transport::Tcp, "SIP/2.0/TCP".to_owned())
}

#[test]
fn a_request_of_1300_bytes_goes_by_udp_and_one_byte_more_by_tcp() {
    let mut world = World::pair();
    call(&mut world, address(BOB), 0);
    let usual = world.sent[0].bytes.len();
    for (more, expected) in [(1_300 - usual, by_udp()), (1_301 - usual, by_tcp())] {
        let mut world = World::pair();
        call(&mut world, address(BOB), more);
        assert_eq!(invites(&world), [expected]);
    }
}

#[test]
fn a_large_call_is_answered_cancelled_and_ended_as_any_other() {
    let mut world = World::pair();
    let session = call(&mut world, address(BOB), 1_300);
    world.run_for(50);
    let theirs = world.incoming(BOB);
    world.act(BOB, Do::Accept { session: theirs, sdp: ANSWER.to_vec() });
    world.run_for(50);
    assert!(world.has(BOB, |event| matches!(event, Event::Confirmed { .. })));
    world.act(ALICE, Do::HangUp { session, q850: Some(16) });
    world.run_for(50);
    for method in ["ACK ", "BYE "] {
        let sent = world.sent.iter().find(|packet| packet.bytes.starts_with(method.as_bytes())).unwrap();
        assert_eq!(sent.transport, Transport::Tcp, "{method}goes the way of its INVITE");
    }
    assert_eq!(world.ending(ALICE, session).how, How::Ours);
    let session = call(&mut world, address(BOB), 1_300);
    world.run_for(50);
    world.act(ALICE, Do::HangUp { session, q850: None });
    world.run_for(50);
    let cancel = world.sent.iter().find(|packet| packet.bytes.starts_with(b"CANCEL ")).unwrap();
    assert_eq!(cancel.transport, Transport::Tcp, "a CANCEL goes the way of its INVITE");
    world.run_to_rest();
    world.assert_idle();
}

#[test]
fn a_request_that_is_too_large_for_its_only_way_is_not_repeated_and_tells_why() {
    let silent = address(7);
    let mut world = World::pair();
    call(&mut world, silent, 1_300);
    tcp_fails(&mut world, silent);
    let session = call(&mut world, silent, 1_400);
    let sent = world.sent.last().unwrap().clone();
    assert_eq!(sent.transport, Transport::Udp, "TCP is not tried again for a while");
    let count = world.sent.len();
    world.agents[ALICE].ua.handle(world.now, Input::TooLarge { bytes: sent.bytes });
    world.drain(ALICE);
    let ending = world.ending(ALICE, session);
    assert_eq!(ending.how, How::FlowFailed);
    assert!(ending.detail.contains("too large for UDP"), "{}", ending.detail);
    assert_eq!(world.sent.len(), count);
    for odd in [&b"SIP/2.0 200 OK\r\n\r\n"[..], b"", b"INVITE"] {
        world.agents[ALICE].ua.handle(world.now, Input::TooLarge { bytes: odd.to_vec() });
    }
    world.run_to_rest();
    world.assert_idle();
}

#[test]
fn where_tcp_fails_at_once_the_request_goes_by_udp_and_tcp_is_not_tried_for_ten_minutes() {
    let silent = address(7);
    let mut world = World::pair();
    call(&mut world, silent, 1_300);
    tcp_fails(&mut world, silent);
    assert_eq!(invites(&world), [by_tcp(), by_udp()]);
    world.run_for(500);
    assert_eq!(invites(&world).len(), 3, "by UDP it is repeated");
    let seen = world.seen("INVITE ");
    let same = seen[0].replace("SIP/2.0/TCP", "SIP/2.0/UDP").replace(";alias", "");
    assert_eq!(same, seen[1], "it is the same transaction");
    world.run_to_rest();
    world.sent.clear();
    call(&mut world, silent, 1_300);
    assert_eq!(invites(&world), [by_tcp()], "after ten minutes it is tried again");
    tcp_fails(&mut world, silent);
    world.sent.clear();
    world.run_for(1);
    call(&mut world, silent, 1_300);
    assert_eq!(invites(&world), [by_udp()], "it is remembered who does not take TCP");
    call(&mut world, address(BOB), 1_300);
    assert_eq!(invites(&world), [by_udp(), by_tcp()], "and that is nobody else");
}

#[test]
fn a_connection_that_breaks_after_a_provisional_answer_is_a_failure() {
    let mut world = World::pair();
    let session = call(&mut world, address(BOB), 1_300);
    world.run_for(50);
    assert!(world.agents[BOB].events.iter().any(|(_, event)| matches!(event, Event::Incoming { .. })));
    tcp_fails(&mut world, address(BOB));
    assert_eq!(world.ending(ALICE, session).how, How::FlowFailed);
    assert_eq!(invites(&world), [by_tcp()], "the callee would be called twice");
}

#[test]
fn without_a_socket_for_tcp_a_large_request_goes_by_udp() {
    let mut config = open_config(ALICE);
    config.listen.retain(|(transport, _)| *transport == Transport::Udp);
    let mut world = World::of(vec![config, open_config(BOB)], 1);
    call(&mut world, address(BOB), 1_300);
    assert_eq!(invites(&world), [by_udp()]);
}
