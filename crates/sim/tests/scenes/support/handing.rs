//! What the log says of calls that were handed over.

use super::stage::Stage;
use facts::{Cause, FactKind, Side};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What became of transfers, in order.
pub(crate) fn transfers(stage: &Stage) -> Vec<String> {
    let told = stage.facts.iter().filter_map(|fact| {
        let (what, to) = match &fact.kind {
            FactKind::TransferStarted { to, .. } => ("started", to),
            FactKind::TransferConsulting { to, .. } => ("consulting", to),
            FactKind::TransferReferred { to, .. } => ("referred", to),
            FactKind::TransferKept { to, .. } => ("kept", to),
            FactKind::TransferCompleted { to } => ("completed", to),
            FactKind::TransferFailed { to, .. } => ("failed", to),
            FactKind::TransferCancelled { to } => ("cancelled", to),
            _ => return None,
        };
        Some(format!("{what} {to}"))
    });
    told.collect()
}

/// Nothing is left, and the log holds: one end of each leg, one call of each agent at a time, and talk time that is the
/// same for both who talked.
pub(crate) fn assert_all_is_well(stage: &mut Stage) {
    stage.assert_all_is_over();
    let mut open: BTreeSet<(String, u32)> = BTreeSet::new();
    let mut talks: BTreeMap<String, (String, u32)> = BTreeMap::new();
    let mut cdrs = journal::fold::CdrFold::default();
    for fact in &stage.facts {
        let call = fact.call.clone().unwrap_or_default();
        match &fact.kind {
            FactKind::LegCreated { leg, .. } => assert!(open.insert((call, *leg)), "{fact:?}"),
            FactKind::LegEnded { leg, .. } => {
                assert!(open.remove(&(call.clone(), *leg)), "ended twice: {fact:?}");
                talks.retain(|_, with| *with != (call.clone(), *leg));
            }
            FactKind::OfferAccepted { agent, .. } => {
                assert!(!talks.contains_key(agent), "{agent} has two calls: {fact:?}");
            }
            _ => {}
        }
        if let Some(cdr) = cdrs.apply(fact) {
            let total = cdr.ivr + cdr.queued + cdr.talk + cdr.other;
            assert_eq!(total, cdr.total, "{cdr:?}");
            let legs: Duration = cdr.legs.iter().map(|leg| leg.talk).sum();
            assert_eq!(legs, cdr.talk * 2, "two talk at a time: {cdr:?}");
        }
    }
    assert!(open.is_empty(), "legs that never ended: {open:?}");
    assert_eq!(cdrs.open(), 0);
}

/// The ends of legs by these parties' leg numbers in the first call.
pub(crate) fn leg_end(stage: &Stage, number: u32) -> (Side, Cause) {
    let first = stage.facts.iter().find_map(|fact| fact.call.clone()).unwrap();
    let end = stage.facts.iter().find_map(|fact| match &fact.kind {
        FactKind::LegEnded { leg, end } if *leg == number && fact.call.as_ref() == Some(&first) => {
            Some((end.by, end.cause))
        }
        _ => None,
    });
    end.unwrap_or_else(|| panic!("leg {number} has no end in {:#?}", stage.kinds()))
}
