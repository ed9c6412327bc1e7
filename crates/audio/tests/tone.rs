//! Tones, made and heard.

use audio::g711::Law;
use audio::tone::{Tone, heard, level, loudness};

const TONES: [f64; 6] = [440.0, 480.0, 620.0, 880.0, 1000.0, 1400.0];

fn through_a_law(samples: &[i16]) -> Vec<i16> {
    samples.iter().map(|sample| Law::A.decode_sample(Law::A.encode_sample(*sample))).collect()
}

#[test]
fn exactly_the_tones_that_sound_are_heard() {
    for first in TONES {
        let one = Tone::new(first, 8000).take(400);
        assert_eq!(heard(&through_a_law(&one), &TONES), [first]);
        for second in TONES.into_iter().filter(|second| *second > first) {
            let other = Tone::new(second, 8000).take(400);
            let both: Vec<i16> = one.iter().zip(&other).map(|(a, b)| a + b).collect();
            assert_eq!(heard(&through_a_law(&both), &TONES), [first, second]);
        }
    }
}

#[test]
fn nothing_is_heard_in_silence_in_noise_or_in_no_samples() {
    let mut rng = base::Seed::from_number(1).rng();
    let noise: Vec<i16> = (0..400).map(|_| (rng.next_u32() >> 18) as i16 - 8192).collect();
    for samples in [vec![], vec![0; 400], vec![8; 400], noise] {
        assert_eq!(heard(&samples, &TONES), [0.0; 0]);
    }
}

#[test]
fn frames_join_without_a_click() {
    let mut tone = Tone::new(437.0, 20_000);
    let whole = tone.clone().take(1600);
    let frames: Vec<i16> = (0..10).flat_map(|_| tone.take(160)).collect();
    assert_eq!(whole, frames);
}

#[test]
fn a_level_is_the_amplitude_and_a_loudness_the_root_mean_square() {
    let samples = Tone::new(1000.0, 16_384).take(800);
    assert!((level(&samples, 1000.0) - 0.5).abs() < 0.001);
    assert!(level(&samples, 2000.0) < 0.001);
    assert!((loudness(&samples) - 0.5 / 2f64.sqrt()).abs() < 0.001);
    assert_eq!((level(&[], 1000.0), loudness(&[])), (0.0, 0.0));
}
