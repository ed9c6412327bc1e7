//! `flow.toml` and `parts/NAME.toml`: their heads, and the nodes below.

use super::kinds::{KEYS_OF_KINDS, of_kind};
use super::shapes::{self, NAME, duration, fits, language, like, name, say, to};
use crate::script::promise::{KEYS_MAX, PROMISE};
use document::schema::{Key, Keys, Schema, Shape};

/// Stands for a text in a part: what a node gives for a parameter.
const PARAMETER: &str = "\\{[a-z][a-z0-9_-]{0,39}\\}";

/// What `flow.toml` may hold.
pub fn flow() -> Schema {
    let languages = Shape::List(Box::new(language()), 1);
    let head = [
        Key::new("title", Shape::Text, "What the script is for, in a few words.").required(),
        Key::new("languages", languages, "The languages, the first for callers of whom nothing is known.")
            .required(),
        Key::new(
            "fallback_language",
            language(),
            "The language whose sounds stand in for missing ones; the first unless said.",
        ),
        Key::new("start", to(), "The node that a call begins in.").required(),
        Key::new("promise", Shape::Table(promise()), "How near a human is from everywhere, at most."),
        Key::new("remember", Shape::Table(remember()), "What is remembered of callers who agree."),
        Key::new(
            "numbers",
            Shape::Table(numbers()),
            "Where calls begin, and what is known of them, by the number that they dialled.",
        ),
        Key::new("emergency", Shape::Table(emergency()), "What holds while the desk is closed by command."),
    ];
    Schema {
        title: "flow.toml",
        meaning: "What a caller hears and where each key leads. Every table that is no key of the head is a node.",
        keys: Keys::new(head).others(format!("^{NAME}$"), node()),
        definitions: definitions(),
    }
}

/// What `parts/NAME.toml` may hold.
pub fn part() -> Schema {
    let names = || name().one_or_more(0);
    let head = [
        Key::new("parameters", names(), "What a node gives: {NAME} stands for it in the texts below."),
        Key::new("exits", names(), "The ways out, named as nodes are; a node says where each leads."),
        Key::new("start", to(), "The node that the part begins in.").required(),
    ];
    let schema = Schema {
        title: "parts/NAME.toml",
        meaning: "A piece of flow that stands wherever a node names it.",
        keys: Keys::new(head).others(format!("^{NAME}$"), node()),
        definitions: definitions(),
    };
    schema.or_fits(PARAMETER)
}

fn definitions() -> Vec<(String, Shape)> {
    let kinds = KEYS_OF_KINDS.iter().map(|(kind, keys)| (of_kind(kind), Shape::Table(keys())));
    shapes::definitions().into_iter().chain(kinds).collect()
}

/// What a node does is told by one key; one that only says something by none of these.
fn node() -> Shape {
    let kinds = KEYS_OF_KINDS.iter().map(|(kind, _)| *kind).filter(|kind| *kind != "say");
    Shape::Kinds(kinds.map(|kind| (kind, of_kind(kind))).collect(), of_kind("say"))
}

fn promise() -> Keys {
    let within = shapes::written(PROMISE.within);
    Keys::new([
        Key::new("keys", Shape::Number(1, i64::from(KEYS_MAX)), "So many keys at most.")
            .unless_said(PROMISE.keys),
        Key::new("within", duration(), "So much time at most.").unless_said(within),
    ])
}

fn remember() -> Keys {
    let days = fits("0*([1-9][0-9]?|[1-6][0-9][0-9]|7[0-2][0-9]|730)d");
    Keys::new([
        Key::new("consent", name(), "The consent that a node asks for.").required(),
        Key::new("for", days, "From then on: 1d to 730d.").required(),
    ])
}

fn numbers() -> Keys {
    let number = Keys::new([
        Key::new("start", to(), "The node that these calls begin in; the script's start unless said."),
        Key::new("set", like("set"), "What is known of these calls."),
    ]);
    let of_number = Shape::Either(vec![to(), Shape::Table(number)]);
    Keys::default().others("^[A-Za-z0-9+*#_.-]{1,40}$", of_number)
}

fn emergency() -> Keys {
    let messages = Shape::Text.one_or_more(0);
    Keys::new([
        Key::new("start", to(), "The node that calls begin in then; their usual way unless said."),
        Key::new("messages", messages, "The phrases that a command may have said first."),
    ])
    .least(1)
}

/// What is said first in a node.
pub(super) fn says() -> Key {
    Key::new("say", say(), "Phrases, perhaps as NAME@LANG, and values such as { digits = \"$case\" }.")
}
