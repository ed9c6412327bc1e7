//! French. 70 to 99 are whole words as in France; "un" has a feminine, which hours and minutes take.

use crate::grammar::{Grammar, groups, has_whole_minutes, plain_count};
use crate::said::Said;
use crate::value::{Date, Time};

pub(crate) struct French;

impl Grammar for French {
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
                said.word("thousand");
            }
        }
        if rest > 0 || n == 0 {
            said.up_to_999(rest);
        }
    }

    /// "vingt et unième", "soixante et onzième", but "quatre-vingt-unième"; 70 and 90 go on from 60 and 80.
    fn ordinal(&self, n: u32, said: &mut Said) {
        let base = if n >= 60 { n - n % 20 } else { n - n % 10 };
        match (n, n - base) {
            (100 | 0..=20, _) | (_, 0) => return said.numbered("ordinal", n),
            _ => said.whole(base),
        }
        match (base, n - base) {
            (80, 1) => said.numbered("ordinal_unit", 1),
            (80, unit) => said.numbered("ordinal", unit),
            (_, unit @ (1 | 11)) => said.numbered("ordinal_and", unit),
            (_, unit) => said.numbered("ordinal", unit),
        }
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

    /// Hours are whole, because "heures" sounds with the end of the number.
    fn time(&self, time: Time, said: &mut Said) {
        said.numbered("hour", time.hour);
        if time.minute > 0 {
            feminine(time.minute, said);
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
        if has_whole_minutes(n) {
            return said.numbered("minutes", n);
        }
        feminine(n, said);
        said.word("minutes");
    }
}

/// 0 to 999 before a feminine noun.
fn feminine(n: u32, said: &mut Said) {
    let rest = n % 100;
    if rest % 10 != 1 || matches!(rest, 11 | 71 | 91) {
        return said.up_to_999(n);
    }
    if n >= 100 {
        said.whole(n - rest);
    }
    said.whole_in(rest, "f");
}
