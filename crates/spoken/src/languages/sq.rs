//! Albanian. "e" joins hundreds, tens and units; of all numbers only 3 has a feminine, which thousands and minutes take.

use crate::grammar::{Grammar, groups, has_whole_minutes, plain_count};
use crate::said::Said;
use crate::value::{Date, Time};

pub(crate) struct Albanian;

impl Grammar for Albanian {
    fn number(&self, n: u32, said: &mut Said) {
        let (millions, thousands, rest) = groups(n);
        match millions {
            0 => {}
            1 => said.word("million"),
            many => {
                up_to_999(many, false, said);
                said.word("millions");
            }
        }
        if thousands > 0 {
            joined(millions > 0, said);
            up_to_999(thousands, true, said);
            said.word("thousand");
        }
        if rest > 0 || n == 0 {
            joined(n > rest, said);
            up_to_999(rest, false, said);
        }
    }

    /// "i njëzet e", "dytë".
    fn ordinal(&self, n: u32, said: &mut Said) {
        if n < 20 || n.is_multiple_of(10) {
            return said.numbered("ordinal", n);
        }
        said.numbered("ordinal_and", n - n % 10);
        said.numbered("ordinal_unit", n % 10);
    }

    fn day_and_month(&self, date: Date, said: &mut Said) {
        said.whole(date.day);
        said.numbered("month", date.month);
    }

    fn year(&self, year: u32, said: &mut Said) {
        self.number(year, said);
    }

    fn time(&self, time: Time, said: &mut Said) {
        said.word("hours");
        said.whole(time.hour);
        if time.minute > 0 {
            said.word("and");
            said.whole(time.minute);
        }
    }

    fn euros(&self, n: u32, said: &mut Said) {
        self.number(n, said);
        said.word("euros");
    }

    fn cents(&self, n: u32, said: &mut Said) {
        plain_count(self, n, ("cent", "cents"), said);
    }

    fn minutes(&self, n: u32, said: &mut Said) {
        if has_whole_minutes(n) {
            return said.numbered("minutes", n);
        }
        up_to_999(n, true, said);
        said.word("minutes");
    }
}

fn joined(more: bool, said: &mut Said) {
    if more {
        said.word("and");
    }
}

fn up_to_999(n: u32, feminine: bool, said: &mut Said) {
    let rest = n % 100;
    if n > rest {
        said.whole(n - rest);
        joined(rest > 0, said);
    }
    if feminine && rest % 10 == 3 && rest != 13 {
        said.whole_in(rest, "f");
    } else if rest > 0 || n == 0 {
        said.whole(rest);
    }
}
