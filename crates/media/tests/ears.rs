//! Who hears whom: every party says its own tone, and each ear hears exactly the tones that it is to hear.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod world;

use audio::tone::{Tone, heard};
use audio::{Decoder, Encoder, EncoderSettings, Resampler};
use media::PacketKind;
use media_api::{Codec, Command, Event, Heard, LegId, PlayId, RoomId, Seat, SpeakersTold, Stream};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use world::{World, party};

const ROOM: RoomId = RoomId(1);
/// More than 40 Hz apart, and none a multiple of another.
const HERTZ: [f64; 10] = [430.0, 510.0, 590.0, 670.0, 750.0, 910.0, 1070.0, 1190.0, 1310.0, 1450.0];

/// A party with a tone, a mouth and an ear.
struct Party {
    leg: LegId,
    codec: Codec,
    tone: Tone,
    encoder: Encoder,
    sequence: u16,
    silent: bool,
    /// What it says of how loud it is (RFC 6464).
    level: Option<u8>,
    /// Samples at 8 kHz.
    heard: Vec<i16>,
    decoder: Decoder,
    resampler: Resampler,
}

struct Talk {
    world: World,
    parties: Vec<Party>,
    /// Of what the first party was sent last.
    last_timestamp: u32,
    /// Whom each party was told last that it hears, and how loud.
    told: BTreeMap<LegId, Vec<(u32, Option<u8>)>>,
}

impl Talk {
    fn new(codecs: &[Codec]) -> Talk {
        let mut world = World::new();
        let parties =
            (1..).zip(codecs).map(|(number, codec)| Party::new(&mut world, number, *codec)).collect();
        Talk { world, parties, last_timestamp: 0, told: BTreeMap::new() }
    }

    /// All say their tones, and hear.
    fn goes_on(&mut self, millis: u64) {
        for _ in 0..millis / 20 {
            for party in self.parties.iter_mut().filter(|party| !party.silent) {
                party.says(&mut self.world);
            }
            self.world.pass(20);
            for sent in self.world.sent.drain(..) {
                let ear = self.parties.iter_mut().find(|party| party.leg == sent.leg).unwrap();
                if sent.leg == LegId(1) {
                    self.last_timestamp = sent.rtp.timestamp;
                }
                ear.hears(&sent.rtp.payload);
                self.told.insert(sent.leg, sent.speakers);
            }
        }
    }

    /// Of whom each party has heard the tone in the last 100 ms, by number.
    fn ears(&self) -> Vec<BTreeSet<usize>> {
        let hear = |party: &Party| {
            let last = &party.heard[party.heard.len().saturating_sub(800)..];
            let found = heard(last, &HERTZ);
            (1..).zip(HERTZ).filter(|(_, hertz)| found.contains(hertz)).map(|(number, _)| number).collect()
        };
        self.parties.iter().map(hear).collect()
    }

    fn assert_ears(&mut self, expected: &[&[usize]]) {
        self.parties.iter_mut().for_each(|party| party.heard.clear());
        self.goes_on(700);
        let expected: Vec<BTreeSet<usize>> =
            expected.iter().map(|ears| ears.iter().copied().collect()).collect();
        assert_eq!(self.ears(), expected);
    }

    fn join(&mut self, number: u64, seat: Seat) {
        self.world.command(Command::Join { leg: LegId(number), room: ROOM, seat, chime: false });
    }
}

impl Party {
    fn new(world: &mut World, number: u64, codec: Codec) -> Party {
        let tone = Tone::at_rate(HERTZ[number as usize - 1], 3000, codec.sample_rate());
        Party::with_tone(world, number, codec, tone)
    }

    fn with_tone(world: &mut World, number: u64, codec: Codec, tone: Tone) -> Party {
        let leg = LegId(number);
        world.open(leg, Stream::plain(party(leg), codec, payload_type(codec)));
        let decoder = Decoder::at(codec, 8000);
        Party {
            leg,
            codec,
            tone,
            encoder: Encoder::new(codec, &EncoderSettings::default()),
            sequence: 0,
            silent: false,
            level: None,
            heard: Vec::new(),
            resampler: Resampler::new(decoder.sample_rate(), 8000),
            decoder,
        }
    }

    fn says(&mut self, world: &mut World) {
        let samples = self.tone.take(self.codec.sample_rate() as usize / 50);
        let mut rtp = world::Rtp {
            marker: false,
            payload_type: payload_type(self.codec),
            sequence: self.sequence,
            timestamp: u32::from(self.sequence) * self.codec.clock_rate() / 50,
            ssrc: 100 + self.leg.0 as u32,
            payload: Vec::new(),
        };
        self.encoder.encode(&samples, &mut rtp.payload);
        self.sequence += 1;
        let mut bytes = rtp.bytes();
        if let Some(level) = self.level {
            bytes[0] |= 0x10;
            bytes.splice(12..12, [0xbe, 0xde, 0, 1, 0x10, level, 0, 0]);
        }
        world.raw(self.leg, PacketKind::Rtp, party(self.leg), &bytes);
    }

    fn hears(&mut self, payload: &[u8]) {
        let mut samples = Vec::new();
        self.decoder.decode(payload, &mut samples).unwrap();
        self.resampler.process(&samples, &mut self.heard);
    }
}

fn payload_type(codec: Codec) -> u8 {
    codec.static_payload_type().unwrap_or(111)
}

#[test]
fn two_parties_hear_each_other_in_every_pair_of_codecs() {
    for one in Codec::ALL {
        for other in Codec::ALL {
            let mut talk = Talk::new(&[one, other]);
            talk.world.command(Command::Bridge { a: LegId(1), b: LegId(2) });
            println!("{one:?} {other:?}");
            talk.assert_ears(&[&[2], &[1]]);
            talk.world.command(Command::Unbridge { leg: LegId(1) });
            talk.assert_ears(&[&[], &[]]);
        }
    }
}

#[test]
fn in_a_room_of_all_codecs_everyone_hears_all_others_and_not_itself() {
    let mut talk = Talk::new(&Codec::ALL);
    (1..=5).for_each(|number| talk.join(number, Seat::OPEN));
    talk.assert_ears(&[&[2, 3, 4, 5], &[1, 3, 4, 5], &[1, 2, 4, 5], &[1, 2, 3, 5], &[1, 2, 3, 4]]);
}

#[test]
fn seats_decide_who_hears_whom() {
    let mut talk = Talk::new(&[Codec::Pcma, Codec::Opus, Codec::G722]);
    talk.join(1, Seat::OPEN);
    talk.join(2, Seat::OPEN);
    talk.join(3, Seat::LISTENING);
    talk.assert_ears(&[&[2], &[1], &[1, 2]]);
    talk.join(3, Seat { hears: true, heard: Heard::By(vec![LegId(2)]) });
    talk.assert_ears(&[&[2], &[1, 3], &[1, 2]]);
    talk.join(3, Seat::OPEN);
    talk.assert_ears(&[&[2, 3], &[1, 3], &[1, 2]]);
    talk.join(1, Seat { hears: true, heard: Heard::ByNobody });
    talk.assert_ears(&[&[2, 3], &[3], &[2]]);
    talk.join(1, Seat { hears: false, heard: Heard::ByAll });
    talk.assert_ears(&[&[], &[1, 3], &[1, 2]]);
    talk.world.command(Command::Unbridge { leg: LegId(2) });
    talk.assert_ears(&[&[], &[], &[1]]);
    talk.world.command(Command::Close { leg: LegId(1) });
    talk.parties[0].silent = true;
    talk.assert_ears(&[&[], &[], &[]]);
}

#[test]
fn whom_a_prompt_is_played_to_hears_nothing_else_and_is_not_heard() {
    let mut talk = Talk::new(&[Codec::Pcma, Codec::Pcma, Codec::Pcma]);
    (1..=3).for_each(|number| talk.join(number, Seat::OPEN));
    talk.world.sounds.insert("moh/calm".into(), Some(world::clip(0x55, 4)));
    let sounds = vec![world::sound(&["moh/calm"])];
    talk.world.command(Command::Play { leg: LegId(1), play: PlayId(1), sounds, repeat: true });
    talk.assert_ears(&[&[], &[3], &[2]]);
    talk.world.command(Command::Stop { leg: LegId(1) });
    talk.assert_ears(&[&[2, 3], &[1, 3], &[1, 2]]);
}

#[test]
fn of_more_than_eight_who_speak_the_loudest_are_heard_and_the_others_hear_all_of_them() {
    let mut talk = Talk::new(&[Codec::Pcma; 10]);
    (1..=10).for_each(|number| talk.join(number, Seat::OPEN));
    for number in [4, 7] {
        talk.parties[number - 1].tone = Tone::new(HERTZ[number - 1], 300);
    }
    let loud = [1, 2, 3, 5, 6, 8, 9, 10];
    let expected: Vec<Vec<usize>> =
        (1..=10).map(|ear| loud.into_iter().filter(|number| *number != ear).collect()).collect();
    let expected: Vec<&[usize]> = expected.iter().map(Vec::as_slice).collect();
    talk.assert_ears(&expected);
}

#[test]
fn a_room_chimes_when_somebody_comes_and_when_they_leave() {
    let mut talk = Talk::new(&[Codec::Pcma, Codec::Pcma]);
    let chimes =
        |heard: &[i16]| heard.chunks(160).filter(|frame| audio::tone::loudness(frame) > 0.03).count();
    talk.parties.iter_mut().for_each(|party| party.silent = true);
    talk.join(1, Seat::OPEN);
    let join = Command::Join { leg: LegId(2), room: ROOM, seat: Seat::OPEN, chime: true };
    talk.world.command(join);
    talk.goes_on(500);
    assert_eq!(chimes(&talk.parties[0].heard), 12);
    talk.world.command(Command::Unbridge { leg: LegId(2) });
    talk.goes_on(500);
    assert_eq!(chimes(&talk.parties[0].heard), 24);
}

#[test]
fn a_seat_that_did_not_hear_for_a_while_hears_again_where_the_time_is() {
    let mut talk = Talk::new(&[Codec::Pcma, Codec::Pcma]);
    (1..=2).for_each(|number| talk.join(number, Seat::OPEN));
    talk.goes_on(500);
    talk.join(1, Seat { hears: false, heard: Heard::ByAll });
    talk.goes_on(3000);
    talk.join(1, Seat::OPEN);
    let before = talk.last_timestamp;
    talk.goes_on(20);
    let step = talk.last_timestamp.wrapping_sub(before);
    assert!((23_000..25_000).contains(&step), "{step}");
}

#[test]
fn a_room_in_which_nobody_speaks_sends_on() {
    let mut talk = Talk::new(&[Codec::Pcma, Codec::G722]);
    (1..=2).for_each(|number| talk.join(number, Seat::OPEN));
    talk.parties.iter_mut().for_each(|party| party.silent = true);
    talk.goes_on(1000);
    assert!(talk.parties.iter().all(|party| (7800..=8200).contains(&party.heard.len())));
}

/// Twenty in a room who say how loud they are: the first two talk, the others say nothing.
fn twenty_who_say_how_loud_they_are() -> Talk {
    let mut talk = Talk::new(&[Codec::Pcma; 10]);
    for number in 11..=20 {
        talk.parties.push(Party::with_tone(&mut talk.world, number, Codec::Pcma, Tone::new(300.0, 0)));
    }
    for (number, party) in (1..).zip(&mut talk.parties) {
        let stream = Stream::plain(world::party(party.leg), Codec::Pcma, payload_type(Codec::Pcma));
        talk.world.command(Command::Configure {
            leg: party.leg,
            stream: Stream { audio_level: Some(1), ..stream },
        });
        party.level = Some(if number <= 2 { 20 } else { 60 });
        if number > 2 {
            party.tone = Tone::new(300.0, 0);
        }
    }
    (1..=20).for_each(|number| talk.join(number, Seat::OPEN));
    talk
}

#[test]
fn who_says_that_it_is_quiet_is_not_decoded_and_is_heard_as_soon_as_it_says_otherwise() {
    let mut talk = twenty_who_say_how_loud_they_are();
    // It is as loud as they are, but says that it is silent.
    talk.parties[2].tone = Tone::new(HERTZ[2], 3000);
    talk.parties[2].level = Some(127);
    let ears = |talk: &Talk| talk.ears().into_iter().take(4).collect::<Vec<_>>();
    let sets = |sets: [&[usize]; 4]| sets.map(|set| set.iter().copied().collect::<BTreeSet<usize>>());
    for _ in 0..3 {
        talk.goes_on(1000);
        assert_eq!(ears(&talk), sets([&[2], &[1], &[1, 2], &[1, 2]]));
        talk.parties[2].level = Some(30);
        talk.goes_on(250);
        assert_eq!(ears(&talk), sets([&[2, 3], &[1, 3], &[1, 2], &[1, 2, 3]]), "at once, and in time");
        talk.parties[2].level = Some(127);
        talk.goes_on(2000);
    }
    // Who says nothing of it is decoded as ever.
    talk.parties[2].level = None;
    talk.world.command(Command::Unbridge { leg: LegId(3) });
    talk.join(3, Seat::OPEN);
    talk.goes_on(500);
    assert_eq!(ears(&talk), sets([&[2, 3], &[1, 3], &[1, 2], &[1, 2, 3]]));
}

/// RFC 3550 §7.1, RFC 6465.
#[test]
fn who_is_told_so_hears_by_whom_each_frame_is_spoken_and_how_loud_they_are() {
    let mut talk = Talk::new(&[Codec::Pcma; 6]);
    let told = [SpeakersTold::Levels(world::LEVELS), SpeakersTold::Names, SpeakersTold::Nothing];
    for (party, speakers) in talk.parties.iter().zip(told.into_iter().cycle()) {
        let stream = Stream::plain(world::party(party.leg), Codec::Pcma, payload_type(Codec::Pcma));
        talk.world.command(Command::Configure { leg: party.leg, stream: Stream { speakers, ..stream } });
    }
    (1..=3).for_each(|number| talk.join(number, Seat::OPEN));
    talk.join(4, Seat::LISTENING);
    talk.join(5, Seat { hears: true, heard: Heard::By(vec![LegId(1)]) });
    talk.join(6, Seat::OPEN);
    talk.parties[5].silent = true;
    talk.parties[1].tone = Tone::new(HERTZ[1], 300);
    talk.goes_on(700);
    // A sine is 3 dB below what a square wave of its height would be: 3 000 is 24 dB below overload, 300 is 44.
    let (loud, quiet) = (Some(24), Some(44));
    let plain = |listed: &[u32]| listed.iter().map(|source| (*source, None)).collect::<Vec<_>>();
    let expected = [
        vec![(2, quiet), (3, loud), (5, loud)],
        plain(&[1, 3]),
        plain(&[]),
        vec![(1, loud), (2, quiet), (3, loud)],
        plain(&[1, 2, 3]),
        plain(&[]),
    ];
    for (number, expected) in (1..).zip(expected) {
        assert_eq!(talk.told[&LegId(number)], expected, "leg {number}");
    }
    // What plays, and what two hear of each other, is said by nobody who could be named.
    talk.world.sounds.insert("moh/calm".into(), Some(world::clip(0x55, 4)));
    let sounds = vec![world::sound(&["moh/calm"])];
    talk.world.command(Command::Play { leg: LegId(1), play: PlayId(1), sounds, repeat: true });
    talk.world.command(Command::Bridge { a: LegId(2), b: LegId(4) });
    talk.goes_on(300);
    for (number, listed) in [(1, plain(&[])), (2, plain(&[])), (4, plain(&[])), (5, plain(&[3]))] {
        assert_eq!(talk.told[&LegId(number)], listed, "leg {number}");
    }
    // Nor is an announcement that is heard alone.
    talk.world.command(Command::Stop { leg: LegId(1) });
    let announce = Command::Announce {
        room: ROOM,
        play: PlayId(2),
        sounds: vec![world::sound(&["moh/calm"])],
        to: Some(LegId(5)),
        alone: true,
    };
    talk.world.sounds.insert("moh/calm".into(), Some(world::clip(0x55, 200)));
    talk.world.command(announce);
    talk.goes_on(300);
    assert_eq!((&talk.told[&LegId(5)], talk.told[&LegId(1)].len()), (&plain(&[]), 2));
}

#[test]
fn who_was_muted_for_long_is_heard_in_time_when_it_is_no_longer() {
    for codec in [Codec::Pcma, Codec::G722, Codec::Opus] {
        let mut talk = Talk::new(&[codec; 3]);
        (1..=2).for_each(|number| talk.join(number, Seat::OPEN));
        talk.join(3, Seat::LISTENING);
        talk.assert_ears(&[&[2], &[1], &[1, 2]]);
        talk.goes_on(5000);
        talk.join(3, Seat::OPEN);
        talk.goes_on(200);
        assert_eq!(talk.ears()[0], BTreeSet::from([2, 3]), "{codec:?}");
    }
}

/// The number of the tone that is announced.
const SOUND: usize = 10;

/// Three who talk in a room, and a sound of so many milliseconds.
fn announced(codecs: &[Codec], millis: usize, to: Option<u64>, alone: bool) -> Talk {
    let mut talk = Talk::new(codecs);
    (1..=codecs.len() as u64).for_each(|number| talk.join(number, Seat::OPEN));
    let samples = Tone::new(HERTZ[SOUND - 1], 3000).take(8 * millis);
    talk.world.sounds.insert(Arc::from("it/recorded"), Some(samples));
    talk.world.sounds.insert(Arc::from("it/none"), None);
    talk.goes_on(300);
    announce(&mut talk, "it/recorded", to, alone);
    talk
}

fn announce(talk: &mut Talk, sound: &str, to: Option<u64>, alone: bool) {
    let (play, sounds) = (PlayId(5), vec![world::sound(&["it/none", sound])]);
    talk.world.command(Command::Announce { room: ROOM, play, sounds, to: to.map(LegId), alone });
}

fn ends(talk: &mut Talk) -> Vec<bool> {
    let told = talk.world.events.drain(..).filter_map(|(_, event)| match event {
        Event::Announced { room: ROOM, play: PlayId(5), complete } => Some(complete),
        _ => None,
    });
    told.collect()
}

const KINDS: [[Codec; 3]; 3] = [
    [Codec::Pcma, Codec::Pcmu, Codec::Pcma],
    [Codec::G722, Codec::Pcma, Codec::G722],
    [Codec::Opus, Codec::Opus, Codec::Pcma],
];

#[test]
fn an_announcement_is_heard_by_all_beside_those_who_talk_and_then_no_more() {
    for codecs in KINDS {
        let mut talk = announced(&codecs, 1400, None, false);
        talk.assert_ears(&[&[2, 3, SOUND], &[1, 3, SOUND], &[1, 2, SOUND]]);
        talk.goes_on(1000);
        talk.assert_ears(&[&[2, 3], &[1, 3], &[1, 2]]);
        assert_eq!(ends(&mut talk), [true]);
    }
}

#[test]
fn an_announcement_to_all_alone_is_all_that_they_hear() {
    for codecs in KINDS {
        let mut talk = announced(&codecs, 1400, None, true);
        talk.assert_ears(&[&[SOUND], &[SOUND], &[SOUND]]);
        talk.goes_on(1000);
        talk.assert_ears(&[&[2, 3], &[1, 3], &[1, 2]]);
    }
}

#[test]
fn an_announcement_to_one_is_heard_by_nobody_else() {
    for codecs in KINDS {
        let mut talk = announced(&codecs, 1400, Some(3), false);
        talk.assert_ears(&[&[2, 3], &[1, 3], &[1, 2, SOUND]]);
        talk.goes_on(1000);
        announce(&mut talk, "it/recorded", Some(1), true);
        talk.assert_ears(&[&[SOUND], &[1, 3], &[1, 2]]);
        talk.goes_on(1500);
        talk.assert_ears(&[&[2, 3], &[1, 3], &[1, 2]]);
    }
}

#[test]
fn who_only_listens_hears_announcements_and_who_is_muted_too() {
    let mut talk = announced(&KINDS[0], 1400, None, false);
    talk.join(2, Seat::LISTENING);
    talk.join(3, Seat { hears: false, heard: Heard::ByAll });
    talk.assert_ears(&[&[3, SOUND], &[1, 3, SOUND], &[]]);
}

#[test]
fn an_announcement_that_cannot_be_made_is_told_and_disturbs_nobody() {
    let mut talk = announced(&KINDS[0], 400, None, false);
    talk.goes_on(1000);
    assert_eq!(ends(&mut talk), [true]);
    talk.world.sounds.insert(Arc::from("it/missing"), None);
    announce(&mut talk, "it/missing", None, true);
    talk.assert_ears(&[&[2, 3], &[1, 3], &[1, 2]]);
    assert_eq!(ends(&mut talk), [false], "no sound could be read");
    announce(&mut talk, "it/never", None, true);
    talk.goes_on(3000);
    talk.assert_ears(&[&[2, 3], &[1, 3], &[1, 2]]);
    assert_eq!(ends(&mut talk), [false], "its sound never came");
    for _ in 0..65 {
        announce(&mut talk, "it/recorded", Some(2), false);
    }
    assert_eq!(ends(&mut talk), [false], "one is too many");
    talk.goes_on(100);
    for number in 1..=3 {
        talk.world.command(Command::Unbridge { leg: LegId(number) });
    }
    assert_eq!(ends(&mut talk).len(), 64, "all have left");
    announce(&mut talk, "it/recorded", None, false);
    assert_eq!(ends(&mut talk), [false], "nobody is there");
}

#[test]
fn a_chime_is_heard_when_the_room_becomes_better_with_whoever_comes() {
    let mut talk = Talk::new(&[Codec::G722, Codec::G722]);
    talk.parties.iter_mut().for_each(|party| party.silent = true);
    talk.join(1, Seat::OPEN);
    talk.goes_on(200);
    talk.world.command(Command::Join { leg: LegId(2), room: ROOM, seat: Seat::OPEN, chime: true });
    talk.goes_on(500);
    let loud = talk.parties[0].heard.chunks(160).filter(|frame| audio::tone::loudness(frame) > 0.03);
    assert!((11..=13).contains(&loud.count()));
}

/// How far a signal at the ear is from a pure tone, at worst, in windows of 20 ms.
fn roughness(samples: &[i16], hertz: f64) -> f64 {
    let rough = samples.chunks_exact(160).map(|frame| {
        let tone = audio::tone::level(frame, hertz).powi(2) / 2.0;
        (audio::tone::loudness(frame).powi(2) - tone).max(0.0).sqrt()
    });
    rough.fold(0.0, f64::max)
}

#[test]
fn a_listener_of_g722_hears_no_click_when_it_speaks_and_falls_silent() {
    let mut talk = Talk::new(&[Codec::G722, Codec::G722, Codec::G722]);
    (1..=3).for_each(|number| talk.join(number, Seat::OPEN));
    talk.parties[2].silent = true;
    talk.parties[1].silent = true;
    // 400 Hz fits whole into a frame, so that a pure tone has no roughness.
    talk.parties[0].tone = Tone::at_rate(400.0, 3000, 16_000);
    talk.goes_on(1000);
    talk.parties.iter_mut().for_each(|party| party.heard.clear());
    for _ in 0..6 {
        talk.parties[1].silent = false;
        talk.parties[1].tone = Tone::at_rate(HERTZ[1], 0, 16_000);
        talk.goes_on(300);
        talk.parties[1].silent = true;
        talk.goes_on(1000);
    }
    let [switching, listening] = [1, 2].map(|at| roughness(&talk.parties[at].heard, 400.0));
    assert!(switching < 2.0 * listening, "{switching} {listening}");
}
