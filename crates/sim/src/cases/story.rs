//! What happened to a call, as its facts tell it.

use facts::{Cause, Fact, FactKind, LegRole, Side, SurveyAnswer};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A call that had a person at its other end, until somebody hung up.
const TALKED: &str = "talked";
/// The caller gave up before.
const HUNG_UP: &str = "hung_up";
const DIGITS: &str = "digits";

/// A call, told.
#[derive(Clone, Debug, Default)]
pub(super) struct Story {
    pub(super) nodes: Vec<String>,
    /// The best sources of what was heard.
    pub(super) heard: Vec<String>,
    /// Where a choice was made, and by which key.
    pub(super) keys: BTreeSet<(String, String)>,
    /// In which nodes were entered.
    pub(super) languages: BTreeSet<String>,
    /// The last one that it waited in.
    pub(super) queue: Option<String>,
    pub(super) language: String,
    /// What is remembered of the caller then.
    pub(super) remembered: Option<String>,
    pub(super) known: BTreeMap<String, String>,
    pub(super) agent: Option<String>,
    /// Who came to interpret.
    pub(super) interpreter: Option<String>,
    /// To whom the script put it through, whatever came of it.
    pub(super) transfer: Option<String>,
    /// Whoever it was put through to has answered.
    put_through: bool,
    pub(super) ends: Option<String>,
    /// From the answer to a human, or to the end.
    pub(super) reached: Duration,
}

impl Story {
    /// Of a caller of whom this is remembered before.
    pub(super) fn of(facts: &[Fact], remembered: Option<String>) -> Story {
        let mut story = Story { remembered, ..Story::default() };
        facts.iter().for_each(|fact| story.add(&fact.kind));
        story.reached = reached(facts);
        story
    }

    fn add(&mut self, kind: &FactKind) {
        match kind {
            FactKind::IvrEntered { node, language, .. } => {
                self.nodes.push(node.clone());
                self.languages.insert(language.clone());
                self.language.clone_from(language);
            }
            FactKind::IvrPromptStarted { prompts, .. } => {
                self.heard.extend(prompts.iter().map(|prompt| prompt.prompt.clone()));
            }
            FactKind::IvrInput { node, key, .. } => drop(self.keys.insert((node.clone(), key.clone()))),
            FactKind::IvrCollected { node, .. } | FactKind::SurveyAnswered(SurveyAnswer { node, .. }) => {
                self.keys.insert((node.clone(), DIGITS.to_owned()));
            }
            FactKind::CallClassified { key, value, .. } => {
                self.known.insert(key.clone(), value.clone());
                if key == "language" {
                    self.language.clone_from(value);
                }
            }
            FactKind::CallerRemembered(told) => self.remembered = Some(told.language.clone()),
            FactKind::CallerForgotten(_) => self.remembered = None,
            FactKind::QueueEntered { queue, language, topic, priority, .. } => {
                self.queue = Some(queue.clone());
                self.language.clone_from(language);
                self.known.insert("topic".to_owned(), topic.clone());
                self.known.insert("priority".to_owned(), priority.to_string());
            }
            FactKind::OfferAccepted { agent, role: LegRole::Interpreter, .. } => {
                self.interpreter = Some(agent.clone());
            }
            FactKind::OfferAccepted { agent, .. } => self.agent = Some(agent.clone()),
            FactKind::TransferStarted { to, by: None } => self.transfer = Some(to.clone()),
            FactKind::CallEnded { end, .. } => {
                self.ends = Some(match (end.cause, end.by) {
                    (Cause::ScriptEnded, _) => end.place.clone(),
                    _ if self.put_through || self.agent.is_some() => TALKED.to_owned(),
                    (Cause::HungUp | Cause::Cancelled, Side::Caller) => HUNG_UP.to_owned(),
                    (cause, _) => cause.sentence_en().to_owned(),
                });
            }
            FactKind::TransferCompleted { .. } => self.put_through = true,
            _ => {}
        }
    }

    /// What is known under a name; nothing known is an empty text.
    pub(super) fn known(&self, name: &str) -> &str {
        self.known.get(name).map_or("", String::as_str)
    }
}

fn reached(facts: &[Fact]) -> Duration {
    let answered = facts.iter().find(|fact| matches!(fact.kind, FactKind::LegConnected { .. }));
    let human = |fact: &&Fact| {
        matches!(
            fact.kind,
            FactKind::OfferAccepted { .. } | FactKind::TransferCompleted { .. } | FactKind::CallEnded { .. }
        )
    };
    let reached = facts.iter().find(human).or(facts.last());
    let between = answered.zip(reached).map(|(from, to)| to.at.unix_micros() - from.at.unix_micros());
    Duration::from_micros(between.and_then(|micros| u64::try_from(micros).ok()).unwrap_or(0))
}
