//! A desk that a person closes at once, and lets go by its calendars again.

use crate::support::stage::*;
use engine::{CommandRefused, Input, Past, Service};
use facts::{Command, EmergencyScope, FactKind, Snapshot};
use journal::fold::SnapshotFold;
use std::sync::Arc;

const FLOW: &str = r#"
title     = "Desk"
languages = ["it"]
start     = "open"
[emergency]
messages = ["strike"]
[open]
hours  = "always"
open   = "served"
closed = "closed"
[served]
hang_up = "served"
[closed]
hang_up = "closed"
"#;

const ALWAYS: &str = "zone = \"Europe/Rome\"\nmon = [\"00:00-24:00\"]\ntue = [\"00:00-24:00\"]\nwed = [\"00:00-24:00\"]\n\
                      thu = [\"00:00-24:00\"]\nfri = [\"00:00-24:00\"]\nsat = [\"00:00-24:00\"]\nsun = [\"00:00-24:00\"]\n";

fn script(name: &str) -> Service {
    let files = ivr::ScriptFiles {
        name: name.to_owned(),
        flow: ("flow.toml".to_owned(), FLOW.to_owned()),
        phrases: vec![("it".to_owned(), "it.toml".to_owned(), "strike = \"Sciopero.\"\n".to_owned())],
        calendars: vec![("always".to_owned(), "always.toml".to_owned(), ALWAYS.to_owned())],
        sounds: ["it/strike"].into_iter().collect(),
        ..ivr::ScriptFiles::default()
    };
    Service::Script { script: Arc::new(ivr::Script::check(&files).unwrap()), language: None }
}

/// Two numbers of one script, one of another.
fn desk(past: Past) -> Stage {
    let mut config = config();
    for (number, name) in [("1", "town"), ("2", "town"), ("3", "province")] {
        config.services.insert(number.to_owned(), script(name));
    }
    Stage::with(config, past)
}

fn ask(stage: &mut Stage, id: u64, command: Command) -> Result<u64, CommandRefused> {
    stage.input(Input::Command { id, by: "anna".to_owned(), command });
    stage.replies.last().unwrap().1
}

fn close(stage: &mut Stage, scope: EmergencyScope, message: &str) -> Result<u64, CommandRefused> {
    let (message, reason) = (message.to_owned(), "sciopero".to_owned());
    ask(stage, 1, Command::CloseByEmergency { scope, message, reason })
}

fn open(stage: &mut Stage, scope: EmergencyScope) -> Result<u64, CommandRefused> {
    ask(stage, 2, Command::OpenAfterEmergency { scope })
}

/// Calls, and tells whether it was served, and the sounds that were heard.
fn is_served(stage: &mut Stage, number: &str, at: u8) -> bool {
    let before = stage.facts.len();
    let phone = address(at);
    let mut caller = Line::dial(stage, phone, number, &sdp(phone, "sendrecv"));
    caller.connect(stage);
    stage.wait(std::time::Duration::from_secs(20));
    let ends = stage.facts.iter().skip(before).filter_map(|fact| match &fact.kind {
        FactKind::CallEnded { end, .. } => Some(end.place.clone()),
        _ => None,
    });
    match Vec::from_iter(ends).as_slice() {
        [end] if end == "served" => true,
        [end] if end == "closed" => false,
        other => panic!("{other:?}"),
    }
}

fn folded(stage: &Stage) -> Snapshot {
    let mut fold = SnapshotFold::default();
    stage.facts.iter().for_each(|fact| fold.apply(fact));
    fold.snapshot().clone()
}

fn number(number: &str) -> EmergencyScope {
    EmergencyScope::Number(number.to_owned())
}

fn named(script: &str) -> EmergencyScope {
    EmergencyScope::Script(script.to_owned())
}

#[test]
fn a_number_a_script_or_all_can_be_closed_and_nothing_else_is() {
    for (scope, served) in [
        (number("1"), [false, true, true]),
        (named("town"), [false, false, true]),
        (EmergencyScope::All, [false, false, false]),
    ] {
        let mut stage = desk(Past::default());
        assert!(is_served(&mut stage, "1", 9));
        close(&mut stage, scope.clone(), "").unwrap();
        let told = ["1", "2", "3"].map(|dialled| is_served(&mut stage, dialled, 10 + dialled.len() as u8));
        assert_eq!(told, served, "{scope}");
        assert_eq!(folded(&stage).emergencies, stage.engine.snapshot().emergencies);
        open(&mut stage, scope.clone()).unwrap();
        assert!(stage.engine.snapshot().emergencies.is_empty());
        assert!(is_served(&mut stage, "1", 20), "{scope}");
        assert_eq!(folded(&stage).emergencies, stage.engine.snapshot().emergencies);
    }
}

#[test]
fn the_log_says_who_closed_why_and_which_call_met_it() {
    let mut stage = desk(Past::default());
    let number = close(&mut stage, number("1"), "strike").unwrap();
    let fact = stage.facts.iter().find(|fact| fact.number == number).unwrap();
    let FactKind::EmergencyClosed(closed) = &fact.kind else { panic!("{fact:?}") };
    assert_eq!(
        (closed.scope.as_str(), closed.message.as_str(), closed.reason.as_str(), closed.by.as_str()),
        ("number:1", "strike", "sciopero", "anna")
    );
    assert!(!is_served(&mut stage, "1", 9));
    let rules = stage.facts.iter().filter_map(|fact| match &fact.kind {
        FactKind::CalendarDecided { calendar, open: false, rule } => Some((calendar.clone(), rule.clone())),
        _ => None,
    });
    let rule = "emergency close by anna: sciopero".to_owned();
    assert_eq!(Vec::from_iter(rules), [("emergency".to_owned(), rule.clone()), ("always".to_owned(), rule)]);
    let heard = stage.fact(|kind| match kind {
        FactKind::IvrPromptStarted { prompts, .. } => prompts.first().map(|prompt| prompt.prompt.clone()),
        _ => None,
    });
    assert_eq!(heard, "it/strike");
}

#[test]
fn a_closure_outlasts_a_restart() {
    let mut stage = desk(Past::default());
    close(&mut stage, EmergencyScope::All, "strike").unwrap();
    let emergencies = folded(&stage).emergencies.into_values().collect();
    let mut stage = desk(Past { emergencies, ..Past::default() });
    assert!(!is_served(&mut stage, "3", 9));
    open(&mut stage, EmergencyScope::All).unwrap();
    assert!(is_served(&mut stage, "3", 10));
}

#[test]
fn what_cannot_be_closed_or_said_is_refused_and_nothing_changes() {
    let mut stage = desk(Past::default());
    for (scope, message, refused) in [
        (number("4"), "", CommandRefused::NotFound),
        (number("echo"), "", CommandRefused::NotFound),
        (named("village"), "", CommandRefused::NotFound),
        (named("town"), "welcome", CommandRefused::NoMessage),
    ] {
        assert_eq!(close(&mut stage, scope.clone(), message), Err(refused), "{scope}");
    }
    assert_eq!(open(&mut stage, EmergencyScope::All), Err(CommandRefused::NotFound));
    assert!(stage.engine.snapshot().emergencies.is_empty());
    assert!(is_served(&mut stage, "1", 9));
}

#[test]
fn the_narrower_closure_is_meant_and_a_second_one_changes_the_words() {
    let mut stage = desk(Past::default());
    close(&mut stage, EmergencyScope::All, "").unwrap();
    close(&mut stage, number("1"), "strike").unwrap();
    close(&mut stage, EmergencyScope::All, "").unwrap();
    assert_eq!(stage.engine.snapshot().emergencies.len(), 2);
    assert!(!is_served(&mut stage, "1", 9));
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::IvrPromptStarted { .. })), 1);
    open(&mut stage, number("1")).unwrap();
    assert!(!is_served(&mut stage, "1", 10), "all is closed still");
}
