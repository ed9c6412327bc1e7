//! German. Units stand before tens in one word; "eins" is "ein" before a masculine or neuter word and "eine" before a
//! feminine one.

use crate::grammar::{Grammar, groups, has_whole_minutes, units_first_ordinal};
use crate::said::Said;
use crate::value::{Date, Time};

pub(crate) struct German;

impl Grammar for German {
    fn number(&self, n: u32, said: &mut Said) {
        counting(n, None, said);
    }

    fn ordinal(&self, n: u32, said: &mut Said) {
        units_first_ordinal(n, said);
    }

    fn day_and_month(&self, date: Date, said: &mut Said) {
        said.word("the");
        said.numbered("ordinal", date.day);
        said.numbered("month", date.month);
    }

    /// 1999 is nineteen hundreds and ninety-nine.
    fn year(&self, year: u32, said: &mut Said) {
        if year >= 2000 {
            return self.number(year, said);
        }
        said.whole(year / 100);
        said.word("hundred");
        if !year.is_multiple_of(100) {
            said.whole(year % 100);
        }
    }

    fn time(&self, time: Time, said: &mut Said) {
        match time.hour {
            1 => said.numbered("hour", 1),
            hour => {
                said.whole(hour);
                said.word("hours");
            }
        }
        if time.minute > 0 {
            said.whole(time.minute);
        }
    }

    fn euros(&self, n: u32, said: &mut Said) {
        count(n, ("euro", "euros"), said);
    }

    fn cents(&self, n: u32, said: &mut Said) {
        count(n, ("cent", "cents"), said);
    }

    fn minutes(&self, n: u32, said: &mut Said) {
        if has_whole_minutes(n) {
            return said.numbered("minutes", n);
        }
        counting(n, Some("f"), said);
        said.word("minutes");
    }
}

fn count(n: u32, (one, many): (&'static str, &'static str), said: &mut Said) {
    if n == 1 {
        return said.numbered(one, 1);
    }
    counting(n, Some("m"), said);
    said.word(many);
}

/// A number; with a form, what it counts follows.
fn counting(n: u32, form: Option<&'static str>, said: &mut Said) {
    let (millions, thousands, rest) = groups(n);
    match millions {
        0 => {}
        1 => said.word("million"),
        many => {
            up_to_999(many, Some("f"), said);
            said.word("millions");
        }
    }
    match thousands {
        0 => {}
        1 | 2 => said.whole(thousands * 1000),
        many => {
            up_to_999(many, Some("m"), said);
            said.word("thousand");
        }
    }
    if rest > 0 || n == 0 {
        up_to_999(rest, form, said);
    }
}

fn up_to_999(n: u32, form: Option<&'static str>, said: &mut Said) {
    match form {
        Some(form) if n % 100 == 1 => {
            if n > 1 {
                said.whole(n - 1);
            }
            said.whole_in(1, form);
        }
        _ => said.up_to_999(n),
    }
}
