//! A month as a person looks at it: each day with its hours and what is special about it.

use crate::Calendar;
use crate::hours::{Hours, italian_day_name};
use crate::rule::Cause;
use jiff::ToSpan;
use jiff::civil::Date;
use std::fmt::Write as _;

/// A month of a calendar. Words are Italian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Month {
    /// Such as `aprile 2027`.
    pub title: String,
    /// The calendar's zone.
    pub zone: String,
    /// From the first on.
    pub days: Vec<Day>,
}

/// A day of a month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// From 1.
    pub number: u8,
    /// Monday is 0.
    pub weekday: u8,
    /// Such as `09:00-13:00`, in order; none if it is closed. Those over midnight stand with the day on which they
    /// begin.
    pub hours: Vec<String>,
    /// The exception, the holiday or the saint that decides; empty for the weekly hours.
    pub note: String,
    /// What the clocks do; empty on nearly all days.
    pub clocks: String,
}

impl Calendar {
    /// The month written `2027-04`. `None` if it is none.
    pub fn month(&self, written: &str) -> Option<Month> {
        let first = (written.len() == "2027-04".len()).then(|| format!("{written}-01"))?;
        let first: Date = first.parse().ok()?;
        let days = first.series(1.day()).take_while(|date| date.month() == first.month());
        let name = MONTHS.get(usize::try_from(first.month() - 1).ok()?)?;
        Some(Month {
            title: format!("{name} {}", first.year()),
            zone: self.zone.name().to_owned(),
            days: days.map(|date| self.day(date)).collect(),
        })
    }

    fn day(&self, date: Date) -> Day {
        let rule = self.rule(date);
        let note = match rule.cause {
            Cause::Exception(exception) => exception.name.clone(),
            Cause::Holiday(name) => name.to_owned(),
            Cause::Patron("") => "santo patrono".to_owned(),
            Cause::Patron(feast) => feast.to_owned(),
            Cause::Week => String::new(),
        };
        Day {
            number: u8::try_from(date.day()).unwrap_or(0),
            weekday: u8::try_from(date.weekday().to_monday_zero_offset()).unwrap_or(0),
            hours: rule.hours.iter().map(Hours::to_string).collect(),
            note,
            clocks: self.clocks(date).unwrap_or_default(),
        }
    }

    /// What the clocks do on `date`, if they do not just go on.
    fn clocks(&self, date: Date) -> Option<String> {
        let offset = |date: Date| self.zone.0.to_zoned(date.into()).ok().map(|midnight| midnight.offset());
        let (before, after) = (offset(date)?, offset(date.tomorrow().ok()?)?);
        match after.seconds() - before.seconds() {
            0 => None,
            more if more > 0 => Some(format!("l'orologio va avanti di {} minuti", more / 60)),
            less => Some(format!("l'orologio torna indietro di {} minuti", -less / 60)),
        }
    }
}

impl Month {
    /// A line for each day.
    pub fn text(&self) -> String {
        let mut text = format!("{} ({})\n", self.title, self.zone);
        for day in &self.days {
            let hours = if day.hours.is_empty() { "chiuso".to_owned() } else { day.hours.join(" ") };
            let notes = [day.note.as_str(), &day.clocks].into_iter().filter(|note| !note.is_empty());
            let line = format!(
                "{} {:>2}  {hours:<24} {}",
                day.short_weekday(),
                day.number,
                Vec::from_iter(notes).join("; ")
            );
            let _infallible = writeln!(text, "{}", line.trim_end());
        }
        text
    }
}

impl Day {
    fn short_weekday(&self) -> String {
        let day = jiff::civil::Weekday::from_monday_zero_offset(i8::try_from(self.weekday).unwrap_or(0));
        day.map(|day| italian_day_name(day).chars().take(3).collect()).unwrap_or_default()
    }
}

const MONTHS: [&str; 12] = [
    "gennaio",
    "febbraio",
    "marzo",
    "aprile",
    "maggio",
    "giugno",
    "luglio",
    "agosto",
    "settembre",
    "ottobre",
    "novembre",
    "dicembre",
];
