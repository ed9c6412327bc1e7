//! A flow as the checker leaves it and the interpreter walks it: every name found, every exit somewhere.

use media_api::Sound;
use std::collections::BTreeMap;
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
    /// The first byte of its name in the file.
    pub(crate) at: usize,
    pub(crate) say: Vec<Line>,
    /// A key may cut the prompts short.
    pub(crate) barge_in: bool,
    /// Whatever happens, a menu comes next: keys pressed now can only be meant for it.
    pub(crate) asks: bool,
    pub(crate) kind: Kind,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Say { next: Exit },
    Menu { choices: Vec<Choice>, timeout: Duration, no_input: Retry, no_match: Retry },
    Set { values: Vec<Assignment>, next: Exit },
    Hours { calendar: String, open: Exit, closed: Exit },
    Case { known: String, when: Vec<(String, Exit)>, otherwise: Exit },
    Queue(QueueNode),
    Transfer { to: Value, ring: Duration, failed: Exit },
    HangUp { reason: String },
}

impl Kind {
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Kind::Say { .. } => "say",
            Kind::Menu { .. } => "menu",
            Kind::Set { .. } => "set",
            Kind::Hours { .. } => "hours",
            Kind::Case { .. } => "case",
            Kind::Queue(_) => "queue",
            Kind::Transfer { .. } => "transfer",
            Kind::HangUp { .. } => "hang_up",
        }
    }

    /// The ways on that are taken without a key of the caller, by what happens.
    pub(crate) fn exits(&self) -> Vec<(&str, &Exit)> {
        match self {
            Kind::Say { next } | Kind::Set { next, .. } => vec![("", next)],
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
        let Kind::Menu { choices, no_match, .. } = self else { return Vec::new() };
        let keys = choices.iter().map(|choice| (choice.key.to_string(), &choice.next));
        keys.chain([("no match".to_owned(), &no_match.next)]).collect()
    }
}

/// Where the flow goes on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    To(NodeId),
    /// The script does not say; the call is ended with this reason.
    HangUp(&'static str),
}

/// A phrase to be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) phrase: String,
    /// In this language, whatever the call's.
    pub(crate) language: Option<String>,
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
}

impl QueueNode {
    fn exits(&self) -> Vec<(&'static str, &Exit)> {
        let overflows = self.overflow_after.is_some() || self.overflow != Exit::HangUp("overflow");
        overflows
            .then_some(("overflow", &self.overflow))
            .into_iter()
            .chain([("full", &self.full), ("nobody", &self.nobody)])
            .collect()
    }
}

/// A text of the script, or what is known of the call under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    Known(String),
}
