//! Bengali. Days of the month and hours have endings of their own; the clock has twelve hours and the part of the day.

use super::lakh;
use crate::grammar::{Grammar, plain_minutes};
use crate::said::Said;
use crate::value::{Date, Time};

pub(crate) struct Bengali;

impl Grammar for Bengali {
    fn number(&self, n: u32, said: &mut Said) {
        lakh::number(n, said);
    }

    /// Whole up to 10; later ones are the number and its ending.
    fn ordinal(&self, n: u32, said: &mut Said) {
        if n <= 10 {
            return said.numbered("ordinal", n);
        }
        said.up_to_999(n);
        said.word("ordinal");
    }

    fn day_and_month(&self, date: Date, said: &mut Said) {
        said.numbered("day", date.day);
        said.numbered("month", date.month);
    }

    fn year(&self, year: u32, said: &mut Said) {
        lakh::year(year, said);
    }

    fn time(&self, time: Time, said: &mut Said) {
        said.word(match time.hour {
            6..=11 => "morning",
            12..=14 => "midday",
            15..=17 => "afternoon",
            18..=19 => "evening",
            _ => "night",
        });
        said.numbered("hour", if time.hour.is_multiple_of(12) { 12 } else { time.hour % 12 });
        if time.minute > 0 {
            plain_minutes(self, time.minute, said);
        }
    }

    fn euros(&self, n: u32, said: &mut Said) {
        lakh::count(n, "euros", said);
    }

    fn cents(&self, n: u32, said: &mut Said) {
        lakh::count(n, "cents", said);
    }

    fn and_cents(&self, _said: &mut Said) {}

    fn minutes(&self, n: u32, said: &mut Said) {
        plain_minutes(self, n, said);
    }
}
