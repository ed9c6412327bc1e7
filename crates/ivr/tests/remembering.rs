//! Callers who have agreed that their language be remembered.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod common;

use base::{Time, Wall};
use common::line;
use ivr::{Entry, Input, Interpreter, Script, ScriptFiles, SoundInventory};
use std::sync::Arc;

const FLOW: &str = r#"
title     = "Remembered"
languages = ["it", "en", "fr"]
start     = "known"
remember  = { consent = "memory", for = "180d" }
[numbers]
7777 = { set = { language = "fr" } }
[known]
case      = "$remembered"
when      = { yes = "end" }
otherwise = "language"
[language]
next = "ask"
[language.menu]
1 = { language = "it" }
2 = { language = "en" }
3 = { language = "fr" }
[ask]
consent = "memory"
next    = "language"
[end]
say  = "press_1"
next = "language"
"#;

fn files(flow: &str) -> ScriptFiles {
    let own = ["press_for_language", "no_input", "invalid_choice", "consent_yes", "consent_no"];
    let keys = (1..4).map(|key| format!("press_{key}"));
    let phrases = own.iter().map(|phrase| (*phrase).to_owned()).chain(keys);
    let phrases: String = phrases.map(|phrase| format!("{phrase} = \"x\"\n")).collect();
    ScriptFiles {
        name: "desk".to_owned(),
        flow: ("flow.toml".to_owned(), flow.to_owned()),
        phrases: ["it", "en", "fr"]
            .map(|name| (name.to_owned(), format!("{name}.toml"), phrases.clone()))
            .into(),
        sounds: SoundInventory::every(),
        ..ScriptFiles::default()
    }
}

/// What the call is told and tells of languages and memories.
struct Told(Interpreter);

impl Told {
    fn begins(entry: Entry) -> (Told, Vec<String>) {
        let script = Arc::new(Script::check(&files(FLOW)).unwrap());
        let mut told = Told(Interpreter::new(script, entry));
        let first = told.input(Input::Start);
        (told, first)
    }

    fn input(&mut self, input: Input) -> Vec<String> {
        self.0.handle(Time::ZERO, Wall::default(), input);
        let lines = std::iter::from_fn(|| self.0.poll_output()).map(|output| line(&output));
        let of_interest = ["remember", "forget", "(language =", "(remembered =", "(consent_memory ="];
        lines.filter(|line| of_interest.iter().any(|start| line.starts_with(start))).collect()
    }

    fn key(&mut self, key: char) -> Vec<String> {
        self.input(Input::Digit(key))
    }
}

fn remembered(language: &str) -> Entry {
    Entry { remembered: Some(language.to_owned()), ..Entry::default() }
}

#[test]
fn a_yes_has_the_language_remembered_and_every_later_one_a_no_forgets_it() {
    let (mut told, first) = Told::begins(Entry::default());
    assert_eq!(first, Vec::<String>::new());
    assert_eq!(told.key('2'), ["(language = en)"]);
    assert_eq!(told.key('1'), ["(consent_memory = yes)", "remember en for 15552000s"]);
    assert_eq!(told.key('3'), ["(language = fr)", "remember fr"]);
    assert_eq!(told.key('2'), ["(consent_memory = no)", "forget"]);
    assert_eq!(told.key('1'), ["(language = it)"]);
}

#[test]
fn who_is_remembered_begins_in_their_language_and_may_choose_another() {
    let (mut told, first) = Told::begins(remembered("fr"));
    assert_eq!(first, ["(language = fr)", "remember fr", "(remembered = yes)"]);
    assert_eq!(told.0.node(), "end");
    told.input(Input::Played { complete: true });
    assert_eq!(told.key('2'), ["(language = en)", "remember en"]);
}

#[test]
fn what_a_service_or_a_number_says_comes_first_and_a_language_that_is_gone_counts_for_nothing() {
    let of_service = Entry { language: Some("it".to_owned()), ..remembered("en") };
    let of_number = Entry { written: "7777".to_owned(), ..remembered("en") };
    for (entry, language) in [(of_service, "it"), (of_number, "fr"), (remembered("de"), "it")] {
        let (mut told, first) = Told::begins(entry);
        assert_eq!((told.0.language(), told.0.node()), (language, "language"), "{first:?}");
        assert!(!first.iter().any(|line| line.starts_with("remember")), "{first:?}");
        assert_eq!(told.key('2'), ["(language = en)"], "nothing that was not used is changed");
    }
}

#[test]
fn wrong_ways_of_remembering_are_told() {
    for (written, otherwise, fault) in [
        (
            "for = \"180d\"",
            "for = \"6h\"",
            "flow.toml:5:41: `6h` is no time for which anybody is remembered; write it like \"180d\", 1 to 730 days",
        ),
        (
            "for = \"180d\"",
            "for = \"731d\"",
            "flow.toml:5:41: `731d` is no time for which anybody is remembered; write it like \"180d\", 1 to 730 days",
        ),
        (", for = \"180d\"", "", "flow.toml:5:1: `for` is missing; say for how long, such as for = \"180d\""),
        (
            "consent = \"memory\",",
            "consent = \"memry\",",
            "flow.toml:5:1: no node asks for the consent `memry`; write a node with consent = \"memry\"",
        ),
        (
            "yes = \"end\"",
            "oui = \"end\"",
            "flow.toml:10:15: `$remembered` is never `oui`; take the case out, or set it somewhere",
        ),
        (
            "remember  = { consent = \"memory\", for = \"180d\" }",
            "",
            "flow.toml:9:13: nothing sets `$remembered`; set it somewhere: set = { remembered = \"...\" }",
        ),
    ] {
        let flow = FLOW.replace(written, otherwise);
        let faults: Vec<String> =
            Script::check(&files(&flow)).unwrap_err().iter().map(ToString::to_string).collect();
        assert!(faults.contains(&fault.to_owned()), "{otherwise}: {faults:#?}");
    }
}
