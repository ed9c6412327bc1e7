//! A desk that somebody has closed by command: what is heard first, and where the call goes then.

use super::{Interpreter, State, Turn};
use crate::script::Exit;
use crate::{Closed, Trace};

/// What stands in the place of a calendar's name where a command has decided.
const COMMAND: &str = "emergency";

impl Interpreter {
    /// Tells, before the script begins, that the desk is closed whatever its calendars say.
    pub fn close(&mut self, closed: Closed) {
        self.closed = Some(closed);
    }

    /// Begins a call to a desk that is closed by command.
    pub(super) fn start_closed(&mut self, turn: Turn, closed: Closed) {
        let Closed { rule, message } = closed;
        self.trace(Trace::Hours { calendar: COMMAND.to_owned(), open: false, rule });
        let script = self.script.clone();
        let exit = script.flow().in_emergency(self.node);
        if let Exit::To(id) = exit {
            self.node = id;
        }
        match (script.sound(&message, &self.language), script.flow().nodes.get(self.node)) {
            (Some(sound), Some(node)) => {
                self.begin_prompt(node, vec![sound]);
                self.state = State::Announcing;
            }
            _ => self.walk(turn, exit),
        }
    }

    /// The message has been heard.
    pub(super) fn announced(&mut self, turn: Turn, complete: bool) {
        self.prompt_ended(complete);
        let exit = self.script.flow().in_emergency(self.node);
        self.walk(turn, exit);
    }
}
