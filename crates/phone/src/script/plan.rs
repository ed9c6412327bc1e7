use crate::PhoneConfig;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// One run of a phone.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Who, and where.
    pub phone: PhoneConfig,
    /// What it is for.
    pub deed: Deed,
    /// Keys to press once the call is answered.
    pub keys: Keys,
    /// What to play meanwhile.
    pub speech: Option<Speech>,
    /// Where to write what was heard, as WAV.
    pub record: Option<PathBuf>,
    /// What must be heard, one after the other, while the keys are pressed.
    pub expect: Vec<Expectation>,
    /// How long to wait for the answer, for a call to come, and for each thing expected.
    pub within: Duration,
    /// How long after the answer to hang up. If it is not given: once all that is expected was heard, or
    /// when the peer does.
    pub hang_up_after: Option<Duration>,
}

/// What a run is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Register, stay for `hang_up_after`, and unregister.
    Register,
    /// Call this number or SIP URI.
    Call(String),
    /// Register if there is a password, and answer the first call after this long.
    Answer(Duration),
}

/// One step of pressing keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// Press these one after the other.
    Press(String),
    /// Wait.
    Pause(Duration),
}

/// Keys and pauses, written as `1,2s,3#`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys(pub Vec<Key>);

/// What to play.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Speech {
    /// A tone of so many hertz, for ever: `tone:440`.
    Tone(u32),
    /// An Ogg Opus or WAV file, once.
    File(PathBuf),
    /// What the microphone hears: `soundcard`. What the peer says goes to the loudspeaker.
    SoundCard,
}

/// What must be heard.
#[derive(Clone, Debug, PartialEq)]
pub enum Expectation {
    /// 100 ms of a tone of so many hertz: `tone:880`.
    Tone(f64),
    /// Anything louder than line noise: `speech`.
    Speech,
    /// These keys, pressed by the peer: `digits:12`.
    Digits(String),
    /// That the peer hangs up: `end`.
    End,
}

/// A step that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadStep {
    what: String,
    wanted: &'static str,
}

impl fmt::Display for BadStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not understood; write {}", self.what, self.wanted)
    }
}

impl std::error::Error for BadStep {}

/// A length of time: `500ms`, `2s`, `1.5s` or `3m`.
///
/// # Errors
/// It is written otherwise, or longer than a day.
pub fn parse_span(text: &str) -> Result<Duration, BadStep> {
    let bad = || BadStep { what: text.to_owned(), wanted: "a time such as 500ms, 2s or 3m" };
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(bad)?;
    let (number, unit) = text.split_at(unit_at);
    let seconds_per_unit = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        _ => return Err(bad()),
    };
    let seconds = number.parse::<f64>().map_err(|_| bad())? * seconds_per_unit;
    if !(0.0..=86_400.0).contains(&seconds) {
        return Err(bad());
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| bad())
}

impl FromStr for Keys {
    type Err = BadStep;

    fn from_str(text: &str) -> Result<Keys, BadStep> {
        let bad = || BadStep { what: text.to_owned(), wanted: "keys and pauses such as 1,2s,3#" };
        let step = |step: &str| match step {
            "" => Err(bad()),
            keys if is_keys(keys) => Ok(Key::Press(keys.to_ascii_uppercase())),
            pause => parse_span(pause).map(Key::Pause).map_err(|_| bad()),
        };
        text.split(',').map(|part| step(part.trim())).collect::<Result<_, _>>().map(Keys)
    }
}

impl FromStr for Speech {
    type Err = BadStep;

    fn from_str(text: &str) -> Result<Speech, BadStep> {
        match text.split_once(':') {
            Some(("tone", hertz)) => hertz_of(hertz).map(Speech::Tone),
            _ if text == "soundcard" => Ok(Speech::SoundCard),
            _ => Ok(Speech::File(PathBuf::from(text))),
        }
    }
}

impl FromStr for Expectation {
    type Err = BadStep;

    fn from_str(text: &str) -> Result<Expectation, BadStep> {
        match text.split_once(':') {
            Some(("tone", hertz)) => hertz_of(hertz).map(|hertz| Expectation::Tone(f64::from(hertz))),
            Some(("digits", keys)) if is_keys(keys) => Ok(Expectation::Digits(keys.to_ascii_uppercase())),
            None if text == "speech" => Ok(Expectation::Speech),
            None if text == "end" => Ok(Expectation::End),
            _ => Err(BadStep { what: text.to_owned(), wanted: "tone:880, digits:12, speech or end" }),
        }
    }
}

fn is_keys(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| matches!(c, '0'..='9' | '*' | '#' | 'A'..='D' | 'a'..='d'))
}

fn hertz_of(text: &str) -> Result<u32, BadStep> {
    let bad = || BadStep { what: text.to_owned(), wanted: "a frequency from 50 to 3900" };
    text.parse().ok().filter(|hertz| (50..=3900).contains(hertz)).ok_or_else(bad)
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expectation::Tone(hertz) => write!(f, "a tone of {hertz} Hz"),
            Expectation::Speech => f.write_str("speech"),
            Expectation::Digits(digits) => write!(f, "the keys {digits}"),
            Expectation::End => f.write_str("the peer hanging up"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_pauses_are_read_in_their_order() {
        let pause = |millis| Key::Pause(Duration::from_millis(millis));
        let press = |keys: &str| Key::Press(keys.to_owned());
        let table = [
            ("1", vec![press("1")]),
            ("1,2s,3#", vec![press("1"), pause(2000), press("3#")]),
            ("500ms, 12*", vec![pause(500), press("12*")]),
            ("a,1.5s", vec![press("A"), pause(1500)]),
        ];
        for (text, steps) in table {
            assert_eq!(text.parse(), Ok(Keys(steps)), "{text}");
        }
        for text in ["", "1,,2", "x", "1;2", "2h", "-1s", "NaNs", "999999999m"] {
            assert!(text.parse::<Keys>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_played_and_expected_is_read() {
        assert_eq!("tone:440".parse(), Ok(Speech::Tone(440)));
        assert_eq!("hello.wav".parse(), Ok(Speech::File(PathBuf::from("hello.wav"))));
        assert_eq!("soundcard".parse(), Ok(Speech::SoundCard));
        assert_eq!("tone:880".parse(), Ok(Expectation::Tone(880.0)));
        assert_eq!("digits:12#".parse(), Ok(Expectation::Digits("12#".to_owned())));
        assert_eq!("speech".parse(), Ok(Expectation::Speech));
        assert_eq!("end".parse(), Ok(Expectation::End));
        assert!("tone:5000".parse::<Speech>().is_err());
        let error = "ton:880".parse::<Expectation>().unwrap_err().to_string();
        assert_eq!(error, "\"ton:880\" is not understood; write tone:880, digits:12, speech or end");
    }
}
