//! Numbers as rules and routes name them, and what calls to them cost.

use document::{Document, Section};
use engine::{NumberSet, Prices};
use numbers::{Kind, has_calling_code};
use std::collections::BTreeSet;

/// The kinds of Italian numbers that can be opened. None is opened by itself.
const KINDS: [Kind; 9] = [
    Kind::Fixed,
    Kind::Mobile,
    Kind::TollFree,
    Kind::SharedCost,
    Kind::Premium,
    Kind::Personal,
    Kind::Nomadic,
    Kind::Short,
    Kind::PremiumShort,
];

/// The numbers that `kinds`, `countries` and `prefixes` name; nothing if none of the three is written.
pub(super) fn number_set(document: &mut Document<'_>, section: &mut Section<'_>) -> Option<NumberSet> {
    let named = ["kinds", "countries", "prefixes"].iter().any(|name| section.has(name));
    let kinds = kinds(document, section);
    let countries = countries(document, section);
    let prefixes = prefixes(document, section);
    named.then_some(NumberSet { kinds, countries, prefixes })
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

/// Cents a minute by the beginnings of numbers; thousandths of a cent count.
pub(super) fn prices(document: &mut Document<'_>, section: &mut Section<'_>) -> Prices {
    let mut prices = Prices::default();
    let Some(entry) = section.take("cents_per_minute") else { return prices };
    let Some(table) = document.section(&entry) else { return prices };
    for entry in table.rest() {
        if !is_prefix(entry.name) {
            not_a_prefix(document, entry.name, entry.at);
        }
        if let Some(price) = document.thousandths(&entry) {
            prices.0.insert(entry.name.to_owned(), price);
        }
    }
    prices
}
