//! What a script is made of, for whoever tries all of it.

use super::{Kind, Script, SoundInventory};
use calendar::Zone;
use std::time::Duration;

/// The way on for digits that were typed.
const DIGITS: &str = "digits";

/// A node, seen from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step<'s> {
    /// Its name.
    pub name: &'s str,
    /// The keys that it takes, each by itself; `digits` where several are typed.
    pub keys: Vec<String>,
}

impl Step<'_> {
    /// Whether the caller is to press something here.
    pub fn asks(&self) -> bool {
        !self.keys.is_empty()
    }
}

/// A phrase in a language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// The best source of its sound.
    pub source: String,
    /// `phrase@LANG`, as in a script.
    pub name: String,
    /// How long it lasts: the sound if that is known, otherwise as people read its text aloud.
    pub length: Duration,
}

impl Script {
    /// Every node, in the order of the file.
    pub fn steps(&self) -> impl Iterator<Item = Step<'_>> {
        self.flow().nodes.iter().map(|node| {
            let keys = match &node.kind {
                Kind::Menu { choices, .. } => choices.iter().map(|choice| choice.key.to_string()).collect(),
                Kind::Collect(_) => vec![DIGITS.to_owned()],
                _ => Vec::new(),
            };
            Step { name: &node.name, keys }
        })
    }

    /// Everything that it can say, by language and name.
    pub fn spoken(&self, sounds: &SoundInventory) -> Vec<Spoken> {
        let phrases = self.phrases.each(sounds);
        let spoken = phrases.map(|(language, key, source, length)| Spoken {
            source: source.to_owned(),
            name: format!("{key}@{language}"),
            length,
        });
        spoken.collect()
    }

    /// The place whose clocks its calendars go by: that of the first of them.
    pub fn zone(&self) -> Option<&Zone> {
        self.calendars.values().flatten().next().map(|calendar| calendar.zone())
    }
}
