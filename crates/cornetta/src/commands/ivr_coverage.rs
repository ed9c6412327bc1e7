//! `cornetta ivr coverage`: of each phrase in each language, who speaks it and who has approved it.

use super::ivr_say::file;
use super::tell_faults;
use crate::cli::Coverage;
use crate::config::{Heard, script_files};
use anyhow::{Context as _, Result};
use base::xml::escaped;
use document::{Document, Fault, Section};
use ivr::{Wording, wordings};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{Write, stdout};
use std::path::Path;
use std::process::ExitCode;

/// What stands in the manifest of one sound.
#[derive(Clone, Debug, Default)]
struct Made {
    text_sha256: String,
    engine: String,
    voice: String,
    review: String,
    duration_ms: i64,
}

/// How far a phrase is in one language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    /// A native speaker has approved it.
    Approved,
    /// It can be heard, and nobody has approved it.
    Unapproved,
    /// The text has changed since it was made.
    Outdated,
    /// There is no sound.
    Missing,
    /// There is no text.
    Unwritten,
}

impl State {
    const ALL: [State; 5] =
        [State::Approved, State::Unapproved, State::Outdated, State::Missing, State::Unwritten];

    fn mark(self) -> &'static str {
        match self {
            State::Approved => "ok",
            State::Unapproved => "?",
            State::Outdated => "old",
            State::Missing => "no",
            State::Unwritten => "-",
        }
    }

    fn word(self) -> &'static str {
        match self {
            State::Approved => "approved",
            State::Unapproved => "review needed",
            State::Outdated => "text changed",
            State::Missing => "no sound",
            State::Unwritten => "no text",
        }
    }
}

/// One phrase in one language.
struct Cell {
    state: State,
    text: String,
    source: String,
    made: Made,
}

struct Table {
    title: String,
    languages: BTreeSet<String>,
    /// By phrase and language.
    rows: BTreeMap<String, BTreeMap<String, Cell>>,
}

pub(super) fn run(command: &Coverage) -> Result<ExitCode> {
    let files = match script_files(&command.script, &Heard::every(&command.script)) {
        Ok(files) => files,
        Err(faults) => return Ok(tell_faults(&faults)),
    };
    let (words, mut faults) = wordings(&files);
    let manifest = manifest(&command.sounds, &mut faults)?;
    if !faults.is_empty() {
        return Ok(tell_faults(&faults));
    }
    let table = table(&files.name, words, &command.sounds, &manifest);
    match command.json {
        true => tell_json(&table)?,
        false => stdout().write_all(text(&table).as_bytes())?,
    }
    if let Some(path) = &command.html {
        std::fs::write(path, page(&table))
            .with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

type Manifest = BTreeMap<String, Made>;

/// What is known of each source. A folder without a manifest knows nothing.
fn manifest(sounds: &Path, faults: &mut Vec<Fault>) -> Result<Manifest> {
    let path = sounds.join("manifest.toml");
    if !path.is_file() {
        return Ok(Manifest::new());
    }
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let name = path.display().to_string();
    let (mut document, table) = Document::parse(&name, &text);
    let mut manifest = Manifest::new();
    for language in table.iter().flat_map(|table| Section::new(table, 0).rest()) {
        let Some(section) = document.section(&language) else { continue };
        for sound in section.rest() {
            let Some(mut section) = document.section(&sound) else { continue };
            let mut text = |key| section.take(key).and_then(|entry| document.text(&entry).map(str::to_owned));
            let mut take = |key| text(key).unwrap_or_default();
            let (text_sha256, engine, voice) = (take("text_sha256"), take("engine"), take("voice"));
            let review = take("review");
            let duration = section.take("duration_ms").and_then(|entry| document.number(&entry));
            let made = Made { text_sha256, engine, voice, review, duration_ms: duration.unwrap_or_default() };
            manifest.insert(format!("{}/{}", language.name, sound.name), made);
        }
    }
    faults.extend(document.into_faults());
    Ok(manifest)
}

fn table(name: &str, words: Vec<Wording>, sounds: &Path, manifest: &Manifest) -> Table {
    let languages = words.iter().map(|wording| wording.language.clone()).collect();
    let mut rows: BTreeMap<String, BTreeMap<String, Cell>> = BTreeMap::new();
    for Wording { phrase, language, text, source } in words {
        let made = manifest.get(&source).cloned().unwrap_or_default();
        let state = match file(sounds, &source) {
            None => State::Missing,
            Some(_) if !made.text_sha256.is_empty() && made.text_sha256 != hash(&text) => State::Outdated,
            Some(_) if made.review.starts_with("approved") => State::Approved,
            Some(_) => State::Unapproved,
        };
        rows.entry(phrase).or_default().insert(language, Cell { state, text, source, made });
    }
    Table { title: name.to_owned(), languages, rows }
}

fn hash(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Table {
    fn state(&self, phrase: &str, language: &str) -> State {
        let cell = self.rows.get(phrase).and_then(|row| row.get(language));
        cell.map_or(State::Unwritten, |cell| cell.state)
    }

    /// How many phrases of a language are how far, and by whom they are spoken.
    fn told(&self, language: &str) -> String {
        let mut counts = BTreeMap::new();
        for phrase in self.rows.keys() {
            *counts.entry(self.state(phrase, language)).or_insert(0) += 1;
        }
        let mut voices = BTreeMap::new();
        for cell in self.rows.values().filter_map(|row| row.get(language)) {
            if !matches!(cell.state, State::Missing) {
                *voices.entry(voice(&cell.made)).or_insert(0) += 1;
            }
        }
        let counts =
            State::ALL.iter().filter_map(|state| Some(format!("{} {}", counts.get(state)?, state.word())));
        let voices = voices.iter().map(|(voice, count)| format!("{count} by {voice}"));
        format!("{}; {}", Vec::from_iter(counts).join(", "), Vec::from_iter(voices).join(", "))
    }
}

/// Who speaks.
fn voice(made: &Made) -> String {
    match (made.engine.as_str(), made.voice.as_str()) {
        ("", _) => "nobody knows whom".to_owned(),
        (engine, "") => engine.to_owned(),
        (engine, voice) => format!("{engine} {voice}"),
    }
}

fn text(table: &Table) -> String {
    let widest = table.rows.keys().map(String::len).max().unwrap_or(0);
    let mut text = format!("{:widest$}", table.title);
    for language in &table.languages {
        // Writing to a String cannot fail.
        let _written = write!(text, " {language:>3}");
    }
    text.push('\n');
    for phrase in table.rows.keys() {
        let _written = write!(text, "{phrase:widest$}");
        for language in &table.languages {
            let _written = write!(text, " {:>3}", table.state(phrase, language).mark());
        }
        text.push('\n');
    }
    let legend = State::ALL.map(|state| format!("{} {}", state.mark(), state.word()));
    let _written = writeln!(text, "\n{}\n", legend.join("; "));
    for language in &table.languages {
        let _written = writeln!(text, "{language:>3}: {}", table.told(language));
    }
    text
}

fn tell_json(table: &Table) -> Result<()> {
    let mut out = stdout().lock();
    for (phrase, row) in &table.rows {
        for language in &table.languages {
            let cell = row.get(language);
            let made = cell.map(|cell| cell.made.clone()).unwrap_or_default();
            let line = json!({
                "phrase": phrase, "language": language, "state": table.state(phrase, language).word(),
                "text": cell.map(|cell| &cell.text), "sound": cell.map(|cell| &cell.source),
                "engine": made.engine, "voice": made.voice, "review": made.review, "duration_ms": made.duration_ms,
            });
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

const STYLE: &str = "body{font-family:sans-serif;margin:2em}table{border-collapse:collapse}\
th,td{border:1px solid #cbd2d9;padding:3px 8px;font-size:13px;text-align:left}\
th{background:#f5f7fa;position:sticky;top:0}.s0{background:#d9f2e1}.s1{background:#fdf3d0}.s2{background:#ffe1b3}\
.s3{background:#fbe3e0}.s4{background:#e3e8ee}small{color:#52606d}";

fn page(table: &Table) -> String {
    let title = escaped(&table.title);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <style>{STYLE}</style></head><body>\n<h1>{title}</h1>\n<ul>\n"
    );
    for language in &table.languages {
        let _written =
            writeln!(page, "<li><b>{}</b>: {}</li>", escaped(language), escaped(&table.told(language)));
    }
    page.push_str("</ul>\n<table>\n<tr><th>phrase</th>");
    for language in &table.languages {
        let _written = write!(page, "<th>{}</th>", escaped(language));
    }
    page.push_str("</tr>\n");
    for (phrase, row) in &table.rows {
        let _written = write!(page, "<tr><th>{}</th>", escaped(phrase));
        for language in &table.languages {
            page.push_str(&square(table.state(phrase, language), row.get(language)));
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</table>\n</body></html>\n");
    page
}

fn square(state: State, cell: Option<&Cell>) -> String {
    let (class, word) = (state as usize, state.word());
    let Some(cell) = cell else { return format!("<td class=\"s{class}\">{word}</td>") };
    let seconds = cell.made.duration_ms as f64 / 1000.0;
    format!(
        "<td class=\"s{class}\" title=\"{}\" lang=\"{}\">{word}<br><small>{}, {seconds:.1} s</small></td>",
        escaped(&cell.text),
        escaped(cell.source.split('/').next().unwrap_or_default()),
        escaped(&voice(&cell.made)),
    )
}
