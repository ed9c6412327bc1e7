//! Questions to others, while the caller hears a word of comfort.

use super::{Interpreter, State, Turn};
use crate::script::{Exit, Kind, LookUpNode, Node};
use crate::{Answer, Output, Trace};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

impl Interpreter {
    /// Asks, and says what the node says meanwhile.
    pub(super) fn look_up(&mut self, turn: Turn, node: &Node, asked: &LookUpNode) -> Option<Exit> {
        self.serial += 1;
        let with = asked.with.iter().map(|(_, value)| self.value(value)).collect();
        let look_up = Arc::clone(&asked.look_up);
        let until = turn.now + look_up.deadline;
        self.outputs.push_back(Output::LookUp { serial: self.serial, look_up, with });
        let comfort = self.sounds(&node.say);
        let playing = !comfort.is_empty();
        if playing {
            self.begin_prompt(node, comfort);
        }
        self.state = State::LookingUp { since: turn.now, until, playing };
        None
    }

    /// The caller need not hear the rest.
    pub(super) fn stop_comfort(&mut self) {
        if matches!(self.state, State::LookingUp { playing: true, .. }) {
            self.cut();
        }
    }

    pub(super) fn looked_up(&mut self, node: &Node, waited: Duration, answer: Answer) -> Option<Exit> {
        let Kind::LookUp(asked) = &node.kind else { return None };
        let (outcome, exit) = match answer {
            Answer::Found(values) => {
                self.note_look_up(node, asked, "found", waited);
                self.learn(asked, &values);
                return Some(asked.found.clone());
            }
            Answer::Missing => ("missing", asked.missing.clone()),
            Answer::Failed => ("failed", self.without_answer(asked)),
        };
        self.note_look_up(node, asked, outcome, waited);
        Some(exit)
    }

    /// Nobody answered in time. Whatever comes later is passed over.
    pub(super) fn look_up_late(&mut self, node: &Node, waited: Duration) -> Option<Exit> {
        let Kind::LookUp(asked) = &node.kind else { return None };
        self.note_look_up(node, asked, "late", waited);
        Some(self.without_answer(asked))
    }

    /// The default, if there is one, counts as found.
    fn without_answer(&mut self, asked: &LookUpNode) -> Exit {
        let Some(default) = &asked.look_up.default else { return asked.failed.clone() };
        self.learn(asked, default);
        asked.found.clone()
    }

    fn learn(&mut self, asked: &LookUpNode, values: &BTreeMap<String, String>) {
        for (key, value) in values.iter().filter(|(key, _)| asked.look_up.gives.contains_key(*key)) {
            self.become_known(key, value, false);
        }
    }

    fn note_look_up(&mut self, node: &Node, asked: &LookUpNode, outcome: &'static str, waited: Duration) {
        let (node, look_up) = (node.name.clone(), asked.look_up.name.clone());
        self.trace(Trace::LookedUp { node, look_up, outcome, waited });
    }
}
