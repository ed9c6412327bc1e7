//! Wolof. Five is the base: six is "five one", sixty "five one ten". "ak" joins hundreds, tens and units; what is
//! counted by tens comes first.

use crate::grammar::{Grammar, groups, has_whole_minutes};
use crate::said::Said;
use crate::value::{Date, Time};

pub(crate) struct Wolof;

impl Grammar for Wolof {
    fn number(&self, n: u32, said: &mut Said) {
        let (millions, thousands, rest) = groups(n);
        if millions > 0 {
            up_to_999(millions, said);
            said.word("million");
        }
        if thousands > 0 {
            joined(millions > 0, said);
            match thousands {
                1..=9 => said.whole(thousands * 1_000),
                many => {
                    up_to_999(many, said);
                    said.word("thousand");
                }
            }
        }
        if rest > 0 || n == 0 {
            joined(n > rest, said);
            up_to_999(rest, said);
        }
    }

    /// "fukk ak", "benneel".
    fn ordinal(&self, n: u32, said: &mut Said) {
        if n <= 10 || n.is_multiple_of(10) {
            return said.numbered("ordinal", n);
        }
        said.whole(n - n % 10);
        said.word("and");
        match n % 10 {
            1 => said.numbered("ordinal_unit", 1),
            unit => said.numbered("ordinal", unit),
        }
    }

    fn day_and_month(&self, date: Date, said: &mut Said) {
        said.whole(date.day);
        said.numbered("month", date.month);
    }

    fn year(&self, year: u32, said: &mut Said) {
        said.word("year");
        self.number(year, said);
    }

    fn time(&self, time: Time, said: &mut Said) {
        said.word("hours");
        said.whole(time.hour);
        if time.minute > 0 {
            said.word("and");
            self.minutes(time.minute, said);
        }
    }

    fn euros(&self, n: u32, said: &mut Said) {
        self.number(n, said);
        said.word("euros");
    }

    fn cents(&self, n: u32, said: &mut Said) {
        self.number(n, said);
        said.word("cents");
    }

    fn minutes(&self, n: u32, said: &mut Said) {
        if has_whole_minutes(n) {
            return said.numbered("minutes", n);
        }
        self.number(n, said);
        said.word("minutes");
    }
}

fn joined(more: bool, said: &mut Said) {
    if more {
        said.word("and");
    }
}

fn up_to_999(n: u32, said: &mut Said) {
    let rest = n % 100;
    if n > rest {
        said.whole(n - rest);
        joined(rest > 0, said);
    }
    if rest > 0 || n == 0 {
        said.whole(rest);
    }
}
