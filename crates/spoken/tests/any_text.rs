//! Whatever is to be said in whatever language, nothing breaks and nothing is said that was not announced.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use spoken::Form;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

static FRAGMENTS: LazyLock<BTreeMap<(Form, &str), BTreeSet<String>>> = LazyLock::new(|| {
    let languages = spoken::LANGUAGES.into_iter();
    let pairs = languages.flat_map(|language| Form::ALL.map(|(_, form)| (form, language)));
    pairs
        .map(|(form, language)| ((form, language), form.fragments(language).unwrap().into_iter().collect()))
        .collect()
});

/// Says `value` in every form and language; how many of them could.
fn said(value: &str) -> usize {
    let mut could = 0;
    for ((form, language), fragments) in FRAGMENTS.iter() {
        if let Some(keys) = form.say(language, value) {
            could += 1;
            for key in &keys {
                assert!(fragments.contains(key), "{language} {form:?} `{value}`: `{key}` was not announced");
            }
            assert!(keys.len() <= 48, "{language} {form:?} `{value}`: {} fragments", keys.len());
        }
    }
    could
}

#[test]
fn every_number_up_to_two_thousand_is_said_of_its_fragments() {
    for n in 0..2_000 {
        // As a number and as money; the smaller also as minutes, as a place and as an ordinal.
        assert!(said(&n.to_string()) >= 32, "{n}");
    }
}

#[test]
fn an_unknown_language_says_digits_only() {
    assert_eq!(Form::Digits.say("xx", "12").map(|keys| keys.len()), Some(2));
    for (_, form) in Form::ALL.into_iter().filter(|(_, form)| *form != Form::Digits) {
        assert_eq!(form.fragments("xx"), None);
        for value in ["12", "12:00", "2027-04-25"] {
            assert_eq!(form.say("xx", value), None);
        }
    }
}

#[test]
fn digits_are_said_one_by_one() {
    let said = Form::Digits.say("it", "+39 06*1#");
    let keys = ["3", "9", "0", "6", "1"].map(|digit| format!("digit_{digit}"));
    assert_eq!(said.as_deref(), Some(keys.as_slice()));
}

#[test]
fn what_is_no_number_is_not_said() {
    for value in ["", "12a", "٣", "-1", &"1".repeat(41)] {
        assert_eq!(said(value), 0, "{value}");
    }
    assert_eq!(Form::Number.say("it", "1000000000"), None);
    assert_eq!(Form::Ordinal.say("it", "0"), None);
    assert_eq!(Form::Ordinal.say("it", "101"), None);
    assert_eq!(Form::Place.say("it", "0"), None);
    assert_eq!(Form::Minutes.say("it", "1000"), None);
}

proptest! {
    #[test]
    fn any_number_is_said_of_its_fragments(n in 0u32..=999_999_999) {
        prop_assert!(said(&n.to_string()) >= 32);
    }

    #[test]
    fn round_numbers_are_said_of_their_fragments(count in 0u32..1_000, scale in 0u32..=6, rest in 0u32..1_000) {
        prop_assert!(said(&(count * 10u32.pow(scale) + rest).to_string()) >= 32);
    }

    #[test]
    fn any_amount_is_said_of_its_fragments(euros in 0u32..=999_999_999, cents in 0u32..100) {
        prop_assert_eq!(said(&format!("{euros}.{cents:02} EUR")), 16);
    }

    #[test]
    fn any_time_is_said_of_its_fragments(hour in 0u32..24, minute in 0u32..60) {
        prop_assert_eq!(said(&format!("{hour:02}:{minute:02}")), 16);
    }

    #[test]
    fn any_day_is_said_of_its_fragments(year in 1900u32..2100, month in 1u32..=12, day in 1u32..=28) {
        prop_assert_eq!(said(&format!("{year}-{month:02}-{day:02}")), 48);
    }

    #[test]
    fn any_text_is_said_or_not_said(value in "\\PC{0,42}") {
        said(&value);
    }

    #[test]
    fn anything_that_resembles_a_value_is_said_or_not_said(value in "[-+0-9.:,€ EUR*#]{0,14}") {
        said(&value);
    }
}
