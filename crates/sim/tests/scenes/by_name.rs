//! A script that puts the caller through to one agent by name: asked as for a call of a queue, and nobody else instead.

use crate::support::desk::*;
use crate::support::handing::*;
use crate::support::stage::*;
use engine::{Input, Past, Service};
use facts::Command as Ask;
use facts::{AgentState, FactKind, OfferEnd};
use ivr::ScriptFiles;
use std::sync::Arc;

const FLOW: &str = r#"
title     = "By name"
languages = ["it"]
start     = "referent"
[referent]
transfer  = "agent:bruno"
ring      = "20s"
on.failed = "why"
[why]
case      = "$transfer_failed"
when      = { paused = "paused", busy = "busy" }
otherwise = "missed"
[paused]
hang_up = "paused"
refusal = true
[busy]
hang_up = "busy"
refusal = true
[missed]
hang_up = "missed"
"#;

/// A desk with bruno, of whom the script `desk` wants nobody else; anna is ready all the time.
fn desk() -> Stage {
    let files = ScriptFiles {
        name: "by_name".to_owned(),
        flow: ("flow.toml".to_owned(), FLOW.to_owned()),
        phrases: vec![("it".to_owned(), "it.toml".to_owned(), String::new())],
        ..ScriptFiles::default()
    };
    let script = Arc::new(ivr::Script::check(&files).unwrap());
    let mut config = with_trunk();
    config.services.insert("desk".to_owned(), Service::Script { script, language: None });
    let mut stage = Stage::with(config, Past::default());
    register(&mut stage, "anna", address(ANNA));
    stage
}

fn staffed() -> Stage {
    let mut stage = desk();
    register(&mut stage, "bruno", address(BRUNO));
    stage
}

fn dials(stage: &mut Stage, phone: u8) -> Line {
    let phone = address(phone);
    let mut caller = Line::dial(stage, phone, "desk", &sdp(phone, SENDRECV));
    caller.connect(stage);
    caller
}

fn why_not(stage: &Stage) -> Vec<String> {
    let told = stage.kinds().into_iter().filter_map(|kind| match kind {
        FactKind::TransferFailed { reason, .. } => Some(reason.clone()),
        _ => None,
    });
    told.collect()
}

/// The caller is let go with this reason of the script, and nothing is left.
fn let_go(stage: &mut Stage, caller: &Line, reason: &str) {
    hung_up_on(stage, caller);
    assert_all_is_well(stage);
    assert_eq!(stage.call_ends().remove(0).place, reason);
    assert_eq!(stage.next(address(ANNA)), "nothing", "nobody else is asked");
}

#[test]
fn the_agent_who_is_wanted_takes_the_call_and_writes_up_afterwards() {
    let mut stage = staffed();
    let caller = dials(&mut stage, 9);
    assert_eq!(state_of(&stage, "bruno"), AgentState::Offered);
    let mut bruno = answers(&mut stage, address(BRUNO));
    assert_eq!(transfers(&stage), ["started bruno", "completed bruno"]);
    assert_eq!(
        stage.count(|kind| matches!(kind, FactKind::OfferAccepted { agent, .. } if agent == "bruno")),
        1
    );
    assert_eq!(state_of(&stage, "bruno"), AgentState::Talking);
    stage.wait(seconds(30));
    hangs_up(&mut stage, &mut bruno);
    hung_up_on(&mut stage, &caller);
    assert_eq!(state_of(&stage, "bruno"), AgentState::Wrapup, "as after a call of their own queue");
    assert_all_is_well(&mut stage);
}

#[test]
fn an_agent_who_refuses_or_lets_it_ring_is_followed_by_the_scripts_way_out() {
    let mut stage = staffed();
    let caller = dials(&mut stage, 9);
    refuses(&mut stage, address(BRUNO), "486 Busy Here");
    assert_eq!(why_not(&stage), ["busy"]);
    let_go(&mut stage, &caller, "busy");

    let mut stage = staffed();
    let caller = dials(&mut stage, 9);
    let (bruno, invite) = Line::called(&mut stage, address(BRUNO));
    bruno.answer(&mut stage, &invite, "180 Ringing", "");
    stage.wait(seconds(20));
    is_cancelled(&mut stage, &bruno, &invite);
    assert_eq!(why_not(&stage), ["no_answer"]);
    let_go(&mut stage, &caller, "missed");
}

#[test]
fn who_cannot_be_asked_is_not_rung_and_the_script_knows_why() {
    let mut stage = desk();
    let caller = dials(&mut stage, 9);
    assert_eq!(why_not(&stage), ["logged_off"]);
    let_go(&mut stage, &caller, "missed");

    let mut stage = staffed();
    let command = Ask::Pause { agent: "bruno".to_owned(), reason: "lunch".to_owned() };
    stage.input(Input::Command { id: 1, by: "crm".to_owned(), command });
    let caller = dials(&mut stage, 9);
    assert_eq!(why_not(&stage), ["paused"]);
    let_go(&mut stage, &caller, "paused");

    let mut stage = staffed();
    let mut first = dials(&mut stage, 9);
    let bruno = answers(&mut stage, address(BRUNO));
    let second = dials(&mut stage, 8);
    assert_eq!(why_not(&stage), ["busy"]);
    hung_up_on(&mut stage, &second);
    hangs_up(&mut stage, &mut first);
    hung_up_on(&mut stage, &bruno);
    assert_all_is_well(&mut stage);
}

#[test]
fn an_agent_whose_device_goes_while_it_rings_is_logged_off_for_the_script() {
    let mut stage = staffed();
    let caller = dials(&mut stage, 9);
    let (bruno, invite) = Line::called(&mut stage, address(BRUNO));
    let gone = ("register-bruno", ";expires=0");
    register_with(&mut stage, "bruno", address(BRUNO), gone, "");
    bruno.answer(&mut stage, &invite, "487 Request Terminated", "");
    assert_eq!(why_not(&stage), ["logged_off"]);
    let_go(&mut stage, &caller, "missed");
}

#[test]
fn a_caller_who_hangs_up_frees_the_agent_who_is_rung() {
    let mut stage = staffed();
    let mut caller = dials(&mut stage, 9);
    let (bruno, invite) = Line::called(&mut stage, address(BRUNO));
    bruno.answer(&mut stage, &invite, "180 Ringing", "");
    hangs_up(&mut stage, &mut caller);
    is_cancelled(&mut stage, &bruno, &invite);
    assert_eq!(state_of(&stage, "bruno"), AgentState::Ready);
    let ended = |kind: &FactKind| matches!(kind, FactKind::OfferEnded { reason: OfferEnd::Withdrawn, .. });
    assert_eq!(stage.count(ended), 1);
    assert_all_is_well(&mut stage);
}
