use crate::{Entry, Input, Output, Script, Why};
use base::{Time, Wall};
use std::collections::VecDeque;
use std::sync::Arc;

/// The most nodes that one input may lead through; at the next one the call is ended with the reason
/// `script_limit`.
pub const STEPS_MAX: usize = 64;

/// One call on its way through a script.
#[derive(Debug)]
pub struct Interpreter {
    script: Arc<Script>,
    outputs: VecDeque<Output>,
}

impl Interpreter {
    /// A call that came as `entry` says. Nothing happens before `Input::Start`.
    pub fn new(script: Arc<Script>, _entry: Entry) -> Interpreter {
        Interpreter { script, outputs: VecDeque::new() }
    }

    /// Takes one input. Drain the outputs before the next one.
    pub fn handle(&mut self, _now: Time, _wall: Wall, _input: Input) {}

    /// To be called when the deadline of `poll_timeout` has come; earlier is harmless.
    pub fn handle_timeout(&mut self, _now: Time, _wall: Wall) {}

    /// What is to be done next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The next deadline.
    pub fn poll_timeout(&self) -> Option<(Time, Why)> {
        None
    }

    /// The call's language now.
    pub fn language(&self) -> &str {
        self.script.name()
    }

    /// The node that the call is in.
    pub fn node(&self) -> &str {
        self.script.name()
    }
}
