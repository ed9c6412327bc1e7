//! The scripts that Cornetta ships, with the sounds that it ships.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod common;

use base::Wall;
use common::{Call, FRIDAY_MORNING, checked, repository, shipped_files, told, without};
use ivr::{Input, Interpreter, Output, QueueEnd, Script};
use spoken::Form;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn helpdesk() -> Arc<Script> {
    checked(&shipped_files("helpdesk"))
}

fn statistics() -> Arc<Script> {
    checked(&shipped_files("statistics"))
}

const ALL: [&str; 4] = ["city", "helpdesk", "municipal", "statistics"];

fn all() -> [Arc<Script>; 4] {
    ALL.map(|name| checked(&shipped_files(name)))
}

#[test]
fn every_folder_of_scripts_is_one_that_these_tests_know() {
    let folders = std::fs::read_dir(repository().join("ivr-scripts")).unwrap();
    let scripts =
        folders.map(|folder| folder.unwrap()).filter(|folder| folder.path().join("flow.toml").is_file());
    let mut names: Vec<_> = scripts.map(|folder| folder.file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ALL);
}

#[test]
fn the_helpdesk_speaks_fourteen_languages_and_sends_to_two_queues() {
    let script = helpdesk();
    let languages: Vec<&str> = script.languages().collect();
    assert_eq!(languages.join(" "), "it en fr es ro ar pa bn ur hi sq wo zh uk");
    assert_eq!(Vec::from_iter(script.queues()), ["helpdesk", "second_level"]);
    assert_eq!(Vec::from_iter(script.dialled_numbers()), ["demo"]);
    assert_eq!(script.title(), "Help desk against labour exploitation");
}

#[test]
fn a_caller_on_a_friday_morning_comes_to_the_queue_in_her_language_with_her_topic() {
    let mut call = Call::new(&helpdesk(), "800000000");
    assert_eq!(
        call.lines(Input::Start),
        ["(greeting)", "(3 prompts)", "play it/welcome en/welcome|it/welcome fr/welcome|it/welcome"]
    );
    let menu = call.played();
    assert_eq!(menu[..3], ["(heard)", "(language)", "(20 prompts)"]);
    assert!(menu[3].starts_with(
        "play it/press_for_language it/press_1 en/press_for_language|it/press_for_language en/press_2|it/press_2 "
    ));
    assert!(menu[3].ends_with(
        "it/more_languages it/press_9 en/more_languages|it/more_languages en/press_9|it/press_9 \
         fr/more_languages|it/more_languages fr/press_9|it/press_9"
    ));
    assert_eq!(call.key('9')[..3], ["stop", "(cut)", "(key 9: more_languages)"]);
    assert_eq!(
        call.key('3'),
        [
            "stop",
            "(cut)",
            "(key 3: hi)",
            "(language = hi)",
            "(notice)",
            "(2 prompts)",
            "play hi/recording_notice|it/recording_notice hi/emergency_112|it/emergency_112",
        ]
    );
    assert_eq!(call.interpreter.language(), "hi");
    let topics = call.played();
    assert_eq!(
        topics[..5],
        ["(heard)", "(line)", "(open)", "(hours helpdesk true weekly hours: Friday 09:00-13:00)", "(topic)"]
    );
    assert_eq!(call.key('1')[2..6], ["(key 1: work)", "(topic = work)", "(priority = 5)", "(wait)"]);
    assert_eq!(
        call.played(),
        [
            "(heard)",
            "(left: queue)",
            "queue helpdesk language=hi topic=work priority=5 interpreter=interpreters after=30s within=60s says=1"
        ]
    );
    assert_eq!(
        call.lines(Input::QueueEnded(QueueEnd::Overflow)),
        [
            "(second_level)",
            "(left: queue)",
            "queue second_level language=hi topic= priority=7 interpreter=interpreters after=30s within=60s says=1"
        ]
    );
}

#[test]
fn at_night_the_desk_says_so_in_the_callers_language_and_the_demo_number_is_open() {
    let script = helpdesk();
    let night = FRIDAY_MORNING + Duration::from_secs(12 * 3600);
    let mut call = Call::at(&script, "800000000", night);
    call.tell(Input::Start);
    // One key for the language and one for the topic, which is never asked: it must not cut the words short.
    call.key('2');
    call.key('1');
    let closed = call.played();
    assert_eq!(
        closed.last().unwrap(),
        "play en/closed_now|it/closed_now en/open_hours|it/open_hours en/goodbye|it/goodbye"
    );
    assert_eq!(call.key('1'), [""; 0]);
    assert_eq!(call.played(), ["(heard)", "(left: hang_up)", "hang up: closed"]);

    let mut demo = Call::at(&script, "demo", night);
    assert_eq!(demo.lines(Input::Start)[0], "(line = demo)");
    demo.key('2');
    assert!(demo.played().contains(&"(topic)".to_owned()));
}

#[test]
fn each_toll_free_number_knows_its_survey_and_1510_asks() {
    let script = statistics();
    for (number, topic) in [
        ("800000001", "families"),
        ("800000002", "businesses"),
        ("800000003", "farms"),
        ("800000004", "institutions"),
    ] {
        let mut call = Call::new(&script, number);
        assert_eq!(call.lines(Input::Start)[0], format!("(topic = {topic})"));
        call.key('3');
        assert!(call.played().contains(&"(letter)".to_owned()));
        call.key('0');
        assert_eq!(call.played()[2], format!("queue statistics language=sl topic={topic} priority=0"));
    }
    let mut call = Call::new(&script, "1510");
    call.tell(Input::Start);
    call.key('2');
    assert!(call.played().contains(&"(topic)".to_owned()));
    call.key('5');
    assert_eq!(call.played()[2], "queue statistics language=de topic=questionnaire priority=0");
}

#[test]
fn the_statistics_desk_is_open_on_saturday_evening_and_closed_on_a_holiday() {
    let script = statistics();
    let open_at = |wall: Wall| {
        let mut call = Call::at(&script, "1510", wall);
        call.tell(Input::Start);
        call.key('1');
        call.played().contains(&"(known_topic)".to_owned())
    };
    let saturday_18 = FRIDAY_MORNING + DAY + Duration::from_secs(8 * 3600);
    assert!(open_at(saturday_18));
    assert!(!open_at(saturday_18 + Duration::from_secs(3600)));
    // Tuesday 8 December 2026.
    assert!(!open_at(FRIDAY_MORNING + DAY * 11));
    assert!(open_at(FRIDAY_MORNING + DAY * 12));
}

#[test]
fn a_place_in_the_queue_is_said_in_its_language_or_not_at_all() {
    for script in all() {
        for language in script.languages() {
            let sources =
                |n| script.position(language, n).iter().map(|sound| sound[0].to_string()).collect::<Vec<_>>();
            let please_wait = [format!("{language}/please_wait")];
            for n in 1..=60 {
                let number = if n < 10 { format!("digit_{n}") } else { format!("number_{n}") };
                assert_eq!(
                    sources(n),
                    [format!("{language}/you_are_number"), format!("{language}/{number}")]
                );
            }
            // Nobody has recorded larger numbers in these.
            let ends_at_60 = ["pa", "bn", "wo"].contains(&language);
            for n in 61..=999 {
                let said = sources(n);
                let fragments = Form::Place.say(language, &n.to_string()).unwrap();
                let whole = std::iter::once("you_are_number").chain(fragments.iter().map(String::as_str));
                let whole: Vec<String> = whole.map(|phrase| format!("{language}/{phrase}")).collect();
                assert_eq!(said, if ends_at_60 { please_wait.to_vec() } else { whole }, "{language} {n}");
            }
            assert_eq!(sources(0), please_wait);
            assert_eq!(sources(1000), please_wait);
        }
        assert_eq!(script.position("xx", 3)[0][0].as_ref(), "it/you_are_number");
    }
}

#[test]
fn a_long_queue_is_said_by_the_grammar_of_the_language() {
    let said = |script: &Script, language, n| {
        let sounds = script.position(language, n);
        sounds.iter().skip(1).map(|sound| sound[0].to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(said(&helpdesk(), "it", 345), "it/number_300 it/number_45");
    assert_eq!(said(&helpdesk(), "en", 345), "en/number_300 en/and en/number_45");
    assert_eq!(said(&helpdesk(), "es", 101), "es/hundred es/digit_1");
    assert_eq!(said(&statistics(), "de", 999), "de/number_900 de/number_99");
    assert_eq!(said(&statistics(), "sl", 61), "sl/number_61");
}

/// A caller who does nothing at all, whatever becomes of the queues, comes to an end within the hour.
#[test]
fn a_silent_caller_comes_to_an_end_whatever_the_queues_say() {
    for script in all() {
        for dialled in script.dialled_numbers().into_iter().chain(["other"]) {
            for end in [QueueEnd::Overflow, QueueEnd::Full, QueueEnd::NobodyThere] {
                for wall in [FRIDAY_MORNING, FRIDAY_MORNING + DAY / 2] {
                    let mut call = Call::at(&script, dialled, wall);
                    assert!(silent_until_the_end(&mut call, end) < Duration::from_secs(3600));
                }
            }
        }
    }
}

fn silent_until_the_end(call: &mut Call, end: QueueEnd) -> Duration {
    let mut outputs = call.tell(Input::Start);
    for _ in 0..1000 {
        if outputs.iter().any(|output| matches!(output, Output::LookUp { .. })) {
            let (late, _) = call.interpreter.poll_timeout().expect("nobody waits for ever for an answer");
            outputs = call.wait(late.since(call.now));
            continue;
        }
        match outputs.iter().rev().find(|output| !matches!(output, Output::Trace(_))) {
            Some(Output::HangUp { .. }) => return call.now.since(base::Time::ZERO),
            Some(Output::Play { .. }) => {
                assert!(
                    call.wait(Duration::from_secs(20)).is_empty(),
                    "no deadline runs while a prompt is heard"
                );
                outputs = call.tell(Input::Played { complete: true });
            }
            Some(Output::Queue(wait)) => {
                call.wait(wait.overflow_after.unwrap_or_default());
                outputs = call.tell(Input::QueueEnded(end));
            }
            _ => {
                let (until, _) =
                    call.interpreter.poll_timeout().expect("a caller who is asked is not asked for ever");
                outputs = call.wait(until.since(call.now));
            }
        }
    }
    panic!("the call never ends");
}

/// What a script says a phrase is and what was spoken into its file are the same words.
#[test]
fn the_words_of_the_scripts_are_the_words_of_the_sounds() {
    let mut compared = 0;
    for name in ALL {
        for (language, file, text) in shipped_files(name).phrases {
            let spoken = repository().join(format!("sounds/phrases/{language}.toml"));
            let spoken = words(&std::fs::read_to_string(spoken).unwrap());
            for (key, said) in words(&text) {
                assert_eq!(spoken.get(&key), Some(&said), "{key} in {name}/{file}");
                compared += 1;
            }
        }
    }
    assert!(compared > 1000);
}

fn words(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .filter_map(|line| line.split_once(" = \""))
        .map(|(key, said)| (key.to_owned(), said.trim_end_matches('"').to_owned()))
        .collect()
}

#[test]
fn a_language_known_before_the_call_is_spoken_from_the_first_word() {
    let entry = ivr::Entry {
        written: "800000001".to_owned(),
        language: Some("sl".to_owned()),
        ..ivr::Entry::default()
    };
    let mut interpreter = Interpreter::new(statistics(), entry);
    interpreter.handle(base::Time::ZERO, FRIDAY_MORNING, Input::Start);
    assert_eq!(interpreter.language(), "sl");
}

#[test]
fn all_faults_of_a_shipped_script_that_is_spoilt_come_at_once() {
    let mut files = shipped_files("helpdesk");
    files.flow.1 =
        files.flow.1.replace("open   = \"topic\"", "open   = \"topics\"").replace("moh/calm", "moh/loud");
    files.sounds = without(&files.sounds, "wo/welcome");
    files.sounds = without(&files.sounds, "wo/goodbye");
    let faults = told(&Script::check(&files).expect_err("it has faults"));
    assert_eq!(faults.len(), 4, "{faults:#?}");
    assert!(faults[0].contains("unknown node `topics`; did you mean `topic`?"));
    assert!(faults[1].contains("there is no sound `moh/loud`"));
    assert!(faults[3].starts_with("phrases/wo.toml:") && faults[3].contains("`wo/goodbye`"));
}
