//! Who should be heard and is not.

mod world;

use std::time::Duration;

use base::Time;
use media::PacketKind;
use media_api::{Command, Direction, Event};
use world::*;

/// `ShardConfig::silent_after`, unless it is set.
const PATIENCE: Duration = Duration::from_millis(2500);
const FRAME: Duration = Duration::from_millis(20);

#[test]
fn a_party_that_never_speaks_is_silent_when_patience_ends_and_only_once() {
    let mut world = World::alone();
    world.from(A, address("203.0.113.66:6666"), &Rtp::speech(1, 0, 666));
    world.pass(22_500);
    let [(at, Event::Silent { leg: A, evidence })] = &world.events[..] else { panic!("{:?}", world.events) };
    assert_eq!(at.since(Time::ZERO), PATIENCE);
    assert_eq!(evidence.expected, party(A));
    assert_eq!((evidence.last_source, evidence.received, evidence.rejected), (None, 0, 1));
    assert_eq!(evidence.silent_for, PATIENCE);
    assert!(!evidence.rtcp_alive);
}

#[test]
fn a_party_that_falls_silent_is_told_with_what_was_seen_and_told_again_when_it_is_back() {
    let mut world = World::alone();
    world.talk(A, 77, 0, 300);
    let fell_silent = world.now;
    let mut report = vec![0x80, 201, 0, 1];
    report.extend(77u32.to_be_bytes());
    world.pass(1000);
    world.raw(A, PacketKind::Rtcp, address("192.0.2.1:4003"), &report);
    world.pass(2000);
    let [(at, Event::Silent { evidence, .. })] = &world.events[..] else { panic!("{:?}", world.events) };
    // The last packet came a frame before.
    assert_eq!((*at - fell_silent + FRAME, evidence.silent_for), (PATIENCE, PATIENCE));
    assert_eq!((evidence.received, evidence.last_source, evidence.rtcp_alive), (300, Some(party(A)), true));
    world.talk(A, 77, 300, 10);
    let Some((_, Event::Restored { after, .. })) = world.events.get(1) else { panic!("{:?}", world.events) };
    assert_eq!(*after, Duration::from_millis(3020));
    assert_eq!(world.events.len(), 2);
    world.pass(3000);
    let again = world.events[2..].iter().filter(|(_, event)| matches!(event, Event::Silent { .. }));
    assert_eq!(again.count(), 1, "and again");
}

#[test]
fn nobody_is_awaited_before_the_agreement_or_on_hold() {
    let mut world = World::new();
    world.input(media::ShardInput::Opened { leg: A, local: address("198.51.100.1:16384") });
    world.pass(10_000);
    for direction in [Direction::SendOnly, Direction::Inactive] {
        let mut held = stream(A);
        held.direction = direction;
        world.command(Command::Configure { leg: A, stream: held });
        world.pass(10_000);
    }
    assert_eq!(world.told(), []);
    world.command(Command::Configure { leg: A, stream: stream(A) });
    let agreed_at = world.now;
    world.pass(3000);
    let [(at, Event::Silent { .. })] = world.events[..] else { panic!("{:?}", world.events) };
    assert_eq!(at - agreed_at, PATIENCE);
}

#[test]
fn comfort_noise_and_keys_are_signs_of_life() {
    let mut world = World::alone();
    for n in 0..10u16 {
        let mut rtp = Rtp::key(n, 8000, 77, 1, false, 160);
        if n % 2 == 0 {
            (rtp.payload_type, rtp.payload) = (13, vec![60]);
        }
        world.say(A, &rtp);
        world.pass(2000);
    }
    assert_eq!(world.digits(), "1");
    assert!(!world.told().iter().any(|event| matches!(event, Event::Silent { .. })));
}
