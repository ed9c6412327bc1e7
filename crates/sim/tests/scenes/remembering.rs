//! Callers who have agreed that a script remember their language: known when they call again, and forgotten when they say so,
//! when their time is over, and when a person has them erased.

use crate::support::desk::*;
use crate::support::stage::*;
use engine::{CommandRefused, Config, Input, Past, Service};
use facts::{CallerForgotten, CallerRemembered, FactKind};
use ivr::{ScriptFiles, SoundInventory};
use journal::fold::SnapshotFold;
use std::sync::Arc;
use std::time::Duration;

const FLOW: &str = r#"
title     = "Remembered"
languages = ["it", "en", "fr"]
start     = "language"
remember  = { consent = "memory", for = "30d" }
[language]
next = "ask"
[language.menu]
1 = { language = "it" }
2 = { language = "en" }
3 = { language = "fr" }
[ask]
consent = "memory"
next    = "end"
[end]
hang_up = "end"
"#;

const DAY: Duration = Duration::from_secs(24 * 3600);
const NUMBER: &str = "+393471234567";
/// What the scripts of two bodies answer.
const VENEZIA: &str = "0411111111";
const MESTRE: &str = "0413333333";

fn script(name: &str) -> Service {
    let own = ["press_for_language", "no_input", "invalid_choice", "consent_yes", "consent_no"];
    let keys = (1..4).map(|key| format!("press_{key}"));
    let phrases = own.iter().map(|phrase| (*phrase).to_owned()).chain(keys);
    let phrases: String = phrases.map(|phrase| format!("{phrase} = \"x\"\n")).collect();
    let files = ScriptFiles {
        name: name.to_owned(),
        flow: ("flow.toml".to_owned(), FLOW.to_owned()),
        phrases: ["it", "en", "fr"]
            .map(|name| (name.to_owned(), format!("{name}.toml"), phrases.clone()))
            .into(),
        sounds: SoundInventory::every(),
        ..ScriptFiles::default()
    };
    Service::Script { script: Arc::new(ivr::Script::check(&files).unwrap()), language: None }
}

fn desk() -> Config {
    let mut config = with_trunk();
    config.services.insert("town".to_owned(), script("town"));
    config.services.insert("province".to_owned(), script("province"));
    config
}

/// Two bodies, each with a script that it calls by the same name.
fn two_bodies() -> Config {
    let mut config = with_trunk();
    for (body, number) in [("venezia", VENEZIA), ("mestre", MESTRE)] {
        let normal = config.numbering.home.normal(number).as_str().to_owned();
        config.services.insert(number.to_owned(), script(&format!("{body}/town")));
        config.bodies.numbers.insert(normal, body.to_owned());
    }
    config
}

/// Somebody calls, presses these keys and hangs up; in which language the call began.
fn calls(stage: &mut Stage, user: &str, dialled: &str, keys: &str) -> String {
    let phone = address(9);
    let before = stage.facts.len();
    let mut caller = Line::dial_from(stage, (user, phone), dialled, &sdp(phone, SENDRECV));
    caller.connect(stage);
    let leg = stage.beside.len() as u64;
    keys.chars().for_each(|key| stage.press(leg, key));
    match keys.len() {
        2 => hung_up_on(stage, &caller),
        _ => hangs_up(stage, &mut caller),
    }
    let entered = stage.facts.iter().skip(before).find_map(|fact| match &fact.kind {
        FactKind::IvrEntered { language, .. } => Some(language.clone()),
        _ => None,
    });
    entered.unwrap()
}

/// What was remembered and forgotten, in words.
fn told(stage: &Stage) -> Vec<String> {
    let told = stage.kinds().into_iter().filter_map(|kind| match kind {
        FactKind::CallerRemembered(CallerRemembered { script, language, for_s, .. }) => {
            Some(format!("{script} {language} {} d", for_s / (24 * 3600)))
        }
        FactKind::CallerForgotten(CallerForgotten { script, why, .. }) => Some(format!("{script} {why}")),
        _ => None,
    });
    told.collect()
}

/// What the log's fold knows, for whoever goes on.
fn past(stage: &Stage) -> Past {
    let mut fold = SnapshotFold::default();
    stage.facts.iter().for_each(|fact| fold.apply(fact));
    assert_eq!(*fold.snapshot(), stage.engine.snapshot());
    let stored = serde_json::to_string(&fold).unwrap();
    let fold: SnapshotFold = serde_json::from_str(&stored).unwrap();
    Past { head: Some(fold.snapshot().as_of), memories: fold.memories(), ..Past::default() }
}

fn erase(stage: &mut Stage, number: &str) -> Result<u64, CommandRefused> {
    erase_by(stage, "crm", number)
}

fn erase_by(stage: &mut Stage, by: &str, number: &str) -> Result<u64, CommandRefused> {
    let command = facts::Command::ForgetCaller { number: number.to_owned() };
    stage.input(Input::Command { id: 1, by: by.to_owned(), command });
    stage.replies.pop().unwrap().1
}

#[test]
fn who_agrees_is_known_the_next_time_by_this_script_and_over_a_restart() {
    let mut stage = Stage::with(desk(), Past::default());
    assert_eq!(calls(&mut stage, NUMBER, "town", "31"), "it");
    assert_eq!(calls(&mut stage, NUMBER, "town", ""), "fr");
    assert_eq!(calls(&mut stage, NUMBER, "province", ""), "it", "data of its own");
    assert_eq!(calls(&mut stage, "+393470000000", "town", ""), "it");
    assert_eq!(calls(&mut stage, "03471234567", "town", ""), "it", "another number");
    let past = past(&stage);
    let mut stage = Stage::with(desk(), past);
    assert_eq!(calls(&mut stage, "3471234567", "town", ""), "fr", "the same, written otherwise");
    assert_eq!(told(&stage), Vec::<String>::new(), "nothing new");
}

#[test]
fn another_language_later_is_remembered_for_the_rest_and_a_no_forgets_all() {
    let mut stage = Stage::with(desk(), Past::default());
    calls(&mut stage, NUMBER, "town", "31");
    stage.wait(10 * DAY);
    assert_eq!(calls(&mut stage, NUMBER, "town", "2"), "fr");
    assert_eq!(calls(&mut stage, NUMBER, "town", "22"), "en");
    assert_eq!(calls(&mut stage, NUMBER, "town", "22"), "it");
    assert_eq!(told(&stage), ["town fr 30 d", "town en 20 d", "town refused"]);
}

#[test]
fn when_the_time_is_over_nothing_is_known_even_if_it_was_over_while_nobody_was_there() {
    let mut stage = Stage::with(desk(), Past::default());
    calls(&mut stage, NUMBER, "town", "31");
    let past = past(&stage);
    stage.wait(29 * DAY);
    assert_eq!(calls(&mut stage, NUMBER, "town", ""), "fr");
    stage.wait(DAY + DAY);
    assert_eq!(calls(&mut stage, NUMBER, "town", ""), "it");
    assert_eq!(told(&stage), ["town fr 30 d", "town expired"]);

    let mut stage = Stage::with(desk(), past);
    stage.input(Input::Wall(stage.facts[0].at + 31 * DAY));
    stage.wait(Duration::from_secs(1));
    assert_eq!(told(&stage), ["town expired"]);
    assert_eq!(calls(&mut stage, NUMBER, "town", ""), "it");
}

#[test]
fn a_person_has_a_number_forgotten_by_every_script() {
    let mut stage = Stage::with(desk(), Past::default());
    calls(&mut stage, NUMBER, "town", "31");
    calls(&mut stage, NUMBER, "province", "21");
    calls(&mut stage, "+393470000000", "town", "21");
    assert_eq!(erase(&mut stage, "+393471111111"), Err(CommandRefused::NotFound));
    erase(&mut stage, "347 1234567").unwrap();
    assert_eq!(erase(&mut stage, NUMBER), Err(CommandRefused::NotFound));
    let mut erased = told(&stage).split_off(3);
    erased.sort();
    assert_eq!(erased, ["province erased", "town erased"]);
    let by = stage.fact(|kind| match kind {
        FactKind::CallerForgotten(forgotten) => Some((forgotten.number.clone(), forgotten.by.clone())),
        _ => None,
    });
    assert_eq!(by, (NUMBER.to_owned(), "crm".to_owned()));
    assert_eq!(calls(&mut stage, NUMBER, "town", ""), "it");
    assert_eq!(calls(&mut stage, "+393470000000", "town", ""), "en");
    assert_eq!(past(&stage).memories.len(), 1);
}

#[test]
fn nothing_is_remembered_of_whom_no_number_is_known_or_a_doubtful_one() {
    let mut stage = Stage::with(desk(), Past::default());
    for user in ["anonymous", "mario", "112", "899123456"] {
        assert_eq!(calls(&mut stage, user, "town", "31"), "it", "{user}");
        assert_eq!(calls(&mut stage, user, "town", "31"), "it", "{user}");
    }
    assert_eq!(told(&stage), Vec::<String>::new());
    // A number that calls more than people do.
    calls(&mut stage, NUMBER, "town", "31");
    let languages: Vec<String> = (0..12).map(|_| calls(&mut stage, NUMBER, "town", "")).collect();
    assert_eq!((languages[0].as_str(), languages[11].as_str()), ("fr", "it"));
}

#[test]
fn whoever_says_no_is_forgotten_however_often_they_have_called() {
    let mut stage = Stage::with(desk(), Past::default());
    calls(&mut stage, NUMBER, "town", "31");
    (0..12).for_each(|_| drop(calls(&mut stage, NUMBER, "town", "")));
    assert_eq!(calls(&mut stage, NUMBER, "town", "32"), "it", "too many calls for one person");
    assert_eq!(told(&stage), ["town fr 30 d", "town refused"]);
}

#[test]
fn what_no_script_remembers_any_more_is_forgotten() {
    let mut stage = Stage::with(desk(), Past::default());
    calls(&mut stage, NUMBER, "town", "31");
    calls(&mut stage, NUMBER, "province", "21");
    let before = past(&stage);
    let mut without = desk();
    without.services.remove("town");
    stage.input(Input::Reload(Box::new(without.clone())));
    stage.wait(Duration::from_millis(1));
    assert_eq!(told(&stage)[2..], ["town expired"]);
    assert_eq!(calls(&mut stage, NUMBER, "province", ""), "en");
    let mut stage = Stage::with(without, before);
    stage.wait(Duration::from_millis(1));
    assert_eq!(told(&stage), ["town expired"]);
}

#[test]
fn of_more_than_can_be_remembered_those_go_whose_time_ends_first() {
    let stage = Stage::with(desk(), Past::default());
    let at = stage.facts[0].at;
    let memory = |number: u64| {
        let now =
            facts::MemoryNow { language: "en".to_owned(), until: at + Duration::from_secs(3600 + number) };
        (format!("+39347{number:07}"), "town".to_owned(), now)
    };
    let past = Past { memories: (0..50_000).map(memory).collect(), ..Past::default() };
    let mut stage = Stage::with(desk(), past);
    assert_eq!(calls(&mut stage, "+393470000000", "town", ""), "en");
    calls(&mut stage, NUMBER, "town", "31");
    assert_eq!(told(&stage), ["town evicted", "town fr 30 d"]);
    assert_eq!(calls(&mut stage, "+393470000000", "town", ""), "it");
    assert_eq!(calls(&mut stage, "+393470000001", "town", ""), "en");
}

#[test]
fn what_a_body_remembers_no_other_knows_is_told_or_has_forgotten() {
    let mut stage = Stage::with(two_bodies(), Past::default());
    calls(&mut stage, NUMBER, VENEZIA, "31");
    assert_eq!(calls(&mut stage, NUMBER, MESTRE, "21"), "it", "the name is the same, and the body another");
    let past = past(&stage);
    let mut stage = Stage::with(two_bodies(), past);
    assert_eq!(calls(&mut stage, NUMBER, VENEZIA, ""), "fr");
    assert_eq!(calls(&mut stage, NUMBER, MESTRE, ""), "en");
    erase_by(&mut stage, "venezia/crm", NUMBER).unwrap();
    assert_eq!(erase_by(&mut stage, "venezia/crm", NUMBER), Err(CommandRefused::NotFound));
    assert_eq!(told(&stage), ["venezia/town erased"]);
    let is_told = |fact: &&facts::Fact| matches!(fact.kind, FactKind::CallerForgotten(_));
    let bodies: Vec<Option<&str>> =
        stage.facts.iter().filter(is_told).map(|fact| fact.body.as_deref()).collect();
    assert_eq!(bodies, [Some("venezia")]);
    assert_eq!(calls(&mut stage, NUMBER, VENEZIA, ""), "it");
    assert_eq!(calls(&mut stage, NUMBER, MESTRE, ""), "en");
    erase(&mut stage, NUMBER).unwrap();
    assert_eq!(calls(&mut stage, NUMBER, MESTRE, ""), "it", "the installation's own may forget for all");
}
