//! Speech a period shorter or longer, without a click, and never where it would be heard.

use audio::{Pace, Stretcher};
use proptest::prelude::*;

/// A voice of this pitch: a tone with its overtones.
fn voice(hertz: f64, rate: u32, count: usize) -> Vec<i16> {
    let step = std::f64::consts::TAU * hertz / f64::from(rate);
    let sample = |n: usize| {
        let turn = n as f64 * step;
        6000.0 * turn.sin() + 3000.0 * (2.0 * turn).sin() + 2000.0 * (3.0 * turn).cos()
    };
    (0..count).map(|n| sample(n) as i16).collect()
}

fn noise(count: usize, loudness: i32) -> Vec<i16> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((state >> 16) as i16 as i32 * loudness / 32_768) as i16
    };
    (0..count).map(|_| next()).collect()
}

fn steepest(samples: &[i16]) -> u32 {
    samples.windows(2).map(|pair| i32::from(pair[0]).abs_diff(i32::from(pair[1]))).max().unwrap_or(0)
}

#[test]
fn a_voice_becomes_shorter_or_longer_by_its_period_without_a_click() {
    for rate in [8000, 16_000, 48_000] {
        for hertz in [90.0, 120.0, 181.0, 240.0, 330.0] {
            for pace in [Pace::Faster, Pace::Slower] {
                let frame = rate as usize / 50;
                let samples = voice(hertz, rate, 50 * frame);
                let mut stretcher = Stretcher::new(rate);
                let mut out = Vec::new();
                let mut gained = 0;
                for (n, piece) in samples.chunks(frame).enumerate() {
                    let pace = if n % 3 == 2 { pace } else { Pace::Normal };
                    gained += stretcher.process(pace, piece, &mut out);
                }
                assert_eq!(out.len() as i32, samples.len() as i32 + gained);
                let periods = f64::from(gained) / (f64::from(rate) / hertz);
                assert_eq!(gained < 0, pace == Pace::Faster, "{rate} {hertz} {pace:?}: {gained}");
                assert!(periods.abs() >= 15.0, "{rate} {hertz} {pace:?}: {periods} periods");
                let (before, after) = (steepest(&samples), steepest(&out));
                assert!(after <= before + before / 4 + 60, "{rate} {hertz} {pace:?}: {before} {after}");
            }
        }
    }
}

#[test]
fn what_is_loud_and_no_voice_is_left_as_it_is() {
    let samples = noise(16_000, 20_000);
    for pace in [Pace::Faster, Pace::Slower] {
        let mut stretcher = Stretcher::new(8000);
        let mut out = Vec::new();
        for piece in samples.chunks(160) {
            assert_eq!(stretcher.process(pace, piece, &mut out), 0);
        }
        assert_eq!(out, samples);
    }
}

#[test]
fn silence_may_always_be_cut_or_drawn_out() {
    let samples = noise(1600, 60);
    for (pace, sign) in [(Pace::Faster, -1), (Pace::Slower, 1)] {
        let mut stretcher = Stretcher::new(8000);
        for piece in samples.chunks(160) {
            assert_eq!(stretcher.process(pace, piece, &mut Vec::new()).signum(), sign);
        }
    }
}

#[test]
fn nothing_is_taken_from_a_piece_that_is_too_short() {
    let mut stretcher = Stretcher::new(8000);
    let mut out = Vec::new();
    assert_eq!(stretcher.process(Pace::Faster, &[0; 60], &mut out), 0);
    assert_eq!(out.len(), 60);
    assert_eq!(stretcher.process(Pace::Slower, &[], &mut out), 0);
}

proptest! {
    #[test]
    fn any_samples_come_out_by_as_many_more_or_less_as_it_says(
        pieces in prop::collection::vec((prop::collection::vec(any::<i16>(), 0..500), 0u8..3), 1..8),
        rate in prop::sample::select(vec![8000u32, 16_000]),
    ) {
        let mut stretcher = Stretcher::new(rate);
        for (piece, pace) in pieces {
            let pace = [Pace::Normal, Pace::Faster, Pace::Slower][usize::from(pace)];
            let mut out = Vec::new();
            let gained = stretcher.process(pace, &piece, &mut out);
            prop_assert_eq!(out.len() as i32, piece.len() as i32 + gained);
        }
    }
}
