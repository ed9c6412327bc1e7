//! Registrations of ours: kept for ever, refused and out of order told apart (RFC 3261 §10.2).

use crate::world::*;
use sip::ua::*;
use std::time::Duration;

const OPERATOR: usize = 7;

fn trunk(transport: Transport) -> Trunk {
    Trunk {
        targets: vec![place(OPERATOR, transport)],
        domain: Some("operator.example".into()),
        credentials: Some(account("line1")),
        register: true,
        ..crate::world::trunk("operator", OPERATOR)
    }
}

/// Alice with a trunk whose registrar is the test.
fn world(transport: Transport) -> World {
    let mut config = open_config(ALICE);
    config.trunks = vec![trunk(transport)];
    let mut world = World::of(vec![config], 3);
    world.transport = transport;
    world.run_for(20);
    world
}

/// Answers the REGISTER that came last.
fn answer(world: &mut World, status: &str, more: &str) -> String {
    let asked = world.take(address(OPERATOR)).pop().expect("a REGISTER");
    assert!(asked.starts_with("REGISTER sip:operator.example SIP/2.0"), "{asked}");
    world.inject(address(OPERATOR), ALICE, &answer_to(&asked, status, more));
    asked
}

/// When the next REGISTER comes, in milliseconds from now.
fn next(world: &mut World) -> u64 {
    let before = world.now;
    for _ in 0..400_000 {
        if !world.take_nothing(address(OPERATOR)) {
            return (world.now - before).as_millis() as u64;
        }
        world.run_for(10);
    }
    panic!("no REGISTER comes");
}

fn downs(world: &World) -> Vec<(bool, Option<u16>, u64)> {
    let events = world.agents[ALICE].events.iter();
    events
        .filter_map(|(_, e)| match e {
            Event::RegistrationDown { refused, status, next_try, .. } => {
                Some((*refused, *status, next_try.as_millis() as u64))
            }
            _ => None,
        })
        .collect()
}

fn ups(world: &World) -> usize {
    world.count(ALICE, |e| matches!(e, Event::RegistrationUp { name } if name == "operator"))
}

const CHALLENGE: &str = "WWW-Authenticate: Digest realm=\"op\", nonce=\"n1\", qop=\"auth\"\n";

#[test]
fn a_trunk_is_registered_after_a_challenge_and_refreshed_in_time() {
    let mut world = world(Transport::Udp);
    let first = answer(&mut world, "401 Unauthorized", CHALLENGE);
    assert_eq!(header(&first, "Contact"), Some("<sip:line1@10.0.0.1:5060>"));
    world.run_for(20);
    let contact = "Contact: <sip:line1@10.0.0.99:5060>;expires=3600, <sip:line1@10.0.0.1:5060>;expires=100\n";
    let second = answer(&mut world, "200 OK", &contact.replace("99:5060", "99:5062"));
    assert!(header(&second, "Authorization").unwrap().contains("username=\"line1\""));
    assert_eq!(header(&first, "Call-ID"), header(&second, "Call-ID"));
    assert_eq!(ups(&world), 1);
    let pause = next(&mut world);
    assert!((80_000..=90_200).contains(&pause), "{pause}");
    let refresh = answer(&mut world, "200 OK", "Expires: 100\n");
    assert_eq!(header(&refresh, "Call-ID"), header(&first, "Call-ID"));
    assert_eq!((ups(&world), downs(&world).len()), (1, 0));
}

#[test]
fn an_interval_that_is_too_brief_is_raised() {
    let mut world = world(Transport::Udp);
    answer(&mut world, "423 Interval Too Brief", "Min-Expires: 1800\n");
    world.run_for(20);
    let again = answer(&mut world, "200 OK", "");
    assert_eq!(header(&again, "Expires"), Some("1800"));
    assert_eq!((ups(&world), downs(&world).len()), (1, 0));
}

#[test]
fn refused_credentials_are_told_and_tried_again_slowly_for_ever() {
    let mut world = world(Transport::Udp);
    for round in 0..8u32 {
        answer(&mut world, "401 Unauthorized", CHALLENGE);
        world.run_for(20);
        answer(&mut world, "401 Unauthorized", &CHALLENGE.replace("n1", "n2"));
        let expected = (60_000u64 << round).min(1_800_000);
        assert_eq!(downs(&world).pop(), Some((true, Some(401), expected)));
        let pause = next(&mut world);
        assert!(pause.abs_diff(expected) <= 100, "{pause}");
    }
    assert_eq!(ups(&world), 0);
    answer(&mut world, "200 OK", "");
    assert_eq!(ups(&world), 1);
}

#[test]
fn a_403_or_404_is_a_refusal_and_a_stale_nonce_is_not() {
    for status in ["403 Forbidden", "404 Not Found"] {
        let mut world = world(Transport::Udp);
        answer(&mut world, status, "");
        assert_eq!(downs(&world), [(true, status[..3].parse().ok(), 60_000)]);
    }
    let mut world = world(Transport::Udp);
    answer(&mut world, "401 Unauthorized", CHALLENGE);
    world.run_for(20);
    answer(&mut world, "401 Unauthorized", &CHALLENGE.replace("n1\"", "n2\", stale=true"));
    world.run_for(20);
    answer(&mut world, "200 OK", "");
    assert_eq!((ups(&world), downs(&world).len()), (1, 0));
}

#[test]
fn an_outage_is_tried_again_fast_and_with_jitter_for_ever() {
    let mut world = world(Transport::Udp);
    let bases = [2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000];
    for base in bases {
        answer(&mut world, "503 Service Unavailable", "");
        let (refused, status, pause) = downs(&world).pop().unwrap();
        assert_eq!((refused, status), (false, Some(503)));
        assert!((base * 3 / 4..=base).contains(&pause), "{pause} of {base}");
        next(&mut world);
    }
    answer(&mut world, "200 OK", "");
    assert_eq!(ups(&world), 1);
    // After a success it begins anew.
    next(&mut world);
    answer(&mut world, "500 Server Error", "Retry-After: 120\n");
    assert_eq!(downs(&world).pop(), Some((false, Some(500), 120_000)));
    let pause = next(&mut world);
    assert!(pause.abs_diff(120_000) <= 100, "{pause}");
    answer(&mut world, "200 OK", "");
    assert_eq!(ups(&world), 2);
}

#[test]
fn a_registrar_that_is_silent_for_a_day_is_found_again() {
    let mut world = world(Transport::Udp);
    world.run_for(86_400_000);
    let downs = downs(&world);
    assert!(downs.len() > 900 && downs.iter().all(|(refused, status, _)| !refused && status.is_none()));
    world.take(address(OPERATOR));
    next(&mut world);
    answer(&mut world, "200 OK", "");
    assert_eq!(ups(&world), 1);
}

#[test]
fn a_broken_stream_is_an_outage_and_the_trunk_registers_again() {
    let mut world = world(Transport::Tcp);
    answer(&mut world, "200 OK", "");
    let flow = world.flow(ALICE, OPERATOR);
    world.agents[ALICE].ua.handle(world.now, Input::FlowFailed { flow });
    world.drain(ALICE);
    assert_eq!(downs(&world).len(), 1);
    let pause = next(&mut world);
    assert!(pause <= 2_100, "{pause}");
    answer(&mut world, "200 OK", "");
    assert_eq!(ups(&world), 2);
}

#[test]
fn a_trunk_that_is_taken_out_unregisters_and_a_new_one_registers() {
    let mut world = world(Transport::Udp);
    answer(&mut world, "200 OK", "");
    let mut config = open_config(ALICE);
    world.act(ALICE, Do::Reconfigure { config: Box::new(config.clone()) });
    world.run_for(20);
    let leaving = answer(&mut world, "200 OK", "");
    assert_eq!(header(&leaving, "Expires"), Some("0"));
    world.run_for(3_600_000);
    assert!(world.take(address(OPERATOR)).is_empty());
    world.assert_idle();
    config.trunks = vec![trunk(Transport::Udp)];
    world.act(ALICE, Do::Reconfigure { config: Box::new(config) });
    world.run_for(20);
    answer(&mut world, "200 OK", "");
    assert_eq!(ups(&world), 2);
}

#[test]
fn a_softphone_registers_with_our_own_registrar_and_goes() {
    let mut exchange = open_config(ALICE);
    exchange.accounts = vec![account("maria")];
    let mut world = World::of(vec![exchange, open_config(BOB)], 1);
    let registration = Registration {
        name: "desk".into(),
        towards: world.flow(BOB, ALICE).into(),
        domain: "help.example".into(),
        account: account("maria"),
        expires: Duration::from_secs(300),
    };
    world.act(BOB, Do::Register { registration });
    world.run_for(100);
    assert!(world.has(BOB, |e| matches!(e, Event::RegistrationUp { name } if name == "desk")));
    assert_eq!(world.agents[ALICE].ua.contacts("maria")[0].uri, "sip:maria@10.0.0.2:5060");
    world.run_for(3_600_000);
    assert_eq!(world.agents[ALICE].ua.contacts("maria").len(), 1);
    assert!(!world.has(BOB, |e| matches!(e, Event::RegistrationDown { .. })));
    world.act(BOB, Do::Unregister { name: "desk".into() });
    world.run_for(100);
    assert!(world.has(ALICE, |e| matches!(e, Event::Unregistered { why: Gone::ByDevice, .. })));
    world.run_for(60_000);
    world.assert_idle();
}
