//! The municipalities' help desk and the city's single number, told call by call.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod common;

use base::Wall;
use common::{Call, FRIDAY_MORNING, checked, line, repository, shipped_files};
use ivr::{Answer, Input, MessageEnd, Output, QueueEnd};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);
const SATURDAY_MORNING: Wall = Wall::from_unix_micros(1_795_856_400_000_000);

const WORKING_DAYS: &str = "0373218888";
const SATURDAYS: &str = "0373218870";

/// A call that goes on by itself: words are heard to their end, questions answered from `answers`, in their order.
struct Walk {
    call: Call,
    answers: Vec<Answer>,
    serial: u32,
    lines: Vec<String>,
}

impl Walk {
    fn new(script: &str, dialled: &str, wall: Wall, answers: &[Answer]) -> Walk {
        let mut call = Call::at(&checked(&shipped_files(script)), dialled, wall);
        call.interpreter.tell("caller", "+390373000300");
        let mut walk = Walk { call, answers: answers.to_vec(), serial: 0, lines: Vec::new() };
        let outputs = walk.call.tell(Input::Start);
        walk.go_on(outputs);
        walk
    }

    /// Until the caller is asked for something, waits or is gone.
    fn go_on(&mut self, mut outputs: Vec<Output>) {
        loop {
            self.lines.extend(outputs.iter().map(line));
            let asked = outputs.iter().any(|output| matches!(output, Output::LookUp { .. }));
            let plays = outputs.iter().any(|output| matches!(output, Output::Play { .. }));
            outputs = if asked {
                self.serial += 1;
                let answer = self.answers.remove(0);
                self.call.tell(Input::LookedUp { serial: self.serial, answer })
            } else if plays {
                self.call.tell(Input::Played { complete: true })
            } else {
                return;
            };
        }
    }

    fn keys(&mut self, keys: &str) -> &mut Walk {
        for key in keys.chars() {
            let outputs = self.call.tell(Input::Digit(key));
            self.go_on(outputs);
        }
        self
    }

    fn tell(&mut self, input: Input) -> &mut Walk {
        let outputs = self.call.tell(input);
        self.go_on(outputs);
        self
    }

    /// What came last of all.
    fn last(&self) -> &str {
        self.lines.last().map_or("", String::as_str)
    }

    /// What was said last, without the files' folders.
    fn said(&self) -> String {
        let said =
            self.lines.iter().rev().find(|line| line.starts_with("play ")).cloned().unwrap_or_default();
        let words = said.split(' ').skip(1).map(|sound| sound.split('|').next().unwrap_or_default());
        words.map(|sound| sound.split_once('/').map_or(sound, |(_, key)| key)).collect::<Vec<_>>().join(" ")
    }

    fn came_to(&self, node: &str) -> bool {
        self.lines.contains(&format!("({node})"))
    }
}

fn found(values: &[(&str, &str)]) -> Answer {
    Answer::Found(values.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
}

fn client(profile: &str) -> Answer {
    found(&[("client", "Comune di Prova"), ("profile", profile), ("centralised", "no")])
}

#[test]
fn the_higher_the_profile_the_earlier_a_municipality_is_served() {
    for (profile, priority) in [("MINIMAL", 0), ("BASIC", 2), ("PRO", 5), ("ENTERPRISE", 8)] {
        let mut walk = Walk::new("municipal", WORKING_DAYS, FRIDAY_MORNING, &[client(profile)]);
        walk.keys("3");
        assert_eq!(walk.last(), format!("queue municipal language=it topic=network priority={priority}"));
    }
}

#[test]
fn a_number_that_nobody_knows_asks_for_a_client_code_twice_and_serves_the_caller_all_the_same() {
    let answers = [Answer::Missing, Answer::Missing, client("PRO")];
    let mut walk = Walk::new("municipal", WORKING_DAYS, FRIDAY_MORNING, &answers);
    assert_eq!(walk.said(), "client_code_ask");
    walk.keys("100401");
    assert_eq!(
        walk.said(),
        "you_typed digit_1 digit_0 digit_0 digit_4 digit_0 digit_1 confirm_yes press_1 confirm_no press_2"
    );
    walk.keys("1");
    assert_eq!(walk.said(), "client_code_again");
    walk.keys("100400").keys("1").keys("1");
    assert_eq!(walk.last(), "queue municipal language=it topic=software priority=5");

    let answers = [Answer::Missing, Answer::Missing, Answer::Missing];
    let mut unknown = Walk::new("municipal", WORKING_DAYS, FRIDAY_MORNING, &answers);
    unknown.keys("999999").keys("1").keys("999998").keys("1").keys("0");
    assert_eq!(unknown.last(), "queue municipal language=it topic= priority=0");
}

#[test]
fn a_mistyped_code_is_corrected_before_it_is_looked_up() {
    let answers = [Answer::Missing, client("BASIC")];
    let mut walk = Walk::new("municipal", WORKING_DAYS, FRIDAY_MORNING, &answers);
    walk.keys("123456").keys("2");
    assert_eq!(walk.said(), "client_code_ask");
    walk.keys("100300").keys("1");
    assert!(walk.lines.contains(&"look up 2 client_codes 100300".to_owned()));
    assert!(walk.came_to("reason"));
}

#[test]
fn on_saturdays_a_blocking_problem_of_an_entitled_client_comes_to_the_agent_on_call() {
    for (profile, priority) in [("BASIC", 2), ("PRO", 5), ("ENTERPRISE", 8)] {
        let mut walk = Walk::new("municipal", SATURDAYS, SATURDAY_MORNING, &[client(profile)]);
        walk.keys("1");
        assert_eq!(walk.last(), format!("queue municipal_on_call language=it topic= priority={priority}"));
    }
    let centralised = found(&[("profile", "MINIMAL"), ("centralised", "yes")]);
    let mut walk = Walk::new("municipal", SATURDAYS, SATURDAY_MORNING, &[centralised]);
    walk.keys("1");
    assert_eq!(walk.last(), "queue municipal_on_call language=it topic= priority=0");
}

#[test]
fn on_saturdays_whoever_is_not_entitled_is_told_so_kindly_and_when_to_call() {
    let walk = Walk::new("municipal", SATURDAYS, SATURDAY_MORNING, &[client("MINIMAL")]);
    assert_eq!(
        (walk.said().as_str(), walk.last()),
        ("saturday_not_entitled goodbye", "hang up: not_entitled")
    );

    let mut walk = Walk::new(
        "municipal",
        SATURDAYS,
        SATURDAY_MORNING,
        &[Answer::Missing, Answer::Missing, Answer::Missing],
    );
    walk.keys("999999").keys("1").keys("999998").keys("1");
    assert_eq!((walk.said().as_str(), walk.last()), ("saturday_unknown goodbye", "hang up: unknown_client"));
}

#[test]
fn on_saturdays_what_can_wait_is_called_back_on_monday_and_a_silent_look_up_turns_nobody_away() {
    let mut walk = Walk::new("municipal", SATURDAYS, SATURDAY_MORNING, &[client("PRO")]);
    walk.keys("2");
    assert_eq!(
        (walk.said().as_str(), walk.last()),
        ("monday_callback", "call back +390373000300 in municipal it")
    );
    walk.tell(Input::CalledBack { accepted: true });
    assert_eq!((walk.said().as_str(), walk.last()), ("callback_taken goodbye", "hang up: callback"));

    let mut walk = Walk::new("municipal", SATURDAYS, SATURDAY_MORNING, &[Answer::Failed]);
    walk.keys("1");
    assert_eq!(walk.last(), "queue municipal_on_call language=it topic= priority=0");
}

#[test]
fn the_desk_has_a_break_at_noon_and_the_other_number_has_saturday_mornings() {
    // Friday 10:00 in Rome, and so on.
    for (dialled, wall, open) in [
        (WORKING_DAYS, FRIDAY_MORNING, true),
        (WORKING_DAYS, FRIDAY_MORNING + HOUR * 3, false),
        (WORKING_DAYS, FRIDAY_MORNING + HOUR * 4, true),
        (WORKING_DAYS, FRIDAY_MORNING + HOUR * 8, false),
        (WORKING_DAYS, SATURDAY_MORNING, false),
        (SATURDAYS, SATURDAY_MORNING, true),
        (SATURDAYS, SATURDAY_MORNING + HOUR * 3, false),
        (SATURDAYS, FRIDAY_MORNING, false),
        ("demo_municipal", FRIDAY_MORNING + HOUR * 12, true),
    ] {
        let walk = Walk::new("municipal", dialled, wall, &[client("PRO")]);
        let asked = walk.came_to("reason") || walk.came_to("blocking");
        assert_eq!(asked, open, "{dialled} {wall:?}");
        assert_eq!(walk.came_to("later"), !open, "{dialled} {wall:?}");
    }
}

#[test]
fn where_nobody_answers_a_message_or_a_callback_is_taken() {
    let mut walk = Walk::new("municipal", WORKING_DAYS, SATURDAY_MORNING, &[]);
    walk.keys("1");
    assert_eq!((walk.said().as_str(), walk.last()), ("say_message", "message municipal 120s"));
    walk.tell(Input::MessageEnded(MessageEnd::Kept));
    assert_eq!((walk.said().as_str(), walk.last()), ("message_kept goodbye", "hang up: message"));

    for end in [QueueEnd::Overflow, QueueEnd::Full, QueueEnd::NobodyThere] {
        let mut walk = Walk::new("municipal", WORKING_DAYS, FRIDAY_MORNING, &[client("PRO")]);
        walk.keys("0").tell(Input::QueueEnded(end)).keys("2");
        assert_eq!(walk.last(), "call back +390373000300 in municipal it");
        walk.tell(Input::CalledBack { accepted: false });
        assert_eq!(walk.last(), "message municipal 120s", "who cannot be called back may leave a message");
    }
}

#[test]
fn the_profiles_of_the_table_are_those_that_the_script_knows() {
    let table = repository().join("ivr-scripts/municipal/look_ups/clients.csv");
    let table = std::fs::read_to_string(table).unwrap();
    let rows: Vec<Vec<&str>> = table.lines().map(|row| row.split(',').collect()).collect();
    assert_eq!(rows[0], ["code", "number", "client", "profile", "centralised"]);
    assert!(rows.len() > 4);
    for row in &rows[1..] {
        assert_eq!(row.len(), rows[0].len(), "{row:?}");
        assert!(row[0].len() == 6 && row[1].starts_with("+39"), "{row:?}");
        assert!(["MINIMAL", "BASIC", "PRO", "ENTERPRISE"].contains(&row[3]), "{row:?}");
        assert!(["yes", "no"].contains(&row[4]), "{row:?}");
    }
}

fn city(answers: &[Answer]) -> Walk {
    Walk::new("city", "041000000", FRIDAY_MORNING, answers)
}

#[test]
fn a_citizen_hears_how_far_a_request_has_come_and_is_back_at_the_menu() {
    for (status, said) in [
        ("received", "status_received"),
        ("in_progress", "status_in_progress"),
        ("documents", "status_documents"),
        ("done", "status_done"),
        ("rejected", "status_rejected"),
    ] {
        let mut walk = city(&[found(&[("status", status), ("since", "2026-11-20")])]);
        walk.keys("1").keys("1");
        assert_eq!(walk.said(), "request_ask");
        walk.keys("20260002").keys("1");
        assert!(walk.lines.contains(&"look up 1 requests 20260002".to_owned()));
        let told = format!("it/{said} it/status_since it/weekday_5 it/number_20 it/month_11");
        assert!(walk.lines.iter().any(|line| line.contains(&told)), "{status}: {:?}", walk.lines);
        assert!(walk.said().starts_with("topic_operator press_0 city_request press_1"), "{}", walk.said());
    }
    let mut walk = city(&[Answer::Missing]);
    walk.keys("1").keys("1").keys("00000000").keys("1");
    assert!(walk.came_to("no_request") && walk.said().starts_with("topic_operator"));
}

#[test]
fn the_next_collection_is_said_as_each_language_says_a_day() {
    let paper = || found(&[("date", ""), ("collected", "2026-11-24"), ("waste", "paper")]);
    for (key, told) in [
        ("1", "it/bins_next it/weekday_2 it/number_24 it/month_11"),
        ("3", "de/bins_next|it/bins_next de/weekday_2|it/weekday_2 de/the"),
    ] {
        let mut walk = city(&[paper()]);
        walk.keys(key).keys("2").keys("1234").keys("1");
        assert!(walk.lines.iter().any(|line| line.contains(told)), "{told}: {:?}", walk.lines);
        assert!(walk.came_to("paper") && walk.said().starts_with("topic_operator"));
    }
}

#[test]
fn opening_hours_are_said_with_their_day_and_times() {
    let opening = found(&[("open_on", "2026-11-25"), ("open_from", "09:00"), ("open_to", "12:30")]);
    let mut walk = city(&[opening]);
    walk.keys("1").keys("3").keys("2");
    assert!(walk.lines.contains(&"look up 1 offices taxes".to_owned()));
    let told = "it/office_next it/weekday_3 it/number_25 it/month_11 it/from_time it/hours it/digit_9 it/to_time \
                it/hours it/number_12 it/and it/number_30";
    assert!(walk.lines.iter().any(|line| line.contains(told)), "{:?}", walk.lines);
    assert!(walk.said().starts_with("topic_operator"));
}

#[test]
fn an_operator_is_three_keys_away_at_most_and_is_there_where_the_service_is_silent() {
    for keys in ["10", "14", "15", "130"] {
        let mut walk = city(&[]);
        walk.keys(keys);
        assert!(walk.last().starts_with("queue city language=it topic="), "{keys}: {}", walk.last());
    }
    let mut walk = city(&[Answer::Failed]);
    walk.keys("1").keys("2").keys("1234").keys("1");
    assert!(walk.came_to("silent"));
    assert_eq!(walk.last(), "queue city language=it topic= priority=0");
}

#[test]
fn the_self_service_answers_at_night_too() {
    let night = FRIDAY_MORNING + HOUR * 12;
    let paper = found(&[("collected", "2026-11-24"), ("waste", "glass")]);
    let mut walk = Walk::new("city", "041000000", night, &[paper]);
    walk.keys("1").keys("2").keys("1234").keys("1");
    assert!(walk.came_to("glass"));
    walk.keys("0");
    assert!(walk.came_to("closed") && walk.said().starts_with("remember_language consent_yes press_1"));
    walk.keys("2");
    assert!(walk.said().starts_with("choice_message press_1"));
    walk.keys("9");
    assert!(walk.said().starts_with("topic_operator"), "the menu is there again");
}
