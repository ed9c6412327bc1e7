//! Keys in and out, with what real senders do to them.

mod world;

use std::time::Duration;

use audio::dtmf::HEARD_AFTER;
use audio::g711::Law;
use audio::tone::Tone;
use media::ShardInput;
use media_api::{Codec, Command, Digits, Event, KeysBy, LegId, Stream};
use world::*;

/// One packet of a press: when (ms), marker, timestamp, key, end, duration.
type Step = (u64, bool, u32, u8, bool, u16);

fn one_press(from: u64, timestamp: u32, key: u8) -> Vec<Step> {
    let mut steps: Vec<Step> =
        (0..4u16).map(|n| (from + u64::from(n) * 20, n == 0, timestamp, key, false, (n + 1) * 160)).collect();
    steps.extend((0..3).map(|n| (from + 80 + n, false, timestamp, key, true, 800)));
    steps
}

fn without(steps: &[Step], lost: impl Fn(usize, &Step) -> bool) -> Vec<Step> {
    steps.iter().enumerate().filter(|(n, step)| !lost(*n, step)).map(|(_, step)| *step).collect()
}

fn digits_of(steps: &[Step]) -> String {
    let mut world = World::alone();
    for (sequence, (millis, marker, timestamp, key, end, duration)) in steps.iter().enumerate() {
        world.now = base::Time::from_millis(1000 + millis);
        let mut rtp = Rtp::key(sequence as u16, *timestamp, 9, *key, *end, *duration);
        rtp.marker = *marker;
        world.say(A, &rtp);
    }
    world.digits()
}

#[test]
fn one_press_is_one_digit_whatever_the_sender_and_the_network_do() {
    let press = one_press(0, 8000, 5);
    let twice = [one_press(0, 8000, 5), one_press(180, 8000 + 1440, 5)].concat();
    let table: Vec<(&str, Vec<Step>, &str)> = vec![
        ("a plain press", press.clone(), "5"),
        ("the marker is missing", press.iter().map(|s| (s.0, false, s.2, s.3, s.4, s.5)).collect(), "5"),
        (
            "the marker is in every packet",
            press.iter().map(|s| (s.0, true, s.2, s.3, s.4, s.5)).collect(),
            "5",
        ),
        ("the start is lost", without(&press, |n, _| n == 0), "5"),
        ("all but the ends are lost", without(&press, |_, s| !s.4), "5"),
        ("all but the last end are lost", press[6..].to_vec(), "5"),
        ("the ends are lost", without(&press, |_, s| s.4), "5"),
        ("only the first arrives", press[..1].to_vec(), "5"),
        ("every packet arrives twice", press.iter().flat_map(|s| [*s, *s]).collect(), "5"),
        (
            "an update comes after the ends",
            [press.clone(), vec![(90, false, 8000, 5, false, 640)]].concat(),
            "5",
        ),
        (
            "a copy comes a second later",
            [press.clone(), vec![(1000, false, 8000, 5, true, 800)]].concat(),
            "5",
        ),
        (
            "updates pause for half a second",
            vec![
                (0, true, 8000, 5, false, 160),
                (500, false, 8000, 5, false, 4000),
                (600, false, 8000, 5, true, 4800),
            ],
            "5",
        ),
        (
            "each end has a timestamp of its own",
            vec![
                (0, true, 8000, 5, false, 160),
                (20, false, 8000, 5, false, 320),
                (40, false, 8000, 5, true, 480),
                (60, false, 8160, 5, true, 480),
                (80, false, 8320, 5, true, 480),
            ],
            "5",
        ),
        (
            "every packet has a timestamp of its own, rising durations",
            (0..6u16)
                .map(|n| (u64::from(n) * 20, n == 0, 8000 + u32::from(n) * 160, 5, n > 3, (n + 1) * 160))
                .collect(),
            "5",
        ),
        (
            "every packet has a timestamp of its own, one duration",
            (0..6u16)
                .map(|n| (u64::from(n) * 20, n == 0, 8000 + u32::from(n) * 160, 5, n > 3, 160))
                .collect(),
            "5",
        ),
        ("the duration is always 0", press.iter().map(|s| (s.0, s.1, s.2, s.3, s.4, 0)).collect(), "5"),
        (
            "the timestamp wraps in the press",
            {
                let start = u32::MAX - 100;
                (0..6u16).map(|n| (u64::from(n) * 20, n == 0, start, 5, n > 3, (n + 1) * 160)).collect()
            },
            "5",
        ),
        (
            "held for 12 s, in segments",
            {
                let mut steps: Vec<Step> = Vec::new();
                for n in 0..600u32 {
                    let (segment, ticks) = ((n * 160) / 0xffff, (n * 160) % 0xffff);
                    steps.push((
                        u64::from(n) * 20,
                        n == 0,
                        8000 + segment * 0xffff,
                        5,
                        n >= 598,
                        ticks as u16,
                    ));
                }
                steps
            },
            "5",
        ),
        (
            "held for 12 s, in segments, around each change 100 ms lost",
            {
                let mut steps: Vec<Step> = Vec::new();
                for n in (0..600u32).filter(|n| (n * 160) % 0xffff > 800) {
                    let (segment, ticks) = ((n * 160) / 0xffff, (n * 160) % 0xffff);
                    steps.push((
                        u64::from(n) * 20,
                        n == 0,
                        8000 + segment * 0xffff,
                        5,
                        n >= 598,
                        ticks as u16,
                    ));
                }
                steps
            },
            "5",
        ),
        (
            "held for 12 s, the duration stays at its highest",
            (0..600u32)
                .map(|n| (u64::from(n) * 20, n == 0, 8000, 5, n >= 598, (n * 160).min(0xffff) as u16))
                .collect(),
            "5",
        ),
        ("twice with 100 ms between", twice.clone(), "55"),
        ("twice, the ends lost", without(&twice, |_, s| s.4), "55"),
        (
            "twice, the ends and the markers lost",
            without(&twice, |_, s| s.4).iter().map(|s| (s.0, false, s.2, s.3, s.4, s.5)).collect(),
            "55",
        ),
        ("twice, of the second only the ends arrive", without(&twice, |n, s| n > 6 && !s.4), "55"),
        (
            "twice at 50 ms on, 50 ms off",
            vec![
                (0, true, 8000, 5, false, 160),
                (50, false, 8000, 5, true, 400),
                (100, true, 8800, 5, false, 160),
                (150, false, 8800, 5, true, 400),
            ],
            "55",
        ),
        (
            "two keys, one right after the other, the ends lost",
            vec![
                (0, true, 8000, 1, false, 160),
                (20, false, 8000, 1, false, 320),
                (40, false, 8320, 2, false, 160),
                (60, false, 8320, 2, true, 320),
            ],
            "12",
        ),
        (
            "an end of the key before comes after the next has begun",
            vec![
                (0, true, 8000, 1, false, 160),
                (80, false, 8000, 1, true, 800),
                (180, true, 9440, 2, false, 160),
                (181, false, 8000, 1, true, 800),
                (200, false, 9440, 2, true, 320),
            ],
            "12",
        ),
        (
            "all sixteen keys",
            (0..16u8)
                .flat_map(|key| one_press(u64::from(key) * 200, 8000 + u32::from(key) * 1600, key))
                .collect(),
            "0123456789*#ABCD",
        ),
        (
            "hook flash and other events are no keys",
            vec![(0, true, 8000, 16, false, 160), (20, false, 8000, 200, true, 160)],
            "",
        ),
    ];
    for (what, steps, digits) in table {
        assert_eq!(digits_of(&steps), digits, "{what}");
    }
}

#[test]
fn a_digit_is_told_at_its_first_packet_with_what_that_says() {
    let mut world = World::alone();
    world.say(A, &Rtp::key(1, 8000, 9, 3, false, 320));
    let digit = Event::Digit { leg: A, digit: '3', held: Duration::from_millis(40), by: KeysBy::Events };
    assert_eq!(world.told(), [digit]);
    assert_eq!(world.stats(A).digits, 1);
}

/// Two tones, 100 ms, as packets of speech.
fn say_tones(world: &mut World, low: f64, high: f64) {
    let (mut low, mut high) = (Tone::new(low, 6000), Tone::new(high, 6000));
    for sequence in 0..5u16 {
        let samples: Vec<i16> =
            low.take(160).iter().zip(high.take(160)).map(|(low, high)| low + high).collect();
        let mut rtp = Rtp::speech(sequence, u32::from(sequence) * 160, 9);
        Law::A.encode(&samples, &mut rtp.payload);
        world.say(A, &rtp);
        world.pass(20);
    }
}

#[test]
fn tones_are_keys_where_telephone_events_are_not_agreed_and_speech_where_they_are() {
    for (agreed, heard) in [(None, "5"), (stream(A).digits, "")] {
        let mut world = World::new();
        world.open(A, Stream { digits: agreed, ..stream(A) });
        say_tones(&mut world, 770.0, 1336.0);
        assert_eq!(world.digits(), heard);
    }
}

#[test]
fn tones_are_told_as_such_before_the_key_is_let_go() {
    let mut world = World::new();
    world.open(A, Stream { digits: None, ..stream(A) });
    say_tones(&mut world, 941.0, 1209.0);
    let (at, told) = world.events[0].clone();
    assert_eq!(told, Event::Digit { leg: A, digit: '*', held: HEARD_AFTER, by: KeysBy::Tones });
    assert!(at <= base::Time::from_millis(40), "{at:?}");
    assert_eq!(world.stats(A).digits, 1);
}

#[test]
fn keys_are_heard_while_a_prompt_plays() {
    let mut world = World::alone();
    world.sounds.insert("it/menu".into(), Some(clip(1, 100)));
    world.play(1, &[&["it/menu"]], false);
    world.pass(100);
    world.say(A, &Rtp::key(1, 8000, 9, 1, false, 160));
    assert_eq!(world.digits(), "1");
}

#[test]
fn a_payload_that_is_too_short_is_rejected() {
    let mut world = World::alone();
    let mut rtp = Rtp::key(1, 8000, 9, 1, false, 160);
    rtp.payload.truncate(3);
    world.say(A, &rtp);
    assert_eq!(world.digits(), "");
    let stats = world.stats(A);
    assert_eq!((stats.rejected, stats.received), (1, 0));
}

#[test]
fn a_key_goes_out_with_marker_updates_and_three_ends_under_one_timestamp() {
    let mut world = World::alone();
    world.command(Command::SendDigits { leg: A, digits: "1x#".into() });
    world.tick();
    world.pass(600);
    let at: Vec<u64> = world.sent.iter().map(|sent| sent.at.micros() / 1000).collect();
    assert_eq!(at, [0, 20, 40, 60, 80, 100, 120, 200, 220, 240, 260, 280, 300, 320]);
    let packets = world.to(A);
    for (press, code) in packets.chunks(7).zip([1u8, 11]) {
        let durations: Vec<u16> =
            press.iter().map(|rtp| u16::from_be_bytes([rtp.payload[2], rtp.payload[3]])).collect();
        assert_eq!(durations, [160, 320, 480, 640, 800, 800, 800]);
        assert_eq!(press.iter().filter(|rtp| rtp.marker).count(), 1);
        assert!(press[0].marker);
        assert!(press.iter().all(|rtp| rtp.timestamp == press[0].timestamp && rtp.payload[0] == code));
        let ends: Vec<bool> = press.iter().map(|rtp| rtp.payload[1] & 0x80 != 0).collect();
        assert_eq!(ends, [false, false, false, false, true, true, true]);
        assert!(press.iter().all(|rtp| rtp.payload_type == KEYS));
    }
    assert_eq!(packets[7].timestamp.wrapping_sub(packets[0].timestamp), 1600);
}

#[test]
fn speech_goes_on_after_the_keys_on_the_same_line() {
    let mut world = World::bridged();
    world.talk(A, 7, 0, 5);
    world.command(Command::SendDigits { leg: B, digits: "5".into() });
    world.talk(A, 7, 5, 20);
    let line = world.to(B);
    let speech = line.iter().rposition(|rtp| rtp.payload_type == KEYS).unwrap() + 1;
    assert_eq!(line[5].payload_type, KEYS);
    assert!(line[speech].marker);
    let step = line[speech].timestamp.wrapping_sub(line[5].timestamp);
    assert!((1520..=1760).contains(&step), "{step}");
    for pair in line.windows(2) {
        assert_eq!(pair[1].sequence.wrapping_sub(pair[0].sequence), 1);
    }
}

#[test]
fn what_we_send_is_heard_as_sent() {
    let mut ours = World::alone();
    ours.command(Command::SendDigits { leg: A, digits: "1123*#AD".into() });
    ours.pass(3000);
    let mut theirs = World::alone();
    for sent in &ours.sent {
        theirs.now = sent.at;
        theirs.say(A, &sent.rtp);
    }
    assert_eq!(theirs.digits(), "1123*#AD");
}

#[test]
fn keys_beyond_the_limit_are_not_sent_and_none_before_anything_is_agreed() {
    let mut world = World::new();
    world.input(ShardInput::Opened { leg: A, local: address("198.51.100.1:16386") });
    world.command(Command::SendDigits { leg: A, digits: "1".into() });
    world.command(Command::Configure { leg: A, stream: stream(A) });
    world.pass(500);
    assert!(world.sent.is_empty());
    for _ in 0..10 {
        world.command(Command::SendDigits { leg: A, digits: "1234567890".into() });
    }
    world.pass(30_000);
    assert_eq!(world.to(A).iter().filter(|rtp| rtp.payload_type == KEYS).count(), 64 * 7);
}

/// The durations of the keys that a leg was sent, in the order of the packets.
fn durations(world: &World, leg: LegId) -> Vec<u16> {
    let keys = world.to(leg).into_iter().filter(|rtp| rtp.payload_type == KEYS);
    keys.map(|rtp| u16::from_be_bytes([rtp.payload[2], rtp.payload[3]])).collect()
}

fn opus(leg: LegId, clock_rate: u32) -> Stream {
    let digits = Some(Digits { payload_type: KEYS, clock_rate });
    Stream { digits, ..Stream::plain(party(leg), Codec::Opus, 111) }
}

#[test]
fn a_key_lasts_as_long_by_whatever_clock_the_party_takes_it() {
    for (clock_rate, longest) in [(8000, 800), (48_000, 4800)] {
        let mut world = World::new();
        world.open(A, opus(A, clock_rate));
        world.command(Command::SendDigits { leg: A, digits: "5".to_owned() });
        world.pass(400);
        assert_eq!(durations(&world, A).last(), Some(&longest), "{clock_rate}");
    }
}

#[test]
fn a_key_crosses_from_one_clock_to_another_as_one_press_of_its_own_clock() {
    for (from, to, longest) in [(8000, 48_000, 4800), (48_000, 8000, 800)] {
        let mut world = World::new();
        world.open(A, opus(A, from));
        world.open(B, opus(B, to));
        world.command(Command::Bridge { a: A, b: B });
        for n in 0..8u16 {
            let mut key = Rtp::key(n, 16_000, 7, 9, n > 4, (from / 50) as u16 * (n + 1).min(6));
            key.marker = n == 0;
            world.say(A, &key);
            world.pass(20);
        }
        world.pass(400);
        assert_eq!(world.digits(), "9");
        assert_eq!(durations(&world, B).iter().max(), Some(&longest), "{from} to {to}");
        let keys = world.to(B).into_iter().filter(|rtp| rtp.payload_type == KEYS);
        assert_eq!(keys.filter(|rtp| rtp.marker).count(), 1);
    }
}

#[test]
fn how_long_a_key_was_held_is_told_by_its_own_clock() {
    let mut world = World::new();
    world.open(A, opus(A, 48_000));
    world.say(A, &Rtp::key(1, 16_000, 7, 3, false, 960));
    let held = world.told().into_iter().find_map(|event| match event {
        Event::Digit { held, .. } => Some(held),
        _ => None,
    });
    assert_eq!(held, Some(Duration::from_millis(20)));
}

#[test]
fn a_timestamp_half_a_circle_away_within_a_press_harms_nothing() {
    for step in [i32::MIN, i32::MIN + 1, i32::MAX] {
        let mut world = World::alone();
        world.say(A, &Rtp::key(1, 8000, 7, 5, false, u16::MAX));
        world.say(A, &Rtp::key(2, 8000u32.wrapping_add_signed(step), 7, 5, false, u16::MAX));
        assert!(matches!(world.digits().as_str(), "5" | "55"));
    }
}
