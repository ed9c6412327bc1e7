//! The statistics institute's letters, each with its survey's code.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod common;

use base::Wall;
use common::{Call, FRIDAY_MORNING, checked, repository, shipped_files};
use ivr::{Answer, Input, TransferEnd};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

/// The rows of the table, by the names of their columns.
fn surveys() -> Vec<BTreeMap<String, String>> {
    let table = repository().join("ivr-scripts/statistics/look_ups/surveys.csv");
    let table = std::fs::read_to_string(table).unwrap();
    let mut rows = table.lines().map(|row| row.split(',').map(str::to_owned).collect::<Vec<_>>());
    let names = rows.next().unwrap();
    rows.map(|row| {
        assert_eq!(row.len(), names.len(), "{row:?}");
        names.iter().cloned().zip(row).collect()
    })
    .collect()
}

/// Somebody who dials `dialled` chooses Italian and types the code of a letter.
fn typed(dialled: &str, way: &str, code: &str) -> Call {
    let mut call = Call::new(&checked(&shipped_files("statistics")), dialled);
    call.tell(Input::Start);
    call.key('1');
    call.played();
    way.chars().chain(code.chars()).for_each(|key| drop(call.key(key)));
    call
}

#[test]
fn sixty_surveys_and_more_have_each_a_code_and_a_topic_of_their_own() {
    let surveys = surveys();
    assert!(surveys.len() >= 60, "{}", surveys.len());
    let different = |column: &str| surveys.iter().map(|row| row[column].clone()).collect::<BTreeSet<_>>();
    assert_eq!(different("code").len(), surveys.len());
    assert_eq!(different("topic").len(), surveys.len());
    assert!(different("code").iter().all(|code| code.len() == 4 && code.bytes().all(|b| b.is_ascii_digit())));
    assert_eq!(Vec::from_iter(different("level")), ["operators", "referents"]);
    let (own, none): (Vec<_>, Vec<_>) = surveys.iter().partition(|row| row["level"] == "referents");
    assert!(own.iter().all(|row| !row["referent"].is_empty()), "experts are known by name");
    assert!(none.iter().all(|row| row["referent"].is_empty()));
    assert_eq!(Vec::from_iter(different("users")), ["businesses", "families", "farms", "institutions"]);
}

#[test]
fn every_survey_is_found_by_its_code_and_waits_where_its_level_says() {
    for survey in surveys() {
        let mut call = typed("1510", "7", &survey["code"]);
        let serial = 1;
        let answer = Answer::Found(survey.clone());
        call.lines(Input::LookedUp { serial, answer });
        let (queue, priority, lines) = match survey["level"].as_str() {
            "operators" => ("statistics", 0, call.played()),
            _ => {
                let asked = format!("transfer to agent {} 20s", survey["referent"]);
                assert_eq!(call.played().last(), Some(&asked));
                ("referents", 7, call.lines(Input::TransferFailed(TransferEnd::Paused)))
            }
        };
        let wait = format!("queue {queue} language=it topic={} priority={priority}", survey["topic"]);
        assert_eq!(lines.last(), Some(&wait), "{}", survey["survey"]);
    }
}

#[test]
fn a_toll_free_number_asks_for_the_code_and_goes_on_without_one() {
    let survey = &surveys()[0];
    let mut call = typed("800000001", "1", &survey["code"]);
    call.lines(Input::LookedUp { serial: 1, answer: Answer::Found(survey.clone()) });
    assert_eq!(call.played()[2], "queue statistics language=it topic=labour_force priority=0");

    for answer in [Answer::Missing, Answer::Failed] {
        let missing = answer == Answer::Missing;
        let mut call = typed("800000002", "1", "9999");
        let told = call.lines(Input::LookedUp { serial: 1, answer });
        assert_eq!(told.contains(&"play it/survey_code_missing".to_owned()), missing, "{told:?}");
        if missing {
            call.played();
        }
        assert_eq!(call.played()[2], "queue statistics language=it topic=businesses priority=0");
    }

    let mut call = typed("800000003", "0", "");
    assert_eq!(call.played()[2], "queue statistics language=it topic=farms priority=0");
}

#[test]
fn in_the_weeks_of_a_census_evenings_and_sundays_are_open() {
    let script = checked(&shipped_files("statistics"));
    let open_at = |wall: Wall| {
        let mut call = Call::at(&script, "1510", wall);
        call.tell(Input::Start);
        call.key('1');
        call.played().contains(&"(known_topic)".to_owned())
    };
    // Friday 27 November 2026 and its Sunday; 52 weeks later is the census of 2027.
    let (evening, sunday) = (FRIDAY_MORNING + HOUR * 10, FRIDAY_MORNING + HOUR * 48);
    let year = HOUR * 24 * 7 * 52;
    assert!(!open_at(evening) && !open_at(sunday));
    assert!(open_at(evening + year) && open_at(sunday + year));
    assert!(open_at(sunday + year + HOUR * 10) && !open_at(sunday + year + HOUR * 11));
    // All Saints, Monday 1 November 2027.
    assert!(!open_at(FRIDAY_MORNING + (year - HOUR * 24 * 25)));
}
