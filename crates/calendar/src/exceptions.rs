//! What holds on some days instead of all other rules, and which of two exceptions is meant.

use crate::hours::{Hours, Week};
use crate::patrons::MonthDay;
use jiff::ToSpan;
use jiff::civil::Date;

/// What holds on some days instead of all other rules.
#[derive(Clone, Debug)]
pub(crate) struct Exception {
    pub(crate) name: String,
    pub(crate) days: Days,
    pub(crate) plan: Plan,
    /// Line and column, from 1.
    pub(crate) at: (usize, usize),
}

/// Both days included.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Days {
    Dated {
        from: Date,
        to: Date,
    },
    /// Every year. A last day before the first is one of the year after.
    Yearly {
        from: MonthDay,
        to: MonthDay,
    },
}

#[derive(Clone, Debug)]
pub(crate) enum Plan {
    /// The same on each day; none is closed.
    EveryDay(Vec<Hours>),
    /// Only these days of the week; the others follow the other rules.
    SomeDays(Week),
}

impl Exception {
    /// The hours of the day, if it decides about it.
    pub(crate) fn hours(&self, date: Date) -> Option<&[Hours]> {
        if !self.days.hold(date) {
            return None;
        }
        match &self.plan {
            Plan::EveryDay(hours) => Some(hours),
            Plan::SomeDays(week) => week.on(date),
        }
    }

    /// Of two exceptions for a day the one with the lower precedence is meant: the shorter one, and of equally long ones
    /// that of one year before that of every year.
    pub(crate) fn precedence(&self) -> (i64, bool) {
        let (from, to, yearly) = match self.days {
            Days::Dated { from, to } => (Some(from), Some(to), false),
            Days::Yearly { from, to } => {
                let last = to.in_leap_year();
                let next = || last.and_then(|last| last.checked_add(1.year()).ok());
                (from.in_leap_year(), if to < from { next() } else { last }, true)
            }
        };
        let length = from.zip(to).and_then(|(from, to)| from.until(to).ok());
        (length.map_or(i64::MAX, |length| i64::from(length.get_days())), yearly)
    }

    /// A day on which neither of the two is meant rather than the other, as a person writes it.
    pub(crate) fn clash(&self, other: &Exception) -> Option<String> {
        if self.precedence() != other.precedence() {
            return None;
        }
        match (self.days, other.days) {
            (Days::Dated { from, to }, Days::Dated { from: others, to: last }) => {
                let last = to.min(last);
                // After a week the days of the week come again.
                let mut days = from.max(others).series(1.day()).take(7).take_while(|day| *day <= last);
                let both = |day: &Date| self.hours(*day).is_some() && other.hours(*day).is_some();
                days.find(both).map(|day| day.to_string())
            }
            (Days::Yearly { from, .. }, Days::Yearly { from: others, .. }) => {
                let day =
                    [others, from].into_iter().find(|day| self.days.has(*day) && other.days.has(*day))?;
                // In the course of the years a day falls on each day of the week.
                let together = self.plan.names_a_day_of(&other.plan);
                together.then(|| format!("{:02}-{:02}", day.month, day.day))
            }
            _ => None,
        }
    }

    /// Whether all its days lie before `date`.
    pub(crate) fn is_over(&self, date: Date) -> bool {
        matches!(self.days, Days::Dated { to, .. } if to < date)
    }
}

impl Days {
    fn hold(self, date: Date) -> bool {
        match self {
            Days::Dated { from, to } => from <= date && date <= to,
            Days::Yearly { .. } => self.has(MonthDay::of(date)),
        }
    }

    fn has(self, day: MonthDay) -> bool {
        match self {
            Days::Yearly { from, to } if from <= to => from <= day && day <= to,
            Days::Yearly { from, to } => from <= day || day <= to,
            Days::Dated { .. } => false,
        }
    }
}

impl Plan {
    fn names_a_day_of(&self, other: &Plan) -> bool {
        match (self, other) {
            (Plan::SomeDays(week), Plan::SomeDays(other)) => week.shares_a_day_with(other),
            _ => true,
        }
    }
}
