//! Comfort noise (RFC 3389): how loud the background is and what it sounds like, in a few bytes, for the time in which
//! nothing is said.

use base::Rng;

/// More coefficients than this are not listened to; no known device sends more.
const ORDER_MAX: usize = 12;

/// How many coefficients we send: enough for the colour of a room.
const ORDER_SENT: usize = 6;

/// The noise moves to another level and colour by this share for each sample, so that no step is heard.
const APPROACH: f32 = 1.0 / 160.0;

/// A background: its level and its colour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Background {
    /// In dB below a full square wave, from 0 to 127 (§3.1).
    level: u8,
    /// The reflection coefficients (§3.2), each within ±1.
    reflections: [f32; ORDER_MAX],
}

impl Background {
    /// The background in this payload; `None` if it has no byte. Any other bytes are one.
    pub fn read(payload: &[u8]) -> Option<Background> {
        let (level, coefficients) = payload.split_first()?;
        let mut reflections = [0.0; ORDER_MAX];
        for (reflection, byte) in reflections.iter_mut().zip(coefficients) {
            *reflection = dequantized(*byte);
        }
        Some(Background { level: level & 0x7f, reflections })
    }

    /// The background that is heard in these samples, 20 ms or more of them at any rate.
    pub fn of(samples: &[i16]) -> Background {
        let mut alike = [0.0f32; ORDER_SENT + 1];
        for (lag, alike) in alike.iter_mut().enumerate() {
            let later = samples.iter().skip(lag);
            *alike = later.zip(samples).map(|(now, before)| f32::from(*now) * f32::from(*before)).sum();
        }
        let power = alike[0] / samples.len().max(1) as f32;
        let level = -10.0 * (power.max(1e-6) / (32_768.0 * 32_768.0)).log10();
        Background { level: level.round().clamp(0.0, 127.0) as u8, reflections: reflections(&alike) }
    }

    /// Appends the payload that tells of it.
    pub fn write(&self, payload: &mut Vec<u8>) {
        payload.push(self.level);
        payload.extend(self.reflections.iter().take(ORDER_SENT).map(|reflection| quantized(*reflection)));
    }

    /// How many dB below a full square wave it is.
    pub fn level(&self) -> u8 {
        self.level
    }

    /// How loud white noise must be that becomes this background by its colour.
    fn drive(&self) -> f32 {
        let level = 32_768.0 * 10f32.powf(-f32::from(self.level) / 20.0);
        let kept: f32 = self.reflections.iter().map(|reflection| 1.0 - reflection * reflection).product();
        level * kept.sqrt()
    }
}

/// Makes noise like a background, from a seed, at the rate at which the background was heard.
#[derive(Clone, Debug)]
pub struct Generator {
    rng: Rng,
    target: Option<Background>,
    drive: f32,
    reflections: [f32; ORDER_MAX],
    /// What the lattice keeps from one sample to the next.
    backward: [f32; ORDER_MAX + 1],
}

impl Generator {
    /// One that is silent until a background is told.
    pub fn new(rng: Rng) -> Generator {
        Generator {
            rng,
            target: None,
            drive: 0.0,
            reflections: [0.0; ORDER_MAX],
            backward: [0.0; ORDER_MAX + 1],
        }
    }

    /// Moves to this background from now on; the first is there at once.
    pub fn set(&mut self, background: Background) {
        if self.target.is_none() {
            (self.drive, self.reflections) = (background.drive(), background.reflections);
        }
        self.target = Some(background);
    }

    /// Appends the next `span` samples, 120 ms at 48 kHz at most.
    pub fn fill(&mut self, span: usize, samples: &mut Vec<i16>) {
        let target = self.target.map(|target| (target.drive(), target.reflections));
        for _ in 0..span.min(5760) {
            if let Some((drive, reflections)) = &target {
                self.drive += (drive - self.drive) * APPROACH;
                for (now, to) in self.reflections.iter_mut().zip(reflections) {
                    *now += (to - *now) * APPROACH;
                }
            }
            let noise = self.rng.next_u32() as i32 as f32 / 2f32.powi(31) * 3f32.sqrt();
            samples.push(self.next(noise * self.drive) as i16);
        }
    }

    /// One step of the lattice, whose filter is 1 ÷ (1 + k₁z⁻¹ + …).
    fn next(&mut self, noise: f32) -> f32 {
        let mut forward = noise;
        for stage in (0..ORDER_MAX).rev() {
            forward -= self.reflections[stage] * self.backward[stage];
            self.backward[stage + 1] = self.backward[stage] + self.reflections[stage] * forward;
        }
        self.backward[0] = forward.clamp(-32_768.0, 32_767.0);
        self.backward[0]
    }
}

/// §3.2: k = 258 × (N − 127) ÷ 32 768.
fn dequantized(byte: u8) -> f32 {
    258.0 * (f32::from(byte.min(254)) - 127.0) / 32_768.0
}

fn quantized(reflection: f32) -> u8 {
    (reflection * 32_768.0 / 258.0 + 127.0).round().clamp(0.0, 254.0) as u8
}

/// By Levinson and Durbin.
fn reflections(alike: &[f32; ORDER_SENT + 1]) -> [f32; ORDER_MAX] {
    let mut reflections = [0.0; ORDER_MAX];
    let mut filter = [0.0f32; ORDER_SENT];
    let mut error = alike[0] * 1.0001 + 1.0;
    for order in 0..ORDER_SENT {
        let known: f32 = (0..order).map(|at| filter[at] * alike[order - at]).sum();
        let reflection = -(alike[order + 1] + known) / error;
        let before = filter;
        filter[order] = reflection;
        for at in 0..order {
            filter[at] += reflection * before[order - 1 - at];
        }
        error *= 1.0 - reflection * reflection;
        reflections[order] = reflection;
    }
    reflections
}
