//! A flow as the checker leaves it and the interpreter walks it: every name found, every exit somewhere.

use super::emergency::Emergency;
use super::promise::Promise;
use super::remember::Remember;
use super::words::is_service;
use crate::look_up::LookUp;
use media_api::Sound;
use spoken::Form;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The place of a node in its flow.
pub(crate) type NodeId = usize;

#[derive(Clone, Debug)]
pub(crate) struct Flow {
    pub(crate) title: String,
    pub(crate) languages: Vec<String>,
    pub(crate) fallback_language: String,
    pub(crate) start: NodeId,
    pub(crate) numbers: BTreeMap<String, Number>,
    pub(crate) emergency: Emergency,
    /// How far a human is at most.
    pub(crate) promise: Promise,
    /// What is remembered of callers.
    pub(crate) remember: Option<Remember>,
    /// In the order of the file.
    pub(crate) nodes: Vec<Node>,
}

/// What is known of a call by the number that it dialled.
#[derive(Clone, Debug)]
pub(crate) struct Number {
    pub(crate) start: NodeId,
    pub(crate) set: Vec<Assignment>,
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) name: String,
    /// Where its name stands.
    pub(crate) at: Place,
    pub(crate) say: Vec<Line>,
    /// A key may cut the prompts short.
    pub(crate) barge_in: bool,
    /// Whatever happens, a menu comes next: keys pressed now can only be meant for it.
    pub(crate) asks: bool,
    pub(crate) kind: Kind,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Say {
        next: Exit,
    },
    Menu {
        choices: Vec<Choice>,
        timeout: Duration,
        no_input: Retry,
        no_match: Retry,
    },
    Set {
        values: Vec<Assignment>,
        next: Exit,
    },
    Hours {
        calendar: String,
        open: Exit,
        closed: Exit,
    },
    Case {
        known: String,
        when: Vec<(String, Exit)>,
        otherwise: Exit,
    },
    Collect(CollectNode),
    LookUp(LookUpNode),
    Queue(QueueNode),
    Transfer {
        to: Destination,
        ring: Duration,
        failed: Exit,
    },
    Callback(CallbackNode),
    Message(MessageNode),
    /// The door of a part: the flow goes on in the part's first node.
    Part {
        part: String,
        next: Exit,
    },
    HangUp {
        reason: String,
        /// Who comes here is meant to get no human.
        refusal: bool,
    },
}

impl Kind {
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Kind::Say { .. } => "say",
            Kind::Menu { .. } => "menu",
            Kind::Set { .. } => "set",
            Kind::Hours { .. } => "hours",
            Kind::Case { .. } => "case",
            Kind::Collect(_) => "collect",
            Kind::LookUp(_) => "look_up",
            Kind::Queue(_) => "queue",
            Kind::Transfer { .. } => "transfer",
            Kind::Callback(_) => "callback",
            Kind::Message(_) => "message",
            Kind::Part { .. } => "part",
            Kind::HangUp { .. } => "hang_up",
        }
    }

    /// The ways on that are taken without a key of the caller, by what happens.
    pub(crate) fn exits(&self) -> Vec<(&str, &Exit)> {
        match self {
            Kind::Say { next } | Kind::Set { next, .. } | Kind::Part { next, .. } => vec![("", next)],
            Kind::Collect(collect) => vec![("no input", &collect.no_input.next)],
            Kind::LookUp(look_up) => {
                vec![("found", &look_up.found), ("missing", &look_up.missing), ("failed", &look_up.failed)]
            }
            Kind::Callback(callback) => vec![("", &callback.next), ("refused", &callback.refused)],
            Kind::Message(message) => {
                vec![("", &message.next), ("empty", &message.empty), ("failed", &message.failed)]
            }
            Kind::Menu { no_input, .. } => vec![("no input", &no_input.next)],
            Kind::Hours { open, closed, .. } => vec![("open", open), ("closed", closed)],
            Kind::Case { when, otherwise, .. } => {
                let when = when.iter().map(|(value, exit)| (value.as_str(), exit));
                when.chain([("otherwise", otherwise)]).collect()
            }
            Kind::Queue(queue) => queue.exits(),
            Kind::Transfer { failed, .. } => vec![("failed", failed)],
            Kind::HangUp { .. } => Vec::new(),
        }
    }

    /// The ways on that a key of the caller takes.
    pub(crate) fn key_exits(&self) -> Vec<(String, &Exit)> {
        match self {
            Kind::Menu { choices, no_match, .. } => {
                let keys = choices.iter().map(|choice| (choice.key.to_string(), &choice.next));
                keys.chain([("no match".to_owned(), &no_match.next)]).collect()
            }
            Kind::Collect(collect) => {
                vec![("digits".to_owned(), &collect.next), ("no match".to_owned(), &collect.no_match.next)]
            }
            _ => Vec::new(),
        }
    }
}

/// Where the flow goes on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    To(NodeId),
    /// The script does not say; the call is ended with this reason.
    HangUp(&'static str),
}

/// Something to be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) words: Words,
    /// In this language, whatever the call's.
    pub(crate) language: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Words {
    Phrase(String),
    /// What is known of the call, in words: `{ digits = "$case" }`.
    Known {
        form: Form,
        value: Value,
    },
    /// Any words, said by a voice: `{ text = "$name" }`.
    Text(Value),
}

impl Line {
    pub(crate) fn phrase(phrase: impl Into<String>, language: Option<String>) -> Line {
        Line { words: Words::Phrase(phrase.into()), language }
    }
}

/// Where something stands: the file, by its number among those that the flow is written in, and the byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) file: usize,
    pub(crate) byte: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) key: char,
    /// Each is followed by `press_KEY` in its own language.
    pub(crate) say: Vec<Line>,
    pub(crate) set: Vec<Assignment>,
    pub(crate) next: Exit,
}

/// How often a menu is heard again, and what then.
#[derive(Clone, Debug)]
pub(crate) struct Retry {
    pub(crate) tries: u32,
    pub(crate) say: Vec<Line>,
    pub(crate) next: Exit,
}

/// Something that becomes known of a call. Language and priority have been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Assignment {
    pub(crate) key: String,
    pub(crate) value: String,
}

#[derive(Clone, Debug)]
pub(crate) struct QueueNode {
    pub(crate) queue: String,
    pub(crate) language: Value,
    pub(crate) topic: Value,
    pub(crate) priority: Option<u8>,
    pub(crate) music: Option<Sound>,
    pub(crate) position_every: Option<Duration>,
    pub(crate) overflow_after: Option<Duration>,
    pub(crate) overflow: Exit,
    pub(crate) full: Exit,
    pub(crate) nobody: Exit,
    /// When the agent has hung up; otherwise the call ends then.
    pub(crate) ended: Option<Exit>,
    pub(crate) interpreter: Option<InterpreterWanted>,
}

/// Somebody who interprets where the agent does not speak the call's language.
#[derive(Clone, Debug)]
pub(crate) struct InterpreterWanted {
    pub(crate) queue: String,
    pub(crate) after: Duration,
    pub(crate) within: Duration,
    pub(crate) say: Vec<Line>,
}

impl QueueNode {
    fn exits(&self) -> Vec<(&'static str, &Exit)> {
        let overflows = self.overflow_after.is_some() || self.overflow != Exit::HangUp("overflow");
        overflows
            .then_some(("overflow", &self.overflow))
            .into_iter()
            .chain([("full", &self.full), ("nobody", &self.nobody)])
            .chain(self.ended.iter().map(|ended| ("ended", ended)))
            .collect()
    }
}

/// Digits that the caller types.
#[derive(Clone, Debug)]
pub(crate) struct CollectNode {
    pub(crate) purpose: Purpose,
    /// How many, at least and at most.
    pub(crate) least: usize,
    pub(crate) most: usize,
    /// No others are taken; all if none is named.
    pub(crate) allowed: BTreeSet<char>,
    /// The key that says that this was all.
    pub(crate) end: Option<char>,
    /// To the first digit, from the last word on.
    pub(crate) timeout: Duration,
    /// From one digit to the next; then this was all.
    pub(crate) between: Duration,
    /// Neither the digits nor the value are told to anyone.
    pub(crate) masked: bool,
    pub(crate) next: Exit,
    pub(crate) no_input: Retry,
    pub(crate) no_match: Retry,
}

/// What becomes of digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// They are known of the call from then on.
    Known(String),
    /// They answer a question, and are told to the log.
    Survey(String),
}

#[derive(Clone, Debug)]
pub(crate) struct LookUpNode {
    pub(crate) look_up: Arc<LookUp>,
    pub(crate) with: Vec<(String, Value)>,
    pub(crate) found: Exit,
    pub(crate) missing: Exit,
    pub(crate) failed: Exit,
}

#[derive(Clone, Debug)]
pub(crate) struct CallbackNode {
    pub(crate) queue: String,
    pub(crate) number: Value,
    pub(crate) language: Value,
    pub(crate) topic: Value,
    pub(crate) priority: Option<u8>,
    pub(crate) tries: u32,
    pub(crate) pause: Duration,
    pub(crate) next: Exit,
    pub(crate) refused: Exit,
}

/// A message that the caller leaves.
#[derive(Clone, Debug)]
pub(crate) struct MessageNode {
    pub(crate) mailbox: String,
    pub(crate) longest: Duration,
    /// So much silence ends it.
    pub(crate) silence: Duration,
    pub(crate) next: Exit,
    pub(crate) empty: Exit,
    pub(crate) failed: Exit,
}

/// To whom a call is put through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// A number, or a SIP URI.
    Outside(Value),
    /// An agent, by name.
    Agent(Value),
}

impl Destination {
    /// Whether the call goes on in another service of the house.
    pub(crate) fn is_service(&self) -> bool {
        matches!(self, Destination::Outside(Value::Text(to)) if is_service(to))
    }
}

/// As a script writes it.
impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Destination::Outside(to) => to.fmt(f),
            Destination::Agent(agent) => write!(f, "{AGENT}{agent}"),
        }
    }
}

/// What stands before an agent's name where a script puts a call through.
pub(crate) const AGENT: &str = "agent:";

/// A text of the script, or what is known of the call under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    Known(String),
}

/// As a script writes it.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) => f.write_str(text),
            Value::Known(name) => write!(f, "${name}"),
        }
    }
}
