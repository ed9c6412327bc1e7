//! Digits that the caller types.

use super::{Interpreter, State, Turn};
use crate::Trace;
use crate::script::{CollectNode, Exit, Node, Purpose};

impl Interpreter {
    /// Takes what was typed ahead, or says what is to be typed.
    pub(super) fn open_collect(&mut self, turn: Turn, node: &Node) -> Option<Exit> {
        (self.no_inputs, self.no_matches) = (0, 0);
        self.typed.clear();
        if node.say.is_empty() || (node.barge_in && !self.ahead.is_empty()) {
            return self.after_prompt(turn, node);
        }
        self.read_out(node, &[]);
        None
    }

    /// One key. `Some` if it was the last one.
    pub(super) fn type_digit(
        &mut self,
        turn: Turn,
        node: &Node,
        collect: &CollectNode,
        key: char,
    ) -> Option<Exit> {
        if collect.end == Some(key) {
            return self.typed_all(node, collect);
        }
        let allowed = collect.allowed.is_empty() || collect.allowed.contains(&key);
        if !key.is_ascii_digit() || !allowed {
            return self.mistyped(node, collect, key);
        }
        self.typed.push(key);
        if self.typed.len() >= collect.most {
            self.late_end = collect.end;
            return self.typed_all(node, collect);
        }
        self.state = State::Asking { until: turn.now + collect.between };
        None
    }

    /// What was typed is all.
    pub(super) fn typed_all(&mut self, node: &Node, collect: &CollectNode) -> Option<Exit> {
        if self.typed.len() < collect.least {
            let last = self.typed.chars().last().or(collect.end).unwrap_or('#');
            return self.mistyped(node, collect, last);
        }
        let digits = std::mem::take(&mut self.typed);
        let name = node.name.clone();
        match &collect.purpose {
            Purpose::Known(key) => {
                self.trace(Trace::Collected { node: name, digits: shown(&digits, collect.masked) });
                self.become_known(key, &digits, collect.masked);
            }
            Purpose::Survey(question) => {
                let answer = digits.chars().next().unwrap_or('0');
                self.trace(Trace::Surveyed { node: name, question: question.clone(), answer });
            }
        }
        Some(collect.next.clone())
    }

    fn mistyped(&mut self, node: &Node, collect: &CollectNode, key: char) -> Option<Exit> {
        self.typed.clear();
        let key = if collect.masked { '\u{2022}' } else { key };
        self.no_match(node, &collect.no_match, key)
    }

    /// What callers type and others answer: any text.
    pub(super) fn become_known(&mut self, key: &str, value: &str, masked: bool) {
        let value: String = value.chars().take(crate::VALUE_MAX).collect();
        let fits = match key {
            "language" => self.script.flow().languages.contains(&value),
            "priority" => value.len() == 1 && value.bytes().all(|digit| digit.is_ascii_digit()),
            _ => true,
        };
        if !fits {
            return;
        }
        self.trace(Trace::Set { key: key.to_owned(), value: shown(&value, masked) });
        if key == "language" {
            self.language = value;
        } else {
            self.known.insert(key.to_owned(), value);
        }
        self.follow_consent(key);
    }
}

/// A dot for each character that nobody shall read.
fn shown(text: &str, masked: bool) -> String {
    if masked { "\u{2022}".repeat(text.chars().count()) } else { text.to_owned() }
}
