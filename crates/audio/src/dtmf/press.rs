//! How a key sounds.

use super::KEYS;
use crate::tone::Tone;

/// The two groups of Q.23, in hertz.
const LOW: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
const HIGH: [f64; 4] = [1209.0, 1336.0, 1477.0, 1633.0];

/// How far the tones swing: −10 and −8 dBm0, for lines take more from the higher one on their way (ETSI ES 201 235-2). A
/// sine of full scale has 3.14 dBm0 (G.711).
const SWING_LOW: i16 = 7218;
const SWING_HIGH: i16 = 9087;

/// Within so many milliseconds a tone comes and goes: faster would click, and a click has all tones in it.
const RAMP_MILLIS: usize = 5;

/// The sound of one press of one key.
#[derive(Clone, Debug)]
pub struct Press {
    low: Tone,
    high: Tone,
    ramp: usize,
    length: usize,
    at: usize,
}

impl Press {
    /// Of a key (0-9, *, #, A-D) that is held for so many milliseconds, at this rate. Nothing of another character.
    pub fn new(key: char, millis: usize, sample_rate: u32) -> Option<Press> {
        let place = |keys: &[char; 4]| keys.iter().position(|other| *other == key);
        let (row, column) = KEYS.iter().enumerate().find_map(|(row, keys)| Some((row, place(keys)?)))?;
        let per_milli = sample_rate as usize / 1000;
        Some(Press {
            low: Tone::at_rate(*LOW.get(row)?, SWING_LOW, sample_rate),
            high: Tone::at_rate(*HIGH.get(column)?, SWING_HIGH, sample_rate),
            ramp: (RAMP_MILLIS * per_milli).max(1),
            length: millis * per_milli,
            at: 0,
        })
    }

    /// Appends the next samples: silence once the key is let go.
    pub fn fill(&mut self, count: usize, samples: &mut Vec<i16>) {
        samples.extend((0..count).map(|_| self.sample()));
    }

    fn sample(&mut self) -> i16 {
        let left = self.length.saturating_sub(self.at);
        let sound = i32::from(self.low.sample()) + i32::from(self.high.sample());
        let share = self.at.min(left).min(self.ramp);
        self.at = self.at.saturating_add(1);
        // Within 16 bits, as the swings are.
        (sound * share as i32 / self.ramp as i32) as i16
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtmf::Detector;
    use crate::tone::level;

    const ALL: &str = "0123456789*#ABCD";

    #[test]
    fn each_key_is_heard_as_itself_once_at_each_rate_that_is_spoken() {
        for rate in [8000, 16_000, 48_000] {
            let mut samples = Vec::new();
            for key in ALL.repeat(3).chars() {
                let mut press = Press::new(key, 70, rate).unwrap();
                press.fill(rate as usize * 140 / 1000, &mut samples);
            }
            let samples = crate::clip::resample(&samples, rate, 8000);
            let mut heard = String::new();
            Detector::default().hear(samples, |key| heard.push(key));
            assert_eq!(heard, ALL.repeat(3), "{rate}");
        }
        assert!(Press::new('x', 70, 8000).is_none());
    }

    #[test]
    fn the_tones_have_their_levels_and_begin_and_end_without_a_click() {
        let mut samples = Vec::new();
        Press::new('5', 100, 8000).unwrap().fill(1000, &mut samples);
        let middle = &samples[100..700];
        for (hertz, dbm0) in [(770.0, -10.0), (1336.0, -8.0)] {
            let found = 20.0 * level(middle, hertz).log10() + 3.15;
            assert!((found - dbm0).abs() < 0.3, "{hertz}: {found}");
        }
        // No step from sample to sample is larger than the steepest of the tones, at the edges far smaller.
        let step = |samples: &[i16]| {
            samples.windows(2).map(|pair| i32::from(pair[1]) - i32::from(pair[0])).map(i32::abs).max()
        };
        assert!(step(&samples[..8]) < Some(2500) && step(&samples[792..]) < Some(2500));
        assert!(samples[800..].iter().all(|sample| *sample == 0));
    }
}
