//! Slovene. Units stand before tens in one word. A noun after 1, 2, 3 or 4 at the end of the number, and only there, has
//! a form of its own: singular, dual, plural; with them the number has one too, so both are one recording. 21 is
//! followed by the form for many.

use crate::grammar::{Grammar, groups, has_whole_minutes, units_first_ordinal};
use crate::said::Said;
use crate::value::{Date, Time};

pub(crate) struct Slovene;

impl Grammar for Slovene {
    fn number(&self, n: u32, said: &mut Said) {
        let (millions, thousands, rest) = groups(n);
        if millions > 0 {
            self.count(millions, ("million", "millions"), said);
        }
        match thousands {
            0 => {}
            1 => said.word("thousand"),
            2 => said.whole(2000),
            // "tisoč" never changes, but what stands before it is no longer counting.
            many if many % 100 == 1 => {
                said.whole(many - 1);
                said.whole_in(1, "m");
                said.word("thousand");
            }
            many => {
                said.up_to_999(many);
                said.word("thousand");
            }
        }
        if rest > 0 || n == 0 {
            said.up_to_999(rest);
        }
    }

    fn ordinal(&self, n: u32, said: &mut Said) {
        units_first_ordinal(n, said);
    }

    fn day_and_month(&self, date: Date, said: &mut Said) {
        said.numbered("ordinal", date.day);
        said.numbered("month", date.month);
    }

    fn year(&self, year: u32, said: &mut Said) {
        self.number(year, said);
    }

    fn time(&self, time: Time, said: &mut Said) {
        said.numbered("hour", time.hour);
        if time.minute > 0 {
            said.word("and");
            self.minutes(time.minute, said);
        }
    }

    fn euros(&self, n: u32, said: &mut Said) {
        self.count(n, ("euro", "euros"), said);
    }

    fn cents(&self, n: u32, said: &mut Said) {
        self.count(n, ("cent", "cents"), said);
    }

    fn minutes(&self, n: u32, said: &mut Said) {
        if has_whole_minutes(n) {
            return said.numbered("minutes", n);
        }
        self.count(n, ("minutes", "minutes"), said);
    }
}

impl Slovene {
    fn count(&self, n: u32, (few, many): (&'static str, &'static str), said: &mut Said) {
        let last = n % 100;
        if !(1..=4).contains(&last) {
            self.number(n, said);
            return said.word(many);
        }
        if n > last {
            self.number(n - last, said);
        }
        said.numbered(few, last);
    }
}
