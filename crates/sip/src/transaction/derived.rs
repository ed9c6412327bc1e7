//! The two requests that are made out of an INVITE that we sent: the ACK for a refusal (RFC 3261
//! §17.1.1.3) and CANCEL (§9.1). Both have the INVITE's Via, so that they meet its transaction. And what the
//! ACK of a 2xx, which has a transaction of nobody's, takes from it: the credentials (§13.2.2.4).

use crate::message::{HeaderName, Message};
use crate::ua::MAX_FORWARDS;
use crate::write::Writer;

/// The header fields of credentials, and how a line of ours begins that has one.
const PROOFS: [(&str, &[u8]); 2] =
    [("Authorization", b"Authorization: "), ("Proxy-Authorization", b"Proxy-Authorization: ")];

/// The ACK for a final answer other than 2xx.
pub(super) fn ack(invite: &Message, refusal: &Message) -> Option<Vec<u8>> {
    Some(derived(invite, "ACK", refusal.header(HeaderName::To)?)?.finish())
}

/// The CANCEL of an INVITE, with this value of its Reason header.
pub(super) fn cancel(invite: &Message, reason: &str) -> Option<Vec<u8>> {
    Some(derived(invite, "CANCEL", invite.header(HeaderName::To)?)?.header("Reason", reason).finish())
}

/// The lines of an INVITE of ours that it proves itself with, as we wrote them.
pub(super) fn proofs(invite: &[u8]) -> Vec<u8> {
    let lines = invite.split_inclusive(|byte| *byte == b'\n').take_while(|line| *line != b"\r\n");
    lines.filter(|line| PROOFS.iter().any(|(_, start)| line.starts_with(start))).flatten().copied().collect()
}

/// Writes those lines into another request.
pub(super) fn prove(request: Writer, proofs: &[u8]) -> Writer {
    let lines = std::str::from_utf8(proofs).unwrap_or("").lines();
    lines.fold(request, |request, line| {
        let proof = PROOFS.iter().find(|(_, start)| line.as_bytes().starts_with(start));
        match proof.and_then(|(name, start)| Some((name, line.get(start.len()..)?))) {
            Some((name, value)) => request.header(name, value),
            None => request,
        }
    })
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
