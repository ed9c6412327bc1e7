//! Nodes in which the caller is put through, or leaves a message.

use super::super::flow::Reader;
use super::super::model::{AGENT, Destination, Kind, MessageNode, Value};
use super::super::words::{is_account, is_target};
use super::limits::{LONGEST, RING, SILENCE};
use super::{duration, finish, known_or_text, name, outcomes};
use crate::TransferEnd;
use document::{Entry, Section};

/// Under which name it becomes known why nobody took a call.
pub(crate) const FAILED: &str = "transfer_failed";

pub(super) fn transfer(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<Kind> {
    let entry = section.take("transfer")?;
    let to = destination(reader, &entry);
    for end in TransferEnd::ALL {
        let _said_where_it_is_known = reader.becomes(FAILED, end.as_str());
    }
    if to.as_ref().is_some_and(Destination::is_service)
        && let Some(at) = section.place_of("ring")
    {
        reader.document.fault(at, "a service of the house does not ring", "take `ring` out");
    }
    let ring = duration(reader, section, "ring").unwrap_or(RING);
    let mut on = outcomes(reader, section);
    let failed = reader.exit_or_default(&mut on, "failed", "transfer_failed");
    finish(reader, on);
    Some(Kind::Transfer { to: to?, ring, failed: failed? })
}

/// A number, a URI, `agent:NAME`, or either with `$NAME` for what is known of the call.
fn destination(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Destination> {
    let text = reader.document.text(entry)?;
    let at = entry.value_at();
    let (to, is_right) = match text.strip_prefix(AGENT) {
        Some(agent) => (Destination::Agent(known_or_text(reader, agent, at)), is_account(agent)),
        None => (Destination::Outside(known_or_text(reader, text, at)), is_target(text)),
    };
    let (Destination::Outside(value) | Destination::Agent(value)) = &to;
    if matches!(value, Value::Text(_)) && !is_right {
        let what_to_do = "write a number, sip:USER@HOST, agent:NAME, service:NUMBER or body:NAME";
        reader.document.fault(at, format!("nobody can be called at `{text}`"), what_to_do);
    }
    Some(to)
}

/// `message = "desk"`, `longest = "2m"`, `silence = "5s"`, `next = "node"`.
pub(super) fn message(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<Kind> {
    let entry = section.take("message")?;
    let mailbox = name(reader, &entry);
    let longest = duration(reader, section, "longest").unwrap_or(LONGEST);
    let silence = duration(reader, section, "silence").unwrap_or(SILENCE);
    let next = reader.exit(section, "next");
    let mut on = outcomes(reader, section);
    let empty = reader.exit_or_default(&mut on, "empty", "no_message");
    let failed = reader.exit_or_default(&mut on, "failed", "message_failed");
    finish(reader, on);
    Some(Kind::Message(MessageNode {
        mailbox: mailbox?,
        longest,
        silence,
        next: next?,
        empty: empty?,
        failed: failed?,
    }))
}
