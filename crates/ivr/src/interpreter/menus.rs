//! Menus: a key that chooses.

use super::{Interpreter, KEYS_AHEAD_MAX, State, Turn};
use crate::script::{Choice, Exit, Kind, Line, Node, Retry};
use crate::{Output, Trace};
use base::Bounded;
use std::time::Duration;

impl Interpreter {
    /// Answers with a key pressed ahead, or reads the menu out.
    pub(super) fn open_menu(&mut self, node: &Node) -> Option<Exit> {
        (self.no_inputs, self.no_matches) = (0, 0);
        let ahead = if node.barge_in { self.ahead.pop() } else { None };
        if let Some(key) = ahead {
            return self.choose(node, key);
        }
        self.read_out(node, &[]);
        None
    }

    /// Says what is asked, after the words `before`.
    pub(super) fn read_out(&mut self, node: &Node, before: &[Line]) {
        let mut sounds = self.sounds(before);
        sounds.extend(self.sounds_of(self.said_in(node)));
        self.play(node, sounds);
    }

    /// What is asked has been read out: keys may already have been pressed.
    pub(super) fn ask(&mut self, turn: Turn, node: &Node, timeout: Duration) -> Option<Exit> {
        self.state = State::Asking { until: turn.now + timeout };
        while let Some(key) = self.ahead.pop() {
            let exit = self.answer(turn, node, key);
            if exit.is_some() || !matches!(self.state, State::Asking { .. }) {
                return exit;
            }
        }
        None
    }

    /// A key where one is asked for.
    pub(super) fn answer(&mut self, turn: Turn, node: &Node, key: char) -> Option<Exit> {
        match &node.kind {
            Kind::Collect(collect) => self.type_digit(turn, node, collect, key),
            _ => self.choose(node, key),
        }
    }

    pub(super) fn key_during_prompt(&mut self, turn: Turn, node: &Node, key: char) -> Option<Exit> {
        match &node.kind {
            Kind::Menu { .. } | Kind::Collect(_) if node.barge_in => {
                self.cut();
                self.answer(turn, node, key)
            }
            Kind::Say { next } if node.barge_in => {
                self.keep(key);
                if !node.asks {
                    return None;
                }
                self.cut();
                Some(next.clone())
            }
            _ => None,
        }
    }

    pub(super) fn cut(&mut self) {
        self.outputs.push_back(Output::Stop);
        self.prompt_ended(false);
    }

    pub(super) fn keep(&mut self, key: char) {
        // The rule for a full buffer: the newest key is lost.
        let _lost = self.ahead.push(key);
    }

    /// What `key` leads to in the menu `node`. `None` if the menu is heard again.
    fn choose(&mut self, node: &Node, key: char) -> Option<Exit> {
        let Kind::Menu { choices, no_match, .. } = &node.kind else { return None };
        let Some(choice) = choices.iter().find(|choice| choice.key == key) else {
            return self.no_match(node, no_match, key);
        };
        self.trace(Trace::Chosen { node: node.name.clone(), key, choice: self.chosen(choice) });
        self.set_all(&choice.set);
        Some(choice.next.clone())
    }

    /// What the log says that a key chose: the value that it set, or else the node that it led to.
    fn chosen(&self, choice: &Choice) -> String {
        match (choice.set.first(), &choice.next) {
            (Some(set), _) => set.value.clone(),
            (None, Exit::To(id)) => {
                self.script.flow().nodes.get(*id).map_or(String::new(), |node| node.name.clone())
            }
            (None, Exit::HangUp(reason)) => (*reason).to_owned(),
        }
    }

    pub(super) fn no_match(&mut self, node: &Node, retry: &Retry, key: char) -> Option<Exit> {
        self.no_matches += 1;
        // Whoever missed one key did not mean the ones after it either.
        self.ahead = Bounded::new(KEYS_AHEAD_MAX);
        self.trace(Trace::NoMatch { node: node.name.clone(), key, attempt: self.no_matches });
        self.again(node, retry, self.no_matches)
    }

    pub(super) fn no_input(&mut self, node: &Node) -> Option<Exit> {
        let no_input = match &node.kind {
            Kind::Menu { no_input, .. } => no_input,
            Kind::Collect(collect) if self.typed.is_empty() => &collect.no_input,
            Kind::Collect(collect) => return self.typed_all(node, collect),
            _ => return None,
        };
        self.no_inputs += 1;
        self.trace(Trace::NoInput { node: node.name.clone(), attempt: self.no_inputs });
        self.again(node, no_input, self.no_inputs)
    }

    /// Reads the menu out again, unless it has been tried often enough.
    pub(super) fn again(&mut self, node: &Node, retry: &Retry, attempt: u32) -> Option<Exit> {
        if attempt >= retry.tries {
            return Some(retry.next.clone());
        }
        self.read_out(node, &retry.say);
        None
    }
}
