//! When a message is over: nothing has been said for long, or it has taken as long as it may.

use crate::cadence::FRAME;
use crate::loudness::{OVERLOAD, energy};
use media_api::{MessageEnd, MessageLimits};
use std::time::Duration;

/// Speech is louder than this, as the mean square of its samples: −50 dB of full scale.
const SPEECH_MIN: f64 = 1.0e-5 * OVERLOAD;
/// And ten times as loud as the quietest that was heard of late: what goes on evenly is the line's noise.
const OVER_NOISE: f64 = 10.0;
/// So fast what counts as quiet rises with a line that has become louder: 3 dB a second.
const NOISE_RISES: f64 = 1.013_91;
/// What is shorter, in frames, is a click.
const WORD_FRAMES: u32 = 3;

#[derive(Debug)]
pub(super) struct Message {
    limits: MessageLimits,
    length: Duration,
    silence: Duration,
    noise: f64,
    /// Frames of speech that came one after the other.
    speech: u32,
    spoken: bool,
}

impl Message {
    pub(super) fn new(limits: MessageLimits) -> Message {
        let none = Duration::ZERO;
        Message { limits, length: none, silence: none, noise: SPEECH_MIN, speech: 0, spoken: false }
    }

    /// Takes the next frame; says why it was the last one, if it was.
    pub(super) fn take(&mut self, frame: &[i16]) -> Option<MessageEnd> {
        self.length += FRAME;
        self.speech = if self.is_speech(frame) { self.speech + 1 } else { 0 };
        self.silence += FRAME;
        if self.speech >= WORD_FRAMES {
            (self.spoken, self.silence) = (true, Duration::ZERO);
        }
        if self.length >= self.limits.longest {
            return Some(MessageEnd::Longest);
        }
        let why = if self.spoken { MessageEnd::Silence } else { MessageEnd::NothingSaid };
        (self.silence >= self.limits.silence).then_some(why)
    }

    fn is_speech(&mut self, frame: &[i16]) -> bool {
        let power = energy(frame) as f64 / frame.len().max(1) as f64;
        self.noise = (self.noise * NOISE_RISES).min(power).max(SPEECH_MIN / OVER_NOISE);
        power > SPEECH_MIN && power > self.noise * OVER_NOISE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Seed;

    const LIMITS: MessageLimits =
        MessageLimits { silence: Duration::from_secs(3), longest: Duration::from_secs(60) };

    /// White noise of this loudest sample.
    fn noise(loudest: i32, rng: &mut base::Rng) -> Vec<i16> {
        let span = u64::try_from(2 * loudest + 1).unwrap();
        (0..160).map(|_| i16::try_from(rng.below(span) as i32 - loudest).unwrap()).collect()
    }

    /// After how many frames of what this makes it ends, and why.
    fn ends(limits: MessageLimits, mut frame: impl FnMut(u32) -> Vec<i16>) -> (u32, MessageEnd) {
        let mut message = Message::new(limits);
        for number in 1..100_000 {
            if let Some(why) = message.take(&frame(number)) {
                return (number, why);
            }
        }
        panic!("it never ends");
    }

    #[test]
    fn who_says_nothing_leaves_no_message() {
        assert_eq!(ends(LIMITS, |_| vec![0; 160]), (150, MessageEnd::NothingSaid));
    }

    #[test]
    fn a_message_ends_so_long_after_its_last_word_and_not_in_its_pauses() {
        let mut rng = Seed::from_number(1).rng();
        // Words of 400 ms with pauses of 600 ms, for ten seconds.
        let said = ends(LIMITS, |number| {
            let word = number <= 500 && number % 50 < 20;
            noise(if word { 4000 } else { 30 }, &mut rng)
        });
        // The last word ends with frame 469, or 470 by the count of those that are needed.
        assert!((618..=621).contains(&said.0), "{said:?}");
        assert_eq!(said.1, MessageEnd::Silence);
    }

    #[test]
    fn a_message_that_takes_too_long_is_broken_off() {
        let mut rng = Seed::from_number(2).rng();
        let said = ends(LIMITS, |number| noise(if number % 50 < 20 { 4000 } else { 30 }, &mut rng));
        assert_eq!(said, (3000, MessageEnd::Longest));
    }

    #[test]
    fn the_noise_of_a_line_is_no_word_and_a_click_neither() {
        let mut rng = Seed::from_number(3).rng();
        let limits = MessageLimits { longest: Duration::from_secs(600), ..LIMITS };
        let (frames, why) = ends(limits, |_| noise(600, &mut rng));
        assert_eq!(why, MessageEnd::Silence);
        assert!(frames < 15 * 50, "{frames}");
        let clicks = ends(LIMITS, |number| if number % 10 == 0 { vec![8000; 160] } else { vec![0; 160] });
        assert_eq!(clicks, (150, MessageEnd::NothingSaid));
    }
}
