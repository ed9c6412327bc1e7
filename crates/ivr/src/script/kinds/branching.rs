//! Nodes that go one way or another by themselves.

use super::super::flow::Reader;
use super::super::model::{Exit, Kind, LookUpNode, Value};
use super::value;
use document::{Entry, Section, nearest};
use std::sync::Arc;

pub(super) fn hours(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<Kind> {
    let entry = section.take("hours")?;
    let name = reader.document.text(&entry);
    if let Some(name) = name.filter(|name| !reader.calendars.contains_key(*name)) {
        let what_to_do = match nearest(name, reader.calendars.keys().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write calendars/{name}.toml"),
        };
        reader.document.fault(entry.value_at(), format!("unknown calendar `{name}`"), what_to_do);
    }
    let (open, closed) = (reader.exit(section, "open"), reader.exit(section, "closed"));
    Some(Kind::Hours { calendar: name?.to_owned(), open: open?, closed: closed? })
}

/// `case = "$topic"`, `when = { work = "node" }`, `otherwise = "node"`.
pub(super) fn case(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<Kind> {
    let entry = section.take("case")?;
    let known = reader.document.text(&entry).and_then(|text| {
        let name = text.strip_prefix('$');
        if name.is_none() {
            let what = format!("`{text}` is nothing that is known of a call");
            reader.document.fault(entry.value_at(), what, format!("did you mean `${text}`?"));
        }
        name
    });
    let otherwise = reader.exit(section, "otherwise");
    let hint = "write at least one value and its node, such as when = { work = \"urgent\" }";
    let when = section.require(&mut reader.document, "when", hint)?;
    let values = reader.document.section(&when).map(Section::rest)?;
    let mut exits = Vec::new();
    for value in &values {
        if let Some(known) = known {
            reader.compares(known, value.name, value.at);
        }
        exits.push((value.name.to_owned(), Exit::To(reader.node(value)?)));
    }
    reader.knows(known?, entry.value_at());
    Some(Kind::Case { known: known?.to_owned(), when: exits, otherwise: otherwise? })
}

/// `look_up = "clients"`, `with = { number = "$caller" }`, `found = "node"`, `missing = "node"`, `failed = "node"`.
pub(super) fn look_up(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<Kind> {
    let entry = section.take("look_up")?;
    let with = section.take("with");
    let exits = ["found", "missing", "failed"].map(|name| reader.exit(section, name));
    let name = reader.document.text(&entry)?;
    let Some(look_up) = reader.look_ups.get(name) else {
        reader.guesses();
        let what_to_do = match nearest(name, reader.look_ups.keys().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write look_ups/{name}.toml"),
        };
        reader.document.fault(entry.value_at(), format!("unknown look-up `{name}`"), what_to_do);
        return None;
    };
    // One with faults of its own has been told.
    let Some(look_up) = look_up.clone() else {
        reader.guesses();
        return None;
    };
    let with = with_all(reader, &look_up.takes, with, entry.at);
    for name in look_up.gives.keys() {
        reader.is_not_answered(name, entry.value_at());
        reader.learns(name);
    }
    if look_up.gives.contains_key("language") {
        for language in reader.languages.clone() {
            let _known = reader.speak(&language, entry.at);
        }
    }
    let [found, missing, failed] = exits;
    Some(Kind::LookUp(LookUpNode {
        look_up: Arc::clone(&look_up),
        with,
        found: found?,
        missing: missing?,
        failed: failed?,
    }))
}

/// A value for each name that the look-up takes.
fn with_all(
    reader: &mut Reader<'_>,
    takes: &[String],
    with: Option<Entry<'_>>,
    at: usize,
) -> Vec<(String, Value)> {
    let given = with.and_then(|with| reader.document.section(&with)).map(Section::rest).unwrap_or_default();
    for entry in given.iter().filter(|entry| !takes.iter().any(|name| name == entry.name)) {
        let near = nearest(entry.name, takes.iter().map(String::as_str));
        let what_to_do = near.map_or("take it out".to_owned(), |near| format!("did you mean `{near}`?"));
        reader.document.fault(entry.at, format!("the look-up does not take `{}`", entry.name), what_to_do);
    }
    let mut values = Vec::new();
    for name in takes {
        match given.iter().find(|entry| entry.name == name) {
            Some(entry) => values.extend(value(reader, entry).map(|value| (name.clone(), value))),
            None => {
                let what_to_do = format!("write with.{name} = \"...\"");
                reader.document.fault(at, format!("`{name}` is not given"), what_to_do);
            }
        }
    }
    values
}
