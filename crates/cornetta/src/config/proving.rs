//! What will go wrong with the calendars in force. It depends on the day: time alone can bring it.

use super::Installation;
use base::Wall;
use calendar::Proof;
use engine::Service;
use std::collections::BTreeMap;

/// Proves the calendars of the scripts that answer a number, each script once, and of the outbound rules. What is wrong
/// with a calendar of many rules is told once; all comes in the order of files and lines.
pub(crate) fn prove(installation: &Installation, now: Wall) -> Proof {
    let engine = &installation.engine;
    let mut scripts = BTreeMap::new();
    for service in engine.services.values().chain(&engine.otherwise) {
        if let Service::Script { script, .. } = service {
            scripts.insert(script.name(), script);
        }
    }
    let mut proof = Proof::default();
    for script in scripts.values() {
        proof.add(script.prove_calendars(now));
    }
    for calendar in engine.outbound.iter().filter_map(|rule| rule.hours.as_ref()) {
        proof.add(calendar.prove(now));
    }
    for told in [&mut proof.faults, &mut proof.warnings] {
        told.sort();
        told.dedup();
    }
    proof
}
