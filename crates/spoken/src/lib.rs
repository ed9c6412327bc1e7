//! What a caller is told that nobody could record as a whole: numbers, ordinals, dates, times and amounts of money, as
//! fragments that somebody recorded, in the order in which a language says them. A fragment is the key of a phrase, such
//! as `digit_3`.

mod cover;
mod grammar;
mod languages;
mod said;
mod value;

use grammar::Grammar;
use said::{Key, Said};
use value::{Date, Money, Time};

/// How a value is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// One digit after the other: telephone numbers, cases, codes. `*`, `#` and a leading `+` are passed over.
    Digits,
    /// A number from 0 to 999 999 999, as one counts.
    Number,
    /// A place in a row, from 1 to 100: the third. Masculine where the language has genders.
    Ordinal,
    /// A day of the years 1900 to 2099, written `2027-04-25`: day, month and year.
    Date,
    /// The same: the weekday, the day and the month.
    Day,
    /// The same: the weekday.
    Weekday,
    /// A time of day, written `09:30`, from `00:00` to `23:59`.
    Time,
    /// An amount of euros, up to 999 999 999, and cents, written `12.50 EUR`, `12.5` or `12`.
    Money,
    /// A number of minutes, from 0 to 999, with the word for minutes.
    Minutes,
    /// A place in a queue, from 1 to 999, said as a number.
    Place,
}

/// The most characters of a value that are said.
pub const VALUE_MAX: usize = 40;

/// The languages whose grammar is known.
pub const LANGUAGES: [&str; 16] = languages::ALL;

impl Form {
    /// All forms, by the word that scripts write.
    pub const ALL: [(&'static str, Form); 10] = [
        ("digits", Form::Digits),
        ("number", Form::Number),
        ("ordinal", Form::Ordinal),
        ("date", Form::Date),
        ("day", Form::Day),
        ("weekday", Form::Weekday),
        ("time", Form::Time),
        ("money", Form::Money),
        ("minutes", Form::Minutes),
        ("place", Form::Place),
    ];

    /// The form of this name.
    pub fn named(name: &str) -> Option<Form> {
        Form::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, form)| form)
    }

    /// Every fragment that saying something in this form in `language` may need, sorted. `None` where the grammar of
    /// the language is not known; only digits need none.
    pub fn fragments(self, language: &str) -> Option<Vec<String>> {
        if self == Form::Digits {
            return Some((0..=9).map(|digit| Key::Numbered("digit", digit).to_string()).collect());
        }
        let grammar = languages::grammar(language)?;
        let mut keys = Said::default();
        for value in cover::of(self) {
            self.put(grammar, value, &mut keys);
        }
        Some(keys.different().iter().map(Key::to_string).collect())
    }

    /// The fragments that say `value`, in order. `None` if it is no value of this form, or where the grammar of the
    /// language is not known.
    pub fn say(self, language: &str, value: &str) -> Option<Vec<String>> {
        if value.is_empty() || value.len() > VALUE_MAX {
            return None;
        }
        if self == Form::Digits {
            return digits(value);
        }
        let grammar = languages::grammar(language)?;
        let mut keys = Said::default();
        self.put(grammar, self.read(value)?, &mut keys);
        Some(keys.in_order().iter().map(Key::to_string).collect())
    }

    fn read(self, value: &str) -> Option<Value> {
        match self {
            Form::Digits => None,
            Form::Number => value::number(value, 0..=value::NUMBER_MAX).map(Value::Number),
            Form::Ordinal => value::number(value, 1..=value::ORDINAL_MAX).map(Value::Number),
            Form::Minutes => value::number(value, 0..=999).map(Value::Number),
            Form::Place => value::number(value, 1..=999).map(Value::Number),
            Form::Date | Form::Day | Form::Weekday => Date::read(value).map(Value::Date),
            Form::Time => Time::read(value).map(Value::Time),
            Form::Money => Money::read(value).map(Value::Money),
        }
    }

    /// A value of another form says nothing; `read` and `cover` make none.
    fn put(self, grammar: &dyn Grammar, value: Value, said: &mut Said) {
        match (self, value) {
            (Form::Number | Form::Place, Value::Number(n)) => grammar.number(n, said),
            (Form::Ordinal, Value::Number(n)) => grammar.ordinal(n, said),
            (Form::Minutes, Value::Number(n)) => grammar.minutes(n, said),
            (Form::Date, Value::Date(date)) => grammar.date(date, said),
            (Form::Day, Value::Date(date)) => grammar.weekday_and_day(date, said),
            (Form::Weekday, Value::Date(date)) => said.numbered("weekday", date.weekday),
            (Form::Time, Value::Time(time)) => grammar.time(time, said),
            (Form::Money, Value::Money(money)) => grammar.money(money, said),
            _ => {}
        }
    }
}

/// A value that has been read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value {
    Number(u32),
    Date(Date),
    Time(Time),
    Money(Money),
}

fn digits(value: &str) -> Option<Vec<String>> {
    let written = value.strip_prefix('+').unwrap_or(value);
    let keys = written.chars().filter(|key| !"*# ".contains(*key));
    keys.map(|key| key.is_ascii_digit().then(|| format!("digit_{key}"))).collect()
}
