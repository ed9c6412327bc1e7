//! Another version of a script comes into force while calls are in the one before: they stay in theirs, to its end, and so
//! does whatever they have left in queues.

use crate::support::desk::*;
use crate::support::handing::*;
use crate::support::stage::*;
use engine::{Config, Input, Past, Service};
use facts::{CallbackTry, FactKind};
use ivr::ScriptFiles;
use std::sync::Arc;

const FLOW: &str = r#"
title     = "Version NUMBER"
languages = ["it"]
start     = "ask"
promise   = { keys = 10, within = "30m" }
[ask]
timeout  = "20s"
no_input = { tries = 1, next = "wait" }
[ask.menu]
1 = { say = "choice", next = "chosen" }
[chosen]
hang_up = "chosen_NUMBER"
[wait]
queue          = "helpdesk"
overflow_after = "1m"
on.overflow    = "call_me"
on.nobody      = "call_me"
[call_me]
callback   = "helpdesk"
number     = "+390612345678"
next       = "thanks"
[thanks]
hang_up = "thanks_NUMBER"
"#;

fn script(number: &str) -> Arc<ivr::Script> {
    let phrases = "choice = \"a\"\npress_1 = \"b\"\nno_input = \"c\"\ninvalid_choice = \"d\"\n";
    let files = ScriptFiles {
        name: "desk".to_owned(),
        flow: ("flow.toml".to_owned(), FLOW.replace("NUMBER", number)),
        phrases: vec![("it".to_owned(), "it.toml".to_owned(), phrases.to_owned())],
        sounds: ["it/choice", "it/press_1", "it/no_input", "it/invalid_choice"].into_iter().collect(),
        ..ScriptFiles::default()
    };
    Arc::new(ivr::Script::check(&files).unwrap())
}

fn desk(number: &str) -> Config {
    let mut config = with_trunk();
    config.services.insert("desk".to_owned(), Service::Script { script: script(number), language: None });
    config
}

fn dials(stage: &mut Stage, phone: u8) -> Line {
    let phone = address(phone);
    let mut caller = Line::dial(stage, phone, "desk", &sdp(phone, SENDRECV));
    caller.connect(stage);
    caller
}

/// Where each call has ended so far.
fn places(stage: &Stage) -> Vec<String> {
    stage.call_ends().into_iter().map(|end| end.place).collect()
}

fn reload(stage: &mut Stage, number: &str) {
    stage.input(Input::Reload(Box::new(desk(number))));
}

#[test]
fn a_key_means_what_it_meant_in_the_menu_that_was_heard() {
    let mut stage = Stage::with(desk("1"), Past::default());
    let early = dials(&mut stage, 9);
    assert!(stage.kinds().into_iter().any(entered("ask")), "the menu is heard");
    reload(&mut stage, "2");
    stage.press(1, '1');
    hung_up_on(&mut stage, &early);
    let late = dials(&mut stage, 10);
    stage.press(2, '1');
    hung_up_on(&mut stage, &late);
    assert_eq!(places(&stage), ["chosen_1", "chosen_2"]);
    let versions = stage.kinds().into_iter().filter_map(|kind| match kind {
        FactKind::IvrStarted(told) => Some((told.script.clone(), told.version.clone())),
        _ => None,
    });
    let expected = ["1", "2"].map(|number| ("desk".to_owned(), script(number).version().to_owned()));
    assert_eq!(Vec::from_iter(versions), expected);
    assert_all_is_well(&mut stage);
}

#[test]
fn whoever_waits_goes_the_ways_of_her_version_and_is_called_back_under_the_next() {
    let mut stage = Stage::with(desk("1"), Past::default());
    register(&mut stage, "anna", address(ANNA));
    stage.input(Input::Command {
        id: 1,
        by: "test".to_owned(),
        command: facts::Command::Pause { agent: "anna".to_owned(), reason: "lunch".to_owned() },
    });
    let caller = dials(&mut stage, 9);
    until(&mut stage, "the wait", entered("wait"));
    reload(&mut stage, "2");
    stage.wait(seconds(61));
    hung_up_on(&mut stage, &caller);
    assert_eq!(places(&stage), ["thanks_1"]);
    reload(&mut stage, "3");
    assert_eq!(stage.engine.snapshot().callbacks.len(), 1);
    let command = facts::Command::Ready { agent: "anna".to_owned() };
    stage.input(Input::Command { id: 2, by: "test".to_owned(), command });
    let anna = answers(&mut stage, address(ANNA));
    let mut outside = answers(&mut stage, address(OUTSIDE));
    assert_eq!(
        stage.count(|kind| matches!(kind, FactKind::CallbackCompleted(CallbackTry { attempt: 1, .. }))),
        1
    );
    hangs_up(&mut stage, &mut outside);
    hung_up_on(&mut stage, &anna);
}
