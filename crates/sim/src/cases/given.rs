//! What a case gives: who calls, when, what they press, and what the world around them does.

use super::read::{Reader, span};
use base::Wall;
use calendar::Zone;
use document::{Entry, Section};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// A number that no script knows of itself.
pub(super) const DIALLED: &str = "800000000";
pub(super) const ANONYMOUS: &str = "anonymous";
/// A Wednesday morning.
pub(super) const AT: &str = "2027-03-03 10:00";

/// What is there before anybody presses a key, and what happens then.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) dialled: String,
    pub(super) from: String,
    pub(super) at: Wall,
    pub(super) keys: VecDeque<Move>,
    /// By name; any other fails.
    pub(super) look_ups: BTreeMap<String, Answers>,
    pub(super) agents: Vec<AgentGiven>,
    /// Queues that take nobody more.
    pub(super) full: BTreeSet<String>,
    /// The party that the script puts callers through to.
    pub(super) outside: Does,
    /// What becomes of a message that the caller leaves.
    pub(super) message: MessageGiven,
    /// What becomes of a wish to be called back.
    pub(super) callback: CallbackGiven,
    /// The desk is closed by command, with this phrase; an empty text is none.
    pub(super) emergency: Option<String>,
    /// The language that the script remembers of the caller.
    pub(super) remembered: Option<String>,
    /// After the answer.
    pub(super) hangs_up_after: Option<Duration>,
}

/// What the caller does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// Lets so much time go by.
    Wait(Duration),
    /// Presses these keys: at once after a wait, otherwise when they are next asked for something.
    Press(String),
}

/// What comes of a look-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answers {
    Found(BTreeMap<String, String>),
    Missing,
    Failed,
    /// Not within its time.
    Late,
}

/// What a phone does that is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Does {
    Answers,
    Refuses,
    Rings,
}

pub(super) const DOES: [(&str, Does); 3] =
    [("answers", Does::Answers), ("refuses", Does::Refuses), ("rings", Does::Rings)];

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MessageGiven {
    Kept,
    Empty,
    Failed,
}

pub(super) const MESSAGES: [(&str, MessageGiven); 3] =
    [("kept", MessageGiven::Kept), ("empty", MessageGiven::Empty), ("failed", MessageGiven::Failed)];

/// What becomes of a wish to be called back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallbackGiven {
    /// The agents may call whatever number there is.
    Accepted,
    /// They may call none.
    Refused,
}

pub(super) const CALLBACKS: [(&str, CallbackGiven); 2] =
    [("accepted", CallbackGiven::Accepted), ("refused", CallbackGiven::Refused)];

/// An agent of the desk.
#[derive(Clone, Debug)]
pub(super) struct AgentGiven {
    pub(super) name: String,
    /// All of the script's unless named.
    pub(super) languages: Option<BTreeSet<String>>,
    /// All unless named.
    pub(super) topics: BTreeSet<String>,
    /// All of the script's unless named.
    pub(super) queues: Option<BTreeSet<String>>,
    pub(super) does: AgentDoes,
}

/// What an agent does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AgentDoes {
    /// Is there, and their phone does this.
    IsThere(Does),
    /// Is there, and takes no calls.
    Pauses,
    /// Is not there.
    IsAway,
}

pub(super) const AGENT_DOES: [(&str, AgentDoes); 5] = [
    ("answers", AgentDoes::IsThere(Does::Answers)),
    ("refuses", AgentDoes::IsThere(Does::Refuses)),
    ("rings", AgentDoes::IsThere(Does::Rings)),
    ("pauses", AgentDoes::Pauses),
    ("away", AgentDoes::IsAway),
];

impl Given {
    /// What holds if nothing is said.
    pub(super) fn usual(zone: &Zone) -> Given {
        let at = zone.instants(AT).and_then(|instants| instants.first().copied());
        Given {
            dialled: DIALLED.to_owned(),
            from: ANONYMOUS.to_owned(),
            at: at.unwrap_or_default(),
            keys: VecDeque::new(),
            look_ups: BTreeMap::new(),
            agents: Vec::new(),
            full: BTreeSet::new(),
            outside: Does::Answers,
            message: MessageGiven::Kept,
            callback: CallbackGiven::Accepted,
            emergency: None,
            remembered: None,
            hangs_up_after: None,
        }
    }

    /// The same, changed by what a section says.
    pub(super) fn changed(mut self, reader: &mut Reader<'_, '_>, section: &mut Section<'_>) -> Given {
        for (name, text) in [("dialled", &mut self.dialled), ("from", &mut self.from)] {
            if let Some(value) = section.take(name).and_then(|entry| reader.user(&entry)) {
                *text = value;
            }
        }
        if let Some(at) = section.take("at").and_then(|entry| reader.instant(&entry)) {
            self.at = at;
        }
        if let Some(moves) = section.take("keys").and_then(|entry| keys(reader, &entry)) {
            self.keys = moves;
        }
        if let Some(entry) = section.take("look_ups") {
            self.look_ups = look_ups(reader, &entry);
        }
        if let Some(entry) = section.take("agents") {
            let agents = reader.document.list(&entry);
            self.agents = agents.iter().filter_map(|entry| agent(reader, entry)).collect();
        }
        if let Some(entry) = section.take("full") {
            self.full = reader.queues(&entry);
        }
        if let Some(does) = section.take("outside").and_then(|entry| reader.word(&entry, &DOES)) {
            self.outside = does;
        }
        if let Some(message) = section.take("message").and_then(|entry| reader.word(&entry, &MESSAGES)) {
            self.message = message;
        }
        if let Some(callback) = section.take("callback").and_then(|entry| reader.word(&entry, &CALLBACKS)) {
            self.callback = callback;
        }
        if let Some(phrase) = section.take("emergency").and_then(|entry| emergency(reader, &entry)) {
            self.emergency = Some(phrase);
        }
        if let Some(entry) = section.take("remembered") {
            self.remembered = remembered(reader, &entry, &self.from);
        }
        if let Some(after) = section.take("hangs_up_after").and_then(|entry| reader.span(&entry)) {
            self.hangs_up_after = Some(after);
        }
        self
    }
}

/// A phrase that a command may have said first, or an empty text.
fn emergency(reader: &mut Reader<'_, '_>, entry: &Entry<'_>) -> Option<String> {
    let phrase = reader.document.text(entry)?;
    if !phrase.is_empty() && !reader.script.has_emergency_message(phrase) {
        let what = format!("no command may have `{phrase}` said");
        let what_to_do = "name one of the messages under [emergency] in flow.toml, or \"\" for none";
        reader.document.fault(entry.value_at(), what, what_to_do);
    }
    Some(phrase.to_owned())
}

/// A language that the script remembers of a number; an empty text for none.
fn remembered(reader: &mut Reader<'_, '_>, entry: &Entry<'_>, from: &str) -> Option<String> {
    let language = reader.remembered(entry)?;
    if !language.is_empty() && from == ANONYMOUS {
        let what_to_do = "write who calls, such as from = \"+393471234567\"";
        reader.document.fault(entry.value_at(), "nobody is remembered who is anonymous", what_to_do);
    }
    Some(language).filter(|language| !language.is_empty())
}

fn agent(reader: &mut Reader<'_, '_>, entry: &Entry<'_>) -> Option<AgentGiven> {
    let mut section = reader.document.section(entry)?;
    let name = section.require(&mut reader.document, "name", "write who it is, such as name = \"anna\"");
    let name = name.and_then(|name| reader.user(&name));
    let languages = section.take("languages").map(|entry| reader.languages(&entry));
    let queues = section.take("queues").map(|entry| reader.queues(&entry));
    let topics = section.take("topics").map(|entry| reader.document.texts(&entry)).unwrap_or_default();
    let does = section.take("does").and_then(|entry| reader.word(&entry, &AGENT_DOES));
    section.finish(&mut reader.document);
    Some(AgentGiven {
        name: name?,
        languages,
        topics: topics.into_iter().map(|(topic, _)| topic.to_owned()).collect(),
        queues,
        does: does.unwrap_or(AgentDoes::IsThere(Does::Answers)),
    })
}

fn look_ups(reader: &mut Reader<'_, '_>, entry: &Entry<'_>) -> BTreeMap<String, Answers> {
    let Some(section) = reader.document.section(entry) else { return BTreeMap::new() };
    let mut answers = BTreeMap::new();
    for entry in section.rest() {
        if let Some(one) = look_up(reader, &entry) {
            answers.insert(entry.name.to_owned(), one);
        }
    }
    answers
}

/// `"missing"`, `"failed"`, `"late"` or `{ found = { NAME = "value" } }`.
fn look_up(reader: &mut Reader<'_, '_>, entry: &Entry<'_>) -> Option<Answers> {
    if !entry.value.get_ref().is_table() {
        let words = [("missing", Answers::Missing), ("failed", Answers::Failed), ("late", Answers::Late)];
        return reader.word(entry, &words);
    }
    let mut section = reader.document.section(entry)?;
    let hint = "write { found = { NAME = \"value\" } }, or \"missing\", \"failed\" or \"late\"";
    let found = section.require(&mut reader.document, "found", hint);
    section.finish(&mut reader.document);
    let values = found.and_then(|found| reader.document.section(&found))?;
    Some(Answers::Found(reader.texts_by_name(values)))
}

/// `1, wait 3s, 2, 4711#`.
fn keys(reader: &mut Reader<'_, '_>, entry: &Entry<'_>) -> Option<VecDeque<Move>> {
    let text = reader.document.text(entry)?;
    let mut moves = VecDeque::new();
    for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        match one_move(word) {
            Some(one) => moves.push_back(one),
            None => {
                let what = format!("`{word}` is neither keys nor a wait");
                reader.document.fault(
                    entry.value_at(),
                    what,
                    "write it like keys = \"1, wait 3s, 2, 4711#\"",
                );
            }
        }
    }
    Some(moves)
}

fn one_move(word: &str) -> Option<Move> {
    match word.strip_prefix("wait ") {
        Some(length) => span(length.trim()).map(Move::Wait),
        None => {
            let is_key = |key: char| matches!(key, '0'..='9' | '*' | '#' | 'A'..='D');
            word.chars().all(is_key).then(|| Move::Press(word.to_owned()))
        }
    }
}
