//! Who will be called back, by what the facts say, over any restart.

use base::Wall;
use facts::{
    CallbackGivenUp, CallbackNow, CallbackOffer, CallbackPause, CallbackRequest, CallbackTry, Fact, FactKind,
};
use std::collections::BTreeMap;

/// Callbacks are told beside the call that they are about, or alone.
pub(super) fn apply(callbacks: &mut BTreeMap<u64, CallbackNow>, fact: &Fact) {
    match &fact.kind {
        FactKind::CallbackRequested(request) => {
            callbacks.entry(request.callback).or_insert_with(|| requested(fact.at, request));
        }
        FactKind::CallbackOffered(CallbackOffer { callback, .. }) => {
            change(callbacks, *callback, |now| now.pauses = false)
        }
        FactKind::CallbackAttempted(CallbackTry { callback, attempt, .. }) => {
            change(callbacks, *callback, |now| now.attempts = *attempt);
        }
        FactKind::CallbackPostponed(CallbackPause { callback, .. }) => change(callbacks, *callback, |now| {
            (now.pauses, now.at) = (true, fact.at);
        }),
        FactKind::CallbackCompleted(CallbackTry { callback, .. })
        | FactKind::CallbackFailed(CallbackGivenUp { callback, .. })
        | FactKind::CallbackCancelled { callback, .. } => {
            callbacks.remove(callback);
        }
        _ => {}
    }
}

fn requested(at: Wall, request: &CallbackRequest) -> CallbackNow {
    let waited = i64::try_from(request.waited_ms.saturating_mul(1000)).unwrap_or(i64::MAX);
    CallbackNow {
        queue: request.queue.clone(),
        number: request.number.clone(),
        dialled: request.dialled.clone(),
        language: request.language.clone(),
        topic: request.topic.clone(),
        priority: request.priority,
        since: Wall::from_unix_micros(at.unix_micros().saturating_sub(waited)),
        tries: request.tries,
        pause_ms: request.pause_ms,
        attempts: 0,
        at,
        pauses: false,
    }
}

fn change(callbacks: &mut BTreeMap<u64, CallbackNow>, callback: u64, change: impl FnOnce(&mut CallbackNow)) {
    if let Some(now) = callbacks.get_mut(&callback) {
        change(now);
    }
}
