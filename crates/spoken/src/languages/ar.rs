//! Arabic. Everything is joined by "and", units before tens. 2 of something is a dual; 3 to 10 take the plural and the
//! other gender than their noun, 11 to 99 the singular. Counting and masculine nouns have the same numbers, so only
//! minutes, which are feminine, need others. The clock has twelve hours, which are ordinals.

use crate::grammar::{Grammar, groups, has_whole_minutes};
use crate::said::Said;
use crate::value::{Date, Time};

pub(crate) struct Arabic;

/// One, two, three to ten, eleven to ninety-nine of something.
struct Noun {
    one: &'static str,
    few: &'static str,
    many: &'static str,
}

const MILLIONS: Noun = Noun { one: "million", few: "millions_few", many: "millions" };
const THOUSANDS: Noun = Noun { one: "thousand", few: "thousands_few", many: "thousands" };

impl Grammar for Arabic {
    fn number(&self, n: u32, said: &mut Said) {
        let (millions, thousands, rest) = groups(n);
        scaled(millions, &MILLIONS, said);
        joined(millions > 0 && thousands > 0, said);
        scaled(thousands, &THOUSANDS, said);
        if rest > 0 || n == 0 {
            joined(n > rest, said);
            up_to_999(rest, said);
        }
    }

    /// "the second", "and the twentieth".
    fn ordinal(&self, n: u32, said: &mut Said) {
        if n <= 20 || n.is_multiple_of(10) {
            return said.numbered("ordinal", n);
        }
        match n % 10 {
            1 => said.numbered("ordinal_unit", 1),
            unit => said.numbered("ordinal", unit),
        }
        said.numbered("ordinal_and", n - n % 10);
    }

    fn day_and_month(&self, date: Date, said: &mut Said) {
        self.ordinal(date.day, said);
        said.numbered("month", date.month);
    }

    fn year(&self, year: u32, said: &mut Said) {
        said.word("year");
        self.number(year, said);
    }

    fn time(&self, time: Time, said: &mut Said) {
        said.numbered("hour", if time.hour.is_multiple_of(12) { 12 } else { time.hour % 12 });
        if time.minute > 0 {
            said.word("and");
            self.minutes(time.minute, said);
        }
        said.word(if time.hour < 12 { "am" } else { "pm" });
    }

    /// "يورو" never changes.
    fn euros(&self, n: u32, said: &mut Said) {
        if n == 1 {
            return said.numbered("euro", 1);
        }
        self.number(n, said);
        said.word("euros");
    }

    fn cents(&self, n: u32, said: &mut Said) {
        if n <= 2 {
            return said.numbered("cent", n);
        }
        self.number(n, said);
        said.word(if n <= 10 { "cents_few" } else { "cents" });
    }

    fn minutes(&self, n: u32, said: &mut Said) {
        let last = n % 100;
        if n == 0 || last == 0 {
            self.number(n, said);
            return said.word("minutes");
        }
        if n > last {
            said.whole(n - last);
            said.word("and");
        }
        feminine_minutes(last, said);
    }
}

/// 1 to 99 minutes.
fn feminine_minutes(n: u32, said: &mut Said) {
    if n <= 10 || has_whole_minutes(n) {
        return said.numbered("minutes", n);
    }
    match (n, n % 10) {
        (..20, _) => said.whole_in(n, "f"),
        (_, 0) => said.whole(n),
        (_, unit) => {
            said.whole_in(unit, "f");
            said.numbered("and", n - unit);
        }
    }
    said.word("minutes");
}

fn scaled(n: u32, noun: &Noun, said: &mut Said) {
    match n {
        0 => return,
        1 => return said.word(noun.one),
        2 => return said.numbered(noun.one, 2),
        _ => up_to_999(n, said),
    }
    said.word(match n % 100 {
        3..=10 => noun.few,
        11..=99 => noun.many,
        _ => noun.one,
    });
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
