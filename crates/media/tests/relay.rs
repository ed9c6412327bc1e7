//! What one party says and the other hears.

mod world;

use audio::g711::Law;
use media_api::{Codec, Command, Direction, PlayId, Stream};
use world::*;

/// Sequence and timestamp relative to the first packet.
fn steps(packets: &[Rtp]) -> Vec<(u16, u32)> {
    let first = &packets[0];
    packets
        .iter()
        .map(|rtp| (rtp.sequence.wrapping_sub(first.sequence), rtp.timestamp.wrapping_sub(first.timestamp)))
        .collect()
}

#[test]
fn the_same_law_is_passed_on_byte_by_byte_under_our_own_ssrc() {
    let mut world = World::bridged();
    world.talk(A, 77, 10, 5);
    let heard = world.to(B);
    assert_eq!(heard.len(), 5);
    assert!(world.to(A).is_empty());
    for (n, rtp) in heard.iter().enumerate() {
        assert_eq!(rtp.payload, Rtp::speech(10 + n as u16, 0, 0).payload);
        assert_eq!((rtp.payload_type, rtp.ssrc), (PCMA, heard[0].ssrc));
        assert_eq!(rtp.marker, n == 0, "a talk-spurt begins with the first");
    }
    assert_ne!(heard[0].ssrc, 77);
    assert_eq!(steps(&heard), [(0, 0), (1, 160), (2, 320), (3, 480), (4, 640)]);
    assert!(world.sent.iter().all(|sent| sent.to == party(B)));
}

#[test]
fn another_law_is_recoded_and_its_payload_type_translated() {
    let mut world = World::bridged();
    let mut stream = stream(B);
    (stream.codec, stream.payload_type) = (Codec::Pcmu, PCMU);
    world.command(Command::Configure { leg: B, stream });
    let mut rtp = Rtp::speech(1, 0, 77);
    rtp.payload = (0..=255).collect();
    world.say(A, &rtp);
    let mut expected: Vec<u8> = (0..=255).collect();
    Law::A.recode(Law::Mu, &mut expected);
    assert_eq!((world.to(B)[0].payload_type, &world.to(B)[0].payload), (PCMU, &expected));
    assert_ne!(expected, rtp.payload);
}

#[test]
fn loss_and_reordering_stay_what_they_are_and_what_comes_twice_is_passed_on_once() {
    for first in [100u16, 65_533] {
        let mut world = World::bridged();
        for step in [0, 1, 4, 3, 3, 4, 0, 5] {
            let sequence = first.wrapping_add(step);
            world.say(A, &Rtp::speech(sequence, 16_000 + u32::from(step) * 160, 77));
            world.pass(20);
        }
        assert_eq!(steps(&world.to(B)), [(0, 0), (1, 160), (4, 640), (3, 480), (5, 800)], "{first}");
    }
}

#[test]
fn a_packet_from_before_the_bridge_has_no_place_on_the_line() {
    let mut world = World::bridged();
    for sequence in [100u16, 99, 101] {
        world.say(A, &Rtp::speech(sequence, u32::from(sequence) * 160, 77));
    }
    assert_eq!(steps(&world.to(B)), [(0, 0), (1, 160)]);
}

#[test]
fn a_long_talk_runs_over_every_wrap_without_a_gap() {
    let mut world = World::bridged();
    for n in 0..140_000u32 {
        let timestamp = 0xffff_0000u32.wrapping_add(n * 160);
        world.say(A, &Rtp::speech(n as u16, timestamp, 77));
        world.now = world.now + std::time::Duration::from_millis(20);
    }
    let heard = world.to(B);
    assert_eq!(heard.len(), 140_000);
    for pair in heard.windows(2) {
        assert_eq!(pair[1].sequence.wrapping_sub(pair[0].sequence), 1);
        assert_eq!(pair[1].timestamp.wrapping_sub(pair[0].timestamp), 160);
    }
}

#[test]
fn a_sender_that_begins_anew_makes_no_jump_on_the_line() {
    for (what, ssrc, first, timestamp) in [
        ("another SSRC", 78, 40_000u16, 5u32),
        ("another count", 77, 40_000, 1_000_000_000),
        ("a clock that goes back", 77, 5, 0),
        ("a clock that leaps ahead", 77, 5, 900_000_000),
    ] {
        let mut world = World::bridged();
        for n in 0..5u16 {
            world.say(A, &Rtp::speech(n, 80_000 + u32::from(n) * 160, 77));
            world.pass(20);
        }
        for n in 0..5u16 {
            world.say(A, &Rtp::speech(first + n, timestamp + u32::from(n) * 160, ssrc));
            world.pass(20);
        }
        let heard = world.to(B);
        // The first packet of another count under the same SSRC is dropped: it could be a stray one.
        let dropped = usize::from(what == "another count");
        assert_eq!(heard.len(), 10 - dropped, "{what}");
        assert!(heard[5].marker, "{what}");
        for (before, after) in heard.iter().zip(&heard[1..]) {
            assert_eq!(after.sequence.wrapping_sub(before.sequence), 1, "{what}");
            let step = after.timestamp.wrapping_sub(before.timestamp);
            assert!((160..=320).contains(&step), "{what}: {step}");
        }
    }
}

#[test]
fn a_pause_of_the_sender_is_a_pause_on_the_line() {
    let mut world = World::bridged();
    world.talk(A, 77, 0, 2);
    world.pass(1000);
    world.say(A, &Rtp::speech(2, 320 + 8000, 77));
    assert_eq!(steps(&world.to(B)), [(0, 0), (1, 160), (2, 8320)]);
}

#[test]
fn one_line_runs_on_from_prompt_to_music_to_the_other_party_and_back() {
    let mut world = World::bridged();
    world.sounds.insert("it/welcome".into(), Some(clip(1, 10)));
    world.sounds.insert("moh/calm".into(), Some(clip(50, 100)));
    world.pass(3);
    world.play(1, &[&["it/welcome"]], false);
    world.pass(333);
    world.play(2, &[&["moh/calm"]], true);
    world.pass(517);
    world.command(Command::Bridge { a: A, b: B });
    world.talk(B, 5, 60_000, 20);
    world.play(3, &[&["it/welcome"]], false);
    world.pass(101);
    world.command(Command::Stop { leg: A });
    world.talk(B, 5, 60_050, 20);
    world.command(Command::SendDigits { leg: A, digits: "1".into() });
    world.talk(B, 5, 60_070, 30);

    let line: Vec<&Sent> = world.sent.iter().filter(|sent| sent.leg == A).collect();
    assert!(line.len() > 90, "{}", line.len());
    // When the newest timestamp was first on the line.
    let mut begun = line[0].at;
    for pair in line.windows(2) {
        let [before, after] = [pair[0], pair[1]];
        assert_eq!(after.rtp.ssrc, before.rtp.ssrc);
        assert_eq!(after.rtp.sequence.wrapping_sub(before.rtp.sequence), 1);
        let step = after.rtp.timestamp.wrapping_sub(before.rtp.timestamp);
        if before.rtp.payload_type == KEYS && after.rtp.payload_type == KEYS {
            assert_eq!(step, 0);
            continue;
        }
        let passed = (after.at - begun).as_millis() as u32 * 8;
        begun = after.at;
        assert!((160..=passed.max(160) + 160).contains(&step), "a step of {step} in {passed} ticks");
        assert!(step == 160 || after.rtp.marker, "a gap without a marker");
    }
}

#[test]
fn a_key_is_passed_on_with_its_own_payload_type_and_one_timestamp() {
    let mut world = World::bridged();
    world.command(Command::Configure { leg: B, stream: stream(B).with_digits(96) });
    world.talk(A, 77, 0, 3);
    for n in 3..8u16 {
        world.say(A, &Rtp::key(n, 480, 77, 5, n >= 6, (n.min(6) - 2) * 160));
        world.pass(20);
    }
    world.say(A, &Rtp::speech(8, 1280, 77));
    let heard = world.to(B);
    assert_eq!(
        steps(&heard),
        [(0, 0), (1, 160), (2, 320), (3, 480), (4, 480), (5, 480), (6, 480), (7, 480), (8, 1280)]
    );
    assert_eq!(heard[6].payload, [5, 0x80 | 10, 0x02, 0x80]);
    assert_eq!((heard[6].payload_type, heard[8].payload_type), (96, PCMA));
    assert_eq!(world.digits(), "5");
}

#[test]
fn a_key_that_the_other_cannot_take_is_dropped_and_leaves_no_gap() {
    let mut world = World::bridged();
    let stream = Stream { digits: None, ..stream(B) };
    world.command(Command::Configure { leg: B, stream });
    world.talk(A, 77, 0, 3);
    for n in 3..8u16 {
        world.say(A, &Rtp::key(n, 480, 77, 5, n >= 6, 160));
    }
    world.say(A, &Rtp::speech(8, 1280, 77));
    world.say(A, &Rtp::speech(9, 1440, 77));
    let heard = world.to(B);
    assert!(heard.iter().all(|rtp| rtp.payload_type == PCMA && rtp.payload.len() == 160));
    assert_eq!(steps(&heard), [(0, 0), (1, 160), (2, 320), (3, 1280), (4, 1440)]);
    assert_eq!(world.digits(), "5");
}

#[test]
fn a_held_party_hears_nothing_and_is_not_heard() {
    for (direction, is_heard, hears) in [
        (Direction::SendRecv, true, true),
        (Direction::SendOnly, false, true),
        (Direction::RecvOnly, true, false),
        (Direction::Inactive, false, false),
    ] {
        let mut world = World::bridged();
        let mut stream = stream(A);
        stream.direction = direction;
        world.command(Command::Configure { leg: A, stream });
        world.talk(A, 1, 0, 3);
        world.talk(B, 2, 0, 3);
        assert_eq!(!world.to(B).is_empty(), is_heard, "{direction:?}");
        assert_eq!(!world.to(A).is_empty(), hears, "{direction:?}");
    }
}

#[test]
fn hold_by_the_address_of_nobody_sends_nothing() {
    let mut world = World::bridged();
    let mut stream = stream(A);
    stream.remote = address("0.0.0.0:4002");
    world.command(Command::Configure { leg: A, stream });
    world.talk(B, 2, 0, 3);
    assert!(world.to(A).is_empty());
}

#[test]
fn what_was_said_during_a_hold_is_no_loss_afterwards() {
    let mut world = World::bridged();
    world.talk(B, 2, 0, 3);
    let mut held = stream(A);
    held.direction = Direction::Inactive;
    world.command(Command::Configure { leg: A, stream: held });
    world.talk(B, 2, 3, 50);
    world.command(Command::Configure { leg: A, stream: stream(A) });
    world.talk(B, 2, 53, 2);
    let steps = steps(&world.to(A));
    assert_eq!(steps.iter().map(|step| step.0).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert_eq!(steps[3].1, 53 * 160, "the time of the hold has passed");
}

#[test]
fn nobody_hears_anything_after_the_bridge_has_ended() {
    for end in [
        Command::Unbridge { leg: B },
        Command::Close { leg: B },
        Command::Echo { leg: B },
        Command::Bridge { a: B, b: media_api::LegId(3) },
    ] {
        let mut world = World::bridged();
        world.open(media_api::LegId(3), stream(media_api::LegId(3)));
        world.command(end.clone());
        world.talk(A, 1, 0, 3);
        assert!(world.sent.is_empty(), "{end:?}");
    }
}

#[test]
fn who_listens_hears_the_other_and_is_not_heard() {
    let mut world = World::bridged();
    world.command(Command::Listen { leg: A, to: B });
    world.talk(B, 1, 0, 3);
    world.talk(A, 2, 0, 3);
    assert_eq!((world.to(A).len(), world.to(B).len()), (3, 0));
    world.command(Command::Bridge { a: A, b: B });
    world.talk(B, 1, 3, 3);
    world.talk(A, 2, 3, 3);
    assert_eq!((world.to(A).len(), world.to(B).len()), (6, 3));
}

#[test]
fn a_listening_ends_by_either_of_the_two_and_by_whatever_comes_after_it() {
    let third = media_api::LegId(3);
    for end in [
        Command::Unbridge { leg: A },
        Command::Unbridge { leg: B },
        Command::Close { leg: A },
        Command::Close { leg: B },
        Command::Echo { leg: A },
        Command::Bridge { a: A, b: third },
        Command::Listen { leg: B, to: third },
    ] {
        let mut world = World::bridged();
        world.open(third, stream(third));
        world.command(Command::Listen { leg: A, to: B });
        world.command(end.clone());
        world.talk(B, 1, 0, 3);
        assert!(world.to(A).is_empty(), "{end:?}");
    }
}

#[test]
fn an_echo_hears_itself() {
    let mut world = World::alone();
    world.command(Command::Echo { leg: A });
    world.talk(A, 1, 0, 3);
    assert_eq!(world.to(A).len(), 3);
    assert_eq!(world.to(A)[2].payload, Rtp::speech(2, 0, 0).payload);
}

#[test]
fn a_bridge_ends_what_plays_and_a_prompt_in_a_bridge_is_heard_alone() {
    let mut world = World::bridged();
    world.sounds.insert("it/welcome".into(), Some(clip(1, 10)));
    world.play(1, &[&["it/welcome"]], false);
    world.pass(40);
    world.command(Command::Bridge { a: A, b: B });
    let ended = media_api::Event::PlayEnded { leg: A, play: PlayId(1), complete: false };
    assert_eq!(world.told(), [ended]);
    world.play(2, &[&["it/welcome"]], false);
    world.sent.clear();
    world.talk(B, 2, 0, 5);
    world.talk(A, 1, 0, 5);
    assert!(world.to(B).is_empty(), "who listens to a prompt speaks to nobody");
    assert!(world.to(A).iter().all(|rtp| (1..=10).contains(&rtp.payload[0])));
    world.pass(100);
    world.sent.clear();
    world.talk(A, 1, 5, 3);
    assert_eq!(world.to(B).len(), 3, "after the prompt the bridge goes on");
}
