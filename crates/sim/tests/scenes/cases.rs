//! Cases of scripts: those that the repository ships, and what is told of wrong ones.

use crate::support;
use facts::{Fact, FactKind};
use ivr::{Script, SoundInventory};
use sim::cases::{Case, Coverage, Desk, Difference, read, record};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

fn repository() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn differences(case: &Case, differences: &[Difference]) -> String {
    let mut told = String::new();
    for Difference { what, expected, found } in differences {
        writeln!(
            told,
            "{}:{}: {}: {what}: expected {expected}; found {found}",
            case.file, case.line, case.name
        )
        .unwrap();
    }
    told
}

/// Plays all cases of a shipped script; gives what differs, and what was visited.
fn shipped(name: &str) -> (String, Coverage) {
    let script = Arc::new(support::shipped(name));
    let desk = Desk::new(script.clone(), &SoundInventory::default());
    let (mut told, mut coverage) = (String::new(), Coverage::of(&script));
    let file = repository().join("ivr-scripts").join(name).join("tests/calls.toml");
    let text = std::fs::read_to_string(file).unwrap();
    for case in read("calls.toml", &text, &script).unwrap() {
        let played = desk.play(&case);
        told += &differences(&case, &played.differences);
        coverage.add(&played);
    }
    (told, coverage)
}

#[test]
fn every_case_of_the_shipped_scripts_holds_and_they_visit_everything() {
    for name in ["city", "helpdesk", "municipal", "statistics"] {
        let (told, coverage) = shipped(name);
        assert_eq!(told, "", "{name}");
        let missed = (coverage.nodes_missed(), coverage.keys_missed(), coverage.languages_missed());
        assert!(missed.0.is_empty() && missed.1.is_empty() && missed.2.is_empty(), "{name}: {missed:?}");
    }
}

const FLOW: &str = r#"
title     = "Clients"
languages = ["it", "en"]
start     = "code"
[emergency]
start    = "closed"
messages = ["strike"]
[code]
collect  = "code"
digits   = "4"
masked   = true
no_input = { tries = 1, say = [], next = "ask" }
no_match = { tries = 1, say = [], next = "ask" }
next     = "client"
[client]
look_up = "clients"
with    = { code = "$code", number = "$caller" }
found   = "kind"
missing = "ask"
failed  = "wait"
[kind]
case      = "$kind"
when      = { vip = "colleague" }
otherwise = "ask"
[ask]
[ask.menu]
1 = { language = "it", next = "wait" }
2 = { language = "en", next = "wait" }
[wait]
queue          = "desk"
overflow_after = "1m"
on.overflow    = "voicemail"
on.full        = "voicemail"
on.nobody      = "voicemail"
[colleague]
transfer  = "sip:operator@example.org"
on.failed = "wait"
[voicemail]
message   = "desk"
next      = "thanks"
on.empty  = "call_me"
on.failed = "bye"
[call_me]
callback   = "desk"
next       = "called_back"
on.refused = "bye"
[called_back]
hang_up = "callback"
[closed]
hang_up = "closed_by_command"
[thanks]
hang_up = "left_a_message"
refusal = true
[bye]
hang_up = "nobody_there"
refusal = true
"#;

const CLIENTS: &str = "takes = [\"code\", \"number\"]\ngives = [\"kind\"]\n[csv]\nfile = \"clients.csv\"\n";

/// A script that asks for digits and looks them up; every phrase it needs is there.
fn clients() -> Script {
    let keys = ["press_for_language", "press_1", "press_2", "no_input", "invalid_choice", "strike"];
    let phrases: String = keys.iter().map(|key| format!("{key} = \"{key} is what is said\"\n")).collect();
    let sounds = ["it", "en"].iter().flat_map(|language| keys.map(|key| format!("{language}/{key}")));
    let files = ivr::ScriptFiles {
        name: "clients".to_owned(),
        flow: ("flow.toml".to_owned(), FLOW.to_owned()),
        phrases: ["it", "en"].map(|name| (name.to_owned(), format!("{name}.toml"), phrases.clone())).to_vec(),
        look_ups: vec![("clients".to_owned(), "clients.toml".to_owned(), CLIENTS.to_owned())],
        sounds: sounds.collect(),
        ..ivr::ScriptFiles::default()
    };
    Script::check(&files).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

/// Plays cases of that script; gives what differs.
fn played(text: &str) -> String {
    let script = Arc::new(clients());
    let desk = Desk::new(script.clone(), &SoundInventory::default());
    let cases = read("c.toml", text, &script).unwrap_or_else(|faults| panic!("{faults:#?}"));
    cases.iter().map(|case| differences(case, &desk.play(case).differences)).collect()
}

#[test]
fn look_ups_messages_and_who_is_put_through_answer_as_the_case_says() {
    let told = played(
        r#"
[every]
from = "+390612345678"
[[case]]
name            = "an important client is put through"
keys            = "4711"
look_ups        = { clients = { found = { kind = "vip" } } }
expect.nodes    = ["code", "client", "kind", "colleague"]
expect.transfer = "sip:operator@example.org"
expect.known    = { kind = "vip" }
expect.ends     = "talked"
[[case]]
name         = "whose colleague is busy waits"
keys         = "4711"
look_ups     = { clients = { found = { kind = "vip" } } }
outside      = "refuses"
agents       = [{ name = "anna" }]
expect.nodes = ["code", "client", "kind", "colleague", "wait"]
expect.agent = "anna"
[[case]]
name         = "another client chooses a language"
keys         = "4711, 2"
look_ups     = { clients = { found = { kind = "usual" } } }
agents       = [{ name = "anna", languages = ["en"] }]
expect.nodes = ["code", "client", "kind", "ask", "wait"]
expect.says  = ["press_for_language@it", "press_1@it", "press_for_language@en"]
expect.language = "en"
[[case]]
name         = "who is unknown is asked"
keys         = "4711"
look_ups     = { clients = "missing" }
expect.nodes = ["code", "client", "ask"]
expect.ends  = "no_input"
[[case]]
name         = "who cannot be looked up leaves a message"
keys         = "4711"
look_ups     = { clients = "late" }
expect.nodes = ["code", "client", "wait", "voicemail", "thanks"]
expect.ends  = "left_a_message"
[[case]]
name         = "who says nothing leaves none"
keys         = "4711"
message      = "empty"
expect.nodes = ["...", "voicemail", "call_me", "called_back"]
expect.ends  = "callback"
[[case]]
name         = "a caller whom nobody may call is told so"
keys         = "4711"
message      = "empty"
callback     = "refused"
expect.nodes = ["...", "voicemail", "call_me", "bye"]
[[case]]
name         = "a caller without a number cannot be called back"
from         = "anonymous"
keys         = "4711"
message      = "empty"
expect.nodes = ["...", "voicemail", "call_me", "bye"]
[[case]]
name         = "a queue that is full calls nobody back"
keys         = "4711"
message      = "empty"
full         = ["desk"]
expect.nodes = ["...", "voicemail", "call_me", "bye"]
[[case]]
name         = "while the desk is closed by command a caller hears why"
emergency    = "strike"
expect.nodes = ["closed"]
expect.says  = ["strike@it"]
expect.ends  = "closed_by_command"
[[case]]
name         = "a message that cannot be kept"
keys         = "4711"
message      = "failed"
expect.nodes = ["...", "voicemail", "bye"]
"#,
    );
    assert_eq!(told, "");
}

#[test]
fn what_is_otherwise_than_expected_is_told_with_what_was_found() {
    let told = played(
        r#"
[[case]]
name              = "all of it is wrong"
keys              = "4711, 1"
look_ups          = { clients = "missing" }
agents            = [{ name = "anna", does = "refuses" }, { name = "bruno" }]
expect.nodes      = ["code", "...", "bye"]
expect.says       = ["press_1@en"]
expect.never_says = ["press_*"]
expect.queue      = ""
expect.language   = "en"
expect.topic      = "work"
expect.priority   = 9
expect.agent      = "anna"
expect.known      = { kind = "vip" }
expect.ends       = "nobody_there"
expect.at_least   = "1h"
expect.at_most    = "1s"
"#,
    );
    let whats: Vec<&str> = told.lines().filter_map(|line| line.split(": ").nth(2)).collect();
    let all = "nodes says never_says agent ends language priority queue topic known at_least at_most";
    assert_eq!(whats.join(" "), all, "{told}");
    let first = told.lines().next().unwrap();
    assert_eq!(
        first,
        "c.toml:2: all of it is wrong: nodes: expected code, ..., bye; found code, client, ask, wait"
    );
    assert!(told.contains("agent: expected anna; found bruno"), "{told}");
    assert!(told.contains("ends: expected nobody_there; found talked"), "{told}");
}

#[test]
fn whatever_is_wrong_with_a_case_is_told_with_its_place() {
    let text = r#"
[every]
dialed = "1"
[[case]]
name = "x"
at   = "2027-13-01 10:00"
keys = "1, wait, 2x"
look_ups = { clients = "lost" }
agents = [{ nam = "anna" }]
callback = "granted"
emergency = "strik"
hangs_up_after = "3 minutes"
expect.nodes = ["cod"]
expect.says = ["press_3"]
expect.queue = "desc"
expect.language = "fr"
expect.end = "x"
[[case]]
keys = "1"
"#;
    let faults = read("c.toml", text, &clients()).unwrap_err();
    let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "c.toml:3:1: unknown key `dialed`; did you mean `dialled`?",
            "c.toml:6:8: `2027-13-01 10:00` is no instant; write it like 2027-04-25 10:00",
            "c.toml:7:8: `2x` is neither keys nor a wait; write it like keys = \"1, wait 3s, 2, 4711#\"",
            "c.toml:7:8: `wait` is neither keys nor a wait; write it like keys = \"1, wait 3s, 2, 4711#\"",
            "c.toml:8:24: unknown word `lost`; known here: missing, failed, late",
            "c.toml:9:11: `name` is missing; write who it is, such as name = \"anna\"",
            "c.toml:9:13: unknown key `nam`; did you mean `name`?",
            "c.toml:10:12: unknown word `granted`; known here: accepted, refused",
            "c.toml:11:13: no command may have `strik` said; name one of the messages under [emergency] in flow.toml, or \"\" for none",
            "c.toml:12:18: `3 minutes` is no length of time; write a number and s, m or h, such as 3s or 1.5m",
            "c.toml:13:17: unknown node `cod`; did you mean `code`?",
            "c.toml:14:16: unknown phrase `press_3`; did you mean `press_1`?",
            "c.toml:15:16: unknown queue `desc`; did you mean `desk`?",
            "c.toml:16:19: unknown language `fr`; known here: en, it",
            "c.toml:17:8: unknown key `end`; did you mean `ends`?",
            "c.toml:18:1: `expect` is missing; write what shall come of the call, such as expect.nodes = [\"greeting\", \"...\"]",
            "c.toml:18:1: `name` is missing; write what the case shows",
        ]
    );
}

#[test]
fn a_call_of_the_log_becomes_a_case_that_holds() {
    let shipped = Arc::new(support::shipped("helpdesk"));
    let file = repository().join("ivr-scripts/helpdesk/tests/calls.toml");
    let shipped_cases = std::fs::read_to_string(file).unwrap();
    let own = Arc::new(clients());
    let own_cases = r#"
[[case]]
name         = "put through"
from         = "0612345678"
keys         = "wait 1.7s, 4711"
look_ups     = { clients = { found = { kind = "vip" } } }
outside      = "refuses"
agents       = [{ name = "anna" }]
expect.nodes = ["..."]
[[case]]
name         = "refused"
from         = "0612345678"
keys         = "4711"
full         = ["desk"]
message      = "empty"
callback     = "refused"
expect.nodes = ["...", "call_me", "bye"]
"#;
    for (script, text) in [(shipped, shipped_cases.as_str()), (own, own_cases)] {
        let desk = Desk::new(script.clone(), &SoundInventory::default());
        for case in read("cases.toml", text, &script).unwrap() {
            let first = desk.play(&case);
            let recorded = record(&script, &first.facts, true).unwrap();
            let again = read("recorded.toml", &recorded, &script);
            let again = again.unwrap_or_else(|faults| panic!("{recorded}\n{faults:#?}"));
            let second = desk.play(&again[0]);
            assert_eq!(differences(&again[0], &second.differences), "", "{}\n{recorded}", case.name);
            assert_eq!(first.nodes(), second.nodes(), "{}", case.name);
        }
    }
}

/// The same call, of a body.
fn of_venezia(fact: &Fact) -> Fact {
    let mut fact = Fact { body: Some("venezia".to_owned()), ..fact.clone() };
    let name = match &mut fact.kind {
        FactKind::CallArrived { service: name, .. }
        | FactKind::QueueEntered { queue: name, .. }
        | FactKind::QueueRefused { queue: name, .. }
        | FactKind::OfferMade { agent: name, .. }
        | FactKind::OfferAccepted { agent: name, .. }
        | FactKind::OfferEnded { agent: name, .. } => name,
        FactKind::TransferStarted { to: name, .. }
        | FactKind::TransferCompleted { to: name }
        | FactKind::TransferFailed { to: name, .. }
            if !name.starts_with('+') =>
        {
            name
        }
        FactKind::InterpreterWanted(wish) => &mut wish.queue,
        _ => return fact,
    };
    *name = format!("venezia/{name}");
    fact
}

#[test]
fn a_call_of_a_body_becomes_a_case_of_its_own_script() {
    let script = Arc::new(support::shipped("helpdesk"));
    let desk = Desk::new(script.clone(), &SoundInventory::default());
    let file = repository().join("ivr-scripts/helpdesk/tests/calls.toml");
    let text = std::fs::read_to_string(file).unwrap();
    let mut interpreted = 0;
    for case in read("calls.toml", &text, &script).unwrap() {
        let facts = desk.play(&case).facts;
        let of_body: Vec<Fact> = facts.iter().map(of_venezia).collect();
        assert_eq!(record(&script, &of_body, true), record(&script, &facts, true), "{}", case.name);
        interpreted +=
            facts.iter().filter(|fact| matches!(fact.kind, FactKind::InterpreterWanted(_))).count();
    }
    assert!(interpreted > 0);
}

#[test]
fn a_recorded_case_names_the_caller_only_if_asked_to() {
    let script = Arc::new(clients());
    let desk = Desk::new(script.clone(), &SoundInventory::default());
    let text = "[[case]]\nname = \"x\"\nfrom = \"0612345678\"\nkeys = \"4711\"\nexpect.nodes = [\"...\"]\n";
    let case = read("c.toml", text, &script).unwrap().remove(0);
    let facts = desk.play(&case).facts;
    let masked = record(&script, &facts, false).unwrap();
    assert!(!masked.contains("12345678") && !masked.contains("4711"), "{masked}");
    assert!(masked.contains("look_ups = { clients = \"failed\" }"), "{masked}");
    assert!(record(&script, &facts, true).unwrap().contains("12345678"));
    let text = text.replace("expect", "message = \"empty\"\nexpect");
    let case = read("c.toml", &text, &script).unwrap().remove(0);
    let facts = desk.play(&case).facts;
    let masked = record(&script, &facts, false).unwrap();
    assert!(!masked.contains("12345678"), "{masked}");
    let again = desk.play(&read("r.toml", &masked, &script).unwrap()[0]);
    assert_eq!(
        again.nodes().last().unwrap(),
        "called_back",
        "they have a number, if not their own: {masked}"
    );
    let other = support::shipped("helpdesk");
    assert!(record(&other, &facts, true).unwrap_err().contains("`clients`"));
    assert!(record(&script, &[], true).is_err());
}

#[test]
fn the_case_of_the_page_about_scripts_holds() {
    let page = std::fs::read_to_string(repository().join("docs/ivr.md")).unwrap();
    let block = page.split("```toml cases\n").nth(1).unwrap().split("```").next().unwrap();
    let script = Arc::new(support::shipped("helpdesk"));
    let cases = read("page.toml", block, &script).unwrap();
    let played = Desk::new(script, &SoundInventory::default()).play(&cases[0]);
    assert_eq!(differences(&cases[0], &played.differences), "");
}
