//! Figures for Prometheus, in its text format 0.0.4.

use crate::Counter;
use facts::{AgentState, Snapshot};
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

/// Answers by the first figure of their status.
#[derive(Debug, Default)]
pub(crate) struct Answers([AtomicU64; 5]);

impl Answers {
    pub(crate) fn count(&self, status: u16) {
        if let Some(class) = usize::from(status / 100).checked_sub(1).and_then(|class| self.0.get(class)) {
            class.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// What the shell knows beside the snapshot.
pub(crate) struct Figures<'a> {
    pub(crate) head: u64,
    pub(crate) readers: usize,
    pub(crate) lag_max: u64,
    pub(crate) connections_refused: u64,
    pub(crate) journal_healthy: bool,
    pub(crate) answers: &'a Answers,
    pub(crate) counters: Vec<Counter>,
}

/// The whole page.
pub(crate) fn page(snapshot: &Snapshot, figures: &Figures<'_>) -> String {
    let mut page = String::new();
    let refused = figures.connections_refused;
    one(&mut page, "cornetta_facts_head", "gauge", "Number of the last fact on disk.", figures.head);
    one(
        &mut page,
        "cornetta_journal_healthy",
        "gauge",
        "1 if the log can write.",
        figures.journal_healthy.into(),
    );
    one(&mut page, "cornetta_cti_readers", "gauge", "Readers of events.", figures.readers as u64);
    one(
        &mut page,
        "cornetta_cti_lag_max",
        "gauge",
        "Facts that the slowest reader is behind.",
        figures.lag_max,
    );
    one(
        &mut page,
        "cornetta_http_connections_refused_total",
        "counter",
        "Connections beyond the limit.",
        refused,
    );
    desks(&mut page, snapshot);
    many(
        &mut page,
        "cornetta_trunk_up",
        "gauge",
        "1 if the trunk can take calls.",
        "trunk",
        trunks(snapshot),
    );
    let bans = snapshot.bans.len() as u64;
    one(&mut page, "cornetta_bans", "gauge", "Sources that are kept out.", bans);
    let answers = ["1xx", "2xx", "3xx", "4xx", "5xx"].into_iter().zip(&figures.answers.0);
    let answers = answers.map(|(class, count)| (class, count.load(Ordering::Relaxed)));
    many(&mut page, "cornetta_http_responses_total", "counter", "HTTP answers by class.", "class", answers);
    for Counter { name, help, label, values } in &figures.counters {
        let values = values.iter().map(|(of, count)| (of.as_str(), *count));
        many(&mut page, name, "counter", help, label, values);
    }
    page
}

/// What a body is told: what goes on at its own desks.
pub(crate) fn page_of_body(snapshot: &Snapshot) -> String {
    let mut page = String::new();
    desks(&mut page, snapshot);
    page
}

fn desks(page: &mut String, snapshot: &Snapshot) {
    one(page, "cornetta_calls", "gauge", "Calls that have not ended.", snapshot.calls.len() as u64);
    many(page, "cornetta_queue_waiting", "gauge", "Calls that wait.", "queue", queues(snapshot));
    many(page, "cornetta_agents", "gauge", "Agents by what they do.", "state", agents(snapshot));
}

fn queues(snapshot: &Snapshot) -> impl Iterator<Item = (&str, u64)> {
    snapshot.queues.iter().map(|(queue, now)| (queue.as_str(), now.waiting.len() as u64))
}

fn trunks(snapshot: &Snapshot) -> impl Iterator<Item = (&str, u64)> {
    snapshot.trunks.iter().map(|(trunk, now)| (trunk.as_str(), u64::from(now.up)))
}

/// Every state has its line, so that a graph shows zero and not nothing.
fn agents(snapshot: &Snapshot) -> impl Iterator<Item = (&'static str, u64)> {
    let states = [
        (AgentState::LoggedOff, "logged_off"),
        (AgentState::Ready, "ready"),
        (AgentState::Offered, "offered"),
        (AgentState::Talking, "talking"),
        (AgentState::Wrapup, "wrapup"),
        (AgentState::Paused, "paused"),
    ];
    states.map(|(state, name)| (name, count(snapshot, state))).into_iter()
}

fn count(snapshot: &Snapshot, state: AgentState) -> u64 {
    snapshot.agents.values().filter(|agent| agent.state == state).count() as u64
}

fn one(page: &mut String, name: &str, kind: &str, help: &str, value: u64) {
    // Writing to a String cannot fail.
    let _ = writeln!(page, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
}

fn many<'a>(
    page: &mut String,
    name: &str,
    kind: &str,
    help: &str,
    label: &str,
    values: impl Iterator<Item = (&'a str, u64)>,
) {
    let _ = writeln!(page, "# HELP {name} {help}\n# TYPE {name} {kind}");
    for (of, value) in values {
        let of = of.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let _ = writeln!(page, "{name}{{{label}=\"{of}\"}} {value}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use facts::{AgentNow, QueueNow};

    #[test]
    fn a_name_cannot_break_out_of_its_label() {
        let mut snapshot = Snapshot::default();
        snapshot.queues.insert("a\"}\n\\b".into(), QueueNow { waiting: vec!["c1".into()] });
        snapshot.agents.insert("anna".into(), AgentNow { state: AgentState::Paused, reason: None });
        let answers = Answers::default();
        answers.count(204);
        answers.count(999);
        let figures = Figures {
            head: 7,
            readers: 0,
            lag_max: 0,
            connections_refused: 0,
            journal_healthy: true,
            answers: &answers,
            counters: vec![Counter {
                name: "cornetta_guard_bans_total",
                help: "Bans.",
                label: "rule",
                values: vec![("flood".into(), 3)],
            }],
        };
        let page = page(&snapshot, &figures);
        for line in [
            "cornetta_facts_head 7",
            r#"cornetta_queue_waiting{queue="a\"}\n\\b"} 1"#,
            r#"cornetta_agents{state="paused"} 1"#,
            r#"cornetta_agents{state="ready"} 0"#,
            "cornetta_bans 0",
            "# TYPE cornetta_guard_bans_total counter",
            r#"cornetta_guard_bans_total{rule="flood"} 3"#,
            r#"cornetta_http_responses_total{class="2xx"} 1"#,
        ] {
            assert!(page.lines().any(|got| got == line), "{line} not in\n{page}");
        }
    }
}
