//! What may be called outside, by whom, when, how often and for how much: `[[outbound]]`.

use super::desk::Desk;
use super::from;
use super::network::Sip;
use super::number_set::{number_set, prices};
use super::read::{check_known, span, text};
use calendar::Calendar;
use document::{Document, Section};
use engine::{OUTBOUND_CALLS_MAX, OutboundRule};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long a conversation by a rule may take: more than any that a desk has, less than a night of a forgotten receiver.
const LONGEST: Duration = Duration::from_secs(4 * 3600);
const LONGEST_LEAST: Duration = Duration::from_secs(60);

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
        numbers: number_set(document, &mut section).unwrap_or_default(),
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
        longest: span(document, &mut section, "longest", LONGEST_LEAST, LONGEST),
        prices: prices(document, &mut section),
    };
    section.finish(document);
    if rule.numbers.is_empty() {
        document.fault(at, "the rule opens no number", "write `kinds`, `countries` abroad, or `prefixes`");
    }
    if rule.cents_per_day.is_some() && rule.prices.is_empty() {
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
