//! Ukrainian. The last digit, teens apart, decides about the noun: one, two to four, many. For 1 to 4 number and noun
//! are one recording, because both change. Dates and years end in an ordinal.

use crate::grammar::{Grammar, groups, has_whole_minutes, last_word_ordinal};
use crate::said::Said;
use crate::value::{Date, Time};

pub(crate) struct Ukrainian;

impl Grammar for Ukrainian {
    fn number(&self, n: u32, said: &mut Said) {
        let (millions, thousands, rest) = groups(n);
        if millions > 0 {
            count(millions, ("million", "millions"), said);
        }
        if thousands > 0 {
            count(thousands, ("thousand", "thousands"), said);
        }
        if rest > 0 || n == 0 {
            said.up_to_999(rest);
        }
    }

    fn ordinal(&self, n: u32, said: &mut Said) {
        last_word_ordinal(n, said);
    }

    fn day_and_month(&self, date: Date, said: &mut Said) {
        last_word("day", date.day, said);
        said.numbered("month", date.month);
    }

    /// The last number is an ordinal in the genitive, with the word for the year.
    fn year(&self, year: u32, said: &mut Said) {
        if year == 2000 {
            return said.numbered("year", 2000);
        }
        said.numbered("thousand", year / 1000);
        match (year / 100 % 10, year % 100) {
            (9, 0) => return said.numbered("year", 900),
            (9, _) => said.whole(900),
            _ => {}
        }
        last_word("year", year % 100, said);
    }

    fn time(&self, time: Time, said: &mut Said) {
        last_word("hour", time.hour, said);
        if time.minute > 0 {
            self.minutes(time.minute, said);
        }
    }

    /// "євро" never changes.
    fn euros(&self, n: u32, said: &mut Said) {
        self.number(n, said);
        said.word("euros");
    }

    fn cents(&self, n: u32, said: &mut Said) {
        count(n, ("cent", "cents"), said);
    }

    fn minutes(&self, n: u32, said: &mut Said) {
        if has_whole_minutes(n) {
            return said.numbered("minutes", n);
        }
        count(n, ("minutes", "minutes"), said);
    }
}

/// 0 to 999 of something.
fn count(n: u32, (few, many): (&'static str, &'static str), said: &mut Said) {
    let last = n % 10;
    if !(1..=4).contains(&last) || (11..=14).contains(&(n % 100)) {
        said.up_to_999(n);
        return said.word(many);
    }
    if n > last {
        said.up_to_999(n - last);
    }
    said.numbered(few, last);
}

/// 0 to 99, of which only the last word is recorded as `name`.
fn last_word(name: &'static str, n: u32, said: &mut Said) {
    if n > 20 && !n.is_multiple_of(10) {
        said.whole(n - n % 10);
        return said.numbered(name, n % 10);
    }
    said.numbered(name, n);
}
