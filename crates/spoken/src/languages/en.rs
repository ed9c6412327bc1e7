//! English. "and" stands before the last two digits; years go in pairs; the clock has twelve hours.

use crate::grammar::{Grammar, groups, last_word_ordinal, plain_count, plain_minutes};
use crate::said::Said;
use crate::value::{Date, Time};

pub(crate) struct English;

impl Grammar for English {
    fn number(&self, n: u32, said: &mut Said) {
        let (millions, thousands, rest) = groups(n);
        for (count, scale) in [(millions, "million"), (thousands, "thousand")] {
            if count > 0 {
                up_to_999(count, said);
                said.word(scale);
            }
        }
        if rest > 0 && rest < 100 && n > rest {
            said.word("and");
        }
        if rest > 0 || n == 0 {
            up_to_999(rest, said);
        }
    }

    fn ordinal(&self, n: u32, said: &mut Said) {
        last_word_ordinal(n, said);
    }

    /// "the fifth", "of April".
    fn day_and_month(&self, date: Date, said: &mut Said) {
        said.numbered("day", date.day);
        said.numbered("month", date.month);
    }

    /// 1900 "nineteen hundred", 1905 "nineteen oh five", 2005 "two thousand and five", 2027 "twenty twenty-seven".
    fn year(&self, year: u32, said: &mut Said) {
        if (2000..2010).contains(&year) {
            return self.number(year, said);
        }
        said.whole(year / 100);
        match year % 100 {
            0 => said.word("hundred"),
            rest => minute(rest, said),
        }
    }

    fn time(&self, time: Time, said: &mut Said) {
        match (time.hour, time.minute) {
            (0, 0) => return said.word("midnight"),
            (12, 0) => return said.word("noon"),
            _ => {}
        }
        said.whole(if time.hour.is_multiple_of(12) { 12 } else { time.hour % 12 });
        if time.minute > 0 {
            minute(time.minute, said);
        }
        said.word(if time.hour < 12 { "am" } else { "pm" });
    }

    fn euros(&self, n: u32, said: &mut Said) {
        plain_count(self, n, ("euro", "euros"), said);
    }

    fn cents(&self, n: u32, said: &mut Said) {
        plain_count(self, n, ("cent", "cents"), said);
    }

    fn minutes(&self, n: u32, said: &mut Said) {
        plain_minutes(self, n, said);
    }
}

fn up_to_999(n: u32, said: &mut Said) {
    if n < 100 {
        return said.whole(n);
    }
    said.whole(n - n % 100);
    if !n.is_multiple_of(100) {
        said.word("and");
        said.whole(n % 100);
    }
}

/// Two digits after others: "oh five", "thirty".
fn minute(n: u32, said: &mut Said) {
    if n < 10 {
        said.word("oh");
    }
    said.whole(n);
}
