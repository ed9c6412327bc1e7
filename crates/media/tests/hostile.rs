//! Whatever comes in, in whatever order: no panic, no growth, no endless turn.

mod world;

use media::{PacketKind, ShardInput};
use media_api::{Codec, Command, Digits, Direction, LegId, PlayId, Tapping};
use proptest::prelude::*;
use world::*;

#[derive(Clone, Debug)]
enum Step {
    Raw(u64, bool, bool, Vec<u8>),
    Rtp(u64, bool, Rtp),
    Command(Command),
    Sound(u8, bool),
    Open(u64),
    Pass(u64),
    Oversleep(u64),
}

fn leg() -> impl Strategy<Value = LegId> {
    (1u64..5).prop_map(LegId)
}

fn rtp() -> impl Strategy<Value = Rtp> {
    let kinds = prop::sample::select(vec![PCMA, PCMA, PCMU, KEYS, KEYS, 13, 72, 127]);
    let sequences = prop_oneof![0u16..20, any::<u16>()];
    let timestamps = prop_oneof![0u32..4000, any::<u32>()];
    let payload = prop::collection::vec(any::<u8>(), 0..330);
    (any::<bool>(), kinds, sequences, timestamps, 0u32..3, payload).prop_map(
        |(marker, payload_type, sequence, timestamp, ssrc, payload)| Rtp {
            marker,
            payload_type,
            sequence,
            timestamp,
            ssrc,
            payload,
        },
    )
}

fn command() -> impl Strategy<Value = Command> {
    let directions = prop::sample::select(vec![
        Direction::SendRecv,
        Direction::SendOnly,
        Direction::RecvOnly,
        Direction::Inactive,
    ]);
    let configure = (leg(), directions, any::<bool>(), prop::option::of(100u8..102)).prop_map(
        |(leg, direction, other_law, digits)| {
            let mut stream = stream(leg);
            stream.direction = direction;
            stream.digits = digits.map(|payload_type| Digits { payload_type, clock_rate: 8000 });
            if other_law {
                (stream.codec, stream.payload_type) = (Codec::Pcmu, PCMU);
            }
            Command::Configure { leg, stream }
        },
    );
    let names = prop::sample::select(vec!["s0", "s1", "s2", "s3"]);
    let sounds =
        prop::collection::vec(prop::collection::vec(names, 0..3).prop_map(|names| sound(&names)), 0..4);
    prop_oneof![
        4 => configure,
        3 => (leg(), any::<u64>(), sounds, any::<bool>())
            .prop_map(|(leg, play, sounds, repeat)| Command::Play { leg, play: PlayId(play), sounds, repeat }),
        1 => leg().prop_map(|leg| Command::Stop { leg }),
        2 => (leg(), "[0-9*#A-Dx€]{0,8}").prop_map(|(leg, digits)| Command::SendDigits { leg, digits }),
        3 => (leg(), leg()).prop_map(|(a, b)| Command::Bridge { a, b }),
        2 => (leg(), leg()).prop_map(|(leg, to)| Command::Listen { leg, to }),
        1 => leg().prop_map(|leg| Command::Unbridge { leg }),
        1 => leg().prop_map(|leg| Command::Echo { leg }),
        1 => (leg(), any::<bool>()).prop_map(|(leg, on)| Command::Tap { leg, tapping: on.then(|| Tapping::at(8000)) }),
        1 => leg().prop_map(|leg| Command::Close { leg }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1u64..5, any::<bool>(), any::<bool>(), prop::collection::vec(any::<u8>(), 0..200))
            .prop_map(|(leg, rtcp, known, bytes)| Step::Raw(leg, rtcp, known, bytes)),
        8 => (1u64..5, any::<bool>(), rtp()).prop_map(|(leg, known, rtp)| Step::Rtp(leg, known, rtp)),
        6 => command().prop_map(Step::Command),
        2 => (0u8..4, any::<bool>()).prop_map(|(name, there)| Step::Sound(name, there)),
        2 => (1u64..5).prop_map(Step::Open),
        4 => (0u64..100).prop_map(Step::Pass),
        1 => (0u64..100_000).prop_map(Step::Oversleep),
    ]
}

fn source(leg: LegId, known: bool) -> std::net::SocketAddr {
    if known { party(leg) } else { address("203.0.113.66:6666") }
}

fn take(world: &mut World, step: Step) {
    match step {
        Step::Raw(leg, rtcp, known, mut bytes) => {
            // Half of them look right at first sight.
            if let Some(first) = bytes.first_mut().filter(|_| known) {
                *first = 0x80 | *first & 0x3f;
            }
            let kind = if rtcp { PacketKind::Rtcp } else { PacketKind::Rtp };
            world.raw(LegId(leg), kind, source(LegId(leg), known), &bytes);
        }
        Step::Rtp(leg, known, rtp) => world.from(LegId(leg), source(LegId(leg), known), &rtp),
        Step::Command(command) => world.command(command),
        Step::Sound(name, there) => world.answer(&format!("s{name}"), there.then(|| clip(name, name))),
        Step::Open(leg) => world.open(LegId(leg), stream(LegId(leg))),
        Step::Pass(millis) => world.pass(millis),
        Step::Oversleep(millis) => world.oversleep(millis),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_order_of_inputs_breaks_a_shard(steps in prop::collection::vec(step(), 1..120)) {
        let mut world = World::new();
        for step in steps {
            let before = world.sent.len();
            take(&mut world, step);
            // Four legs, five packets at once each, 20 ticks at most, and what was passed on.
            prop_assert!(world.sent.len() - before <= 4 * (5 + 1) * 21);
            if let Some((due, why)) = world.shard.poll_timeout() {
                world.tick();
                prop_assert!(world.shard.poll_timeout().is_none_or(|(next, _)| next > world.now), "{due} {why:?}");
            }
        }
        for leg in 1..5 {
            world.command(Command::Close { leg: LegId(leg) });
        }
        prop_assert_eq!(world.shard.legs(), 0);
        prop_assert!(world.shard.poll_timeout().is_none());
    }

    #[test]
    fn every_line_keeps_its_ssrc_and_never_sends_a_number_twice_by_its_own(
        steps in prop::collection::vec(step(), 1..120)
    ) {
        let mut world = World::new();
        world.open(A, stream(A));
        world.sounds.insert("s1".into(), Some(clip(1, 30)));
        for step in steps {
            let is_close = matches!(step, Step::Command(Command::Close { .. }));
            if !is_close {
                take(&mut world, step);
            }
        }
        let line = world.to(A);
        for pair in line.windows(2) {
            prop_assert_eq!(pair[0].ssrc, pair[1].ssrc);
        }
    }

    #[test]
    fn the_same_seed_and_inputs_give_the_same_packets(steps in prop::collection::vec(step(), 1..60)) {
        let run = |steps: Vec<Step>| {
            let mut world = World::new();
            steps.into_iter().for_each(|step| take(&mut world, step));
            (world.sent.iter().map(|sent| (sent.at, sent.to, sent.rtp.clone())).collect::<Vec<_>>(), world.events)
        };
        let (first, second) = (run(steps.clone()), run(steps));
        prop_assert_eq!(first, second);
    }
}

#[test]
fn a_shell_that_takes_nothing_loses_speech_and_not_the_memory() {
    let mut world = World::bridged();
    let rtp = Rtp::speech(0, 0, 1);
    for n in 0..100_000u32 {
        let rtp = Rtp { sequence: n as u16, timestamp: n * 160, ..rtp.clone() };
        world.shard.handle(
            world.now,
            ShardInput::Packet { leg: A, kind: PacketKind::Rtp, from: party(A), bytes: &rtp.bytes() },
        );
    }
    let mut kept = 0;
    while world.shard.poll_output().is_some() {
        kept += 1;
    }
    assert!(kept > 20_000 && kept < 30_000, "{kept}");
    world.say(A, &Rtp::speech(65_535, 0, 1));
    assert_eq!(world.sent.len(), 0, "late");
    world.talk(A, 2, 0, 3);
    assert_eq!(world.sent.len(), 3, "and goes on once it is taken");
}
