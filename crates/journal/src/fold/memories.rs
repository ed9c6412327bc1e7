//! What is remembered of callers, by what the facts say, over any restart.

use facts::{Fact, FactKind, MemoryNow};
use std::collections::BTreeMap;

/// By number, then by script.
pub(super) type Memories = BTreeMap<String, BTreeMap<String, MemoryNow>>;

/// Memories are told beside the call that they are of, or alone.
pub(super) fn apply(memories: &mut Memories, fact: &Fact) {
    match &fact.kind {
        FactKind::CallerRemembered(told) => {
            let now = MemoryNow::new(fact.at, told);
            memories.entry(told.number.clone()).or_default().insert(told.script.clone(), now);
        }
        FactKind::CallerForgotten(told) => {
            if let Some(of_number) = memories.get_mut(&told.number) {
                of_number.remove(&told.script);
                if of_number.is_empty() {
                    memories.remove(&told.number);
                }
            }
        }
        _ => {}
    }
}
