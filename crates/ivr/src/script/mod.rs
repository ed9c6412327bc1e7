use crate::Fault;
use media_api::Sound;
use std::collections::BTreeSet;

/// The files of a script, as values: whoever reads them from a disk is not part of this crate.
#[derive(Clone, Debug, Default)]
pub struct ScriptFiles {
    /// The folder's name.
    pub name: String,
    /// `flow.toml`: how faults shall call it, and its text.
    pub flow: (String, String),
    /// `phrases/LANG.toml`: language, how faults shall call it, text.
    pub phrases: Vec<(String, String, String)>,
    /// `calendars/NAME.toml`: name, how faults shall call it, text.
    pub calendars: Vec<(String, String, String)>,
    /// The sounds that there are.
    pub sounds: SoundInventory,
}

/// The sources of sounds that exist, such as `it/welcome` or `moh/calm`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SoundInventory(pub BTreeSet<String>);

impl FromIterator<String> for SoundInventory {
    fn from_iter<I: IntoIterator<Item = String>>(sources: I) -> SoundInventory {
        SoundInventory(sources.into_iter().collect())
    }
}

/// A checked script: whatever could be wrong with it before a call comes is not.
#[derive(Clone, Debug)]
pub struct Script {
    name: String,
    title: String,
}

impl Script {
    /// Checks the whole script. All faults at once, by place.
    pub fn check(files: &ScriptFiles) -> Result<Script, Vec<Fault>> {
        Ok(Script { name: files.name.clone(), title: String::new() })
    }

    /// The folder's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is for, in a person's words.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The languages, in the order of the file; the first is that of a caller of whom nothing is known.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        std::iter::empty()
    }

    /// How a place in the queue is said: `you_are_number` and the number up to 60, beyond that `please_wait`.
    pub fn position(&self, _language: &str, _n: usize) -> Vec<Sound> {
        Vec::new()
    }

    /// The queues that the script sends calls to.
    pub fn queues(&self) -> BTreeSet<&str> {
        BTreeSet::new()
    }

    /// The dialled numbers that the script knows of itself.
    pub fn dialled_numbers(&self) -> BTreeSet<&str> {
        BTreeSet::new()
    }
}
