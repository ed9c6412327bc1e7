//! Two who are bridged come into a room: what each of them hears of the other meanwhile.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod world;

use audio::g711::Law;
use audio::tone::Tone;
use media_api::{Codec, Command, RoomId, Seat, Stream};
use std::time::Duration;
use world::{A, B, PCMA, Rtp, World, party};

const ROOM: RoomId = RoomId(1);
/// What is quieter for longer than a sample or two is no part of a tone.
const QUIET: u16 = 200;

/// How many packets are said before.
const JOINS_AT: u16 = 20;

struct Heard {
    /// The longest silence.
    silent: Duration,
    /// The longest time between two packets.
    between: Duration,
    /// In how many packets something is to be heard.
    loud: usize,
}

/// What B is sent while A talks on and both are put into a room. A's packets come so many milliseconds after the command, and then every 20.
fn joining(phase: u64, seats: [Seat; 2]) -> Heard {
    let mut world = World::new();
    for leg in [A, B] {
        world.open(leg, Stream::plain(party(leg), Codec::Pcma, PCMA));
    }
    world.command(Command::Bridge { a: A, b: B });
    let mut tone = Tone::new(430.0, 4000);
    for n in 0..60_u16 {
        let rest = if n == JOINS_AT { phase } else { 0 };
        if n == JOINS_AT {
            world.pass(20 - phase);
            for (leg, seat) in [A, B].into_iter().zip(seats.clone()) {
                world.command(Command::Join { leg, room: ROOM, seat, chime: false });
            }
        }
        world.pass(if n == JOINS_AT { rest } else { 20 });
        let mut payload = vec![0; 160];
        Law::A.encode(&tone.take(160), &mut payload);
        let rtp = Rtp { payload, ..Rtp::speech(n, u32::from(n) * 160, 7) };
        world.say(A, &rtp);
        // B is there, and silent.
        world.say(B, &Rtp { payload: vec![0xd5; 160], ..Rtp::speech(n, u32::from(n) * 160, 8) });
    }
    let to_b: Vec<_> = world.sent.iter().filter(|sent| sent.leg == B).collect();
    let mut samples = vec![0; to_b.len() * 160];
    let bytes: Vec<u8> = to_b.iter().flat_map(|sent| sent.rtp.payload.clone()).collect();
    Law::A.decode(&bytes, &mut samples);
    let silent = samples.split(|sample| sample.unsigned_abs() > QUIET).map(<[i16]>::len).max().unwrap();
    let between = to_b.windows(2).map(|pair| pair[1].at.since(pair[0].at)).max().unwrap();
    let loud =
        samples.chunks(160).filter(|frame| frame.iter().any(|sample| sample.unsigned_abs() > QUIET)).count();
    Heard { silent: Duration::from_micros(silent as u64 * 125), between, loud }
}

#[test]
fn whose_bridge_becomes_a_room_goes_on_without_a_silence_between_two_words() {
    for phase in [1, 5, 10, 15, 19] {
        let heard = joining(phase, [Seat::OPEN, Seat::OPEN]);
        assert!(heard.silent <= Duration::from_millis(5), "{phase} ms: {:?}", heard.silent);
        assert_eq!(heard.between, Duration::from_millis(20), "{phase} ms");
    }
}

#[test]
fn nothing_of_who_comes_into_the_room_muted_is_passed_on_any_more() {
    let heard = joining(5, [Seat::LISTENING, Seat::OPEN]);
    assert_eq!(heard.loud, JOINS_AT.into(), "only what came before");
}
