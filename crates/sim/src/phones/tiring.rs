//! Nobody sits in front of a call for ever whose end was lost on the way.

use super::callee::{Act, Callee, Leg, State};
use super::stack::Stack;
use std::time::Duration;

/// Ringing and talk take no longer: of agents, and of parties outside, who are rung for up to ten minutes.
const TIRES_AFTER: [Duration; 2] = [Duration::from_secs(400), Duration::from_secs(800)];

impl Callee {
    pub(super) fn add(&mut self, stack: &Stack, leg: Leg) {
        let [agents, others] = TIRES_AFTER;
        let tires_after = if self.account.is_some() { agents } else { others };
        self.plan(stack.now + tires_after, &leg.dialog.call_id, Act::Tires);
        self.legs.push(leg);
    }

    /// Without it a phone that missed a CANCEL, an ACK or a BYE would be busy for ever.
    pub(super) fn tires(&mut self, stack: &mut Stack, at: usize) {
        match self.legs.get(at).map(|leg| leg.state) {
            Some(State::Up(_) | State::Calling) => self.hang_up(stack, at),
            Some(State::Ringing | State::Cancelled) => self.end(stack, at),
            Some(State::Over) | None => {}
        }
    }
}
