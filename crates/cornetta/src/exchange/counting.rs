//! How often things happened since the start, for `/metrics`.

use cti::{Counter, Counters};
use facts::FactKind;
use lookups::{LookUpCounter, LookUpCounts};
use net::{MediaCounter, MediaCounts, SipCounter, SipCounts};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use trace::Trace;

/// What the facts say of the guard: by rule.
#[derive(Clone, Debug, Default)]
pub(super) struct Guarded(Arc<Mutex<ByRule>>);

#[derive(Debug, Default)]
struct ByRule {
    refused: BTreeMap<String, u64>,
    banned: BTreeMap<String, u64>,
}

impl Guarded {
    pub(super) fn learn(&self, kind: &FactKind) {
        let mut rules = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match kind {
            FactKind::SecurityBlocked { rule, count, .. } => add(&mut rules.refused, rule, *count),
            FactKind::SecurityBanned(ban) => add(&mut rules.banned, &ban.rule, 1),
            _ => {}
        }
    }

    fn counters(&self) -> [Counter; 2] {
        let rules = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let values = |by: &BTreeMap<String, u64>| by.iter().map(|(rule, n)| (rule.clone(), *n)).collect();
        [
            Counter {
                name: "cornetta_guard_refused_total",
                help: "Messages and calls that a rule refused; summed up every minute.",
                label: "rule",
                values: values(&rules.refused),
            },
            Counter {
                name: "cornetta_guard_bans_total",
                help: "Bans that began, by their rule.",
                label: "rule",
                values: values(&rules.banned),
            },
        ]
    }
}

/// Rules are the guard's own, and few.
fn add(counts: &mut BTreeMap<String, u64>, rule: &str, count: u64) {
    match counts.get_mut(rule) {
        Some(known) => *known = known.saturating_add(count),
        None => {
            counts.insert(rule.to_owned(), count);
        }
    }
}

/// All of them together.
pub(super) fn counters(
    guarded: Guarded,
    sip: SipCounter,
    media: MediaCounter,
    trace: Trace,
    look_ups: LookUpCounter,
) -> Counters {
    Counters(Arc::new(move || {
        let mut all = sockets(sip.counts());
        all.extend(guarded.counters());
        all.extend(spoken(media.counts()));
        all.push(traced(trace.counts()));
        all.push(looked_up(look_ups.counts()));
        all
    }))
}

fn sockets(counts: SipCounts) -> Vec<Counter> {
    let values =
        |values: &[(&str, u64)]| values.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
    vec![
        Counter {
            name: "cornetta_sip_messages_total",
            help: "SIP messages that came and went.",
            label: "way",
            values: values(&[("in", counts.received), ("out", counts.sent)]),
        },
        Counter {
            name: "cornetta_sip_dropped_total",
            help: "Datagrams that were not read (banned, behind) and messages that could not be sent.",
            label: "why",
            values: values(&[
                ("banned", counts.dropped_banned),
                ("behind", counts.dropped_full),
                ("unsent", counts.unsent),
            ]),
        },
        Counter {
            name: "cornetta_sip_connections_ended_total",
            help: "Connections that a limit refused, and those that were cut.",
            label: "why",
            values: values(&[("refused", counts.connections_refused), ("cut", counts.connections_cut)]),
        },
    ]
}

fn spoken(counts: MediaCounts) -> [Counter; 2] {
    let values =
        |values: &[(&str, u64)]| values.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
    [
        Counter {
            name: "cornetta_media_datagrams_total",
            help: "Datagrams of media that came and went, and those that could not be sent.",
            label: "way",
            values: values(&[("in", counts.received), ("out", counts.sent), ("unsent", counts.unsent)]),
        },
        Counter {
            name: "cornetta_media_ticks_total",
            help: "Turns of the media threads, and how many of them came 5 ms or more too late.",
            label: "which",
            values: values(&[("all", counts.ticks), ("late", counts.late_ticks)]),
        },
    ]
}

fn traced(counts: trace::Counts) -> Counter {
    let values = [
        ("stored", counts.stored),
        ("dropped", counts.dropped),
        ("exported", counts.exported),
        ("unexported", counts.unexported),
        ("legs_refused", counts.refused_legs),
    ];
    Counter {
        name: "cornetta_trace_messages_total",
        help: "Messages of calls that were kept, lost, sent to Homer, or not; legs that are not kept.",
        label: "outcome",
        values: values.map(|(name, count)| (name.to_owned(), count)).into(),
    }
}

fn looked_up(counts: LookUpCounts) -> Counter {
    let values = [
        ("found", counts.found),
        ("missing", counts.missing),
        ("failed", counts.failed),
        ("cached", counts.cached),
        ("spared", counts.spared),
        ("refused", counts.refused),
    ];
    Counter {
        name: "cornetta_look_ups_total",
        help: "Questions of scripts: answered, from the cache, and not asked because the source fails or is busy.",
        label: "outcome",
        values: values.map(|(name, count)| (name.to_owned(), count)).into(),
    }
}
