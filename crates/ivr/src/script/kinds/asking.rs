//! Nodes in which the caller chooses with a key.

use super::super::flow::Reader;
use super::super::model::{Assignment, Choice, Exit, Kind, Line, Retry};
use super::super::words;
use super::limits::{TIMEOUT, TRIES, TRIES_MAX};
use super::{duration, saying};
use document::{Entry, Section};

pub(super) fn menu(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<Kind> {
    let entry = section.take("menu")?;
    let timeout = duration(reader, section, "timeout").unwrap_or(TIMEOUT);
    let no_input = retry(reader, section, "no_input", "no_input");
    let no_match = retry(reader, section, "no_match", "invalid_choice");
    let next = section.take("next").map(|entry| reader.node(&entry).map(Exit::To));
    let options = reader.document.section(&entry).map(Section::rest)?;
    if options.is_empty() {
        reader.document.fault(
            entry.at,
            "the menu has no keys",
            "write at least one, such as 1 = { say = \"...\" }",
        );
        return None;
    }
    let choices: Vec<Option<Choice>> = options.iter().map(|option| choice(reader, option, &next)).collect();
    let choices = choices.into_iter().collect::<Option<_>>()?;
    Some(Kind::Menu { choices, timeout, no_input: no_input?, no_match: no_match? })
}

/// `1 = { say = "topic_work", set = { topic = "work" }, next = "queue" }` or `1 = { language = "it" }`.
fn choice(reader: &mut Reader<'_>, option: &Entry<'_>, menu_next: &Option<Option<Exit>>) -> Option<Choice> {
    let key = words::key(option.name);
    if key.is_none() {
        let what = format!("`{}` is no key of a telephone", option.name);
        reader.document.fault(option.at, what, "write one of 0 to 9, \"*\" or \"#\"");
    }
    let mut section = reader.document.section(option)?;
    let at = section.at;
    let language = section.take("language").map(|entry| {
        let language = reader.document.text(&entry)?;
        reader.speak(language, entry.value_at())
    });
    let said = saying::say(reader, &mut section);
    let mut set = section.take("set").map(|entry| reader.assignments(&entry)).unwrap_or_default();
    let next = match (section.take("next"), menu_next) {
        (Some(entry), _) => reader.node(&entry).map(Exit::To),
        (None, Some(next)) => next.clone(),
        (None, None) => {
            let what = format!("key {} leads nowhere", option.name);
            reader.document.fault(at, what, "give it a `next`, or the whole menu one");
            None
        }
    };
    section.finish(&mut reader.document);
    let key = key?;
    let say = match language {
        None if said.is_empty() => {
            reader.document.fault(
                at,
                format!("key {key} is not announced"),
                "say what it is for: say = \"...\"",
            );
            return None;
        }
        None => said,
        Some(language) => {
            let language = language?;
            set.insert(0, Assignment { key: "language".to_owned(), value: language.clone() });
            spoken_in(reader, said, language, at)
        }
    };
    announce(reader, &say, key, at);
    Some(Choice { key, say, set, next: next? })
}

/// Each line of a choice is followed by the key in the line's language.
fn announce(reader: &mut Reader<'_>, say: &[Line], key: char, at: usize) {
    for line in say {
        saying::uses(reader, &words::press(key), line.language.as_deref(), at);
    }
}

/// What announces a language: its own words, in itself.
fn spoken_in(reader: &mut Reader<'_>, said: Vec<Line>, language: String, at: usize) -> Vec<Line> {
    if !said.is_empty() {
        return said;
    }
    saying::uses(reader, "press_for_language", Some(&language), at);
    vec![Line::phrase("press_for_language", Some(language))]
}

/// `confirm = { yes = "node", no = "node" }`: 1 and 2, announced by `confirm_yes` and `confirm_no`.
pub(super) fn confirm(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<Kind> {
    let entry = section.take("confirm")?;
    let mut answers = reader.document.section(&entry)?;
    let (yes, no) = (reader.exit(&mut answers, "yes"), reader.exit(&mut answers, "no"));
    answers.finish(&mut reader.document);
    let yes = spoken_choice(reader, '1', "confirm_yes", Vec::new(), yes, entry.at);
    let no = spoken_choice(reader, '2', "confirm_no", Vec::new(), no, entry.at);
    choices(reader, section, vec![yes?, no?])
}

/// `consent = "recording"` with `next`: 1 and 2, announced by `consent_yes` and `consent_no`. What was answered is known
/// as `consent_NAME`, `yes` or `no`; who presses nothing has not consented.
pub(super) fn consent(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<Kind> {
    let entry = section.take("consent")?;
    let purpose = super::name(reader, &entry)?;
    let next = reader.exit(section, "next");
    let key = format!("consent_{purpose}");
    let answers = ["yes", "no"].map(|value| vec![reader.becomes(&key, value)]);
    let [yes, no] = answers;
    let yes = spoken_choice(reader, '1', "consent_yes", yes, next.clone(), entry.at);
    let no = spoken_choice(reader, '2', "consent_no", no, next, entry.at);
    choices(reader, section, vec![yes?, no?])
}

fn spoken_choice(
    reader: &mut Reader<'_>,
    key: char,
    phrase: &str,
    set: Vec<Assignment>,
    next: Option<Exit>,
    at: usize,
) -> Option<Choice> {
    let say = vec![Line::phrase(phrase, None)];
    saying::uses(reader, phrase, None, at);
    announce(reader, &say, key, at);
    Some(Choice { key, say, set, next: next? })
}

/// A menu of choices that are not written as such.
fn choices(reader: &mut Reader<'_>, section: &mut Section<'_>, choices: Vec<Choice>) -> Option<Kind> {
    let timeout = duration(reader, section, "timeout").unwrap_or(TIMEOUT);
    let no_input = retry(reader, section, "no_input", "no_input");
    let no_match = retry(reader, section, "no_match", "invalid_choice");
    Some(Kind::Menu { choices, timeout, no_input: no_input?, no_match: no_match? })
}

/// `no_input = "node"` or `no_input = { tries = 3, say = "no_input", next = "node" }`.
pub(super) fn retry(
    reader: &mut Reader<'_>,
    section: &mut Section<'_>,
    key: &'static str,
    phrase: &'static str,
) -> Option<Retry> {
    let at = section.at;
    let Some(entry) = section.take(key) else {
        return Some(Retry {
            tries: TRIES,
            say: said_again(reader, phrase, at),
            next: Exit::HangUp(reason(key)),
        });
    };
    if entry.value.get_ref().is_str() {
        let next = reader.node(&entry).map(Exit::To)?;
        return Some(Retry { tries: TRIES, say: said_again(reader, phrase, entry.at), next });
    }
    let mut section = reader.document.section(&entry)?;
    let tries = section.take("tries").and_then(|tries| {
        let number = reader.document.number(&tries)?;
        let allowed = u32::try_from(number).ok().filter(|_| (1..=TRIES_MAX).contains(&number));
        if allowed.is_none() {
            let what = format!("{number} tries are not possible");
            reader.document.fault(tries.value_at(), what, format!("choose 1 to {TRIES_MAX}"));
        }
        allowed
    });
    let say = match section.take("say") {
        Some(say) => saying::lines(reader, &say),
        None => said_again(reader, phrase, entry.at),
    };
    let next = reader.exit_or(&mut section, "next", reason(key));
    section.finish(&mut reader.document);
    Some(Retry { tries: tries.unwrap_or(TRIES), say, next: next? })
}

/// Why a call ends that a menu gave up on, where the script does not say.
fn reason(key: &str) -> &'static str {
    if key == "no_input" { "no_input" } else { "no_match" }
}

fn said_again(reader: &mut Reader<'_>, phrase: &str, at: usize) -> Vec<Line> {
    saying::uses(reader, phrase, None, at);
    vec![Line::phrase(phrase, None)]
}
