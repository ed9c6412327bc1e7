//! Callers who are called back: they keep their place, an agent comes first, and nobody is called twice at once.

use crate::support::desk::*;
use crate::support::handing::*;
use crate::support::stage::*;
use engine::{CommandRefused, Config, Input, Past, Service};
use facts::Command as Ask;
use facts::{
    AgentState, CallbackGivenUp, CallbackOffer, CallbackPause, CallbackRequest, CallbackTry, Cause, FactKind,
    Snapshot,
};
use ivr::ScriptFiles;
use std::sync::Arc;

const FLOW: &str = r#"
title     = "Called back"
languages = ["it"]
start     = "wait"
[wait]
queue          = "helpdesk"
overflow_after = "1m"
on.overflow    = "call_me"
on.nobody      = "call_me"
[call_me]
callback   = "helpdesk"
number     = "NUMBER"
tries      = 2
pause      = "10m"
next       = "thanks"
on.refused = "refused"
[thanks]
hang_up = "thanks"
[refused]
hang_up = "refused"
"#;

const NUMBER: &str = "+390612345678";

/// A desk whose script has this number called back.
fn desk(number: &str) -> Config {
    let files = ScriptFiles {
        name: "desk".to_owned(),
        flow: ("flow.toml".to_owned(), FLOW.replace("NUMBER", number)),
        phrases: vec![("it".to_owned(), "it.toml".to_owned(), String::new())],
        ..ScriptFiles::default()
    };
    let script = Arc::new(ivr::Script::check(&files).unwrap());
    let mut config = with_trunk();
    config.services.insert("desk".to_owned(), Service::Script { script, language: None });
    config
}

/// A caller dials the desk.
fn dials(stage: &mut Stage, phone: u8) -> Line {
    let phone = address(phone);
    let mut caller = Line::dial(stage, phone, "desk", &sdp(phone, SENDRECV));
    caller.connect(stage);
    caller
}

/// Nobody is there, and a caller has been let go who will be called back.
fn asked() -> Stage {
    let mut stage = Stage::with(desk(NUMBER), Past::default());
    let caller = dials(&mut stage, 9);
    hung_up_on(&mut stage, &caller);
    stage
}

/// The number is being called: its line, and the agent's.
fn called(stage: &mut Stage, agent: &str, at: u8) -> (Line, Line, String) {
    register(stage, agent, address(at));
    let agent = answers(stage, address(at));
    let (outside, invite) = Line::called(stage, address(OUTSIDE));
    (agent, outside, invite)
}

fn told(stage: &Stage) -> Vec<String> {
    let told = stage.kinds().into_iter().filter_map(|kind| match kind {
        FactKind::CallbackRequested(CallbackRequest { number, .. }) => Some(format!("requested {number}")),
        FactKind::CallbackOffered(CallbackOffer { agent, .. }) => Some(format!("offered {agent}")),
        FactKind::CallbackAttempted(CallbackTry { attempt, agent, .. }) => {
            Some(format!("attempted {attempt} {agent}"))
        }
        FactKind::CallbackPostponed(CallbackPause { attempt, cause, .. }) => {
            Some(format!("postponed {attempt} {cause:?}"))
        }
        FactKind::CallbackCompleted(CallbackTry { attempt, agent, .. }) => {
            Some(format!("completed {attempt} {agent}"))
        }
        FactKind::CallbackFailed(CallbackGivenUp { attempts, cause, .. }) => {
            Some(format!("failed {attempts} {cause:?}"))
        }
        FactKind::CallbackCancelled { by, .. } => Some(format!("cancelled {by}")),
        _ => None,
    });
    told.collect()
}

fn folded(stage: &Stage) -> Snapshot {
    let mut fold = journal::fold::SnapshotFold::default();
    stage.facts.iter().for_each(|fact| fold.apply(fact));
    assert_eq!(*fold.snapshot(), stage.engine.snapshot());
    fold.snapshot().clone()
}

fn ask(stage: &mut Stage, command: Ask) -> Result<u64, CommandRefused> {
    stage.input(Input::Command { id: 1, by: "crm".to_owned(), command });
    stage.replies.pop().unwrap().1
}

#[test]
fn an_agent_who_comes_is_asked_and_is_put_together_with_whoever_waits_for_a_call() {
    let mut stage = asked();
    assert_eq!(stage.call_ends().remove(0).place, "thanks");
    assert_eq!(folded(&stage).callbacks.into_values().next().unwrap().number, NUMBER);
    register(&mut stage, "anna", address(ANNA));
    let (mut anna, invite) = Line::called(&mut stage, address(ANNA));
    assert!(header(&invite, "From").contains(NUMBER), "{invite}");
    assert_eq!(header(&invite, "X-Cornetta-Callback"), NUMBER);
    assert_eq!(header(&invite, "X-Cornetta-Language"), "it");
    anna.answer(&mut stage, &invite, "200 OK", &sdp(address(ANNA), SENDRECV));
    stage.expect(address(ANNA), "ACK");
    anna.starts_counting();
    folded(&stage);
    let mut outside = answers(&mut stage, address(OUTSIDE));
    folded(&stage);
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::CallConnected { a: 2, b: 1 })), 1);
    stage.wait(seconds(30));
    hangs_up(&mut stage, &mut outside);
    hung_up_on(&mut stage, &anna);
    assert_eq!(state_of(&stage, "anna"), AgentState::Wrapup);
    assert_all_is_well(&mut stage);
    assert_eq!(
        told(&stage),
        ["requested +390612345678", "offered anna", "attempted 1 anna", "completed 1 anna"]
    );
    assert!(folded(&stage).callbacks.is_empty());
    let talks = stage.kinds().into_iter().filter_map(|kind| match kind {
        FactKind::CallEnded { data, .. } => Some(data.talk_ms),
        _ => None,
    });
    assert_eq!(Vec::from_iter(talks), [0, 30_000]);
}

#[test]
fn who_does_not_answer_is_called_again_after_the_pause_and_not_for_ever() {
    let mut stage = asked();
    let (anna, outside, invite) = called(&mut stage, "anna", ANNA);
    outside.answer(&mut stage, &invite, "486 Busy Here", "");
    stage.expect(address(OUTSIDE), "ACK");
    hung_up_on(&mut stage, &anna);
    stage.wait(seconds(590));
    assert!(folded(&stage).callbacks.into_values().next().unwrap().pauses_ms.is_some());
    assert!(!told(&stage).iter().any(|told| told == "attempted 2 anna"));
    stage.wait(seconds(15));
    let anna = answers(&mut stage, address(ANNA));
    let (outside, invite) = Line::called(&mut stage, address(OUTSIDE));
    outside.answer(&mut stage, &invite, "180 Ringing", "");
    stage.wait(seconds(46));
    is_cancelled(&mut stage, &outside, &invite);
    hung_up_on(&mut stage, &anna);
    assert_all_is_well(&mut stage);
    let told = told(&stage);
    assert_eq!(
        told[1..],
        [
            "offered anna",
            "attempted 1 anna",
            "postponed 1 Busy",
            "offered anna",
            "attempted 2 anna",
            "failed 2 NoAnswer"
        ]
    );
}

#[test]
fn an_agent_who_refuses_or_hangs_up_loses_nobody() {
    let mut stage = asked();
    register(&mut stage, "anna", address(ANNA));
    refuses(&mut stage, address(ANNA), "486 Busy Here");
    assert_eq!(folded(&stage).callbacks.len(), 1);
    let (mut bruno, outside, invite) = called(&mut stage, "bruno", BRUNO);
    outside.answer(&mut stage, &invite, "180 Ringing", "");
    hangs_up(&mut stage, &mut bruno);
    is_cancelled(&mut stage, &outside, &invite);
    assert_eq!(folded(&stage).callbacks.into_values().next().unwrap().attempts, 1);
    let told = told(&stage);
    assert_eq!(told[1..], ["offered anna", "offered bruno", "attempted 1 bruno", "postponed 1 HungUp"]);
    let callback = *folded(&stage).callbacks.keys().next().unwrap();
    ask(&mut stage, Ask::CancelCallback { callback }).unwrap();
    assert_all_is_well(&mut stage);
}

#[test]
fn whoever_has_waited_longer_comes_first_on_the_line_or_not() {
    let mut stage = Stage::with(desk(NUMBER), Past::default());
    register(&mut stage, "anna", address(ANNA));
    ask(&mut stage, Ask::Pause { agent: "anna".to_owned(), reason: "lunch".to_owned() }).unwrap();
    let first = dials(&mut stage, 9);
    stage.wait(seconds(30));
    let mut second = dials(&mut stage, 10);
    stage.wait(seconds(31));
    hung_up_on(&mut stage, &first);
    ask(&mut stage, Ask::Ready { agent: "anna".to_owned() }).unwrap();
    let (_, invite) = Line::called(&mut stage, address(ANNA));
    assert_eq!(header(&invite, "X-Cornetta-Callback"), NUMBER, "asked at 60 s, arrived before the other");
    hangs_up(&mut stage, &mut second);
}

#[test]
fn a_number_waits_once_and_keeps_its_first_place() {
    let mut stage = asked();
    let again = dials(&mut stage, 10);
    hung_up_on(&mut stage, &again);
    assert_eq!(told(&stage), ["requested +390612345678", "requested +390612345678"]);
    let numbers: Vec<u64> = stage
        .kinds()
        .into_iter()
        .filter_map(|kind| match kind {
            FactKind::CallbackRequested(CallbackRequest { callback, .. }) => Some(*callback),
            _ => None,
        })
        .collect();
    assert_eq!(numbers[0], numbers[1]);
    assert_eq!(folded(&stage).callbacks.len(), 1);
}

#[test]
fn numbers_that_nobody_may_call_are_refused() {
    for number in ["$caller", "112", "899123456", "+33145678901", "desk", "anna", "1"] {
        let mut stage = Stage::with(desk(number), Past::default());
        let caller = dials(&mut stage, 9);
        hung_up_on(&mut stage, &caller);
        assert_eq!(stage.call_ends().remove(0).place, "refused", "{number}");
        assert!(told(&stage).is_empty(), "{number}");
    }
}

#[test]
fn an_agent_whom_no_rule_lets_call_the_number_puts_it_off() {
    let mut config = desk(NUMBER);
    config.outbound[0].who = ["bruno".to_owned()].into();
    let mut stage = Stage::with(config, Past::default());
    let caller = dials(&mut stage, 9);
    hung_up_on(&mut stage, &caller);
    register(&mut stage, "anna", address(ANNA));
    let anna = answers(&mut stage, address(ANNA));
    hung_up_on(&mut stage, &anna);
    assert_eq!(told(&stage)[2..], ["attempted 1 anna", "postponed 1 Declined"]);
    assert_eq!(stage.next(address(OUTSIDE)), "nothing");
}

#[test]
fn where_there_is_no_room_for_the_call_the_agent_is_not_asked_and_others_are_served() {
    let mut no_lines = desk(NUMBER);
    let line = engine::Line { channels: Some(0), ..engine::Line::default() };
    no_lines.routing.lines.insert("tim".to_owned(), line);
    let mut no_calls = desk(NUMBER);
    no_calls.calls_max = 1;
    for config in [no_lines, no_calls] {
        let mut stage = Stage::with(config, Past::default());
        register(&mut stage, "anna", address(ANNA));
        ask(&mut stage, Ask::Pause { agent: "anna".to_owned(), reason: "lunch".to_owned() }).unwrap();
        let first = dials(&mut stage, 9);
        stage.wait(seconds(61));
        hung_up_on(&mut stage, &first);
        let mut second = dials(&mut stage, 10);
        ask(&mut stage, Ask::Ready { agent: "anna".to_owned() }).unwrap();
        // Who is on the line has come later, and she does not rest as if she had refused.
        let (anna, invite) = Line::called(&mut stage, address(ANNA));
        assert!(!invite.contains("X-Cornetta-Callback"), "{invite}");
        anna.answer(&mut stage, &invite, "200 OK", &sdp(address(ANNA), SENDRECV));
        stage.expect(address(ANNA), "ACK");
        hangs_up(&mut stage, &mut second);
        hung_up_on(&mut stage, &anna);
        assert_eq!(told(&stage)[1..], ["postponed 0 Capacity"]);
        let now = folded(&stage).callbacks.into_values().next().unwrap();
        assert_eq!((now.attempts, now.pauses_ms), (0, Some(60_000)));
        stage.input(Input::Reload(Box::new(desk(NUMBER))));
        stage.wait(seconds(61));
        let mut anna = answers(&mut stage, address(ANNA));
        let (outside, invite) = Line::called(&mut stage, address(OUTSIDE));
        assert_eq!(told(&stage)[2..], ["offered anna", "attempted 1 anna"]);
        outside.answer(&mut stage, &invite, "180 Ringing", "");
        hangs_up(&mut stage, &mut anna);
        is_cancelled(&mut stage, &outside, &invite);
    }
}

#[test]
fn a_restart_forgets_nobody_and_no_pause() {
    let mut stage = asked();
    let (anna, outside, invite) = called(&mut stage, "anna", ANNA);
    outside.answer(&mut stage, &invite, "486 Busy Here", "");
    hung_up_on(&mut stage, &anna);
    let before = folded(&stage);
    let past = Past { head: Some(before.as_of), callbacks: before.callbacks.clone(), ..Past::default() };
    let mut stage = Stage::with(desk(NUMBER), past);
    assert_eq!(stage.engine.snapshot().callbacks, before.callbacks);
    register(&mut stage, "anna", address(ANNA));
    stage.wait(seconds(590));
    assert_eq!(stage.next(address(ANNA)), "nothing");
    stage.wait(seconds(15));
    let anna = answers(&mut stage, address(ANNA));
    let mut outside = answers(&mut stage, address(OUTSIDE));
    assert_eq!(told(&stage), ["offered anna", "attempted 2 anna", "completed 2 anna"]);
    hangs_up(&mut stage, &mut outside);
    hung_up_on(&mut stage, &anna);
}

#[test]
fn a_client_can_have_it_taken_out_until_the_number_is_being_called() {
    let mut stage = asked();
    let callback = *folded(&stage).callbacks.keys().next().unwrap();
    assert_eq!(ask(&mut stage, Ask::CancelCallback { callback: 999 }), Err(CommandRefused::NotFound));
    register(&mut stage, "anna", address(ANNA));
    let (anna, invite) = Line::called(&mut stage, address(ANNA));
    anna.answer(&mut stage, &invite, "180 Ringing", "");
    ask(&mut stage, Ask::CancelCallback { callback }).unwrap();
    is_cancelled(&mut stage, &anna, &invite);
    assert_eq!(state_of(&stage, "anna"), AgentState::Ready);
    assert_eq!(told(&stage)[1..], ["offered anna", "cancelled crm"]);
    assert_all_is_well(&mut stage);

    let mut stage = asked();
    let (mut anna, outside, invite) = called(&mut stage, "anna", ANNA);
    outside.answer(&mut stage, &invite, "180 Ringing", "");
    assert_eq!(ask(&mut stage, Ask::CancelCallback { callback }), Err(CommandRefused::InvalidState));
    hangs_up(&mut stage, &mut anna);
    is_cancelled(&mut stage, &outside, &invite);
}

/// The same desk without its queue.
fn without_queue() -> Config {
    let mut config = desk(NUMBER);
    config.acd.queues.clear();
    config.acd.agents.iter_mut().for_each(|agent| agent.queues.clear());
    config
}

#[test]
fn a_queue_that_is_taken_out_of_the_configuration_keeps_nobody_waiting() {
    let reload = |stage: &mut Stage| stage.input(Input::Reload(Box::new(without_queue())));
    let is_over = |stage: &Stage, attempts: u32| {
        assert_eq!(told(stage).pop().unwrap(), format!("failed {attempts} QueueRemoved"));
        assert!(folded(stage).callbacks.is_empty());
    };
    let mut waits = asked();
    waits.input(Input::Reload(Box::new(desk(NUMBER))));
    assert_eq!(told(&waits).len(), 1, "the queue is still there");
    reload(&mut waits);
    is_over(&waits, 0);
    assert_all_is_well(&mut waits);

    let mut rings = asked();
    register(&mut rings, "anna", address(ANNA));
    let (anna, invite) = Line::called(&mut rings, address(ANNA));
    anna.answer(&mut rings, &invite, "180 Ringing", "");
    reload(&mut rings);
    is_cancelled(&mut rings, &anna, &invite);
    is_over(&rings, 0);
    assert_all_is_well(&mut rings);

    let mut pauses = asked();
    let (anna, outside, invite) = called(&mut pauses, "anna", ANNA);
    outside.answer(&mut pauses, &invite, "486 Busy Here", "");
    pauses.expect(address(OUTSIDE), "ACK");
    hung_up_on(&mut pauses, &anna);
    reload(&mut pauses);
    is_over(&pauses, 1);
    assert_all_is_well(&mut pauses);

    let mut tried = asked();
    let (anna, outside, invite) = called(&mut tried, "anna", ANNA);
    reload(&mut tried);
    outside.answer(&mut tried, &invite, "486 Busy Here", "");
    tried.expect(address(OUTSIDE), "ACK");
    hung_up_on(&mut tried, &anna);
    assert_eq!(told(&tried).pop().unwrap(), "postponed 1 Busy", "what goes on is not broken off");
    tried.wait(seconds(605));
    is_over(&tried, 1);
    assert_all_is_well(&mut tried);

    let waits = asked();
    let before = folded(&waits);
    let past = Past { head: Some(before.as_of), callbacks: before.callbacks, ..Past::default() };
    let restarted = Stage::with(without_queue(), past);
    assert_eq!(told(&restarted), ["failed 0 QueueRemoved"]);
}

#[test]
fn an_exchange_that_ends_asks_no_agent_and_leaves_everybody_to_the_next() {
    let mut stage = asked();
    stage.input(Input::Drain);
    register(&mut stage, "anna", address(ANNA));
    stage.wait(seconds(60));
    assert_eq!(stage.next(address(ANNA)), "nothing");
    assert_eq!(folded(&stage).callbacks.len(), 1);

    let mut stage = asked();
    let (anna, outside, invite) = called(&mut stage, "anna", ANNA);
    outside.answer(&mut stage, &invite, "180 Ringing", "");
    stage.input(Input::Stop);
    is_cancelled(&mut stage, &outside, &invite);
    hung_up_on(&mut stage, &anna);
    assert_eq!(stage.call_ends().pop().unwrap().cause, Cause::ShuttingDown);
    assert_eq!(folded(&stage).callbacks.len(), 1, "whoever takes over goes on with it");
}
