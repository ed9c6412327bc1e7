use crate::hours::{DAY_MINUTES, Hours, day_name};
use crate::{Calendar, Exception};
use base::Wall;
use jiff::civil::{Date, DateTime};
use jiff::{Span, Timestamp};
use std::cmp::Reverse;

/// Whether it is open, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Open.
    pub open: bool,
    /// The rule that decided, as a person would say it.
    pub rule: String,
    /// When that changes; `None` if it does not within [`HORIZON_DAYS`].
    pub until: Option<Wall>,
}

/// How far ahead [`Decision::until`] looks.
pub const HORIZON_DAYS: u16 = 60;

impl Calendar {
    /// What it is at `wall`. An instant outside the years that dates are written in is closed.
    pub fn at(&self, wall: Wall) -> Decision {
        let Ok(instant) = Timestamp::from_microsecond(wall.unix_micros()) else {
            return Decision { open: false, rule: "no calendar reaches so far".to_owned(), until: None };
        };
        let local = self.zone.to_datetime(instant);
        let (rule, hours) = self.decide(local);
        Decision { open: hours.is_some(), rule: rule.told(hours), until: self.change(instant, local.date()) }
    }

    /// The rule that decides at a time on the wall, and the hours that make it open. Hours over midnight
    /// belong to the day on which they begin.
    fn decide(&self, local: DateTime) -> (Rule<'_>, Option<Hours>) {
        let minute = u16::try_from(i32::from(local.hour()) * 60 + i32::from(local.minute())).unwrap_or(0);
        if let Ok(yesterday) = local.date().yesterday() {
            let rule = self.rule(yesterday);
            if let Some(hours) = rule.open_at(minute + DAY_MINUTES) {
                return (rule, Some(hours));
            }
        }
        let rule = self.rule(local.date());
        let hours = rule.open_at(minute);
        (rule, hours)
    }

    fn rule(&self, date: Date) -> Rule<'_> {
        let exception = self
            .exceptions
            .iter()
            .filter_map(|exception| Some((exception, exception.hours(date)?)))
            .max_by_key(|(exception, _)| Reverse(exception.length()));
        if let Some((exception, hours)) = exception {
            return Rule { date, cause: Cause::Exception(exception), hours };
        }
        if let Some(name) = self.national.and_then(|national| national.holiday(date)) {
            return Rule { date, cause: Cause::Holiday(name), hours: &[] };
        }
        if self.patron.is_some_and(|patron| (patron.month, patron.day) == (date.month(), date.day())) {
            return Rule { date, cause: Cause::Holiday("patron saint"), hours: &[] };
        }
        Rule { date, cause: Cause::Week, hours: self.week.on(date).unwrap_or_default() }
    }

    /// The first instant after `now` at which open turns to closed or closed to open. Only where hours begin
    /// or end on the wall, or where the zone moves the wall's clock, can that be.
    fn change(&self, now: Timestamp, today: Date) -> Option<Wall> {
        let open = self.is_open(now);
        let mut date = today;
        for _ in 0..HORIZON_DAYS {
            let mut edges = self.edges(date);
            edges.sort();
            let change = edges.into_iter().find(|edge| *edge > now && self.is_open(*edge) != open);
            if let Some(change) = change {
                return Some(Wall::from_unix_micros(change.as_microsecond()));
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    fn is_open(&self, instant: Timestamp) -> bool {
        self.decide(self.zone.to_datetime(instant)).1.is_some()
    }

    /// The instants within `date` at which something may begin or end.
    fn edges(&self, date: Date) -> Vec<Timestamp> {
        let yesterday = date.yesterday().map(|day| self.rule(day).hours).unwrap_or_default();
        let spilt = yesterday.iter().filter_map(|hours| hours.to.checked_sub(DAY_MINUTES));
        let own = self.rule(date).hours.iter().flat_map(|hours| [hours.from, hours.to]);
        let minutes = spilt.chain(own).filter(|minute| *minute <= DAY_MINUTES).chain([0]);
        let midnight = date.to_datetime(jiff::civil::Time::midnight());
        let mut edges = Vec::new();
        for minute in minutes {
            let Ok(local) = midnight.checked_add(Span::new().minutes(i64::from(minute))) else { continue };
            let instants = self.zone.to_ambiguous_timestamp(local);
            edges.extend(instants.earlier());
            edges.extend(instants.later());
        }
        let first = edges.iter().min().copied();
        let moved = first.and_then(|first| self.zone.following(first).next());
        edges.extend(
            moved.map(|moved| moved.timestamp()).filter(|moved| self.zone.to_datetime(*moved).date() == date),
        );
        edges
    }
}

/// What decides about a day.
struct Rule<'c> {
    date: Date,
    cause: Cause<'c>,
    hours: &'c [Hours],
}

enum Cause<'c> {
    Exception(&'c Exception),
    Holiday(&'static str),
    Week,
}

impl Rule<'_> {
    fn open_at(&self, minute: u16) -> Option<Hours> {
        self.hours.iter().copied().find(|hours| hours.contains(minute))
    }

    fn told(&self, open: Option<Hours>) -> String {
        let day = day_name(self.date.weekday());
        let when = match (open, self.hours) {
            (Some(hours), _) => format!("{day} {hours}"),
            (None, []) => format!("{day} closed"),
            (None, hours) => {
                format!("{day} only {}", Vec::from_iter(hours.iter().map(Hours::to_string)).join(", "))
            }
        };
        match &self.cause {
            Cause::Exception(exception) => format!("exception \"{}\": {when}", exception.name),
            Cause::Holiday(name) => format!("holiday \"{name}\": {when}"),
            Cause::Week => format!("weekly hours: {when}"),
        }
    }
}
