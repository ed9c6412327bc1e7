//! Calls on their way to being sent: by the ways that are known, or after the answer of a name server.

use super::ways::Found;
use super::{Call, Flow, How, SessionId, Towards, UserAgent};
use crate::locate::{Answer, Query};
use base::Time;
use std::collections::BTreeMap;

/// Calls that wait for a name server. Their places are reserved, which bounds them; and the locator gives
/// every query an end.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    calls: BTreeMap<Query, Vec<(SessionId, Call)>>,
}

impl UserAgent {
    /// Calls with a reserved id.
    pub(super) fn call(&mut self, now: Time, session: SessionId, call: Call) {
        if !self.sessions.is_reserved(session) {
            return;
        }
        match self.wire.ways(now, &call.towards, call.urgent) {
            Found::Ways(ways) => {
                // A registered device is called by the way that its REGISTER came, and so is what follows.
                let knows = |flow: &Flow| self.wire.registrar.knows(*flow);
                let symmetric = matches!(&call.towards, Towards::Flows(flows) if flows.iter().all(knows));
                self.sessions.call(&mut self.wire, now, session, call, ways, symmetric);
            }
            Found::WaitsFor(query) => {
                self.waiting.calls.entry(query).or_default().push((session, call));
            }
            Found::None(why) => {
                self.sessions.end_reserved(&mut self.wire, session, How::FlowFailed, why);
            }
        }
    }

    /// An answer of a name server.
    pub(super) fn resolved(&mut self, now: Time, query: Query, answer: Answer) {
        self.wire.resolved(now, query.clone(), answer);
        self.go_on_after(now, &query);
    }

    /// Name servers that the shell has not told of are given up.
    pub(super) fn locating_timeout(&mut self, now: Time) {
        for query in self.wire.ways_timeout(now) {
            self.go_on_after(now, &query);
        }
    }

    fn go_on_after(&mut self, now: Time, query: &Query) {
        for (session, call) in self.waiting.calls.remove(query).unwrap_or_default() {
            self.call(now, session, call);
        }
        self.sessions.located(&mut self.wire, now, query);
        self.registrations.located(&mut self.wire, now);
        self.health.located(&mut self.wire, now);
    }
}
