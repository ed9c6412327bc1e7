use super::SoundInventory;
use super::flow::Reader;
use super::model::Place;
use crate::Fault;
use document::{Document, Section, nearest};
use media_api::Sound;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// How fast people speak, in characters a second: for sounds of which nobody knows how long they last.
const CHARACTERS_A_SECOND: u64 = 14;

/// The phrases of a script, by language and key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Phrases {
    languages: BTreeMap<String, Table>,
}

#[derive(Clone, Debug)]
struct Table {
    file: String,
    phrases: BTreeMap<String, Phrase>,
}

#[derive(Clone, Debug)]
struct Phrase {
    text: String,
    /// Where its sound lies; filled with the fallback's when the script is found sound.
    sound: Sound,
    line: usize,
    column: usize,
}

/// A phrase that the flow uses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Use {
    pub(crate) phrase: String,
    /// In which language; every declared one if none is named.
    pub(crate) language: Option<String>,
    /// Where the flow says so.
    pub(crate) at: Place,
}

impl Phrases {
    /// Reads the phrase files. One that cannot be read counts as one without phrases, its faults told.
    pub(crate) fn read(files: &[(String, String, String)], faults: &mut Vec<Fault>) -> Phrases {
        let mut languages = BTreeMap::new();
        for (language, file, text) in files {
            let (mut document, table) = Document::parse(file, text);
            let mut phrases = BTreeMap::new();
            for entry in table.iter().flat_map(|table| Section::new(table, 0).rest()) {
                let default = format!("{language}/{}", entry.name);
                let Some((words, sound)) = phrase(&mut document, &entry, default) else { continue };
                let (line, column) = document.place(entry.at);
                phrases.insert(
                    entry.name.to_owned(),
                    Phrase { text: words, sound: source(&sound), line, column },
                );
            }
            faults.extend(document.into_faults());
            languages.insert(language.clone(), Table { file: file.clone(), phrases });
        }
        Phrases { languages }
    }

    /// The languages that there is a file for.
    pub(super) fn languages(&self) -> impl Iterator<Item = &str> {
        self.languages.keys().map(String::as_str)
    }

    /// The name of a language's file.
    pub(super) fn file(&self, language: &str) -> Option<&str> {
        self.languages.get(language).map(|table| table.file.as_str())
    }

    /// Checks that what the flow uses is there, in words and in sound.
    pub(super) fn check(
        &self,
        uses: &BTreeSet<Use>,
        languages: &[String],
        sounds: &SoundInventory,
        reader: &mut Reader<'_>,
        faults: &mut Vec<Fault>,
    ) {
        // By phrase, so that one that is used in ten places is missed once.
        let mut missing: BTreeMap<&str, (Place, BTreeSet<&str>)> = BTreeMap::new();
        for one in uses {
            let every = languages.iter().map(String::as_str).filter(|_| one.language.is_none());
            for language in every.chain(one.language.as_deref()) {
                let Some(table) = self.languages.get(language) else { continue };
                match table.phrases.get(&one.phrase) {
                    Some(phrase) => check_sound(phrase, table, sounds, faults),
                    None => {
                        let first = missing.entry(&one.phrase).or_insert((one.at, BTreeSet::new()));
                        first.0 = first.0.min(one.at);
                        first.1.insert(language);
                    }
                }
            }
        }
        for (phrase, (at, without)) in missing {
            self.report_missing(phrase, at, &without, reader);
        }
    }

    fn report_missing(&self, phrase: &str, at: Place, without: &BTreeSet<&str>, reader: &mut Reader<'_>) {
        let keys = || self.languages.values().flat_map(|table| table.phrases.keys().map(String::as_str));
        // `digit_3` is near `digit_4`, and yet nobody meant that.
        if !phrase.ends_with(|last: char| last.is_ascii_digit())
            && !keys().any(|key| key == phrase)
            && let Some(near) = nearest(phrase, keys())
        {
            return reader.fault(at, format!("unknown phrase `{phrase}`"), format!("did you mean `{near}`?"));
        }
        let files: Vec<&str> = without.iter().filter_map(|language| self.file(language)).collect();
        reader.fault(
            at,
            format!("phrase `{phrase}` is missing in {}", Vec::from_iter(without.iter().copied()).join(", ")),
            format!("add {phrase} = \"...\" to {}", files.join(", ")),
        );
    }

    /// The same, each sound followed by that of the fallback language; without sounds that do not exist.
    pub(super) fn with_fallback(mut self, fallback: &str, sounds: &SoundInventory) -> Phrases {
        let there = |phrase: &Phrase| phrase.sound.iter().any(|source| sounds.has(source));
        let last = self.languages.get(fallback).map(|table| table.phrases.clone()).unwrap_or_default();
        for table in self.languages.values_mut() {
            table.phrases.retain(|_, phrase| there(phrase));
            for (key, phrase) in &mut table.phrases {
                let second = last.get(key).filter(|last| there(last) && last.sound != phrase.sound);
                let second = second.iter().flat_map(|last| last.sound.iter());
                let sources = phrase.sound.iter().chain(second);
                phrase.sound = sources.map(|source| Arc::from(sounds.played_by(source))).collect();
            }
        }
        self
    }

    /// How long a phrase lasts; in the language in which it lasts longest if none is named.
    pub(super) fn length(&self, phrase: &str, language: Option<&str>, sounds: &SoundInventory) -> Duration {
        let tables =
            self.languages.iter().filter(|(name, _)| language.is_none_or(|language| language == *name));
        let phrases = tables.filter_map(|(_, table)| table.phrases.get(phrase));
        let lengths = phrases.map(|phrase| {
            let known = phrase.sound.first().and_then(|source| sounds.length(source));
            let letters = phrase.text.chars().count() as u64;
            known.unwrap_or(Duration::from_millis(letters * 1000 / CHARACTERS_A_SECOND))
        });
        lengths.max().unwrap_or_default()
    }

    /// Every phrase: its language, its key, its best source, and how long it lasts.
    pub(super) fn each<'p>(
        &'p self,
        sounds: &'p SoundInventory,
    ) -> impl Iterator<Item = (&'p str, &'p str, &'p str, Duration)> {
        self.languages.iter().flat_map(move |(language, table)| {
            table.phrases.iter().filter_map(move |(key, phrase)| {
                let length = self.length(key, Some(language), sounds);
                Some((language.as_str(), key.as_str(), phrase.sound.first()?.as_ref(), length))
            })
        })
    }

    /// Language, key, text and sources of every phrase, sorted.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &str, &str, &Sound)> {
        self.languages.iter().flat_map(|(language, table)| {
            let phrases = table.phrases.iter();
            phrases
                .map(|(key, phrase)| (language.as_str(), key.as_str(), phrase.text.as_str(), &phrase.sound))
        })
    }

    pub(super) fn sound(&self, phrase: &str, language: &str) -> Option<&Sound> {
        Some(&self.languages.get(language)?.phrases.get(phrase)?.sound)
    }

    pub(super) fn text(&self, phrase: &str, language: &str) -> Option<&str> {
        Some(&self.languages.get(language)?.phrases.get(phrase)?.text)
    }
}

/// The text and the source of one phrase: `key = "text"` or `key = { text = "...", sound = "it/key" }`.
fn phrase(
    document: &mut Document<'_>,
    entry: &document::Entry<'_>,
    default: String,
) -> Option<(String, String)> {
    if !entry.value.get_ref().is_table() {
        return Some((document.text(entry)?.to_owned(), default));
    }
    let mut section = document.section(entry)?;
    let text = section.require(document, "text", "write what is said");
    let text = text.and_then(|text| document.text(&text));
    let sound = section.take("sound").and_then(|sound| document.text(&sound));
    section.finish(document);
    Some((text?.to_owned(), sound.map_or(default, str::to_owned)))
}

fn check_sound(phrase: &Phrase, table: &Table, sounds: &SoundInventory, faults: &mut Vec<Fault>) {
    for source in phrase.sound.iter() {
        let (what, what_to_do) = match (sounds.has(source), sounds.length(source)) {
            (false, _) => {
                (format!("there is no sound `{source}`"), "record it, or name another with sound = \"...\"")
            }
            (true, Some(Duration::ZERO)) => (
                format!("nothing can be heard of the sound `{source}`"),
                "it is empty, broken off or of a kind that is not read; convert or record it again: ffmpeg -i FILE -ac 1 OUT.opus",
            ),
            (true, _) => continue,
        };
        let (file, what_to_do) = (table.file.clone(), what_to_do.to_owned());
        faults.push(Fault { file, line: phrase.line, column: phrase.column, what, what_to_do });
    }
}

pub(super) fn source(name: &str) -> Sound {
    [Arc::from(name)].into_iter().collect()
}
