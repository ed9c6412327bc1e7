//! How numbers are written: `[numbers]` for the installation, and the keys of the same names of a trunk.

use super::read::one_of;
use document::{Document, Section};
use engine::{Forwards, Presentation};
use numbers::{Arrives, Country, Origins, Rules, Sends, TableFault};
use sip::identity::{Policy, Source};
use std::path::Path;
use std::sync::Arc;

const ARRIVES: [(&str, Arrives); 3] =
    [("auto", Arrives::Auto), ("national", Arrives::National), ("e164", Arrives::E164)];
const SENDS: [(&str, Sends); 4] = [
    ("e164", Sends::E164),
    ("plain", Sends::Plain),
    ("00", Sends::DoubleZero),
    ("national", Sends::National),
];

/// How numbers are written, by us and by the trunks, and where callers are from. Takes the trunks' part out of `sip`.
pub(super) fn of_all(
    sip: &mut super::network::Sip,
    home: Rules,
    (origins, trust): (Origins, engine::TrustStore),
) -> engine::Numbering {
    engine::Numbering {
        home,
        trunks: std::mem::take(&mut sip.numbering),
        origins: Arc::new(origins),
        shown: std::mem::take(&mut sip.shown),
        foreign: std::mem::take(&mut sip.foreign),
        trust: Arc::new(trust),
    }
}

/// `[numbers]`: where the installation is at home, and where callers' numbers are from.
pub(super) fn home(document: &mut Document<'_>, root: &mut Section<'_>, folder: &Path) -> (Rules, Origins) {
    let (mut rules, mut origins) = (Rules::of(Country::ITALY), Origins::built_in());
    if let Some(entry) = root.take("numbers")
        && let Some(mut section) = document.section(&entry)
    {
        place(document, &mut section, &mut rules);
        table(document, &mut section, (folder, "origins"), |text| origins.add_table(text));
        table(document, &mut section, (folder, "ported"), |text| origins.add_ported(text));
        section.finish(document);
    }
    (rules, origins)
}

/// A file of rows; each row that is wrong is a fault at the key that names the file.
fn table(
    document: &mut Document<'_>,
    section: &mut Section<'_>,
    (folder, name): (&Path, &'static str),
    mut add: impl FnMut(&str) -> Result<(), Vec<TableFault>>,
) {
    const FAULTS_TOLD: usize = 5;
    let Some(entry) = section.take(name) else { return };
    let Some(written) = document.text(&entry) else { return };
    let text = match std::fs::read_to_string(folder.join(written)) {
        Ok(text) => text,
        Err(error) => {
            let what = format!("`{written}` cannot be read: {error}");
            return document.fault(entry.value_at(), what, "name a file of rows, or leave the key out");
        }
    };
    for fault in add(&text).err().into_iter().flatten().take(FAULTS_TOLD) {
        let what = format!("`{written}`, line {}: {}", fault.line, fault.why);
        document.fault(entry.value_at(), what, "correct the row");
    }
}

/// A trunk's own rules; what it does not say is as at home.
pub(super) fn of_trunk(document: &mut Document<'_>, section: &mut Section<'_>, home: &Rules) -> Rules {
    let mut rules = home.clone();
    place(document, section, &mut rules);
    rules.arrives = one_of(document, section, "arrives", &ARRIVES).unwrap_or_default();
    rules.sends = one_of(document, section, "sends", &SENDS).unwrap_or_default();
    let mut digits = |name| dialled(document, section, name).unwrap_or_default();
    (rules.strip, rules.prefix, rules.send_prefix) =
        (digits("strip"), digits("prefix"), digits("send_prefix"));
    rules
}

/// Who we are shown as in calls to a trunk.
pub(super) fn presentation(
    document: &mut Document<'_>,
    section: &mut Section<'_>,
    home: &Rules,
) -> Presentation {
    const FORWARDS: [(&str, Forwards); 3] =
        [("own", Forwards::Own), ("diversion", Forwards::Diversion), ("history", Forwards::History)];
    let mut presentation = Presentation::default();
    if let Some(entry) = section.take("shows") {
        for (text, at) in document.texts(&entry) {
            let number = home.normal(text);
            if number.e164().is_none() {
                let what = format!("`{text}` cannot be shown as a caller");
                document.fault(at, what, "write a whole number, such as \"+390612345678\"");
            }
            presentation.numbers.push(number);
        }
    }
    let mut flag = |name| section.take(name).and_then(|entry| document.flag(&entry)).unwrap_or(false);
    (presentation.asserts, presentation.withholds) = (flag("asserts"), flag("withholds"));
    presentation.forwards = one_of(document, section, "forwards", &FORWARDS).unwrap_or_default();
    presentation
}

/// How much of what a trunk says of callers is believed, and which header field says it.
pub(super) fn identity(document: &mut Document<'_>, section: &mut Section<'_>) -> Policy {
    let trusted = section.take("trusted").and_then(|entry| document.flag(&entry)).unwrap_or(true);
    let choices: Vec<(&str, Option<Source>)> = std::iter::once(("auto", None))
        .chain(Source::ALL.into_iter().map(|source| (source.as_str(), Some(source))))
        .collect();
    let caller_from = one_of(document, section, "caller_from", &choices).flatten();
    Policy { trusted, caller_from }
}

fn place(document: &mut Document<'_>, section: &mut Section<'_>, rules: &mut Rules) {
    if let Some(entry) = section.take("country")
        && let Some(iso) = document.text(&entry)
    {
        match Country::by_iso(iso) {
            Some(country) => rules.country = country,
            None => {
                let known: Vec<&str> = Country::known().collect();
                let what_to_do = format!("write two letters: {}", known.join(", "));
                document.fault(entry.value_at(), format!("the country `{iso}` is not known"), what_to_do);
            }
        }
    }
    rules.area = dialled(document, section, "area").or(rules.area.take());
}

/// Digits as they are dialled.
fn dialled(document: &mut Document<'_>, section: &mut Section<'_>, name: &'static str) -> Option<String> {
    let at = section.take(name)?;
    let written = document.text(&at)?;
    if written.bytes().all(|byte| byte.is_ascii_digit() || b"+*#".contains(&byte)) {
        return Some(written.to_owned());
    }
    document.fault(at.value_at(), format!("`{name}` is not dialled"), "write digits, +, * and # only");
    None
}
