//! Other rates: exact in length, without a seam between frames, and true to the sound.

use audio::Resampler;
use proptest::prelude::*;

const RATES: [u32; 3] = [8000, 16_000, 48_000];

fn sine(hertz: f64, rate: u32, count: usize, amplitude: f64) -> Vec<i16> {
    let step = std::f64::consts::TAU * hertz / f64::from(rate);
    (0..count).map(|n| (amplitude * (n as f64 * step).sin()).round() as i16).collect()
}

fn framed(from: u32, to: u32, samples: &[i16]) -> Vec<i16> {
    let mut resampler = Resampler::new(from, to);
    let mut out = Vec::new();
    for frame in samples.chunks(from as usize / 50) {
        let before = out.len();
        resampler.process(frame, &mut out);
        assert_eq!(out.len() - before, to as usize / 50, "20 ms of {from} Hz become 20 ms of {to} Hz");
    }
    out
}

/// The level of a tone against that of all else, in dB, and its amplitude.
fn tone(samples: &[i16], hertz: f64, rate: u32) -> (f64, f64) {
    let step = std::f64::consts::TAU * hertz / f64::from(rate);
    let (mut by_sine, mut by_cosine, mut power) = (0.0, 0.0, 0.0);
    for (n, sample) in samples.iter().enumerate() {
        let sample = f64::from(*sample);
        by_sine += sample * (n as f64 * step).sin();
        by_cosine += sample * (n as f64 * step).cos();
        power += sample * sample;
    }
    let amplitude = (by_sine * by_sine + by_cosine * by_cosine).sqrt() * 2.0 / samples.len() as f64;
    let tone = amplitude * amplitude / 2.0 * samples.len() as f64;
    (10.0 * (tone / (power - tone).max(1e-9)).log10(), amplitude)
}

#[test]
fn a_sine_passes_every_pair_of_rates_frame_by_frame_without_a_seam() {
    for from in RATES {
        for to in RATES {
            for hertz in [200.0, 1000.0, 3000.0] {
                let out = framed(from, to, &sine(hertz, from, from as usize, 12_000.0));
                // Whole periods, past the filter's beginning.
                let (ratio, amplitude) = tone(&out[to as usize / 5..], hertz, to);
                println!("{from} → {to}, {hertz} Hz: {ratio:.1} dB, {amplitude:.0}");
                assert!(ratio > 65.0, "{from} → {to}, {hertz} Hz: {ratio}");
                assert!((amplitude / 12_000.0 - 1.0).abs() < 0.01, "{from} → {to}, {hertz} Hz: {amplitude}");
            }
        }
    }
}

#[test]
fn what_the_lower_rate_cannot_hold_does_not_fold_down() {
    for (from, to) in [(16_000, 8000), (48_000, 8000), (48_000, 16_000)] {
        let hertz = f64::from(to) * 0.62;
        let out = framed(from, to, &sine(hertz, from, from as usize, 12_000.0));
        let loudest = out[to as usize / 10..].iter().map(|sample| sample.unsigned_abs()).max();
        assert!(loudest < Some(12), "{from} → {to}: {loudest:?}");
    }
}

#[test]
fn no_image_of_the_sound_appears_above_it() {
    for (from, to) in [(8000, 16_000), (8000, 48_000), (16_000, 48_000)] {
        let out = framed(from, to, &sine(3000.0, from, from as usize, 12_000.0));
        let (_, image) = tone(&out[to as usize / 5..], f64::from(from) - 3000.0, to);
        assert!(image < 6.0, "{from} → {to}: {image}");
    }
}

#[test]
fn the_delay_is_what_it_says_and_short() {
    for from in RATES {
        for to in RATES {
            let mut click = vec![0; from as usize / 10];
            click[from as usize / 50] = 30_000;
            let out = framed(from, to, &click);
            let peak =
                out.iter().enumerate().max_by_key(|(_, sample)| sample.unsigned_abs()).map(|(at, _)| at);
            let delay = peak.unwrap_or(0) as i64 - i64::from(to) / 50;
            let said = Resampler::new(from, to).delay() as i64;
            assert!((delay - said).abs() <= 1, "{from} → {to}: {delay}, said {said}");
            assert!(delay as f64 / f64::from(to) < 0.0022, "{from} → {to}: {delay}");
        }
    }
}

#[test]
fn a_loud_sound_is_clipped_and_does_not_wrap() {
    for (from, to) in [(8000, 48_000), (48_000, 8000), (16_000, 8000)] {
        let square: Vec<i16> = (0..from).map(|n| if n / 60 % 2 == 0 { i16::MAX } else { i16::MIN }).collect();
        let out = framed(from, to, &square);
        let jumps = out.windows(2).filter(|pair| i32::from(pair[0]).abs_diff(i32::from(pair[1])) > 65_000);
        assert_eq!(jumps.count(), 0, "{from} → {to}");
    }
}

#[test]
fn a_rate_of_files_keeps_its_length_and_tone() {
    for from in [11_025, 22_050, 24_000, 32_000, 44_100, 96_000, 44_101] {
        let mut resampler = Resampler::new(from, 8000);
        let mut out = Vec::new();
        for piece in sine(1000.0, from, 2 * from as usize, 12_000.0).chunks(1000) {
            resampler.process(piece, &mut out);
        }
        assert!((15_999..=16_001).contains(&out.len()), "{from}: {}", out.len());
        let (ratio, _) = tone(&out[1600..15_200], 1000.0, 8000);
        assert!(ratio > 60.0, "{from}: {ratio}");
    }
}

proptest! {
    #[test]
    fn where_a_piece_ends_makes_no_difference(
        samples in prop::collection::vec(any::<i16>(), 1..2000),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        from in prop::sample::select(vec![8000u32, 16_000, 44_100, 48_000]),
        to in prop::sample::select(RATES.to_vec()),
    ) {
        let mut whole = Vec::new();
        Resampler::new(from, to).process(&samples, &mut whole);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(samples.len())).collect();
        cuts.sort_unstable();
        let mut resampler = Resampler::new(from, to);
        let mut pieces = Vec::new();
        let mut at = 0;
        for cut in cuts {
            resampler.process(&samples[at..cut], &mut pieces);
            at = cut;
        }
        resampler.process(&samples[at..], &mut pieces);
        prop_assert_eq!(whole, pieces);
    }
}
