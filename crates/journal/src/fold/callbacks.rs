//! Who will be called back, by what the facts say, over any restart.

use facts::{CallbackGivenUp, CallbackNow, CallbackOffer, CallbackPause, CallbackTry, Fact, FactKind};
use std::collections::BTreeMap;

/// Callbacks are told beside the call that they are about, or alone.
pub(super) fn apply(callbacks: &mut BTreeMap<u64, CallbackNow>, fact: &Fact) {
    match &fact.kind {
        FactKind::CallbackRequested(request) => {
            callbacks.entry(request.callback).or_insert_with(|| CallbackNow::new(fact.at, request.clone()));
        }
        FactKind::CallbackOffered(CallbackOffer { callback, .. }) => {
            change(callbacks, *callback, |now| now.pauses_ms = None)
        }
        FactKind::CallbackAttempted(CallbackTry { callback, attempt, .. }) => {
            change(callbacks, *callback, |now| now.attempts = *attempt);
        }
        FactKind::CallbackPostponed(CallbackPause { callback, for_ms, .. }) => {
            change(callbacks, *callback, |now| {
                (now.pauses_ms, now.at) = (Some(*for_ms), fact.at);
            })
        }
        FactKind::CallbackCompleted(CallbackTry { callback, .. })
        | FactKind::CallbackFailed(CallbackGivenUp { callback, .. })
        | FactKind::CallbackCancelled { callback, .. } => {
            callbacks.remove(callback);
        }
        _ => {}
    }
}

fn change(callbacks: &mut BTreeMap<u64, CallbackNow>, callback: u64, change: impl FnOnce(&mut CallbackNow)) {
    if let Some(now) = callbacks.get_mut(&callback) {
        change(now);
    }
}
