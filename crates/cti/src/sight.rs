//! Whose things somebody is shown: those of every body, or those of one. What is another body's is to whoever asks as if it
//! were not there.

use facts::{Fact, FactKind, Snapshot, body_of};

/// What is seen: all, or what is this body's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sight(pub(crate) Option<String>);

impl Sight {
    /// Whether what is of this body, or of none, is seen.
    pub(crate) fn has(&self, body: Option<&str>) -> bool {
        self.0.is_none() || self.0.as_deref() == body
    }

    /// Whether what is called so is seen: a queue, an agent, a script, a recording.
    pub(crate) fn has_name(&self, name: &str) -> bool {
        self.has(body_of(name))
    }

    /// Whether a fact is told: of the installation's own, only that after which whoever folds facts begins with agents anew.
    pub(crate) fn has_fact(&self, fact: &Fact) -> bool {
        self.has(fact.body.as_deref()) || matches!(fact.kind, FactKind::SystemStarted { .. })
    }

    /// Leaves of a snapshot what is seen. Trunks and bans are no body's. Without the fields that are named here nothing
    /// compiles, so that whoever adds one decides.
    pub(crate) fn of(&self, snapshot: &mut Snapshot) {
        let Snapshot { as_of: _, calls, queues, agents, trunks, bans, emergencies, callbacks } = snapshot;
        calls.retain(|_, call| self.has(call.body.as_deref()));
        queues.retain(|queue, _| self.has_name(queue));
        agents.retain(|agent, _| self.has_name(agent));
        trunks.retain(|_, _| self.has(None));
        bans.retain(|_, _| self.has(None));
        emergencies.retain(|_, closed| self.has(closed.body.as_deref()));
        callbacks.retain(|_, callback| self.has_name(&callback.queue));
    }
}
