//! Italian. Numbers below a hundred and hundreds are whole words; after exact millions a noun takes "di".

use crate::grammar::{Grammar, groups, plain_count, plain_minutes};
use crate::said::Said;
use crate::value::{Date, Time};

pub(crate) struct Italian;

impl Grammar for Italian {
    fn number(&self, n: u32, said: &mut Said) {
        let (millions, thousands, rest) = groups(n);
        match millions {
            0 => {}
            1 => said.word("million"),
            many => {
                said.up_to_999(many);
                said.word("millions");
            }
        }
        match thousands {
            0 => {}
            1 => said.word("thousand"),
            2 => said.whole(2000),
            many => {
                said.up_to_999(many);
                said.word("thousands");
            }
        }
        if rest > 0 || n == 0 {
            said.up_to_999(rest);
        }
    }

    fn ordinal(&self, n: u32, said: &mut Said) {
        said.numbered("ordinal", n);
    }

    /// The first of a month is an ordinal.
    fn day_and_month(&self, date: Date, said: &mut Said) {
        match date.day {
            1 => said.numbered("ordinal", 1),
            day => said.whole(day),
        }
        said.numbered("month", date.month);
    }

    fn year(&self, year: u32, said: &mut Said) {
        self.number(year, said);
    }

    fn time(&self, time: Time, said: &mut Said) {
        match time.hour {
            1 => said.numbered("hour", 1),
            hour => {
                said.word("hours");
                said.whole(hour);
            }
        }
        if time.minute > 0 {
            said.word("and");
            said.whole(time.minute);
        }
    }

    fn euros(&self, n: u32, said: &mut Said) {
        let noun = if n > 0 && n.is_multiple_of(1_000_000) { "euros_of" } else { "euros" };
        plain_count(self, n, ("euro", noun), said);
    }

    fn cents(&self, n: u32, said: &mut Said) {
        plain_count(self, n, ("cent", "cents"), said);
    }

    fn minutes(&self, n: u32, said: &mut Said) {
        plain_minutes(self, n, said);
    }
}
