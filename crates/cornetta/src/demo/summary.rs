//! What the demo's callers and agents lived through.

use crate::say::say;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// One caller's experience.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    pub(super) language: &'static str,
    /// A voice was heard before any key was pressed.
    pub(super) greeted: bool,
    /// From the last key to the agent's tone.
    pub(super) waited: Option<Duration>,
    /// The caller heard the agent.
    pub(super) heard_agent: bool,
    /// The agent heard this caller, and not another.
    pub(super) heard_by_agent: bool,
    /// What went wrong.
    pub(super) trouble: Option<String>,
}

/// All of them, by the caller's number.
#[derive(Default)]
pub(super) struct Summary {
    outcomes: Mutex<BTreeMap<String, Outcome>>,
}

impl Summary {
    pub(super) fn agent_heard(&self, caller: &str, heard: bool) {
        self.with(caller, |outcome| outcome.heard_by_agent |= heard);
    }

    pub(super) fn with(&self, caller: &str, change: impl FnOnce(&mut Outcome)) {
        let mut outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        change(outcomes.entry(caller.to_owned()).or_default());
    }

    /// Every caller was greeted, and heard and was heard by an agent.
    pub(super) fn all_heard(&self) -> bool {
        let outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        outcomes.values().all(|outcome| outcome.greeted && outcome.heard_agent && outcome.heard_by_agent)
    }

    pub(super) fn print(&self) {
        let outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut languages: BTreeMap<&str, usize> = BTreeMap::new();
        for outcome in outcomes.values() {
            *languages.entry(outcome.language).or_default() += 1;
        }
        let count = |what: fn(&Outcome) -> bool| outcomes.values().filter(|outcome| what(outcome)).count();
        let waits: Vec<f64> =
            outcomes.values().filter_map(|outcome| outcome.waited).map(|wait| wait.as_secs_f64()).collect();
        say!("\nSummary");
        say!("  calls                         {:>4}", outcomes.len());
        say!("  greeted by a voice            {:>4}", count(|outcome| outcome.greeted));
        say!("  callers who heard their agent {:>4}", count(|outcome| outcome.heard_agent));
        say!("  agents who heard their caller {:>4}", count(|outcome| outcome.heard_by_agent));
        let languages: Vec<String> =
            languages.iter().map(|(name, calls)| format!("{name} {calls}")).collect();
        say!("  languages                     {}", languages.join(", "));
        if !waits.is_empty() {
            let mean = waits.iter().sum::<f64>() / waits.len() as f64;
            let longest = waits.iter().copied().fold(0.0, f64::max);
            say!("  wait for an agent             mean {mean:.1} s, longest {longest:.1} s");
        }
        for (caller, outcome) in outcomes.iter() {
            if let Some(trouble) = &outcome.trouble {
                say!("  trouble: {caller} ({}): {trouble}", outcome.language);
            }
        }
    }
}
