//! `remember`: callers who agree are known by their language when they call again.

use super::flow::Reader;
use super::words::days;
use document::{Entry, Section};
use std::time::Duration;

/// What is remembered of a caller, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remember {
    /// What is known of a caller who has agreed: `consent_NAME`.
    pub(crate) consent: String,
    /// From then on.
    pub(crate) length: Duration,
}

/// `remember = { consent = "memory", for = "180d" }`. To be read before anything that sets what is known, and before the nodes,
/// which may ask whether the language is remembered.
pub(super) fn read(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Remember> {
    let mut section = reader.document.section(entry)?;
    let hint = "name the consent that callers are asked for, such as consent = \"memory\"";
    let consent = section.require(&mut reader.document, "consent", hint);
    let consent = consent.and_then(|consent| super::kinds::name(reader, &consent));
    let length = length(reader, &mut section);
    section.finish(&mut reader.document);
    for answer in ["yes", "no"] {
        reader.becomes(REMEMBERED, answer);
    }
    let consent = format!("consent_{}", consent?);
    reader.answers(REMEMBERED);
    reader.answers(&consent);
    Some(Remember { consent, length: length? })
}

/// Known of every call to a script that remembers: `yes` or `no`.
pub(crate) const REMEMBERED: &str = "remembered";

fn length(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<Duration> {
    let hint = "say for how long, such as for = \"180d\"";
    let entry = section.require(&mut reader.document, "for", hint)?;
    let text = reader.document.text(&entry)?;
    let length = days(text);
    if length.is_none() {
        let what = format!("`{text}` is no time for which anybody is remembered");
        reader.document.fault(entry.value_at(), what, "write it like \"180d\", 1 to 730 days");
    }
    length
}

/// Whoever is remembered has been asked: some node asks for that consent.
pub(super) fn check(remember: Option<&Remember>, entry: Option<&Entry<'_>>, reader: &mut Reader<'_>) {
    let (Some(remember), Some(entry)) = (remember, entry) else { return };
    if !reader.is_set(&remember.consent) {
        let consent = remember.consent.trim_start_matches("consent_");
        let what = format!("no node asks for the consent `{consent}`");
        reader.document.fault(entry.at, what, format!("write a node with consent = \"{consent}\""));
    }
}
