//! Calls that are handed over: blind and attended, taken, refused, given up midway, by REFER and by command.

use crate::support::desk::*;
use crate::support::handing::*;
use crate::support::stage::*;
use engine::{CommandRefused, Input, Past, Service, Target};
use facts::Command as Ask;
use facts::{AgentState, Cause, FactKind, Side};
use std::collections::BTreeSet;

/// The caller hangs up on whoever is left, and the scene is over.
fn caller_leaves(stage: &mut Stage, caller: &mut Line, left: &Line) {
    hangs_up(stage, caller);
    hung_up_on(stage, left);
    assert_all_is_well(stage);
}

/// The same scene as [`talking`]; anna sends the caller to bruno, who is not called yet.
fn sending_to_bruno() -> (Stage, Line, Line) {
    let (mut stage, caller, mut anna) = talking();
    anna.refer(&mut stage, "sip:bruno@pbx.example");
    anna.told(&mut stage);
    (stage, caller, anna)
}

#[test]
fn a_blind_transfer_to_a_colleague_moves_the_caller_and_frees_the_agent() {
    let (mut stage, mut caller, mut anna) = talking();
    assert_eq!(anna.refer(&mut stage, "sip:bruno@pbx.example"), "SIP/2.0 202 Accepted");
    assert_eq!(anna.told(&mut stage), "SIP/2.0 100 Trying");
    assert_eq!(state_of(&stage, "bruno"), AgentState::Talking, "whoever is rung is asked for nothing else");
    let bruno = answers(&mut stage, address(BRUNO));
    assert_eq!(anna.told(&mut stage), "SIP/2.0 180 Ringing");
    assert_eq!(anna.told(&mut stage), "SIP/2.0 200 OK");
    hung_up_on(&mut stage, &anna);
    assert_eq!(state_of(&stage, "anna"), AgentState::Wrapup);
    stage.wait(seconds(10));
    assert_eq!(
        (state_of(&stage, "anna"), state_of(&stage, "bruno")),
        (AgentState::Ready, AgentState::Talking)
    );
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &bruno);
    assert_eq!(
        state_of(&stage, "bruno"),
        AgentState::Wrapup,
        "a call of the queue is written up by who had it"
    );
    assert_all_is_well(&mut stage);
    assert_eq!(transfers(&stage), ["started bruno", "completed bruno"]);
    assert_eq!(leg_end(&stage, 2).1, Cause::Transferred);
    assert_eq!(stage.call_ends().len(), 1);
    assert_eq!(stage.count(|kind| *kind == FactKind::CallConnected { a: 1, b: 3 }), 1);
}

#[test]
fn a_target_that_is_busy_or_gone_gives_the_call_back_to_whoever_transferred() {
    for (status, told) in
        [("486 Busy Here", "486 Busy Here"), ("603 Decline", "603 Decline"), ("500 Oops", "500")]
    {
        let (mut stage, mut caller, mut anna) = talking();
        anna.refer(&mut stage, "sip:bruno@pbx.example");
        assert_eq!(anna.told(&mut stage), "SIP/2.0 100 Trying");
        refuses(&mut stage, address(BRUNO), status);
        let heard = anna.told(&mut stage);
        assert!(heard.starts_with(&format!("SIP/2.0 {told}")), "{heard}");
        assert_eq!(stage.count(|kind| *kind == FactKind::CallConnected { a: 1, b: 2 }), 2, "together again");
        assert_eq!(
            (state_of(&stage, "anna"), state_of(&stage, "bruno")),
            (AgentState::Talking, AgentState::Ready)
        );
        hangs_up(&mut stage, &mut caller);
        hung_up_on(&mut stage, &anna);
        assert_all_is_well(&mut stage);
        assert_eq!(transfers(&stage), ["started bruno", "failed bruno"]);
    }
}

#[test]
fn a_target_that_does_not_answer_in_a_minute_gives_the_call_back() {
    let (mut stage, mut caller, anna) = sending_to_bruno();
    let (bruno, invite) = Line::called(&mut stage, address(BRUNO));
    bruno.answer(&mut stage, &invite, "180 Ringing", "");
    anna.told(&mut stage);
    stage.wait(seconds(61));
    is_cancelled(&mut stage, &bruno, &invite);
    assert!(anna.told(&mut stage).starts_with("SIP/2.0 480"));
    caller_leaves(&mut stage, &mut caller, &anna);
}

#[test]
fn a_transferor_who_hung_up_is_called_back_when_nobody_takes_the_call() {
    let (mut stage, mut caller, mut anna) = sending_to_bruno();
    hangs_up(&mut stage, &mut anna);
    stage.wait(seconds(3));
    refuses(&mut stage, address(BRUNO), "486 Busy Here");
    let again = answers(&mut stage, address(ANNA));
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &again);
    // The NOTIFY of a session that ended long ago still tells how it went.
    assert_all_is_well(&mut stage);
    assert_eq!(transfers(&stage), ["started bruno", "failed bruno", "started anna", "completed anna"]);
    assert_eq!(leg_end(&stage, 2), (Side::Callee, Cause::Transferred));
}

#[test]
fn a_caller_whom_nobody_takes_and_nobody_takes_back_is_let_go_with_a_reason() {
    let (mut stage, caller, mut anna) = sending_to_bruno();
    hangs_up(&mut stage, &mut anna);
    stage.wait(seconds(3));
    refuses(&mut stage, address(BRUNO), "486 Busy Here");
    refuses(&mut stage, address(ANNA), "486 Busy Here");
    hung_up_on(&mut stage, &caller);
    assert_all_is_well(&mut stage);
    assert_eq!(transfers(&stage), ["started bruno", "failed bruno", "started anna", "failed anna"]);
    assert_eq!(stage.call_ends()[0].cause, Cause::TransferFailed);
}

#[test]
fn a_caller_who_hangs_up_midway_ends_everything() {
    let (mut stage, mut caller, anna) = sending_to_bruno();
    let (bruno, invite) = Line::called(&mut stage, address(BRUNO));
    bruno.answer(&mut stage, &invite, "180 Ringing", "");
    anna.told(&mut stage);
    hangs_up(&mut stage, &mut caller);
    is_cancelled(&mut stage, &bruno, &invite);
    assert_eq!(anna.told(&mut stage), "SIP/2.0 487 Request Terminated");
    hung_up_on(&mut stage, &anna);
    assert_all_is_well(&mut stage);
    assert_eq!(transfers(&stage), ["started bruno", "cancelled bruno"]);
}

#[test]
fn a_blind_transfer_to_a_service_walks_the_caller_into_it() {
    let (mut stage, mut caller, mut anna) = talking();
    assert_eq!(anna.refer(&mut stage, "sip:demo@pbx.example"), "SIP/2.0 202 Accepted");
    assert_eq!(anna.told(&mut stage), "SIP/2.0 100 Trying");
    assert_eq!(anna.told(&mut stage), "SIP/2.0 200 OK");
    hung_up_on(&mut stage, &anna);
    until(&mut stage, "the menu", |kind| matches!(kind, FactKind::IvrPromptStarted { .. }));
    hangs_up(&mut stage, &mut caller);
    assert_all_is_well(&mut stage);
    assert_eq!(transfers(&stage), ["started demo", "completed demo"]);
}

#[test]
fn a_blind_transfer_to_a_number_outside_goes_by_the_trunk_and_no_refer_with_it() {
    let (mut stage, mut caller, mut anna) = talking();
    let outside = puts_through_outside(&mut stage, &mut anna);
    caller_leaves(&mut stage, &mut caller, &outside);
}

#[test]
fn a_number_outside_that_no_rule_opens_is_refused_and_written_down() {
    let (mut stage, mut caller, mut anna) = talking();
    assert_eq!(anna.refer(&mut stage, "sip:+442079460000@pbx.example"), "SIP/2.0 403 Forbidden");
    let refused = stage.facts.iter().any(|fact| {
        matches!(&fact.kind, FactKind::OutboundRefused { who, limit, .. } if who == "anna" && limit == "no_rule")
    });
    assert!(refused, "the refusal is a fact");
    caller_leaves(&mut stage, &mut caller, &anna);
}

#[test]
fn an_unknown_target_is_refused_and_nothing_changes() {
    let (mut stage, mut caller, mut anna) = talking();
    assert_eq!(anna.refer(&mut stage, "sip:nobody@pbx.example"), "SIP/2.0 404 Not Found");
    assert_eq!(
        caller.refer(&mut stage, "sip:bruno@pbx.example"),
        "SIP/2.0 603 Decline",
        "callers do not transfer"
    );
    assert_eq!(transfers(&stage).len(), 0);
    caller_leaves(&mut stage, &mut caller, &anna);
}

#[test]
fn an_agent_calls_a_colleague_and_the_distributor_leaves_both_alone() {
    let mut stage = Stage::with(with_trunk(), Past::default());
    register(&mut stage, "anna", address(ANNA));
    register(&mut stage, "bruno", address(BRUNO));
    let mut anna = Line::dial_as(&mut stage, "anna", address(ANNA), "bruno");
    let bruno = answers(&mut stage, address(BRUNO));
    anna.connect(&mut stage);
    assert_eq!(
        (state_of(&stage, "anna"), state_of(&stage, "bruno")),
        (AgentState::Talking, AgentState::Talking)
    );
    let mut caller = caller_in_queue(&mut stage, address(9), 3);
    stage.wait(seconds(5));
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::OfferMade { .. })), 0);
    hangs_up(&mut stage, &mut anna);
    hung_up_on(&mut stage, &bruno);
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::OfferMade { .. })), 1, "now one of them is free");
    hangs_up(&mut stage, &mut caller);
    assert_all_is_well(&mut stage);
}

#[test]
fn a_colleague_who_is_in_a_call_is_busy() {
    let (mut stage, mut caller, anna) = talking();
    let mut bruno = Line::dial_as(&mut stage, "bruno", address(BRUNO), "anna");
    stage.expect(bruno.phone, "SIP/2.0 486");
    bruno.ack(&mut stage, "");
    caller_leaves(&mut stage, &mut caller, &anna);
}

/// Anna holds the caller and talks with bruno: her two calls and bruno's.
fn consulting() -> (Stage, Line, Line, Line, Line) {
    let (mut stage, caller, mut anna) = talking();
    hold(&mut stage, &mut anna);
    let mut second = Line::dial_as(&mut stage, "anna", address(ANNA), "bruno");
    let bruno = answers(&mut stage, address(BRUNO));
    second.connect(&mut stage);
    stage.wait(seconds(4));
    (stage, caller, anna, second, bruno)
}

#[test]
fn an_attended_transfer_brings_the_two_others_together_under_the_first_call() {
    let (mut stage, mut caller, mut anna, second, bruno) = consulting();
    let to = format!("sip:bruno@10.0.0.1?{}", second.as_replaces());
    assert_eq!(anna.refer(&mut stage, &to), "SIP/2.0 202 Accepted");
    assert_eq!(anna.told(&mut stage), "SIP/2.0 100 Trying");
    assert_eq!(anna.told(&mut stage), "SIP/2.0 200 OK");
    hung_up_on(&mut stage, &anna);
    assert_eq!(state_of(&stage, "anna"), AgentState::Wrapup);
    stage.wait(seconds(6));
    assert_eq!(
        (state_of(&stage, "anna"), state_of(&stage, "bruno")),
        (AgentState::Ready, AgentState::Talking)
    );
    assert_eq!(stage.engine.calls(), 1, "the consultation is over");
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &bruno);
    assert_eq!(state_of(&stage, "bruno"), AgentState::Wrapup);
    assert_all_is_well(&mut stage);
    assert_eq!(transfers(&stage), ["consulting bruno", "started bruno", "completed bruno"]);
    assert_eq!(
        stage.call_ends().iter().map(|end| end.cause).collect::<Vec<_>>(),
        [Cause::Transferred, Cause::HungUp]
    );
}

#[test]
fn a_capture_is_of_a_call_and_of_whoever_comes_into_it() {
    for captured in [0, 1] {
        let (mut stage, mut caller, mut anna, second, bruno) = consulting();
        let calls: BTreeSet<String> = stage.facts.iter().filter_map(|fact| fact.call.clone()).collect();
        let command = Ask::Capture { call: calls.into_iter().nth(captured).unwrap(), capture: 7 };
        stage.input(Input::Command { id: 1, by: "crm".to_owned(), command });
        anna.refer(&mut stage, &format!("sip:bruno@10.0.0.1?{}", second.as_replaces()));
        hung_up_on(&mut stage, &anna);
        let last = stage.commands.iter().rev().find_map(|command| match command {
            media_api::Command::Capture { leg: media_api::LegId(4), capture } => Some(*capture),
            _ => None,
        });
        let expected = if captured == 0 { Some(7) } else { None };
        assert_eq!(last, Some(expected), "bruno's media");
        hangs_up(&mut stage, &mut caller);
        hung_up_on(&mut stage, &bruno);
        assert_all_is_well(&mut stage);
    }
}

#[test]
fn an_attended_transfer_asked_for_in_the_second_call_ends_the_same() {
    let (mut stage, mut caller, anna, mut second, bruno) = consulting();
    let to = format!("sip:anna@10.0.0.1?{}", anna.as_replaces());
    assert_eq!(second.refer(&mut stage, &to), "SIP/2.0 202 Accepted");
    stage.wait(seconds(6));
    assert_eq!(stage.engine.calls(), 1);
    assert_eq!(
        stage.count(|kind| *kind == FactKind::CallConnected { a: 1, b: 3 }),
        1,
        "in the caller's call"
    );
    caller_leaves(&mut stage, &mut caller, &bruno);
}

#[test]
fn a_consultation_that_ends_leaves_the_caller_with_the_agent() {
    let (mut stage, mut caller, anna, mut second, bruno) = consulting();
    hangs_up(&mut stage, &mut second);
    hung_up_on(&mut stage, &bruno);
    stage.wait(seconds(1));
    assert_eq!(transfers(&stage), ["consulting bruno", "cancelled bruno"]);
    assert_eq!(
        (state_of(&stage, "anna"), state_of(&stage, "bruno")),
        (AgentState::Talking, AgentState::Ready)
    );
    caller_leaves(&mut stage, &mut caller, &anna);
}

#[test]
fn an_attended_transfer_before_the_colleague_answers_rings_them_for_the_caller() {
    let (mut stage, mut caller, mut anna) = talking();
    hold(&mut stage, &mut anna);
    let second = Line::dial_as(&mut stage, "anna", address(ANNA), "bruno");
    let (bruno, invite) = Line::called(&mut stage, address(BRUNO));
    bruno.answer(&mut stage, &invite, "180 Ringing", "");
    let ringing = stage.expect(address(ANNA), "SIP/2.0 180");
    let mut second = second;
    second.follows(&ringing);
    let to = format!("sip:bruno@10.0.0.1?{}", second.as_replaces());
    assert_eq!(anna.refer(&mut stage, &to), "SIP/2.0 202 Accepted");
    takes_cancel(&mut stage, &bruno, &invite);
    let bruno = answers(&mut stage, address(BRUNO));
    stage.wait(seconds(2));
    caller_leaves(&mut stage, &mut caller, &bruno);
    assert_eq!(transfers(&stage), ["consulting bruno", "started bruno", "completed bruno"]);
}

#[test]
fn a_number_outside_that_rings_already_is_not_asked_for_again() {
    let mut config = with_trunk();
    config.outbound[0].calls_per_hour = Some(1);
    let mut stage = Stage::with(config, Past::default());
    register(&mut stage, "anna", address(ANNA));
    let mut caller = caller_in_queue(&mut stage, address(9), 1);
    let mut anna = agent_answers(&mut stage, address(ANNA));
    hold(&mut stage, &mut anna);
    let mut second = Line::dial_as(&mut stage, "anna", address(ANNA), "0612345678");
    let (outside, invite) = Line::called(&mut stage, address(OUTSIDE));
    outside.answer(&mut stage, &invite, "180 Ringing", "");
    second.follows(&stage.expect(address(ANNA), "SIP/2.0 180"));
    let to = format!("sip:0612345678@10.0.0.1?{}", second.as_replaces());
    assert_eq!(anna.refer(&mut stage, &to), "SIP/2.0 202 Accepted");
    takes_cancel(&mut stage, &outside, &invite);
    let outside = answers(&mut stage, address(OUTSIDE));
    stage.wait(seconds(2));
    caller_leaves(&mut stage, &mut caller, &outside);
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::OutboundRefused { .. })), 0);
}

#[test]
fn nobody_transfers_into_the_call_of_somebody_else() {
    let (mut stage, mut caller, mut anna) = talking();
    let mut other = Line::dial(&mut stage, address(8), "sig", &sdp(address(8), SENDRECV));
    other.connect(&mut stage);
    let to = format!("sip:x@10.0.0.1?{}", other.as_replaces());
    assert_eq!(anna.refer(&mut stage, &to), "SIP/2.0 403 Forbidden");
    let gone = "sip:x@10.0.0.1?Replaces=gone%3Bto-tag%3Da%3Bfrom-tag%3Db";
    assert_eq!(anna.refer(&mut stage, gone), "SIP/2.0 404 Not Found");
    hangs_up(&mut stage, &mut other);
    caller_leaves(&mut stage, &mut caller, &anna);
}

#[test]
fn an_agent_who_called_outside_hands_that_party_to_a_colleague() {
    let mut stage = Stage::with(with_trunk(), Past::default());
    register(&mut stage, "anna", address(ANNA));
    register(&mut stage, "bruno", address(BRUNO));
    let mut anna = Line::dial_as(&mut stage, "anna", address(ANNA), "0612345678");
    let mut outside = answers(&mut stage, address(OUTSIDE));
    anna.connect(&mut stage);
    assert_eq!(anna.refer(&mut stage, "sip:bruno@pbx.example"), "SIP/2.0 202 Accepted");
    anna.told(&mut stage);
    let bruno = answers(&mut stage, address(BRUNO));
    anna.told(&mut stage);
    anna.told(&mut stage);
    hung_up_on(&mut stage, &anna);
    stage.wait(seconds(5));
    assert_eq!(stage.count(|kind| *kind == FactKind::CallConnected { a: 2, b: 3 }), 1);
    hangs_up(&mut stage, &mut outside);
    hung_up_on(&mut stage, &bruno);
    assert_all_is_well(&mut stage);
}

/// An agent dials this number by a trunk that shows us so: how From, Diversion and P-Asserted-Identity look there.
fn called_outside_as(presentation: engine::Presentation) -> [Option<String>; 3] {
    let mut config = with_trunk();
    config.numbering.shown.insert("tim".into(), presentation);
    let mut stage = Stage::with(config, Past::default());
    register(&mut stage, "anna", address(ANNA));
    let mut anna = Line::dial_as(&mut stage, "anna", address(ANNA), "0612345678");
    let (outside, invite) = Line::called(&mut stage, address(OUTSIDE));
    outside.answer(&mut stage, &invite, "486 Busy Here", "");
    stage.expect(anna.phone, "SIP/2.0 486");
    anna.ack(&mut stage, "");
    let field = |name: &str| {
        let value = invite.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        value.map(|value| value.split(['@', ';']).next().unwrap_or("").to_owned())
    };
    ["From", "Diversion", "P-Asserted-Identity"].map(field)
}

#[test]
fn an_agent_who_calls_outside_is_never_shown_as_the_number_they_call() {
    let seen = called_outside_as(engine::Presentation { asserts: true, ..Default::default() });
    assert_eq!(seen, [Some("<sip:anonymous".to_owned()), None, None]);
}

#[test]
fn an_agent_who_calls_outside_is_shown_as_the_body_and_as_nobody_s_diversion() {
    for forwards in [engine::Forwards::Own, engine::Forwards::Diversion, engine::Forwards::History] {
        let ours = numbers::Rules::of(numbers::Country::ITALY).normal("800100100");
        let presentation = engine::Presentation { numbers: vec![ours], forwards, ..Default::default() };
        let [from, diversion, _] = called_outside_as(presentation);
        assert_eq!((from.as_deref(), diversion), (Some("<sip:+39800100100"), None), "{forwards:?}");
    }
}

#[test]
fn a_caller_who_has_no_number_is_not_shown_by_name_when_put_through() {
    let mut config = with_trunk();
    let tim = Target::Trunk { trunk: "tim".into(), number: "+390612345678".into() };
    config.services.insert("+39800100100".into(), Service::Dial(tim));
    let presentation = engine::Presentation { forwards: engine::Forwards::Diversion, ..Default::default() };
    config.numbering.shown.insert("tim".into(), presentation);
    let mut stage = Stage::with(config, Past::default());
    let phone = address(9);
    let mut caller = Line::dial(&mut stage, phone, "800100100", &sdp(phone, SENDRECV));
    let (outside, invite) = Line::called(&mut stage, address(OUTSIDE));
    assert!(header(&invite, "From").starts_with("<sip:anonymous@"), "{invite}");
    assert!(header(&invite, "Diversion").starts_with("<sip:+39800100100@"), "{invite}");
    outside.answer(&mut stage, &invite, "486 Busy Here", "");
    stage.expect(phone, "SIP/2.0 486");
    caller.ack(&mut stage, "");
}

#[test]
fn an_operator_transfers_only_where_the_trunk_may() {
    for allowed in [false, true] {
        let mut config = config();
        config.sip.trunks.push(trunk("tim", OUTSIDE));
        if allowed {
            config.referring_trunks.insert("tim".into());
        }
        let mut stage = Stage::with(config, Past::default());
        register(&mut stage, "anna", address(ANNA));
        let mut caller = caller_in_queue(&mut stage, address(OUTSIDE), 1);
        let anna = agent_answers(&mut stage, address(ANNA));
        register(&mut stage, "bruno", address(BRUNO));
        let answer = caller.refer(&mut stage, "sip:bruno@pbx.example");
        if !allowed {
            assert_eq!(answer, "SIP/2.0 603 Decline");
            hangs_up(&mut stage, &mut caller);
            hung_up_on(&mut stage, &anna);
        } else {
            assert_eq!(answer, "SIP/2.0 202 Accepted");
            caller.told(&mut stage);
            let mut bruno = answers(&mut stage, address(BRUNO));
            caller.told(&mut stage);
            caller.told(&mut stage);
            hung_up_on(&mut stage, &caller);
            hangs_up(&mut stage, &mut bruno);
            hung_up_on(&mut stage, &anna);
        }
        assert_all_is_well(&mut stage);
    }
}

#[test]
fn an_operator_s_transfer_is_read_and_allowed_as_of_its_trunk_even_if_an_agent_is_called_the_same() {
    let mut config = with_trunk();
    config.sip.accounts.push(sip::ua::Account { user: "tim".into(), password: "pw".into() });
    config.referring_trunks.insert("tim".into());
    let italy = numbers::Rules::of(numbers::Country::ITALY);
    config.numbering.trunks.insert("tim".into(), numbers::Rules { area: Some("06".into()), ..italy });
    let mut stage = Stage::with(config, Past::default());
    register(&mut stage, "anna", address(ANNA));
    let mut caller = caller_in_queue(&mut stage, address(OUTSIDE), 1);
    let anna = agent_answers(&mut stage, address(ANNA));
    // The rule is for every agent, and no trunk.
    assert_eq!(caller.refer(&mut stage, "sip:12345678@pbx.example"), "SIP/2.0 403 Forbidden");
    let refused = stage.fact(|kind| match kind {
        FactKind::OutboundRefused { who, to, .. } => Some((who.clone(), to.clone())),
        _ => None,
    });
    assert_eq!(refused, ("tim".to_owned(), "+390612345678".to_owned()));
    caller_leaves(&mut stage, &mut caller, &anna);
}

#[test]
fn a_command_transfers_as_a_refer_does() {
    let (mut stage, mut caller, anna) = talking();
    let call = stage.facts.iter().find_map(|fact| fact.call.clone()).unwrap();
    let transfer = |to: &str, call: &str| Ask::Transfer { call: call.to_owned(), to: to.to_owned() };
    for (id, command) in
        [(1, transfer("nobody", &call)), (2, transfer("bruno", "none")), (3, transfer("bruno", &call))]
    {
        stage.input(Input::Command { id, by: "crm".to_owned(), command });
    }
    // A transfer is under way.
    stage.input(Input::Command { id: 4, by: "crm".to_owned(), command: transfer("bruno", &call) });
    let results: Vec<_> = stage.replies.iter().map(|(_, result)| result.err()).collect();
    let refused = |why| Some(why);
    assert_eq!(
        results,
        [
            refused(CommandRefused::NotFound),
            refused(CommandRefused::NotFound),
            None,
            refused(CommandRefused::InvalidState)
        ]
    );
    let bruno = answers(&mut stage, address(BRUNO));
    hung_up_on(&mut stage, &anna);
    caller_leaves(&mut stage, &mut caller, &bruno);
    assert_eq!(transfers(&stage), ["started bruno", "completed bruno"]);
}

#[test]
fn a_call_that_a_command_ends_says_who_asked() {
    let (mut stage, caller, anna) = talking();
    let call = stage.facts.iter().find_map(|fact| fact.call.clone()).unwrap();
    stage.input(Input::Command { id: 1, by: "crm".to_owned(), command: Ask::HangUp { call } });
    hung_up_on(&mut stage, &caller);
    hung_up_on(&mut stage, &anna);
    assert_all_is_well(&mut stage);
    let end = &stage.call_ends()[0];
    assert_eq!((end.by, end.cause, end.detail.as_str()), (Side::Service, Cause::HungUp, "asked for by crm"));
}

#[test]
fn another_device_of_the_agent_takes_the_call_over() {
    let (mut stage, mut caller, anna) = talking();
    let name = anna.in_replaces();
    let mut second = Line::dial_with(&mut stage, "anna", address(52), "anna", &name);
    second.connect(&mut stage);
    hung_up_on(&mut stage, &anna);
    stage.wait(seconds(5));
    assert_eq!(stage.engine.calls(), 1, "it is the same call");
    assert_eq!(stage.count(|kind| *kind == FactKind::CallConnected { a: 1, b: 3 }), 1);
    assert_eq!(state_of(&stage, "anna"), AgentState::Talking);
    caller_leaves(&mut stage, &mut caller, &second);
}

#[test]
fn a_device_for_which_there_are_no_ports_leaves_its_place_to_the_next() {
    let (mut stage, mut caller, anna) = talking();
    let name = anna.in_replaces();
    stage.no_ports = true;
    let mut second = Line::dial_with(&mut stage, "anna", address(52), "anna", &name);
    stage.expect(second.phone, "SIP/2.0 480");
    second.ack(&mut stage, "");
    stage.no_ports = false;
    let mut third = Line::dial_with(&mut stage, "anna", address(53), "anna", &name);
    third.connect(&mut stage);
    hung_up_on(&mut stage, &anna);
    caller_leaves(&mut stage, &mut caller, &third);
}

#[test]
fn nobody_takes_the_place_of_somebody_else() {
    let (mut stage, mut caller, anna) = talking();
    let name = anna.in_replaces();
    let mut bruno = Line::dial_with(&mut stage, "bruno", address(BRUNO), "anna", &name);
    stage.expect(bruno.phone, "SIP/2.0 403");
    bruno.ack(&mut stage, "");
    caller_leaves(&mut stage, &mut caller, &anna);
}

#[test]
fn a_text_for_a_colleague_is_handed_on_and_leaves_a_fact_without_its_words() {
    let mut stage = Stage::with(with_trunk(), Past::default());
    register(&mut stage, "anna", address(ANNA));
    register(&mut stage, "bruno", address(BRUNO));
    Line::writes(&mut stage, "anna", address(ANNA), "bruno", "ciao");
    let text = stage.expect(address(BRUNO), "MESSAGE sip:bruno@10.0.0.51:5060");
    assert!(text.ends_with("ciao"), "{text}");
    let line = Line::writes(&mut stage, "bruno", address(BRUNO), "nobody", "ciao");
    stage.expect(line.phone, "SIP/2.0 404");
    line.answer(&mut stage, &text, "200 OK", "");
    stage.expect(address(ANNA), "SIP/2.0 200");
    let sent = |to: &str, sip| FactKind::TextSent { from: "anna".into(), to: to.into(), bytes: 4, sip };
    assert_eq!(stage.count(|kind| *kind == sent("bruno", 200)), 1);
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::TextSent { sip: 404, .. })), 1);
    stage.assert_all_is_over();
}
