//! The tones by which a network says how a call goes: what ITU-T E.180, supplement 2, says of Italy, and the special
//! information tone (E.180 §7), which is the same everywhere. Most of Europe has the same ones.
//!
//! | tone | Hz | heard, ms |
//! |---|---|---|
//! | ringing | 425 | 1000 on, 4000 off |
//! | busy | 425 | 500 on, 500 off |
//! | congestion | 425 | 200 on, 200 off |
//! | special information | 950, 1400, 1800 | 330 each, one after the other |

use std::f32::consts::TAU;

/// What a tone says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The called device rings.
    Ringing,
    /// The called party is busy.
    Busy,
    /// The network has no way to the called party.
    Congestion,
    /// An announcement follows that says why the call failed.
    SpecialInformation,
}

/// 20 ms at 8 kHz: the filters tell tones apart that differ by 50 Hz.
const FRAME: usize = 160;
const FRAME_MILLIS: u32 = 20;
const HERTZ: [f32; 4] = [425.0, 950.0, 1400.0, 1800.0];
/// The weakest tone: its swing, full scale being 32 768.
const SWING_MIN: f32 = 300.0;
/// The share of a frame's power that a tone must have. A frame that it fills half has half.
const SHARE_MIN: f32 = 0.5;
/// What is weaker than the last tone by this much is silence beside it, 13 dB.
const SILENT_SHARE: f32 = 0.05;

/// After a ringing tone so much silence tells it from a dial tone.
const AFTER_RINGING: u32 = 1500;
/// Between the three tones of special information.
const BETWEEN_TONES_MAX: u32 = 60;

/// What a run of frames is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sound {
    Tone(usize),
    Silence,
    Other,
}

/// A sound that goes on for so many milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    sound: Sound,
    millis: u32,
}

const NOTHING: Run = Run { sound: Sound::Other, millis: 0 };

/// So many runs are remembered: three tones and what is between them, and before the first one.
const RUNS: usize = 6;

/// Hears the tones in one party's sound at 8 kHz.
#[derive(Clone, Debug)]
pub struct Detector {
    turns: [f32; 4],
    filters: [(f32, f32); 4],
    power: f32,
    taken: usize,
    /// The newest last.
    runs: [Run; RUNS],
    /// The power of the last frame of a tone.
    tone_power: f32,
    told: Option<Progress>,
}

impl Default for Detector {
    fn default() -> Detector {
        Detector {
            turns: HERTZ.map(|hertz| 2.0 * (TAU * hertz / 8000.0).cos()),
            filters: [(0.0, 0.0); 4],
            power: 0.0,
            taken: 0,
            runs: [NOTHING; RUNS],
            tone_power: 0.0,
            told: None,
        }
    }
}

impl Detector {
    /// Takes the next sample. Gives what the tone says, once it is known by its cadence: once until another one comes, or
    /// until something else is heard for a frame or more.
    pub fn take(&mut self, sample: i16) -> Option<Progress> {
        let sample = f32::from(sample);
        for ((last, before), turn) in self.filters.iter_mut().zip(self.turns) {
            let now = sample + turn * *last - *before;
            (*before, *last) = (*last, now);
        }
        self.power += sample * sample;
        self.taken += 1;
        if self.taken < FRAME {
            return None;
        }
        let sound = self.sound();
        (self.filters, self.power, self.taken) = ([(0.0, 0.0); 4], 0.0, 0);
        self.note(sound);
        let heard = self.recognised()?;
        let is_new = self.told != Some(heard);
        self.told = Some(heard);
        is_new.then_some(heard)
    }

    fn sound(&mut self) -> Sound {
        let frame = FRAME as f32;
        let powers = self.filters.iter().zip(self.turns);
        let powers =
            powers.map(|((last, before), turn)| last * last + before * before - turn * last * before);
        let best = powers.enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
        let Some((tone, power)) = best else { return Sound::Other };
        let is_loud = self.power >= frame * SWING_MIN * SWING_MIN / 2.0;
        if is_loud && 2.0 * power >= SHARE_MIN * frame * self.power {
            self.tone_power = self.power;
            return Sound::Tone(tone);
        }
        if self.power <= SILENT_SHARE * self.tone_power || !is_loud { Sound::Silence } else { Sound::Other }
    }

    fn note(&mut self, sound: Sound) {
        self.settle_edge(sound);
        if let Some(newest) = self.runs.last_mut().filter(|newest| newest.sound == sound) {
            newest.millis = newest.millis.saturating_add(FRAME_MILLIS);
            if sound == Sound::Other {
                self.told = None;
            }
            return;
        }
        self.runs.rotate_left(1);
        if let Some(newest) = self.runs.last_mut() {
            *newest = Run { sound, millis: FRAME_MILLIS };
        }
    }

    /// One frame in which a tone begins or ends is neither: it belongs to the silence.
    fn settle_edge(&mut self, sound: Sound) {
        let [.., before, newest] = &mut self.runs;
        let is_edge = newest.sound == Sound::Other && newest.millis == FRAME_MILLIS;
        if !is_edge || sound == Sound::Other {
            return;
        }
        match before.sound {
            Sound::Tone(_) => newest.sound = Sound::Silence,
            Sound::Silence => {
                before.millis = before.millis.saturating_add(FRAME_MILLIS);
                *newest = NOTHING;
                self.runs.rotate_right(1);
            }
            Sound::Other => {}
        }
    }

    fn recognised(&self) -> Option<Progress> {
        let [.., r5, r4, r3, r2, r1] = self.runs;
        let on = |run: Run, millis: u32| run.sound == Sound::Tone(0) && near(run.millis, millis);
        let off = |run: Run, millis: u32| run.sound == Sound::Silence && near(run.millis, millis);
        if r1.sound == Sound::Silence {
            if on(r2, 500) && off(r3, 500) && on(r4, 500) {
                return Some(Progress::Busy);
            }
            if on(r2, 1000) && r1.millis >= AFTER_RINGING {
                return Some(Progress::Ringing);
            }
        }
        // The one that has begun counts too.
        if r1.sound == Sound::Tone(0) && off(r2, 200) && on(r3, 200) && off(r4, 200) && on(r5, 200) {
            return near(r1.millis, 200).then_some(Progress::Congestion);
        }
        self.is_special_information().then_some(Progress::SpecialInformation)
    }

    /// Three tones one after the other, the last of which has gone on for long enough.
    fn is_special_information(&self) -> bool {
        let mut wanted = [3, 2, 1].into_iter().peekable();
        for run in self.runs.iter().rev() {
            match (run.sound, wanted.peek()) {
                (_, None) => break,
                (Sound::Tone(tone), Some(next)) if tone == *next && near(run.millis, 330) => {
                    wanted.next();
                }
                (Sound::Silence, Some(next)) if *next != 3 && run.millis <= BETWEEN_TONES_MAX => {}
                _ => return false,
            }
        }
        wanted.peek().is_none()
    }
}

/// Within a fifth, and what frames round off.
fn near(millis: u32, expected: u32) -> bool {
    millis.abs_diff(expected) <= expected / 5 + FRAME_MILLIS
}
