//! Nodes in which the caller types digits.

use super::super::flow::Reader;
use super::super::model::{CollectNode, Exit, Kind, Purpose, Retry};
use super::super::words;
use super::asking::retry;
use super::limits::{BETWEEN, DIGITS_MAX, TIMEOUT};
use super::{duration, name};
use document::{Entry, Section};
use std::collections::BTreeSet;
use std::time::Duration;

/// `collect = "case"`, `digits = "4..8"`, `end = "#"`, `masked = true`, `next = "node"`.
pub(super) fn collect(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<Kind> {
    let entry = section.take("collect")?;
    let into = name(reader, &entry);
    if let Some(name) = &into {
        if ["language", "priority"].contains(&name.as_str()) {
            let what = format!("`{name}` is not typed");
            reader.document.fault(entry.value_at(), what, "let a menu or a look-up set it");
        }
        reader.is_not_answered(name, entry.value_at());
        reader.learns(name);
    }
    let digits = lengths(reader, section);
    let end = end(reader, section);
    let masked = section.take("masked").and_then(|entry| reader.document.flag(&entry)).unwrap_or(false);
    let between = duration(reader, section, "between").unwrap_or(BETWEEN);
    let asked = asked(reader, section);
    let ((least, most), Asked { timeout, next, no_input, no_match }) = (digits?, asked?);
    let (purpose, allowed) = (Purpose::Known(into?), BTreeSet::new());
    Some(Kind::Collect(CollectNode {
        purpose,
        least,
        most,
        allowed,
        end,
        timeout,
        between,
        masked,
        next,
        no_input,
        no_match,
    }))
}

/// `survey = "satisfaction"`, `keys = "1..5"`, `next = "node"`: one digit, told to the log.
pub(super) fn survey(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<Kind> {
    let entry = section.take("survey")?;
    let question = name(reader, &entry);
    let allowed = keys(reader, section);
    let Asked { timeout, next, no_input, no_match } = asked(reader, section)?;
    Some(Kind::Collect(CollectNode {
        purpose: Purpose::Survey(question?),
        least: 1,
        most: 1,
        allowed: allowed?,
        end: None,
        timeout,
        between: BETWEEN,
        masked: false,
        next,
        no_input,
        no_match,
    }))
}

/// How long an answer is waited for, and what comes of it.
struct Asked {
    timeout: Duration,
    next: Exit,
    no_input: Retry,
    no_match: Retry,
}

fn asked(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<Asked> {
    let timeout = duration(reader, section, "timeout").unwrap_or(TIMEOUT);
    let no_input = retry(reader, section, "no_input", "no_input");
    let no_match = retry(reader, section, "no_match", "invalid_choice");
    let next = reader.exit(section, "next");
    Some(Asked { timeout, next: next?, no_input: no_input?, no_match: no_match? })
}

/// `digits = "4..8"`, or `"6"`.
fn lengths(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<(usize, usize)> {
    let hint = "say how many, such as digits = \"4..8\"";
    let entry = section.require(&mut reader.document, "digits", hint)?;
    let text = reader.document.text(&entry)?;
    let range = range(text).filter(|(least, most)| 1 <= *least && *most <= DIGITS_MAX);
    if range.is_none() {
        let what = format!("`{text}` is no number of digits");
        let what_to_do = format!("write it like \"6\" or \"4..8\", {DIGITS_MAX} at most");
        reader.document.fault(entry.value_at(), what, what_to_do);
    }
    range
}

/// `keys = "1..5"`.
fn keys(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<BTreeSet<char>> {
    let hint = "say which keys answer, such as keys = \"1..5\"";
    let entry = section.require(&mut reader.document, "keys", hint)?;
    let text = reader.document.text(&entry)?;
    let keys: Option<BTreeSet<char>> = range(text).and_then(|(first, last)| {
        (first..=last)
            .map(|digit| u32::try_from(digit).ok().and_then(|digit| char::from_digit(digit, 10)))
            .collect()
    });
    if keys.is_none() {
        let what = format!("`{text}` is no range of keys");
        reader.document.fault(entry.value_at(), what, "write it like \"1..5\", between 0 and 9");
    }
    keys
}

/// `4..8`, or `6` for both.
fn range(text: &str) -> Option<(usize, usize)> {
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let number = |text: &str| text.parse::<usize>().ok().filter(|number| *number < 1000);
    Some((number(first)?, number(last)?)).filter(|(first, last)| first <= last)
}

fn end(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<char> {
    let entry: Entry<'_> = section.take("end")?;
    let text = reader.document.text(&entry)?;
    let key = words::key(text).filter(|key| !key.is_ascii_digit());
    if key.is_none() {
        reader.document.fault(entry.value_at(), format!("`{text}` ends nothing"), "write \"#\" or \"*\"");
    }
    key
}
