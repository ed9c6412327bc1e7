//! What every language answers, and what most have in common.

use crate::said::Said;
use crate::value::{Date, Money, Time};

/// How one language puts fragments together.
pub(crate) trait Grammar: Sync {
    /// 0 to 999 999 999, as one counts.
    fn number(&self, n: u32, said: &mut Said);

    /// 1 to 100.
    fn ordinal(&self, n: u32, said: &mut Said);

    fn day_and_month(&self, date: Date, said: &mut Said);

    /// 1900 to 2099.
    fn year(&self, year: u32, said: &mut Said);

    fn time(&self, time: Time, said: &mut Said);

    fn euros(&self, n: u32, said: &mut Said);

    /// 1 to 99.
    fn cents(&self, n: u32, said: &mut Said);

    /// 0 to 999 and the word for minutes.
    fn minutes(&self, n: u32, said: &mut Said);

    fn date(&self, date: Date, said: &mut Said) {
        self.day_and_month(date, said);
        self.year(date.year, said);
    }

    fn weekday_and_day(&self, date: Date, said: &mut Said) {
        said.numbered("weekday", date.weekday);
        self.day_and_month(date, said);
    }

    /// Between euros and cents.
    fn and_cents(&self, said: &mut Said) {
        said.word("and");
    }

    fn money(&self, Money { euros, cents }: Money, said: &mut Said) {
        if euros > 0 || cents == 0 {
            self.euros(euros, said);
        }
        if euros > 0 && cents > 0 {
            self.and_cents(said);
        }
        if cents > 0 {
            self.cents(cents, said);
        }
    }
}

/// Millions, thousands and the rest below a thousand.
pub(crate) fn groups(n: u32) -> (u32, u32, u32) {
    (n / 1_000_000, n / 1_000 % 1_000, n % 1_000)
}

/// Numbers of minutes that are recorded with their noun, in every language.
pub(crate) fn has_whole_minutes(n: u32) -> bool {
    matches!(n, 1..=5 | 10 | 15 | 20 | 30 | 45 | 60)
}

/// `minutes_15` where that is recorded, and otherwise the number and `minutes`.
pub(crate) fn plain_minutes(grammar: &(impl Grammar + ?Sized), n: u32, said: &mut Said) {
    if has_whole_minutes(n) {
        return said.numbered("minutes", n);
    }
    grammar.number(n, said);
    said.word("minutes");
}

/// `one_1` for exactly one, and otherwise the number and the plural.
pub(crate) fn plain_count(
    grammar: &(impl Grammar + ?Sized),
    n: u32,
    (one, many): (&'static str, &'static str),
    said: &mut Said,
) {
    if n == 1 {
        return said.numbered(one, 1);
    }
    grammar.number(n, said);
    said.word(many);
}

/// Ordinals of languages that put the unit first in one word, as in `einund` and `vierzigste`. Up to 31, the days of a
/// month, they are whole.
pub(crate) fn units_first_ordinal(n: u32, said: &mut Said) {
    if n > 31 && !n.is_multiple_of(10) {
        said.numbered("ordinal_unit", n % 10);
        return said.numbered("ordinal", n - n % 10);
    }
    said.numbered("ordinal", n);
}

/// Ordinals of languages in which only the last word is one, as in `twenty` and `first`.
pub(crate) fn last_word_ordinal(n: u32, said: &mut Said) {
    if n > 20 && !n.is_multiple_of(10) {
        said.whole(n - n % 10);
        return said.numbered("ordinal", n % 10);
    }
    said.numbered("ordinal", n);
}
