use super::mask::mask_party;
use facts::{CallPhase, Snapshot};

/// Masks every number and address in a snapshot.
pub(crate) fn mask_snapshot(snapshot: &mut Snapshot) {
    for callback in snapshot.callbacks.values_mut() {
        callback.number = mask_party(&callback.number);
    }
    for call in snapshot.calls.values_mut() {
        call.from = mask_party(&call.from);
        if let CallPhase::Transferring { to } = &mut call.phase {
            *to = mask_party(to);
        }
        for leg in call.legs.values_mut() {
            leg.address = mask_party(&leg.address);
        }
    }
}
