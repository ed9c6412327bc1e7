//! What a room hears when somebody comes or leaves: two short tones, up or down.

use audio::tone::Tone;

/// Each tone, in frames of 20 ms.
const FRAMES_EACH: u32 = 6;
const LOW_HZ: f64 = 523.0;
const HIGH_HZ: f64 = 659.0;
/// −20 dB of full scale: heard beside talk, and no fright.
const AMPLITUDE: i16 = 3200;

#[derive(Debug)]
pub(super) struct Chime {
    hertz: [f64; 2],
    tones: [Tone; 2],
    frame: u32,
}

impl Chime {
    pub(super) fn up(sample_rate: u32) -> Chime {
        Chime { hertz: [LOW_HZ, HIGH_HZ], tones: tones([LOW_HZ, HIGH_HZ], sample_rate), frame: 0 }
    }

    pub(super) fn down(sample_rate: u32) -> Chime {
        Chime { hertz: [HIGH_HZ, LOW_HZ], tones: tones([HIGH_HZ, LOW_HZ], sample_rate), frame: 0 }
    }

    /// Goes on with so many samples a second.
    pub(super) fn set_sample_rate(&mut self, sample_rate: u32) {
        self.tones = tones(self.hertz, sample_rate);
    }

    /// Adds the next frame to a sum. False if it is over.
    pub(super) fn add(&mut self, sum: &mut [i32]) -> bool {
        let Some(tone) = self.tones.get_mut((self.frame / FRAMES_EACH) as usize) else { return false };
        self.frame += 1;
        for place in sum {
            *place += i32::from(tone.sample());
        }
        true
    }
}

fn tones(hertz: [f64; 2], sample_rate: u32) -> [Tone; 2] {
    hertz.map(|hertz| Tone::at_rate(hertz, AMPLITUDE, sample_rate))
}
