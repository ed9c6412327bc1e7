//! What Hindi, Urdu, Punjabi and Bengali have in common: a word for every number below a hundred, hundreds, thousands,
//! lakhs (a hundred thousand) and crores (ten million), and nouns that a number does not change.

use crate::grammar::{Grammar, plain_minutes};
use crate::said::Said;
use crate::value::{Date, Time};

/// Hindi, Urdu and Punjabi, which say all in the same order.
pub(crate) struct Lakh;

impl Grammar for Lakh {
    fn number(&self, n: u32, said: &mut Said) {
        number(n, said);
    }

    fn ordinal(&self, n: u32, said: &mut Said) {
        ordinal(n, said);
    }

    fn day_and_month(&self, date: Date, said: &mut Said) {
        said.whole(date.day);
        said.numbered("month", date.month);
    }

    fn year(&self, n: u32, said: &mut Said) {
        year(n, said);
    }

    /// "nau baje", but "nau bajkar tīs minaṭ"; in Punjabi "nauṃ vaje", but "nauṃ vaj ke tīh miṃṭ".
    fn time(&self, time: Time, said: &mut Said) {
        said.whole(time.hour);
        if time.minute == 0 {
            return said.word("hours");
        }
        said.word("past");
        plain_minutes(self, time.minute, said);
    }

    fn euros(&self, n: u32, said: &mut Said) {
        count(n, "euros", said);
    }

    fn cents(&self, n: u32, said: &mut Said) {
        count(n, "cents", said);
    }

    fn minutes(&self, n: u32, said: &mut Said) {
        plain_minutes(self, n, said);
    }
}

pub(super) fn number(n: u32, said: &mut Said) {
    for (scale, count) in
        [("crore", n / 10_000_000), ("lakh", n / 100_000 % 100), ("thousand", n / 1_000 % 100)]
    {
        if count > 0 {
            said.whole(count);
            said.word(scale);
        }
    }
    if !n.is_multiple_of(1_000) || n == 0 {
        said.up_to_999(n % 1_000);
    }
}

/// 1999 is nineteen hundreds and ninety-nine.
pub(super) fn year(year: u32, said: &mut Said) {
    said.whole(year - year % 100);
    if !year.is_multiple_of(100) {
        said.whole(year % 100);
    }
}

pub(super) fn count(n: u32, noun: &'static str, said: &mut Said) {
    number(n, said);
    said.word(noun);
}

/// Ordinals up to 31 are whole; later ones are the number and its ending.
pub(super) fn ordinal(n: u32, said: &mut Said) {
    if n <= 31 {
        return said.numbered("ordinal", n);
    }
    said.up_to_999(n);
    said.word("ordinal");
}
