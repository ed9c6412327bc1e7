//! Facts on their way to disk, and what the disk knows of the time before.

use base::Time;
use engine::{BrokenCall, Past};
use facts::{AgentState, Fact};
use journal::{Journal, Recovery};
use std::sync::Arc;
use std::time::Duration;

/// How soon a full or failing log is tried again.
const RETRY: Duration = Duration::from_millis(20);

/// Facts that the log has not taken yet. They are never dropped: while the log cannot take them they wait
/// here, and the log says on `/healthz` why.
pub(super) struct Unwritten {
    journal: Arc<Journal>,
    facts: Vec<Fact>,
    refused: bool,
}

impl Unwritten {
    pub(super) fn new(journal: Arc<Journal>) -> Unwritten {
        Unwritten { journal, facts: Vec::new(), refused: false }
    }

    pub(super) fn push(&mut self, fact: Fact) {
        self.facts.push(fact);
    }

    /// Hands everything to the log, if it takes it. True if nothing is left.
    pub(super) fn write(&mut self) -> bool {
        if self.facts.is_empty() {
            return true;
        }
        match self.journal.try_append(std::mem::take(&mut self.facts)) {
            Ok(()) => self.refused = false,
            Err(facts) => {
                if !self.refused {
                    tracing::error!(waiting = facts.len(), "the log does not take facts; they wait in memory");
                }
                (self.facts, self.refused) = (facts, true);
            }
        }
        !self.refused
    }

    /// When to try again, if the log refused.
    pub(super) fn retry_at(&self, now: Time) -> Time {
        if self.refused { now + RETRY } else { Time::FAR }
    }

    /// Waits until everything handed over is on disk.
    pub(super) fn wait_for_disk(&self, at_most: Duration) {
        if !self.journal.flush(at_most) {
            tracing::error!("the last facts did not reach the disk in time");
        }
    }
}

/// What an engine must know of the log to go on with it.
pub(super) fn past(recovery: &Recovery) -> Past {
    let broken = recovery.open_calls.iter().map(|open| BrokenCall {
        call: open.call.clone(),
        callseq: open.callseq,
        legs: open.legs.clone(),
        arrived: open.arrived,
    });
    let agents = recovery.snapshot.agents.iter();
    let paused = agents.filter(|(_, agent)| agent.state == AgentState::Paused);
    Past {
        head: recovery.head,
        broken: broken.collect(),
        paused: paused.map(|(name, agent)| (name.clone(), agent.reason.clone().unwrap_or_default())).collect(),
    }
}
