//! What a calendar is made of, in words: for whoever compares two.

use crate::Calendar;
use crate::exceptions::{Days, Exception, Plan};
use crate::holidays::National;
use crate::hours::{DAY_NAMES, Hours, Week, day_name, italian_day_name};
use crate::patrons::{MonthDay, Patron};
use std::collections::BTreeMap;

/// The same in two languages.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InWords {
    /// In Italian.
    pub it: String,
    /// In English.
    pub en: String,
}

impl InWords {
    /// In both languages alike.
    pub fn same(text: impl Into<String>) -> InWords {
        let it = text.into();
        InWords { en: it.clone(), it }
    }

    /// In each language.
    pub fn new(it: impl Into<String>, en: impl Into<String>) -> InWords {
        InWords { it: it.into(), en: en.into() }
    }
}

impl Calendar {
    /// Each rule by its name: the zone, the days of the week, holidays, the patron saint, every exception.
    pub fn rules(&self) -> BTreeMap<InWords, InWords> {
        let mut rules = BTreeMap::new();
        rules.insert(InWords::new("il fuso orario", "the zone"), InWords::same(self.zone.name()));
        week(&self.week, &mut rules);
        if let Some(national) = self.national {
            let text = match national {
                National::Italy => InWords::new("quelle nazionali", "those of Italy"),
                National::Bolzano => InWords::new("quelle di Bolzano", "those of Bolzano"),
            };
            rules.insert(InWords::new("le festività", "the holidays"), text);
        }
        if let Some(patron) = &self.patron {
            rules.insert(InWords::new("il santo patrono", "the patron saint"), InWords::same(saint(patron)));
        }
        for one in &self.exceptions {
            let mut count = 1;
            while rules.contains_key(&named(one, count)) {
                count += 1;
            }
            rules.insert(named(one, count), told(one));
        }
        rules
    }
}

fn week(week: &Week, rules: &mut BTreeMap<InWords, InWords>) {
    for day in DAY_NAMES {
        if let Some(hours) = week.of(day) {
            rules.insert(InWords::new(italian_day_name(day), day_name(day)), open(hours));
        }
    }
}

fn open(hours: &[Hours]) -> InWords {
    match hours {
        [] => InWords::new("chiuso", "closed"),
        hours => InWords::same(Vec::from_iter(hours.iter().map(Hours::to_string)).join(", ")),
    }
}

fn saint(patron: &Patron) -> String {
    match patron {
        Patron::Day(day) => month_day(*day),
        Patron::Of(feasts) => Vec::from_iter(feasts.iter().map(|(_, name)| name.as_str())).join(", "),
    }
}

/// Two may have the same name.
fn named(exception: &Exception, count: usize) -> InWords {
    let more = if count > 1 { format!(" ({count})") } else { String::new() };
    let name = &exception.name;
    InWords::new(format!("l'eccezione «{name}»{more}"), format!("the exception \"{name}\"{more}"))
}

fn told(exception: &Exception) -> InWords {
    let days = match exception.days {
        Days::Dated { from, to } => span(&from.to_string(), &to.to_string()),
        Days::Yearly { from, to } => span(&month_day(from), &month_day(to)),
    };
    let plan = match &exception.plan {
        Plan::EveryDay(hours) => open(hours),
        Plan::SomeDays(some) => {
            let mut rules = BTreeMap::new();
            week(some, &mut rules);
            let of = |pick: fn(&InWords) -> &str| {
                let days = rules.iter().map(|(day, hours)| format!("{} {}", pick(day), pick(hours)));
                Vec::from_iter(days).join("; ")
            };
            InWords::new(of(|words| &words.it), of(|words| &words.en))
        }
    };
    InWords::new(format!("{days}: {}", plan.it), format!("{days}: {}", plan.en))
}

fn span(from: &str, to: &str) -> String {
    if from == to { from.to_owned() } else { format!("{from} – {to}") }
}

fn month_day(day: MonthDay) -> String {
    format!("{:02}-{:02}", day.month, day.day)
}
