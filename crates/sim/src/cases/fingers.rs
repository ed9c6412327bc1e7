//! The caller's fingers: what they press, and when.

use super::agenda::{Agenda, Thing};
use super::given::Move;
use base::Time;
use facts::FactKind;
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

/// From the last word of a question to the key.
const THINKS: Duration = Duration::from_millis(500);
/// From one key to the next.
const BETWEEN: Duration = Duration::from_millis(250);

pub(super) struct Fingers {
    moves: VecDeque<Move>,
    /// The nodes that ask for keys.
    asking_nodes: BTreeSet<String>,
    /// A question has been heard to its end and is open.
    asked: bool,
    /// A question is open, unless words of it follow at once.
    wordless: bool,
    /// The next keys are for the next question.
    ready: bool,
}

impl Fingers {
    pub(super) fn new(moves: VecDeque<Move>, asking_nodes: BTreeSet<String>) -> Fingers {
        Fingers { moves, asking_nodes, asked: false, wordless: false, ready: false }
    }

    /// Goes on to the next move, from this moment on.
    pub(super) fn go_on(&mut self, now: Time, agenda: &mut Agenda) {
        let mut wait = Duration::ZERO;
        while let Some(Move::Wait(longer)) = self.moves.front() {
            wait += *longer;
            self.moves.pop_front();
        }
        self.ready = false;
        if wait > Duration::ZERO {
            agenda.plan(now + wait, Thing::Waited);
        } else if self.asked {
            self.press(now + THINKS, agenda);
        } else {
            self.ready = !self.moves.is_empty();
        }
    }

    /// Presses the next keys, the first of them at this moment.
    pub(super) fn press(&mut self, at: Time, agenda: &mut Agenda) {
        let Some(Move::Press(keys)) = self.moves.pop_front() else { return };
        self.asked = false;
        let mut when = at;
        for key in keys.chars() {
            agenda.plan(when, Thing::Press(key));
            when = when + BETWEEN;
        }
        // What comes next counts from the last key.
        let last = keys.chars().count().saturating_sub(1);
        let last = at + BETWEEN * u32::try_from(last).unwrap_or(0);
        self.go_on(last, agenda);
    }

    /// Listens to what happens.
    pub(super) fn note(&mut self, now: Time, kind: &FactKind, agenda: &mut Agenda) {
        match kind {
            FactKind::IvrPromptEnded { node, complete: true } if self.asking_nodes.contains(node) => {
                self.is_asked(now, agenda);
            }
            FactKind::IvrEntered { node, .. } => {
                self.asked = false;
                self.wordless = self.asking_nodes.contains(node);
            }
            FactKind::IvrPromptStarted { .. } | FactKind::IvrLeft { .. } => {
                (self.asked, self.wordless) = (false, false);
            }
            _ => {}
        }
    }

    /// Nothing more happens at this moment.
    pub(super) fn settled(&mut self, now: Time, agenda: &mut Agenda) {
        if std::mem::take(&mut self.wordless) {
            self.is_asked(now, agenda);
        }
    }

    fn is_asked(&mut self, now: Time, agenda: &mut Agenda) {
        self.asked = true;
        if std::mem::take(&mut self.ready) {
            self.press(now + THINKS, agenda);
        }
    }
}
