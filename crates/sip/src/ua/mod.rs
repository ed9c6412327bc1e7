//! The user agent: transactions, sessions, registrar and registrations behind one face.

mod api;

pub use api::*;

use base::{Seed, Slots, Time};
use std::collections::VecDeque;

/// A SIP user agent without sockets or clock: datagrams, framed messages, acts and deadlines go in; bytes
/// to send and events come out. After each input, drain [`UserAgent::poll_output`].
#[derive(Debug)]
pub struct UserAgent {
    config: Config,
    outputs: VecDeque<Output>,
    sessions: Slots<()>,
}

/// How much a user agent holds: all zero when nothing is left to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Transactions that are not terminated.
    pub transactions: usize,
    /// Sessions reserved, living, or with a last request on its way.
    pub sessions: usize,
    /// Registered contacts of accounts.
    pub contacts: usize,
}

impl UserAgent {
    /// A user agent; registrations with trunks begin at once.
    pub fn new(config: Config, seed: Seed, now: Time) -> UserAgent {
        let _ = (seed, now);
        let sessions = Slots::new(config.limits.sessions);
        UserAgent { config, outputs: VecDeque::new(), sessions }
    }

    /// Takes one input.
    pub fn handle(&mut self, now: Time, input: Input) {
        let _ = (now, input, &self.config);
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Time) {
        let _ = now;
    }

    /// The next thing to do, in the order in which they are to be done.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When `handle_timeout` is due next, and why.
    pub fn poll_timeout(&self) -> Option<(Time, Why)> {
        None
    }

    /// An id for a [`Do::Call`]; nothing if as many sessions as allowed are there.
    pub fn reserve(&mut self) -> Option<SessionId> {
        self.sessions.insert(()).ok().map(|key| SessionId::from_number(key.number()))
    }

    /// The living contacts of an account, oldest first.
    pub fn contacts(&self, user: &str) -> &[Contact] {
        let _ = user;
        &[]
    }

    /// How much is held.
    pub fn load(&self) -> Load {
        Load { transactions: 0, sessions: self.sessions.len(), contacts: 0 }
    }

    /// Whether no transaction and no session is left; contacts may be.
    pub fn is_idle(&self) -> bool {
        self.sessions.is_empty()
    }
}
