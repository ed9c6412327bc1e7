//! How numbers are written: `[numbers]` for the installation, and the keys of the same names of a trunk.

use document::{Document, Section};
use numbers::{Arrives, Country, Rules, Sends};

const ARRIVES: [(&str, Arrives); 3] =
    [("auto", Arrives::Auto), ("national", Arrives::National), ("e164", Arrives::E164)];
const SENDS: [(&str, Sends); 4] = [
    ("e164", Sends::E164),
    ("plain", Sends::Plain),
    ("00", Sends::DoubleZero),
    ("national", Sends::National),
];

/// `[numbers]`: where the installation is at home.
pub(super) fn home(document: &mut Document<'_>, root: &mut Section<'_>) -> Rules {
    let mut rules = Rules::of(Country::ITALY);
    let Some(entry) = root.take("numbers") else { return rules };
    let Some(mut section) = document.section(&entry) else { return rules };
    place(document, &mut section, &mut rules);
    section.finish(document);
    rules
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

fn one_of<T: Copy>(
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
        document.fault(entry.value_at(), format!("`{written}` is no form of numbers"), what_to_do);
    }
    found.map(|(_, value)| *value)
}
