//! Days that are not like others: of every year, of a town, of a province, and those that come seldom.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod support;

use calendar::Calendar;
use support::{assert_told, calendar, wall};

const WEEK: &str = r#"
zone = "Europe/Rome"
holidays = "it"
mon = ["09:00-18:00"]
tue = ["09:00-18:00"]
wed = ["09:00-18:00"]
thu = ["09:00-18:00"]
fri = ["09:00-18:00"]
"#;

fn with(more: &str) -> String {
    format!("{WEEK}{more}")
}

#[test]
fn the_eves_of_holidays_are_half_days_in_every_year() {
    let text = with(
        "[[exception]]\nname = \"eve\"\non = \"12-24\"\nopen = [\"09:00-13:00\"]\n\
         [[exception]]\nname = \"last day\"\non = \"12-31\"\nopen = [\"09:00-13:00\"]\n",
    );
    for year in [2026, 2027, 2029] {
        let calendar = calendar(&text);
        for (day, clock, open) in
            [(24, "12:59", true), (24, "13:00", false), (31, "09:00", true), (31, "14:00", false)]
        {
            let at = calendar.zone().instants(&format!("{year}-12-{day} {clock}")).unwrap();
            assert_eq!(calendar.at(at[0]).open, open, "{year}-12-{day} {clock}");
        }
    }
    assert_told(&text, &[("2026-12-24 10:00", true, "exception \"eve\": Thursday 09:00-13:00")]);
}

#[test]
fn a_closure_over_new_year_holds_on_both_sides_of_it() {
    let closed = "exception \"winter\": Monday closed";
    for days in ["from = \"12-27\"\nto = \"01-05\"", "from = 2027-12-27\nto = 2028-01-05"] {
        let text = with(&format!("[[exception]]\nname = \"winter\"\n{days}\nclosed = true\n"));
        assert_told(
            &text,
            &[
                ("2027-12-24 10:00", true, "weekly hours: Friday 09:00-18:00"),
                ("2027-12-27 10:00", false, closed),
                ("2028-01-03 10:00", false, closed),
                ("2028-01-05 10:00", false, "exception \"winter\": Wednesday closed"),
                ("2028-01-07 10:00", true, "weekly hours: Friday 09:00-18:00"),
            ],
        );
    }
}

#[test]
fn the_29th_of_february_comes_in_leap_years_alone() {
    let text = with("[[exception]]\nname = \"leap day\"\non = \"02-29\"\nclosed = true\n");
    assert_told(
        &text,
        &[
            ("2028-02-29 10:00", false, "exception \"leap day\": Tuesday closed"),
            ("2027-03-01 10:00", true, "weekly hours: Monday 09:00-18:00"),
            ("2028-02-28 10:00", true, "weekly hours: Monday 09:00-18:00"),
            ("2028-03-01 10:00", true, "weekly hours: Wednesday 09:00-18:00"),
        ],
    );
    let patron = with("").replacen("holidays = \"it\"", "patron = \"02-29\"", 1);
    assert_told(
        &patron,
        &[
            ("2028-02-29 10:00", false, "holiday \"patron saint\": Tuesday closed"),
            ("2027-03-01 10:00", true, "weekly hours: Monday 09:00-18:00"),
        ],
    );
    let fault =
        "desk.toml:12:6: `2027-02-29` is no date; write it like 2026-12-24, or \"12-24\" for every year";
    let wrong = with("[[exception]]\nname = \"no such day\"\nclosed = true\non = \"2027-02-29\"\n");
    assert_eq!(Calendar::parse("desk.toml", &wrong).unwrap_err()[0].to_string(), fault);
}

#[test]
fn a_town_is_closed_on_the_day_of_its_saint() {
    let town = |name: &str| with("").replacen("holidays = \"it\"", &format!("patron = \"{name}\""), 1);
    for (name, at, feast) in [
        ("Venezia", "2026-11-21 10:00", "Madonna della Salute (Venezia)\": Saturday closed"),
        ("Venezia", "2028-04-25 10:00", "San Marco (Venezia)\": Tuesday closed"),
        ("Milano", "2026-12-07 10:00", "Sant'Ambrogio (Milano)\": Monday closed"),
        ("Roma", "2027-06-29 10:00", "Santi Pietro e Paolo (Roma)\": Tuesday closed"),
        ("Asti", "2027-05-04 10:00", "San Secondo (Asti)\": Tuesday closed"),
        ("Forlì", "2027-02-04 10:00", "Madonna del Fuoco (Forlì)\": Thursday closed"),
    ] {
        assert_told(&town(name), &[(at, false, &format!("patron saint \"{feast}"))]);
        let monday = ("2027-02-08 10:00", true, "weekly hours: Monday 09:00-18:00");
        assert_told(&town(name), &[monday]);
    }
}

#[test]
fn whit_monday_closes_in_bolzano_and_not_in_trento() {
    let closed = "holiday \"Lunedì di Pentecoste\": Monday closed";
    let bolzano = with("").replacen("\"it\"", "\"it-bz\"", 1);
    assert_told(&bolzano, &[("2027-05-17 10:00", false, closed)]);
    assert_told(&with(""), &[("2027-05-17 10:00", true, "weekly hours: Monday 09:00-18:00")]);
}

#[test]
fn where_exceptions_overlap_the_shorter_one_decides_and_one_of_this_year_before_one_of_every_year() {
    let text = with(
        r#"
[[exception]]
name = "August"
from = "08-01"
to = "08-31"
open = ["09:00-12:00"]
[[exception]]
name = "two weeks"
from = 2027-08-09
to = 2027-08-20
closed = true
[[exception]]
name = "census"
from = 2027-08-16
to = 2027-08-18
tue = ["08:00-20:00"]
[[exception]]
name = "every 25 August"
on = "08-25"
closed = true
[[exception]]
name = "25 August 2027"
on = 2027-08-25
open = ["15:00-16:00"]
"#,
    );
    assert_told(
        &text,
        &[
            ("2027-08-02 10:00", true, "exception \"August\": Monday 09:00-12:00"),
            ("2027-08-09 10:00", false, "exception \"two weeks\": Monday closed"),
            // The census says nothing about Monday.
            ("2027-08-16 10:00", false, "exception \"two weeks\": Monday closed"),
            ("2027-08-17 19:00", true, "exception \"census\": Tuesday 08:00-20:00"),
            ("2027-08-23 10:00", true, "exception \"August\": Monday 09:00-12:00"),
            ("2027-08-25 15:30", true, "exception \"25 August 2027\": Wednesday 15:00-16:00"),
            ("2028-08-25 10:00", false, "exception \"every 25 August\": Friday closed"),
        ],
    );
}

#[test]
fn equally_long_exceptions_for_other_days_of_the_week_do_not_contradict_each_other() {
    let text = with(
        "[[exception]]\nname = \"a\"\nfrom = 2027-02-01\nto = 2027-02-28\nsat = [\"09:00-12:00\"]\n\
         [[exception]]\nname = \"b\"\nfrom = 2027-02-01\nto = 2027-02-28\nsun = [\"10:00-12:00\"]\n",
    );
    assert_told(
        &text,
        &[
            ("2027-02-06 10:00", true, "exception \"a\": Saturday 09:00-12:00"),
            ("2027-02-07 11:00", true, "exception \"b\": Sunday 10:00-12:00"),
        ],
    );
}

#[test]
fn saturday_is_another_numbers_calendar() {
    let weekday = calendar(WEEK);
    let saturday = calendar("zone = \"Europe/Rome\"\nholidays = \"it\"\nsat = [\"08:00-14:00\"]\n");
    for (at, usual, special) in [
        ("2026-11-28 09:00+01", false, true),
        ("2026-11-27 09:00+01", true, false),
        // Santo Stefano is a Saturday in 2026.
        ("2026-12-26 09:00+01", false, false),
    ] {
        assert_eq!((weekday.at(wall(at)).open, saturday.at(wall(at)).open), (usual, special), "{at}");
    }
}

#[test]
fn each_rule_is_told_in_italian_too() {
    let exception = "[[exception]]\nname = \"sciopero\"\non = 2027-03-08\nopen = [\"10:00-11:00\"]\n";
    let text = with(exception).replacen("zone", "patron = \"Venezia\"\nzone", 1);
    let calendar = calendar(&text);
    for (at, rule) in [
        ("2027-03-08 10:30+01", "eccezione «sciopero»: lunedì 10:00-11:00"),
        ("2027-03-08 12:30+01", "eccezione «sciopero»: lunedì solo 10:00-11:00"),
        ("2026-12-25 10:00+01", "festività «Natale»: venerdì chiuso"),
        ("2026-11-21 10:00+01", "santo patrono «Madonna della Salute (Venezia)»: sabato chiuso"),
        ("2026-11-24 10:00+01", "orario settimanale: martedì 09:00-18:00"),
        ("2026-11-29 10:00+01", "orario settimanale: domenica chiuso"),
    ] {
        assert_eq!(calendar.rule_in_italian(wall(at)), rule, "{at}");
    }
}
