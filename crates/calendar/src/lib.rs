//! What is open at an instant: weekly hours, Italian holidays, exceptions.
//!
//! A calendar is a text that a person wrote; [`Calendar::parse`] checks it whole and tells every fault with
//! its place. The zone rules are compiled in, so that no file is read and every machine decides alike.
//!
//! Hours are what the clock on the wall shows: an hour that daylight saving shows twice is open twice, and
//! one that it leaves out does not come.

mod decision;
mod holidays;
mod hours;
mod read;

use holidays::National;
use hours::{Hours, Week};
use jiff::civil::Date;
use jiff::tz::TimeZone;

pub use decision::{Decision, HORIZON_DAYS};
pub use document::Fault;

/// A checked calendar.
#[derive(Clone, Debug)]
pub struct Calendar {
    zone: TimeZone,
    week: Week,
    national: Option<National>,
    patron: Option<Patron>,
    exceptions: Vec<Exception>,
}

impl Calendar {
    /// Checks the calendar written in `text`, which came from `file`. All faults at once, by place.
    pub fn parse(file: &str, text: &str) -> Result<Calendar, Vec<Fault>> {
        read::calendar(file, text)
    }
}

/// The day of a town's own saint.
#[derive(Clone, Copy, Debug)]
struct Patron {
    month: i8,
    day: i8,
}

/// What holds on some days instead of all other rules.
#[derive(Clone, Debug)]
struct Exception {
    name: String,
    from: Date,
    /// The last day.
    to: Date,
    plan: Plan,
}

impl Exception {
    fn hours(&self, date: Date) -> Option<&[Hours]> {
        if date < self.from || self.to < date {
            return None;
        }
        match &self.plan {
            Plan::EveryDay(hours) => Some(hours),
            Plan::SomeDays(week) => week.on(date),
        }
    }

    /// The last day less the first: of two exceptions for a day the shorter one is meant.
    fn length(&self) -> i64 {
        i64::from(self.from.until(self.to).map_or(i32::MAX, |span| span.get_days()))
    }
}

#[derive(Clone, Debug)]
enum Plan {
    /// The same on each day; none is closed.
    EveryDay(Vec<Hours>),
    /// Only these days of the week; the others follow the other rules.
    SomeDays(Week),
}
