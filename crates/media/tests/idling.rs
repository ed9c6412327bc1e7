//! Who is sent nothing for long gets a sign of life.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails says where")]

mod world;

use audio::Decoder;
use media_api::{Codec, Command, Direction, Stream};
use world::*;

fn plain(codec: Codec) -> Stream {
    Stream::plain(party(B), codec, codec.static_payload_type().unwrap_or(111))
}

/// A talks for a second to B, who speaks this codec, then says nothing for so long.
fn silent_for(codec: Codec, seconds: u64) -> World {
    let mut world = World::new();
    world.open(A, stream(A));
    world.open(B, plain(codec));
    world.command(Command::Bridge { a: A, b: B });
    world.talk(A, 5, 0, 50);
    world.pass(seconds * 1000);
    world
}

#[test]
fn a_party_hears_20_ms_of_silence_every_ten_seconds_while_the_other_says_nothing() {
    for codec in Codec::ALL {
        let mut world = silent_for(codec, 0);
        world.pass(2000);
        let before = world.to(B).len();
        world.pass(36_000);
        let line = world.to(B);
        assert_eq!(line.len() - before, 3, "{codec:?}");
        let mut decoder = Decoder::new(codec);
        for rtp in &line[before..] {
            let mut samples = Vec::new();
            decoder.decode(&rtp.payload, &mut samples).unwrap();
            assert_eq!(samples.len() as u32, codec.sample_rate() / 50, "{codec:?}");
            let loudest = samples.iter().map(|sample| sample.unsigned_abs()).max();
            assert!(rtp.marker && loudest < Some(64), "{codec:?}: {loudest:?}");
        }
        let [.., first, second] = &line[..] else { panic!("two") };
        assert_eq!(second.sequence.wrapping_sub(first.sequence), 1);
        let step = second.timestamp.wrapping_sub(first.timestamp);
        assert!(
            (codec.clock_rate() * 10..codec.clock_rate() * 10 + 4800).contains(&step),
            "{codec:?}: {step}"
        );
    }
}

#[test]
fn speech_goes_on_after_it_on_the_same_line() {
    let mut world = silent_for(Codec::Pcma, 15);
    world.talk(A, 5, 800, 10);
    let line = world.to(B);
    for pair in line.windows(2) {
        assert_eq!(pair[1].sequence.wrapping_sub(pair[0].sequence), 1);
        assert!(pair[1].timestamp.wrapping_sub(pair[0].timestamp) < 1 << 31);
    }
    assert_eq!(line.len(), 50 + 1 + 10);
}

#[test]
fn who_was_never_sent_anything_or_may_not_be_sent_anything_gets_nothing() {
    let mut world = World::alone();
    world.pass(60_000);
    assert!(world.sent.is_empty());
    let mut world = silent_for(Codec::Pcma, 1);
    let before = world.to(B).len();
    let direction = Direction::RecvOnly;
    world.command(Command::Configure { leg: B, stream: Stream { direction, ..plain(Codec::Pcma) } });
    world.pass(60_000);
    assert_eq!(world.to(B).len(), before);
}
