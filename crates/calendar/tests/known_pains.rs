//! What is wrong with opening hours elsewhere, each as it was reported by those who suffered it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod support;

use calendar::Calendar;
use support::{calendar, wall};

fn office(zone: &str) -> Calendar {
    let days: String = ["mon", "tue", "wed", "thu", "fri"]
        .iter()
        .map(|day| format!("{day} = [\"09:00-17:00\"]\n"))
        .collect();
    calendar(&format!("zone = \"{zone}\"\n{days}"))
}

/// fusionpbx#1587: hours were those of the server, UTC, because nobody had said another zone.
#[test]
fn a_calendar_without_a_zone_is_refused_and_never_means_utc() {
    let faults = Calendar::parse("desk.toml", "mon = [\"09:00-17:00\"]\n").unwrap_err();
    assert!(faults[0].to_string().contains("`zone` is missing"), "{}", faults[0]);
    let melbourne = office("Australia/Melbourne");
    assert!(
        melbourne.at(wall("2026-11-22 22:30Z")).open,
        "Monday 09:30 in Melbourne is Sunday evening in UTC"
    );
    assert!(!melbourne.at(wall("2026-11-23 09:30Z")).open, "09:30 in UTC is Monday evening in Melbourne");
}

/// fusionpbx#1055: several customers in several zones on one machine, and not all of them change their clocks.
#[test]
fn each_zone_changes_its_clocks_by_its_own_rules() {
    let (rome, new_york, tunis) = (office("Europe/Rome"), office("America/New_York"), office("Africa/Tunis"));
    for (at, open) in [
        // Friday 6 March 2026: winter everywhere.
        ("2026-03-06 08:30Z", [true, false, true]),
        // Monday 9 March: New York has changed, Rome has not.
        ("2026-03-09 13:30Z", [true, true, true]),
        ("2026-03-06 13:30Z", [true, false, true]),
        // Monday 30 March: Rome has changed, Tunis never does.
        ("2026-03-30 07:30Z", [true, false, false]),
        ("2026-03-30 15:30Z", [false, true, true]),
    ] {
        let decided = [&rome, &new_york, &tunis].map(|calendar| calendar.at(wall(at)).open);
        assert_eq!(decided, open, "{at}");
    }
}

/// fusionpbx#1796: rules were not followed, and nothing said which rule had decided, nor when it would change.
#[test]
fn every_decision_names_its_rule_and_its_end() {
    let rome = office("Europe/Rome");
    let at = wall("2026-08-04 07:52:28Z");
    assert_eq!(rome.at(at).rule, "weekly hours: Tuesday 09:00-17:00");
    assert_eq!(rome.zone().shown(at).unwrap(), "2026-08-04 09:52:28 +02:00");
    assert_eq!(rome.until(at), Some(wall("2026-08-04 15:00Z")));
}

/// fusionpbx PR#7732 and PR#8108: dates were compared in UTC, so that a special day began and ended hours away.
#[test]
fn a_special_day_begins_and_ends_at_the_midnight_of_its_zone() {
    let text = "zone = \"America/New_York\"\nthu = [\"00:00-24:00\"]\nwed = [\"00:00-24:00\"]\nfri = [\"00:00-24:00\"]\n\
                [[exception]]\nname = \"Thanksgiving\"\non = 2026-11-26\nclosed = true\n";
    let calendar = calendar(text);
    for (at, open) in [
        ("2026-11-26 04:59:59Z", true),
        ("2026-11-26 05:00Z", false),
        ("2026-11-27 04:59:59Z", false),
        ("2026-11-27 05:00Z", true),
    ] {
        assert_eq!(calendar.at(wall(at)).open, open, "{at}");
    }
}

/// fusionpbx#2868: Saturday and Sunday in one rule ran backwards, and two announcements were heard.
#[test]
fn one_rule_alone_decides_about_each_instant_of_a_weekend() {
    let rome = office("Europe/Rome");
    assert_eq!(rome.at(wall("2026-11-28 10:00Z")).rule, "weekly hours: Saturday closed");
    assert_eq!(rome.at(wall("2026-11-29 10:00Z")).rule, "weekly hours: Sunday closed");
}

#[test]
fn a_time_that_the_clock_shows_twice_or_never_is_known_to_be_so() {
    let rome = office("Europe/Rome");
    let count = |shown: &str| rome.zone().instants(shown).map(|instants| instants.len());
    assert_eq!(count("2027-03-28 02:30"), Some(0));
    assert_eq!(count("2027-10-31 02:30"), Some(2));
    assert_eq!(count("2027-04-25 10:00"), Some(1));
    for wrong in [
        "",
        "2027-04-25",
        "2027-04-25 25:00",
        "2027-02-29 10:00",
        "ieri",
        "2027-04-25 10:00Z",
        "é027-04-25 10:00",
    ] {
        assert_eq!(count(wrong), None, "{wrong}");
    }
}
