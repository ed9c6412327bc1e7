//! Romanian. 1 and 2, in 12 and after tens too, have a feminine; neuter nouns, such as the minute, take the masculine 1
//! and the feminine 2. A number whose last two digits are 00 or 20 and more takes "de" before its noun.

use crate::grammar::{Grammar, groups, has_whole_minutes};
use crate::said::Said;
use crate::value::{Date, Time};

pub(crate) struct Romanian;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Gender {
    Masculine,
    Feminine,
    Neuter,
}

impl Grammar for Romanian {
    fn number(&self, n: u32, said: &mut Said) {
        counting(n, Gender::Masculine, said);
    }

    /// "al douăzeci și", "doilea".
    fn ordinal(&self, n: u32, said: &mut Said) {
        if n < 20 || n.is_multiple_of(10) {
            return said.numbered("ordinal", n);
        }
        said.numbered("ordinal_and", n - n % 10);
        said.numbered("ordinal_unit", n % 10);
    }

    fn day_and_month(&self, date: Date, said: &mut Said) {
        match date.day {
            1 => said.numbered("day", 1),
            day => said.whole(day),
        }
        said.numbered("month", date.month);
    }

    fn year(&self, year: u32, said: &mut Said) {
        self.number(year, said);
    }

    /// Hours have the masculine 1 and the feminine 2, as neuter nouns.
    fn time(&self, time: Time, said: &mut Said) {
        said.word("hours");
        up_to_999(time.hour, Gender::Neuter, said);
        if time.minute > 0 {
            said.word("and");
            said.whole(time.minute);
        }
    }

    fn euros(&self, n: u32, said: &mut Said) {
        count(n, "euro", ["euros", "euros_of"], said);
    }

    fn cents(&self, n: u32, said: &mut Said) {
        count(n, "cent", ["cents", "cents_of"], said);
    }

    /// `minutes` is "de minute".
    fn minutes(&self, n: u32, said: &mut Said) {
        if has_whole_minutes(n) {
            return said.numbered("minutes", n);
        }
        counting(n, Gender::Neuter, said);
        said.word(if takes_de(n) { "minutes" } else { "minutes_few" });
    }
}

fn count(n: u32, one: &'static str, [few, many]: [&'static str; 2], said: &mut Said) {
    if n == 1 {
        return said.numbered(one, 1);
    }
    counting(n, Gender::Masculine, said);
    said.word(if takes_de(n) { many } else { few });
}

fn takes_de(n: u32) -> bool {
    n > 0 && !(1..20).contains(&(n % 100))
}

fn counting(n: u32, gender: Gender, said: &mut Said) {
    let (millions, thousands, rest) = groups(n);
    match millions {
        0 => {}
        1 => said.word("million"),
        many => {
            up_to_999(many, Gender::Neuter, said);
            said.word(if takes_de(many) { "millions_of" } else { "millions" });
        }
    }
    match thousands {
        0 => {}
        1 | 2 => said.whole(thousands * 1000),
        many => {
            up_to_999(many, Gender::Feminine, said);
            said.word(if takes_de(many) { "thousands_of" } else { "thousands" });
        }
    }
    if rest > 0 || n == 0 {
        up_to_999(rest, gender, said);
    }
}

fn up_to_999(n: u32, gender: Gender, said: &mut Said) {
    let rest = n % 100;
    let has_feminine = match rest % 10 {
        1 => gender == Gender::Feminine && rest != 11,
        2 => gender != Gender::Masculine,
        _ => false,
    };
    if !has_feminine {
        return said.up_to_999(n);
    }
    if n > rest {
        said.whole(n - rest);
    }
    said.whole_in(rest, "f");
}
