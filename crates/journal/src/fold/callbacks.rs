//! Who will be called back, by what the facts say, over any restart.

use base::Wall;
use facts::{CallbackNow, Fact, FactKind};
use std::collections::BTreeMap;

/// Callbacks are told beside the call that they are about, or alone.
pub(super) fn apply(callbacks: &mut BTreeMap<u64, CallbackNow>, fact: &Fact) {
    match &fact.kind {
        FactKind::CallbackRequested { callback, .. } => {
            if let Some(now) = requested(fact) {
                callbacks.entry(*callback).or_insert(now);
            }
        }
        FactKind::CallbackOffered { callback, .. } => change(callbacks, *callback, |now| now.pauses = false),
        FactKind::CallbackAttempted { callback, attempt, .. } => {
            change(callbacks, *callback, |now| now.attempts = *attempt);
        }
        FactKind::CallbackPostponed { callback, .. } => change(callbacks, *callback, |now| {
            (now.pauses, now.at) = (true, fact.at);
        }),
        FactKind::CallbackCompleted { callback, .. }
        | FactKind::CallbackFailed { callback, .. }
        | FactKind::CallbackCancelled { callback, .. } => {
            callbacks.remove(callback);
        }
        _ => {}
    }
}

fn requested(fact: &Fact) -> Option<CallbackNow> {
    let FactKind::CallbackRequested {
        queue,
        number,
        dialled,
        language,
        topic,
        priority,
        tries,
        pause_ms,
        waited_ms,
        ..
    } = &fact.kind
    else {
        return None;
    };
    let waited = i64::try_from(waited_ms.saturating_mul(1000)).unwrap_or(i64::MAX);
    Some(CallbackNow {
        queue: queue.clone(),
        number: number.clone(),
        dialled: dialled.clone(),
        language: language.clone(),
        topic: topic.clone(),
        priority: *priority,
        since: Wall::from_unix_micros(fact.at.unix_micros().saturating_sub(waited)),
        tries: *tries,
        pause_ms: *pause_ms,
        attempts: 0,
        at: fact.at,
        pauses: false,
    })
}

fn change(callbacks: &mut BTreeMap<u64, CallbackNow>, callback: u64, change: impl FnOnce(&mut CallbackNow)) {
    if let Some(now) = callbacks.get_mut(&callback) {
        change(now);
    }
}
