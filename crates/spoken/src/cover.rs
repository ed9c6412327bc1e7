//! Values that together bring out every fragment that a form may need, in any language.

use crate::value::{Date, Money, Time};
use crate::{Form, Value};

/// All numbers whose last two digits differ, alone and after hundreds as far as that matters to any grammar.
fn up_to_999() -> impl Iterator<Item = u32> {
    let after = |hundreds: u32| [0, 1, 2, 3, 11].into_iter().map(move |rest| hundreds * 100 + rest);
    (0..=200).chain((2..=9).flat_map(after))
}

/// The same as counts of thousands, ten thousands, lakhs, millions, crores, and the little that may follow them.
fn beyond() -> impl Iterator<Item = u32> {
    let counts = || (1..=100).chain([101, 102, 103, 111, 120, 200, 900]);
    let scaled =
        [1_000, 1_000_000].into_iter().flat_map(move |scale| counts().map(move |count| count * scale));
    let tens = [10_000, 100_000, 10_000_000, 100_000_000];
    let scaled_tens = tens.into_iter().flat_map(|scale| (1..=9).map(move |count| count * scale));
    let followed =
        [1_001, 1_100, 2_020, 10_001, 100_001, 110_010, 1_000_001, 20_300_000, 100_000_001, 210_001_000];
    scaled.chain(scaled_tens).chain(followed)
}

fn dates() -> impl Iterator<Item = Value> {
    let days = (1..=31).filter_map(|day| Date::new(2024, 1, day));
    let months = (1..=12).filter_map(|month| Date::new(2024, month, 1));
    let years = (1900..=2099).filter_map(|year| Date::new(year, 1, 1));
    days.chain(months).chain(years).map(Value::Date)
}

fn times() -> impl Iterator<Item = Value> {
    let hours = (0..24).flat_map(|hour| [0, 30].map(|minute| Time { hour, minute }));
    let minutes = (0..60).flat_map(|minute| [0, 9].map(|hour| Time { hour, minute }));
    hours.chain(minutes).map(Value::Time)
}

fn amounts() -> impl Iterator<Item = Value> {
    let euros = up_to_999().chain(beyond()).map(|euros| Money { euros, cents: 0 });
    let cents = (1..=99).flat_map(|cents| [0, 1].map(|euros| Money { euros, cents }));
    euros.chain(cents).map(Value::Money)
}

pub(crate) fn of(form: Form) -> Box<dyn Iterator<Item = Value>> {
    match form {
        Form::Digits => Box::new(std::iter::empty()),
        Form::Number => Box::new(up_to_999().chain(beyond()).map(Value::Number)),
        Form::Ordinal => Box::new((1..=crate::value::ORDINAL_MAX).map(Value::Number)),
        Form::Minutes => Box::new(up_to_999().map(Value::Number)),
        Form::Place => Box::new(up_to_999().skip(1).map(Value::Number)),
        Form::Date | Form::Day | Form::Weekday => Box::new(dates()),
        Form::Time => Box::new(times()),
        Form::Money => Box::new(amounts()),
    }
}
