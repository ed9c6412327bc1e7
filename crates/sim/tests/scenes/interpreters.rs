//! Callers whose language their agent does not speak, and those who interpret for the two.

use crate::support::desk::*;
use crate::support::hall::Heard::{self, Music, Party};
use crate::support::hall::{Hall, Weather, assert_ears};
use crate::support::handing::*;
use crate::support::stage::*;
use engine::{CommandRefused, Config, Input, Past, Service};
use facts::Command as Ask;
use facts::{AgentState, FactKind, InterpreterNow, LegRole, NoInterpreter};
use ivr::{ScriptFiles, SoundInventory};
use media_api::Command as Media;
use std::sync::Arc;
use std::time::Duration;

const KARIM: u8 = 61;
const LEILA: u8 = 62;
const ONE: Heard = Party(1);
const TWO: Heard = Party(2);
const THREE: Heard = Party(3);

const FLOW: &str = r#"
title     = "Interpreted"
languages = ["it", "ar"]
start     = "wait"
[numbers]
desk = { set = { language = "ar" } }
[wait]
queue          = "helpdesk"
interpreter    = { queue = "interpreters", after = "30s", within = "40s" }
overflow_after = "10m"
on.overflow    = "gone"
on.nobody      = "gone"
[gone]
hang_up = "gone"
refusal = true
"#;

/// The help desk of anna and bruno, who speak Italian; karim and leila interpret Arabic.
fn desk() -> Config {
    let phrases = "please_wait = \"Please wait.\"\n".to_owned();
    let files = ScriptFiles {
        name: "interpreted".to_owned(),
        flow: ("flow.toml".to_owned(), FLOW.to_owned()),
        phrases: ["it", "ar"].map(|name| (name.to_owned(), format!("{name}.toml"), phrases.clone())).to_vec(),
        sounds: SoundInventory::every(),
        ..ScriptFiles::default()
    };
    let script = Arc::new(ivr::Script::check(&files).unwrap());
    let mut config = with_trunk();
    config.services.insert("desk".to_owned(), Service::Script { script, language: None });
    let wrapup = Duration::from_secs(5);
    let queue = acd::Queue { name: "interpreters".to_owned(), wrapup, ..config.acd.queues[0].clone() };
    config.acd.queues.push(queue);
    for user in ["karim", "leila"] {
        config.sip.accounts.push(sip::ua::Account { user: user.to_owned(), password: "pw".to_owned() });
        config.acd.agents.push(acd::Agent {
            name: user.to_owned(),
            queues: ["interpreters".to_owned()].into(),
            languages: ["it", "ar"].map(str::to_owned).into(),
            topics: Default::default(),
        });
    }
    config
}

fn stage_of(config: Config, there: &[(&str, u8)]) -> Stage {
    let mut stage = Stage::with(config, Past::default());
    for (user, at) in there {
        register(&mut stage, user, address(*at));
    }
    stage
}

/// Somebody who speaks Arabic dials.
fn dials(stage: &mut Stage) -> Line {
    let phone = address(9);
    let mut caller = Line::dial(stage, phone, "desk", &sdp(phone, SENDRECV));
    caller.connect(stage);
    caller
}

/// A caller and anna wait for an interpreter; these are there.
fn parted(there: &[(&str, u8)]) -> (Stage, Line, Line) {
    let mut stage = stage_of(desk(), &[("anna", ANNA)]);
    for (user, at) in there {
        register(&mut stage, user, address(*at));
    }
    let caller = dials(&mut stage);
    let anna = answers(&mut stage, address(ANNA));
    (stage, caller, anna)
}

/// Karim's phone rings.
fn rung() -> (Stage, Line, Line, Line, String) {
    let (mut stage, caller, anna) = parted(&[("karim", KARIM)]);
    let (karim, invite) = Line::called(&mut stage, address(KARIM));
    karim.answer(&mut stage, &invite, "180 Ringing", "");
    (stage, caller, anna, karim, invite)
}

/// The three talk.
fn interpreted() -> (Stage, Line, Line, Line) {
    let (mut stage, caller, anna) = parted(&[("karim", KARIM)]);
    let karim = answers(&mut stage, address(KARIM));
    (stage, caller, anna, karim)
}

fn connected(stage: &Stage) -> usize {
    stage.count(|kind| matches!(kind, FactKind::CallConnected { .. }))
}

fn missed(stage: &Stage) -> Vec<NoInterpreter> {
    let missed = stage.kinds().into_iter().filter_map(|kind| match kind {
        FactKind::InterpreterMissed(miss) => Some(miss.reason),
        _ => None,
    });
    missed.collect()
}

fn sought(stage: &Stage) -> Option<InterpreterNow> {
    let mut fold = journal::fold::SnapshotFold::default();
    stage.facts.iter().for_each(|fact| fold.apply(fact));
    let now = stage.engine.snapshot();
    assert_eq!(*fold.snapshot(), now);
    now.calls.into_values().next().unwrap().interpreter
}

fn command(stage: &mut Stage, command: impl FnOnce(String) -> Ask) -> Result<u64, CommandRefused> {
    let call = stage.facts.iter().find_map(|fact| fact.call.clone()).unwrap();
    stage.input(Input::Command { id: 7, by: "crm".to_owned(), command: command(call) });
    stage.replies.pop().unwrap().1
}

#[test]
fn an_agent_who_speaks_the_language_needs_nobody() {
    let mut config = desk();
    config.acd.agents[0].languages.insert("ar".to_owned());
    let mut stage = stage_of(config, &[("anna", ANNA), ("karim", KARIM)]);
    let mut caller = dials(&mut stage);
    let anna = answers(&mut stage, address(ANNA));
    assert_eq!((connected(&stage), stage.next(address(KARIM)).as_str()), (1, "nothing"));
    assert_eq!(sought(&stage), None);
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &anna);
    assert_all_is_well(&mut stage);
}

#[test]
fn an_agent_with_the_language_is_waited_for_before_one_without_it_is_asked() {
    let mut config = desk();
    config.acd.agents[1].languages.insert("ar".to_owned());
    let mut stage = stage_of(config, &[("anna", ANNA), ("bruno", BRUNO), ("karim", KARIM)]);
    let pause = Ask::Pause { agent: "bruno".to_owned(), reason: "coffee".to_owned() };
    stage.input(Input::Command { id: 1, by: "crm".to_owned(), command: pause });
    let mut caller = dials(&mut stage);
    stage.wait(seconds(29));
    assert_eq!(stage.next(address(ANNA)).lines().next().unwrap_or(""), "nothing");
    stage.wait(seconds(1));
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::QueueWidened(_))), 1);
    let (anna, invite) = Line::called(&mut stage, address(ANNA));
    assert_eq!(header(&invite, "X-Cornetta-Interpreter"), "follows");
    anna.answer(&mut stage, &invite, "180 Ringing", "");
    hangs_up(&mut stage, &mut caller);
    is_cancelled(&mut stage, &anna, &invite);
    stage.assert_all_is_over();
}

#[test]
fn the_caller_is_not_left_with_somebody_they_do_not_understand() {
    let (mut stage, mut caller, anna) = parted(&[("karim", KARIM)]);
    assert_eq!(connected(&stage), 0, "the agent waits with the caller");
    let words = stage.commands.iter().rev().find_map(|command| match command {
        Media::Play { leg, sounds, repeat: false, .. } if leg.0 == 1 => sounds[0].first().cloned(),
        _ => None,
    });
    assert_eq!(words.as_deref(), Some("ar/please_wait"), "in their own language");
    let now = InterpreterNow { language: "ar".to_owned(), queue: "interpreters".to_owned(), parted: true };
    assert_eq!(sought(&stage), Some(now));

    let (mut karim, invite) = Line::called(&mut stage, address(KARIM));
    assert_eq!(header(&invite, "X-Cornetta-Interpreter"), "you");
    assert_eq!(header(&invite, "X-Cornetta-Language"), "ar");
    karim.answer(&mut stage, &invite, "200 OK", &sdp(address(KARIM), SENDRECV));
    stage.expect(address(KARIM), "ACK");
    karim.starts_counting();
    assert_eq!((connected(&stage), sought(&stage)), (1, None));
    let joined = |kind: &FactKind| matches!(kind, FactKind::ConferenceJoined { leg: 3, role: LegRole::Interpreter, by } if by == "script");
    assert_eq!(stage.count(joined), 1);
    stage.wait(seconds(60));
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &anna);
    hung_up_on(&mut stage, &karim);
    assert_eq!(state_of(&stage, "karim"), AgentState::Wrapup, "interpreting is written up, too");
    stage.assert_all_is_over();
    let cdr = {
        let mut cdrs = journal::fold::CdrFold::default();
        stage.facts.iter().find_map(|fact| cdrs.apply(fact)).unwrap()
    };
    let talk: Vec<_> = cdr.legs.iter().map(|leg| (leg.role, leg.party.as_str(), leg.talk)).collect();
    let minute = seconds(60);
    assert_eq!(talk[1..], [(LegRole::Agent, "anna", minute), (LegRole::Interpreter, "karim", minute)]);
}

#[test]
fn in_sound_both_have_music_and_then_all_three_hear_each_other() {
    let mut stage = stage_of(desk(), &[]);
    stage.hall = Some(Hall::new(stage.now, Weather { seed: 1, lost_permille: 0, delay_max: Duration::ZERO }));
    register(&mut stage, "anna", address(ANNA));
    register(&mut stage, "karim", address(KARIM));
    let mut caller = dials(&mut stage);
    let mut anna = answers(&mut stage, address(ANNA));
    stage.wait(seconds(2));
    assert_ears(&mut stage, &[(1, &[Music]), (2, &[Music])]);
    hold(&mut stage, &mut anna);
    assert_ears(&mut stage, &[(1, &[Music])]);
    reoffers(&mut stage, &mut anna, SENDRECV);
    assert_ears(&mut stage, &[(1, &[Music]), (2, &[Music])]);
    let mut karim = answers(&mut stage, address(KARIM));
    assert_ears(&mut stage, &[(1, &[TWO, THREE]), (2, &[ONE, THREE]), (3, &[ONE, TWO])]);
    hold(&mut stage, &mut anna);
    assert_ears(&mut stage, &[(1, &[THREE]), (3, &[ONE])]);
    reoffers(&mut stage, &mut anna, SENDRECV);
    hangs_up(&mut stage, &mut karim);
    assert_ears(&mut stage, &[(1, &[TWO]), (2, &[ONE])]);
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &anna);
    stage.assert_all_is_over();
}

#[test]
fn an_interpreter_who_refuses_is_followed_by_the_next_one() {
    let (mut stage, mut caller, anna) = parted(&[("karim", KARIM), ("leila", LEILA)]);
    refuses(&mut stage, address(KARIM), "486 Busy Here");
    assert_eq!(connected(&stage), 0);
    let leila = answers(&mut stage, address(LEILA));
    assert_eq!(connected(&stage), 1);
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &anna);
    hung_up_on(&mut stage, &leila);
    stage.assert_all_is_over();
}

#[test]
fn who_finds_no_interpreter_is_with_the_agent_all_the_same() {
    let (mut stage, mut caller, anna) = parted(&[]);
    assert_eq!((connected(&stage), missed(&stage)), (1, vec![NoInterpreter::NobodyThere]));
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &anna);
    assert_all_is_well(&mut stage);

    let (mut stage, mut caller, anna, karim, invite) = rung();
    stage.wait(seconds(15));
    is_cancelled(&mut stage, &karim, &invite);
    assert_eq!(connected(&stage), 0, "karim is rung again after a rest");
    stage.wait(seconds(25));
    assert_eq!((connected(&stage), missed(&stage)), (1, vec![NoInterpreter::NoAnswer]));
    stage.wait(seconds(1));
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &anna);
    stage.assert_all_is_over();
}

#[test]
fn a_caller_whose_agent_goes_while_the_interpreter_is_rung_waits_on_at_their_place() {
    let (mut stage, caller, mut anna, karim, invite) = rung();
    stage.wait(seconds(3));
    hangs_up(&mut stage, &mut anna);
    is_cancelled(&mut stage, &karim, &invite);
    assert_eq!(missed(&stage), [NoInterpreter::TooLate]);
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::QueueEntered { position: 1, .. })), 2);
    assert_eq!(
        (stage.next(caller.phone).as_str(), state_of(&stage, "karim")),
        ("nothing", AgentState::Ready)
    );

    register(&mut stage, "bruno", address(BRUNO));
    let mut bruno = answers(&mut stage, address(BRUNO));
    let karim = answers(&mut stage, address(KARIM));
    assert_eq!(connected(&stage), 1);
    hangs_up(&mut stage, &mut bruno);
    hung_up_on(&mut stage, &caller);
    hung_up_on(&mut stage, &karim);
    stage.assert_all_is_over();
}

#[test]
fn a_caller_who_goes_while_the_interpreter_is_rung_frees_all() {
    let (mut stage, mut caller, anna, karim, invite) = rung();
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &anna);
    is_cancelled(&mut stage, &karim, &invite);
    assert_eq!(state_of(&stage, "karim"), AgentState::Ready);
    assert_eq!(missed(&stage), [NoInterpreter::TooLate]);
    assert_all_is_well(&mut stage);
}

#[test]
fn the_two_go_on_without_an_interpreter_who_hangs_up_and_nobody_without_the_agent() {
    let (mut stage, mut caller, anna, mut karim) = interpreted();
    hangs_up(&mut stage, &mut karim);
    assert_eq!(state_of(&stage, "karim"), AgentState::Wrapup);
    stage.wait(seconds(20));
    assert_eq!(stage.engine.calls(), 1);
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &anna);
    stage.assert_all_is_over();

    let (mut stage, caller, mut anna, karim) = interpreted();
    hangs_up(&mut stage, &mut anna);
    hung_up_on(&mut stage, &caller);
    hung_up_on(&mut stage, &karim);
    stage.assert_all_is_over();
}

#[test]
fn an_interpreter_stays_with_a_caller_who_is_handed_to_a_colleague() {
    let (mut stage, mut caller, mut anna, karim) = interpreted();
    register(&mut stage, "bruno", address(BRUNO));
    anna.refer(&mut stage, "sip:bruno@pbx.example");
    anna.told(&mut stage);
    let bruno = answers(&mut stage, address(BRUNO));
    anna.told(&mut stage);
    anna.told(&mut stage);
    hung_up_on(&mut stage, &anna);
    let call = stage.engine.snapshot().calls.into_values().next().unwrap();
    let roles: Vec<_> = call.legs.values().map(|leg| (leg.role, leg.guest)).collect();
    assert_eq!(
        roles,
        [(LegRole::Caller, false), (LegRole::Interpreter, true), (LegRole::Agent, false)],
        "{:?}",
        call.legs
    );
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &bruno);
    hung_up_on(&mut stage, &karim);
    stage.assert_all_is_over();
}

#[test]
fn a_colleague_to_whom_the_caller_is_handed_meanwhile_waits_for_the_interpreter_too() {
    let (mut stage, mut caller, mut anna) = parted(&[("karim", KARIM)]);
    register(&mut stage, "bruno", address(BRUNO));
    let (mut karim, invite) = Line::called(&mut stage, address(KARIM));
    karim.answer(&mut stage, &invite, "180 Ringing", "");
    anna.refer(&mut stage, "sip:bruno@pbx.example");
    anna.told(&mut stage);
    let bruno = answers(&mut stage, address(BRUNO));
    anna.told(&mut stage);
    anna.told(&mut stage);
    hung_up_on(&mut stage, &anna);
    assert_eq!(connected(&stage), 0);
    karim.answer(&mut stage, &invite, "200 OK", &sdp(address(KARIM), SENDRECV));
    stage.expect(address(KARIM), "ACK");
    karim.starts_counting();
    assert_eq!((connected(&stage), missed(&stage).len()), (1, 0));
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &bruno);
    hung_up_on(&mut stage, &karim);
    stage.assert_all_is_over();
}

#[test]
fn an_integrator_asks_for_an_interpreter_while_the_two_talk_and_has_them_leave() {
    let mut stage = stage_of(desk(), &[("anna", ANNA)]);
    let mut caller = caller_in_queue(&mut stage, address(9), 1);
    let add = |language: &str, queue: &str| {
        let (language, queue) = (language.to_owned(), queue.to_owned());
        move |call| Ask::AddInterpreter { call, language, queue }
    };
    let wanted = command(&mut stage, add("ar", "interpreters"));
    assert_eq!(wanted, Err(CommandRefused::InvalidState), "nobody talks yet");
    let anna = agent_answers(&mut stage, address(ANNA));
    assert_eq!(command(&mut stage, add("ar", "nowhere")), Err(CommandRefused::NotFound));
    command(&mut stage, add("ar", "interpreters")).unwrap();
    assert_eq!(missed(&stage), [NoInterpreter::NobodyThere]);

    register(&mut stage, "karim", address(KARIM));
    command(&mut stage, add("ar", "interpreters")).unwrap();
    assert_eq!(command(&mut stage, add("ar", "interpreters")), Err(CommandRefused::InvalidState), "once");
    let (karim, invite) = Line::called(&mut stage, address(KARIM));
    karim.answer(&mut stage, &invite, "180 Ringing", "");
    assert_eq!(connected(&stage), 1, "the two talk on");
    command(&mut stage, |call| Ask::CancelInterpreter { call }).unwrap();
    is_cancelled(&mut stage, &karim, &invite);
    assert_eq!(command(&mut stage, |call| Ask::CancelInterpreter { call }), Err(CommandRefused::NotFound));
    assert_eq!(connected(&stage), 1);

    command(&mut stage, add("ar", "interpreters")).unwrap();
    let karim = answers(&mut stage, address(KARIM));
    let leg = stage.engine.snapshot().calls.into_values().next().unwrap().legs.into_iter();
    let leg =
        leg.filter(|(_, leg)| leg.role == LegRole::Interpreter).map(|(number, _)| number).next().unwrap();
    command(&mut stage, |call| Ask::DropParty { call, leg }).unwrap();
    hung_up_on(&mut stage, &karim);
    assert_eq!(state_of(&stage, "karim"), AgentState::Wrapup);
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &anna);
    stage.assert_all_is_over();
}

#[test]
fn who_is_told_not_to_wait_for_the_interpreter_is_with_the_caller_at_once() {
    let (mut stage, mut caller, anna, karim, invite) = rung();
    command(&mut stage, |call| Ask::CancelInterpreter { call }).unwrap();
    is_cancelled(&mut stage, &karim, &invite);
    assert_eq!((connected(&stage), missed(&stage)), (1, vec![NoInterpreter::Cancelled]));
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &anna);
    assert_all_is_well(&mut stage);
}
