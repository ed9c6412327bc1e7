//! What one party says in a codec that the other does not speak.

mod world;

use std::time::Duration;

use media_api::{Codec, Command, Stream};
use world::*;

const G722: u8 = 9;

/// A speaks A-law, B speaks G.722; they hear each other.
fn translated() -> World {
    let mut world = World::new();
    world.open(A, stream(A));
    world.open(B, Stream::plain(party(B), Codec::G722, G722).with_digits(KEYS));
    world.command(Command::Bridge { a: A, b: B });
    world
}

/// Speech of B.
fn wide(sequence: u16) -> Rtp {
    Rtp { payload_type: G722, ..Rtp::speech(sequence, u32::from(sequence) * 160, 9) }
}

#[test]
fn what_is_said_again_goes_on_one_line_with_even_steps() {
    let mut world = translated();
    world.talk(A, 5, 0, 50);
    let heard = world.to(B);
    assert!((46..=50).contains(&heard.len()), "{}", heard.len());
    assert!(heard.iter().all(|rtp| rtp.payload_type == G722 && rtp.payload.len() == 160));
    assert!(heard[0].marker && heard[1..].iter().all(|rtp| !rtp.marker));
    for pair in heard.windows(2) {
        assert_eq!(pair[1].sequence.wrapping_sub(pair[0].sequence), 1);
        assert_eq!(pair[1].timestamp.wrapping_sub(pair[0].timestamp), 160);
    }
}

/// RFC 3389 §4: many devices send it, asked or not, and nothing else while they pause.
#[test]
fn a_pause_that_is_told_as_comfort_noise_is_heard_as_noise_where_speech_is_passed_on() {
    for (codec, payload_type) in [(Codec::Pcma, 8), (Codec::Pcmu, 0)] {
        let mut world = World::new();
        world.open(A, stream(A));
        world.open(B, Stream::plain(party(B), codec, payload_type));
        world.command(Command::Bridge { a: A, b: B });
        world.talk(A, 5, 0, 20);
        let noise = |sequence: u16, timestamp: u32| Rtp {
            payload_type: 13,
            payload: vec![40],
            ..Rtp::speech(sequence, timestamp, 5)
        };
        for n in 0..5u16 {
            world.say(A, &noise(20 + n, 3200 + u32::from(n) * 1600));
            world.pass(200);
        }
        let pause = world.to(B).len() - 20;
        assert!((46..=51).contains(&pause), "{pause} packets in a second");
        let law = audio::g711::Law::of(codec).unwrap();
        let heard = world.to(B)[25..].iter().flat_map(|rtp| rtp.payload.clone()).collect::<Vec<u8>>();
        let power: f64 = heard.iter().map(|byte| f64::from(law.decode_sample(*byte)).powi(2)).sum();
        let level = 10.0 * (power / heard.len() as f64 / 32_768f64.powi(2)).log10();
        assert!((-43.0..-37.0).contains(&level), "{level} dB");
        // At once after it, speech is what it was.
        world.say(A, &noise(25, 3200 + 8000));
        for sequence in 26..40 {
            world.say(A, &Rtp::speech(sequence, 3200 + 8000 + u32::from(sequence - 25) * 160, 5));
            world.pass(20);
        }
        let line = world.to(B);
        assert!(line.len() >= 20 + pause + 14, "{}", line.len());
        for pair in line.windows(2) {
            assert_eq!(pair[1].sequence.wrapping_sub(pair[0].sequence), 1);
        }
        let spoken = &line[line.len() - 14..];
        assert!(
            spoken[0].marker && spoken.windows(2).all(|pair| pair[1].timestamp - pair[0].timestamp == 160)
        );
    }
}

/// An ear is made for each pause, which costs more than a hundred packets.
#[test]
fn who_pauses_with_every_packet_is_not_followed() {
    let mut world = World::new();
    world.open(A, stream(A));
    world.open(B, stream(B));
    world.command(Command::Bridge { a: A, b: B });
    for n in 0..50u16 {
        let payload = vec![40];
        world.say(A, &Rtp { payload_type: 13, payload, ..Rtp::speech(2 * n, u32::from(n) * 160, 5) });
        world.say(A, &Rtp::speech(2 * n + 1, u32::from(n) * 160, 5));
        world.pass(20);
    }
    assert_eq!(world.to(B).iter().filter(|rtp| rtp.marker).count(), 10, "a pause in 100 ms");
}

#[test]
fn packets_that_come_in_bursts_are_said_again_evenly() {
    let mut world = translated();
    for burst in 0..20 {
        for sequence in 0..5 {
            let sequence = burst * 5 + sequence;
            world.say(A, &Rtp::speech(sequence, u32::from(sequence) * 160, 5));
        }
        world.pass(100);
    }
    let times: Vec<_> = world.sent.iter().filter(|sent| sent.leg == B).map(|sent| sent.at).collect();
    let second_half = &times[times.len() / 2..];
    assert!(second_half.windows(2).all(|pair| (pair[1] - pair[0]).as_millis() == 20), "{second_half:?}");
}

#[test]
fn a_party_that_says_nothing_costs_nothing_and_begins_a_talk_spurt_when_it_speaks_again() {
    let mut world = translated();
    world.talk(A, 5, 0, 20);
    world.pass(3000);
    let before = world.to(B).len();
    world.pass(2000);
    assert_eq!(world.to(B).len(), before);
    for sequence in 20..30 {
        world.say(A, &Rtp::speech(sequence, u32::from(sequence) * 160 + 40_000, 5));
        world.pass(20);
    }
    let heard = world.to(B);
    assert!(heard[before].marker, "{:?}", heard[before]);
    let step = heard[before].timestamp.wrapping_sub(heard[before - 1].timestamp);
    assert!((30_000..45_000).contains(&step), "the line goes with the time: {step}");
}

#[test]
fn a_key_is_one_press_on_the_other_side_whatever_was_repeated() {
    let mut world = translated();
    world.talk(A, 5, 0, 10);
    for (n, end) in [(0u16, false), (1, false), (2, false), (3, true), (4, true), (5, true)] {
        world.say(A, &Rtp::key(10 + n, 1600, 5, 7, end, 160 * (n + 1)));
        world.pass(20);
    }
    world.talk(A, 5, 16, 20);
    let keys: Vec<Rtp> = world.to(B).into_iter().filter(|rtp| rtp.payload_type == KEYS).collect();
    assert_eq!(keys.iter().filter(|rtp| rtp.marker).count(), 1);
    assert!(keys.iter().all(|rtp| rtp.payload[0] == 7 && rtp.timestamp == keys[0].timestamp));
    assert_eq!(world.digits(), "7");
}

#[test]
fn when_both_speak_one_codec_again_nothing_is_decoded_any_more() {
    let mut world = translated();
    world.talk(A, 5, 0, 20);
    world.command(Command::Configure { leg: B, stream: stream(B) });
    world.sent.clear();
    world.talk(A, 5, 20, 10);
    let heard = world.to(B);
    assert_eq!(heard.len(), 10, "each packet is passed on at once");
    assert_eq!(heard[3].payload, Rtp::speech(23, 0, 0).payload);
}

#[test]
fn a_shell_that_oversleeps_sends_five_frames_and_no_more() {
    let mut world = translated();
    world.talk(A, 5, 0, 30);
    for sequence in 30..60 {
        world.say(A, &Rtp::speech(sequence, u32::from(sequence) * 160, 5));
    }
    world.sent.clear();
    world.oversleep(600);
    assert!(world.to(B).len() <= 5, "{}", world.to(B).len());
    world.sent.clear();
    world.talk(A, 5, 60, 20);
    assert!((18..=21).contains(&world.to(B).len()), "{}", world.to(B).len());
}

#[test]
fn both_directions_are_translated_at_once() {
    let mut world = translated();
    for sequence in 0..50 {
        world.say(A, &Rtp::speech(sequence, u32::from(sequence) * 160, 5));
        world.say(B, &wide(sequence));
        world.pass(20);
    }
    assert!(world.to(A).len() > 45 && world.to(B).len() > 45);
    assert!(world.to(A).iter().all(|rtp| rtp.payload_type == PCMA));
}

#[test]
fn a_line_that_is_passed_on_again_after_a_translation_goes_on_with_the_time() {
    let mut world = World::bridged();
    world.talk(A, 5, 0, 50);
    world.command(Command::Configure { leg: B, stream: Stream::plain(party(B), Codec::G722, G722) });
    world.talk(A, 5, 50, 200);
    world.command(Command::Configure { leg: B, stream: stream(B) });
    world.talk(A, 5, 250, 50);
    let heard = world.to(B);
    for pair in heard.windows(2) {
        let sequence = pair[1].sequence.wrapping_sub(pair[0].sequence) as i16;
        let timestamp = pair[1].timestamp.wrapping_sub(pair[0].timestamp) as i32;
        assert!(sequence > 0 && timestamp > 0 && timestamp <= 800, "{sequence} {timestamp}");
    }
    assert_eq!(heard.iter().filter(|rtp| rtp.marker).count(), 3, "each begins a talk-spurt");
}

#[test]
fn a_party_that_changes_its_codec_with_every_packet_is_not_followed() {
    let mut world = translated();
    world.command(Command::Configure {
        leg: B,
        stream: Stream {
            also: vec![(111, media_api::Payload::Speech(Codec::Opus))],
            ..Stream::plain(party(B), Codec::G722, G722)
        },
    });
    for sequence in 0..100 {
        let own = wide(sequence);
        let opus = Rtp { payload_type: 111, payload: vec![8, 0], ..wide(sequence) };
        world.say(B, if sequence % 2 == 0 { &opus } else { &own });
        world.pass(1);
    }
    assert!(world.to(A).len() <= 6, "{}", world.to(A).len());
}

#[test]
fn the_silence_that_a_party_describes_is_heard_on_the_other_side() {
    let mut world = translated();
    world.talk(A, 5, 0, 20);
    let noise = Rtp { payload_type: 13, payload: vec![40], ..Rtp::speech(20, 3200, 5) };
    world.say(A, &noise);
    world.sent.clear();
    world.pass(1000);
    assert!((47..=51).contains(&world.to(B).len()), "{}", world.to(B).len());
}

/// A receiver report of B, who has lost so many of 256 packets of what we send.
fn reports_loss(world: &mut World, fraction: u8) {
    let ours = world.to(B)[0].ssrc;
    let mut report = vec![0x81, 201, 0, 7, 0, 0, 0, 9];
    report.extend(ours.to_be_bytes());
    report.push(fraction);
    report.extend([0; 19]);
    let from = std::net::SocketAddr::new(party(B).ip(), party(B).port() + 1);
    world.raw(B, media::PacketKind::Rtcp, from, &report);
}

#[test]
fn opus_spends_less_where_the_peer_reports_that_a_quarter_is_lost_and_more_again_where_it_is_not() {
    let mut world = World::new();
    world.open(A, stream(A));
    let mut opus = Stream::plain(party(B), Codec::Opus, 111);
    opus.opus.fec = true;
    world.open(B, opus);
    world.command(Command::Bridge { a: A, b: B });
    let mut sequence = 0;
    let mut bytes_after = |world: &mut World, fraction: u8| -> usize {
        world.talk(A, 5, sequence, 50);
        reports_loss(world, fraction);
        world.sent.clear();
        world.talk(A, 5, sequence + 50, 100);
        sequence += 150;
        world.to(B).iter().map(|rtp| rtp.payload.len()).sum()
    };
    let usual = bytes_after(&mut world, 0);
    let crowded = bytes_after(&mut world, 64);
    let free = bytes_after(&mut world, 0);
    assert!(crowded * 10 < usual * 9, "{crowded} {usual}");
    assert!(free * 10 > usual * 9, "{free} {usual}");
}

#[test]
fn a_pause_of_opus_is_no_loss_and_is_heard_as_the_decoder_makes_it() {
    let mut world = World::new();
    world.open(A, Stream::plain(party(A), Codec::Opus, 111));
    world.open(B, stream(B));
    world.command(Command::Bridge { a: A, b: B });
    let mut encoder = audio::Encoder::new(Codec::Opus, &audio::EncoderSettings::default());
    let mut tone = audio::tone::Tone::at_rate(400.0, 8000, 48_000);
    let (mut sequence, mut last) = (0u16, Vec::new());
    let mut say = |world: &mut World, at: u32, payload: Vec<u8>| {
        world.say(A, &Rtp { payload_type: 111, payload, ..Rtp::speech(sequence, at * 960, 5) });
        sequence += 1;
    };
    // A second of speech, two of silence with a packet of DTX every 400 ms, and another one of speech.
    for n in 0..200u32 {
        if !(50..150).contains(&n) {
            last.clear();
            encoder.encode(&tone.take(960), &mut last);
            say(&mut world, n, last.clone());
        } else if n % 20 == 10 {
            say(&mut world, n, last[..1].to_vec());
        }
        world.pass(20);
    }
    let heard = world.to(B);
    assert!((193..=200).contains(&heard.len()), "the silence is sent, too: {}", heard.len());
    let here = world.stats(A);
    assert_eq!(here.heard.unwrap().concealed, Duration::ZERO);
}

#[test]
fn a_party_that_changes_payload_type_and_clock_in_mid_call_is_heard_without_a_gap() {
    let mut world = translated();
    let also = vec![(111, media_api::Payload::Speech(Codec::Opus))];
    world.command(Command::Configure { leg: A, stream: Stream { also, ..stream(A) } });
    let mut encoder = audio::Encoder::new(Codec::Opus, &audio::EncoderSettings::default());
    let mut tone = audio::tone::Tone::at_rate(400.0, 8000, 48_000);
    world.talk(A, 5, 0, 100);
    for n in 100..200u16 {
        let mut payload = Vec::new();
        encoder.encode(&tone.take(960), &mut payload);
        world.say(A, &Rtp { payload_type: 111, payload, ..Rtp::speech(n, u32::from(n) * 960, 5) });
        world.pass(20);
    }
    world.talk(A, 5, 200, 100);
    // Each new ear waits for as long as it knows nothing of the way.
    assert!((288..=300).contains(&world.to(B).len()), "{}", world.to(B).len());
    assert_eq!(world.stats(A).heard.unwrap().concealed, Duration::ZERO);
}
