//! The tones of the network are known by their cadence, and nothing else is taken for one.

#![allow(clippy::unwrap_used, reason = "a helper of a test may fail it")]

mod support;

use audio::g711::Law;
use audio::progress::{Detector, Progress};
use audio::prompt;
use audio::tone::Tone;
use base::Seed;
use std::fs;

/// So many Hz for so many milliseconds; 0 Hz is silence.
fn sound(parts: &[(f64, usize)], swing: i16, times: usize) -> Vec<i16> {
    let mut samples = Vec::new();
    for (hertz, millis) in std::iter::repeat_n(parts, times).flatten() {
        let swing = if *hertz == 0.0 { 0 } else { swing };
        samples.extend(Tone::new(*hertz, swing).take(millis * 8));
    }
    samples
}

fn heard(samples: &[i16]) -> Vec<Progress> {
    let mut detector = Detector::default();
    samples.iter().filter_map(|sample| detector.take(*sample)).collect()
}

const RINGING: &[(f64, usize)] = &[(425.0, 1000), (0.0, 4000)];
const BUSY: &[(f64, usize)] = &[(425.0, 500), (0.0, 500)];
const CONGESTION: &[(f64, usize)] = &[(425.0, 200), (0.0, 200)];
const SPECIAL: &[(f64, usize)] = &[(950.0, 330), (1400.0, 330), (1800.0, 330), (0.0, 1000)];
const DIAL: &[(f64, usize)] = &[(425.0, 200), (0.0, 200), (425.0, 600), (0.0, 1000)];

const ALL: [(&[(f64, usize)], Progress); 4] = [
    (RINGING, Progress::Ringing),
    (BUSY, Progress::Busy),
    (CONGESTION, Progress::Congestion),
    (SPECIAL, Progress::SpecialInformation),
];

#[test]
fn each_tone_of_italy_is_told_once_wherever_the_frames_begin() {
    for (parts, progress) in ALL {
        for shift in [0, 37, 80, 121] {
            for swing in [600, 4000, 14_000] {
                let samples = [vec![0; 300 + shift], sound(parts, swing, 4)].concat();
                assert_eq!(heard(&samples), [progress], "{progress:?} {shift} {swing}");
            }
        }
    }
}

#[test]
fn a_tone_is_known_within_its_second_period() {
    for (parts, progress) in ALL {
        let period: usize = parts.iter().map(|part| part.1 * 8).sum();
        let samples = sound(parts, 4000, 4);
        let mut detector = Detector::default();
        let at = samples.iter().position(|sample| detector.take(*sample).is_some()).unwrap();
        assert!(at <= 2 * period + period / 2 + 320, "{progress:?} after {} ms", at / 8);
    }
}

#[test]
fn tones_are_heard_through_noise_and_through_a_telephone_line() {
    let mut rng = Seed::from_number(3).rng();
    for (parts, progress) in ALL {
        for law in [Law::A, Law::Mu] {
            let line: Vec<i16> = sound(parts, 4000, 4)
                .into_iter()
                .map(|sample| law.decode_sample(law.encode_sample(sample + rng.below(300) as i16 - 150)))
                .collect();
            assert_eq!(heard(&line), [progress], "{progress:?}");
        }
    }
}

#[test]
fn one_tone_after_another_is_told_as_it_comes() {
    let samples = [sound(RINGING, 4000, 2), sound(BUSY, 4000, 3), sound(CONGESTION, 4000, 5)].concat();
    assert_eq!(heard(&samples), [Progress::Ringing, Progress::Busy, Progress::Congestion]);
}

#[test]
fn a_dial_tone_other_cadences_and_other_tones_say_nothing() {
    for parts in [
        DIAL,
        &[(425.0, 60_000)],
        &[(425.0, 100), (0.0, 100)],
        &[(425.0, 2000), (0.0, 2000)],
        &[(440.0 * 1.5, 500), (0.0, 500)],
        &[(1000.0, 500), (0.0, 500)],
        &[(950.0, 330), (1800.0, 330), (1400.0, 330), (0.0, 1000)],
        &[(1800.0, 330), (1400.0, 330), (950.0, 330), (0.0, 1000)],
        &[(0.0, 10_000)],
    ] {
        assert_eq!(heard(&sound(parts, 4000, 4)), [], "{parts:?}");
    }
}

#[test]
fn talk_in_many_languages_says_nothing_of_the_kind() {
    let found = support::sounds();
    let (mut wrong, mut samples) = (Vec::new(), 0);
    for file in &found {
        let speech = prompt::read_samples(&fs::read(file).unwrap(), 8000).unwrap();
        samples += speech.len();
        wrong.extend(heard(&speech).into_iter().map(|progress| (file.display().to_string(), progress)));
    }
    let minutes = samples / 8000 / 60;
    println!("{minutes} minutes of {} files", found.len());
    assert!(minutes >= 40, "{minutes} minutes are too few to say so");
    assert_eq!(wrong, []);
}
