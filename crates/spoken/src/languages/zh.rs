//! Mandarin Chinese. Numbers go by ten thousands; a gap of digits is one "zero"; 10 to 19 inside a number begin with
//! "one"; two of something is "liang". Dates go from the year to the day and on to the weekday.

use crate::grammar::{Grammar, has_whole_minutes};
use crate::said::Said;
use crate::value::{Date, Time};

pub(crate) struct Chinese;

impl Grammar for Chinese {
    fn number(&self, n: u32, said: &mut Said) {
        let (eights, fours, rest) = (n / 100_000_000, n / 10_000 % 10_000, n % 10_000);
        if eights > 0 {
            counted(eights, said);
            said.word("hundred_million");
        }
        if fours > 0 {
            gap(eights > 0 && fours < 1_000, said);
            match eights {
                0 => counted(fours, said),
                _ => up_to_9999(fours, true, said),
            }
            said.word("ten_thousand");
        }
        if rest > 0 || n == 0 {
            let more = n > rest;
            gap(more && (rest < 1_000 || fours == 0), said);
            up_to_9999(rest, more, said);
        }
    }

    fn ordinal(&self, n: u32, said: &mut Said) {
        said.word("ordinal");
        self.number(n, said);
    }

    fn day_and_month(&self, date: Date, said: &mut Said) {
        said.numbered("month", date.month);
        said.whole(date.day);
        said.word("day");
    }

    /// Digit by digit.
    fn year(&self, year: u32, said: &mut Said) {
        for scale in [1_000, 100, 10, 1] {
            said.whole(year / scale % 10);
        }
        said.word("year");
    }

    fn date(&self, date: Date, said: &mut Said) {
        self.year(date.year, said);
        self.day_and_month(date, said);
    }

    fn weekday_and_day(&self, date: Date, said: &mut Said) {
        self.day_and_month(date, said);
        said.numbered("weekday", date.weekday);
    }

    fn time(&self, time: Time, said: &mut Said) {
        counted(time.hour, said);
        said.word("hours");
        if time.minute > 0 {
            gap(time.minute < 10, said);
            said.whole(time.minute);
            said.word("minute");
        }
    }

    fn euros(&self, n: u32, said: &mut Said) {
        self.count(n, "euros", said);
    }

    fn cents(&self, n: u32, said: &mut Said) {
        self.count(n, "cents", said);
    }

    fn and_cents(&self, _said: &mut Said) {}

    fn minutes(&self, n: u32, said: &mut Said) {
        if has_whole_minutes(n) {
            return said.numbered("minutes", n);
        }
        self.count(n, "minutes", said);
    }
}

impl Chinese {
    fn count(&self, n: u32, noun: &'static str, said: &mut Said) {
        match n {
            2 => counted(2, said),
            _ => self.number(n, said),
        }
        said.word(noun);
    }
}

/// 0 to 9999 before what it counts.
fn counted(n: u32, said: &mut Said) {
    match n {
        2 => said.whole_in(2, "liang"),
        _ => up_to_9999(n, false, said),
    }
}

fn gap(is_there: bool, said: &mut Said) {
    if is_there {
        said.whole(0);
    }
}

/// `inside` a longer number even a bare ten is "one ten".
fn up_to_9999(n: u32, inside: bool, said: &mut Said) {
    let (thousands, hundreds, rest) = (n / 1_000, n / 100 % 10, n % 100);
    if thousands > 0 {
        said.whole(thousands * 1_000);
    }
    if hundreds > 0 {
        said.whole(hundreds * 100);
    }
    if rest == 0 && n > 0 {
        return;
    }
    gap(thousands > 0 && hundreds == 0 || hundreds > 0 && rest < 10, said);
    if (10..20).contains(&rest) && (inside || n > rest) {
        said.whole(1);
    }
    said.whole(rest);
}
