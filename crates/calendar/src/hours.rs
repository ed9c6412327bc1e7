use jiff::civil::{Date, Weekday};
use std::fmt;

pub(crate) const DAY_MINUTES: u16 = 24 * 60;

/// The keys of a week's days, Monday first.
pub(crate) const DAY_KEYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// The same as days.
pub(crate) const DAY_NAMES: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

/// From a minute of the day to another, that one not included. Beyond midnight the end is over a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hours {
    pub(crate) from: u16,
    pub(crate) to: u16,
}

impl Hours {
    /// Reads `09:00-13:00`. The error says what to write.
    pub(crate) fn parse(text: &str) -> Result<Hours, &'static str> {
        let (from, to) = text.split_once('-').ok_or(SHAPE)?;
        let (from, to) = (minute(from).ok_or(SHAPE)?, minute(to).ok_or(SHAPE)?);
        match () {
            _ if from == DAY_MINUTES => Err("a day begins at 00:00"),
            _ if from == to => Err("say where they end; a whole day is \"00:00-24:00\""),
            _ if to < from => Ok(Hours { from, to: to + DAY_MINUTES }),
            _ => Ok(Hours { from, to }),
        }
    }

    pub(crate) fn contains(self, minute: u16) -> bool {
        self.from <= minute && minute < self.to
    }
}

const SHAPE: &str = "write it like \"09:00-13:00\"";

fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(hour) || !digits(minute) {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    let total = hour * 60 + minute;
    (minute < 60 && total <= DAY_MINUTES).then_some(total)
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let to = if self.to > DAY_MINUTES { self.to - DAY_MINUTES } else { self.to };
        write!(f, "{:02}:{:02}-{:02}:{:02}", self.from / 60, self.from % 60, to / 60, to % 60)
    }
}

/// The hours of some days of the week.
#[derive(Clone, Debug, Default)]
pub(crate) struct Week([Option<Vec<Hours>>; 7]);

impl Week {
    pub(crate) fn set(&mut self, key: &str, hours: Vec<Hours>) {
        let place = DAY_KEYS.iter().position(|day| *day == key);
        if let Some(day) = place.and_then(|place| self.0.get_mut(place)) {
            *day = Some(hours);
        }
    }

    /// The hours of the date's day, if that day is named.
    pub(crate) fn on(&self, date: Date) -> Option<&[Hours]> {
        self.of(date.weekday())
    }

    /// The hours of a day of the week, if it is named.
    pub(crate) fn of(&self, day: Weekday) -> Option<&[Hours]> {
        let place = usize::try_from(day.to_monday_zero_offset()).ok()?;
        self.0.get(place)?.as_deref()
    }

    pub(crate) fn shares_a_day_with(&self, other: &Week) -> bool {
        self.0.iter().zip(&other.0).any(|(day, other)| day.is_some() && other.is_some())
    }

    pub(crate) fn names_a_day(&self) -> bool {
        self.0.iter().any(Option::is_some)
    }
}

pub(crate) fn day_name(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}

pub(crate) fn italian_day_name(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "lunedì",
        Weekday::Tuesday => "martedì",
        Weekday::Wednesday => "mercoledì",
        Weekday::Thursday => "giovedì",
        Weekday::Friday => "venerdì",
        Weekday::Saturday => "sabato",
        Weekday::Sunday => "domenica",
    }
}
