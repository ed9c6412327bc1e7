//! Pure tones: making one, and hearing which of several is there.

use std::f64::consts::TAU;

/// Samples per second everywhere in this module.
const RATE: f64 = 8000.0;

/// Below this a frame is taken for silence: about −42 dB of full scale.
const HEARD_LEVEL_MIN: f64 = 0.008;

/// How much of a frame's power one tone must have to be heard in it.
const HEARD_SHARE_MIN: f64 = 0.1;

/// A sine that goes on where it was, so that frames join without a click.
#[derive(Clone, Debug)]
pub struct Tone {
    phase: f64,
    step: f64,
    amplitude: f64,
}

impl Tone {
    /// A sine of `hertz` at 8 kHz that swings to ±`amplitude` (full scale is 32 767).
    pub fn new(hertz: f64, amplitude: i16) -> Tone {
        Tone::at_rate(hertz, amplitude, RATE as u32)
    }

    /// The same with so many samples a second.
    pub fn at_rate(hertz: f64, amplitude: i16, sample_rate: u32) -> Tone {
        let step = TAU * hertz / f64::from(sample_rate.max(1));
        Tone { phase: 0.0, step, amplitude: f64::from(amplitude) }
    }

    /// The next sample.
    pub fn sample(&mut self) -> i16 {
        let sample = (self.amplitude * self.phase.sin()).round() as i16;
        self.phase = (self.phase + self.step) % TAU;
        sample
    }

    /// The next samples.
    pub fn fill(&mut self, samples: &mut [i16]) {
        samples.fill_with(|| self.sample());
    }

    /// The next `count` samples.
    pub fn take(&mut self, count: usize) -> Vec<i16> {
        let mut samples = vec![0; count];
        self.fill(&mut samples);
        samples
    }
}

/// How far a sine of `hertz` swings in these samples at 8 kHz, 1.0 being full scale (Goertzel). It tells
/// frequencies apart that lie more than 8000 ÷ `samples.len()` Hz from each other.
pub fn level(samples: &[i16], hertz: f64) -> f64 {
    if samples.is_empty() {
        return 0.0;
    }
    let turn = 2.0 * (TAU * hertz / RATE).cos();
    let (mut last, mut before) = (0.0, 0.0);
    for sample in samples {
        let now = f64::from(*sample) / 32768.0 + turn * last - before;
        (before, last) = (last, now);
    }
    let power = last * last + before * before - turn * last * before;
    2.0 * power.max(0.0).sqrt() / samples.len() as f64
}

/// The root mean square of these samples, 1.0 being a square wave at full scale.
pub fn loudness(samples: &[i16]) -> f64 {
    if samples.is_empty() {
        return 0.0;
    }
    let sum: f64 = samples.iter().map(|sample| (f64::from(*sample) / 32768.0).powi(2)).sum();
    (sum / samples.len() as f64).sqrt()
}

/// Which of these frequencies is heard in the samples, each by its own power: none in silence or in speech,
/// several if several sound. 50 ms (400 samples) and tones at least 40 Hz apart make it certain.
pub fn heard(samples: &[i16], hertz: &[f64]) -> Vec<f64> {
    let power = loudness(samples).powi(2);
    let is_heard = |hertz: &f64| {
        let level = level(samples, *hertz);
        level >= HEARD_LEVEL_MIN && level * level / 2.0 >= HEARD_SHARE_MIN * power
    };
    hertz.iter().copied().filter(is_heard).collect()
}
