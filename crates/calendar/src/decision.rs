use crate::Calendar;
use crate::hours::{DAY_MINUTES, Hours};
use crate::rule::{Cause, Rule};
use base::Wall;
use jiff::civil::{Date, DateTime};
use jiff::{Span, Timestamp};

/// Whether it is open, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Open.
    pub open: bool,
    /// The rule that decided, as a person would say it.
    pub rule: String,
}

/// How far ahead [`Calendar::until`] looks.
pub const HORIZON_DAYS: u16 = 60;

impl Calendar {
    /// What it is at `wall`. An instant outside the years that dates are written in is closed.
    pub fn at(&self, wall: Wall) -> Decision {
        let Some((rule, hours)) = self.decide_at(wall) else {
            return Decision { open: false, rule: "no calendar reaches so far".to_owned() };
        };
        Decision { open: hours.is_some(), rule: rule.told(hours) }
    }

    /// The rule that decides at `wall`, in Italian: for people who ask, not for every call.
    pub fn rule_in_italian(&self, wall: Wall) -> String {
        let told = self.decide_at(wall).map(|(rule, hours)| rule.told_in_italian(hours));
        told.unwrap_or_else(|| "nessun calendario arriva così lontano".to_owned())
    }

    fn decide_at(&self, wall: Wall) -> Option<(Rule<'_>, Option<Hours>)> {
        let instant = Timestamp::from_microsecond(wall.unix_micros()).ok()?;
        Some(self.decide(self.zone.0.to_datetime(instant)))
    }

    /// When it next opens or closes after `wall`; `None` if it does not within [`HORIZON_DAYS`].
    pub fn until(&self, wall: Wall) -> Option<Wall> {
        let instant = Timestamp::from_microsecond(wall.unix_micros()).ok()?;
        self.change(instant, self.zone.0.to_datetime(instant).date())
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

    /// The one rule that decides about the hours which begin on `date`.
    pub(crate) fn rule(&self, date: Date) -> Rule<'_> {
        let exceptions = self.exceptions.iter();
        let holding = exceptions.filter_map(|exception| Some((exception, exception.hours(date)?)));
        if let Some((exception, hours)) = holding.min_by_key(|(exception, _)| exception.precedence()) {
            return Rule { date, cause: Cause::Exception(exception), hours };
        }
        if let Some(name) = self.national.and_then(|national| national.holiday(date)) {
            return Rule { date, cause: Cause::Holiday(name), hours: &[] };
        }
        if let Some(feast) = self.patron.as_ref().and_then(|patron| patron.feast(date)) {
            return Rule { date, cause: Cause::Patron(feast), hours: &[] };
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

    pub(crate) fn is_open(&self, instant: Timestamp) -> bool {
        self.decide(self.zone.0.to_datetime(instant)).1.is_some()
    }

    /// The instants within `date` at which something may begin or end.
    pub(crate) fn edges(&self, date: Date) -> Vec<Timestamp> {
        let yesterday = date.yesterday().map(|day| self.rule(day).hours).unwrap_or_default();
        let spilt = yesterday.iter().filter_map(|hours| hours.to.checked_sub(DAY_MINUTES));
        let own = self.rule(date).hours.iter().flat_map(|hours| [hours.from, hours.to]);
        let minutes = spilt.chain(own).filter(|minute| *minute <= DAY_MINUTES).chain([0]);
        let midnight = date.to_datetime(jiff::civil::Time::midnight());
        let mut edges = Vec::new();
        for minute in minutes {
            let Ok(local) = midnight.checked_add(Span::new().minutes(i64::from(minute))) else { continue };
            let instants = self.zone.0.to_ambiguous_timestamp(local);
            edges.extend(instants.earlier());
            edges.extend(instants.later());
        }
        let first = edges.iter().min().copied();
        let moved = first.and_then(|first| self.zone.0.following(first).next());
        edges.extend(
            moved
                .map(|moved| moved.timestamp())
                .filter(|moved| self.zone.0.to_datetime(*moved).date() == date),
        );
        edges
    }
}
