//! Scripts that ask: the caller for digits, and somebody outside for what is known of them.

use crate::support::stage::*;
use engine::{Input, Past, Service};
use facts::FactKind;
use ivr::Answer;
use std::sync::Arc;
use std::time::Duration;

const FLOW: &str = r#"
title     = "Clients"
languages = ["it"]
start     = "code"
[code]
collect  = "code"
digits   = "4"
masked   = true
no_input = { tries = 1, say = [], next = "end" }
no_match = { tries = 1, say = [], next = "end" }
next     = "client"
[client]
look_up = "clients"
with    = { code = "$code", number = "$caller" }
found   = "end"
missing = "end"
failed  = "unknown"
[unknown]
hang_up = "unknown"
[end]
hang_up = "end"
"#;

const CLIENTS: &str = "takes = [\"code\", \"number\"]\ngives = [\"topic\"]\n[csv]\nfile = \"clients.csv\"\n";

fn desk() -> Stage {
    let files = ivr::ScriptFiles {
        name: "clients".to_owned(),
        flow: ("flow.toml".to_owned(), FLOW.to_owned()),
        phrases: vec![("it".to_owned(), "it.toml".to_owned(), String::new())],
        look_ups: vec![("clients".to_owned(), "clients.toml".to_owned(), CLIENTS.to_owned())],
        ..ivr::ScriptFiles::default()
    };
    let script = Arc::new(ivr::Script::check(&files).unwrap());
    let mut config = config();
    config.services.insert("desk".to_owned(), Service::Script { script, language: None });
    Stage::with(config, Past::default())
}

/// Typed 4711; the script has asked.
fn asking() -> (Stage, engine::Question) {
    let mut stage = desk();
    let phone = address(9);
    let mut caller = Line::dial(&mut stage, phone, "desk", &sdp(phone, "sendrecv"));
    caller.connect(&mut stage);
    for digit in "4711".chars() {
        stage.press(1, digit);
        stage.wait(Duration::from_millis(200));
    }
    let question = stage.questions.pop().unwrap();
    (stage, question)
}

fn outcome(stage: &Stage) -> (String, u64) {
    stage.fact(|kind| match kind {
        FactKind::LookupAnswered { outcome, waited_ms, .. } => Some((outcome.clone(), *waited_ms)),
        _ => None,
    })
}

fn reason(stage: &Stage) -> String {
    stage.call_ends().remove(0).place
}

#[test]
fn what_is_masked_goes_to_the_look_up_and_to_no_fact() {
    let (stage, question) = asking();
    assert_eq!(question.with[0], "4711");
    let told = format!("{:?}", stage.kinds());
    assert!(!told.contains("4711") && !told.contains("digit: \"4\""), "{told}");
    assert!(told.contains("digit: \"masked\""), "{told}");
}

#[test]
fn an_answer_becomes_known_and_a_second_one_is_passed_over() {
    let (mut stage, question) = asking();
    stage.wait(Duration::from_millis(300));
    let found = || Answer::Found([("topic".to_owned(), "work".to_owned())].into());
    for _ in 0..2 {
        stage.input(Input::LookedUp { asker: question.asker, answer: found() });
    }
    assert_eq!(outcome(&stage), ("found".to_owned(), 500));
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::LookupAnswered { .. })), 1);
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::CallClassified { .. })), 2, "code and topic");
    assert_eq!(reason(&stage), "end");
}

#[test]
fn who_gets_no_answer_in_time_goes_on_without_and_the_late_one_finds_nobody() {
    let (mut stage, question) = asking();
    stage.wait(Duration::from_secs(2));
    assert_eq!(outcome(&stage), ("late".to_owned(), 2000));
    assert_eq!(reason(&stage), "unknown");
    stage.wait(Duration::from_secs(40));
    stage.input(Input::LookedUp { asker: question.asker, answer: Answer::Missing });
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::LookupAnswered { .. })), 1);
}
