//! Nodes in which the caller is put through, or leaves a message.

use super::super::flow::Reader;
use super::super::model::{Kind, MessageNode, Value};
use super::super::words::{is_service, is_target};
use super::limits::{LONGEST, RING, SILENCE};
use super::{duration, finish, name, outcomes, value};
use document::Section;

pub(super) fn transfer(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<Kind> {
    let entry = section.take("transfer")?;
    let to = value(reader, &entry);
    if let Some(Value::Text(text)) = &to
        && !is_target(text)
    {
        let what = format!("nobody can be called at `{text}`");
        let what_to_do = "write a number, sip:USER@HOST, service:NUMBER or body:NAME";
        reader.document.fault(entry.value_at(), what, what_to_do);
    }
    if let (Some(Value::Text(text)), Some(at)) = (&to, section.place_of("ring"))
        && is_service(text)
    {
        reader.document.fault(at, "a service of the house does not ring", "take `ring` out");
    }
    let ring = duration(reader, section, "ring").unwrap_or(RING);
    let mut on = outcomes(reader, section);
    let failed = reader.exit_or_default(&mut on, "failed", "transfer_failed");
    finish(reader, on);
    Some(Kind::Transfer { to: to?, ring, failed: failed? })
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
