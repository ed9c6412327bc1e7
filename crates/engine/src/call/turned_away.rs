//! Calls that SIP refused before there was anything to put through: they leave a record all the same, so that nobody
//! who looks for one finds nothing.

use super::Parties;
use super::arrival::peer_name;
use super::ending::q850_of;
use super::told::told;
use crate::context::Context;
use facts::{CallData, Cause, End, FactKind, Side};
use sip::ua::Invite;

/// Writes down a call that was refused with this status, and why.
pub(crate) fn turned_away(ctx: &mut Context, invite: Invite, status: u16, why: &str) {
    let parties = Parties::of(&ctx.config.numbering, &invite);
    let told = told(&parties, &invite, &ctx.config.numbering.origins);
    let mut log = ctx.begin_log(ctx.config.bodies.of_call(parties.dialled.as_str(), &invite.peer));
    let arrived = FactKind::CallArrived {
        from: parties.caller.to_string(),
        to: parties.dialled.to_string(),
        service: String::new(),
        trunk: peer_name(&invite.peer),
        sip_call_id: invite.call_id,
    };
    for fact in std::iter::once(arrived).chain(told) {
        ctx.note_call(&mut log, fact);
    }
    let cause = if matches!(status, 482 | 483) { Cause::Looped } else { Cause::Inadmissible };
    let mut end = End::new(Side::Engine, cause).sip(status).detail(why);
    end.q850 = Some(q850_of(&end));
    ctx.note_call(&mut log, FactKind::CallEnded { end, data: CallData::default() });
}
