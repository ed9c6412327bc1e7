//! No key is heard in speech or music: every prompt of the project, in every language.

#![allow(clippy::unwrap_used, reason = "a helper of a test may fail it")]

mod support;

use audio::dtmf::Detector;
use audio::{Decoder, Encoder, EncoderSettings, Resampler, prompt};
use media_api::Codec;
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

/// What a party hears of talk at 8 kHz that comes in this codec.
fn through(codec: Codec, talk: &[i16]) -> Vec<i16> {
    let (mut encoder, mut decoder) =
        (Encoder::at(codec, 8000, &EncoderSettings::default()), Decoder::at(codec, 8000));
    let (mut up, mut down) =
        (Resampler::new(8000, encoder.sample_rate()), Resampler::new(decoder.sample_rate(), 8000));
    let (mut speech, mut bytes, mut decoded, mut heard) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for frame in talk.as_chunks::<160>().0 {
        speech.clear();
        bytes.clear();
        decoded.clear();
        up.process(frame, &mut speech);
        encoder.encode(&speech, &mut bytes);
        decoder.decode(&bytes, &mut decoded).unwrap();
        down.process(&decoded, &mut heard);
    }
    heard
}

/// No key is heard in an hour of talk through this codec, and hardly anything that might become one.
fn talk_through(codec: Codec) {
    let (mut detector, mut samples, mut keys, mut suspected) = (Detector::default(), 0, String::new(), 0);
    for file in support::sounds() {
        let prompt = prompt::read_samples(&fs::read(file).unwrap(), 8000).unwrap();
        for pitch in [PITCHES[0], PITCHES[2]] {
            for frame in through(codec, &at_pitch(&prompt, pitch)).chunks(160) {
                samples += frame.len();
                detector.hear(frame.iter().copied(), |key| keys.push(key));
                suspected += usize::from(detector.is_sounding());
            }
        }
        if samples > 61 * 60 * 8000 {
            break;
        }
    }
    let minutes = samples / 8000 / 60;
    println!("{minutes} minutes by {codec:?}, {suspected} frames that might have been keys");
    assert!(minutes >= 60, "{minutes} minutes are too few to say so");
    assert_eq!(keys, "", "keys in {minutes} minutes of talk by {codec:?}");
    assert!(suspected / minutes <= 1, "{suspected} frames of talk would be kept from another party");
}

#[test]
fn an_hour_of_talk_by_g722_has_no_key_in_it() {
    talk_through(Codec::G722);
}

#[test]
fn an_hour_of_talk_by_opus_has_no_key_in_it() {
    talk_through(Codec::Opus);
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
            let mut keys = String::new();
            detector.hear(speech, |key| keys.push(key));
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
