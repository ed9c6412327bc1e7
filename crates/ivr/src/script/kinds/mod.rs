//! The kinds of nodes, a file for each family.

mod asking;
mod branching;
mod collecting;
mod leaving;
pub(super) mod limits;
mod queueing;
mod saying;

pub(crate) use leaving::FAILED;
pub(super) use saying::uses;

use super::flow::Reader;
use super::model::{Exit, Kind, Node, NodeId, Value};
use super::words::{self, NAME_SHAPE, is_name};
use document::{Entry, Section, nearest};
use std::time::Duration;

/// The keys that say what a node is. `say` says it only where none of these does.
pub(super) const KINDS: [&str; 15] = [
    "menu", "confirm", "consent", "collect", "survey", "set", "hours", "case", "look_up", "queue",
    "transfer", "callback", "message", "part", "hang_up",
];

/// These say nothing of their own.
const SILENT: [&str; 4] = ["set", "hours", "case", "part"];

/// Reads the node `body`, or tells what is wrong with it. `door` is the first node of the part that it names.
pub(super) fn node(reader: &mut Reader<'_>, body: &Entry<'_>, door: Option<NodeId>) -> Option<Node> {
    let mut section = reader.document.section(body)?;
    let kinds: Vec<&str> = KINDS.into_iter().filter(|kind| section.has(kind)).collect();
    let name = body.name;
    let kind = match kinds.as_slice() {
        [kind] => kind,
        [] if section.has("say") => "say",
        [] => {
            let near = section.names().find_map(|key| nearest(key, KINDS));
            let what_to_do = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("give it one of say, {}", KINDS.join(", ")),
            };
            reader.document.fault(body.at, format!("node `{name}` does nothing"), what_to_do);
            return None;
        }
        [first, second, ..] => {
            let what = format!("node `{name}` is both {first} and {second}");
            reader.document.fault(body.at, what, "make two nodes of it");
            return None;
        }
    };
    let say = if SILENT.contains(&kind) { Vec::new() } else { saying::say(reader, &mut section) };
    let asks = matches!(kind, "say" | "menu" | "confirm" | "consent" | "collect" | "survey");
    let barge_in = if asks { barge_in(reader, &mut section) } else { false };
    let kind = read_kind(reader, &mut section, kind, door);
    section.finish(&mut reader.document);
    let at = reader.place(body.at);
    Some(Node { name: name.to_owned(), at, say, barge_in, asks: false, kind: kind? })
}

fn read_kind(
    reader: &mut Reader<'_>,
    section: &mut Section<'_>,
    kind: &str,
    door: Option<NodeId>,
) -> Option<Kind> {
    match kind {
        "menu" => asking::menu(reader, section),
        "confirm" => asking::confirm(reader, section),
        "consent" => asking::consent(reader, section),
        "collect" => collecting::collect(reader, section),
        "survey" => collecting::survey(reader, section),
        "set" => {
            let values = section.take("set").map(|entry| reader.assignments(&entry)).unwrap_or_default();
            Some(Kind::Set { values, next: reader.exit(section, "next")? })
        }
        "hours" => branching::hours(reader, section),
        "case" => branching::case(reader, section),
        "look_up" => branching::look_up(reader, section),
        "queue" => queueing::queue(reader, section),
        "transfer" => leaving::transfer(reader, section),
        "callback" => queueing::callback(reader, section),
        "message" => leaving::message(reader, section),
        "part" => part(reader, section, door),
        "hang_up" => {
            let entry = section.take("hang_up")?;
            let refusal =
                section.take("refusal").and_then(|entry| reader.document.flag(&entry)).unwrap_or(false);
            Some(Kind::HangUp { reason: name(reader, &entry)?, refusal })
        }
        _ => Some(Kind::Say { next: reader.exit(section, "next")? }),
    }
}

/// What a part is given and where it leads has been read before.
fn part(reader: &mut Reader<'_>, section: &mut Section<'_>, door: Option<NodeId>) -> Option<Kind> {
    let entry = section.take("part")?;
    let _read_before = (section.take("with"), section.take("on"));
    let part = reader.document.text(&entry)?.to_owned();
    Some(Kind::Part { part, next: Exit::To(door?) })
}

fn barge_in(reader: &mut Reader<'_>, section: &mut Section<'_>) -> bool {
    section.take("barge_in").and_then(|entry| reader.document.flag(&entry)).unwrap_or(true)
}

/// A name that is the value of `entry`: of a queue, or a reason.
pub(super) fn name(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<String> {
    let text = reader.document.text(entry)?;
    if !is_name(text) {
        let what = format!("`{text}` is no name for `{}`", entry.name);
        reader.document.fault(entry.value_at(), what, NAME_SHAPE);
        return None;
    }
    Some(text.to_owned())
}

pub(super) fn duration(
    reader: &mut Reader<'_>,
    section: &mut Section<'_>,
    key: &'static str,
) -> Option<Duration> {
    let entry = section.take(key)?;
    let text = reader.document.text(&entry)?;
    let duration = words::duration(text);
    if duration.is_none() {
        let what = format!("`{text}` is no duration");
        reader.document.fault(entry.value_at(), what, "write it like \"45s\" or \"5m\", a day at most");
    }
    duration
}

/// A text, or `$NAME` for what is known of the call.
fn value(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Value> {
    let text = reader.document.text(entry)?;
    Some(known_or_text(reader, text, entry.value_at()))
}

fn known_or_text(reader: &mut Reader<'_>, text: &str, at: usize) -> Value {
    let Some(name) = text.strip_prefix('$') else { return Value::Text(text.to_owned()) };
    reader.knows(name, at);
    Value::Known(name.to_owned())
}

fn outcomes<'d>(reader: &mut Reader<'_>, section: &mut Section<'d>) -> Option<Section<'d>> {
    section.take("on").and_then(|entry| reader.document.section(&entry))
}

fn finish(reader: &mut Reader<'_>, section: Option<Section<'_>>) {
    if let Some(section) = section {
        section.finish(&mut reader.document);
    }
}
