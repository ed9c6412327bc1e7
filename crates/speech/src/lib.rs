//! Text said by a voice: the voices that come with the program (SVOX Pico), in a process of their own, and services that
//! speak over HTTP. Whoever asks waits: this is for the threads that read sounds, not for the path of a call.

mod child;
mod level;
mod service;
mod voice;
mod worker;

pub use service::{Service, Shape};
pub use worker::serve;

use child::Child;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use ureq::Agent;

/// The rate of what is said, in samples a second.
pub const RATE: u32 = 16_000;

/// The most characters of a text that are said.
pub const TEXT_MAX: usize = 300;

/// The languages of the voices that come with the program.
pub const EMBEDDED: [&str; 5] = ["de", "en", "es", "fr", "it"];

/// Who says what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The folder of the voices that come with the program.
    pub voices: PathBuf,
    /// The languages that these are to say.
    pub embedded: Vec<String>,
    /// Services, by language; they are asked first, and the embedded voice says it where they fail.
    pub services: BTreeMap<String, Arc<Service>>,
}

impl Settings {
    /// The languages that somebody speaks.
    pub fn languages(&self) -> BTreeSet<String> {
        self.embedded.iter().chain(self.services.keys()).cloned().collect()
    }
}

/// All voices.
#[derive(Debug)]
pub struct Speech {
    settings: Settings,
    /// Made for the first text that a service is asked for: the authorities of the system are many.
    agent: LazyLock<Agent>,
    child: Mutex<Child>,
}

/// Why a text is not said.
#[derive(Debug)]
pub enum Unsaid {
    /// Nobody speaks this language.
    Language,
    /// The service or the process did not do it.
    Failed(String),
}

impl std::fmt::Display for Unsaid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unsaid::Language => f.write_str("no voice speaks this language; write one under [speech]"),
            Unsaid::Failed(why) => f.write_str(why),
        }
    }
}

impl From<io::Error> for Unsaid {
    fn from(error: io::Error) -> Unsaid {
        Unsaid::Failed(error.to_string())
    }
}

impl Speech {
    /// Nothing is started before the first text is said.
    pub fn new(settings: Settings) -> Speech {
        let child = Mutex::new(Child::new(settings.voices.clone()));
        Speech { settings, agent: LazyLock::new(service::agent), child }
    }

    /// The samples of `text` in `language`, one channel at [`RATE`], about as loud as prompts are. Takes as long as it
    /// takes, ten seconds at most.
    ///
    /// # Errors
    /// Nobody speaks the language, or whoever does failed.
    pub fn say(&self, language: &str, text: &str) -> Result<Vec<i16>, Unsaid> {
        let text = plain(text);
        let mut samples = match self.settings.services.get(language) {
            Some(service) => match service.say(&self.agent, language, &text) {
                Ok(samples) => samples,
                Err(why) if self.is_embedded(language) => {
                    tracing::warn!(language, %why, "a speech service failed; the embedded voice speaks");
                    self.embedded(language, &text)?
                }
                Err(why) => return Err(Unsaid::Failed(why)),
            },
            None if self.is_embedded(language) => self.embedded(language, &text)?,
            None => return Err(Unsaid::Language),
        };
        level::to_prompts(&mut samples);
        Ok(samples)
    }

    fn is_embedded(&self, language: &str) -> bool {
        self.settings.embedded.iter().any(|known| known == language)
    }

    fn embedded(&self, language: &str, text: &str) -> Result<Vec<i16>, Unsaid> {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(child.say(language, text)?)
    }
}

/// One line without control characters. What Pico takes for its own tags is taken out.
fn plain(text: &str) -> String {
    let visible =
        text.chars().map(|letter| if letter.is_control() || "<>".contains(letter) { ' ' } else { letter });
    visible.take(TEXT_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_one_line_of_words() {
        assert_eq!(plain("a\nb\t<speed level=\"500\">c"), "a b  speed level=\"500\" c");
        assert_eq!(plain(&"è".repeat(500)).chars().count(), TEXT_MAX);
    }

    #[test]
    fn a_language_that_nobody_speaks_is_said_by_nobody() {
        let settings =
            Settings { voices: PathBuf::new(), embedded: vec!["it".to_owned()], services: BTreeMap::new() };
        assert!(matches!(Speech::new(settings).say("wo", "x"), Err(Unsaid::Language)));
    }
}
