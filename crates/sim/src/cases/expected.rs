//! What a case expects, and how what was found differs from it.

use super::read::Reader;
use super::story::Story;
use document::{Entry, Section};
use ivr::SoundInventory;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Any nodes, or none.
const GAP: &str = "...";
const NOTHING: &str = "nothing";

/// What was expected and what was found instead, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The key under `expect`.
    pub what: &'static str,
    /// As the case says.
    pub expected: String,
    /// What came of the call.
    pub found: String,
}

/// Only what is named is compared.
#[derive(Clone, Debug, Default)]
pub(super) struct Expected {
    nodes: Option<Vec<String>>,
    says: Vec<Phrase>,
    never_says: Vec<Phrase>,
    /// What is one text: by the key under `expect`.
    texts: BTreeMap<&'static str, String>,
    known: BTreeMap<String, String>,
    at_least: Option<Duration>,
    at_most: Option<Duration>,
}

/// A phrase, or several by a pattern, and their sounds.
#[derive(Clone, Debug)]
struct Phrase {
    written: String,
    sources: BTreeSet<String>,
}

impl Expected {
    pub(super) fn read(reader: &mut Reader<'_, '_>, entry: &Entry<'_>) -> Option<Expected> {
        let mut section = reader.document.section(entry)?;
        let mut expected = Expected::default();
        if let Some(entry) = section.take("nodes") {
            let steps = reader.script.steps().map(|step| step.name.to_owned());
            let known = steps.chain([GAP.to_owned()]).collect();
            expected.nodes = Some(reader.named(&entry, "node", &known));
        }
        for (name, phrases) in [("says", &mut expected.says), ("never_says", &mut expected.never_says)] {
            *phrases = section.take(name).map(|entry| phrases_of(reader, &entry)).unwrap_or_default();
        }
        expected.read_texts(reader, &mut section);
        if let Some(entry) = section.take("known").and_then(|entry| reader.document.section(&entry)) {
            expected.known = reader.texts_by_name(entry);
        }
        expected.at_least = section.take("at_least").and_then(|entry| reader.span(&entry));
        expected.at_most = section.take("at_most").and_then(|entry| reader.span(&entry));
        section.finish(&mut reader.document);
        Some(expected)
    }

    fn read_texts(&mut self, reader: &mut Reader<'_, '_>, section: &mut Section<'_>) {
        let languages = reader.script.languages().map(str::to_owned).collect();
        let queues = reader.script.queues().into_iter().map(str::to_owned).chain([String::new()]).collect();
        for (name, known) in [("language", &languages), ("queue", &queues)] {
            if let Some(entry) = section.take(name)
                && let Some(text) = reader.named(&entry, name, known).pop()
            {
                self.texts.insert(name, text);
            }
        }
        if let Some(language) = section.take("remembered").and_then(|entry| reader.remembered(&entry)) {
            self.texts.insert("remembered", language);
        }
        for name in ["topic", "agent", "interpreter", "transfer", "ends"] {
            if let Some(text) = section.take(name).and_then(|entry| reader.document.text(&entry)) {
                self.texts.insert(name, text.to_owned());
            }
        }
        if let Some(number) = section.take("priority").and_then(|entry| reader.document.number(&entry)) {
            self.texts.insert("priority", number.to_string());
        }
    }

    /// How the call was otherwise. `named` says what a sound is called.
    pub(super) fn differences(&self, story: &Story, named: &BTreeMap<String, String>) -> Vec<Difference> {
        let mut differences = Vec::new();
        let mut differs = |what, expected: String, found: String| {
            differences.push(Difference { what, expected, found });
        };
        if let Some(nodes) = &self.nodes
            && !fits(nodes, &story.nodes)
        {
            differs("nodes", nodes.join(", "), listed(&story.nodes));
        }
        if let Some(missed) = first_missed(&self.says, &story.heard) {
            differs("says", missed, heard(story, named));
        }
        for phrase in &self.never_says {
            if story.heard.iter().any(|source| phrase.sources.contains(source)) {
                differs("never_says", format!("not to hear {}", phrase.written), heard(story, named));
            }
        }
        for (what, expected) in &self.texts {
            let found = found(story, what);
            if found != expected {
                differs(what, or_nothing(expected), or_nothing(found));
            }
        }
        for (name, expected) in &self.known {
            let found = story.known(name);
            if found != expected {
                differs("known", format!("{name} = {}", or_nothing(expected)), or_nothing(found));
            }
        }
        if let Some(least) = self.at_least.filter(|least| story.reached < *least) {
            differs("at_least", seconds(least), seconds(story.reached));
        }
        if let Some(most) = self.at_most.filter(|most| story.reached > *most) {
            differs("at_most", seconds(most), seconds(story.reached));
        }
        differences
    }
}

fn found<'s>(story: &'s Story, what: &str) -> &'s str {
    let found = match what {
        "queue" => story.queue.as_deref(),
        "language" => Some(story.language.as_str()),
        "remembered" => story.remembered.as_deref(),
        "agent" => story.agent.as_deref(),
        "interpreter" => story.interpreter.as_deref(),
        "transfer" => story.transfer.as_deref(),
        "ends" => Some(story.ends.as_deref().unwrap_or("it goes on")),
        other => Some(story.known(other)),
    };
    found.unwrap_or("")
}

/// Whether these are the nodes; a gap stands for any.
fn fits(expected: &[String], found: &[String]) -> bool {
    match expected.split_first() {
        None => found.is_empty(),
        Some((first, rest)) if first == GAP => {
            (0..=found.len()).any(|from| found.get(from..).is_some_and(|found| fits(rest, found)))
        }
        Some((first, rest)) => {
            found.split_first().is_some_and(|(node, found)| node == first && fits(rest, found))
        }
    }
}

/// The first of these phrases that is not heard after the one before it.
fn first_missed(says: &[Phrase], heard: &[String]) -> Option<String> {
    let mut rest = heard.iter();
    let mut before: Option<&str> = None;
    for phrase in says {
        if !rest.any(|source| phrase.sources.contains(source)) {
            let after = before.map(|before| format!(" after {before}")).unwrap_or_default();
            return Some(format!("{}{after}", phrase.written));
        }
        before = Some(&phrase.written);
    }
    None
}

/// What was heard, without the keys that menus announce.
fn heard(story: &Story, named: &BTreeMap<String, String>) -> String {
    let names = story.heard.iter().map(|source| named.get(source).unwrap_or(source));
    listed(&names.filter(|name| !name.starts_with("press_")).cloned().collect::<Vec<_>>())
}

fn listed(names: &[String]) -> String {
    or_nothing(&names.join(", "))
}

fn or_nothing(text: &str) -> String {
    if text.is_empty() { NOTHING.to_owned() } else { text.to_owned() }
}

fn seconds(span: Duration) -> String {
    format!("{:.1} s", span.as_secs_f64())
}

/// `key`, `key@LANG`, or either with `*` at the end of the key.
fn phrases_of(reader: &mut Reader<'_, '_>, entry: &Entry<'_>) -> Vec<Phrase> {
    let spoken = reader.script.spoken(&SoundInventory::default());
    let mut phrases = Vec::new();
    for (written, at) in reader.document.texts(entry) {
        let meant = |name: &str| is_meant(written, name);
        let sources: BTreeSet<String> =
            spoken.iter().filter(|one| meant(&one.name)).map(|one| one.source.clone()).collect();
        if sources.is_empty() {
            let key = |one: &'_ ivr::Spoken| one.name.split('@').next().unwrap_or("").to_owned();
            let keys: BTreeSet<String> = spoken.iter().map(key).collect();
            let wanted = written.split('@').next().unwrap_or(written);
            let what_to_do = match document::nearest(wanted, keys.iter().map(String::as_str)) {
                Some(near) if near != wanted => format!("did you mean `{near}`?"),
                _ => "name a phrase of phrases/LANG.toml, such as welcome or welcome@it".to_owned(),
            };
            reader.document.fault(at, format!("unknown phrase `{written}`"), what_to_do);
        }
        phrases.push(Phrase { written: written.to_owned(), sources });
    }
    phrases
}

fn is_meant(written: &str, name: &str) -> bool {
    let (key, language) = name.split_once('@').unwrap_or((name, ""));
    let (wanted, in_language) = written.split_once('@').map_or((written, None), |(key, l)| (key, Some(l)));
    let same = match wanted.strip_suffix('*') {
        Some(start) => key.starts_with(start),
        None => key == wanted,
    };
    same && in_language.is_none_or(|wanted| wanted == language)
}
