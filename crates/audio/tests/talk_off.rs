//! No key is heard in speech or music: every prompt of the project, in every language.

#![allow(clippy::unwrap_used, reason = "a helper of a test may fail it")]

mod support;

use audio::dtmf::Detector;
use audio::prompt;
use std::fs;

/// Deeper and higher voices than those that there are.
const PITCHES: [f64; 3] = [0.93, 1.0, 1.08];

fn at_pitch(samples: &[i16], pitch: f64) -> Vec<i16> {
    let at = |n: usize| {
        let place = n as f64 * pitch;
        let (before, share) = (place as usize, place.fract());
        let [a, b] = [before, before + 1].map(|n| f64::from(samples.get(n).copied().unwrap_or(0)));
        (a + (b - a) * share) as i16
    };
    (0..(samples.len() as f64 / pitch) as usize).map(at).collect()
}

#[test]
fn two_hours_of_talk_in_many_languages_have_no_key_in_them() {
    let found = support::sounds();
    let (mut detector, mut heard, mut samples) = (Detector::default(), Vec::new(), 0);
    for file in &found {
        let prompt = prompt::read_samples(&fs::read(file).unwrap(), 8000).unwrap();
        for pitch in PITCHES {
            let speech = at_pitch(&prompt, pitch);
            samples += speech.len();
            let keys: String = speech.iter().filter_map(|sample| detector.take(*sample)).collect();
            if !keys.is_empty() {
                heard.push((file.display().to_string(), pitch, keys));
            }
        }
    }
    let minutes = samples / 8000 / 60;
    println!("{minutes} minutes of {} files", found.len());
    assert!(minutes >= 120, "{minutes} minutes are too few to say so");
    assert_eq!(heard, [], "keys in {minutes} minutes of talk");
}
