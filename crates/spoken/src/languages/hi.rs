//! Hindi.

use super::lakh;
use crate::grammar::Grammar;
use crate::said::Said;
use crate::value::{Date, Time};

pub(crate) struct Hindi;

impl Grammar for Hindi {
    fn number(&self, n: u32, said: &mut Said) {
        lakh::number(n, said);
    }

    fn ordinal(&self, n: u32, said: &mut Said) {
        lakh::ordinal(n, said);
    }

    fn day_and_month(&self, date: Date, said: &mut Said) {
        said.whole(date.day);
        said.numbered("month", date.month);
    }

    fn year(&self, year: u32, said: &mut Said) {
        lakh::year(year, said);
    }

    /// "nau baje", but "nau bajkar tīs minaṭ".
    fn time(&self, time: Time, said: &mut Said) {
        said.whole(time.hour);
        if time.minute == 0 {
            return said.word("hours");
        }
        said.word("past");
        lakh::minutes(time.minute, said);
    }

    fn euros(&self, n: u32, said: &mut Said) {
        lakh::count(n, "euros", said);
    }

    fn cents(&self, n: u32, said: &mut Said) {
        lakh::count(n, "cents", said);
    }

    fn minutes(&self, n: u32, said: &mut Said) {
        lakh::minutes(n, said);
    }
}
