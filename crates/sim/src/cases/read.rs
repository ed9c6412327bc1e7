//! Cases as they stand in a file: `[[case]]`, and `[every]` for what holds in each of them.

use super::desk::queues_of;
use super::expected::Expected;
use super::given::Given;
use base::Wall;
use calendar::Zone;
use document::{Document, Entry, Fault, Section, nearest};
use ivr::Script;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Longer than any call of a case.
const SPAN_MAX: Duration = Duration::from_secs(24 * 3_600);
const SPAN_HINT: &str = "write a number and s, m or h, such as 3s or 1.5m";

/// A call, and what shall come of it.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it shows, in a person's words.
    pub name: String,
    /// The file, as whoever handed in its text calls it.
    pub file: String,
    /// Where it stands, from 1.
    pub line: usize,
    pub(super) given: Given,
    pub(super) expected: Expected,
}

/// Reads the cases of one file for a script. All faults at once, by place: what the script does not know cannot be expected
/// of it.
pub fn read(file: &str, text: &str, script: &Script) -> Result<Vec<Case>, Vec<Fault>> {
    let (document, table) = Document::parse(file, text);
    let mut reader = Reader { document, script, zone: zone_of(script) };
    let mut cases = Vec::new();
    if let Some(table) = &table {
        let mut section = Section::new(table, 0);
        let mut every = reader.zone.as_ref().map(Given::usual);
        if let Some(mut entry) = section.take("every").and_then(|entry| reader.document.section(&entry)) {
            every = every.map(|every| every.changed(&mut reader, &mut entry));
            entry.finish(&mut reader.document);
        }
        let entries = section.take("case").map(|entry| reader.document.list(&entry)).unwrap_or_default();
        section.finish(&mut reader.document);
        if entries.is_empty() {
            reader.document.fault(
                0,
                "there is no case",
                "write one: [[case]], with a name and what to expect",
            );
        }
        for entry in entries {
            cases.extend(every.clone().and_then(|every| case(&mut reader, &entry, every, file)));
        }
    }
    if reader.document.is_sound() { Ok(cases) } else { Err(reader.document.into_faults()) }
}

fn case(reader: &mut Reader<'_, '_>, entry: &Entry<'_>, every: Given, file: &str) -> Option<Case> {
    let mut section = reader.document.section(entry)?;
    section.at = entry.value_at();
    let name = section.require(&mut reader.document, "name", "write what the case shows");
    let name = name.and_then(|name| reader.document.text(&name));
    let given = every.changed(reader, &mut section);
    let hint = "write what shall come of the call, such as expect.nodes = [\"greeting\", \"...\"]";
    let expected = section.require(&mut reader.document, "expect", hint);
    let expected = expected.and_then(|entry| Expected::read(reader, &entry));
    let (line, _) = reader.document.place(section.at);
    section.finish(&mut reader.document);
    Some(Case { name: name?.to_owned(), file: file.to_owned(), line, given, expected: expected? })
}

/// The clocks that a script's cases go by.
pub(super) fn zone_of(script: &Script) -> Option<Zone> {
    script.zone().cloned().or_else(|| Zone::named("UTC"))
}

/// A length such as `3s` or `1.5m`.
pub(super) fn span(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let millis = match unit {
        "s" => 1_000.0,
        "m" => 60_000.0,
        "h" => 3_600_000.0,
        _ => return None,
    };
    let plain = |letter: char| letter.is_ascii_digit() || letter == '.';
    let number: f64 = Some(number).filter(|number| number.chars().all(plain))?.parse().ok()?;
    let span = Duration::from_millis((number * millis) as u64);
    (span <= SPAN_MAX).then_some(span)
}

/// What reads a file: its text, the script that it is about, and its clocks.
pub(super) struct Reader<'t, 's> {
    pub(super) document: Document<'t>,
    pub(super) script: &'s Script,
    zone: Option<Zone>,
}

impl Reader<'_, '_> {
    /// A number or a name that can be dialled.
    pub(super) fn user(&mut self, entry: &Entry<'_>) -> Option<String> {
        let text = self.document.text(entry)?;
        let fits = |letter: char| letter.is_ascii_alphanumeric() || "+-_.".contains(letter);
        let good = !text.is_empty() && text.chars().all(fits);
        if !good {
            let what = format!("`{text}` is neither a number nor a user");
            self.document.fault(entry.value_at(), what, "use letters, digits, `+`, `-`, `_` and `.`");
        }
        good.then(|| text.to_owned())
    }

    pub(super) fn span(&mut self, entry: &Entry<'_>) -> Option<Duration> {
        let text = self.document.text(entry)?;
        let span = span(text);
        if span.is_none() {
            self.document.fault(entry.value_at(), format!("`{text}` is no length of time"), SPAN_HINT);
        }
        span
    }

    /// What the script's clock shows.
    pub(super) fn instant(&mut self, entry: &Entry<'_>) -> Option<Wall> {
        let text = self.document.text(entry)?;
        let instants = self.zone.as_ref().and_then(|zone| zone.instants(text));
        let (what, what_to_do) = match instants.as_deref() {
            Some([first, ..]) => return Some(*first),
            Some([]) => (format!("no clock shows {text}: summer time begins"), "choose another hour"),
            None => (format!("`{text}` is no instant"), "write it like 2027-04-25 10:00"),
        };
        self.document.fault(entry.value_at(), what, what_to_do);
        None
    }

    /// What one of these words stands for.
    pub(super) fn word<T: Clone>(&mut self, entry: &Entry<'_>, words: &[(&str, T)]) -> Option<T> {
        let text = self.document.text(entry)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, meant)| meant.clone());
        if found.is_none() {
            self.unknown(entry.value_at(), "word", text, words.iter().map(|(word, _)| *word));
        }
        found
    }

    /// Texts that are names of something that the script has.
    pub(super) fn named(&mut self, entry: &Entry<'_>, what: &str, known: &BTreeSet<String>) -> Vec<String> {
        let texts = self.document.texts(entry);
        for (text, at) in texts.iter().filter(|(text, _)| !known.contains(*text)) {
            self.unknown(*at, what, text, known.iter().map(String::as_str));
        }
        texts.into_iter().map(|(text, _)| text.to_owned()).collect()
    }

    pub(super) fn languages(&mut self, entry: &Entry<'_>) -> BTreeSet<String> {
        let known = self.script.languages().map(str::to_owned).collect();
        self.named(entry, "language", &known).into_iter().collect()
    }

    /// A language, or an empty text, of a script that remembers.
    pub(super) fn remembered(&mut self, entry: &Entry<'_>) -> Option<String> {
        if !self.script.remembers() {
            let what_to_do = "take it out, or write `remember` at the head of flow.toml";
            self.document.fault(entry.at, "the script remembers nobody", what_to_do);
        }
        let known = self.script.languages().map(str::to_owned).chain([String::new()]).collect();
        self.named(entry, "language", &known).pop()
    }

    pub(super) fn queues(&mut self, entry: &Entry<'_>) -> BTreeSet<String> {
        let known = queues_of(self.script).into_iter().map(str::to_owned).collect();
        self.named(entry, "queue", &known).into_iter().collect()
    }

    pub(super) fn texts_by_name(&mut self, section: Section<'_>) -> BTreeMap<String, String> {
        let entries = section.rest().into_iter();
        let texts = entries.filter_map(|entry| Some((entry.name, self.document.text(&entry)?)));
        texts.map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
    }

    /// The script knows nothing of this name.
    pub(super) fn unknown<'w>(
        &mut self,
        at: usize,
        what: &str,
        text: &str,
        known: impl Iterator<Item = &'w str>,
    ) {
        let known: Vec<&str> = known.collect();
        let what_to_do = match nearest(text, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => "take it out: the script has none".to_owned(),
            None => format!("known here: {}", known.join(", ")),
        };
        self.document.fault(at, format!("unknown {what} `{text}`"), what_to_do);
    }
}
