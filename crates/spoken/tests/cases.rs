//! What the grammars say, against words that were written by hand: cases/LANG.txt.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use spoken::Form;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The texts of a language.
fn texts(language: &str) -> BTreeMap<String, String> {
    let path = here(&format!("../../sounds/phrases/{language}.toml"));
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let table: toml::Table = text.parse().unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    table.into_iter().map(|(key, text)| (key, text.as_str().unwrap().to_owned())).collect()
}

/// A number is heard in pieces that its language may write as one word.
fn comparable(words: &str) -> String {
    words.chars().filter(|letter| !letter.is_whitespace() && *letter != '-').collect()
}

/// `(line, form, value, words)` of each case.
fn cases(language: &str) -> Vec<(usize, Form, String, String)> {
    let path = here(&format!("tests/cases/{language}.txt"));
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let lines = text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let case = |(at, line): (usize, &str)| {
        let (case, words) = line.split_once(" = ")?;
        let (form, value) = case.split_once(' ')?;
        Some((at + 1, Form::named(form)?, value.to_owned(), words.to_owned()))
    };
    lines
        .map(|line| case(line).unwrap_or_else(|| panic!("{language}.txt:{}: {}", line.0 + 1, line.1)))
        .collect()
}

#[test]
fn every_language_says_what_its_cases_expect() {
    let mut differences = Vec::new();
    for language in spoken::LANGUAGES {
        let texts = texts(language);
        for (line, form, value, words) in cases(language) {
            let fragments = form.say(language, &value).unwrap_or_default();
            let said: Vec<&str> =
                fragments.iter().map(|key| texts.get(key).map_or("(no text)", String::as_str)).collect();
            let said = said.join(" ");
            if comparable(&said) != comparable(&words) {
                differences
                    .push(format!("{language}.txt:{line}: {value}: expected `{words}`, said `{said}`"));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn every_language_has_forty_cases_and_all_forms_among_them() {
    for language in spoken::LANGUAGES {
        let cases = cases(language);
        assert!(cases.len() >= 40, "{language}: only {} cases", cases.len());
        let forms: BTreeSet<Form> = cases.iter().map(|(_, form, ..)| *form).collect();
        for (name, form) in Form::ALL.into_iter().filter(|(_, form)| *form != Form::Digits) {
            assert!(forms.contains(&form), "{language}: no case says a {name}");
        }
    }
}

#[test]
fn every_fragment_of_every_language_has_its_text() {
    for language in spoken::LANGUAGES {
        let texts = texts(language);
        for (name, form) in Form::ALL {
            for key in form.fragments(language).unwrap() {
                assert!(texts.contains_key(&key), "{language}: a {name} needs `{key}`, which has no text");
            }
        }
    }
}

/// A person records them all: the set must stay small.
#[test]
fn a_language_needs_few_recordings() {
    for language in spoken::LANGUAGES {
        let all: BTreeSet<String> =
            Form::ALL.into_iter().flat_map(|(_, form)| form.fragments(language).unwrap()).collect();
        println!("{language}: {} fragments", all.len());
        assert!(all.len() <= 260, "{language}: {} fragments", all.len());
    }
}
