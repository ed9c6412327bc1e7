//! Spanish. "uno" is "un" before what it counts, thousands and millions too; a hundred alone is "cien"; after exact
//! millions a noun takes "de".

use crate::grammar::{Grammar, groups, has_whole_minutes, last_word_ordinal};
use crate::said::Said;
use crate::value::{Date, Time};

pub(crate) struct Spanish;

impl Grammar for Spanish {
    fn number(&self, n: u32, said: &mut Said) {
        counting(n, false, said);
    }

    /// "vigésimo primero": both words are ordinals.
    fn ordinal(&self, n: u32, said: &mut Said) {
        if n < 20 || n.is_multiple_of(10) {
            return last_word_ordinal(n, said);
        }
        said.numbered("ordinal", n - n % 10);
        said.numbered("ordinal", n % 10);
    }

    /// "veinticinco", "de abril".
    fn day_and_month(&self, date: Date, said: &mut Said) {
        said.whole(date.day);
        said.numbered("month", date.month);
    }

    fn year(&self, year: u32, said: &mut Said) {
        said.word("of");
        self.number(year, said);
    }

    /// Hours are feminine and have their article: "las nueve".
    fn time(&self, time: Time, said: &mut Said) {
        said.numbered("hour", time.hour);
        if time.minute > 0 {
            said.word("and");
            said.whole(time.minute);
        }
    }

    fn euros(&self, n: u32, said: &mut Said) {
        let noun = if n > 0 && n.is_multiple_of(1_000_000) { "euros_of" } else { "euros" };
        count(n, ("euro", noun), said);
    }

    fn cents(&self, n: u32, said: &mut Said) {
        count(n, ("cent", "cents"), said);
    }

    fn minutes(&self, n: u32, said: &mut Said) {
        if has_whole_minutes(n) {
            return said.numbered("minutes", n);
        }
        counting(n, true, said);
        said.word("minutes");
    }
}

fn count(n: u32, (one, many): (&'static str, &'static str), said: &mut Said) {
    if n == 1 {
        return said.numbered(one, 1);
    }
    counting(n, true, said);
    said.word(many);
}

/// A number; shortened if what it counts follows.
fn counting(n: u32, short: bool, said: &mut Said) {
    let (millions, thousands, rest) = groups(n);
    match millions {
        0 => {}
        1 => said.word("million"),
        many => {
            up_to_999(many, true, said);
            said.word("millions");
        }
    }
    match thousands {
        0 => {}
        1 => said.word("thousand"),
        2 => said.whole(2000),
        many => {
            up_to_999(many, true, said);
            said.word("thousand");
        }
    }
    if rest > 0 || n == 0 {
        up_to_999(rest, short, said);
    }
}

fn up_to_999(n: u32, short: bool, said: &mut Said) {
    let rest = n % 100;
    match n - rest {
        0 => {}
        100 if rest > 0 => said.word("hundred"),
        hundreds => said.whole(hundreds),
    }
    if short && rest % 10 == 1 && rest != 11 {
        said.whole_in(rest, "m");
    } else if rest > 0 || n == 0 {
        said.whole(rest);
    }
}
