//! A 2xx that no session wants: the second fork of a call, or one that came after its session was
//! forgotten. It is acknowledged and ended (RFC 3261 §13.2.2.4), or the callee would talk to nobody.

use super::Dialog;
use crate::cause;
use crate::message::Message;
use crate::transaction::{Passed, TransactionId, User};
use crate::ua::Flow;
use crate::ua::wire::Wire;
use base::Time;

/// How far the number of its BYE is beyond that of the INVITE: further than any request in the dialog before. A peer
/// takes any number that is higher (RFC 3261 §12.2.2), and refuses one that is not.
const BEYOND: u32 = 10_000;

/// Sends ACK, then BYE. The ACK is left with the transaction, for the 2xx's repetitions.
pub(super) fn reject_fork(
    wire: &mut Wire,
    now: Time,
    id: TransactionId,
    response: &Message,
    (flow, symmetric): (Flow, bool),
) {
    let Some(mut dialog) = Dialog::of_stray(wire, response, flow, symmetric) else { return };
    let Ok((cseq, _)) = response.cseq() else { return };
    let (ack, way) = dialog.ack(wire, cseq, id);
    let tag = dialog.remote_tag.clone().unwrap_or_default();
    wire.transactions.keep_ack(id, &tag, way, ack.clone());
    wire.send(way, ack);
    // PRACKs and UPDATEs of its early dialog were counted elsewhere.
    dialog.local_cseq = dialog.local_cseq.saturating_add(BEYOND);
    let (bye, way, branch) = dialog.request(wire, "BYE");
    // Without room for it the BYE is lost: the callee's own patience ends the session.
    let _ = wire.request(now, way, User::Nobody, &branch, bye);
}

/// What came late to an INVITE that was given up for another way: a callee that rings is told to stop, one
/// that answered is hung up on. A refusal has been acknowledged by its transaction.
pub(crate) fn late_response(wire: &mut Wire, now: Time, passed: Passed, response: &Message) {
    match response.status().unwrap_or(0) {
        100..=199 => {
            wire.way_works(passed.flow);
            // Without room for a CANCEL the callee rings until it tires.
            let reason = cause::reason_of_cancel(cause::NORMAL);
            let _ = wire.transactions.cancel(now, passed.id, &reason, &mut wire.out);
        }
        200..=299 => reject_fork(wire, now, passed.id, response, (passed.flow, false)),
        _ => {}
    }
}
