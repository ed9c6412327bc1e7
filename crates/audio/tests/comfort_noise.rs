//! Backgrounds: told, understood, and made again alike.

use audio::comfort_noise::{Background, Generator};
use audio::tone::loudness;
use base::Seed;
use proptest::prelude::*;

fn made(background: Background, count: usize) -> Vec<i16> {
    let mut generator = Generator::new(Seed::from_number(3).rng());
    generator.set(background);
    let mut samples = Vec::new();
    while samples.len() < count {
        generator.fill(160, &mut samples);
    }
    samples
}

fn decibels(samples: &[i16]) -> f64 {
    -20.0 * loudness(samples).log10()
}

/// How alike neighbours are: near 1 for a dark noise, below 0 for a bright one.
fn darkness(samples: &[i16]) -> f64 {
    let product: f64 = samples.windows(2).map(|pair| f64::from(pair[0]) * f64::from(pair[1])).sum();
    product / samples.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>()
}

#[test]
fn a_level_alone_is_white_noise_of_that_level() {
    for level in [30, 45, 60] {
        let noise = made(Background::read(&[level]).expect("a level"), 16_000);
        assert!((decibels(&noise) - f64::from(level)).abs() < 0.5, "{level}: {}", decibels(&noise));
        assert!(darkness(&noise).abs() < 0.05);
    }
    assert!(made(Background::read(&[127]).expect("a level"), 1600).iter().all(|sample| *sample == 0));
}

#[test]
fn a_background_that_was_heard_is_made_again_as_loud_and_as_dark() {
    // 127: no colour. Below it neighbours are alike, above it they are not.
    for (first, second) in [(40, 127), (200, 127), (30, 180), (127, 127)] {
        let heard = made(Background::read(&[45, first, second]).expect("a background"), 16_000);
        let background = Background::of(&heard);
        let mut payload = Vec::new();
        background.write(&mut payload);
        assert_eq!(payload.len(), 7);
        assert!(payload[0].abs_diff(45) <= 1, "{payload:?}");
        assert!(payload[1].abs_diff(first) <= 6 && payload[2].abs_diff(second) <= 6, "{payload:?}");
        let again = made(Background::read(&payload).expect("a background"), 16_000);
        assert!((decibels(&again) - decibels(&heard)).abs() < 1.0);
        assert!((darkness(&again) - darkness(&heard)).abs() < 0.05);
    }
    assert!(darkness(&made(Background::read(&[45, 40]).expect("dark"), 8000)) > 0.5);
}

#[test]
fn a_generator_is_silent_until_it_is_told_and_moves_without_a_step() {
    let mut generator = Generator::new(Seed::from_number(3).rng());
    let mut samples = Vec::new();
    generator.fill(160, &mut samples);
    assert_eq!(samples, [0; 160]);
    generator.set(Background::read(&[70]).expect("quiet"));
    generator.fill(1600, &mut samples);
    generator.set(Background::read(&[30]).expect("loud"));
    let change = samples.len();
    generator.fill(1600, &mut samples);
    let (soon, later) = (decibels(&samples[change..change + 20]), decibels(&samples[change + 800..]));
    assert!(soon > 42.0 && (later - 30.0).abs() < 1.0, "{soon} {later}");
}

#[test]
fn silence_is_told_as_silence() {
    let mut payload = Vec::new();
    Background::of(&[0; 160]).write(&mut payload);
    assert_eq!(payload, [127, 127, 127, 127, 127, 127, 127]);
    assert_eq!(Background::of(&[]).level(), 127);
    assert_eq!(Background::of(&[i16::MIN; 160]).level(), 0);
    assert_eq!(Background::read(&[]), None);
}

proptest! {
    #[test]
    fn any_payload_is_a_background_that_stays_within_its_level(payload in prop::collection::vec(any::<u8>(), 1..400)) {
        let background = Background::read(&payload).expect("it has a level");
        prop_assert!(background.level() < 128);
        let noise = made(background, 8000);
        prop_assert!(decibels(&noise) > f64::from(background.level()) - 12.0, "{} {}", decibels(&noise), background.level());
    }
}
