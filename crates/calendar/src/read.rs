use crate::exceptions::{Days, Exception, Plan};
use crate::holidays::National;
use crate::hours::{DAY_KEYS, Hours, Week};
use crate::patrons::{MonthDay, Patron};
use crate::{Calendar, Zone};
use document::{Document, Entry, Fault, Section, nearest};
use jiff::civil::Date;

/// The exceptions that one calendar may have: years of closures, and still nothing to wait for in a call.
const EXCEPTIONS_MAX: usize = 500;
/// With so many others an exception's clashes are told; of hundreds for one day each pair would be one.
const CLASHES_MAX: usize = 3;

pub(crate) fn calendar(file: &str, text: &str) -> Result<Calendar, Vec<Fault>> {
    let (mut document, table) = Document::parse(file, text);
    let calendar = table.and_then(|table| read(file, &mut document, Section::new(&table, 0)));
    match calendar {
        Some(calendar) if document.is_sound() => Ok(calendar),
        _ => Err(document.into_faults()),
    }
}

fn read(file: &str, document: &mut Document<'_>, mut section: Section<'_>) -> Option<Calendar> {
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
    Some(Calendar { file: file.to_owned(), zone: zone?, week, national, patron, exceptions })
}

fn zone(document: &mut Document<'_>, section: &mut Section<'_>) -> Option<Zone> {
    let entry =
        section.require(document, "zone", "write the place whose clocks count: zone = \"Europe/Rome\"")?;
    let name = document.text(&entry)?;
    let zone = Zone::named(name);
    if zone.is_none() {
        let names = Zone::names();
        let what_to_do = match nearest(name, names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write it like \"Europe/Rome\"".to_owned(),
        };
        document.fault(entry.value_at(), format!("unknown zone `{name}`"), what_to_do);
    }
    zone
}

fn national(document: &mut Document<'_>, section: &mut Section<'_>) -> Option<National> {
    let entry = section.take("holidays")?;
    let code = document.text(&entry)?;
    let national = National::parse(code);
    if national.is_none() {
        document.fault(
            entry.value_at(),
            format!("no holidays are known for `{code}`"),
            "write \"it\", \"it-bz\" for the province of Bolzano, or leave it out",
        );
    }
    national
}

fn patron(document: &mut Document<'_>, section: &mut Section<'_>) -> Option<Patron> {
    let entry = section.take("patron")?;
    match Patron::parse(document.text(&entry)?) {
        Ok(patron) => Some(patron),
        Err((what, what_to_do)) => {
            document.fault(entry.value_at(), what, what_to_do);
            None
        }
    }
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
        let clashes = exceptions.iter().filter_map(|other| Some((other, other.clash(&exception)?)));
        for (other, day) in clashes.take(CLASHES_MAX) {
            let (name, other, line) = (&exception.name, &other.name, other.at.0);
            document.fault(
                at,
                format!("`{name}` and `{other}` (line {line}) are equally long, and both hold on {day}"),
                "change their days, so that the shorter one is the exception to the longer one",
            );
        }
        exceptions.push(exception);
    }
    exceptions
}

fn exception(document: &mut Document<'_>, mut section: Section<'_>) -> Option<Exception> {
    let at = section.at;
    let name = section.require(document, "name", "say why, in words for the log");
    let name = name.and_then(|name| document.text(&name)).map(str::to_owned);
    let days = days(document, &mut section);
    let plan = plan(document, &mut section, at);
    section.finish(document);
    let (days, name, plan) = (days?, name?, plan?);
    Some(Exception { name, days, plan, at: document.place(at) })
}

fn days(document: &mut Document<'_>, section: &mut Section<'_>) -> Option<Days> {
    let at = section.at;
    let (on, from, to) = (section.take("on"), section.take("from"), section.take("to"));
    match (on, from, to) {
        (Some(on), None, None) => day(document, &on).map(Written::alone),
        (None, Some(from), Some(to)) => {
            let (first, last) = (day(document, &from), day(document, &to));
            between(document, first?, last?, &to)
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

/// A day as it is written: of one year, or of every year.
#[derive(Clone, Copy)]
enum Written {
    Date(Date),
    EveryYear(MonthDay),
}

impl Written {
    fn alone(self) -> Days {
        match self {
            Written::Date(day) => Days::Dated { from: day, to: day },
            Written::EveryYear(day) => Days::Yearly { from: day, to: day },
        }
    }
}

fn between(document: &mut Document<'_>, first: Written, last: Written, to: &Entry<'_>) -> Option<Days> {
    match (first, last) {
        (Written::Date(from), Written::Date(last)) => {
            if last < from {
                document.fault(to.value_at(), "the last day is before the first", "exchange them");
            }
            Some(Days::Dated { from, to: last })
        }
        (Written::EveryYear(from), Written::EveryYear(last)) => Some(Days::Yearly { from, to: last }),
        _ => {
            let what = "one of the two days is of one year, the other of every year";
            document.fault(to.value_at(), what, "write both with the year, or both without it");
            None
        }
    }
}

fn day(document: &mut Document<'_>, entry: &Entry<'_>) -> Option<Written> {
    let written = match entry.value.get_ref() {
        toml::de::DeValue::Datetime(date) => date.to_string(),
        _ => document.text(entry)?.to_owned(),
    };
    let date = (written.len() == "2026-12-24".len()).then(|| written.parse().ok()).flatten();
    let day = date.map(Written::Date).or_else(|| MonthDay::parse(&written).map(Written::EveryYear));
    if day.is_none() {
        let what_to_do = "write it like 2026-12-24, or \"12-24\" for every year";
        document.fault(entry.value_at(), format!("`{written}` is no date"), what_to_do);
    }
    day
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
