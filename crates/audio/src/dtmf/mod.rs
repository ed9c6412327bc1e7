//! Keys as tones in speech (ITU-T Q.23): sounding them, hearing them, and not hearing them in talk (Q.24).
//!
//! Every 6.4 ms the last 12.75 ms are looked at. A key is two tones, one of each group, that are nearly all that is heard,
//! for so long as no vowel is steady.

mod bank;
mod press;

pub use press::Press;

use bank::BLOCK;
use std::time::Duration;

/// A key is one tone of each group.
const KEYS: [[char; 4]; 4] =
    [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];

/// From look to look.
const STEP: usize = BLOCK / 2;
/// Looks in a row that hear a key before it counts: 32 ms, where Q.24 asks for 40 ms to be heard and 23 ms not to be.
const LOOKS_TO_BEGIN: u8 = 4;
/// Looks in a row that hear a key before it may be one: 19 ms, less than the 23 ms from which on others may hear it.
const LOOKS_TO_SUSPECT: u8 = 2;
/// For how long a key has sounded when it is told.
pub const HEARD_AFTER: Duration = Duration::from_millis(32);
/// Looks in a row that do not hear it before it has ended: more than a hole of 10 ms, less than the shortest pause of
/// Q.24, 40 ms.
const LOOKS_TO_END: u8 = 5;

/// Hears keys in one party's sound at 8 kHz.
#[derive(Clone, Debug)]
pub struct Detector {
    /// The last ones, the newest at the end once a step is full.
    samples: [f32; BLOCK],
    /// How many of the newest step are there.
    taken: usize,
    /// What the last looks heard, and how many in a row.
    heard: Option<char>,
    looks: u8,
    /// The press that goes on.
    pressed: Option<char>,
}

impl Default for Detector {
    fn default() -> Detector {
        Detector { samples: [0.0; BLOCK], taken: 0, heard: None, looks: 0, pressed: None }
    }
}

impl Detector {
    /// Hears the next samples, and tells each key whose press has begun: once for each press.
    #[inline]
    pub fn hear(&mut self, samples: impl IntoIterator<Item = i16>, mut tell: impl FnMut(char)) {
        let mut samples = samples.into_iter();
        loop {
            let places = self.samples.iter_mut().skip(STEP + self.taken);
            self.taken += places.zip(&mut samples).map(|(place, sample)| *place = f32::from(sample)).count();
            if self.taken < STEP {
                return;
            }
            let heard = bank::key_in(&self.samples);
            self.samples.copy_within(STEP.., 0);
            self.taken = 0;
            self.looked(heard).map(&mut tell);
        }
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
        let mut keys = String::new();
        Detector::default().hear(samples.iter().copied(), |key| keys.push(key));
        keys
    }

    const ALL: &str = "0123456789*#ABCD";

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
