//! Whether a trunk's servers are there, by OPTIONS: what is asked, what counts as life, what is told, and where calls go
//! meanwhile.

use crate::world::*;
use sip::identity::Policy;
use sip::locate::{Answer, Place, Record};
use sip::ua::*;
use std::net::SocketAddr;
use std::time::Duration;

const FIRST: usize = 6;
const SECOND: usize = 7;

fn line(targets: Vec<Place>) -> Trunk {
    Trunk {
        name: "operator".into(),
        targets,
        addresses: vec![],
        domain: Some("operator.example".into()),
        credentials: None,
        register: false,
        prack: None,
        p_early_media: false,
        identity: Policy::TRUSTED,
        probe: Duration::from_secs(30),
        progress_within: None,
    }
}

fn world_with(targets: Vec<Place>) -> World {
    let mut config = open_config(ALICE);
    config.trunks = vec![line(targets)];
    World::of(vec![config], 5)
}

/// Alice with a trunk of two servers, both played by the test.
fn world() -> World {
    world_with(vec![place(FIRST, Transport::Udp), place(SECOND, Transport::Udp)])
}

/// Lets seconds go by in which these servers answer OPTIONS so.
fn pass(world: &mut World, seconds: u64, answering: &[(usize, &str)]) {
    for _ in 0..seconds * 10 {
        world.run_for(100);
        for (server, status) in answering {
            for request in world.take(address(*server)) {
                if request.starts_with("OPTIONS ") {
                    world.inject(address(*server), ALICE, &answer_to(&request, status, ""));
                }
            }
        }
    }
}

/// How many servers are up, and which are down with which status.
type Findings = (usize, Vec<(SocketAddr, Option<u16>)>);

/// What was told.
fn told(world: &World) -> Vec<Findings> {
    let events = world.agents[ALICE].events.iter().filter_map(|(_, event)| match event {
        Event::TrunkHealth { up, down, .. } => Some((*up, down.clone())),
        _ => None,
    });
    events.collect()
}

fn best(world: &mut World) -> SocketAddr {
    let now = world.now;
    world.agents[ALICE].ua.way_to(now, &Towards::Trunk("operator".into())).expect("a way").remote
}

fn reach(world: &mut World) -> Reach {
    let now = world.now;
    world.agents[ALICE].ua.reach(now, "operator")
}

#[test]
fn each_server_is_asked_and_that_all_are_there_is_told_once() {
    let mut world = world();
    world.run_for(20);
    let asked = world.take(address(FIRST)).pop().expect("an OPTIONS");
    assert!(asked.starts_with("OPTIONS sip:operator.example SIP/2.0"), "{asked}");
    assert_eq!(header(&asked, "Max-Forwards"), Some("70"));
    world.inject(address(FIRST), ALICE, &answer_to(&asked, "200 OK", ""));
    let rounds = 10;
    pass(&mut world, 30 * rounds, &[(FIRST, "200 OK"), (SECOND, "200 OK")]);
    assert_eq!(told(&world).last(), Some(&(2, vec![])));
    assert!(told(&world).len() <= 2, "{:?}", told(&world));
    let asked = world.sent_by(ALICE, "OPTIONS ") as u64;
    assert!((2 * rounds..=2 * rounds + 4).contains(&asked), "{asked} in {rounds} rounds");
}

#[test]
fn any_final_answer_is_a_sign_of_life_but_408_and_503() {
    for (status, up) in [
        ("200 OK", true),
        ("401 Unauthorized", true),
        ("403 Forbidden", true),
        ("404 Not Found", true),
        ("405 Method Not Allowed", true),
        ("483 Too Many Hops", true),
        ("500 Server Internal Error", true),
        ("501 Not Implemented", true),
        ("408 Request Timeout", false),
        ("503 Service Unavailable", false),
    ] {
        let mut world = world();
        pass(&mut world, 10, &[(FIRST, status), (SECOND, "200 OK")]);
        let down = if up { vec![] } else { vec![(address(FIRST), status[..3].parse().ok())] };
        assert_eq!(told(&world).last(), Some(&(2 - down.len(), down)), "{status}");
    }
}

#[test]
fn calls_go_round_a_server_that_is_silent_until_it_answers_again() {
    let mut world = world();
    pass(&mut world, 10, &[(SECOND, "200 OK")]);
    assert_eq!(told(&world).last(), Some(&(1, vec![(address(FIRST), None)])));
    for _ in 0..10 {
        assert_eq!((best(&mut world), reach(&mut world)), (address(SECOND), Reach::Ready));
        pass(&mut world, 30, &[(SECOND, "200 OK")]);
    }
    let before = told(&world).len();
    pass(&mut world, 31, &[(FIRST, "200 OK"), (SECOND, "200 OK")]);
    assert_eq!(told(&world)[before..], [(2, vec![])]);
    assert_eq!(best(&mut world), address(FIRST));
}

#[test]
fn a_trunk_of_which_no_server_answers_is_down_and_is_called_only_as_the_last() {
    let mut world = world();
    pass(&mut world, 600, &[]);
    assert_eq!(told(&world), [(0, vec![(address(FIRST), None), (address(SECOND), None)])], "told once");
    assert_eq!(reach(&mut world), Reach::Down);
    assert_eq!(best(&mut world), address(FIRST), "whoever has nothing else still tries it");
    pass(&mut world, 31, &[(FIRST, "200 OK")]);
    assert_eq!(told(&world).last(), Some(&(1, vec![(address(SECOND), None)])));
    assert_eq!(reach(&mut world), Reach::Ready);
}

#[test]
fn one_lost_datagram_is_no_outage() {
    let mut world = world();
    world.lose("OPTIONS ", 4);
    pass(&mut world, 20, &[(FIRST, "200 OK"), (SECOND, "200 OK")]);
    assert!(told(&world).iter().all(|(_, down)| down.is_empty()), "{:?}", told(&world));
    assert_eq!(told(&world).last(), Some(&(2, vec![])));
}

#[test]
fn a_connection_that_breaks_is_a_server_that_is_down() {
    let mut world = world_with(vec![place(FIRST, Transport::Tcp)]);
    world.run_for(20);
    let flow = Flow { transport: Transport::Tcp, local: address(ALICE), remote: address(FIRST) };
    world.agents[ALICE].ua.handle(world.now, Input::FlowFailed { flow });
    world.drain(ALICE);
    assert_eq!(told(&world), [(0, vec![(address(FIRST), None)])]);
}

#[test]
fn a_trunk_whose_name_nobody_knows_is_down_and_is_asked_as_soon_as_it_is_known() {
    let mut world = world_with(vec![Place::parse("udp:sip.operator.example:5060").unwrap()]);
    let answered = |world: &mut World, answer: Answer| {
        let query = world.asked.pop().expect("a question");
        world.agents[ALICE].ua.handle(world.now, Input::Resolved { query, answer });
        world.drain(ALICE);
    };
    answered(&mut world, Answer::Failed);
    world.run_for(100);
    assert_eq!(told(&world), [(0, vec![])]);
    assert_eq!(reach(&mut world), Reach::Down);
    world.run_for(6_000);
    let records = vec![Record::Address { ip: address(FIRST).ip(), local: None }];
    answered(&mut world, Answer::Found { records, ttl: Duration::from_secs(300) });
    pass(&mut world, 1, &[(FIRST, "200 OK")]);
    assert_eq!(told(&world).last(), Some(&(1, vec![])));
    assert_eq!(reach(&mut world), Reach::Ready);
}

#[test]
fn a_trunk_that_is_not_watched_is_never_asked_and_one_taken_out_is_asked_no_more() {
    let mut world = world();
    world.run_for(100);
    let mut config = open_config(ALICE);
    config.trunks = vec![Trunk { probe: Duration::ZERO, ..line(vec![place(FIRST, Transport::Udp)]) }];
    world.act(ALICE, Do::Reconfigure { config: Box::new(config) });
    world.run_for(40_000);
    world.take(address(FIRST));
    let before = world.sent_by(ALICE, "OPTIONS ");
    world.run_for(600_000);
    assert_eq!(world.sent_by(ALICE, "OPTIONS "), before);
    world.assert_idle();
}
