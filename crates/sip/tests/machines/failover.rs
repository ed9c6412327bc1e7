//! One server after the other (RFC 3263 §4.3): who is tried next, who is left aside, and what becomes of those who
//! answer late.

use crate::world::*;
use sip::identity::Policy;
use sip::ua::*;
use std::net::SocketAddr;
use std::time::Duration;

const FIRST: usize = 6;
const SECOND: usize = 7;

fn line(name: &str) -> Trunk {
    Trunk {
        name: name.into(),
        targets: vec![place(FIRST, Transport::Udp), place(SECOND, Transport::Udp)],
        addresses: vec![],
        domain: Some("operator.example".into()),
        credentials: None,
        register: false,
        prack: None,
        p_early_media: false,
        identity: Policy::TRUSTED,
        probe: Duration::ZERO,
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

fn call(world: &mut World, towards: Towards, more: usize) -> SessionId {
    let session = world.agents[ALICE].ua.reserve().unwrap();
    let call = Call {
        towards,
        uri: "sip:help@operator.example".into(),
        to: None,
        from_user: "caller".into(),
        from_display: None,
        sdp: OFFER.to_vec(),
        credentials: None,
        headers: vec![("X-More".into(), "x".repeat(more))],
        elsewhere: false,
    };
    world.act(ALICE, Do::Call { session, call });
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
