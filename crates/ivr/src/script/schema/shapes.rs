//! The small grammars as regular expressions, and what several keys hold.

use crate::script::kinds::limits::{TRIES, TRIES_MAX};
use document::schema::{Key, Keys, Shape};
use spoken::Form;
use std::time::Duration;

/// As `words::is_name`.
pub(super) const NAME: &str = "[a-z][a-z0-9_-]{0,39}";
/// As `words::is_language`.
pub(super) const LANGUAGE: &str = "[a-z]{2,3}(-[A-Za-z0-9]{2,8})*";
/// As `words::duration`: from a second to a day.
const DURATION: &str = "0*([1-9][0-9]{0,4}s|[1-9][0-9]{0,3}m|([1-9]|1[0-9]|2[0-4])h)";

/// A whole text.
pub(super) fn fits(pattern: &str) -> Shape {
    Shape::Fits(format!("^({pattern})$"))
}

pub(super) fn like(name: &str) -> Shape {
    Shape::Like(name.to_owned())
}

pub(super) fn name() -> Shape {
    like("name")
}

pub(super) fn language() -> Shape {
    like("language")
}

/// A node's name.
pub(super) fn to() -> Shape {
    like("node_name")
}

/// Words and values.
pub(super) fn say() -> Shape {
    like("say")
}

pub(super) fn duration() -> Shape {
    like("duration")
}

/// As a script writes it.
pub(super) fn written(span: Duration) -> String {
    match span.as_secs() {
        seconds if seconds % 3600 == 0 => format!("{}h", seconds / 3600),
        seconds if seconds % 60 == 0 => format!("{}m", seconds / 60),
        seconds => format!("{seconds}s"),
    }
}

/// A table in which any names stand for such values.
pub(super) fn named(shape: Shape) -> Keys {
    Keys::default().others(format!("^{NAME}$"), shape)
}

/// What `flow.toml` and parts name.
pub(super) fn definitions() -> Vec<(String, Shape)> {
    let line = Shape::Either(vec![like("phrase"), Shape::Table(said())]);
    [
        ("name", fits(NAME)),
        ("node_name", fits(NAME)),
        ("language", fits(LANGUAGE)),
        ("duration", fits(DURATION)),
        ("phrase", fits(&format!("{NAME}(@{LANGUAGE})?"))),
        ("line", line),
        ("say", like("line").one_or_more(1)),
        ("set", Shape::Table(set())),
        ("retry", Shape::Either(vec![to(), Shape::Table(retry())])),
        ("needs", Shape::Table(needs())),
        ("choice", Shape::Table(super::kinds::choice())),
    ]
    .map(|(name, shape)| (name.to_owned(), shape))
    .into()
}

/// `{ digits = "$case" }`, and perhaps `language = "it"`.
fn said() -> Keys {
    let form = |form| Key::new(form, Shape::Text, format!("What is said as {form}: a text, or $NAME."));
    let forms = Form::ALL.map(|(name, _)| form(name));
    let text = Key::new("text", Shape::Text, "Any words, said by a voice: a text, or $NAME.");
    let language = Key::new("language", language(), "In this language, whatever the call's.");
    let words = Form::ALL.iter().map(|(name, _)| *name).chain(["text"]);
    Keys::new(forms).and([text, language]).exactly_one(words.map(|word| [word]))
}

/// `set = { topic = "work", priority = 5 }`.
fn set() -> Keys {
    let keys = [
        Key::new("language", language(), "The call is in this language from now on."),
        Key::new("topic", Shape::Text, "What the call is about: agents have topics."),
        Key::new("priority", priority(), "0 to 9, 9 is served first."),
    ];
    named(Shape::Text).and(keys).least(1)
}

pub(super) fn priority() -> Shape {
    Shape::Number(0, 9)
}

/// `no_input = { tries = 3, say = "no_input", next = "node" }`.
fn retry() -> Keys {
    let tries = Shape::Number(1, TRIES_MAX);
    let say = like("line").one_or_more(0);
    Keys::new([
        Key::new("tries", tries, "How often it is heard in all.").unless_said(TRIES),
        Key::new("say", say, "What is said before it is heard again; [] for nothing."),
        Key::new("next", to(), "Where it leads then; the call ends unless said."),
    ])
}

/// `needs = { language = "$language", topic = "" }`.
fn needs() -> Keys {
    Keys::new([
        Key::new("language", fits(&format!("\\$.*|{LANGUAGE}")), "A language, or $NAME.")
            .unless_said("$language"),
        Key::new("topic", Shape::Text, "A topic, or $NAME; an empty one is no topic.").unless_said("$topic"),
    ])
}
