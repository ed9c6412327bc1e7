//! What is kept of the calls' SIP messages, and where it is sent.

use super::read::{endpoint, number, optional_secret, parse_span};
use document::{Document, Entry, Section};
use sip::ua::Transport;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);
const KEEP_LEAST: Duration = Duration::from_secs(60);
const KEEP_MOST: Duration = Duration::from_secs(366 * 24 * 3600);
const SIZE_LEAST: u64 = 1_000_000;
const SIZE_MOST: u64 = 1_000_000_000_000;

/// How SIP messages are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trace {
    pub(crate) limits: trace::Limits,
    /// Homer's address, and who we are to it.
    pub(crate) hep: Option<(SocketAddr, trace::hep::Identity)>,
}

pub(super) fn trace(document: &mut Document<'_>, root: &mut Section<'_>, folder: &Path) -> Option<Trace> {
    let limits = trace::Limits { keep: DAY * 7, size_max: 1_000_000_000 };
    let mut trace = Trace { limits, hep: None };
    let Some(entry) = root.take("trace") else { return Some(trace) };
    let mut section = document.section(&entry)?;
    if let Some(entry) = section.take("keep") {
        trace.limits.keep = keep(document, &entry)?;
    }
    if let Some(entry) = section.take("size_max") {
        trace.limits.size_max = size(document, &entry)?;
    }
    let to = section.take("hep");
    let named = section.place_of("hep_id").or_else(|| section.place_of("hep_password"));
    let id = number(document, &mut section, "hep_id", 1..=i64::from(u32::MAX), 1);
    let password = optional_secret(document, &mut section, folder, "hep_password").unwrap_or_default();
    match (to, named) {
        (Some(to), _) => {
            let id = u32::try_from(id).unwrap_or(1);
            trace.hep = Some((homer(document, &to)?, trace::hep::Identity { id, password }));
        }
        (None, Some(at)) => {
            document.fault(at, "there is no Homer to say this to", "write its address as `hep`");
        }
        (None, None) => {}
    }
    section.finish(document);
    Some(trace)
}

fn keep(document: &mut Document<'_>, entry: &Entry<'_>) -> Option<Duration> {
    let written = document.text(entry)?;
    let days = || written.strip_suffix('d')?.parse().ok().and_then(|days: u32| DAY.checked_mul(days));
    let Some(span) = days().or_else(|| parse_span(written)) else {
        let what = format!("`{written}` is not a span of time");
        document.fault(entry.value_at(), what, "write a number and d, h or m, such as \"7d\"");
        return None;
    };
    if span < KEEP_LEAST || span > KEEP_MOST {
        document.fault(entry.value_at(), "`keep` is out of range", "write a span from 1m to 366d");
    }
    Some(span)
}

pub(super) fn size(document: &mut Document<'_>, entry: &Entry<'_>) -> Option<u64> {
    let written = document.text(entry)?;
    let units = [("MB", 1_000_000), ("GB", 1_000_000_000)];
    let read = units.iter().find_map(|(unit, bytes)| {
        let number: u64 = written.strip_suffix(unit)?.trim().parse().ok()?;
        number.checked_mul(*bytes)
    });
    let Some(size) = read else {
        let what = format!("`{written}` is not a size");
        document.fault(entry.value_at(), what, "write a number and MB or GB, such as \"1GB\"");
        return None;
    };
    if !(SIZE_LEAST..=SIZE_MOST).contains(&size) {
        let what = format!("`{written}` is out of range");
        document.fault(entry.value_at(), what, "write a size from 1MB to 1000GB");
    }
    Some(size)
}

fn homer(document: &mut Document<'_>, entry: &Entry<'_>) -> Option<SocketAddr> {
    let written = document.text(entry)?;
    let (transport, address) = endpoint(document, written, entry.value_at())?;
    if transport != Transport::Udp || address.ip().is_unspecified() || address.port() == 0 {
        let what_to_do = "write Homer's address, such as \"udp:192.0.2.9:9060\"";
        document.fault(entry.value_at(), "messages go to Homer by UDP alone", what_to_do);
    }
    Some(address)
}
