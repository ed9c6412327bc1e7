//! Several bodies in one exchange: each with its own numbers, desks and agents, and none with anything of another's.

use crate::support::desk::{answers, hold, hung_up_on, seconds};
use crate::support::handing::{assert_all_is_well, transfers};
use crate::support::stage::*;
use engine::{Bodies, CommandRefused, Config, Input, Past, Service};
use facts::{Cause, Command, EmergencyScope, Fact, FactKind, Recorded, Side, SupervisionMode};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What answers in each of the two bodies.
const DESK: &str = "0411111111";
const ON: &str = "0412222222";
const MESTRE: &str = "0413333333";
const BACK: &str = "0414444444";
const WITHIN: &str = "0415555555";
/// Of the installation's own.
const INFO: &str = "0416666666";

const VENEZIA_PHONE: u8 = 51;
const MESTRE_PHONE: u8 = 52;
const CALLER: u8 = 9;

const WAITS: &str = r#"
title     = "Waits"
languages = ["it", "en"]
start     = "wait"
[numbers]
english = { set = { language = "en" } }
[wait]
queue = "desk"
"#;

/// Sends its callers on, with what is known of them.
const SENDS: &str = r#"
title     = "Sends"
languages = ["it", "en"]
start     = "know"
[know]
set  = { language = "en", topic = "bins", priority = 3, tax_code = "RSSMRA80A01L736X" }
next = "send"
[send]
transfer  = "TO"
on.failed = "sorry"
[sorry]
hang_up = "sorry"
"#;

fn script(name: &str, flow: &str) -> Service {
    let languages =
        ["it", "en"].map(|language| (language.to_owned(), format!("{language}.toml"), String::new()));
    let files = ivr::ScriptFiles {
        name: name.to_owned(),
        flow: ("flow.toml".to_owned(), flow.to_owned()),
        phrases: languages.into(),
        ..ivr::ScriptFiles::default()
    };
    Service::Script { script: Arc::new(ivr::Script::check(&files).unwrap()), language: None }
}

/// Two bodies that have a desk and an agent of the same names, and an agent who is nobody's but the installation's.
fn two_bodies() -> Config {
    let mut config = config();
    let normal = |number: &str| config.numbering.home.normal(number).as_str().to_owned();
    let sends = |to: &str| SENDS.replace("TO", to);
    let services = [
        ("venezia", DESK, script("venezia/town", WAITS)),
        ("venezia", ON, script("venezia/sends", &sends("body:mestre"))),
        ("venezia", WITHIN, script("venezia/within", &sends(&format!("service:{DESK}")))),
        ("mestre", MESTRE, script("mestre/town", WAITS)),
        ("mestre", BACK, script("mestre/back", &sends("body:venezia"))),
    ];
    for (body, number, service) in services {
        config.services.insert(number.to_owned(), service);
        config.bodies.numbers.insert(normal(number), body.to_owned());
    }
    config.services.insert(INFO.to_owned(), script("info", &sends(&format!("service:{MESTRE}"))));
    let doors = [("venezia", DESK), ("mestre", MESTRE)];
    config.bodies.doors = doors.map(|(body, number)| (body.to_owned(), normal(number))).into();
    let queue = config.acd.queues[0].clone();
    let agent = config.acd.agents[0].clone();
    for body in ["venezia", "mestre"] {
        let desk = format!("{body}/desk");
        config.acd.queues.push(acd::Queue { name: desk.clone(), ..queue.clone() });
        for name in ["anna", "bruno"] {
            let name = format!("{body}/{name}");
            let languages = BTreeSet::from(["it".to_owned(), "en".to_owned()]);
            let queues = BTreeSet::from([desk.clone()]);
            config.acd.agents.push(acd::Agent { name: name.clone(), queues, languages, ..agent.clone() });
            config.sip.accounts.push(sip::ua::Account { user: name.clone(), password: "pw".into() });
            config.supervisors.insert(name);
        }
    }
    config
}

fn stage_of(config: Config) -> Stage {
    let mut stage = Stage::with(config, Past::default());
    register(&mut stage, "venezia/anna", address(VENEZIA_PHONE));
    register(&mut stage, "mestre/anna", address(MESTRE_PHONE));
    stage
}

fn calls(stage: &mut Stage, number: &str) -> Line {
    let phone = address(CALLER);
    let mut caller = Line::dial(stage, phone, number, &sdp(phone, SENDRECV));
    caller.connect(stage);
    stage.wait(seconds(1));
    caller
}

fn of<'s>(stage: &'s Stage, body: Option<&'s str>) -> impl Iterator<Item = &'s Fact> {
    stage.facts.iter().filter(move |fact| fact.call.is_some() && fact.body.as_deref() == body)
}

/// Every call is of one body from its first fact to its last, and counts them without a gap.
fn assert_apart(stage: &Stage) {
    let mut calls: BTreeMap<&str, (u32, &Option<String>)> = BTreeMap::new();
    for fact in &stage.facts {
        let Some(call) = fact.call.as_deref() else { continue };
        let (callseq, body) = calls.entry(call).or_insert((0, &fact.body));
        assert_eq!((fact.callseq, &fact.body), (*callseq + 1, *body), "{fact:?}");
        *callseq = fact.callseq;
    }
}

fn known(stage: &Stage, body: &str) -> Vec<(String, String)> {
    let known = of(stage, Some(body)).filter_map(|fact| match &fact.kind {
        FactKind::CallClassified { key, value, .. } => Some((key.clone(), value.clone())),
        _ => None,
    });
    known.collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn ask(stage: &mut Stage, by: &str, command: Command) -> Result<u64, CommandRefused> {
    stage.input(Input::Command { id: 1, by: by.to_owned(), command });
    stage.replies.last().unwrap().1
}

#[test]
fn a_call_is_of_the_body_whose_number_it_dialled_and_waits_at_its_desk() {
    for (number, body, rings, rests) in
        [(DESK, "venezia", VENEZIA_PHONE, MESTRE_PHONE), (MESTRE, "mestre", MESTRE_PHONE, VENEZIA_PHONE)]
    {
        let mut stage = stage_of(two_bodies());
        let mut caller = calls(&mut stage, number);
        let desk = format!("{body}/desk");
        let queue = stage.fact(|kind| match kind {
            FactKind::QueueEntered { queue, .. } => Some(queue.clone()),
            _ => None,
        });
        assert_eq!(queue, desk);
        assert!(stage.engine.snapshot().queues.contains_key(&desk));
        assert!(stage.engine.snapshot().calls.values().all(|call| call.body.as_deref() == Some(body)));
        stage.expect(address(rings), "INVITE");
        assert!(!stage.next(address(rests)).starts_with("INVITE"));
        let states = stage.facts.iter().filter_map(|fact| match &fact.kind {
            FactKind::AgentState { agent, .. } => Some((agent.as_str(), fact.body.as_deref())),
            _ => None,
        });
        assert!(states.into_iter().all(|(agent, body)| facts::body_of(agent) == body));
        caller.request(&mut stage, "BYE", "");
        assert_all_is_well(&mut stage);
        assert_eq!(of(&stage, None).count(), 0);
        assert_apart(&stage);
    }
}

#[test]
fn a_caller_who_is_sent_to_another_body_is_a_call_of_it_and_only_agreed_names_go_along() {
    let mut stage = stage_of(two_bodies());
    let mut caller = calls(&mut stage, ON);
    let venezia: Vec<&FactKind> = of(&stage, Some("venezia")).map(|fact| &fact.kind).collect();
    let Some(FactKind::CallEnded { end, .. }) = venezia.last() else { panic!("{venezia:?}") };
    assert_eq!((end.by, end.cause), (Side::Service, Cause::Transferred));
    assert_eq!(transfers(&stage), ["started body:mestre", "completed body:mestre"]);
    assert!(known(&stage, "venezia").contains(&("tax_code".to_owned(), "RSSMRA80A01L736X".to_owned())));

    let mestre: Vec<&FactKind> = of(&stage, Some("mestre")).map(|fact| &fact.kind).collect();
    let FactKind::CallArrived { from, to, service, trunk, .. } = mestre[0] else { panic!("{mestre:?}") };
    let before = venezia.iter().find_map(|kind| match kind {
        FactKind::CallArrived { from, trunk, .. } => Some((from, trunk)),
        _ => None,
    });
    assert_eq!(Some((from, trunk)), before, "who calls, and by whom they came, is as it was");
    assert_eq!((to.as_str(), service.as_str()), ("+390413333333", "mestre/town"));
    let sent = stage.fact(|kind| match kind {
        FactKind::CallDiverted { by, reason, count } => Some((by.clone(), reason.clone(), *count)),
        _ => None,
    });
    assert_eq!(sent, ("+390412222222".to_owned(), "deflection".to_owned(), 1));
    assert_eq!(known(&stage, "mestre"), pairs(&[("language", "en"), ("priority", "3"), ("topic", "bins")]));
    let entered = mestre.iter().find_map(|kind| match kind {
        FactKind::QueueEntered { queue, language, topic, priority, .. } => {
            Some((queue.as_str(), language.as_str(), topic.as_str(), *priority))
        }
        _ => None,
    });
    assert_eq!(entered, Some(("mestre/desk", "en", "bins", 3)));

    let mut anna = agent_answers(&mut stage, address(MESTRE_PHONE));
    stage.wait(seconds(5));
    caller.request(&mut stage, "BYE", "");
    let bye = stage.expect(address(MESTRE_PHONE), "BYE");
    anna.answer(&mut stage, &bye, "200 OK", "");
    anna.starts_counting();
    assert_all_is_well(&mut stage);
    assert_apart(&stage);
}

#[test]
fn a_message_is_its_bodys_though_the_caller_goes_on_to_another() {
    let mut config = two_bodies();
    let sends = SENDS.replace("TO", "body:mestre").replace("start     = \"know\"", "start     = \"tell\"");
    config.services.insert(ON.to_owned(), script("venezia/tells", &format!("{sends}{TELL}")));
    let mut stage = stage_of(config);
    let mut caller = calls(&mut stage, ON);
    let begins = stage.orders.iter().find_map(|order| match order {
        media_api::RecordingOrder::Begin { recording, name, .. } => Some((*recording, name.clone())),
        _ => None,
    });
    let (recording, name) = begins.unwrap();
    assert!(name.starts_with("venezia/"), "it lies in the folder of its body: {name}");
    let told = media_api::RecordingTold::Ended { recording, length: seconds(1), lost: seconds(0) };
    stage.input(Input::Media(media_api::Event::MessageEnded {
        leg: media_api::LegId(1),
        recording,
        why: media_api::MessageEnd::Silence,
    }));
    stage.input(Input::Recorded(told));
    stage.wait(seconds(1));
    let bodies = |kind: fn(&FactKind) -> bool| {
        let found = stage.facts.iter().filter(|fact| kind(&fact.kind));
        found.map(|fact| fact.body.clone()).collect::<Vec<_>>()
    };
    let venezia = vec![Some("venezia".to_owned())];
    assert_eq!(bodies(|kind| matches!(kind, FactKind::RecordingStarted { .. })), venezia);
    assert_eq!(bodies(|kind| matches!(kind, FactKind::RecordingStopped { .. })), venezia);
    assert!(of(&stage, Some("mestre")).count() > 0);
    caller.request(&mut stage, "BYE", "");
    assert_all_is_well(&mut stage);
    assert_apart(&stage);
}

/// A message is left before the caller is sent on.
const TELL: &str = r#"
[tell]
message = "box"
next = "know"
on.empty = "know"
on.failed = "know"
"#;

#[test]
fn within_its_body_a_call_that_is_sent_on_stays_the_same_call() {
    let mut stage = stage_of(two_bodies());
    let mut caller = calls(&mut stage, WITHIN);
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::CallArrived { .. })), 1);
    let scripts = stage.kinds().into_iter().filter_map(|kind| match kind {
        FactKind::IvrEntered { script, node, language } => Some(format!("{script} {node} {language}")),
        _ => None,
    });
    let scripts: Vec<String> = scripts.collect();
    assert_eq!(scripts, ["venezia/within know en", "venezia/within send en", "venezia/town wait en"]);
    let topic = stage.fact(|kind| match kind {
        FactKind::QueueEntered { queue, topic, .. } => Some((queue.clone(), topic.clone())),
        _ => None,
    });
    assert_eq!(topic, ("venezia/desk".to_owned(), "bins".to_owned()));
    caller.request(&mut stage, "BYE", "");
    assert_all_is_well(&mut stage);
    assert_apart(&stage);
}

#[test]
fn the_installations_own_script_sends_callers_to_any_body() {
    let mut stage = stage_of(two_bodies());
    let mut caller = calls(&mut stage, INFO);
    assert!(of(&stage, None).any(|fact| matches!(fact.kind, FactKind::CallEnded { .. })));
    assert!(of(&stage, Some("mestre")).any(|fact| matches!(fact.kind, FactKind::QueueEntered { .. })));
    caller.request(&mut stage, "BYE", "");
    assert_all_is_well(&mut stage);
    assert_apart(&stage);
}

#[test]
fn bodies_that_send_each_other_a_caller_do_so_five_times() {
    let mut config = two_bodies();
    config.bodies.doors.insert("venezia".to_owned(), "+390412222222".to_owned());
    config.bodies.doors.insert("mestre".to_owned(), "+390414444444".to_owned());
    let mut stage = stage_of(config);
    let caller = calls(&mut stage, ON);
    stage.expect(caller.phone, "BYE");
    stage.wait(seconds(6));
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::CallArrived { .. })), 6);
    assert_eq!(stage.call_ends().last().unwrap().place, "sorry");
    assert_all_is_well(&mut stage);
    assert_apart(&stage);
}

#[test]
fn where_the_caller_cannot_be_sent_the_script_has_them_back() {
    let another = Bodies { doors: BTreeMap::new(), ..two_bodies().bodies };
    let full = Config { calls_max: 1, ..two_bodies() };
    let no_door = Config { bodies: another, ..two_bodies() };
    for (config, number, to) in [(full, ON, "body:mestre"), (no_door, ON, "body:mestre")] {
        let mut stage = stage_of(config);
        let caller = calls(&mut stage, number);
        stage.expect(caller.phone, "BYE");
        stage.wait(seconds(6));
        assert_eq!(transfers(&stage), [format!("started {to}"), format!("failed {to}")]);
        assert_eq!(stage.call_ends().last().unwrap().place, "sorry");
        assert_all_is_well(&mut stage);
    }
}

#[test]
fn no_body_names_a_service_of_another_by_its_number() {
    let mut config = two_bodies();
    let to = format!("service:{MESTRE}");
    config.services.insert(ON.to_owned(), script("venezia/names", &SENDS.replace("TO", &to)));
    let mut stage = stage_of(config);
    calls(&mut stage, ON);
    assert_eq!(transfers(&stage), [format!("started {to}"), format!("failed {to}")]);
    assert_eq!(of(&stage, Some("mestre")).count(), 0);
}

#[test]
fn agents_name_those_of_their_own_body_and_nobody_of_another() {
    let mut stage = stage_of(two_bodies());
    register(&mut stage, "venezia/bruno", address(60));
    register(&mut stage, "mestre/bruno", address(61));
    register(&mut stage, "carla", address(62));
    for (dialled, rings) in
        [("bruno", Some(60)), ("venezia/bruno", Some(60)), ("carla", Some(62)), ("mestre/bruno", None)]
    {
        let mut line = Line::dial_as(&mut stage, "venezia/anna", address(VENEZIA_PHONE), dialled);
        match rings {
            Some(phone) => {
                stage.expect(address(phone), "INVITE");
                line.cancel(&mut stage);
            }
            None => {
                stage.expect(address(VENEZIA_PHONE), "SIP/2.0 404");
                line.ack(&mut stage, "");
            }
        }
        stage.wait(seconds(40));
    }
    let bodies: BTreeSet<Option<&str>> =
        stage.facts.iter().filter(|fact| fact.call.is_some()).map(|fact| fact.body.as_deref()).collect();
    assert_eq!(bodies, BTreeSet::from([Some("venezia")]));
    Line::writes(&mut stage, "venezia/anna", address(VENEZIA_PHONE), "mestre/bruno", "ciao");
    stage.expect(address(VENEZIA_PHONE), "SIP/2.0 404");
    Line::writes(&mut stage, "venezia/anna", address(VENEZIA_PHONE), "bruno", "ciao");
    assert!(stage.expect(address(60), "MESSAGE").contains("ciao"));
}

#[test]
fn an_agent_in_the_call_of_another_body_sends_it_to_those_of_their_own() {
    let mut config = two_bodies();
    let agent = config.acd.agents[0].clone();
    let queues = BTreeSet::from(["mestre/desk".to_owned()]);
    let languages = BTreeSet::from(["it".to_owned(), "en".to_owned()]);
    config.acd.agents.push(acd::Agent { name: "carla".to_owned(), queues, languages, ..agent });
    config.acd.agents.retain(|agent| agent.name != "mestre/anna");
    let mut stage = stage_of(config);
    register(&mut stage, "carla", address(62));
    register(&mut stage, "venezia/bruno", address(60));
    calls(&mut stage, MESTRE);
    // The installation's own agent has it, and asks one of Venezia's to take it.
    let mut carla = answers(&mut stage, address(62));
    register(&mut stage, "mestre/bruno", address(61));
    hold(&mut stage, &mut carla);
    let mut second = Line::dial_as(&mut stage, "carla", address(62), "venezia/anna");
    let mut anna = answers(&mut stage, address(VENEZIA_PHONE));
    second.connect(&mut stage);
    carla.refer(&mut stage, &format!("sip:anna@10.0.0.1?{}", second.as_replaces()));
    hung_up_on(&mut stage, &carla);
    stage.wait(seconds(1));
    assert_eq!(anna.refer(&mut stage, "sip:mestre%2Fbruno@pbx.example"), "SIP/2.0 404 Not Found");
    assert_eq!(anna.refer(&mut stage, "sip:bruno@pbx.example"), "SIP/2.0 202 Accepted");
    answers(&mut stage, address(60));
    assert_eq!(transfers(&stage).last().unwrap(), "completed venezia/bruno");
    assert!(of(&stage, Some("mestre")).any(|fact| matches!(fact.kind, FactKind::TransferCompleted { .. })));
}

#[test]
fn agents_watch_those_of_their_own_body_and_nobody_of_another() {
    let mut stage = stage_of(two_bodies());
    let phone = address(VENEZIA_PHONE);
    for (watched, answer) in [
        ("bruno", "SIP/2.0 200"),
        ("venezia/bruno", "SIP/2.0 200"),
        ("carla", "SIP/2.0 200"),
        ("mestre/anna", "SIP/2.0 404"),
    ] {
        let how = ("Event: dialog\r\nExpires: 600\r\n", "");
        Line::ask_as(&mut stage, ("venezia/anna", phone), ("SUBSCRIBE", watched), how);
        let told = stage.expect(phone, "SIP/2.0");
        assert!(told.starts_with(answer), "{watched}: {told}");
    }
}

#[test]
fn whoever_asks_for_a_body_commands_nothing_of_another_and_hears_that_it_is_not_there() {
    let mut stage = stage_of(two_bodies());
    calls(&mut stage, MESTRE);
    let call = stage.facts.iter().find_map(|fact| fact.call.clone()).unwrap();
    let net = "192.0.2.9/32".parse().unwrap();
    // Each command about what is mestre's, and the same about what is not there at all.
    let commands = |call: &str, agent: &str, desk: &str, callback: u64| {
        let (call, agent) = (call.to_owned(), agent.to_owned());
        vec![
            Command::Pause { agent: agent.clone(), reason: "x".into() },
            Command::Ready { agent: agent.clone() },
            Command::HangUp { call: call.clone() },
            Command::Capture { call: call.clone(), capture: 1 },
            Command::CaptureNext { number: MESTRE.into(), capture: 1 },
            Command::Ban { source: net, length: seconds(1), reason: "x".into() },
            Command::LiftBan { source: net },
            Command::CloseByEmergency {
                scope: EmergencyScope::Script(format!("{desk}/town")),
                message: String::new(),
                reason: "x".into(),
            },
            Command::CloseByEmergency {
                scope: EmergencyScope::Body(desk.to_owned()),
                message: String::new(),
                reason: "x".into(),
            },
            Command::OpenAfterEmergency { scope: EmergencyScope::Body(desk.to_owned()) },
            Command::Transfer { call: call.clone(), to: agent.clone() },
            Command::Supervise {
                call: call.clone(),
                supervisor: agent.clone(),
                mode: SupervisionMode::Listen,
                basis: "x".into(),
            },
            Command::Supervise {
                call: call.clone(),
                supervisor: "venezia/anna".into(),
                mode: SupervisionMode::Listen,
                basis: "x".into(),
            },
            Command::EndSupervision { call: call.clone(), supervisor: agent.clone() },
            Command::AddParty { call: call.clone(), to: agent },
            Command::DropParty { call: call.clone(), leg: 1 },
            Command::Record { call: call.clone(), what: Recorded::Call, basis: "x".into() },
            Command::PauseRecording { call: call.clone(), paused: true },
            Command::StopRecording { call: call.clone() },
            Command::CancelCallback { callback },
            Command::ForgetCaller { number: "+393471234567".into() },
            Command::MuteParty { call, leg: 1, muted: true },
        ]
    };
    let before = stage.facts.len();
    let others = commands(&call, "mestre/anna", "mestre", 1);
    for (other, none) in others.into_iter().zip(commands("stage-NONE", "nobody", "nobody", 9)) {
        assert_eq!(ask(&mut stage, "venezia/crm", other.clone()), Err(CommandRefused::NotFound), "{other:?}");
        assert_eq!(ask(&mut stage, "venezia/crm", none.clone()), Err(CommandRefused::NotFound), "{none:?}");
    }
    for scope in
        [EmergencyScope::All, EmergencyScope::Number(MESTRE.into()), EmergencyScope::Number(INFO.into())]
    {
        let close = Command::CloseByEmergency { scope, message: String::new(), reason: "x".into() };
        assert_eq!(ask(&mut stage, "venezia/crm", close.clone()), Err(CommandRefused::NotFound), "{close:?}");
    }
    assert_eq!(stage.facts.len(), before, "nothing was done");
    assert!(ask(&mut stage, "mestre/crm", Command::HangUp { call }).is_ok());
    let pause = |agent: &str| Command::Pause { agent: agent.to_owned(), reason: "pausa".into() };
    assert!(ask(&mut stage, "venezia/crm", pause("venezia/anna")).is_ok());
    assert!(ask(&mut stage, "crm", pause("mestre/anna")).is_ok(), "the installation's own may do all");
}

#[test]
fn a_body_is_closed_by_command_and_the_other_goes_on() {
    const OPEN: &str = "title = \"Open\"\nlanguages = [\"it\", \"en\"]\nstart = \"open\"\n[numbers]\nenglish = { set = { language = \"en\" } }\n[open]\nhours = \"always\"\n\
                        open = \"served\"\nclosed = \"closed\"\n[served]\nhang_up = \"served\"\n[closed]\nhang_up = \"closed\"\n";
    let days =
        ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map(|day| format!("{day} = [\"00:00-24:00\"]\n"));
    let always = format!("zone = \"Europe/Rome\"\n{}", days.concat());
    let service = |name: &str| {
        let languages = ["it", "en"].map(|of| (of.to_owned(), format!("{of}.toml"), String::new()));
        let files = ivr::ScriptFiles {
            name: name.to_owned(),
            flow: ("flow.toml".to_owned(), OPEN.to_owned()),
            phrases: languages.into(),
            calendars: vec![("always".to_owned(), "always.toml".to_owned(), always.clone())],
            ..ivr::ScriptFiles::default()
        };
        Service::Script { script: Arc::new(ivr::Script::check(&files).unwrap()), language: None }
    };
    let mut config = two_bodies();
    config.services.insert(DESK.to_owned(), service("venezia/town"));
    config.services.insert(MESTRE.to_owned(), service("mestre/town"));
    let mut stage = stage_of(config);
    let scope = EmergencyScope::Body("venezia".to_owned());
    let close =
        Command::CloseByEmergency { scope: scope.clone(), message: String::new(), reason: "sciopero".into() };
    ask(&mut stage, "venezia/crm", close).unwrap();
    for number in [DESK, MESTRE] {
        calls(&mut stage, number);
        stage.wait(seconds(6));
    }
    let ends: Vec<String> = stage.call_ends().into_iter().map(|end| end.place).collect();
    assert_eq!(ends, ["closed", "served"]);
    ask(&mut stage, "venezia/crm", Command::OpenAfterEmergency { scope }).unwrap();
    let told = stage.facts.iter().filter(|fact| fact.call.is_none() && fact.body.is_some());
    let told: Vec<&FactKind> = told
        .map(|fact| &fact.kind)
        .filter(|kind| !matches!(kind, FactKind::AgentState { .. } | FactKind::EndpointRegistered { .. }))
        .collect();
    assert!(
        matches!(told.as_slice(), [FactKind::EmergencyClosed(_), FactKind::EmergencyOpened { .. }]),
        "{told:?}"
    );
}
