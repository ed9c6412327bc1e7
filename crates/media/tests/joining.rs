//! Two who are bridged come into a room: what each of them hears of the other meanwhile.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod world;

use audio::g711::Law;
use audio::tone::Tone;
use base::Seed;
use media_api::{Codec, Command, PlayId, RoomId, Seat, Stream};
use std::time::Duration;
use world::{A, B, PCMA, Rtp, Sent, World, party, sound};

const ROOM: RoomId = RoomId(1);
/// What is quieter for longer than a sample or two is no part of a tone.
const QUIET: u16 = 200;

const SILENCE: u8 = 0xd5;

/// How many packets are said before.
const JOINS_AT: u16 = 20;
const FRAME: u64 = 20;

/// Two who talk over a bridge.
struct Talk {
    world: World,
    tone: Tone,
    /// Which packet comes next.
    next: u16,
}

impl Talk {
    fn new() -> Talk {
        let mut world = World::new();
        for leg in [A, B] {
            world.open(leg, Stream::plain(party(leg), Codec::Pcma, PCMA));
        }
        world.command(Command::Bridge { a: A, b: B });
        Talk { world, tone: Tone::new(430.0, 4000), next: 0 }
    }

    /// The next packet of A, 20 ms of a tone.
    fn packet(&mut self) -> Rtp {
        let (n, mut payload) = (self.next, vec![0; 160]);
        Law::A.encode(&self.tone.take(160), &mut payload);
        self.next += 1;
        Rtp { payload, ..Rtp::speech(n, u32::from(n) * 160, 7) }
    }

    /// Both say so many packets, B silence, and so much time passes after each.
    fn talk(&mut self, packets: u16) {
        for _ in 0..packets {
            let packet = self.packet();
            self.world.say(A, &packet);
            self.world.say(B, &Rtp { payload: vec![SILENCE; 160], ssrc: 8, ..packet });
            self.world.pass(FRAME);
        }
    }

    fn join(&mut self, seats: [Seat; 2]) {
        for (leg, seat) in [A, B].into_iter().zip(seats) {
            self.world.command(Command::Join { leg, room: ROOM, seat, chime: false });
        }
    }

    fn to_b(&self) -> Vec<&Sent> {
        self.world.sent.iter().filter(|sent| sent.leg == B).collect()
    }

    /// What B hears.
    fn heard(&self) -> Vec<i16> {
        let bytes: Vec<u8> = self.to_b().iter().flat_map(|sent| sent.rtp.payload.clone()).collect();
        let mut samples = vec![0; bytes.len()];
        Law::A.decode(&bytes, &mut samples);
        samples
    }

    /// In how many packets B hears something.
    fn loud(&self) -> usize {
        let is_loud = |frame: &[i16]| frame.iter().any(|sample| sample.unsigned_abs() > QUIET);
        self.heard().chunks(160).filter(|frame| is_loud(frame)).count()
    }
}

/// A's packets come so many milliseconds after the two are in the room, and then every 20.
fn joining(phase: u64, seats: [Seat; 2]) -> Talk {
    let mut talk = Talk::new();
    talk.talk(JOINS_AT - 1);
    let packet = talk.packet();
    talk.world.say(A, &packet);
    talk.world.pass(FRAME - phase);
    talk.join(seats);
    talk.world.pass(phase);
    talk.talk(40);
    talk
}

#[test]
fn whose_bridge_becomes_a_room_goes_on_without_a_silence_between_two_words() {
    for phase in [1, 5, 10, 15, 19] {
        let talk = joining(phase, [Seat::OPEN, Seat::OPEN]);
        let heard = talk.heard();
        let silent = heard.split(|sample| sample.unsigned_abs() > QUIET).map(<[i16]>::len).max().unwrap();
        let between = talk.to_b().windows(2).map(|pair| pair[1].at.since(pair[0].at)).max().unwrap();
        assert!(silent <= 5 * 8, "{phase} ms: {silent} samples");
        assert_eq!(between, Duration::from_millis(FRAME), "{phase} ms");
    }
}

#[test]
fn nothing_of_who_comes_into_the_room_muted_is_passed_on_any_more() {
    let talk = joining(5, [Seat::LISTENING, Seat::OPEN]);
    assert_eq!(talk.loud(), JOINS_AT.into(), "only what came before");
}

#[test]
fn whoever_is_told_something_in_the_room_hears_that_from_its_first_frame() {
    let mut talk = Talk::new();
    talk.world.sounds.insert("told".into(), Some(world::clip(0x20, 3)));
    talk.talk(JOINS_AT);
    let before = talk.to_b().len();
    talk.join([Seat::OPEN, Seat::OPEN]);
    let sounds = vec![sound(&["told"])];
    talk.world.command(Command::Announce { room: ROOM, play: PlayId(1), sounds, to: Some(B), alone: true });
    talk.talk(10);
    let to_b = talk.to_b();
    let said = to_b[before..].iter().map(|sent| sent.rtp.payload[0]);
    let told: Vec<u8> = said.filter(|first| *first != SILENCE).take(2).collect();
    assert_eq!(told, [0x20, 0x21]);
}

/// What is told of a line (RFC 3550 §5.1, RFC 3711 §9.1).
fn assert_goes_on(line: &[&Sent], case: &str) {
    let first = line[0].rtp.sequence;
    let mut numbered: Vec<_> =
        line.iter().map(|sent| (sent.rtp.sequence.wrapping_sub(first), sent.rtp.timestamp)).collect();
    numbered.sort_unstable();
    for pair in numbered.windows(2) {
        let [(before, earlier), (after, later)] = [pair[0], pair[1]];
        assert_eq!(after.wrapping_sub(before), 1, "{case}: {after} after {before}");
        let step = later.wrapping_sub(earlier) as i32;
        assert!(step > 0, "{case}: {after} is {step} ticks after {before}");
    }
}

#[test]
fn no_number_of_the_line_is_given_twice_or_left_out_while_it_is_handed_over() {
    for seed in 0..2000 {
        let mut rng = Seed::from_number(seed).rng();
        let mut chance = |below: u64| u64::from(rng.next_u32()) % below;
        let mut talk = Talk::new();
        talk.talk(JOINS_AT);
        talk.world.pass(chance(20));
        talk.join([Seat::OPEN, Seat::OPEN]);
        // A is silent for a while, or the network keeps its packets, and gives them in another order.
        for _ in 0..6 {
            talk.world.pass(chance(120));
            let mut packets: Vec<Rtp> = (0..=chance(4)).map(|_| talk.packet()).collect();
            if chance(2) == 0 {
                packets.reverse();
            }
            for packet in packets {
                talk.world.say(A, &packet);
                talk.world.pass(chance(8));
            }
        }
        talk.talk(10);
        assert_goes_on(&talk.to_b(), &format!("seed {seed}"));
    }
}
