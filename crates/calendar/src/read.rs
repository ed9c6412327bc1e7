use crate::holidays::National;
use crate::hours::{DAY_KEYS, Hours, Week};
use crate::{Calendar, Exception, Patron, Plan};
use document::{Document, Entry, Fault, Section, nearest};
use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};

/// The exceptions that one calendar may have: years of closures, and still nothing to wait for in a call.
const EXCEPTIONS_MAX: usize = 500;

pub(crate) fn calendar(file: &str, text: &str) -> Result<Calendar, Vec<Fault>> {
    let (mut document, table) = Document::parse(file, text);
    let calendar = table.and_then(|table| read(&mut document, Section::new(&table, 0)));
    match calendar {
        Some(calendar) if document.is_sound() => Ok(calendar),
        _ => Err(document.into_faults()),
    }
}

fn read(document: &mut Document<'_>, mut section: Section<'_>) -> Option<Calendar> {
    let zone = zone(document, &mut section);
    let national = national(document, &mut section);
    let patron = patron(document, &mut section);
    let week = week(document, &mut section);
    let exceptions = exceptions(document, &mut section);
    let at = section.at;
    section.finish(document);
    if !week.names_a_day() {
        document.fault(at, "no day has hours", "write at least one, such as mon = [\"09:00-13:00\"]");
    }
    Some(Calendar { zone: zone?, week, national, patron, exceptions })
}

fn zone(document: &mut Document<'_>, section: &mut Section<'_>) -> Option<TimeZone> {
    let entry =
        section.require(document, "zone", "write the place whose clocks count: zone = \"Europe/Rome\"")?;
    let name = document.text(&entry)?;
    let database = TimeZoneDatabase::bundled();
    let zone = database.get(name);
    if zone.is_err() {
        let names: Vec<String> = database.available().map(|name| name.to_string()).collect();
        let what_to_do = match nearest(name, names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write it like \"Europe/Rome\"".to_owned(),
        };
        document.fault(entry.value_at(), format!("unknown zone `{name}`"), what_to_do);
    }
    zone.ok()
}

fn national(document: &mut Document<'_>, section: &mut Section<'_>) -> Option<National> {
    let entry = section.take("holidays")?;
    let code = document.text(&entry)?;
    let national = National::parse(code);
    if national.is_none() {
        document.fault(
            entry.value_at(),
            format!("no holidays are known for `{code}`"),
            "write \"it\" or leave it out",
        );
    }
    national
}

fn patron(document: &mut Document<'_>, section: &mut Section<'_>) -> Option<Patron> {
    let entry = section.take("patron")?;
    let text = document.text(&entry)?;
    // A leap year, so that 29 February is a day.
    let date = two_digits(text).and_then(|(month, day)| Date::new(2000, month, day).ok());
    if date.is_none() {
        document.fault(
            entry.value_at(),
            format!("`{text}` is no day of the year"),
            "write month and day: \"12-07\"",
        );
    }
    date.map(|date| Patron { month: date.month(), day: date.day() })
}

fn two_digits(text: &str) -> Option<(i8, i8)> {
    let (month, day) = text.split_once('-')?;
    (month.len() == 2 && day.len() == 2).then_some((month.parse().ok()?, day.parse().ok()?))
}

fn week(document: &mut Document<'_>, section: &mut Section<'_>) -> Week {
    let mut week = Week::default();
    for key in DAY_KEYS {
        if let Some(entry) = section.take(key) {
            week.set(key, hours(document, &entry));
        }
    }
    week
}

fn hours(document: &mut Document<'_>, entry: &Entry<'_>) -> Vec<Hours> {
    let mut day: Vec<Hours> = Vec::new();
    for (text, at) in document.texts(entry) {
        let hours = match Hours::parse(text) {
            Ok(hours) => hours,
            Err(what_to_do) => {
                document.fault(at, format!("`{text}` are no hours"), what_to_do);
                continue;
            }
        };
        if let Some(other) = day.iter().find(|other| hours.from < other.to && other.from < hours.to) {
            document.fault(at, format!("{hours} and {other} overlap"), "make them one, or part them");
        }
        day.push(hours);
    }
    day.sort();
    day
}

fn exceptions(document: &mut Document<'_>, section: &mut Section<'_>) -> Vec<Exception> {
    let Some(entry) = section.take("exception") else { return Vec::new() };
    let items = document.list(&entry);
    if let Some(first) = items.get(EXCEPTIONS_MAX) {
        document.fault(
            first.at,
            format!("more than {EXCEPTIONS_MAX} exceptions"),
            "take out those of the past",
        );
        return Vec::new();
    }
    let mut exceptions: Vec<Exception> = Vec::new();
    for item in &items {
        let Some(section) = document.section(item) else { continue };
        let at = section.at;
        let Some(exception) = exception(document, section) else { continue };
        if let Some(other) = exceptions.iter().find(|other| clash(other, &exception)) {
            document.fault(
                at,
                format!(
                    "`{}` and `{}` are equally long and both hold on some day",
                    exception.name, other.name
                ),
                "change their days, so that the shorter one is the exception to the longer one",
            );
        }
        exceptions.push(exception);
    }
    exceptions
}

fn clash(a: &Exception, b: &Exception) -> bool {
    a.from <= b.to && b.from <= a.to && a.length() == b.length()
}

fn exception(document: &mut Document<'_>, mut section: Section<'_>) -> Option<Exception> {
    let at = section.at;
    let name = section.require(document, "name", "say why, in words for the log");
    let name = name.and_then(|name| document.text(&name)).map(str::to_owned);
    let days = days(document, &mut section);
    let plan = plan(document, &mut section, at);
    section.finish(document);
    let ((from, to), name, plan) = (days?, name?, plan?);
    Some(Exception { name, from, to, plan })
}

fn days(document: &mut Document<'_>, section: &mut Section<'_>) -> Option<(Date, Date)> {
    let at = section.at;
    let (on, from, to) = (section.take("on"), section.take("from"), section.take("to"));
    match (on, from, to) {
        (Some(on), None, None) => date(document, &on).map(|day| (day, day)),
        (None, Some(from), Some(to)) => {
            let (first, last) = (date(document, &from), date(document, &to));
            if first.zip(last).is_some_and(|(first, last)| last < first) {
                document.fault(to.value_at(), "the last day is before the first", "exchange them");
            }
            first.zip(last)
        }
        _ => {
            document.fault(
                at,
                "which days are meant is not clear",
                "write either `on`, or both `from` and `to`",
            );
            None
        }
    }
}

fn date(document: &mut Document<'_>, entry: &Entry<'_>) -> Option<Date> {
    let written = match entry.value.get_ref() {
        toml::de::DeValue::Datetime(date) => date.to_string(),
        _ => document.text(entry)?.to_owned(),
    };
    let date = (written.len() == "2026-12-24".len()).then(|| written.parse().ok()).flatten();
    if date.is_none() {
        document.fault(entry.value_at(), format!("`{written}` is no date"), "write it like 2026-12-24");
    }
    date
}

fn plan(document: &mut Document<'_>, section: &mut Section<'_>, at: usize) -> Option<Plan> {
    let (open, closed) = (section.take("open"), section.take("closed"));
    let week = week(document, section);
    match (open, closed, week.names_a_day()) {
        (Some(open), None, false) => Some(Plan::EveryDay(hours(document, &open))),
        (None, Some(closed), false) => {
            if document.flag(&closed) == Some(false) {
                document.fault(
                    closed.value_at(),
                    "`closed = false` says nothing",
                    "write the hours as `open`",
                );
            }
            Some(Plan::EveryDay(Vec::new()))
        }
        (None, None, true) => Some(Plan::SomeDays(week)),
        _ => {
            document.fault(
                at,
                "what holds on these days is not clear",
                "write one of `closed = true`, `open = [...]` or hours by day, such as `sun = [...]`",
            );
            None
        }
    }
}
