//! Values as scripts, look-ups and callers write them.

use std::ops::RangeInclusive;

pub(crate) const NUMBER_MAX: u32 = 999_999_999;
pub(crate) const ORDINAL_MAX: u32 = 100;

/// Digits only; leading zeros mean nothing.
pub(crate) fn number(text: &str, range: RangeInclusive<u32>) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|n| digits && range.contains(n))
}

/// A day of the years 1900 to 2099.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Date {
    pub(crate) year: u32,
    /// 1 to 12.
    pub(crate) month: u32,
    /// 1 to 31.
    pub(crate) day: u32,
    /// 1, Monday, to 7, Sunday.
    pub(crate) weekday: u32,
}

impl Date {
    /// `2027-04-25`
    pub(crate) fn read(text: &str) -> Option<Date> {
        let mut parts = text.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() || (year.len(), month.len(), day.len()) != (4, 2, 2) {
            return None;
        }
        let (year, month) = (number(year, 1900..=2099)?, number(month, 1..=12)?);
        Date::new(year, month, number(day, 1..=days(year, month))?)
    }

    /// `None` if the month has no such day.
    pub(crate) fn new(year: u32, month: u32, day: u32) -> Option<Date> {
        let known = (1900..=2099).contains(&year) && (1..=12).contains(&month);
        if !known || !(1..=days(year, month)).contains(&day) {
            return None;
        }
        let years = year - 1900;
        // 1900 was no leap year, 2000 was one: up to 2099 it is every fourth year after 1900.
        let before: u32 = 365 * years + years.saturating_sub(1) / 4;
        let months: u32 = (1..month).map(|month| days(year, month)).sum();
        // The first of January 1900 was a Monday.
        Some(Date { year, month, day, weekday: (before + months + day - 1) % 7 + 1 })
    }
}

fn days(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && year != 1900 => 29,
        2 => 28,
        _ => 31,
    }
}

/// A time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Time {
    /// 0 to 23.
    pub(crate) hour: u32,
    /// 0 to 59.
    pub(crate) minute: u32,
}

impl Time {
    /// `09:30`
    pub(crate) fn read(text: &str) -> Option<Time> {
        let (hour, minute) = text.split_once(':')?;
        if (hour.len(), minute.len()) != (2, 2) {
            return None;
        }
        Some(Time { hour: number(hour, 0..=23)?, minute: number(minute, 0..=59)? })
    }
}

/// An amount of euros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Money {
    pub(crate) euros: u32,
    /// 0 to 99.
    pub(crate) cents: u32,
}

impl Money {
    /// `12.50 EUR`, `12.5`, `12`; no other currency is known.
    pub(crate) fn read(text: &str) -> Option<Money> {
        let amount = text.strip_suffix("EUR").or_else(|| text.strip_suffix('€')).unwrap_or(text);
        let amount = amount.trim_end_matches(' ');
        let (euros, cents) =
            amount.split_once('.').map_or((amount, None), |(euros, cents)| (euros, Some(cents)));
        let cents = match cents {
            None => 0,
            Some(tenths) if tenths.len() == 1 => 10 * number(tenths, 0..=9)?,
            Some(cents) if cents.len() == 2 => number(cents, 0..=99)?,
            Some(_) => return None,
        };
        Some(Money { euros: number(euros, 0..=NUMBER_MAX)?, cents })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_knows_its_weekday() {
        let weekday = |text| Date::read(text).map(|date| date.weekday);
        for (text, expected) in
            [("1900-01-01", 1), ("1900-03-01", 4), ("2000-02-29", 2), ("2027-04-25", 7), ("2099-12-31", 4)]
        {
            assert_eq!(weekday(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_day_no_time_and_no_amount_is_not_read() {
        for text in
            ["2027-02-29", "1900-02-29", "2027-4-25", "2027-13-01", "2027-00-10", "2100-01-01", "2027-04-25-"]
        {
            assert_eq!(Date::read(text), None, "{text}");
        }
        for text in ["24:00", "9:30", "09:60", "09:3", "09:30:00", "+9:30"] {
            assert_eq!(Time::read(text), None, "{text}");
        }
        for text in ["", "EUR", "-1", "12.", ".5", "12.505", "12,50", "12 USD", "1e3", "1000000000"] {
            assert_eq!(Money::read(text), None, "{text}");
        }
    }

    #[test]
    fn amounts_are_read_with_and_without_their_currency() {
        for (text, euros, cents) in [
            ("12.50 EUR", 12, 50),
            ("12.5", 12, 50),
            ("12€", 12, 0),
            ("0.05 EUR", 0, 5),
            ("999999999.99", 999_999_999, 99),
        ] {
            assert_eq!(Money::read(text), Some(Money { euros, cents }), "{text}");
        }
    }
}
