//! The caller's language goes along: to what is said in the queue, to each agent's device, to a callback and to a message.

use crate::support::desk::*;
use crate::support::stage::*;
use engine::{Config, Past, Service};
use facts::{CallbackRequest, FactKind};
use ivr::{ScriptFiles, SoundInventory};
use media_api::{Command, LegId};
use std::sync::Arc;

const FLOW: &str = r#"
title     = "Languages"
languages = ["it", "en"]
start     = "language"
[language]
next = "wait"
[language.menu]
1 = { language = "it" }
2 = { language = "en" }
[wait]
queue          = "helpdesk"
needs          = { language = "it" }
position_every = "30s"
overflow_after = "1m"
on.overflow    = "call_me"
on.nobody      = "leave"
[call_me]
callback   = "helpdesk"
number     = "+390612345678"
next       = "end"
[leave]
message = "helpdesk"
next    = "end"
[end]
hang_up = "end"
"#;

/// Every phrase that the script could say.
fn phrases() -> String {
    let own = ["press_for_language", "no_input", "invalid_choice", "you_are_number", "please_wait"];
    let keys = (0..10).map(|digit| format!("press_{digit}"));
    let numbers =
        (0..10).map(|digit| format!("digit_{digit}")).chain((10..=60).map(|n| format!("number_{n}")));
    let all = own.iter().map(|phrase| (*phrase).to_owned()).chain(keys).chain(numbers);
    all.map(|phrase| format!("{phrase} = \"x\"\n")).collect()
}

fn desk() -> Config {
    let files = ScriptFiles {
        name: "desk".to_owned(),
        flow: ("flow.toml".to_owned(), FLOW.to_owned()),
        phrases: ["it", "en"]
            .map(|language| (language.to_owned(), format!("{language}.toml"), phrases()))
            .into(),
        sounds: SoundInventory::every(),
        ..ScriptFiles::default()
    };
    let script = Arc::new(ivr::Script::check(&files).unwrap());
    let mut config = with_trunk();
    config.services.insert("desk".to_owned(), Service::Script { script, language: None });
    config
}

/// A caller who has chosen English.
fn english(stage: &mut Stage) -> Line {
    let phone = address(9);
    let mut caller = Line::dial(stage, phone, "desk", &sdp(phone, SENDRECV));
    caller.connect(stage);
    stage.press(1, '2');
    caller
}

fn pauses(stage: &mut Stage, agent: &str) {
    let command = facts::Command::Pause { agent: agent.to_owned(), reason: "lunch".to_owned() };
    stage.input(engine::Input::Command { id: 1, by: "test".to_owned(), command });
}

#[test]
fn the_place_in_the_queue_and_every_agent_get_it() {
    let mut stage = Stage::with(desk(), Past::default());
    register(&mut stage, "anna", address(ANNA));
    pauses(&mut stage, "anna");
    let mut caller = english(&mut stage);
    let said = stage.commands.iter().rev().find_map(|command| match command {
        Command::Play { leg: LegId(1), sounds, repeat: false, .. } => Some(sounds[0][0].to_string()),
        _ => None,
    });
    assert_eq!(said.as_deref(), Some("en/you_are_number"));
    let command = facts::Command::Ready { agent: "anna".to_owned() };
    stage.input(engine::Input::Command { id: 2, by: "test".to_owned(), command });
    let (mut anna, invite) = Line::called(&mut stage, address(ANNA));
    assert_eq!(header(&invite, "X-Cornetta-Language"), "en");
    anna.answer(&mut stage, &invite, "200 OK", &sdp(address(ANNA), SENDRECV));
    stage.expect(address(ANNA), "ACK");
    anna.starts_counting();
    register(&mut stage, "bruno", address(BRUNO));
    assert_eq!(anna.refer(&mut stage, "sip:bruno@pbx.example"), "SIP/2.0 202 Accepted");
    let (_, invite) = Line::called(&mut stage, address(BRUNO));
    assert_eq!(header(&invite, "X-Cornetta-Language"), "en");
    hangs_up(&mut stage, &mut caller);
}

#[test]
fn a_callback_and_its_agent_get_it() {
    let mut stage = Stage::with(desk(), Past::default());
    register(&mut stage, "anna", address(ANNA));
    pauses(&mut stage, "anna");
    let caller = english(&mut stage);
    stage.wait(seconds(61));
    hung_up_on(&mut stage, &caller);
    let language = stage.fact(|kind| match kind {
        FactKind::CallbackRequested(CallbackRequest { language, .. }) => Some(language.clone()),
        _ => None,
    });
    assert_eq!(language, "en");
}

#[test]
fn a_message_has_it() {
    let mut stage = Stage::with(desk(), Past::default());
    let mut caller = english(&mut stage);
    let told = stage.fact(|kind| match kind {
        FactKind::RecordingStarted { of, basis, by, language, .. } => {
            Some([of, basis, by, language].map(String::clone))
        }
        _ => None,
    });
    assert_eq!(told, ["message", "helpdesk", "desk", "en"].map(str::to_owned));
    hangs_up(&mut stage, &mut caller);
}
