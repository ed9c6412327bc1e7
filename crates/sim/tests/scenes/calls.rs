//! Small scenes: one caller, two agents, a party outside, and an engine in virtual time.

use crate::support::desk::seconds;
use crate::support::stage::*;
use base::Wall;
use engine::{CommandRefused, Input, Past};
use facts::Command as Ask;
use facts::{Cause, FactKind, LegRole, OfferEnd, QueueLeft, Side};
use media_api::{Command, Event, Evidence, LegId};
use std::collections::BTreeMap;
use std::time::Duration;

fn bridged(stage: &Stage) -> Vec<(LegId, LegId)> {
    let pairs = stage.commands.iter().filter_map(|command| match command {
        Command::Bridge { a, b } => Some((*a, *b)),
        _ => None,
    });
    pairs.collect()
}

/// The leg that hears music that began last.
fn music(stage: &Stage) -> Option<LegId> {
    stage.commands.iter().rev().find_map(|command| match command {
        Command::Play { leg, sounds, repeat: true, .. } if &*sounds[0][0] == "moh/calm" => Some(*leg),
        _ => None,
    })
}

fn leg_ends(stage: &Stage) -> usize {
    stage.count(|kind| matches!(kind, FactKind::LegEnded { .. }))
}

fn offers(stage: &Stage) -> Vec<String> {
    let made = stage.facts.iter().filter_map(|fact| match &fact.kind {
        FactKind::OfferMade { agent, .. } => Some(agent.clone()),
        _ => None,
    });
    made.collect()
}

fn offer_ends(stage: &Stage) -> Vec<OfferEnd> {
    let ends = stage.facts.iter().filter_map(|fact| match &fact.kind {
        FactKind::OfferEnded { reason, .. } => Some(*reason),
        _ => None,
    });
    ends.collect()
}

/// A caller talks with anna.
fn talking() -> (Stage, Line, Line) {
    let mut stage = Stage::new();
    register(&mut stage, "anna", address(50));
    let caller = caller_in_queue(&mut stage, address(9), 1);
    let agent = agent_answers(&mut stage, address(50));
    (stage, caller, agent)
}

#[test]
fn a_caller_is_greeted_walks_the_menu_waits_and_gets_the_right_agent() {
    let (mut stage, mut caller, _agent) = talking();
    let first = stage.commands.iter().find_map(|command| match command {
        Command::Play { sounds, .. } => Some(sounds[0][0].to_string()),
        _ => None,
    });
    assert_eq!(first.as_deref(), Some("it/welcome"));
    let wanted = stage.fact(|kind| match kind {
        FactKind::QueueEntered { queue, language, position, .. } => {
            Some((queue.clone(), language.clone(), *position))
        }
        _ => None,
    });
    assert_eq!(wanted, ("helpdesk".to_owned(), "it".to_owned(), 1));
    assert_eq!(offers(&stage), ["anna"]);
    assert_eq!(stage.count(|kind| *kind == FactKind::CallConnected { a: 1, b: 2 }), 1);
    assert_eq!(bridged(&stage), [(LegId(1), LegId(2))], "both hear each other");
    stage.wait(seconds(10));
    caller.request(&mut stage, "BYE", "");
    stage.expect(caller.phone, "SIP/2.0 200");
    let bye = stage.expect(address(50), "BYE");
    _agent.answer(&mut stage, &bye, "200 OK", "");
    stage.assert_all_is_over();
    let ends = stage.call_ends();
    assert_eq!(ends.len(), 1);
    assert_eq!(
        (ends[0].by, ends[0].cause, ends[0].place.as_str()),
        (Side::Caller, Cause::HungUp, "with:anna")
    );
    assert_eq!(leg_ends(&stage), 2);
}

#[test]
fn a_bye_of_the_agent_ends_both_legs() {
    let (mut stage, caller, mut agent) = talking();
    agent.request(&mut stage, "BYE", "");
    stage.expect(agent.phone, "SIP/2.0 200");
    let bye = stage.expect(caller.phone, "BYE");
    caller.answer(&mut stage, &bye, "200 OK", "");
    stage.assert_all_is_over();
    let end = stage.call_ends().remove(0);
    assert_eq!((end.by, end.cause), (Side::Callee, Cause::HungUp));
    assert_eq!(leg_ends(&stage), 2);
}

#[test]
fn a_bye_in_the_menu_ends_the_call_where_it_was() {
    let mut stage = Stage::new();
    let mut caller = Line::dial(&mut stage, address(9), "demo", &sdp(address(9), SENDRECV));
    caller.connect(&mut stage);
    stage.wait(Duration::from_millis(500));
    caller.request(&mut stage, "BYE", "");
    stage.expect(caller.phone, "SIP/2.0 200");
    stage.assert_all_is_over();
    let end = stage.call_ends().remove(0);
    assert_eq!((end.by, end.cause, end.place.as_str()), (Side::Caller, Cause::HungUp, "ivr:greeting"));
}

#[test]
fn a_caller_who_tires_of_waiting_takes_the_ringing_agent_with_them() {
    let mut stage = Stage::new();
    register(&mut stage, "anna", address(50));
    let mut caller = caller_in_queue(&mut stage, address(9), 1);
    let (agent, invite) = Line::called(&mut stage, address(50));
    agent.answer(&mut stage, &invite, "180 Ringing", "");
    caller.request(&mut stage, "BYE", "");
    let cancel = stage.expect(address(50), "CANCEL");
    agent.answer(&mut stage, &cancel, "200 OK", "");
    agent.answer(&mut stage, &invite, "487 Request Terminated", "");
    stage.expect(address(50), "ACK");
    stage.assert_all_is_over();
    assert_eq!(offer_ends(&stage), [OfferEnd::Withdrawn]);
    let left = stage.fact(|kind| match kind {
        FactKind::QueueLeft { reason, .. } => Some(*reason),
        _ => None,
    });
    assert_eq!(left, QueueLeft::Abandoned);
}

#[test]
fn a_cancel_before_the_answer_ends_the_call_with_487() {
    let mut stage = Stage::new();
    let caller = Line::dial(&mut stage, address(9), "bridge", &sdp(address(9), SENDRECV));
    caller.cancel(&mut stage);
    stage.expect(caller.phone, "SIP/2.0 487");
    stage.assert_all_is_over();
    let end = stage.call_ends().remove(0);
    assert_eq!((end.by, end.cause, end.sip), (Side::Caller, Cause::Cancelled, Some(487)));
}

#[test]
fn hold_both_ways_gives_music_to_the_other() {
    let (mut stage, mut caller, mut agent) = talking();
    agent.request(&mut stage, "INVITE", &sdp(address(50), "sendonly"));
    stage.expect(agent.phone, "SIP/2.0 200");
    agent.ack(&mut stage, "");
    assert_eq!(music(&stage), Some(LegId(1)), "the caller hears music while the agent holds");
    agent.request(&mut stage, "INVITE", &sdp(address(50), SENDRECV));
    stage.expect(agent.phone, "SIP/2.0 200");
    agent.ack(&mut stage, "");
    caller.request(&mut stage, "INVITE", &sdp(address(9), "inactive"));
    stage.expect(caller.phone, "SIP/2.0 200");
    caller.ack(&mut stage, "");
    assert_eq!(music(&stage), Some(LegId(2)), "the agent hears music while the caller holds");
    caller.request(&mut stage, "INVITE", &sdp(address(9), SENDRECV));
    stage.expect(caller.phone, "SIP/2.0 200");
    caller.ack(&mut stage, "");
    assert_eq!(bridged(&stage).len(), 3, "together, and again after each hold");
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::LegHeld { .. })), 2);
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::LegResumed { .. })), 2);
}

#[test]
fn an_unknown_number_is_refused_with_404_and_leaves_a_record() {
    let mut stage = Stage::new();
    let mut caller = Line::dial(&mut stage, address(9), "nobody", &sdp(address(9), SENDRECV));
    stage.expect(caller.phone, "SIP/2.0 404");
    caller.ack(&mut stage, "");
    stage.assert_all_is_over();
    let end = stage.call_ends().remove(0);
    assert_eq!((end.by, end.cause, end.sip), (Side::Engine, Cause::NotFound, Some(404)));
}

#[test]
fn an_offer_that_nobody_answers_goes_to_the_next_agent() {
    let mut stage = Stage::new();
    register(&mut stage, "anna", address(50));
    register(&mut stage, "bruno", address(51));
    let _caller = caller_in_queue(&mut stage, address(9), 1);
    let first = offers(&stage).remove(0);
    let (first_phone, next_phone, next) = if first == "anna" {
        (address(50), address(51), "bruno")
    } else {
        (address(51), address(50), "anna")
    };
    let (agent, invite) = Line::called(&mut stage, first_phone);
    agent.answer(&mut stage, &invite, "180 Ringing", "");
    stage.wait(seconds(16));
    stage.expect(first_phone, "CANCEL");
    assert_eq!(offer_ends(&stage), [OfferEnd::Expired]);
    agent_answers(&mut stage, next_phone);
    assert_eq!(offers(&stage), [first.as_str(), next]);
    assert_eq!(bridged(&stage).len(), 1);
}

/// The desk with two agents more, carla and dora.
fn four_agents() -> engine::Config {
    let mut config = config();
    for name in ["carla", "dora"] {
        config.sip.accounts.push(sip::ua::Account { user: name.to_owned(), password: "pw".to_owned() });
        let agent = acd::Agent { name: name.to_owned(), ..config.acd.agents[0].clone() };
        config.acd.agents.push(agent);
    }
    config
}

/// The offers' beginnings and ends from this fact on, in order: what, and of whose call.
fn offered_since(stage: &Stage, from: usize) -> Vec<(&'static str, String)> {
    let told = stage.facts[from..].iter().filter_map(|fact| {
        let what = match &fact.kind {
            FactKind::OfferMade { .. } => "made",
            FactKind::OfferEnded { .. } => "ended",
            _ => return None,
        };
        Some((what, fact.call.clone()?))
    });
    told.collect()
}

#[test]
fn a_stream_that_breaks_under_two_offers_ends_the_second_after_what_the_first_one_led_to() {
    let mut stage = Stage::with(four_agents(), Past::default());
    register(&mut stage, "anna", address(50));
    let _first = caller_in_queue(&mut stage, address(8), 1);
    let _second = caller_in_queue(&mut stage, address(9), 3);
    register(&mut stage, "bruno", by_stream(51));
    register(&mut stage, "dora", by_stream(51));
    let (anna, invite) = Line::called(&mut stage, address(50));
    anna.answer(&mut stage, &invite, "486 Busy Here", "");
    register(&mut stage, "carla", address(52));
    let before = stage.facts.len();
    stage.input(Input::FlowFailed { flow: flow(by_stream(51)) });
    let calls: Vec<String> = stage.engine.snapshot().calls.into_keys().collect();
    let (first, second) = (calls[0].clone(), calls[1].clone());
    let expected = [("ended", second.clone()), ("made", second), ("ended", first)];
    assert_eq!(
        offered_since(&stage, before),
        expected,
        "the second was offered while another asked for the first"
    );
}

/// Two calls wait for two agents who have both just refused one; the names of the calls in the log, the first first.
fn both_rest(stage: &mut Stage) -> (String, String) {
    for (caller, leg, agent, phone) in [(8, 1, "anna", 50), (9, 3, "bruno", 51)] {
        if leg == 1 {
            register_with(stage, agent, address(phone), ("register-anna", ";expires=60"), "");
        }
        caller_in_queue(stage, address(caller), leg);
        if leg == 3 {
            register(stage, agent, address(phone));
        }
    }
    for phone in [50, 51] {
        let (agent, invite) = Line::called(stage, address(phone));
        agent.answer(stage, &invite, "486 Busy Here", "");
    }
    let calls: Vec<String> = stage.engine.snapshot().calls.into_keys().collect();
    (calls[0].clone(), calls[1].clone())
}

#[test]
fn a_device_that_is_gone_by_the_time_its_agent_has_rested_is_offered_nothing() {
    let mut stage = Stage::new();
    let (first, _) = both_rest(&mut stage);
    let before = stage.facts.len();
    stage.oversleep(seconds(70));
    assert_eq!(offered_since(&stage, before), [("made", first)]);
    assert_eq!(offers(&stage).last().map(String::as_str), Some("bruno"));
}

#[test]
fn offers_that_fail_at_once_end_after_all_that_were_decided_with_them() {
    let mut config = config();
    config.sip.limits.sessions = 4;
    let mut stage = Stage::with(config, Past::default());
    let (first, second) = both_rest(&mut stage);
    for phone in [20, 21] {
        Line::dial(&mut stage, address(phone), "echo", &sdp(address(phone), SENDRECV)).connect(&mut stage);
    }
    let before = stage.facts.len();
    stage.oversleep(seconds(20));
    let expected = [("made", first.clone()), ("made", second.clone()), ("ended", first), ("ended", second)];
    assert_eq!(offered_since(&stage, before), expected);
}

#[test]
fn a_call_for_which_all_agents_are_paused_overflows() {
    let mut stage = Stage::new();
    register(&mut stage, "anna", address(50));
    let pause = Ask::Pause { agent: "anna".to_owned(), reason: "lunch".to_owned() };
    stage.input(Input::Command { id: 1, by: "crm".to_owned(), command: pause });
    let _caller = caller_in_queue(&mut stage, address(9), 1);
    stage.wait(seconds(5 * 60 + 1));
    assert_eq!(offers(&stage), [""; 0]);
    let waited = stage.fact(|kind| match kind {
        FactKind::QueueOverflowed { queue, waited_ms } => Some((queue.clone(), *waited_ms)),
        _ => None,
    });
    assert_eq!(waited, ("helpdesk".to_owned(), 300_000));
}

#[test]
fn a_drained_engine_refuses_with_503_and_lets_its_calls_go_on() {
    let (mut stage, caller, mut agent) = talking();
    stage.input(Input::Drain);
    let mut late = Line::dial(&mut stage, address(8), "demo", &sdp(address(8), SENDRECV));
    stage.expect(late.phone, "SIP/2.0 503");
    late.ack(&mut stage, "");
    assert_eq!(stage.engine.calls(), 1);
    agent.request(&mut stage, "BYE", "");
    let bye = stage.expect(caller.phone, "BYE");
    caller.answer(&mut stage, &bye, "200 OK", "");
    stage.assert_all_is_over();
    assert_eq!(stage.call_ends().first().map(|end| end.cause), Some(Cause::ShuttingDown));
}

#[test]
fn a_restart_ends_the_calls_that_the_last_process_left_open_before_all_else() {
    let broken = facts::OpenCall {
        call: "stage-OLD".to_owned(),
        body: None,
        callseq: 7,
        legs: vec![1, 3],
        interpreter: Some(("fr".to_owned(), Wall::from_unix_micros(0))),
        ..facts::OpenCall::default()
    };
    let past = Past {
        head: Some(40),
        broken: vec![broken],
        paused: vec![("anna".into(), "lunch".into())],
        bans: vec![],
        emergencies: vec![],
        charges: vec![],
        callbacks: Default::default(),
        memories: vec![],
    };
    let mut stage = Stage::with(config(), past);
    let told: Vec<_> = stage.facts.iter().map(|fact| (fact.number, fact.callseq)).collect();
    assert_eq!(told, [(41, 0), (42, 0), (43, 8), (44, 9), (45, 10), (46, 11)]);
    assert!(matches!(&stage.facts[2].kind, FactKind::InterpreterMissed(miss) if miss.language == "fr"));
    assert_eq!(stage.call_ends()[0].cause, Cause::EngineRestarted);
    register(&mut stage, "anna", address(50));
    let state = stage.facts.iter().rev().find_map(|fact| match &fact.kind {
        FactKind::AgentState { state, reason, .. } => Some((*state, reason.clone())),
        _ => None,
    });
    assert_eq!(state, Some((facts::AgentState::Paused, Some("lunch".to_owned()))));
}

#[test]
fn commands_are_answered_with_the_number_of_the_fact_that_they_caused() {
    let (mut stage, _caller, _agent) = talking();
    let call = stage.facts.iter().find_map(|fact| fact.call.clone()).unwrap();
    let ask =
        |stage: &mut Stage, id, command| stage.input(Input::Command { id, by: "crm".to_owned(), command });
    ask(&mut stage, 1, Ask::Pause { agent: "nobody".into(), reason: String::new() });
    ask(&mut stage, 2, Ask::Ready { agent: "bruno".into() });
    ask(&mut stage, 3, Ask::HangUp { call: "stage-none".into() });
    let before = stage.facts.len() as u64;
    ask(&mut stage, 4, Ask::HangUp { call });
    let refused =
        [(1, CommandRefused::NotFound), (2, CommandRefused::InvalidState), (3, CommandRefused::NotFound)];
    assert_eq!(stage.replies[..3], refused.map(|(id, why)| (id, Err(why))));
    let last = stage.facts.last().unwrap().number;
    let (id, number) = stage.replies[3];
    let number = number.unwrap();
    assert_eq!(id, 4);
    assert!(before < number && number <= last, "{before} {number} {last}");
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::LegEnded { .. })), 2);
}

/// Which legs' packets are copied for which capture, as media was told last.
fn captured(stage: &Stage) -> BTreeMap<LegId, u64> {
    let mut captured = BTreeMap::new();
    for command in &stage.commands {
        match command {
            Command::Capture { leg, capture: Some(capture) } => drop(captured.insert(*leg, *capture)),
            Command::Capture { leg, capture: None } | Command::Close { leg } => drop(captured.remove(leg)),
            _ => {}
        }
    }
    captured
}

#[test]
fn a_capture_is_of_every_leg_of_its_call_and_of_no_other() {
    let (mut stage, _caller, _agent) = talking();
    let call = stage.facts.iter().find_map(|fact| fact.call.clone()).unwrap();
    let ask =
        |stage: &mut Stage, id, command| stage.input(Input::Command { id, by: "crm".to_owned(), command });
    let capture = |call: &str, capture| Ask::Capture { call: call.into(), capture };
    ask(&mut stage, 1, capture("stage-none", 6));
    ask(&mut stage, 2, capture(&call, 7));
    assert_eq!(stage.replies[0], (1, Err(CommandRefused::NotFound)));
    assert_eq!(captured(&stage).into_values().collect::<Vec<_>>(), [7, 7]);
    let by = stage.fact(|kind| match kind {
        FactKind::CaptureStarted { capture, by } => Some((*capture, by.clone())),
        _ => None,
    });
    assert_eq!(by, (7, "crm".to_owned()));
    ask(&mut stage, 3, capture(&call, 8));
    assert_eq!(captured(&stage).into_values().collect::<Vec<_>>(), [8, 8], "the later one has its place");
    ask(&mut stage, 4, Ask::EndCapture { capture: 7 });
    assert_eq!(captured(&stage).len(), 2);
    ask(&mut stage, 5, Ask::EndCapture { capture: 8 });
    assert_eq!(captured(&stage), BTreeMap::new());
    ask(&mut stage, 6, Ask::HangUp { call: call.clone() });
    ask(&mut stage, 7, capture(&call, 9));
    let late = CommandRefused::InvalidState;
    assert!(matches!(stage.replies[6], (7, Err(why)) if why == late || why == CommandRefused::NotFound));
}

#[test]
fn a_capture_of_the_next_call_waits_for_its_number_and_has_the_legs_to_come() {
    let mut stage = Stage::new();
    for (id, capture, number) in [(1, 5, "echo"), (2, 6, "bridge"), (3, 7, "echo")] {
        let command = Ask::CaptureNext { number: number.into(), capture };
        stage.input(Input::Command { id, by: "crm".to_owned(), command });
    }
    stage.input(Input::Command { id: 4, by: "crm".to_owned(), command: Ask::EndCapture { capture: 5 } });
    Line::dial(&mut stage, address(8), "sig", &sdp(address(8), SENDRECV)).connect(&mut stage);
    assert_eq!(captured(&stage), BTreeMap::new());
    Line::dial(&mut stage, address(9), "bridge", &sdp(address(9), SENDRECV));
    assert_eq!(captured(&stage).into_values().collect::<Vec<_>>(), [6, 6], "the other party's leg too");
    Line::dial(&mut stage, address(7), "echo", &sdp(address(7), SENDRECV)).connect(&mut stage);
    Line::dial(&mut stage, address(6), "echo", &sdp(address(6), SENDRECV)).connect(&mut stage);
    let captures: Vec<u64> = captured(&stage).into_values().collect();
    assert_eq!(captures, [6, 6, 7], "one that has ended waits no longer, and one has one call");
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::CaptureStarted { .. })), 2);
}

#[test]
fn a_missing_sound_is_written_down_and_the_call_goes_on() {
    let mut stage = Stage::new();
    let mut caller = Line::dial(&mut stage, address(9), "demo", &sdp(address(9), SENDRECV));
    caller.connect(&mut stage);
    stage.input(Input::Media(Event::SoundMissing { leg: LegId(1), sound: "it/welcome".into() }));
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::IvrPromptMissing { .. })), 1);
    until(
        &mut stage,
        "the next node",
        |kind| matches!(kind, FactKind::IvrEntered { node, .. } if node == "language"),
    );
}

#[test]
fn a_service_that_puts_through_answers_only_when_the_other_answers() {
    let mut stage = Stage::new();
    let mut caller = Line::dial(&mut stage, address(9), "bridge", &sdp(address(9), SENDRECV));
    let (other, invite) = Line::called(&mut stage, address(90));
    other.answer(&mut stage, &invite, "180 Ringing", "");
    stage.expect(caller.phone, "SIP/2.0 180");
    stage.wait(seconds(10));
    assert_eq!(stage.next(caller.phone), "nothing", "no answer yet");
    other.answer(&mut stage, &invite, "200 OK", &sdp(address(90), SENDRECV));
    caller.connect(&mut stage);
    assert_eq!(bridged(&stage), [(LegId(1), LegId(2))]);
    let role = stage.facts.iter().rev().find_map(|fact| match &fact.kind {
        FactKind::LegCreated { role, .. } => Some(*role),
        _ => None,
    });
    assert_eq!(role, Some(LegRole::External));
}

#[test]
fn a_busy_other_party_is_passed_on_as_486() {
    let mut stage = Stage::new();
    let mut caller = Line::dial(&mut stage, address(9), "bridge", &sdp(address(9), SENDRECV));
    let (other, invite) = Line::called(&mut stage, address(90));
    other.answer(&mut stage, &invite, "486 Busy Here", "");
    stage.expect(address(90), "ACK");
    stage.expect(caller.phone, "SIP/2.0 486");
    caller.ack(&mut stage, "");
    stage.assert_all_is_over();
    let end = stage.call_ends().remove(0);
    assert_eq!((end.by, end.cause, end.sip), (Side::Callee, Cause::Busy, Some(486)));
}

#[test]
fn a_caller_without_an_offer_is_joined_when_their_answer_comes_and_not_before() {
    let mut stage = Stage::new();
    let mut caller = Line::dial(&mut stage, address(9), "bridge", "");
    let (mut other, invite) = Line::called(&mut stage, address(90));
    other.answer(&mut stage, &invite, "200 OK", &sdp(address(90), SENDRECV));
    caller.accepted(&mut stage);
    for direction in ["sendonly", SENDRECV, "sendonly"] {
        other.request(&mut stage, "INVITE", &sdp(address(90), direction));
        other.ack(&mut stage, "");
    }
    assert_eq!(bridged(&stage), [], "nobody knows yet where the caller is");
    caller.ack(&mut stage, &sdp(address(9), SENDRECV));
    assert_eq!(bridged(&stage), [], "the other party holds");
    assert_eq!(music(&stage), Some(LegId(1)));
    other.request(&mut stage, "INVITE", &sdp(address(90), SENDRECV));
    assert_eq!(bridged(&stage), [(LegId(1), LegId(2))]);
}

#[test]
fn an_agent_for_whom_no_port_is_free_costs_nothing_that_stays() {
    let mut stage = Stage::new();
    register(&mut stage, "anna", address(50));
    let pause = |stage: &mut Stage| {
        let command = Ask::Pause { agent: "anna".to_owned(), reason: "lunch".to_owned() };
        stage.input(Input::Command { id: 1, by: "crm".to_owned(), command });
    };
    pause(&mut stage);
    let mut caller = caller_in_queue(&mut stage, address(9), 1);
    stage.no_ports = true;
    stage.input(Input::Command {
        id: 2,
        by: "crm".to_owned(),
        command: Ask::Ready { agent: "anna".to_owned() },
    });
    assert_eq!(offer_ends(&stage), [OfferEnd::Failed]);
    pause(&mut stage);
    caller.request(&mut stage, "BYE", "");
    stage.assert_all_is_over();
}

#[test]
fn a_silent_party_is_asked_and_a_dead_one_ends_the_call() {
    let (mut stage, caller, agent) = talking();
    let evidence = Evidence {
        expected: address(9),
        last_source: None,
        silent_for: seconds(10),
        received: 0,
        rejected: 0,
        rtcp_alive: false,
    };
    stage.input(Input::Media(Event::Silent { leg: LegId(1), evidence }));
    stage.wait(seconds(299));
    assert_eq!(stage.next(caller.phone), "nothing");
    stage.wait(seconds(2));
    stage.expect(caller.phone, "INVITE");
    stage.wait(seconds(33));
    let bye = stage.expect(agent.phone, "BYE");
    agent.answer(&mut stage, &bye, "200 OK", "");
    stage.assert_all_is_over();
    let end = stage.call_ends().remove(0);
    assert_eq!((end.by, end.cause), (Side::Network, Cause::PeerTimeout));
}

#[test]
fn a_caller_who_never_wanted_to_be_heard_is_asked_too() {
    for direction in ["inactive", "recvonly"] {
        let mut stage = Stage::new();
        let mut caller = Line::dial(&mut stage, address(9), "sig", &sdp(address(9), direction));
        caller.accepted(&mut stage);
        caller.ack(&mut stage, "");
        stage.wait(seconds(301));
        stage.expect(caller.phone, "INVITE");
        stage.wait(seconds(33));
        stage.assert_all_is_over();
        let end = stage.call_ends().remove(0);
        assert_eq!((end.by, end.cause), (Side::Network, Cause::PeerTimeout), "{direction}");
    }
}

#[test]
fn who_answers_on_hold_is_held_from_the_first_word_and_the_caller_hears_music() {
    let mut stage = Stage::new();
    register(&mut stage, "anna", address(50));
    let _caller = caller_in_queue(&mut stage, address(9), 1);
    let (mut agent, invite) = Line::called(&mut stage, address(50));
    agent.answer(&mut stage, &invite, "200 OK", &sdp(address(50), "sendonly"));
    assert_eq!(bridged(&stage), [], "the agent holds");
    assert_eq!(music(&stage), Some(LegId(1)));
    agent.request(&mut stage, "INVITE", &sdp(address(50), SENDRECV));
    assert_eq!(bridged(&stage).len(), 1);
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::LegHeld { .. })), 1);
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::LegResumed { .. })), 1);
}

#[test]
fn a_lost_ack_ends_the_call_with_that_reason() {
    let mut stage = Stage::new();
    let mut caller = Line::dial(&mut stage, address(9), "sig", &sdp(address(9), SENDRECV));
    caller.accepted(&mut stage);
    stage.wait(seconds(33));
    let bye = stage.expect(caller.phone, "BYE");
    caller.answer(&mut stage, &bye, "200 OK", "");
    stage.assert_all_is_over();
    let end = stage.call_ends().remove(0);
    assert_eq!((end.by, end.cause), (Side::Network, Cause::NotAcknowledged));
}

/// A desk whose only node puts the caller through, and says goodbye if that fails.
fn transferring() -> engine::Config {
    let flow = "title = \"t\"\nlanguages = [\"it\"]\nstart = \"boss\"\n\n[boss]\n\
                transfer = \"sip:boss@10.0.0.90:5060\"\non.failed = \"bye\"\n\n[bye]\nhang_up = \"nobody\"\n";
    let files = ivr::ScriptFiles {
        name: "boss".to_owned(),
        flow: ("flow.toml".to_owned(), flow.to_owned()),
        phrases: vec![("it".to_owned(), "it.toml".to_owned(), String::new())],
        ..ivr::ScriptFiles::default()
    };
    let script = std::sync::Arc::new(ivr::Script::check(&files).unwrap());
    let service = engine::Service::Script { script, language: None };
    let mut config = config();
    config.services.insert("boss".to_owned(), service);
    config
}

#[test]
fn a_transfer_that_is_answered_joins_the_caller_and_the_party_outside() {
    let mut stage = Stage::with(transferring(), Past::default());
    let mut caller = Line::dial(&mut stage, address(9), "boss", &sdp(address(9), SENDRECV));
    caller.connect(&mut stage);
    let (other, invite) = Line::called(&mut stage, address(90));
    assert_eq!(music(&stage), Some(LegId(1)), "the caller hears music meanwhile");
    other.answer(&mut stage, &invite, "200 OK", &sdp(address(90), SENDRECV));
    stage.expect(address(90), "ACK");
    assert_eq!(bridged(&stage), [(LegId(1), LegId(2))]);
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::TransferCompleted { .. })), 1);
    caller.request(&mut stage, "BYE", "");
    let bye = stage.expect(address(90), "BYE");
    other.answer(&mut stage, &bye, "200 OK", "");
    stage.assert_all_is_over();
}

#[test]
fn a_transfer_to_a_busy_party_gives_the_call_back_to_the_script() {
    let mut stage = Stage::with(transferring(), Past::default());
    let mut caller = Line::dial(&mut stage, address(9), "boss", &sdp(address(9), SENDRECV));
    caller.connect(&mut stage);
    let (other, invite) = Line::called(&mut stage, address(90));
    other.answer(&mut stage, &invite, "486 Busy Here", "");
    let status = stage.fact(|kind| match kind {
        FactKind::TransferFailed { sip, .. } => Some(*sip),
        _ => None,
    });
    assert_eq!(status, Some(486));
    let bye = stage.expect(caller.phone, "BYE");
    caller.answer(&mut stage, &bye, "200 OK", "");
    stage.assert_all_is_over();
    let end = stage.call_ends().remove(0);
    assert_eq!((end.by, end.cause, end.place.as_str()), (Side::Service, Cause::ScriptEnded, "nobody"));
}

fn keys(stage: &Stage) -> String {
    let pressed = stage.facts.iter().filter_map(|fact| match &fact.kind {
        FactKind::DtmfReceived { digit, .. } => Some(digit.as_str()),
        _ => None,
    });
    pressed.collect()
}

fn echoing() -> (Stage, Line) {
    let mut stage = Stage::new();
    let mut line = Line::dial(&mut stage, address(9), "echo", &sdp(address(9), SENDRECV));
    line.connect(&mut stage);
    (stage, line)
}

fn press_by_info(stage: &mut Stage, line: &mut Line, key: char) {
    line.request(stage, "INFO", &format!("Signal={key}\r\nDuration=250\r\n"));
    stage.expect(line.phone, "SIP/2.0 200");
    stage.wait(Duration::from_millis(10));
}

/// A device whose first INFO was lost sends those that waited behind it in one go.
#[test]
fn keys_by_info_that_come_in_a_burst_are_all_heard() {
    let (mut stage, mut line) = echoing();
    for key in "0651234567#".chars() {
        press_by_info(&mut stage, &mut line, key);
    }
    assert_eq!(keys(&stage), "0651234567#");
    line.request(&mut stage, "BYE", "");
    stage.assert_all_is_over();
}

#[test]
fn a_flood_of_keys_by_info_is_cut_to_what_a_person_can_press() {
    let (mut stage, mut line) = echoing();
    for _ in 0..400 {
        press_by_info(&mut stage, &mut line, '1');
    }
    let heard = keys(&stage).len();
    assert!((100..=116).contains(&heard), "{heard} of 400 keys in 4 s were heard");
    line.request(&mut stage, "BYE", "");
    stage.assert_all_is_over();
}
