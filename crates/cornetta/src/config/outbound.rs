//! What may be called outside, by whom, when, how often and for how much: `[[outbound]]`.

use super::desk::Desk;
use super::from;
use super::network::Sip;
use super::read::{check_known, text};
use calendar::Calendar;
use document::{Document, Section};
use engine::{OUTBOUND_CALLS_MAX, OutboundRule};
use numbers::{Kind, has_calling_code};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// The kinds of Italian numbers that can be opened. None is opened by itself.
const KINDS: [Kind; 8] = [
    Kind::Fixed,
    Kind::Mobile,
    Kind::TollFree,
    Kind::SharedCost,
    Kind::Premium,
    Kind::Personal,
    Kind::Nomadic,
    Kind::Short,
];

/// The rules, in the order in which they are written.
pub(super) fn rules(
    document: &mut Document<'_>,
    root: &mut Section<'_>,
    folder: &Path,
    (desk, sip): (&Desk, Option<&Sip>),
) -> Vec<OutboundRule> {
    let Some(entry) = root.take("outbound") else { return Vec::new() };
    let agents = desk.accounts.iter().map(|account| account.user.as_str());
    let trunks = sip.into_iter().flat_map(|sip| sip.trunk_names.iter().map(String::as_str));
    let known: Vec<&str> = agents.chain(trunks).collect();
    let mut rules: Vec<OutboundRule> = Vec::new();
    for entry in document.list(&entry) {
        let at = entry.value_at();
        let Some(section) = document.section(&entry) else { continue };
        let Some(rule) = rule(document, section, folder, &known) else { continue };
        if rules.iter().any(|other| other.name == rule.name) {
            let what = format!("the rule `{}` is written twice", rule.name);
            document.fault(at, what, "give each its own name");
        }
        rules.push(rule);
    }
    rules
}

fn rule(
    document: &mut Document<'_>,
    mut section: Section<'_>,
    folder: &Path,
    known: &[&str],
) -> Option<OutboundRule> {
    let at = section.at;
    let name = text(document, &mut section, "name", "name the rule: facts tell which one refused");
    let rule = OutboundRule {
        name: String::new(),
        who: who(document, &mut section, known),
        kinds: kinds(document, &mut section),
        countries: countries(document, &mut section),
        prefixes: prefixes(document, &mut section),
        hours: hours(document, &mut section, folder),
        calls_per_hour: most(document, &mut section, "calls_per_hour", i64::from(OUTBOUND_CALLS_MAX))
            .and_then(|calls| u32::try_from(calls).ok()),
        calls_per_hour_each: most(
            document,
            &mut section,
            "calls_per_hour_each",
            i64::from(OUTBOUND_CALLS_MAX),
        )
        .and_then(|calls| u32::try_from(calls).ok()),
        cents_per_day: most(document, &mut section, "cents_per_day", 100_000_000),
        cents_per_minute: prices(document, &mut section),
    };
    section.finish(document);
    let abroad = rule.countries.iter().any(|country| country != "IT");
    if rule.kinds.is_empty() && rule.prefixes.is_empty() && !abroad {
        document.fault(at, "the rule opens no number", "write `kinds`, `countries` abroad, or `prefixes`");
    }
    if rule.cents_per_day.is_some() && rule.cents_per_minute.is_empty() {
        let what_to_do = "write `cents_per_minute`, such as { \"+39\" = 2, \"+393\" = 10 }";
        document.fault(at, "under a ceiling of spending nothing without a price is called", what_to_do);
    }
    Some(OutboundRule { name: name?, ..rule })
}

fn who(document: &mut Document<'_>, section: &mut Section<'_>, known: &[&str]) -> BTreeSet<String> {
    let Some(entry) = section.take("who") else { return BTreeSet::new() };
    let written = document.texts(&entry);
    for (name, at) in &written {
        check_known(document, (name, *at), known, "agent");
        if known.iter().filter(|known| *known == name).count() > 1 {
            let what = format!("`{name}` is an agent and a trunk");
            document.fault(*at, what, "give one of the two another name");
        }
    }
    written.into_iter().map(|(name, _)| name.to_owned()).collect()
}

fn kinds(document: &mut Document<'_>, section: &mut Section<'_>) -> BTreeSet<Kind> {
    let Some(entry) = section.take("kinds") else { return BTreeSet::new() };
    let mut kinds = BTreeSet::new();
    for (name, at) in document.texts(&entry) {
        match KINDS.into_iter().find(|kind| kind.as_str() == name) {
            Some(kind) => {
                kinds.insert(kind);
            }
            None => {
                let known = KINDS.map(Kind::as_str).join(", ");
                document.fault(
                    at,
                    format!("there is no kind of numbers `{name}`"),
                    format!("choose from {known}"),
                );
            }
        }
    }
    kinds
}

fn countries(document: &mut Document<'_>, section: &mut Section<'_>) -> BTreeSet<String> {
    let Some(entry) = section.take("countries") else { return ["IT".to_owned()].into() };
    let mut countries = BTreeSet::new();
    for (name, at) in document.texts(&entry) {
        if has_calling_code(name) {
            countries.insert(name.to_owned());
        } else if name.len() == 2 && name.bytes().all(|letter| letter.is_ascii_uppercase()) {
            let what = format!("no country with a calling code of its own is `{name}`");
            let what_to_do = "write its letters as ISO 3166 has them, such as \"GB\" for the United Kingdom";
            document.fault(at, what, what_to_do);
        } else {
            let what = format!("`{name}` is not a country");
            document.fault(at, what, "write its two letters, such as \"IT\" or \"FR\"");
        }
    }
    countries
}

fn prefixes(document: &mut Document<'_>, section: &mut Section<'_>) -> Vec<String> {
    let Some(entry) = section.take("prefixes") else { return Vec::new() };
    let mut prefixes = Vec::new();
    for (text, at) in document.texts(&entry) {
        if is_prefix(text) {
            prefixes.push(text.to_owned());
        } else {
            not_a_prefix(document, text, at);
        }
    }
    prefixes
}

/// The beginning of a number in the normal form, with a calling code, or a short code.
fn is_prefix(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())
}

fn not_a_prefix(document: &mut Document<'_>, text: &str, at: usize) {
    let what = format!("`{text}` is not the beginning of a number");
    document.fault(at, what, "write it with its calling code, such as \"+4420\", or a short code");
}

fn hours(document: &mut Document<'_>, section: &mut Section<'_>, folder: &Path) -> Option<Arc<Calendar>> {
    let entry = section.take("calendar")?;
    let written = document.text(&entry)?;
    let path = from(folder, written);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => {
            let what = format!("`{written}` cannot be read: {error}");
            document.fault(entry.value_at(), what, "name a calendar, as scripts have them");
            return None;
        }
    };
    match Calendar::parse(&path.display().to_string(), &text) {
        Ok(calendar) => Some(Arc::new(calendar)),
        Err(faults) => {
            for fault in faults {
                document.fault(entry.value_at(), format!("`{written}`: {fault}"), "mend the calendar");
            }
            None
        }
    }
}

/// A limit, if there is one.
fn most(
    document: &mut Document<'_>,
    section: &mut Section<'_>,
    name: &'static str,
    highest: i64,
) -> Option<u64> {
    let entry = section.take(name)?;
    let number = document.number(&entry)?;
    if !(0..=highest).contains(&number) {
        let what_to_do = format!("write a number from 0 to {highest}");
        document.fault(entry.value_at(), format!("`{name}` is out of range"), what_to_do);
    }
    u64::try_from(number).ok()
}

fn prices(document: &mut Document<'_>, section: &mut Section<'_>) -> BTreeMap<String, u64> {
    let mut prices = BTreeMap::new();
    let Some(entry) = section.take("cents_per_minute") else { return prices };
    let Some(table) = document.section(&entry) else { return prices };
    for entry in table.rest() {
        if !is_prefix(entry.name) {
            not_a_prefix(document, entry.name, entry.at);
        }
        let price = document.number(&entry).map(u64::try_from);
        match price {
            Some(Ok(cents)) => {
                prices.insert(entry.name.to_owned(), cents);
            }
            Some(Err(_)) => document.fault(entry.value_at(), "a price is below zero", "write cents a minute"),
            None => {}
        }
    }
    prices
}
