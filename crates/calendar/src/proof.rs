//! What will go wrong with a calendar in the next two years. Walked from one boundary of a rule to the next, for
//! between two of them nothing changes.

use crate::exceptions::Exception;
use crate::hours::DAY_MINUTES;
use crate::rule::{Cause, Rule};
use crate::{Calendar, Fault};
use base::Wall;
use jiff::ToSpan;
use jiff::civil::Date;
use std::collections::BTreeSet;

/// How far ahead a calendar is proved: two years.
pub const PROOF_DAYS: i32 = 731;

/// What a proof found, each by its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// What must not be.
    pub faults: Vec<Fault>,
    /// What is hardly meant as it is written.
    pub warnings: Vec<Fault>,
}

impl Proof {
    /// Adds what another proof found.
    pub fn add(&mut self, other: Proof) {
        self.faults.extend(other.faults);
        self.warnings.extend(other.warnings);
    }
}

impl Calendar {
    /// Walks [`PROOF_DAYS`] from `from` on. Every instant is decided, and by one rule alone; whether the calendar is
    /// ever open and whether each exception still says anything is told.
    pub fn prove(&self, from: Wall) -> Proof {
        let Some(first) = self.zone.date(from) else { return self.beyond_dates() };
        let Ok(last) = first.checked_add(PROOF_DAYS.days()) else { return self.beyond_dates() };
        let mut walk = Walk::new(self);
        for date in first.series(1.day()).take_while(|date| *date < last) {
            walk.day(date);
        }
        walk.proof(first, last)
    }

    fn beyond_dates(&self) -> Proof {
        let what = "the days of today cannot be written as dates";
        let faults = vec![self.fault((1, 1), what, "set the clock of this machine".to_owned())];
        Proof { faults, warnings: Vec::new() }
    }

    fn fault(&self, (line, column): (usize, usize), what: impl Into<String>, what_to_do: String) -> Fault {
        Fault { file: self.file.clone(), line, column, what: what.into(), what_to_do }
    }
}

/// What has been seen so far. Exceptions are known by their places.
struct Walk<'c> {
    calendar: &'c Calendar,
    open: bool,
    /// Those that have something to say about some day.
    holding: BTreeSet<(usize, usize)>,
    deciding: BTreeSet<(usize, usize)>,
    /// Closures into which the hours of the evening before go on.
    spilt: BTreeSet<(usize, usize)>,
}

impl<'c> Walk<'c> {
    fn new(calendar: &'c Calendar) -> Walk<'c> {
        let (holding, deciding, spilt) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        Walk { calendar, open: false, holding, deciding, spilt }
    }

    fn day(&mut self, date: Date) {
        let holding = self.calendar.exceptions.iter().filter(|exception| exception.hours(date).is_some());
        self.holding.extend(holding.map(|exception| exception.at));
        let rule = self.calendar.rule(date);
        if let Cause::Exception(exception) = rule.cause {
            self.deciding.insert(exception.at);
            let evening = date.yesterday().map(|yesterday| self.calendar.rule(yesterday));
            if rule.hours.is_empty() && evening.is_ok_and(|evening| goes_on(&evening, exception)) {
                self.spilt.insert(exception.at);
            }
        }
        self.open = self.open || self.calendar.edges(date).iter().any(|edge| self.calendar.is_open(*edge));
    }

    fn proof(self, first: Date, last: Date) -> Proof {
        let calendar = self.calendar;
        let mut proof = Proof::default();
        if !self.open {
            let what = format!("it is never open from {first} to {last}");
            let what_to_do = "write hours for some day of the week, or an exception with hours";
            proof.faults.push(calendar.fault((1, 1), what, what_to_do.to_owned()));
        }
        let over = |exception: &Exception| exception.is_over(first);
        if !calendar.exceptions.is_empty() && calendar.exceptions.iter().all(over) {
            let at = calendar.exceptions.first().map_or((1, 1), |exception| exception.at);
            let what = format!("every exception lies before {first}");
            proof.warnings.push(calendar.fault(at, what, "write those of this year".to_owned()));
        }
        for exception in &calendar.exceptions {
            let name = &exception.name;
            if self.holding.contains(&exception.at) && !self.deciding.contains(&exception.at) {
                let what = format!("`{name}` decides about no day: each of its days has a shorter exception");
                let what_to_do = "take it out, or change its days".to_owned();
                proof.warnings.push(calendar.fault(exception.at, what, what_to_do));
            }
            if self.spilt.contains(&exception.at) {
                let what = format!("`{name}` closes, but the hours of the evening before go on into it");
                let what_to_do = "let it begin a day earlier, or leave it if this is meant".to_owned();
                proof.warnings.push(calendar.fault(exception.at, what, what_to_do));
            }
        }
        proof
    }
}

/// Whether the evening's hours reach into the next day, and another rule than `exception` says so.
fn goes_on(evening: &Rule<'_>, exception: &Exception) -> bool {
    let same = matches!(evening.cause, Cause::Exception(other) if other.at == exception.at);
    !same && evening.hours.iter().any(|hours| hours.to > DAY_MINUTES)
}
