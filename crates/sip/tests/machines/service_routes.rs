//! The route that a registrar names for what is sent by the registration (Service-Route, RFC 3608).

use crate::world::*;
use sip::identity::Policy;
use sip::locate::{Answer, Record};
use sip::ua::*;
use std::time::Duration;

const REGISTRAR: usize = 6;
const PROXY: usize = 7;
const OTHER: usize = 8;

/// Alice with a trunk that she registers with; the test is the registrar and the proxies.
fn world() -> World {
    let mut config = open_config(ALICE);
    config.open_to = vec![];
    config.trunks = vec![Trunk {
        name: "operator".into(),
        targets: vec![place(REGISTRAR, Transport::Udp)],
        addresses: vec![],
        domain: Some("operator.example".into()),
        credentials: Some(account("line1")),
        register: true,
        prack: None,
        p_early_media: false,
        identity: Policy::TRUSTED,
        probe: Duration::ZERO,
        progress_within: None,
    }];
    let mut world = World::of(vec![config], 3);
    world.run_for(20);
    world
}

/// Answers the REGISTER that came last.
fn registered(world: &mut World, status: &str, more: &str) {
    let asked = world.take(address(REGISTRAR)).pop().expect("a REGISTER");
    assert!(asked.starts_with("REGISTER "), "{asked}");
    assert_eq!(header(&asked, "Route"), None, "it is for what comes after (RFC 3608 §5)");
    world.inject(address(REGISTRAR), ALICE, &answer_to(&asked, status, more));
}

/// The next refresh is answered so.
fn refreshed(world: &mut World, status: &str, more: &str) {
    for _ in 0..100_000 {
        if !world.take_nothing(address(REGISTRAR)) {
            return registered(world, status, more);
        }
        world.run_for(10);
    }
    panic!("no REGISTER comes");
}

/// A call by the trunk, as it arrives at one of these addresses; it is refused there.
fn called(world: &mut World, at: usize) -> String {
    world.call_towards(ALICE, Towards::Trunk("operator".into()), "operator.example", None);
    world.run_for(20);
    let invite = world.take(address(at)).pop().expect("an INVITE here");
    world.inject(address(at), ALICE, &answer_to(&invite, "486 Busy Here", ""));
    world.run_for(20);
    world.take(address(at));
    invite
}

fn routes(invite: &str) -> Vec<&str> {
    invite.lines().filter_map(|line| line.strip_prefix("Route: ")).collect()
}

#[test]
fn calls_take_the_route_that_the_registrar_named_and_go_where_it_begins() {
    let mut world = world();
    let named = "Service-Route: <sip:10.0.0.8:5060;lr>, <sip:home.operator.example;lr>\n";
    registered(&mut world, "200 OK", &format!("Expires: 600\n{named}"));
    let invite = called(&mut world, PROXY);
    assert!(invite.starts_with("INVITE sip:help@operator.example SIP/2.0"), "{invite}");
    assert_eq!(routes(&invite).join(", "), "<sip:10.0.0.8:5060;lr>, <sip:home.operator.example;lr>");
    assert!(world.take_nothing(address(REGISTRAR)));
}

#[test]
fn a_refresh_that_names_another_route_or_none_changes_it_for_later_calls() {
    let mut world = world();
    registered(&mut world, "200 OK", "Expires: 100\nService-Route: <sip:10.0.0.8:5060;lr>\n");
    called(&mut world, PROXY);
    refreshed(&mut world, "200 OK", "Expires: 100\nService-Route: <sip:10.0.0.9:5060;lr>\n");
    assert_eq!(routes(&called(&mut world, OTHER)), ["<sip:10.0.0.9:5060;lr>"]);
    refreshed(&mut world, "200 OK", "Expires: 100\n");
    assert_eq!(routes(&called(&mut world, REGISTRAR)), [""; 0]);
}

#[test]
fn without_the_registration_there_is_no_route_and_the_trunk_is_down() {
    let mut world = world();
    registered(&mut world, "200 OK", "Expires: 100\nService-Route: <sip:10.0.0.8:5060;lr>\n");
    let now = world.now;
    assert_eq!(world.agents[ALICE].ua.reach(now, "operator"), Reach::Ready);
    refreshed(&mut world, "403 Forbidden", "");
    let now = world.now;
    assert_eq!(world.agents[ALICE].ua.reach(now, "operator"), Reach::Down);
    assert_eq!(routes(&called(&mut world, REGISTRAR)), [""; 0]);
}

#[test]
fn when_the_routes_proxy_is_silent_the_trunks_own_address_is_tried() {
    let mut world = world();
    registered(&mut world, "200 OK", "Expires: 600\nService-Route: <sip:10.0.0.8:5060;lr>\n");
    let session = world.call_towards(ALICE, Towards::Trunk("operator".into()), "operator.example", None);
    world.run_for(4_100);
    let invite = world.take(address(REGISTRAR)).pop().expect("an INVITE at the registrar");
    assert_eq!(routes(&invite), ["<sip:10.0.0.8:5060;lr>"], "the route stays that of the registration");
    world.inject(address(REGISTRAR), ALICE, &answer_to(&invite, "486 Busy Here", ""));
    assert_eq!(world.ending(ALICE, session).status, Some(486));
}

#[test]
fn the_name_in_a_route_is_located_before_a_call_needs_it() {
    let mut world = world();
    registered(&mut world, "200 OK", "Expires: 600\nService-Route: <sip:edge.operator.example:5060;lr>\n");
    assert_eq!(world.asked.iter().map(ToString::to_string).collect::<Vec<_>>(), ["A edge.operator.example"]);
    let query = world.asked.pop().unwrap();
    let records = vec![Record::Address { ip: address(OTHER).ip(), local: None }];
    let answer = Answer::Found { records, ttl: Duration::from_secs(300) };
    world.agents[ALICE].ua.handle(world.now, Input::Resolved { query, answer });
    world.drain(ALICE);
    called(&mut world, OTHER);
}

#[test]
fn nonsense_in_a_route_is_passed_over_and_no_route_grows_without_end() {
    let mut world = world();
    let many: Vec<String> = (0..40).map(|number| format!("<sip:10.0.0.8:5060;n={number};lr>")).collect();
    let named = format!("Service-Route: <>, nonsense here, {}\n", many.join(", "));
    registered(&mut world, "200 OK", &format!("Expires: 600\n{named}"));
    let invite = called(&mut world, PROXY);
    assert_eq!(invite.matches(";lr>").count(), 16, "{invite}");
}
