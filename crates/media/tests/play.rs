//! Prompts and music.

mod world;

use std::collections::BTreeMap;
use std::time::Duration;

use audio::g711::Law;
use media_api::{Codec, Command, Direction, Event, LegId, Opus, PlayId, Stream};
use world::*;

fn ended(play: u64, complete: bool) -> Event {
    Event::PlayEnded { leg: A, play: PlayId(play), complete }
}

fn missing(sound: &str) -> Event {
    Event::SoundMissing { leg: A, sound: sound.into() }
}

/// The first byte of each packet to A: which frame of which clip it is.
fn frames(world: &World) -> Vec<u8> {
    world.to(A).iter().map(|rtp| rtp.payload[0]).collect()
}

#[test]
fn a_prompt_is_one_packet_of_160_bytes_every_20_ms_and_ends_when_it_was_heard() {
    let mut world = World::alone();
    world.sounds.insert("it/welcome".into(), Some(clip(1, 50)));
    world.play(1, &[&["it/welcome"]], false);
    world.tick();
    assert_eq!(world.sent.len(), 1, "the first goes out at once");
    world.pass(985);
    assert_eq!(world.told(), []);
    world.pass(30);
    assert_eq!(frames(&world), (1..=50).collect::<Vec<u8>>());
    assert_eq!(world.told(), [ended(1, true)]);
    for (n, pair) in world.sent.windows(2).enumerate() {
        let [before, after] = [&pair[0], &pair[1]];
        assert_eq!(after.rtp.timestamp.wrapping_sub(before.rtp.timestamp), 160);
        assert_eq!(after.rtp.sequence.wrapping_sub(before.rtp.sequence), 1);
        assert!(!after.rtp.marker && after.rtp.payload.len() == 160);
        assert!(n == 0 || after.at - before.at == Duration::from_millis(20));
    }
    assert!(world.sent[0].rtp.marker);
}

#[test]
fn one_sound_follows_on_the_other_within_a_packet_and_the_end_is_padded_with_silence() {
    let mut world = World::alone();
    let short = |byte: u8, count: usize| {
        let sample = Law::A.decode_sample(byte);
        vec![sample; count]
    };
    world.sounds.insert("a".into(), Some(short(1, 100)));
    world.sounds.insert("b".into(), Some(short(2, 0)));
    world.sounds.insert("c".into(), Some(short(3, 100)));
    world.play(1, &[&["a"], &["b"], &["c"]], false);
    world.pass(100);
    let packets = world.to(A);
    assert_eq!(packets.len(), 2);
    assert_eq!(packets[0].payload, [vec![1; 100], vec![3; 60]].concat());
    assert_eq!(packets[1].payload, [vec![3; 40], vec![Law::A.silence(); 120]].concat());
    assert_eq!(world.told(), [ended(1, true)]);
}

#[test]
fn a_missing_sound_falls_to_its_next_source_and_then_to_nothing() {
    let mut world = World::alone();
    for (source, clip) in [
        ("wo/welcome", None),
        ("fr/welcome", Some(clip(1, 2))),
        ("wo/menu", None),
        ("fr/menu", None),
        ("it/bye", Some(clip(9, 1))),
    ] {
        world.sounds.insert(source.into(), clip);
    }
    world.play(1, &[&["wo/welcome", "fr/welcome"], &["wo/menu", "fr/menu"], &["it/bye"]], false);
    world.pass(100);
    assert_eq!(frames(&world), [1, 2, 9]);
    assert_eq!(world.told(), [missing("wo/menu"), ended(1, true)]);
}

#[test]
fn a_sound_that_never_comes_is_passed_over_after_two_seconds_while_others_play() {
    let mut world = World::alone();
    world.open(B, stream(B));
    world.sounds.insert("it/bye".into(), Some(clip(9, 3)));
    world.play(1, &[&["it/lost"], &["it/bye"]], false);
    world.command(Command::Play { leg: B, play: PlayId(2), sounds: vec![sound(&["it/bye"])], repeat: false });
    world.pass(1990);
    assert_eq!(world.to(B).len(), 3);
    assert_eq!(world.to(A).len(), 0);
    world.pass(100);
    assert_eq!(frames(&world), [9, 10, 11]);
    let of_b = Event::PlayEnded { leg: B, play: PlayId(2), complete: true };
    assert_eq!(world.told(), [of_b, missing("it/lost"), ended(1, true)]);
}

#[test]
fn a_sound_that_comes_late_is_played_from_its_beginning() {
    let mut world = World::alone();
    world.play(1, &[&["it/slow"]], false);
    world.pass(700);
    world.answer("it/slow", Some(clip(1, 2)));
    world.pass(100);
    assert_eq!(frames(&world), [1, 2]);
    assert_eq!(world.told(), [ended(1, true)]);
}

#[test]
fn a_source_is_asked_for_once_until_it_is_answered() {
    let mut world = World::alone();
    world.open(B, stream(B));
    for leg in [A, B] {
        let sounds = vec![sound(&["x"]), sound(&["x"])];
        world.command(Command::Play { leg, play: PlayId(leg.0), sounds, repeat: false });
    }
    assert_eq!(world.asked, ["x".into()]);
    world.answer("x", Some(clip(1, 1)));
    world.pass(100);
    assert_eq!((world.to(A).len(), world.to(B).len()), (2, 2));
    world.play(3, &[&["x"]], false);
    assert_eq!(world.asked, ["x".into(), "x".into()]);
    world.pass(2100);
    world.play(4, &[&["x"]], false);
    assert_eq!(world.asked.len(), 3, "a question that was lost is put again");
}

#[test]
fn music_goes_on_where_this_leg_last_heard_it() {
    let mut world = World::alone();
    world.sounds.insert("moh/calm".into(), Some(clip(1, 100)));
    world.sounds.insert("it/position".into(), Some(clip(200, 5)));
    world.play(1, &[&["moh/calm"]], true);
    world.pass(500);
    let before = *frames(&world).last().unwrap();
    world.sent.clear();
    world.play(2, &[&["it/position"]], false);
    world.pass(150);
    assert_eq!(frames(&world), [200, 201, 202, 203, 204]);
    world.sent.clear();
    world.play(3, &[&["moh/calm"]], true);
    world.pass(100);
    assert_eq!(frames(&world)[0], before + 1);
    world.sent.clear();
    world.pass(1600);
    assert!(frames(&world).contains(&100) && frames(&world).contains(&1), "and begins again at its end");
    assert_eq!(world.told(), [ended(1, false), ended(2, true)], "music has no end");
}

#[test]
fn music_that_cannot_be_had_is_silence_that_costs_nothing_and_can_be_stopped() {
    let mut world = World::alone();
    world.sounds.insert("moh/gone".into(), None);
    world.sounds.insert("moh/empty".into(), Some(clip(1, 0)));
    world.play(1, &[&["moh/gone"], &["moh/empty"]], true);
    world.pass(1000);
    assert!(world.sent.is_empty());
    assert!(!matches!(world.shard.poll_timeout(), Some((_, media::Why::Play))));
    world.command(Command::Stop { leg: A });
    assert_eq!(world.told(), [missing("moh/gone"), ended(1, false)]);
}

#[test]
fn a_play_waits_for_the_agreement_and_a_stop_of_nothing_says_nothing() {
    let mut world = World::new();
    world.input(media::ShardInput::Opened { leg: A, local: address("198.51.100.1:16384") });
    world.sounds.insert("it/welcome".into(), Some(clip(1, 2)));
    world.command(Command::Stop { leg: A });
    world.play(1, &[&["it/welcome"]], false);
    world.pass(5000);
    assert!(world.sent.is_empty() && world.events.is_empty());
    world.command(Command::Configure { leg: A, stream: stream(A) });
    world.pass(100);
    assert_eq!(frames(&world), [1, 2]);
    assert_eq!(world.told(), [ended(1, true)]);
}

#[test]
fn time_passes_for_a_held_party_too() {
    let mut world = World::alone();
    world.sounds.insert("it/long".into(), Some(clip(1, 100)));
    world.play(1, &[&["it/long"]], false);
    world.pass(200);
    let mut held = stream(A);
    held.direction = Direction::RecvOnly;
    world.command(Command::Configure { leg: A, stream: held });
    world.sent.clear();
    world.pass(1000);
    assert!(world.sent.is_empty());
    world.command(Command::Configure { leg: A, stream: stream(A) });
    world.pass(100);
    let first = &world.sent[0].rtp;
    assert!(first.marker && (58..=62).contains(&first.payload[0]), "{first:?}");
}

#[test]
fn a_prompt_changes_its_law_with_the_agreement() {
    let mut world = World::alone();
    world.sounds.insert("it/long".into(), Some(clip(1, 100)));
    world.play(1, &[&["it/long"]], false);
    world.pass(100);
    let mut other = stream(A);
    (other.codec, other.payload_type) = (Codec::Pcmu, PCMU);
    world.command(Command::Configure { leg: A, stream: other });
    world.sent.clear();
    world.pass(20);
    let rtp = &world.sent[0].rtp;
    let mut expected = [rtp.payload[0]];
    Law::Mu.recode(Law::A, &mut expected);
    assert_eq!(rtp.payload_type, PCMU);
    assert!((6..=8).contains(&expected[0]), "{expected:?}");
}

#[test]
fn a_late_tick_sends_five_packets_and_skips_the_rest_so_that_nothing_comes_later_for_ever() {
    for (slept, sent) in [(5, 0), (20, 1), (60, 3), (100, 5), (200, 5), (1000, 5)] {
        let mut world = World::alone();
        world.sounds.insert("it/long".into(), Some(clip(1, 200)));
        world.play(1, &[&["it/long"]], false);
        world.pass(100);
        let (frame, timestamp) = (*frames(&world).last().unwrap(), world.sent.last().unwrap().rtp.timestamp);
        world.sent.clear();
        world.oversleep(slept);
        assert_eq!(world.sent.len(), sent, "after {slept} ms");
        world.pass(20);
        let last = &world.sent.last().unwrap().rtp;
        let frames = last.payload[0] - frame;
        assert_eq!(u64::from(frames), slept / 20 + 1, "after {slept} ms the party is where it should be");
        assert_eq!(last.timestamp.wrapping_sub(timestamp), u32::from(frames) * 160);
        let skipped = u64::from(frames) != sent as u64 + 1;
        assert_eq!(last.marker, skipped, "after {slept} ms");
    }
}

#[test]
fn legs_that_begin_together_do_not_send_in_the_same_tick() {
    let mut world = World::new();
    world.sounds.insert("it/long".into(), Some(clip(1, 200)));
    for n in 1..=40 {
        world.open(LegId(n), stream(LegId(n)));
        let sounds = vec![sound(&["it/long"])];
        world.command(Command::Play { leg: LegId(n), play: PlayId(n), sounds, repeat: false });
    }
    world.pass(500);
    let mut per_tick = BTreeMap::new();
    for sent in world.sent.iter().filter(|sent| sent.at.micros() > 100_000) {
        *per_tick.entry(sent.at).or_insert(0) += 1;
    }
    assert_eq!(per_tick.values().max(), Some(&10), "a quarter of them");
}

#[test]
fn a_list_beyond_the_limit_is_refused() {
    let mut world = World::alone();
    world.sounds.insert("x".into(), Some(clip(1, 1)));
    world.play(1, &vec![&["x"][..]; 64], false);
    world.play(2, &vec![&["x"][..]; 65], false);
    world.play(3, &[], false);
    world.pass(100);
    assert_eq!(world.told(), [ended(1, false), ended(2, false), ended(3, true)]);
}

#[test]
fn a_close_ends_what_plays_first() {
    let mut world = World::alone();
    world.play(1, &[&["it/never"]], false);
    world.pass(20);
    world.command(Command::Close { leg: A });
    assert_eq!(world.told()[0], ended(1, false));
    assert!(matches!(world.told()[1], Event::Closed { leg: A, .. }));
    assert_eq!((world.shard.legs(), world.shard.poll_timeout()), (0, None));
}

#[test]
fn a_prompt_is_heard_in_every_codec_at_its_own_clock() {
    for (codec, payload_type, step) in
        [(Codec::Pcmu, 0, 160), (Codec::G722, 9, 160), (Codec::Opus, 111, 960), (Codec::L16, 97, 320)]
    {
        let mut world = World::alone();
        let stream = Stream::plain(party(A), codec, payload_type);
        world.command(Command::Configure { leg: A, stream });
        let tone = audio::tone::Tone::new(500.0, 8000).take(8000);
        world.sounds.insert("it/welcome".into(), Some(tone.clone()));
        world.sounds.insert("it/menu".into(), Some(tone));
        world.play(1, &[&["it/welcome"], &["it/menu"]], false);
        world.pass(2100);
        let packets = world.to(A);
        // G.722 has two frames of silence before each sound.
        let count = if codec == Codec::G722 { 104 } else { 100 };
        assert_eq!(packets.len(), count, "{codec:?}");
        assert_eq!(world.told(), [ended(1, true)]);
        let mut decoder = audio::Decoder::at(codec, 8000);
        let mut heard = Vec::new();
        for pair in packets.windows(2) {
            assert_eq!(pair[1].timestamp.wrapping_sub(pair[0].timestamp), step, "{codec:?}");
        }
        for packet in &packets {
            assert_eq!(packet.payload_type, payload_type);
            decoder.decode(&packet.payload, &mut heard).unwrap();
        }
        let mut narrow = Vec::new();
        audio::Resampler::new(decoder.sample_rate(), 8000).process(&heard, &mut narrow);
        assert_eq!(narrow.len(), count * 160, "{codec:?}");
        let levels = narrow.chunks_exact(400).map(|piece| audio::tone::level(piece, 500.0) * 32_768.0);
        let levels: Vec<f64> = levels.collect();
        assert!(levels.iter().all(|level| *level < 9000.0), "{codec:?}: {levels:?}");
        let heard = levels.iter().filter(|level| **level > 7000.0).count();
        assert!(heard >= 36, "{codec:?}: {levels:?}");
    }
}

#[test]
fn music_goes_on_where_it_was_when_the_codec_changes() {
    let mut world = World::alone();
    // Each second another tone.
    let tones = [400.0, 700.0, 1000.0, 1300.0, 1600.0];
    let music = tones.iter().flat_map(|hertz| audio::tone::Tone::new(*hertz, 8000).take(8000)).collect();
    world.sounds.insert("moh/calm".into(), Some(music));
    world.play(1, &[&["moh/calm"]], true);
    world.pass(1500);
    world.sent.clear();
    let stream = Stream::plain(party(A), Codec::Opus, 111);
    world.command(Command::Configure { leg: A, stream });
    world.pass(2000);
    let mut decoder = audio::Decoder::at(Codec::Opus, 8000);
    let mut heard = Vec::new();
    for packet in world.to(A) {
        decoder.decode(&packet.payload, &mut heard).unwrap();
    }
    let at = |millis: usize| audio::tone::heard(&heard[millis * 8..][..800], &tones);
    assert_eq!([at(200), at(900), at(1800)], [[700.0], [1000.0], [1300.0]]);
    assert_eq!(world.asked.len(), 2, "once in each codec");
}

/// The sizes of the packets of a prompt that an Opus party is sent, who wants it so, and what clip was asked for.
fn opus_prompt(opus: Opus) -> Vec<usize> {
    let mut world = World::new();
    world
        .sounds
        .insert("it/menu".into(), Some((0..16_000).map(|n| ((n * n / 90) % 9000) as i16 - 4500).collect()));
    world.open(A, Stream { opus, ..Stream::plain(party(A), Codec::Opus, 111) });
    world.play(1, &[&["it/menu"]], false);
    world.pass(2500);
    world.to(A).iter().map(|rtp| rtp.payload.len()).collect()
}

#[test]
fn an_opus_party_hears_prompts_at_no_more_than_the_bit_rate_that_it_wants() {
    let plain = Opus::default();
    for most in [20_000, 12_000, 8000] {
        let sizes = opus_prompt(Opus { bit_rate_max: Some(most), ..plain });
        assert!((99..=103).contains(&sizes.len()), "{}", sizes.len());
        let bit_rate = sizes.iter().sum::<usize>() * 8 * 50 / sizes.len();
        assert!(bit_rate <= most as usize * 11 / 10, "{bit_rate} where {most} was wanted");
    }
    let usual = opus_prompt(Opus { bit_rate_max: Some(24_000), ..plain });
    assert_eq!(usual, opus_prompt(plain), "clips hold what is good enough for them");
}

#[test]
fn an_opus_party_that_wants_a_constant_bit_rate_hears_packets_of_one_size() {
    let sizes = opus_prompt(Opus { constant_bit_rate: true, dtx: true, ..Opus::default() });
    assert!(sizes.len() >= 99 && sizes.iter().all(|size| *size == 60), "{sizes:?}");
}
