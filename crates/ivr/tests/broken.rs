//! A corpus of broken scripts. Each folder of `broken/` is a script with something wrong, and `expected.txt` has exactly what is
//! told of it: faults by place, then warnings about its calendars. What a folder leaves out it has from `broken/sound`, of which
//! nothing is wrong. Every phrase has its sound, unless `sounds.toml` says otherwise; `clock.txt` has microseconds since 1970 of a
//! machine that is asked at another time.
//!
//! `UPDATE_BROKEN=1 cargo test --release -p ivr --test broken` writes what is told now: a change of words is a change to look at.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod common;

use base::Wall;
use common::{repository, tables};
use ivr::{Script, ScriptFiles, SoundInventory};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

/// 23 November 2026 in Rome: the two years of a proof begin there.
const TODAY: Wall = Wall::from_unix_micros(1_795_431_600_000_000);

const SOUND: &str = "sound";

fn corpus() -> PathBuf {
    repository().join("crates/ivr/tests/broken")
}

/// The folders, by name.
fn folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        fs::read_dir(corpus()).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

fn script_files(folder: &Path) -> ScriptFiles {
    let sound = corpus().join(SOUND);
    let both = |kind: &str| -> Vec<(String, String, String)> {
        let named = |folder: &Path| tables(folder, kind).into_iter().map(|one| (one.0.clone(), one));
        let all: BTreeMap<_, _> = named(&sound).chain(named(folder)).collect();
        all.into_values().collect()
    };
    let flow = fs::read_to_string(folder.join("flow.toml"));
    let flow = flow.unwrap_or_else(|_| fs::read_to_string(sound.join("flow.toml")).unwrap());
    let phrases = both("phrases");
    ScriptFiles {
        name: folder.file_name().unwrap().to_str().unwrap().to_owned(),
        flow: ("flow.toml".to_owned(), flow),
        sounds: sounds(folder, &phrases),
        phrases,
        calendars: both("calendars"),
        parts: both("parts"),
        look_ups: both("look_ups"),
        voices: ["it".to_owned()].into(),
    }
}

/// A sound for each phrase; `sounds.toml` says which are missing or silent, and how long others last.
fn sounds(folder: &Path, phrases: &[(String, String, String)]) -> SoundInventory {
    let keys = phrases.iter().flat_map(|(language, _, text)| {
        let table: toml::Table = text.parse().unwrap_or_default();
        table.keys().map(|key| format!("{language}/{key}")).collect::<Vec<_>>()
    });
    let otherwise: toml::Table =
        fs::read_to_string(folder.join("sounds.toml")).unwrap_or_default().parse().unwrap();
    let named = |key: &str| -> BTreeSet<String> {
        let list = otherwise.get(key).and_then(|list| list.as_array().cloned()).unwrap_or_default();
        list.into_iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    let missing = named("missing");
    let mut sounds: SoundInventory =
        keys.chain(["moh/calm".to_owned()]).filter(|key| !missing.contains(key)).collect();
    for silent in named("silent") {
        sounds.add(silent, Some(Duration::ZERO));
    }
    for (name, length) in
        otherwise.get("lengths_ms").and_then(|table| table.as_table().cloned()).unwrap_or_default()
    {
        sounds.add(name, Some(Duration::from_millis(length.as_integer().unwrap().try_into().unwrap())));
    }
    sounds
}

/// When the script is checked.
fn clock(folder: &Path) -> Wall {
    let micros = fs::read_to_string(folder.join("clock.txt")).ok();
    micros.map_or(TODAY, |micros| Wall::from_unix_micros(micros.trim().parse().unwrap()))
}

/// A line for each fault and each warning.
fn told(files: &ScriptFiles, now: Wall) -> String {
    let (faults, warnings) = match Script::check(files) {
        Err(faults) => (faults, Vec::new()),
        Ok(script) => {
            let proof = script.prove_calendars(now);
            (proof.faults, proof.warnings)
        }
    };
    let faults = faults.iter().map(|fault| format!("{fault}\n"));
    faults.chain(warnings.iter().map(|warning| format!("warning: {warning}\n"))).collect()
}

#[test]
fn of_each_broken_script_exactly_that_is_told_which_it_expects() {
    let mut wrong = Vec::new();
    let folders = folders();
    for folder in &folders {
        let (told, path) = (told(&script_files(folder), clock(folder)), folder.join("expected.txt"));
        if std::env::var_os("UPDATE_BROKEN").is_some() {
            fs::write(&path, &told).unwrap();
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        if told != expected {
            wrong.push(format!("{}\n  expected:\n{expected}  told:\n{told}", folder.display()));
        }
        let name = folder.file_name().unwrap().to_str().unwrap();
        assert_eq!(
            told.is_empty(),
            name.starts_with(SOUND),
            "{name}: only what is named `sound…` has no fault"
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(folders.len() > 150);
}

/// So that a fault that is added to a reader comes with a script that has it.
#[test]
fn every_sentence_with_which_a_fault_can_be_told_is_met_by_a_broken_script() {
    let expected: Vec<String> = folders()
        .iter()
        .flat_map(|folder| {
            let text = fs::read_to_string(folder.join("expected.txt")).unwrap();
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    let mut met = 0;
    let mut unmet = Vec::new();
    for folder in ["crates/ivr/src", "crates/calendar/src"] {
        for (path, text) in sources(&repository().join(folder)) {
            for sentence in sentences(&text) {
                match expected.iter().any(|line| is_said(line, &sentence)) {
                    true => met += 1,
                    false => unmet.push(format!("{}: {sentence}", path.display())),
                }
            }
        }
    }
    assert!(
        unmet.is_empty(),
        "no folder of crates/ivr/tests/broken has what makes these be told; write one for each, with its expected.txt \
         (UPDATE_BROKEN=1 writes it):\n{}",
        unmet.join("\n")
    );
    assert!(met > 120, "{met}");
}

/// The sources that tell faults, without their tests.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "schema") {
                found.extend(sources(&path));
            }
        } else {
            found.extend(source(&path));
        }
    }
    found
}

fn source(path: &Path) -> Option<(PathBuf, String)> {
    let text = fs::read_to_string(path).unwrap();
    let production = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
    let tells = [".fault(", ".require(", "Err(\"", "Err(("].iter().any(|call| production.contains(call));
    tells.then(|| (path.to_owned(), production))
}

/// The texts in quotes that are more than one word.
fn sentences(source: &str) -> Vec<String> {
    let mut sentences = Vec::new();
    for line in joined(source) {
        if line.trim_start().starts_with("//") || line.trim_start().starts_with("#[") {
            continue;
        }
        let mut letters = line.chars();
        let mut sentence: Option<String> = None;
        let mut before = ' ';
        while let Some(letter) = letters.next() {
            match (&mut sentence, letter) {
                (None, '"') if before != '\'' => sentence = Some(String::new()),
                (Some(text), '\\') => text.extend(letters.next()),
                (Some(text), '"') => {
                    if text.contains(' ') {
                        sentences.push(std::mem::take(text));
                    }
                    sentence = None;
                }
                (Some(text), other) => text.push(other),
                (None, _) => {}
            }
            before = letter;
        }
    }
    sentences
}

/// Lines, those that end in a backslash put together with the next.
fn joined(source: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in source.lines() {
        let (text, more) = match line.strip_suffix('\\') {
            Some(text) => (text, true),
            None => (line, false),
        };
        match lines.last_mut() {
            Some(last) if goes_on => last.push_str(text.trim_start()),
            _ => lines.push(text.to_owned()),
        }
        goes_on = more;
    }
    lines
}

/// Whether `line` has the sentence, with something for each of its `{…}`.
fn is_said(line: &str, sentence: &str) -> bool {
    let sentence = sentence.replace("{{", "\u{1}").replace("}}", "\u{2}");
    let mut pieces = vec![String::new()];
    let mut inside = false;
    for letter in sentence.chars() {
        match letter {
            '{' => inside = true,
            '}' => {
                inside = false;
                pieces.push(String::new());
            }
            _ if inside => {}
            '\u{1}' => pieces.last_mut().unwrap().push('{'),
            '\u{2}' => pieces.last_mut().unwrap().push('}'),
            other => pieces.last_mut().unwrap().push(other),
        }
    }
    let mut rest = line;
    pieces.iter().all(|piece| match rest.split_once(piece.as_str()) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}

/// Every text of the corpus.
fn texts() -> &'static [String] {
    static TEXTS: OnceLock<Vec<String>> = OnceLock::new();
    TEXTS.get_or_init(read_texts)
}

fn read_texts() -> Vec<String> {
    let of = |folder: &PathBuf| {
        let files = script_files(folder);
        let tables = [files.phrases, files.calendars, files.parts, files.look_ups].concat();
        std::iter::once(files.flow.1).chain(tables.into_iter().map(|(_, _, text)| text)).collect::<Vec<_>>()
    };
    let all: BTreeSet<String> = folders().iter().flat_map(of).filter(|text| text.len() < 4000).collect();
    all.into_iter().collect()
}

/// A text of the corpus up to some letter, and another from some letter on.
fn spliced(texts: &[String], (one, other): (usize, usize), (cut, from): (usize, usize)) -> String {
    let pick = |place: usize| texts.get(place % texts.len()).map(String::as_str).unwrap_or_default();
    let letters = |text: &str| text.chars().count() + 1;
    let begin: String = pick(one).chars().take(cut % letters(pick(one))).collect();
    let end: String = pick(other).chars().skip(from % letters(pick(other))).collect();
    begin + &end
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_splice_of_broken_scripts_stops_the_checker(
        picks in proptest::collection::vec(((any::<usize>(), any::<usize>()), (any::<usize>(), any::<usize>())), 4)
    ) {
        let texts = texts();
        let mut parts = picks.into_iter().map(|(which, where_)| spliced(texts, which, where_));
        let mut files = script_files(&corpus().join(SOUND));
        let named = |name: &str, text: String| (name.to_owned(), format!("{name}.toml"), text);
        files.flow.1 = parts.next().unwrap_or_default();
        files.calendars.extend(parts.next().map(|text| named("other", text)));
        files.parts.extend(parts.next().map(|text| named("number", text)));
        files.look_ups.extend(parts.next().map(|text| named("clients", text)));
        match Script::check(&files) {
            Err(faults) => prop_assert!(!faults.is_empty() && faults.is_sorted()),
            Ok(script) => drop(script.prove_calendars(TODAY)),
        }
    }
}
