//! What a calendar decides at instants, written as a person in Rome would say them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod support;

use base::Wall;
use calendar::Calendar;
use jiff::Timestamp;
use proptest::prelude::*;
use support::{calendar, wall};

const DESK: &str = r#"
zone     = "Europe/Rome"
holidays = "it"
patron   = "12-07"

mon = ["09:00-13:00", "14:00-18:00"]
tue = ["09:00-13:00", "14:00-18:00"]
wed = ["09:00-13:00", "14:00-18:00"]
thu = ["09:00-13:00", "14:00-18:00"]
fri = ["09:00-13:00", "22:00-06:00"]

[[exception]]
name   = "summer closure"
from   = 2026-08-10
to     = 2026-08-22
closed = true

[[exception]]
name = "one day open in summer"
on   = "2026-08-12"
open = ["10:00-12:00"]

[[exception]]
name = "census: open on Sundays"
from = 2026-11-01
to   = 2026-11-30
sun  = ["09:00-21:00"]
"#;

fn rome(wall: Wall) -> String {
    let zone = jiff::tz::TimeZoneDatabase::bundled().get("Europe/Rome").unwrap();
    let instant = Timestamp::from_microsecond(wall.unix_micros()).unwrap();
    instant.to_zoned(zone).strftime("%Y-%m-%d %H:%M%:::z").to_string()
}

/// Each line: the instant, open or not, the rule, until when.
fn assert_decisions(text: &str, table: &[(&str, bool, &str, &str)]) {
    let calendar = calendar(text);
    for (at, open, rule, until) in table {
        let decision = calendar.at(wall(at));
        let told =
            (decision.open, decision.rule.as_str(), calendar.until(wall(at)).map(rome).unwrap_or_default());
        assert_eq!(told, (*open, *rule, (*until).to_owned()), "at {at}");
    }
}

#[test]
fn a_split_day_closes_at_noon_and_opens_again() {
    assert_decisions(
        DESK,
        &[
            (
                "2026-11-23 08:59:59+01",
                false,
                "weekly hours: Monday only 09:00-13:00, 14:00-18:00",
                "2026-11-23 09:00+01",
            ),
            ("2026-11-23 09:00+01", true, "weekly hours: Monday 09:00-13:00", "2026-11-23 13:00+01"),
            ("2026-11-23 12:59:59+01", true, "weekly hours: Monday 09:00-13:00", "2026-11-23 13:00+01"),
            (
                "2026-11-23 13:00+01",
                false,
                "weekly hours: Monday only 09:00-13:00, 14:00-18:00",
                "2026-11-23 14:00+01",
            ),
            ("2026-11-23 17:00+01", true, "weekly hours: Monday 14:00-18:00", "2026-11-23 18:00+01"),
            (
                "2026-11-23 18:00+01",
                false,
                "weekly hours: Monday only 09:00-13:00, 14:00-18:00",
                "2026-11-24 09:00+01",
            ),
        ],
    );
}

#[test]
fn hours_over_midnight_belong_to_the_day_on_which_they_begin() {
    assert_decisions(
        DESK,
        &[
            ("2026-11-20 22:00+01", true, "weekly hours: Friday 22:00-06:00", "2026-11-21 06:00+01"),
            ("2026-11-21 05:59+01", true, "weekly hours: Friday 22:00-06:00", "2026-11-21 06:00+01"),
            ("2026-11-21 06:00+01", false, "weekly hours: Saturday closed", "2026-11-22 09:00+01"),
            // Saturday 26 December 2026 is a holiday; the shift of Friday would be, were Friday not one too.
            (
                "2026-12-26 01:00+01",
                false,
                "holiday \"Santo Stefano\": Saturday closed",
                "2026-12-28 09:00+01",
            ),
            // The shift of Friday 14 August 2026 falls to the summer closure; that of Friday 30 April 2027
            // goes on into the holiday.
            ("2027-05-01 05:00+02", true, "weekly hours: Friday 22:00-06:00", "2027-05-01 06:00+02"),
            (
                "2027-05-01 07:00+02",
                false,
                "holiday \"Festa del Lavoro\": Saturday closed",
                "2027-05-03 09:00+02",
            ),
        ],
    );
}

#[test]
fn holidays_and_the_patron_close_a_working_day() {
    assert_decisions(
        DESK,
        &[
            ("2026-12-07 10:00+01", false, "holiday \"patron saint\": Monday closed", "2026-12-09 09:00+01"),
            (
                "2026-12-08 10:00+01",
                false,
                "holiday \"Immacolata Concezione\": Tuesday closed",
                "2026-12-09 09:00+01",
            ),
            (
                "2026-04-06 10:00+02",
                false,
                "holiday \"Lunedì dell'Angelo\": Monday closed",
                "2026-04-07 09:00+02",
            ),
            (
                "2027-10-04 10:00+02",
                false,
                "holiday \"San Francesco d'Assisi\": Monday closed",
                "2027-10-05 09:00+02",
            ),
            ("2023-10-04 10:00+02", true, "weekly hours: Wednesday 09:00-13:00", "2023-10-04 13:00+02"),
        ],
    );
}

#[test]
fn of_two_exceptions_the_shorter_one_is_meant_and_both_beat_holidays() {
    assert_decisions(
        DESK,
        &[
            (
                "2026-08-11 10:00+02",
                false,
                "exception \"summer closure\": Tuesday closed",
                "2026-08-12 10:00+02",
            ),
            (
                "2026-08-12 10:00+02",
                true,
                "exception \"one day open in summer\": Wednesday 10:00-12:00",
                "2026-08-12 12:00+02",
            ),
            (
                "2026-08-12 12:00+02",
                false,
                "exception \"one day open in summer\": Wednesday only 10:00-12:00",
                "2026-08-24 09:00+02",
            ),
            (
                "2026-11-01 10:00+01",
                true,
                "exception \"census: open on Sundays\": Sunday 09:00-21:00",
                "2026-11-01 21:00+01",
            ),
            ("2026-11-02 10:00+01", true, "weekly hours: Monday 09:00-13:00", "2026-11-02 13:00+01"),
            ("2026-12-06 10:00+01", false, "weekly hours: Sunday closed", "2026-12-09 09:00+01"),
        ],
    );
}

const NIGHT: &str =
    "zone = \"Europe/Rome\"\nsat = [\"20:00-02:30\"]\nsun = [\"02:15-02:45\", \"04:00-05:00\"]\n";

/// On 29 March 2026 the wall goes from 02:00 to 03:00.
#[test]
fn the_hour_that_spring_leaves_out_does_not_come() {
    assert_decisions(
        NIGHT,
        &[
            ("2026-03-28 21:00+01", true, "weekly hours: Saturday 20:00-02:30", "2026-03-29 03:00+02"),
            ("2026-03-29 01:59+01", true, "weekly hours: Saturday 20:00-02:30", "2026-03-29 03:00+02"),
            (
                "2026-03-29 03:00+02",
                false,
                "weekly hours: Sunday only 02:15-02:45, 04:00-05:00",
                "2026-03-29 04:00+02",
            ),
        ],
    );
}

/// On 25 October 2026 the wall shows 02:00 to 03:00 twice.
#[test]
fn the_hour_that_autumn_shows_twice_is_open_twice() {
    assert_decisions(
        NIGHT,
        &[
            ("2026-10-25 02:20+02", true, "weekly hours: Saturday 20:00-02:30", "2026-10-25 02:45+02"),
            ("2026-10-25 02:40+02", true, "weekly hours: Sunday 02:15-02:45", "2026-10-25 02:45+02"),
            (
                "2026-10-25 02:50+02",
                false,
                "weekly hours: Sunday only 02:15-02:45, 04:00-05:00",
                "2026-10-25 02:00+01",
            ),
            ("2026-10-25 02:10+01", true, "weekly hours: Saturday 20:00-02:30", "2026-10-25 02:45+01"),
            (
                "2026-10-25 02:45+01",
                false,
                "weekly hours: Sunday only 02:15-02:45, 04:00-05:00",
                "2026-10-25 04:00+01",
            ),
        ],
    );
}

#[test]
fn office_hours_stay_on_the_wall_when_the_clocks_change() {
    let weekdays = "zone = \"Europe/Rome\"\nmon = [\"09:00-18:00\"]\nfri = [\"09:00-18:00\"]\n";
    assert_decisions(
        weekdays,
        &[
            ("2026-03-27 18:00+01", false, "weekly hours: Friday only 09:00-18:00", "2026-03-30 09:00+02"),
            ("2026-03-30 07:30Z", true, "weekly hours: Monday 09:00-18:00", "2026-03-30 18:00+02"),
            ("2026-10-23 18:00+02", false, "weekly hours: Friday only 09:00-18:00", "2026-10-26 09:00+01"),
            ("2026-10-26 07:30Z", false, "weekly hours: Monday only 09:00-18:00", "2026-10-26 09:00+01"),
        ],
    );
}

#[test]
fn what_is_always_open_never_changes() {
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let lines: String = days.iter().map(|day| format!("{day} = [\"00:00-24:00\"]\n")).collect();
    assert_decisions(
        &format!("zone = \"Europe/Rome\"\n{lines}"),
        &[("2026-10-24 21:00+02", true, "weekly hours: Saturday 00:00-24:00", "")],
    );
}

#[test]
fn an_instant_that_no_date_can_name_is_closed() {
    for micros in [i64::MIN, i64::MAX] {
        let (calendar, wall) = (calendar(DESK), Wall::from_unix_micros(micros));
        assert_eq!((calendar.at(wall).open, calendar.until(wall)), (false, None));
    }
}

proptest! {
    /// The next change is where the decision changes, and nothing changes before it.
    #[test]
    fn until_is_the_first_change(seconds in 1_700_000_000i64..1_900_000_000, share in 0u64..1000) {
        for text in [DESK, NIGHT] {
            let calendar = calendar(text);
            let wall = |micros| Wall::from_unix_micros(micros);
            let at = seconds * 1_000_000;
            let decision = calendar.at(wall(at));
            if let Some(until) = calendar.until(wall(at)) {
                prop_assert!(until > wall(at));
                prop_assert_ne!(calendar.at(until).open, decision.open);
                prop_assert_eq!(calendar.at(wall(until.unix_micros() - 1)).open, decision.open);
                let between = at + (until.unix_micros() - at) / 1000 * share as i64;
                prop_assert_eq!(calendar.at(wall(between)).open, decision.open);
            }
        }
    }

    #[test]
    fn any_text_is_a_calendar_or_has_faults_and_any_instant_is_decided(
        text in "(zone|mon|sun|patron|exception|on|open|holidays|=|\\[|\\]|\"|it|Europe/Rome|[0-9:-]{1,5}|\\n| ){0,30}",
        micros in any::<i64>(),
    ) {
        match Calendar::parse("any.toml", &text) {
            Ok(calendar) => drop(calendar.at(Wall::from_unix_micros(micros))),
            Err(faults) => prop_assert!(!faults.is_empty()),
        }
        calendar(DESK).at(Wall::from_unix_micros(micros));
    }
}
