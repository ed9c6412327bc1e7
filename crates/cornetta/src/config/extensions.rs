//! What is agreed with SIP peers beyond the basics: reliable provisional answers and session timers.

use super::read::span;
use document::{Document, Section};
use sip::ua::{Extensions, Prack};
use std::time::Duration;

/// RFC 4028 §5 allows no shorter one.
const SESSION_MIN: Duration = Duration::from_secs(90);

/// The keys of `[sip]` that hold for every peer.
pub(super) fn extensions(document: &mut Document<'_>, section: &mut Section<'_>) -> Extensions {
    let usual = Extensions::default();
    let prack = prack(document, section).unwrap_or(usual.prack);
    let session_min = span(document, section, "min_se", SESSION_MIN, usual.session_min);
    let otherwise = usual.session_expires.max(session_min);
    let session_expires = span(document, section, "session_expires", session_min, otherwise);
    Extensions { prack, session_expires, session_min }
}

/// How reliable provisional answers are used, if it is written.
pub(super) fn prack(document: &mut Document<'_>, section: &mut Section<'_>) -> Option<Prack> {
    let entry = section.take("prack")?;
    let written = document.text(&entry)?;
    let known = match written {
        "off" => Some(Prack::Off),
        "supported" => Some(Prack::Supported),
        "required" => Some(Prack::Required),
        _ => None,
    };
    if known.is_none() {
        let what = format!("`{written}` is no way to use reliable provisional answers");
        document.fault(entry.value_at(), what, "write \"off\", \"supported\" or \"required\"");
    }
    known
}
