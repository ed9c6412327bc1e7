//! What `calendars/NAME.toml` may hold, for editors. Each key that `read` takes has its line here.

use crate::hours::DAY_KEYS;
use crate::patrons::municipalities;
use document::schema::{Key, Keys, Schema, Shape};

/// `2026-12-24`, or `12-24` of every year.
const DAY: &str = "^([0-9]{4}-)?(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$";
const YEARLY_DAY: &str = "^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$";
const HOURS: &str = "^\\s*([01][0-9]|2[0-3]):[0-5][0-9]\\s*-\\s*(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)\\s*$";

/// What a calendar may hold.
pub fn schema() -> Schema {
    let keys = [
        Key::new("zone", Shape::Text, "The place whose clocks count, such as Europe/Rome.").required(),
        Key::new(
            "holidays",
            Shape::word(["it", "it-bz"]),
            "National holidays, Easter too; it-bz has Whit Monday as well. None unless said.",
        ),
        Key::new(
            "patron",
            Shape::Either(vec![Shape::word(municipalities()), Shape::Fits(YEARLY_DAY.to_owned())]),
            "The municipality whose patron saint is kept, or the day itself: 12-07.",
        ),
        Key::new(
            "exception",
            Shape::List(Box::new(Shape::Table(exception())), 0),
            "What holds on some days instead; it beats holidays and weekly hours, and of two the shorter one holds.",
        ),
    ];
    Schema {
        title: "calendars/NAME.toml",
        meaning: "When a desk is open.",
        keys: Keys::new(keys).and(days()).some_of(DAY_KEYS),
        definitions: vec![("hours".to_owned(), Shape::Fits(HOURS.to_owned()).one_or_more(0))],
    }
}

fn exception() -> Keys {
    let day = || Shape::Fits(DAY.to_owned());
    let keys = [
        Key::new("name", Shape::Text, "Why, in words for the log.").required(),
        Key::new("on", day(), "The one day: 2026-12-24, or \"12-24\" for every year."),
        Key::new("from", day(), "The first day: 2026-12-24, or \"12-24\" for every year."),
        Key::new("to", day(), "The last day."),
        Key::new("closed", Shape::Flag, "true: closed on these days."),
        Key::new("open", hours(), "The hours of each of these days."),
    ];
    Keys::new(keys).and(days()).exactly_one([vec!["on"], vec!["from", "to"]])
}

fn days() -> impl Iterator<Item = Key> {
    let meaning = "Hours such as 09:00-13:00, on the clock of the wall; over midnight they belong to the day they begin in.";
    DAY_KEYS.into_iter().map(move |day| Key::new(day, hours(), meaning))
}

fn hours() -> Shape {
    Shape::Like("hours".to_owned())
}
