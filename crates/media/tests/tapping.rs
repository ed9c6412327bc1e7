//! What a recorder gets.

mod world;

use audio::tone::{Tone, heard};
use audio::{Encoder, EncoderSettings};
use media_api::{
    Codec, Command, Event, LegId, MessageEnd, MessageLimits, Part, PlayId, RecordingId, Stream, Tapping,
};
use std::time::Duration;
use world::*;

const SAID: f64 = 500.0;
const TOLD: f64 = 900.0;

/// Two parties who hear each other, of whom A is tapped.
struct Talk {
    world: World,
    parties: Vec<(LegId, Codec, Tone, Encoder)>,
    frame: u16,
}

impl Talk {
    fn new(one: Codec, other: Codec) -> Talk {
        let mut world = World::new();
        let parties = [(A, one, SAID), (B, other, TOLD)].map(|(leg, codec, hertz)| {
            world.open(leg, Stream::plain(party(leg), codec, codec.static_payload_type().unwrap_or(111)));
            let encoder = Encoder::new(codec, &EncoderSettings::default());
            (leg, codec, Tone::at_rate(hertz, 5000, codec.sample_rate()), encoder)
        });
        world.command(Command::Bridge { a: A, b: B });
        Talk { world, parties: parties.into(), frame: 0 }
    }

    fn goes_on(&mut self, frames: u16) {
        for _ in 0..frames {
            for (leg, codec, tone, encoder) in &mut self.parties {
                let mut rtp = Rtp::speech(self.frame, u32::from(self.frame) * codec.clock_rate() / 50, 7);
                rtp.payload_type = codec.static_payload_type().unwrap_or(111);
                rtp.payload.clear();
                encoder.encode(&tone.take(codec.sample_rate() as usize / 50), &mut rtp.payload);
                self.world.say(*leg, &rtp);
            }
            self.world.pass(20);
            self.frame += 1;
        }
    }

    /// All that was said and told since the tap, a channel each.
    fn channels(&self) -> [Vec<i16>; 2] {
        [0, 1].map(|channel| self.world.heard.iter().flat_map(|(_, frame)| frame[channel].clone()).collect())
    }
}

fn tones(samples: &[i16]) -> Vec<f64> {
    heard(&samples[samples.len() - 800..], &[SAID, TOLD])
}

#[test]
fn what_is_said_and_what_is_told_are_two_channels_of_one_clock() {
    for (one, other) in [(Codec::Pcma, Codec::Pcma), (Codec::Opus, Codec::Pcma), (Codec::G722, Codec::Opus)] {
        let mut talk = Talk::new(one, other);
        talk.world.command(Command::Tap { leg: A, tapping: Some(Tapping::at(8000)) });
        talk.goes_on(50);
        let [said, told] = talk.channels();
        assert!((49 * 160..=51 * 160).contains(&said.len()), "{}", said.len());
        assert_eq!(said.len(), told.len());
        assert_eq!((tones(&said), tones(&told)), (vec![SAID], vec![TOLD]), "{one:?} {other:?}");
    }
}

#[test]
fn silence_is_recorded_as_silence_so_that_the_clock_goes_on() {
    let mut talk = Talk::new(Codec::Pcma, Codec::Pcma);
    talk.world.command(Command::Tap { leg: A, tapping: Some(Tapping::at(16_000)) });
    talk.world.pass(1000);
    let [said, told] = talk.channels();
    assert_eq!((said.len(), told.len()), (51 * 320, 51 * 320), "the first frame at once, then every 20 ms");
    assert!(said.iter().chain(&told).all(|sample| *sample == 0));
}

#[test]
fn prompts_are_told_and_a_tap_that_ends_hands_up_nothing_more() {
    let mut talk = Talk::new(Codec::Pcma, Codec::Pcma);
    talk.world.sounds.insert("it/welcome".into(), Some(clip_of(TOLD)));
    talk.world.command(Command::Unbridge { leg: A });
    talk.world.command(Command::Tap { leg: A, tapping: Some(Tapping::at(8000)) });
    talk.world.command(Command::Play {
        leg: A,
        play: PlayId(1),
        sounds: vec![sound(&["it/welcome"])],
        repeat: true,
    });
    talk.goes_on(50);
    let [said, told] = talk.channels();
    assert_eq!((tones(&said), tones(&told)), (vec![SAID], vec![TOLD]));
    talk.world.command(Command::Tap { leg: A, tapping: None });
    let before = talk.world.heard.len();
    talk.goes_on(10);
    assert_eq!(talk.world.heard.len(), before);
}

#[test]
fn a_part_of_a_recording_is_numbered_from_where_it_begins_and_goes_along_with_its_leg() {
    let mut talk = Talk::new(Codec::Pcma, Codec::Pcma);
    let part = Part { recording: RecordingId(7), number: 2, first: 500 };
    let tapping = Tapping { part: Some(part), ..Tapping::at(8000) };
    talk.world.command(Command::Tap { leg: A, tapping: Some(tapping) });
    talk.goes_on(10);
    let moving = talk.world.shard.release(A).unwrap();
    talk.world.shard.adopt(talk.world.now, moving);
    talk.world.command(Command::Bridge { a: A, b: B });
    talk.goes_on(10);
    let numbers: Vec<u64> = talk.world.parts.iter().map(|(_, number)| *number).collect();
    assert!(numbers.len() >= 20, "{}", numbers.len());
    assert_eq!(numbers, (500..500 + numbers.len() as u64).collect::<Vec<u64>>());
    assert!(talk.world.parts.iter().all(|(of, _)| *of == part));
}

#[test]
fn a_message_ends_by_itself_when_nothing_more_is_said() {
    let mut talk = Talk::new(Codec::Pcma, Codec::Pcma);
    let recording = RecordingId(1);
    let limits = MessageLimits { silence: Duration::from_secs(2), longest: Duration::from_secs(60) };
    let part = Some(Part { recording, number: 0, first: 0 });
    talk.world.command(Command::Tap {
        leg: A,
        tapping: Some(Tapping { sample_rate: 8000, part, message: Some(limits) }),
    });
    talk.goes_on(50);
    talk.world.pass(3000);
    let ended: Vec<_> = talk
        .world
        .events
        .iter()
        .filter_map(|(at, event)| match event {
            Event::MessageEnded { leg, recording, why } => Some((*at, *leg, *recording, *why)),
            _ => None,
        })
        .collect();
    let [(at, A, RecordingId(1), MessageEnd::Silence)] = ended[..] else { panic!("{ended:?}") };
    assert!((2900..3300).contains(&(at.micros() / 1000)), "{at:?}");
    let frames = talk.world.heard.len();
    talk.goes_on(5);
    assert_eq!(talk.world.heard.len(), frames, "it is tapped no longer");
}

fn clip_of(hertz: f64) -> Vec<i16> {
    Tone::new(hertz, 5000).take(8000)
}
