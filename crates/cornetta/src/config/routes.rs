//! By which trunks numbers outside are called, `[[route]]`, and what each trunk can carry.

use super::network::Sip;
use super::number_set::{number_set, prices};
use super::read::{check_known, number, one_of, text};
use document::{Document, Section};
use engine::{Choose, Line, Route};
use std::collections::BTreeMap;

/// More than any operator has lines of one customer.
const CHANNELS_MAX: i64 = 100_000;
const CALLS_PER_SECOND_MAX: i64 = 1_000;

/// What a `[[trunk]]` can carry.
pub(super) fn line(document: &mut Document<'_>, section: &mut Section<'_>) -> Line {
    let mut limit = |name, most| {
        let is_there = section.has(name);
        let limit = number(document, section, name, 1..=most, 1);
        u32::try_from(limit).ok().filter(|_| is_there)
    };
    let channels = limit("channels", CHANNELS_MAX);
    let calls_per_second = limit("calls_per_second", CALLS_PER_SECOND_MAX);
    Line { channels, calls_per_second, prices: prices(document, section) }
}

/// The routes, in the order in which they are written.
pub(super) fn routes(document: &mut Document<'_>, root: &mut Section<'_>, sip: Option<&Sip>) -> Vec<Route> {
    let Some(entry) = root.take("route") else { return Vec::new() };
    let mut routes: Vec<Route> = Vec::new();
    for entry in document.list(&entry) {
        let at = entry.value_at();
        let Some(section) = document.section(&entry) else { continue };
        if routes.iter().any(|route| route.numbers.is_none()) {
            let what = "this route is never taken: one before it takes every number";
            document.fault(at, what, "write it before that one");
        }
        let Some(route) = route(document, section, sip) else { continue };
        if routes.iter().any(|other| other.name == route.name) {
            let what = format!("the route `{}` is written twice", route.name);
            document.fault(at, what, "give each its own name");
        }
        routes.push(route);
    }
    routes
}

fn route(document: &mut Document<'_>, mut section: Section<'_>, sip: Option<&Sip>) -> Option<Route> {
    let at = section.at;
    let name = text(document, &mut section, "name", "name the route: facts tell which one was taken");
    let numbers = number_set(document, &mut section);
    let trunks = trunks(document, &mut section, sip);
    let orders = [("order", Choose::Order), ("cost", Choose::Cost)];
    let choose = one_of(document, &mut section, "choose", &orders).unwrap_or_default();
    section.finish(document);
    if numbers.as_ref().is_some_and(engine::NumberSet::is_empty) {
        let what_to_do = "write `kinds`, `countries` abroad or `prefixes`, or none of them for every number";
        document.fault(at, "the route takes no number", what_to_do);
    }
    let no_lines = BTreeMap::new();
    let lines = sip.map_or(&no_lines, |sip| &sip.lines);
    let has_prices = |trunk: &String| lines.get(trunk).is_some_and(|line| !line.prices.is_empty());
    if choose == Choose::Cost && !trunks.is_empty() && !trunks.iter().any(has_prices) {
        let what = "no trunk of this route has a price to choose by";
        document.fault(at, what, "write `cents_per_minute` at its trunks");
    }
    Some(Route { name: name?, numbers, trunks, choose })
}

fn trunks(document: &mut Document<'_>, section: &mut Section<'_>, sip: Option<&Sip>) -> Vec<String> {
    let hint = "name the trunks that are tried, such as [\"landline\", \"mobile\"]";
    let Some(entry) = section.require(document, "trunks", hint) else { return Vec::new() };
    let known: Vec<&str> =
        sip.into_iter().flat_map(|sip| sip.trunk_names.iter().map(String::as_str)).collect();
    let mut trunks: Vec<String> = Vec::new();
    let written = document.texts(&entry);
    if entry.value.get_ref().as_array().is_some_and(|list| list.is_empty()) {
        document.fault(entry.value_at(), "the route leads nowhere", hint);
    }
    for (name, at) in written {
        check_known(document, (name, at), &known, "trunk");
        if trunks.iter().any(|trunk| trunk == name) {
            document.fault(at, format!("`{name}` is named twice"), "keep one of the two");
        }
        trunks.push(name.to_owned());
    }
    trunks
}
