//! The script that goes on with the caller when the agent has hung up: a question after the conversation.

use crate::support::desk::*;
use crate::support::handing::*;
use crate::support::stage::*;
use engine::{Input, Past, Service};
use facts::Command as Ask;
use facts::{AgentState, FactKind, LegRole};
use ivr::ScriptFiles;
use std::sync::Arc;

const CARLA: u8 = 52;

const FLOW: &str = r#"
title     = "Asked afterwards"
languages = ["it"]
start     = "wait"
[wait]
queue    = "helpdesk"
ENDED
[survey]
survey   = "satisfaction"
keys     = "1..5"
no_input = { tries = 1, say = [], next = "silent" }
no_match = { tries = 1, say = [], next = "silent" }
next     = "thanks"
[silent]
hang_up  = "silent"
[thanks]
hang_up  = "thanks"
"#;

/// Without the way on, nothing leads to the question but a key that nobody is asked for.
const WITHOUT: &str = "on.overflow = \"survey\"\noverflow_after = \"1h\"";

/// A caller talks with anna.
fn talking(ended: &str) -> (Stage, Line, Line) {
    let files = ScriptFiles {
        name: "asked".to_owned(),
        flow: ("flow.toml".to_owned(), FLOW.replace("ENDED", ended)),
        phrases: vec![("it".to_owned(), "it.toml".to_owned(), String::new())],
        ..ScriptFiles::default()
    };
    let script = Arc::new(ivr::Script::check(&files).unwrap());
    let mut config = with_trunk();
    config.services.insert("desk".to_owned(), Service::Script { script, language: None });
    let mut stage = Stage::with(config, Past::default());
    register(&mut stage, "anna", address(ANNA));
    let phone = address(9);
    let mut caller = Line::dial(&mut stage, phone, "desk", &sdp(phone, SENDRECV));
    caller.connect(&mut stage);
    let anna = agent_answers(&mut stage, address(ANNA));
    register(&mut stage, "bruno", address(BRUNO));
    stage.wait(seconds(20));
    (stage, caller, anna)
}

fn commands(stage: &mut Stage, command: Ask) {
    stage.input(Input::Command { id: 1, by: "desk".to_owned(), command });
}

fn answered(stage: &Stage) -> Vec<String> {
    let answers = stage.kinds().into_iter().filter_map(|kind| match kind {
        FactKind::SurveyAnswered(told) => Some(told.answer.clone()),
        _ => None,
    });
    answers.collect()
}

#[test]
fn a_caller_whose_agent_hangs_up_is_asked_and_the_agent_writes_up_meanwhile() {
    let (mut stage, caller, mut anna) = talking("on.ended = \"survey\"");
    hangs_up(&mut stage, &mut anna);
    assert_eq!(state_of(&stage, "anna"), AgentState::Wrapup);
    stage.wait(seconds(2));
    assert_eq!(state_of(&stage, "anna"), AgentState::Ready);
    stage.press(1, '5');
    hung_up_on(&mut stage, &caller);
    assert_all_is_well(&mut stage);
    assert_eq!(answered(&stage), ["5"]);
    assert_eq!(stage.call_ends().remove(0).place, "thanks");
    let (talk, ivr) = stage.fact(|kind| match kind {
        FactKind::CallEnded { data, .. } => Some((data.talk_ms, data.ivr_ms)),
        _ => None,
    });
    assert_eq!((talk, ivr), (20_000, 2_000));
}

#[test]
fn without_a_way_on_the_caller_is_let_go_with_the_agent() {
    let (mut stage, caller, mut anna) = talking(WITHOUT);
    hangs_up(&mut stage, &mut anna);
    hung_up_on(&mut stage, &caller);
    assert_all_is_well(&mut stage);
    assert!(answered(&stage).is_empty());
}

#[test]
fn a_caller_who_hangs_up_first_is_asked_nothing() {
    let (mut stage, mut caller, anna) = talking("on.ended = \"survey\"");
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &anna);
    assert_all_is_well(&mut stage);
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::IvrEntered { node, .. } if node == "survey")), 0);
}

#[test]
fn a_caller_who_was_handed_to_a_colleague_is_asked_when_the_colleague_hangs_up() {
    let (mut stage, caller, mut anna) = talking("on.ended = \"survey\"");
    anna.refer(&mut stage, "sip:bruno@pbx.example");
    anna.told(&mut stage);
    let mut bruno = answers(&mut stage, address(BRUNO));
    anna.told(&mut stage);
    anna.told(&mut stage);
    hung_up_on(&mut stage, &anna);
    hangs_up(&mut stage, &mut bruno);
    stage.press(1, '2');
    hung_up_on(&mut stage, &caller);
    assert_all_is_well(&mut stage);
    assert_eq!(answered(&stage), ["2"]);
}

#[test]
fn who_listened_in_goes_with_the_agent_and_a_muted_caller_is_heard_again() {
    let (mut stage, caller, mut anna) = talking("on.ended = \"survey\"");
    let call = stage.facts.iter().find_map(|fact| fact.call.clone()).unwrap();
    register(&mut stage, "carla", address(CARLA));
    let supervise = Ask::Supervise {
        call: call.clone(),
        supervisor: "carla".to_owned(),
        mode: facts::SupervisionMode::Listen,
        basis: "training".to_owned(),
    };
    commands(&mut stage, supervise);
    let carla = answers(&mut stage, address(CARLA));
    commands(&mut stage, Ask::MuteParty { call, leg: 1, muted: true });
    hangs_up(&mut stage, &mut anna);
    hung_up_on(&mut stage, &carla);
    let legs = stage.engine.snapshot().calls.into_values().next().unwrap().legs;
    let left: Vec<_> = legs.values().map(|leg| (leg.role, leg.muted)).collect();
    assert_eq!(left, [(LegRole::Caller, false)]);
    stage.press(1, '9');
    hung_up_on(&mut stage, &caller);
    assert_all_is_well(&mut stage);
    assert_eq!(stage.call_ends().remove(0).place, "silent");
}
