//! The two requests that are made out of an INVITE that we sent: the ACK for a refusal (RFC 3261
//! §17.1.1.3) and CANCEL (§9.1). Both have the INVITE's Via, so that they meet its transaction.

use crate::message::{HeaderName, Message};
use crate::ua::MAX_FORWARDS;
use crate::write::Writer;

/// The ACK for a final answer other than 2xx.
pub(super) fn ack(invite: &Message, refusal: &Message) -> Option<Vec<u8>> {
    Some(derived(invite, "ACK", refusal.header(HeaderName::To)?)?.finish())
}

/// The CANCEL of an INVITE, with this value of its Reason header.
pub(super) fn cancel(invite: &Message, reason: &str) -> Option<Vec<u8>> {
    Some(derived(invite, "CANCEL", invite.header(HeaderName::To)?)?.header("Reason", reason).finish())
}

fn derived(invite: &Message, method: &str, to: &str) -> Option<Writer> {
    let mut writer = Writer::request(method, invite.uri()?).header("Via", invite.header(HeaderName::Via)?);
    for route in invite.headers(HeaderName::Route) {
        writer = writer.header("Route", route);
    }
    let (number, _) = invite.cseq().ok()?;
    Some(
        writer
            .header("Max-Forwards", MAX_FORWARDS)
            .header("From", invite.header(HeaderName::From)?)
            .header("To", to)
            .header("Call-ID", invite.call_id().ok()?)
            .header("CSeq", format_args!("{number} {method}")),
    )
}
