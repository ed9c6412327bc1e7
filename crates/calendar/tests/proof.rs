//! What is told of the two years after an instant.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod support;

use base::Wall;
use calendar::{Calendar, HORIZON_DAYS, PROOF_DAYS, Proof};
use proptest::prelude::*;
use support::{calendar, wall};

const TODAY: &str = "2026-11-23 12:00+01";

fn proof(text: &str) -> (Vec<String>, Vec<String>) {
    let Proof { faults, warnings } = calendar(text).prove(wall(TODAY));
    let told = |faults: Vec<calendar::Fault>| faults.iter().map(ToString::to_string).collect();
    (told(faults), told(warnings))
}

fn assert_proof(text: &str, faults: &[&str], warnings: &[&str]) {
    let (found_faults, found_warnings) = proof(text);
    assert_eq!(
        (found_faults.as_slice(), found_warnings.as_slice()),
        (&owned(faults)[..], &owned(warnings)[..]),
        "{text}"
    );
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

const MONDAYS: &str = "zone = \"Europe/Rome\"\nmon = [\"09:00-13:00\"]\n";

#[test]
fn a_calendar_of_which_nothing_is_wrong_proves_sound() {
    assert_proof(MONDAYS, &[], &[]);
    let leap = format!("{MONDAYS}[[exception]]\nname = \"leap day\"\non = \"02-29\"\nclosed = true\n");
    assert_proof(&leap, &[], &[]);
}

#[test]
fn a_calendar_that_is_never_open_is_a_fault() {
    const NEVER: &str = "desk.toml:1:1: it is never open from 2026-11-23 to 2028-11-23; write hours for some day of the \
                         week, or an exception with hours";
    assert_proof("zone = \"Europe/Rome\"\nmon = []\n", &[NEVER], &[]);
    // The hours that there were lie in the past.
    let past = "zone = \"Europe/Rome\"\nmon = []\n[[exception]]\nname = \"census\"\nfrom = 2026-10-05\n\
                to = 2026-11-20\nmon = [\"09:00-12:00\"]\n";
    let warning = "desk.toml:3:1: every exception lies before 2026-11-23; write those of this year";
    assert_proof(past, &[NEVER], &[warning]);
    // Of the one night that they are in, spring leaves out just these hours.
    let spring = "zone = \"Europe/Rome\"\nsun = []\n[[exception]]\nname = \"one night\"\non = 2027-03-28\n\
                  open = [\"02:10-02:50\"]\n";
    assert_proof(spring, &[NEVER], &[]);
    let week_after = spring.replace("2027-03-28", "2027-04-04");
    assert_proof(&week_after, &[], &[]);
}

#[test]
fn exceptions_that_all_lie_in_the_past_are_a_warning_and_one_of_every_year_never_does() {
    let past = format!("{MONDAYS}[[exception]]\nname = \"a\"\non = 2026-11-22\nclosed = true\n");
    assert_proof(
        &past,
        &[],
        &["desk.toml:3:1: every exception lies before 2026-11-23; write those of this year"],
    );
    let today = past.replace("2026-11-22", "2026-11-23");
    assert_proof(&today, &[], &[]);
    let yearly = past.replace("2026-11-22", "\"11-22\"");
    assert_proof(&yearly, &[], &[]);
}

#[test]
fn an_exception_that_never_decides_is_a_warning() {
    let text = format!(
        "{MONDAYS}[[exception]]\nname = \"long\"\nfrom = 2027-01-04\nto = 2027-01-05\nclosed = true\n\
         [[exception]]\nname = \"first\"\non = 2027-01-04\nopen = [\"10:00-11:00\"]\n\
         [[exception]]\nname = \"second\"\non = 2027-01-05\nopen = [\"10:00-11:00\"]\n"
    );
    let warning = "desk.toml:3:1: `long` decides about no day: each of its days has a shorter exception; take it out, \
                   or change its days";
    assert_proof(&text, &[], &[warning]);
}

#[test]
fn hours_of_the_evening_before_that_go_on_into_a_closure_are_a_warning() {
    let night = "zone = \"Europe/Rome\"\nfri = [\"22:00-06:00\"]\n[[exception]]\nname = \"August\"\n\
                 from = 2027-08-14\nto = 2027-08-29\nclosed = true\n";
    let warning = "desk.toml:3:1: `August` closes, but the hours of the evening before go on into it; let it begin a day \
                   earlier, or leave it if this is meant";
    assert_proof(night, &[], &[warning]);
    assert_proof(&night.replace("08-14", "08-13"), &[], &[]);
}

#[test]
fn two_rules_that_contradict_each_other_are_told_with_both_places() {
    let exception =
        |name: &str, days: &str| format!("[[exception]]\nname = \"{name}\"\n{days}\nclosed = true\n");
    for (first, second, day) in [
        ("on = 2027-01-04", "on = 2027-01-04", "2027-01-04"),
        ("from = 2027-01-04\nto = 2027-01-06", "from = 2027-01-06\nto = 2027-01-08", "2027-01-06"),
        ("on = \"02-29\"", "on = \"02-29\"", "02-29"),
        ("from = \"12-30\"\nto = \"01-02\"", "from = \"01-01\"\nto = \"01-04\"", "01-01"),
        ("from = \"12-31\"\nto = \"01-01\"", "from = \"12-30\"\nto = \"12-31\"", "12-31"),
    ] {
        let text = format!("{MONDAYS}{}{}", exception("a", first), exception("b", second));
        let faults = Calendar::parse("desk.toml", &text).unwrap_err();
        let line = 6 + first.lines().count();
        let told = format!(
            "desk.toml:{line}:1: `b` and `a` (line 3) are equally long, and both hold on {day}; change their days, so \
             that the shorter one is the exception to the longer one"
        );
        assert_eq!(faults.iter().map(ToString::to_string).collect::<Vec<_>>(), [told]);
    }
}

#[test]
fn of_many_exceptions_for_one_day_each_tells_a_few_others() {
    let all: String = (0..500)
        .map(|n| format!("[[exception]]\nname = \"x{n}\"\non = 2027-01-04\nclosed = true\n"))
        .collect();
    let faults = Calendar::parse("desk.toml", &format!("{MONDAYS}{all}")).unwrap_err();
    assert_eq!(faults.len(), 1 + 2 + 497 * 3);
}

#[test]
fn an_instant_that_no_date_can_name_is_told() {
    for micros in [i64::MIN, i64::MAX] {
        assert_eq!(calendar(MONDAYS).prove(Wall::from_unix_micros(micros)).faults.len(), 1);
    }
}

/// What a person could write, with all kinds of rules at once.
fn any_calendar() -> impl Strategy<Value = String> {
    let hours = prop_oneof!["09:00-13:00", "22:00-06:00", "02:10-02:50", "00:00-24:00", "23:30-00:30"];
    let days = prop_oneof![
        (1u8..13, 1u8..29).prop_map(|(month, day)| format!("on = \"{month:02}-{day:02}\"")),
        (1u8..13, 1u8..29).prop_map(|(month, day)| format!("on = 2027-{month:02}-{day:02}")),
        (1u8..13, 1u8..13).prop_map(|(a, b)| format!("from = \"{a:02}-29\"\nto = \"{b:02}-02\"")),
        (1u8..13, 1u8..29).prop_map(|(month, day)| format!(
            "from = 2026-{month:02}-{day:02}\nto = 2028-01-0{}",
            1 + day % 9
        )),
    ];
    let plan = prop_oneof![
        Just("closed = true".to_owned()),
        hours.clone().prop_map(|hours| format!("open = [\"{hours}\"]")),
        hours.clone().prop_map(|hours| format!("sun = [\"{hours}\"]\nwed = []")),
    ];
    let exception =
        (days, plan).prop_map(|(days, plan)| format!("[[exception]]\nname = \"x\"\n{days}\n{plan}\n"));
    let zone = prop_oneof!["Europe/Rome", "Australia/Lord_Howe", "America/New_York", "Africa/Casablanca"];
    (zone, hours.clone(), hours, proptest::collection::vec(exception, 0..4)).prop_map(
        |(zone, sat, sun, exceptions)| {
            let head = "holidays = \"it-bz\"\npatron = \"Asti\"\nmon = [\"09:00-13:00\", \"14:00-18:00\"]";
            format!(
                "zone = \"{zone}\"\n{head}\nsat = [\"{sat}\"]\nsun = [\"{sun}\"]\n{}",
                exceptions.concat()
            )
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// From one change to the next over two years nothing is missed: whatever instant is asked says the same.
    #[test]
    fn the_decision_changes_where_it_says_so_and_nowhere_else(text in any_calendar()) {
        let Ok(calendar) = Calendar::parse("any.toml", &text) else { return Ok(()) };
        let first = wall(TODAY).unix_micros();
        let last = first + i64::from(PROOF_DAYS) * 86_400_000_000;
        let step = 97 * 60_000_000;
        let mut open = calendar.at(wall(TODAY)).open;
        let mut next = calendar.until(wall(TODAY));
        let (mut ever, mut asked) = (open, first);
        let mut at = first;
        while at < last {
            let now = Wall::from_unix_micros(at);
            // Nothing changes within the horizon: it is asked again well before that ends.
            if next.is_none() && at - asked > i64::from(HORIZON_DAYS) / 2 * 86_400_000_000 {
                (next, asked) = (calendar.until(now), at);
            }
            while let Some(change) = next.filter(|change| *change <= now) {
                open = !open;
                prop_assert_eq!(calendar.at(change).open, open);
                (next, asked) = (calendar.until(change), change.unix_micros());
            }
            prop_assert_eq!(calendar.at(now).open, open, "{} in\n{}", calendar.zone().shown(now).unwrap(), text);
            ever |= open;
            at += step;
        }
        prop_assert_eq!(calendar.prove(wall(TODAY)).faults.is_empty(), ever);
    }
}
