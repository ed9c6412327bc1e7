//! A caller walks: what is heard is heard to its end, keys are pressed as soon as they can be, and time passes as fast as it can.

mod telling;

use base::{Time, Wall};
use engine::{Config, HOPS_MAX, Service};
use ivr::{Answer, Entry, Input, Interpreter, Script, TransferEnd};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Far more than a caller could do.
const TURNS_MAX: usize = 10_000;

/// One thing that happens.
pub(super) struct Step {
    pub(super) node: String,
    /// What kind of thing, for programs.
    kind: &'static str,
    pub(super) italian: String,
    /// What programs want to know of it.
    more: Value,
}

impl Step {
    pub(super) fn json(&self) -> Value {
        let mut step = json!({ "node": self.node, "kind": self.kind, "it": self.italian });
        if let (Some(step), Value::Object(more)) = (step.as_object_mut(), &self.more) {
            step.extend(more.clone());
        }
        step
    }
}

/// A caller's way through the scripts of the house.
pub(super) struct Walk<'c> {
    config: &'c Config,
    /// Who called, and what was dialled first.
    entry: Entry,
    script: Arc<Script>,
    /// The number that it answers.
    number: String,
    /// What is known by names that all scripts agree on.
    brought: BTreeMap<String, String>,
    interpreter: Interpreter,
    now: Time,
    wall: Wall,
    /// Those yet to be pressed, the next one last.
    keys: Vec<char>,
    pub(super) steps: Vec<Step>,
    /// The last one that was entered.
    node: String,
    /// A look-up that is not answered yet.
    asked: Option<u32>,
    /// Where within the house the script has sent the caller.
    sent: Option<String>,
    hops: u32,
    playing: bool,
    over: bool,
}

impl<'c> Walk<'c> {
    pub(super) fn new(
        config: &'c Config,
        (script, entry): (&Arc<Script>, Entry),
        wall: Wall,
        keys: &str,
    ) -> Walk<'c> {
        Walk {
            config,
            script: script.clone(),
            number: entry.dialled.clone(),
            interpreter: Interpreter::new(script.clone(), entry.clone()),
            brought: entry.brought.clone(),
            entry,
            now: Time::ZERO,
            wall,
            keys: keys.chars().filter(|key| *key != ',' && *key != ' ').rev().collect(),
            steps: Vec::new(),
            node: String::new(),
            asked: None,
            sent: None,
            hops: 0,
            playing: false,
            over: false,
        }
    }

    pub(super) fn go(&mut self) {
        self.tell(Input::Start);
        for _ in 0..TURNS_MAX {
            if self.over {
                return;
            }
            if let Some(to) = self.sent.take() {
                self.goes_on(&to);
            } else if let Some(serial) = self.asked.take() {
                self.tell(Input::LookedUp { serial, answer: Answer::Failed });
            } else if std::mem::take(&mut self.playing) {
                self.tell(Input::Played { complete: true });
            } else if let Some(key) = self.keys.pop() {
                self.tell(Input::Digit(key));
            } else if let Some((at, _)) = self.interpreter.poll_timeout() {
                self.wall = self.wall + at.since(self.now);
                self.now = at;
                self.interpreter.handle_timeout(self.now, self.wall);
                self.drain();
            } else {
                return;
            }
        }
    }

    /// As a call does: in the script that answers there, with what goes along.
    fn goes_on(&mut self, to: &str) {
        let body = self.config.bodies.of_number(&self.number);
        let found = self.config.sent_to(body, to).filter(|_| self.hops < HOPS_MAX);
        let Some((Service::Script { script, language }, number)) = found else {
            self.step(
                "transfer_failed",
                format!("{to} non porta a nulla: torna allo script"),
                json!({ "to": to }),
            );
            return self.tell(Input::TransferFailed(TransferEnd::Unknown));
        };
        let name = script.name().to_owned();
        let words = format!("prosegue al {number}: risponde lo script «{name}»");
        self.step("script", words, json!({ "number": number, "script": name }));
        let spoken = self.interpreter.language().to_owned();
        let spoken = Some(spoken).filter(|spoken| script.languages().any(|known| known == spoken));
        let entry = Entry {
            written: self.config.numbering.written_in(&script, &number).to_owned(),
            dialled: number.clone(),
            language: spoken.or(language),
            brought: self.brought.clone(),
            remembered: None,
            ..self.entry.clone()
        };
        (self.interpreter, self.script, self.number) =
            (Interpreter::new(script.clone(), entry), script, number);
        self.hops += 1;
        self.tell(Input::Start);
    }

    fn tell(&mut self, input: Input) {
        self.interpreter.handle(self.now, self.wall, input);
        self.drain();
    }
}
