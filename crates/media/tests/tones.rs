//! Keys as tones, heard in every codec and pressed in every codec, and what the other party of a bridge hears of them.

#![allow(clippy::unwrap_used, reason = "a helper of a test may fail it")]

mod world;

use audio::dtmf::{Detector, Press};
use audio::tone::Tone;
use audio::{Decoder, Encoder, EncoderSettings, Resampler};
use media_api::{Codec, Command, LegId, RoomId, Seat, Stream};
use world::*;

const ALL: &str = "0123456789*#ABCD";

fn plain(leg: LegId, codec: Codec) -> Stream {
    Stream::plain(party(leg), codec, codec.static_payload_type().unwrap_or(111))
}

/// A party that writes what it says in one codec.
struct Speaker {
    codec: Codec,
    encoder: Encoder,
    resampler: Resampler,
    sequence: u16,
}

impl Speaker {
    fn new(codec: Codec) -> Speaker {
        let encoder = Encoder::new(codec, &EncoderSettings::default());
        let resampler = Resampler::new(8000, encoder.sample_rate());
        Speaker { codec, encoder, resampler, sequence: 0 }
    }

    /// Says these samples of 8 kHz, in packets of 20 ms.
    fn say(&mut self, world: &mut World, leg: LegId, samples: &[i16]) {
        for frame in samples.as_chunks::<160>().0 {
            let (mut speech, mut payload) = (Vec::new(), Vec::new());
            self.resampler.process(frame, &mut speech);
            self.encoder.encode(&speech, &mut payload);
            let timestamp = u32::from(self.sequence) * (self.codec.clock_rate() / 50);
            let payload_type = self.codec.static_payload_type().unwrap_or(111);
            let (marker, sequence) = (false, self.sequence);
            world.say(leg, &Rtp { marker, payload_type, sequence, timestamp, ssrc: 9, payload });
            self.sequence += 1;
            world.pass(20);
        }
    }
}

fn pressed(keys: &str, millis: usize) -> Vec<i16> {
    let mut samples = vec![0; 800];
    for key in keys.chars() {
        Press::new(key, millis, 8000).unwrap().fill((millis + 80) * 8, &mut samples);
    }
    samples.resize(samples.len().next_multiple_of(160) + 800, 0);
    samples
}

/// The speech that a leg was sent, at 8 kHz.
fn heard_by(world: &World, leg: LegId, codec: Codec) -> Vec<i16> {
    let mut decoder = Decoder::at(codec, 8000);
    let mut resampler = Resampler::new(decoder.sample_rate(), 8000);
    let (mut decoded, mut samples) = (Vec::new(), Vec::new());
    for rtp in world.to(leg).iter().filter(|rtp| rtp.payload_type != KEYS) {
        decoded.clear();
        decoder.decode(&rtp.payload, &mut decoded).unwrap();
        resampler.process(&decoded, &mut samples);
    }
    samples
}

fn keys_in(samples: &[i16]) -> String {
    let mut keys = String::new();
    Detector::default().hear(samples.iter().copied(), |key| keys.push(key));
    keys
}

/// The keys that a leg was sent as telephone-events.
fn events_to(world: &World, leg: LegId) -> String {
    let keys = world.to(leg).into_iter().filter(|rtp| rtp.payload_type == KEYS && rtp.marker);
    keys.map(|rtp| ALL.as_bytes()[usize::from(rtp.payload[0])] as char).collect()
}

#[test]
fn keys_are_heard_in_the_speech_of_every_codec() {
    for codec in Codec::ALL {
        let mut world = World::new();
        world.open(A, plain(A, codec));
        Speaker::new(codec).say(&mut world, A, &pressed(ALL, 80));
        assert_eq!(world.digits(), ALL, "{codec:?}");
    }
}

#[test]
fn keys_are_pressed_as_tones_in_every_codec_for_who_has_no_events() {
    for codec in Codec::ALL {
        let mut world = World::new();
        world.open(A, plain(A, codec));
        world.command(Command::SendDigits { leg: A, digits: ALL.into() });
        world.pass(200 * ALL.len() as u64 + 200);
        assert_eq!(keys_in(&heard_by(&world, A, codec)), ALL, "{codec:?}");
        let line = world.to(A);
        assert!(line[0].marker && line.iter().filter(|rtp| rtp.marker).count() == 1, "{codec:?}");
    }
}

#[test]
fn a_press_as_tones_lasts_100_ms_after_silence_and_speech_goes_on_after_it() {
    let mut world = World::new();
    for leg in [A, B] {
        world.open(leg, plain(leg, Codec::Pcma));
    }
    world.command(Command::Bridge { a: A, b: B });
    world.talk(A, 7, 0, 5);
    world.command(Command::SendDigits { leg: B, digits: "5".into() });
    world.talk(A, 7, 5, 20);
    let heard = heard_by(&world, B, Codec::Pcma);
    let press = &heard[5 * 160..];
    let loud = |samples: &[i16]| samples.iter().filter(|sample| sample.unsigned_abs() > 1000).count();
    assert_eq!(loud(&press[..160]), 0);
    assert!(loud(&press[160..960]) > 600);
    assert_eq!(loud(&press[960..1600]), 0);
    let line = world.to(B);
    for pair in line.windows(2) {
        assert_eq!(pair[1].sequence.wrapping_sub(pair[0].sequence), 1);
    }
    assert!(line.len() >= 24, "{}", line.len());
}

#[test]
fn tones_for_a_party_that_hears_them_are_left_in_the_speech_and_told_to_nobody() {
    for codec in [Codec::Pcma, Codec::G722] {
        let mut world = World::new();
        world.open(A, plain(A, codec));
        world.open(B, plain(B, Codec::Pcma));
        world.command(Command::Bridge { a: A, b: B });
        Speaker::new(codec).say(&mut world, A, &pressed("159#", 80));
        assert_eq!(
            (world.digits().as_str(), keys_in(&heard_by(&world, B, Codec::Pcma)).as_str()),
            ("", "159#")
        );
        world.command(Command::Unbridge { leg: A });
        Speaker::new(codec).say(&mut world, A, &pressed("7", 80));
        assert_eq!(world.digits(), "7", "{codec:?}");
    }
}

#[test]
fn tones_in_a_talk_are_told_where_call_control_asks_and_kept_while_the_key_goes_by_another_way() {
    for codec in [Codec::Pcma, Codec::G722] {
        let mut world = World::new();
        world.open(A, plain(A, codec));
        world.open(B, plain(B, Codec::Pcma));
        world.command(Command::Bridge { a: A, b: B });
        world.command(Command::HearKeys { leg: A, kept: false });
        let mut speaker = Speaker::new(codec);
        speaker.say(&mut world, A, &pressed("15", 80));
        let heard = keys_in(&heard_by(&world, B, Codec::Pcma));
        assert_eq!((world.digits().as_str(), heard.as_str()), ("15", "15"), "{codec:?}");
        world.command(Command::HearKeys { leg: A, kept: true });
        speaker.say(&mut world, A, &pressed("9", 80));
        world.pass(300);
        speaker.say(&mut world, A, &pressed("#", 80));
        let heard = keys_in(&heard_by(&world, B, Codec::Pcma));
        assert_eq!((world.digits().as_str(), heard.as_str()), ("159#", "15#"), "{codec:?}");
    }
}

#[test]
fn in_a_room_tones_are_told_and_kept_from_the_others_where_call_control_presses_them_on() {
    for (codec, is_pressed_on) in
        [(Codec::Pcma, true), (Codec::Pcma, false), (Codec::Opus, true), (Codec::G722, false)]
    {
        let mut world = World::new();
        for (leg, stream) in [(A, plain(A, codec)), (B, plain(B, Codec::Pcma).with_digits(KEYS))] {
            world.open(leg, stream);
            world.command(Command::Join { leg, room: RoomId(1), seat: Seat::OPEN, chime: false });
        }
        if is_pressed_on {
            world.command(Command::HearKeys { leg: A, kept: false });
        }
        let mut speaker = Speaker::new(codec);
        speaker.say(&mut world, A, &Tone::new(440.0, 8000).take(8000));
        speaker.say(&mut world, A, &pressed("15#", 300));
        world.pass(400);
        let (told, heard) = if is_pressed_on { ("15#", "") } else { ("", "15#") };
        assert_eq!(world.digits(), told, "{codec:?}");
        assert_eq!(keys_in(&heard_by(&world, B, Codec::Pcma)), heard, "{codec:?}");
    }
}

#[test]
fn tones_are_told_and_kept_from_a_party_that_gets_them_as_events() {
    for (codec, other) in [(Codec::Pcma, Codec::Pcma), (Codec::G722, Codec::Pcma), (Codec::Opus, Codec::G722)]
    {
        let mut world = World::new();
        world.open(A, plain(A, codec));
        world.open(B, plain(B, other).with_digits(KEYS));
        world.command(Command::Bridge { a: A, b: B });
        // What call control does with each.
        let mut speaker = Speaker::new(codec);
        for key in "159#".chars() {
            speaker.say(&mut world, A, &pressed(key.encode_utf8(&mut [0; 4]), 300));
            assert_eq!(world.digits().chars().last(), Some(key));
            world.command(Command::SendDigits { leg: B, digits: key.to_string() });
            world.pass(300);
        }
        assert_eq!((world.digits().as_str(), events_to(&world, B).as_str()), ("159#", "159#"), "{codec:?}");
        let heard = heard_by(&world, B, other);
        assert_eq!(keys_in(&heard), "", "{codec:?}");
        let loud = heard.iter().filter(|sample| sample.unsigned_abs() > 1000).count();
        assert!(loud < 4 * 30 * 8, "{codec:?}: {} ms of four presses", loud / 8);
    }
}

#[test]
fn talk_goes_on_around_keys_that_are_kept_from_the_other_party() {
    let mut world = World::new();
    world.open(A, plain(A, Codec::Pcma));
    world.open(B, plain(B, Codec::Pcma).with_digits(KEYS));
    world.command(Command::Bridge { a: A, b: B });
    let mut speaker = Speaker::new(Codec::Pcma);
    let talk: Vec<i16> = Tone::new(440.0, 8000).take(8000);
    for samples in [&talk, &pressed("8", 400), &talk] {
        speaker.say(&mut world, A, samples);
    }
    let line = world.to(B);
    assert!(line.len() >= 50 + 50 + 10, "{}", line.len());
    for pair in line.windows(2) {
        assert_eq!(pair[1].sequence.wrapping_sub(pair[0].sequence), 1, "no loss on the line");
    }
}
