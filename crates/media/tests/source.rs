//! From where a party is heard: its own packets reach through, a stranger's neither move nor reach anyone.

mod world;

use media_api::{Command, Event};
use world::*;

const STRANGER: &str = "203.0.113.66:6666";

/// B speaks, so that one sees where A is spoken to.
fn probe(world: &mut World, sequence: u16) -> std::net::SocketAddr {
    world.say(B, &Rtp::speech(sequence, u32::from(sequence) * 160, 500));
    let heard = world.sent.iter().rev().find(|sent| sent.leg == A);
    heard.map(|sent| sent.to).unwrap_or(address("0.0.0.0:0"))
}

#[test]
fn a_party_behind_a_nat_is_found_after_five_packets_in_a_row() {
    let mut world = World::bridged();
    let nat = address("203.0.113.5:55555");
    assert_eq!(probe(&mut world, 0), party(A));
    for n in 0..8u16 {
        world.from(A, nat, &Rtp::speech(n, u32::from(n) * 160, 77));
        world.pass(20);
        let expected = if n < 4 { party(A) } else { nat };
        assert_eq!(probe(&mut world, n + 1), expected, "after packet {n}");
    }
    assert_eq!(world.to(B).len(), 4, "from the fifth on");
    assert_eq!(world.stats(A).rejected, 4);
}

#[test]
fn a_stranger_cannot_break_in_on_a_party_that_speaks() {
    let mut world = World::bridged();
    for n in 0..200u16 {
        world.say(A, &Rtp::speech(n, u32::from(n) * 160, 77));
        world.from(A, address(STRANGER), &Rtp::speech(n, u32::from(n) * 160, 666));
        assert_eq!(probe(&mut world, n), party(A));
        world.pass(20);
    }
    assert_eq!(world.to(B).len(), 200);
    assert!(world.to(B).iter().zip(0..).all(|(rtp, n)| rtp.payload == Rtp::speech(n, 0, 0).payload));
    assert_eq!(world.stats(A).rejected, 200);
}

#[test]
fn a_strangers_key_is_no_key() {
    let mut world = World::bridged();
    world.talk(A, 77, 0, 5);
    for n in 0..10 {
        world.from(A, address(STRANGER), &Rtp::key(n, 8000, 666, 9, false, 160));
    }
    assert_eq!(world.digits(), "");
}

#[test]
fn few_packets_repeated_ones_and_numbers_far_apart_never_pass() {
    for sequences in
        [&[1u16, 2, 3, 4][..], &[1, 100, 200, 300, 400, 500, 600], &[65_535, 40, 3, 80, 7, 120], &[1; 20]]
    {
        let mut world = World::bridged();
        for n in sequences {
            world.from(A, address(STRANGER), &Rtp::speech(*n, 0, 666));
        }
        assert_eq!(probe(&mut world, 0), party(A), "{sequences:?}");
        assert!(world.to(B).is_empty());
    }
}

#[test]
fn a_party_behind_a_nat_is_found_though_its_packets_overtake_each_other() {
    for sequences in [[3, 1, 4, 0, 2], [0, 2, 4, 6, 8], [20, 65_530, 1, 9, 12]] {
        let mut world = World::bridged();
        let nat = address("203.0.113.5:55555");
        for n in sequences {
            world.from(A, nat, &Rtp::speech(n, u32::from(n) * 160, 77));
            world.pass(20);
        }
        assert_eq!(probe(&mut world, 0), nat, "{sequences:?}");
    }
}

#[test]
fn a_slow_probation_is_none() {
    let mut world = World::bridged();
    for n in 0..20u16 {
        world.from(A, address(STRANGER), &Rtp::speech(n, 0, 666));
        world.pass(400);
    }
    assert_eq!(probe(&mut world, 0), party(A));
}

#[test]
fn another_payload_type_never_passes() {
    let mut world = World::bridged();
    for n in 0..20u16 {
        let mut rtp = Rtp::speech(n, 0, 666);
        rtp.payload_type = 96;
        world.from(A, address(STRANGER), &rtp);
        world.say(A, &rtp);
    }
    assert_eq!(probe(&mut world, 0), party(A));
    assert_eq!(world.stats(A).rejected, 40);
}

#[test]
fn a_nat_that_changes_the_port_is_followed_at_once() {
    let mut world = World::bridged();
    world.talk(A, 77, 0, 10);
    let moved = address("192.0.2.1:60001");
    world.from(A, moved, &Rtp::speech(10, 1600, 77));
    assert_eq!(world.to(B).len(), 11);
    assert_eq!(probe(&mut world, 0), moved);
}

#[test]
fn the_right_ssrc_with_a_wrong_sequence_is_a_stranger() {
    let mut world = World::bridged();
    world.talk(A, 77, 0, 10);
    world.from(A, address(STRANGER), &Rtp::speech(40_000, 1600, 77));
    assert_eq!(world.to(B).len(), 10);
    assert_eq!(probe(&mut world, 0), party(A));
}

#[test]
fn the_negotiated_address_takes_its_place_back_from_a_stranger_that_came_first() {
    let mut world = World::bridged();
    for n in 0..50u16 {
        world.from(A, address(STRANGER), &Rtp::speech(n, u32::from(n) * 160, 666));
        world.pass(20);
    }
    assert_eq!(probe(&mut world, 0), address(STRANGER));
    for n in 0..5u16 {
        world.from(A, address(STRANGER), &Rtp::speech(50 + n, 0, 666));
        world.say(A, &Rtp::speech(1000 + n, 0, 77));
        world.pass(20);
    }
    assert_eq!(probe(&mut world, 1), party(A));
    for n in 0..50u16 {
        world.from(A, address(STRANGER), &Rtp::speech(100 + n, 0, 666));
        world.say(A, &Rtp::speech(1005 + n, 0, 77));
        world.pass(20);
    }
    assert_eq!(probe(&mut world, 2), party(A), "and the stranger does not come back");
}

#[test]
fn a_pause_in_speaking_lets_no_stranger_in() {
    let mut world = World::bridged();
    world.talk(A, 77, 0, 10);
    for n in 0..85u16 {
        world.from(A, address(STRANGER), &Rtp::speech(n, u32::from(n) * 160, 666));
        world.pass(20);
    }
    assert_eq!(probe(&mut world, 0), party(A));
    assert_eq!(world.to(B).len(), 10);
}

#[test]
fn a_party_that_has_fallen_silent_may_come_back_from_elsewhere() {
    let mut world = World::bridged();
    world.talk(A, 77, 0, 10);
    world.pass(2000);
    let elsewhere = address("203.0.113.5:55555");
    for n in 0..5u16 {
        world.from(A, elsewhere, &Rtp::speech(n, u32::from(n) * 160, 78));
        world.pass(20);
    }
    assert_eq!(probe(&mut world, 0), elsewhere);
}

#[test]
fn a_new_agreement_on_another_address_moves_both_ways_at_once() {
    let mut world = World::bridged();
    world.talk(A, 77, 0, 10);
    let mut moved = stream(A);
    moved.remote = address("192.0.2.99:7000");
    world.command(Command::Configure { leg: A, stream: moved.clone() });
    assert_eq!(probe(&mut world, 0), moved.remote);
    world.from(A, moved.remote, &Rtp::speech(500, 0, 78));
    assert_eq!(world.to(B).len(), 11);
}

#[test]
fn a_hold_does_not_forget_what_was_learned() {
    let mut world = World::bridged();
    let nat = address("203.0.113.5:55555");
    for n in 0..8u16 {
        world.from(A, nat, &Rtp::speech(n, u32::from(n) * 160, 77));
        world.pass(20);
    }
    world.command(Command::Configure { leg: A, stream: stream(A) });
    assert_eq!(probe(&mut world, 0), nat);
}

#[test]
fn many_strangers_at_once_do_not_keep_the_party_out() {
    let mut world = World::bridged();
    let nat = address("203.0.113.5:55555");
    for n in 0..60u16 {
        let port = 7000 + n;
        world.from(A, std::net::SocketAddr::from(([203, 0, 113, 66], port)), &Rtp::speech(n, 0, 666));
        world.from(A, nat, &Rtp::speech(n, u32::from(n) * 160, 77));
        world.pass(20);
    }
    assert_eq!(probe(&mut world, 0), nat);
}

#[test]
fn our_own_packets_that_come_back_from_ourselves_are_dropped() {
    let mut world = World::bridged();
    let mut looped = stream(A);
    looped.remote = address("198.51.100.1:16386");
    world.command(Command::Configure { leg: A, stream: looped.clone() });
    world.from(A, looped.remote, &Rtp::speech(1, 0, 77));
    assert!(world.to(B).is_empty());
}

#[test]
fn nothing_is_heard_before_the_agreement_or_of_a_leg_that_is_not_there() {
    let mut world = World::new();
    world.input(media::ShardInput::Opened { leg: A, local: address("198.51.100.1:16384") });
    world.say(A, &Rtp::speech(1, 0, 77));
    world.say(B, &Rtp::speech(1, 0, 77));
    world.command(Command::Bridge { a: A, b: B });
    world.command(Command::Close { leg: B });
    assert_eq!(world.told(), []);
    assert_eq!(world.stats(A).rejected, 1);
}

#[test]
fn a_full_shard_refuses_the_next_leg_and_says_what_to_do() {
    let mut world = World::with(media::ShardConfig { legs_max: 1, ..media::ShardConfig::default() });
    world.open(A, stream(A));
    world.open(A, stream(A));
    world.open(B, stream(B));
    let [Event::OpenFailed { leg: B, why }] = &world.told()[..] else { panic!("{:?}", world.told()) };
    assert!(why.contains("1 legs") && why.contains("more threads"), "{why}");
    assert_eq!(world.shard.legs(), 1);
}
