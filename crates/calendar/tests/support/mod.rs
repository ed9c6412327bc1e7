//! What the tests of calendars share.

#![allow(dead_code, reason = "not every test uses all of it")]

use base::Wall;
use calendar::Calendar;
use jiff::Timestamp;

pub(crate) fn calendar(text: &str) -> Calendar {
    Calendar::parse("desk.toml", text).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

/// An instant by its clock and its offset, such as `2026-11-27 19:05+01`.
pub(crate) fn wall(text: &str) -> Wall {
    let instant: Timestamp = text.parse().unwrap();
    Wall::from_unix_micros(instant.as_microsecond())
}

/// Each line: the clock in the calendar's zone, open or not, the rule.
pub(crate) fn assert_told(text: &str, table: &[(&str, bool, &str)]) {
    let calendar = calendar(text);
    for (at, open, rule) in table {
        let [instant] = calendar.zone().instants(at).unwrap()[..] else { panic!("{at} does not come once") };
        let decision = calendar.at(instant);
        assert_eq!((decision.open, decision.rule.as_str()), (*open, *rule), "at {at}");
    }
}
