//! The kinds of values that a configuration is made of.

use document::{Document, Entry, Section, nearest};
use facts::BODY_MARK;
use ipnet::IpNet;
use sip::ua::Transport;
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

/// The longest span that makes sense at a help desk.
const SPAN_MAX: Duration = Duration::from_secs(24 * 3600);
const SECRET_FILE: &str = "password_file";

/// A value that is written as text, or a fault that says how to write it.
pub(super) fn parsed<T: FromStr>(document: &mut Document<'_>, entry: &Entry<'_>, how: &str) -> Option<T> {
    let text = document.text(entry)?;
    parsed_text(document, (text, entry.value_at()), how)
}

/// The same of a text that stands at the byte `at`.
pub(super) fn parsed_text<T: FromStr>(
    document: &mut Document<'_>,
    (text, at): (&str, usize),
    how: &str,
) -> Option<T> {
    let value = text.parse().ok();
    if value.is_none() {
        document.fault(at, format!("`{text}` cannot be understood"), how);
    }
    value
}

/// The text called `name`, or a fault.
pub(super) fn text(
    document: &mut Document<'_>,
    section: &mut Section<'_>,
    name: &'static str,
    hint: &str,
) -> Option<String> {
    let entry = section.require(document, name, hint)?;
    let text = document.text(&entry)?;
    if text.is_empty() {
        document.fault(entry.value_at(), format!("`{name}` is empty"), hint);
        return None;
    }
    Some(text.to_owned())
}

/// A name that facts and commands know: whose it is stands before a `/`, so that there is none in it.
pub(super) fn own_name(document: &mut Document<'_>, section: &mut Section<'_>, hint: &str) -> Option<String> {
    let at = section.place_of("name").unwrap_or(section.at);
    let name = text(document, section, "name", hint)?;
    if name.contains(BODY_MARK) {
        let what = format!("`{name}` has a `{BODY_MARK}`, which stands between a body and what is its own");
        document.fault(at, what, "write the name without it");
    }
    Some(name)
}

/// The text called `name`, if it is there.
pub(super) fn optional_text(
    document: &mut Document<'_>,
    section: &mut Section<'_>,
    name: &'static str,
) -> Option<String> {
    let entry = section.take(name)?;
    Some(document.text(&entry)?.to_owned())
}

/// A set of names.
pub(super) fn names(
    document: &mut Document<'_>,
    section: &mut Section<'_>,
    name: &'static str,
) -> BTreeSet<String> {
    let Some(entry) = section.take(name) else { return BTreeSet::new() };
    document.texts(&entry).into_iter().map(|(text, _)| text.to_owned()).collect()
}

/// A set of names of things that are written elsewhere in the configuration, under `[[what]]`.
pub(super) fn known_names(
    document: &mut Document<'_>,
    section: &mut Section<'_>,
    name: &'static str,
    known: &[&str],
    what: &str,
) -> BTreeSet<String> {
    let Some(entry) = section.take(name) else { return BTreeSet::new() };
    let written = document.texts(&entry);
    for (text, at) in &written {
        check_known(document, (text, *at), known, what);
    }
    written.into_iter().map(|(text, _)| text.to_owned()).collect()
}

/// A fault unless the text, which stands at the byte `at`, is the name of something written under `[[what]]`.
pub(super) fn check_known(
    document: &mut Document<'_>,
    (text, at): (&str, usize),
    known: &[&str],
    what: &str,
) -> bool {
    if known.contains(&text) {
        return true;
    }
    let what_to_do = match nearest(text, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("write it under [[{what}]]"),
    };
    document.fault(at, format!("there is no {what} `{text}`"), what_to_do);
    false
}

/// A span such as `20s`, `5m` or `1h`, of a day at most.
pub(super) fn span(
    document: &mut Document<'_>,
    section: &mut Section<'_>,
    name: &'static str,
    least: Duration,
    otherwise: Duration,
) -> Duration {
    let Some(entry) = section.take(name) else { return otherwise };
    let Some(written) = document.text(&entry) else { return otherwise };
    let Some(span) = parse_span(written) else {
        let what = format!("`{written}` is not a span of time");
        document.fault(entry.value_at(), what, "write a number and s, m or h, such as \"20s\"");
        return otherwise;
    };
    if span < least || span > SPAN_MAX {
        let what_to_do = format!("write a span from {}s to 24h", least.as_secs());
        document.fault(entry.value_at(), format!("`{name}` is out of range"), what_to_do);
    }
    span
}

/// A number and s, m or h.
pub(crate) fn parse_span(written: &str) -> Option<Duration> {
    let unit = written.chars().last()?;
    let number: u64 = written.strip_suffix(unit)?.parse().ok()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        _ => return None,
    };
    number.checked_mul(seconds).map(Duration::from_secs)
}

/// A whole number in `range`.
pub(super) fn number(
    document: &mut Document<'_>,
    section: &mut Section<'_>,
    name: &'static str,
    range: RangeInclusive<i64>,
    otherwise: i64,
) -> i64 {
    let Some(entry) = section.take(name) else { return otherwise };
    let Some(number) = document.number(&entry) else { return otherwise };
    if range.contains(&number) {
        return number;
    }
    let what_to_do = format!("write a number from {} to {}", range.start(), range.end());
    document.fault(entry.value_at(), format!("`{name}` is out of range"), what_to_do);
    otherwise
}

/// One of these words, if it is there.
pub(super) fn one_of<T: Copy>(
    document: &mut Document<'_>,
    section: &mut Section<'_>,
    name: &'static str,
    choices: &[(&str, T)],
) -> Option<T> {
    let entry = section.take(name)?;
    let written = document.text(&entry)?;
    let found = choices.iter().find(|(known, _)| *known == written);
    if found.is_none() {
        let known: Vec<String> = choices.iter().map(|(known, _)| format!("\"{known}\"")).collect();
        let what_to_do = format!("write one of {}", known.join(", "));
        document.fault(entry.value_at(), format!("`{name}` cannot be `{written}`"), what_to_do);
    }
    found.map(|(_, value)| *value)
}

/// Networks, such as `127.0.0.0/8`, or single addresses.
pub(super) fn networks(
    document: &mut Document<'_>,
    section: &mut Section<'_>,
    name: &'static str,
) -> Vec<IpNet> {
    let Some(entry) = section.take(name) else { return Vec::new() };
    let mut networks = Vec::new();
    for (text, at) in document.texts(&entry) {
        match text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from)) {
            Some(network) => networks.push(network),
            None => document.fault(
                at,
                format!("`{text}` is not a network"),
                "write an address or a network such as \"192.0.2.0/24\"",
            ),
        }
    }
    networks
}

/// A transport and an address, such as `udp:127.0.0.1:5060`.
pub(super) fn endpoint(
    document: &mut Document<'_>,
    text: &str,
    at: usize,
) -> Option<(Transport, SocketAddr)> {
    let read = text
        .split_once(':')
        .and_then(|(transport, address)| Some((Transport::by_name(transport)?, address.parse().ok()?)));
    if read.is_none() {
        document.fault(
            at,
            format!("`{text}` is not a SIP address"),
            "write a transport, an IP address and a port, such as \"udp:192.0.2.1:5060\"",
        );
    }
    read
}

/// A secret: written here, or in a file of its own. A fault if it is not there.
pub(super) fn secret(
    document: &mut Document<'_>,
    section: &mut Section<'_>,
    folder: &Path,
    name: &'static str,
) -> Option<String> {
    if !section.has(name) && !section.has(SECRET_FILE) {
        let what = format!("`{name}` is missing");
        document.fault(section.at, what, format!("give the secret here, or `{SECRET_FILE}`"));
    }
    optional_secret(document, section, folder, name)
}

/// A secret, if it is there.
pub(super) fn optional_secret(
    document: &mut Document<'_>,
    section: &mut Section<'_>,
    folder: &Path,
    name: &'static str,
) -> Option<String> {
    let (here, file) = (section.take(name), section.take(SECRET_FILE));
    if let (Some(here), Some(_)) = (&here, &file) {
        let what = format!("there are both `{name}` and `{SECRET_FILE}`");
        document.fault(here.at, what, "keep one of the two");
        return None;
    }
    let entry = here.or(file)?;
    let written = document.text(&entry)?;
    let secret = match file {
        None => written.to_owned(),
        Some(_) => read_secret(document, &folder.join(written), entry.value_at())?,
    };
    if secret.is_empty() {
        document.fault(entry.value_at(), "an empty secret keeps nobody out", "write a longer one");
    }
    Some(secret)
}

fn read_secret(document: &mut Document<'_>, path: &Path, at: usize) -> Option<String> {
    match std::fs::read_to_string(path) {
        Ok(text) => Some(text.trim().to_owned()),
        Err(error) => {
            let what = format!("`{}` cannot be read: {error}", path.display());
            document.fault(at, what, "name a file that holds the secret alone");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_a_number_and_a_unit() {
        assert_eq!(parse_span("20s"), Some(Duration::from_secs(20)));
        assert_eq!(parse_span("5m"), Some(Duration::from_secs(300)));
        for wrong in ["", "s", "5", "-5s", "5d", "99999999999999999999h", "5 m", "5è"] {
            assert_eq!(parse_span(wrong), None, "{wrong}");
        }
    }
}
