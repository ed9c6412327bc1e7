//! Every codec there and back, lost packets, and bytes that nobody meant.

// What makes the sounds is no test itself and counts as production code for the lints.
#![allow(clippy::expect_used)]

use audio::tone::level;
use audio::{Decoder, Encoder, EncoderSettings, Resampler, Undecodable};
use media_api::Codec;
use proptest::prelude::*;

fn sine(hertz: f64, rate: u32, count: usize, amplitude: f64) -> Vec<i16> {
    let step = std::f64::consts::TAU * hertz / f64::from(rate);
    (0..count).map(|n| (amplitude * (n as f64 * step).sin()).round() as i16).collect()
}

/// Encodes in frames of 20 ms.
fn packets(codec: Codec, samples: &[i16], settings: &EncoderSettings) -> Vec<Vec<u8>> {
    let mut encoder = Encoder::new(codec, settings);
    let frames = samples.chunks_exact(encoder.sample_rate() as usize / 50);
    frames
        .map(|frame| {
            let mut bytes = Vec::new();
            encoder.encode(frame, &mut bytes);
            bytes
        })
        .collect()
}

fn decoded(codec: Codec, packets: &[Vec<u8>]) -> Vec<i16> {
    let mut decoder = Decoder::new(codec);
    let mut samples = Vec::new();
    for packet in packets {
        decoder.decode(packet, &mut samples).expect("a good packet");
    }
    samples
}

/// How much of a tone's power is not that tone, in dB, at the delay that fits best.
fn signal_to_noise(samples: &[i16], hertz: f64, rate: u32) -> f64 {
    let step = std::f64::consts::TAU * hertz / f64::from(rate);
    let (mut by_sine, mut by_cosine, mut power) = (0.0, 0.0, 0.0);
    for (n, sample) in samples.iter().enumerate() {
        let sample = f64::from(*sample);
        by_sine += sample * (n as f64 * step).sin();
        by_cosine += sample * (n as f64 * step).cos();
        power += sample * sample;
    }
    let tone = (by_sine * by_sine + by_cosine * by_cosine) * 2.0 / samples.len() as f64;
    10.0 * (tone / (power - tone).max(1e-9)).log10()
}

#[test]
fn every_codec_gives_back_a_tone_at_its_own_rate() {
    for (codec, least) in [
        (Codec::Pcma, 36.0),
        (Codec::Pcmu, 36.0),
        (Codec::G722, 30.0),
        (Codec::L16, 80.0),
        (Codec::Opus, 15.0),
    ] {
        let rate = codec.sample_rate();
        let whole = sine(1000.0, rate, rate as usize, 10_000.0);
        let packets = packets(codec, &whole, &EncoderSettings::default());
        let heard = decoded(codec, &packets);
        assert_eq!(heard.len(), whole.len(), "{codec:?}");
        let ratio = signal_to_noise(&heard[rate as usize / 5..], 1000.0, rate);
        println!("{codec:?}: {ratio:.1} dB");
        assert!(ratio > least, "{codec:?}: {ratio} dB");
    }
}

#[test]
fn a_packet_of_20_ms_has_the_size_that_the_codec_says() {
    for (codec, size) in [(Codec::Pcma, 160), (Codec::Pcmu, 160), (Codec::G722, 160), (Codec::L16, 640)] {
        let frame = vec![0; codec.sample_rate() as usize / 50];
        assert_eq!(packets(codec, &frame, &EncoderSettings::default())[0].len(), size, "{codec:?}");
    }
}

#[test]
fn l16_has_the_high_byte_first() {
    let packets = packets(Codec::L16, &[0x1234; 320], &EncoderSettings::default());
    assert_eq!(packets[0][..4], [0x12, 0x34, 0x12, 0x34]);
}

#[test]
fn opus_speaks_and_hears_at_any_of_its_rates() {
    for rate in [8000, 16_000, 48_000] {
        let mut encoder = Encoder::at(Codec::Opus, rate, &EncoderSettings::default());
        let mut decoder = Decoder::at(Codec::Opus, rate);
        assert_eq!((encoder.sample_rate(), decoder.sample_rate()), (rate, rate));
        let mut heard = Vec::new();
        for frame in sine(700.0, rate, rate as usize, 9000.0).chunks_exact(rate as usize / 50) {
            let mut packet = Vec::new();
            encoder.encode(frame, &mut packet);
            decoder.decode(&packet, &mut heard).expect("a good packet");
        }
        let ratio = signal_to_noise(&heard[rate as usize / 5..], 700.0, rate);
        assert!(ratio > 15.0, "{rate}: {ratio}");
    }
    assert_eq!(Decoder::at(Codec::Opus, 44_100).sample_rate(), 48_000);
    assert_eq!(Decoder::at(Codec::Pcma, 48_000).sample_rate(), 8000);
}

#[test]
fn opus_in_stereo_is_heard_as_one() {
    let mut encoder =
        opus::Encoder::new(48_000, opus::Channels::Stereo, opus::Application::Audio).expect("libopus");
    let mut decoder = Decoder::new(Codec::Opus);
    let mut heard = Vec::new();
    // On the left side only: half of it is left.
    for frame in sine(1000.0, 48_000, 48_000, 16_000.0).chunks_exact(960) {
        let stereo: Vec<i16> = frame.iter().flat_map(|left| [*left, 0]).collect();
        let packet = encoder.encode_vec(&stereo, 1500).expect("a frame");
        assert_eq!(decoder.decode(&packet, &mut heard), Ok(960));
    }
    let mut narrow = Vec::new();
    Resampler::new(48_000, 8000).process(&heard[9600..], &mut narrow);
    let level = level(&narrow[400..], 1000.0);
    assert!((level - 8000.0 / 32_768.0).abs() < 0.03, "{level}");
}

#[test]
fn opus_spends_what_it_is_told() {
    let speech: Vec<i16> = (0..100).flat_map(|n| sine(150.0 + f64::from(n), 48_000, 960, 8000.0)).collect();
    let size = |bit_rate| {
        let settings = EncoderSettings { bit_rate, ..EncoderSettings::default() };
        packets(Codec::Opus, &speech, &settings).iter().map(Vec::len).sum::<usize>()
    };
    let (low, high) = (size(12_000), size(64_000));
    assert!(low * 8 / 2 <= 14_000, "{low} bytes in two seconds");
    assert!(high > low * 2, "{low} {high}");
}

#[test]
fn opus_that_pauses_sends_next_to_nothing_in_silence() {
    let settings = EncoderSettings { pauses: true, ..EncoderSettings::default() };
    let silence = packets(Codec::Opus, &vec![0; 2 * 48_000], &settings);
    let sent = silence.iter().filter(|packet| !packet.is_empty()).count();
    assert!((1..30).contains(&sent), "{sent} of {}", silence.len());
    let always = packets(Codec::Opus, &vec![0; 2 * 48_000], &EncoderSettings::default());
    assert!(always.iter().all(|packet| !packet.is_empty()));
}

#[test]
fn a_lost_opus_packet_is_told_by_the_next_one() {
    let settings = EncoderSettings { expected_loss: 20, playback_rate: 16_000, ..EncoderSettings::default() };
    // A tone that changes in each packet: what was before says nothing of what was lost.
    let tones = [400.0, 500.0, 650.0, 800.0, 950.0, 550.0];
    let spoken: Vec<i16> = (0..50).flat_map(|n: usize| sine(tones[n % 6], 48_000, 960, 12_000.0)).collect();
    let packets = packets(Codec::Opus, &spoken, &settings);
    let error = |recover: bool| {
        let (mut whole, mut holed) = (Decoder::new(Codec::Opus), Decoder::new(Codec::Opus));
        let (mut good, mut heard) = (Vec::new(), Vec::new());
        let mut error = 0.0;
        for (n, packet) in packets.iter().enumerate() {
            whole.decode(packet, &mut good).expect("a good packet");
            let is_lost = n % 7 == 5;
            let start = heard.len();
            match packets.get(n + 1) {
                Some(next) if is_lost && recover => holed.recover(next, 960, &mut heard),
                Some(_) if is_lost => holed.conceal(960, &mut heard),
                _ => holed.decode(packet, &mut heard).map(|_| ()).expect("a good packet"),
            }
            assert_eq!(heard.len(), good.len());
            if is_lost {
                let differences = heard[start..].iter().zip(&good[start..]);
                error += differences.map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum::<f64>();
            }
        }
        error
    };
    let (recovered, concealed) = (error(true), error(false));
    assert!(recovered < concealed / 3.0, "{recovered} {concealed}");
}

#[test]
fn a_loss_is_filled_by_what_was_said_and_then_fades() {
    for codec in [Codec::Pcma, Codec::Pcmu, Codec::G722, Codec::L16] {
        let rate = codec.sample_rate();
        let frame = rate as usize / 50;
        let packets = packets(codec, &sine(200.0, rate, 10 * frame, 10_000.0), &EncoderSettings::default());
        let mut decoder = Decoder::new(codec);
        let mut heard = Vec::new();
        for packet in &packets {
            decoder.decode(packet, &mut heard).expect("a good packet");
        }
        let before = heard.len();
        for n in 1..=5 {
            decoder.conceal(frame, &mut heard);
            assert_eq!(heard.len(), before + n * frame, "{codec:?}");
        }
        let power = |samples: &[i16]| {
            samples.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / samples.len() as f64
        };
        let of = |n: usize| (power(&heard[before + n * frame..][..frame]) / 5e7).sqrt();
        assert!((0.7..0.9).contains(&of(0)), "{codec:?}: {}", of(0));
        assert!((0.1..0.4).contains(&of(1)), "{codec:?}");
        assert_eq!(heard[before + 2 * frame..].iter().filter(|sample| **sample != 0).count(), 0, "{codec:?}");
        // No step anywhere that the tone itself does not have.
        let most = 10_000.0 * std::f64::consts::TAU * 200.0 / f64::from(rate);
        let steps = heard[2 * frame..].windows(2).map(|pair| f64::from(pair[1]) - f64::from(pair[0]));
        let worst = steps.fold(0.0f64, |worst, step| worst.max(step.abs()));
        assert!(worst < most * 1.5 + 400.0, "{codec:?}: {worst} {most}");
    }
}

/// Something like a vowel whose pitch rises from 110 to 220 Hz and falls again in each second.
fn vowel(sample_rate: u32, count: usize) -> Vec<i16> {
    let mut turn = 0.0f64;
    let mut sample = |at: usize| {
        let hertz = 165.0 - 55.0 * (at as f64 / f64::from(sample_rate) * std::f64::consts::TAU).cos();
        turn += hertz / f64::from(sample_rate);
        let harmonics = [1.0, 0.8, 0.9, 0.5, 0.2].into_iter().enumerate();
        harmonics.map(|(n, loud)| 5000.0 * loud * (turn * (n + 1) as f64 * std::f64::consts::TAU).sin()).sum()
    };
    (0..count)
        .map(|at| {
            let sample: f64 = sample(at);
            sample as i16
        })
        .collect()
}

#[test]
fn a_loss_whose_next_packet_is_there_is_bridged_from_both_sides() {
    // How many times less wrong it is than what is made of the past alone, by how many in a row are lost. A packet of 10 ms
    // holds two periods of the voice at most.
    let (packets_of_20_ms, packets_of_10_ms) =
        ([(1, 6.0), (2, 1.6), (3, 1.2)], [(1, 4.0), (2, 1.6), (3, 1.2)]);
    for codec in [Codec::Pcma, Codec::Pcmu, Codec::L16] {
        for (per_second, better) in [(50, packets_of_20_ms), (100, packets_of_10_ms)] {
            for (lost, times) in better {
                let [bridged, concealed] =
                    [true, false].map(|bridged| error(codec, per_second, lost, bridged));
                let what = format!("{codec:?} {per_second} {lost}");
                assert!(bridged * times < concealed, "{what}: {bridged:.2e} {concealed:.2e}");
            }
        }
    }
}

/// How wrong a voice is heard of whose packets every tenth to so many after it are lost.
fn error(codec: Codec, packets_per_second: usize, lost: usize, bridged: bool) -> f64 {
    let frame = codec.sample_rate() as usize / packets_per_second;
    let spoken = vowel(codec.sample_rate(), 200 * frame);
    let bytes = packets(codec, &spoken, &EncoderSettings::default()).concat();
    let packets: Vec<&[u8]> = bytes.chunks(bytes.len() / 200).collect();
    let (mut decoder, mut heard) = (Decoder::new(codec), Vec::new());
    for (n, packet) in packets.iter().enumerate() {
        match packets.get(n + 1) {
            Some(next) if bridged && n % 10 == 5 + lost - 1 => decoder.recover(next, frame, &mut heard),
            Some(_) if (5..5 + lost).contains(&(n % 10)) => decoder.conceal(frame, &mut heard),
            _ => decoder.decode(packet, &mut heard).map(|_| ()).expect("a good packet"),
        }
    }
    assert_eq!(heard.len(), spoken.len());
    let differences = heard.iter().zip(&spoken).map(|(a, b)| f64::from(*a) - f64::from(*b));
    differences.map(|difference| difference.powi(2)).sum::<f64>()
}

#[test]
fn speech_after_a_loss_begins_without_a_click() {
    for codec in [Codec::Pcma, Codec::G722, Codec::L16] {
        let rate = codec.sample_rate();
        let frame = rate as usize / 50;
        let packets = packets(codec, &sine(230.0, rate, 30 * frame, 10_000.0), &EncoderSettings::default());
        let most = 10_000.0 * std::f64::consts::TAU * 230.0 / f64::from(rate);
        for (lost, bridged) in (1..5).flat_map(|lost| [(lost, false), (lost, true)]) {
            let mut decoder = Decoder::new(codec);
            let mut heard = Vec::new();
            for (n, packet) in packets.iter().enumerate() {
                // The next packet is there when the last of the lost is missing, or it is not.
                if n == 9 + lost && bridged {
                    decoder.recover(&packets[n + 1], frame, &mut heard);
                } else if (10..10 + lost).contains(&n) {
                    decoder.conceal(frame, &mut heard);
                } else {
                    decoder.decode(packet, &mut heard).expect("a good packet");
                }
            }
            let steps = heard[2 * frame..].windows(2).map(|pair| f64::from(pair[1]) - f64::from(pair[0]));
            let worst = steps.fold(0.0f64, |worst, step| worst.max(step.abs()));
            assert!(worst < most * 1.6 + 400.0, "{codec:?} after {lost}: {worst} of {most}");
        }
    }
}

#[test]
fn what_is_no_speech_is_refused_and_appends_nothing() {
    let cases: [(Codec, Vec<u8>, Undecodable); 8] = [
        (Codec::Pcma, vec![], Undecodable::Empty),
        (Codec::Opus, vec![], Undecodable::Empty),
        (Codec::Pcmu, vec![0; 961], Undecodable::TooLong),
        (Codec::G722, vec![0; 961], Undecodable::TooLong),
        (Codec::L16, vec![0; 3841], Undecodable::TooLong),
        // 63 frames of 20 ms (RFC 6716 §3.2.5).
        (Codec::Opus, vec![0x0b, 63], Undecodable::Malformed),
        // Two frames of the same size in an odd number of bytes (§3.2.3).
        (Codec::Opus, vec![0x09, 1, 2, 3], Undecodable::Malformed),
        (Codec::Opus, vec![0xff; 2], Undecodable::Malformed),
    ];
    for (codec, payload, error) in cases {
        let mut samples = vec![7];
        assert_eq!(Decoder::new(codec).decode(&payload, &mut samples), Err(error), "{codec:?} {payload:?}");
        assert_eq!(samples, [7]);
    }
}

#[test]
fn what_stands_in_is_never_longer_than_a_packet() {
    for codec in Codec::ALL {
        let most = codec.sample_rate() as usize * 120 / 1000;
        let mut samples = Vec::new();
        Decoder::new(codec).conceal(usize::MAX, &mut samples);
        assert_eq!(samples.len(), most, "{codec:?}");
        Decoder::new(codec).recover(&[1, 2, 3], usize::MAX, &mut samples);
        assert_eq!(samples.len(), 2 * most, "{codec:?}");
    }
}

#[test]
fn a_loss_of_any_length_is_filled_to_the_sample() {
    for codec in Codec::ALL {
        let mut decoder = Decoder::new(codec);
        for span in [0, 1, 7, 100, 441] {
            let mut samples = Vec::new();
            decoder.conceal(span, &mut samples);
            assert_eq!(samples.len(), span, "{codec:?}");
        }
    }
}

/// The sum that changes if any byte does (FNV-1a).
fn sum(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes
        .into_iter()
        .fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Two seconds of tones that slide, of noise, and of both at full scale.
fn exercise() -> Vec<i16> {
    let mut noise = 1u32;
    let mut phase = 0u32;
    (0..32_000u32)
        .map(|n| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            phase = phase.wrapping_add(n.wrapping_mul(60_000));
            let noise = (noise >> 16) as i16;
            let triangle = ((phase >> 15) as i32 - 0x10000).unsigned_abs() as i32 - 0x8000;
            match n / 4000 {
                0 | 1 => (triangle / 4) as i16,
                2 => noise / 16,
                3 => (triangle / 2 + i32::from(noise) / 8) as i16,
                4 => 0,
                5 => noise,
                _ => triangle.clamp(-0x8000, 0x7fff) as i16,
            }
        })
        .collect()
}

#[test]
fn g722_is_that_of_the_itu_to_the_bit() {
    let samples = exercise();
    assert_eq!(sum(samples.iter().flat_map(|sample| sample.to_le_bytes())), SUM_EXERCISE);
    let mut bytes = Vec::new();
    audio::g722::Encoder::new().encode(&samples, &mut bytes);
    let mut heard = Vec::new();
    audio::g722::Decoder::new().decode(&bytes, &mut heard);
    let mut of_noise = Vec::new();
    let noise: Vec<u8> = samples.iter().skip(20_000).take(4000).map(|sample| *sample as u8).collect();
    audio::g722::Decoder::new().decode(&noise, &mut of_noise);
    let sums = [
        sum(bytes),
        sum(heard.iter().flat_map(|sample| sample.to_le_bytes())),
        sum(of_noise.iter().flat_map(|sample| sample.to_le_bytes())),
    ];
    // What the programs of ITU-T G.191 make of the same samples and bytes.
    assert_eq!(sums, [SUM_ENCODED, SUM_DECODED, SUM_OF_NOISE]);
}

const SUM_EXERCISE: u64 = 0x3734_c62f_e9fb_d7c7;
const SUM_ENCODED: u64 = 0x26d9_4d8d_0444_c181;
const SUM_DECODED: u64 = 0x2166_7a73_1fee_8b2d;
const SUM_OF_NOISE: u64 = 0xff04_8927_841f_7b0c;

proptest! {
    #[test]
    fn no_bytes_break_a_decoder_or_make_it_say_more_than_120_ms(
        packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..1600), 1..20),
        codec in prop::sample::select(Codec::ALL.to_vec()),
        spans in prop::collection::vec(0usize..8000, 20),
    ) {
        let mut decoder = Decoder::new(codec);
        for (packet, span) in packets.iter().zip(spans) {
            let mut samples = Vec::new();
            let most = decoder.sample_rate() as usize * 120 / 1000;
            match span % 4 {
                0 => decoder.conceal(span, &mut samples),
                1 => decoder.recover(packet, span, &mut samples),
                _ => {
                    let count = decoder.decode(packet, &mut samples);
                    prop_assert_eq!(count.unwrap_or(0), samples.len());
                }
            }
            prop_assert!(samples.len() <= most);
        }
    }
}
