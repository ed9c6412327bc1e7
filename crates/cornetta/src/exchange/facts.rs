//! Facts on their way to disk, and what the disk knows of the time before.

use base::Time;
use engine::Past;
use facts::Fact;
use journal::{Journal, Recovery};
use std::sync::Arc;
use std::time::Duration;

/// How soon a full or failing log is tried again.
const RETRY: Duration = Duration::from_millis(20);

/// Facts that the log has not taken yet. They are never dropped: while the log cannot take them they wait
/// here, no new calls are taken, and `/healthz` says why.
pub(super) struct Unwritten {
    journal: Arc<Journal>,
    facts: Vec<Fact>,
    last: u64,
    refused: bool,
}

impl Unwritten {
    pub(super) fn new(journal: Arc<Journal>) -> Unwritten {
        Unwritten { journal, facts: Vec::new(), last: 0, refused: false }
    }

    pub(super) fn push(&mut self, fact: Fact) {
        self.last = fact.number;
        self.facts.push(fact);
    }

    /// Hands everything to the log, if it takes it.
    pub(super) fn write(&mut self) {
        if self.facts.is_empty() {
            return;
        }
        match self.journal.try_append(std::mem::take(&mut self.facts)) {
            Ok(()) => self.refused = false,
            Err(refused) => {
                if !self.refused {
                    tracing::error!("{refused}");
                }
                (self.facts, self.refused) = (refused.facts, true);
            }
        }
    }

    /// The number of the last fact, on disk or not.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// The log does not keep up.
    pub(super) fn refused(&self) -> bool {
        self.refused
    }

    /// When to try again, if the log refused.
    pub(super) fn retry_at(&self, now: Time) -> Time {
        if self.refused { now + RETRY } else { Time::FAR }
    }

    /// Waits until everything is on disk, at most so long. Called when the engine has ended.
    pub(super) fn finish(mut self, at_most: Duration) {
        let tries = at_most.as_millis() / RETRY.as_millis();
        for _ in 0..tries {
            self.write();
            if !self.refused {
                break;
            }
            std::thread::sleep(RETRY);
        }
        if self.refused || !self.journal.wait_durable(self.last, at_most) {
            tracing::error!("the last facts did not reach the disk; {:?}", self.journal.healthy().err());
        }
    }
}

/// What an engine must know of the log to go on with it.
pub(super) fn past(recovery: &Recovery) -> Past {
    Past {
        head: recovery.head,
        broken: recovery.open_calls.clone(),
        paused: recovery.paused.clone(),
        charges: recovery.charges.clone(),
        bans: recovery.snapshot.bans.values().cloned().collect(),
        emergencies: recovery.snapshot.emergencies.values().cloned().collect(),
        callbacks: recovery.snapshot.callbacks.clone(),
        memories: recovery.memories.clone(),
    }
}
