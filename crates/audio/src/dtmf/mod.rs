//! Keys as tones in speech (ITU-T Q.23): sounding them, hearing them, and not hearing them in talk (Q.24).
//!
//! Two banks of Goertzel filters, half a block apart, look at the sound every 6.4 ms. A key is two tones, one of each
//! group, that are nearly all that is heard, for so long as no vowel is steady.

mod press;

pub use press::Press;

use std::time::Duration;

/// Tones of each of the two groups.
const GROUP: usize = 4;
/// The two groups of Q.23 as the filters need them, 2·cos(2π·f ÷ 8000): 697, 770, 852 and 941 Hz, and 1209, 1336, 1477
/// and 1633 Hz.
const TURNS: [f32; 2 * GROUP] =
    [1.707_737_8, 1.645_281, 1.568_687, 1.478_204_6, 1.164_104, 0.996_370_2, 0.798_618_4, 0.568_532_7];
/// A key is one tone of each group.
const KEYS: [[char; 4]; 4] =
    [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];

/// 12.75 ms: short enough for four looks at a press of 40 ms, long enough to tell the tones apart.
const BLOCK: usize = 102;
/// Looks in a row that hear a key before it counts: 32 ms, where Q.24 asks for 40 ms to be heard and 23 ms not to be.
const LOOKS_TO_BEGIN: u8 = 4;
/// Looks in a row that hear a key before it may be one: 19 ms, less than the 23 ms from which on others may hear it.
const LOOKS_TO_SUSPECT: u8 = 2;
/// For how long a key has sounded when it is told.
pub const HEARD_AFTER: Duration = Duration::from_millis(32);
/// Looks in a row that do not hear it before it has ended: more than a hole of 10 ms, less than the shortest pause of
/// Q.24, 40 ms.
const LOOKS_TO_END: u8 = 5;

/// The weakest tone: its swing, full scale being 32 768. 6 dB below the weakest that Q.24 lets a network deliver.
const SWING_MIN: f32 = 400.0;
/// The share of all power that the two tones must have.
const SHARE_MIN: f32 = 0.80;
/// How much stronger the high tone may be than the low one, in power, and the other way round: the 4 and 8 dB of Q.24, and
/// what the tones leak into each other.
const HIGH_OVER_LOW_MAX: f32 = 3.162;
const LOW_OVER_HIGH_MAX: f32 = 10.0;
/// How much stronger a tone must be than the others of its group (8 dB).
const OVER_OTHERS_MIN: f32 = 6.310;

/// Hears keys in one party's sound at 8 kHz.
#[derive(Clone, Debug)]
pub struct Detector {
    banks: [Bank; 2],
    /// What the last looks heard, and how many in a row.
    heard: Option<char>,
    looks: u8,
    /// The press that goes on.
    pressed: Option<char>,
}

impl Default for Detector {
    fn default() -> Detector {
        // Its first block is half a one.
        let late = Bank { taken: BLOCK / 2, ..Bank::default() };
        Detector { banks: [Bank::default(), late], heard: None, looks: 0, pressed: None }
    }
}

impl Detector {
    /// Takes the next sample. Gives the key if a press has begun by now: once for each press.
    #[inline]
    pub fn take(&mut self, sample: i16) -> Option<char> {
        let sample = f32::from(sample);
        let [early, late] = &mut self.banks;
        let look = match (early.take(sample), late.take(sample)) {
            (Some(look), _) | (None, Some(look)) => look,
            (None, None) => return None,
        };
        self.looked(look)
    }

    /// Whether a key sounds, or something that may become one: what another party is not to hear that gets the key by
    /// another way.
    pub fn is_sounding(&self) -> bool {
        self.pressed.is_some() || (self.heard.is_some() && self.looks >= LOOKS_TO_SUSPECT)
    }

    fn looked(&mut self, heard: Option<char>) -> Option<char> {
        if heard == self.heard {
            self.looks = self.looks.saturating_add(1);
        } else {
            (self.heard, self.looks) = (heard, 1);
        }
        match heard {
            Some(key) if self.looks >= LOOKS_TO_BEGIN && self.pressed != heard => {
                self.pressed = heard;
                Some(key)
            }
            None if self.looks >= LOOKS_TO_END => {
                self.pressed = None;
                None
            }
            _ => None,
        }
    }
}

/// One filter for each tone, and the power of all sound. What the filters know stands side by side, so that all take a sample in
/// a few steps: this runs for every sample of who talks without telephone-events.
#[derive(Clone, Debug, Default)]
struct Bank {
    last: [f32; 2 * GROUP],
    before: [f32; 2 * GROUP],
    power: f32,
    taken: usize,
}

impl Bank {
    /// At the end of a block: the key that is heard in it, if any.
    #[inline]
    fn take(&mut self, sample: f32) -> Option<Option<char>> {
        let now: [f32; 2 * GROUP] =
            std::array::from_fn(|tone| sample + TURNS[tone] * self.last[tone] - self.before[tone]);
        (self.before, self.last) = (self.last, now);
        self.power += sample * sample;
        self.taken += 1;
        if self.taken < BLOCK {
            return None;
        }
        let key = self.key();
        *self = Bank::default();
        Some(key)
    }

    fn key(&self) -> Option<char> {
        let [low, high] = [0, GROUP].map(|first| std::array::from_fn(|tone| self.power_of(first + tone)));
        let (row, low) = strongest(low)?;
        let (column, high) = strongest(high)?;
        let half = BLOCK as f32 / 2.0;
        let is_loud = low.min(high) >= (SWING_MIN * half).powi(2);
        let is_all = low + high >= SHARE_MIN * self.power * half;
        let is_even = high <= HIGH_OVER_LOW_MAX * low && low <= LOW_OVER_HIGH_MAX * high;
        (is_loud && is_all && is_even).then(|| KEYS.get(row)?.get(column).copied()).flatten()
    }

    fn power_of(&self, tone: usize) -> f32 {
        let (last, before) = (self.last[tone], self.before[tone]);
        last * last + before * before - TURNS[tone] * last * before
    }
}

/// The tone of a group that stands out, and its power.
fn strongest(powers: [f32; GROUP]) -> Option<(usize, f32)> {
    let (best, power) = powers.into_iter().enumerate().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let stands_out =
        powers.iter().enumerate().all(|(tone, other)| tone == best || *other * OVER_OTHERS_MIN <= power);
    stands_out.then_some((best, power))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone::Tone;
    use base::{Rng, Seed};

    const LOW: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
    const HIGH: [f64; 4] = [1209.0, 1336.0, 1477.0, 1633.0];

    /// How a key sounds: swings of its two tones, how far they are off, and for how long it is pressed and let go.
    #[derive(Clone, Copy, Debug)]
    struct Press {
        low: i16,
        high: i16,
        off: f64,
        on_ms: usize,
        pause_ms: usize,
    }

    const PLAIN: Press = Press { low: 6000, high: 6000, off: 0.0, on_ms: 80, pause_ms: 60 };

    fn sound(keys: &str, press: Press) -> Vec<i16> {
        let mut samples = vec![0; 500];
        for key in keys.chars() {
            let at = |(row, keys): (usize, &[char; 4])| {
                keys.iter().position(|k| *k == key).map(|column| (row, column))
            };
            let (row, column) = KEYS.iter().enumerate().find_map(at).unwrap();
            let low = Tone::new(LOW[row] * (1.0 + press.off), press.low).take(press.on_ms * 8);
            let high = Tone::new(HIGH[column] * (1.0 + press.off), press.high).take(press.on_ms * 8);
            samples.extend(low.iter().zip(&high).map(|(low, high)| low + high));
            samples.extend(vec![0; press.pause_ms * 8]);
        }
        samples
    }

    fn keys_in(samples: &[i16]) -> String {
        let mut detector = Detector::default();
        samples.iter().filter_map(|sample| detector.take(*sample)).collect()
    }

    const ALL: &str = "0123456789*#ABCD";

    #[test]
    fn the_filters_are_those_of_q_23() {
        for (turn, hertz) in TURNS.into_iter().zip(LOW.into_iter().chain(HIGH)) {
            let exact = 2.0 * (std::f64::consts::TAU * hertz / 8000.0).cos();
            assert!((f64::from(turn) - exact).abs() < 1e-6, "{hertz}");
        }
    }

    #[test]
    fn every_press_that_q_24_allows_is_heard_once() {
        for press in [
            PLAIN,
            Press { on_ms: 40, pause_ms: 40, ..PLAIN },
            Press { on_ms: 3000, pause_ms: 70, ..PLAIN },
            Press { low: 800, high: 800, ..PLAIN },
            Press { low: 14_000, high: 14_000, ..PLAIN },
            // The high tone 4 dB stronger, or 8 dB weaker.
            Press { low: 4000, high: 6000, ..PLAIN },
            Press { low: 6000, high: 2500, ..PLAIN },
            Press { off: 0.015, ..PLAIN },
            Press { off: -0.015, ..PLAIN },
        ] {
            assert_eq!(keys_in(&sound(ALL, press)), ALL, "{press:?}");
        }
    }

    #[test]
    fn the_same_key_pressed_again_is_another_press_and_a_short_hole_is_none() {
        assert_eq!(keys_in(&sound("5555", Press { pause_ms: 40, ..PLAIN })), "5555");
        let mut held = sound("7", Press { on_ms: 200, ..PLAIN });
        held[1300..1380].fill(0);
        assert_eq!(keys_in(&held), "7");
    }

    #[test]
    fn what_is_no_key_is_not_heard() {
        for press in [
            Press { on_ms: 20, ..PLAIN },
            Press { low: 0, ..PLAIN },
            Press { high: 0, ..PLAIN },
            Press { low: 2000, high: 6000, ..PLAIN },
            Press { low: 100, high: 100, ..PLAIN },
            Press { off: 0.05, ..PLAIN },
        ] {
            assert_eq!(keys_in(&sound(ALL, press)), "", "{press:?}");
        }
    }

    #[test]
    fn keys_are_heard_through_noise_and_through_a_telephone_line() {
        let mut rng = Seed::from_number(7).rng();
        let noisy = |samples: Vec<i16>, rng: &mut Rng| -> Vec<i16> {
            // Even noise of ±1200 beside tones of 6000: 15 dB.
            samples.into_iter().map(|sample| sample + (rng.below(2400) as i16 - 1200)).collect()
        };
        let samples = noisy(sound(&ALL.repeat(20), PLAIN), &mut rng);
        for law in [crate::g711::Law::A, crate::g711::Law::Mu] {
            let line: Vec<i16> =
                samples.iter().map(|sample| law.decode_sample(law.encode_sample(*sample))).collect();
            assert_eq!(keys_in(&line), ALL.repeat(20));
        }
    }
}
