#![no_main]
//! Files of scripts, as people might write them: each text is tried as every kind of file of a script that is otherwise sound. It
//! has faults, or is a script that takes any keys. The seeds are the broken scripts of `crates/ivr/tests/broken`.

use base::{Time, Wall};
use ivr::{Entry, Input, Interpreter, Script, ScriptFiles, SoundInventory, STEPS_MAX};
use libfuzzer_sys::fuzz_target;
use std::sync::Arc;

macro_rules! broken {
    ($path:literal) => {
        include_str!(concat!("../../crates/ivr/tests/broken/", $path))
    };
}

const SOUND: &str = broken!("sound/flow.toml");
const PHRASES: &str = broken!("sound/phrases/it.toml");
const CALENDAR: &str = broken!("sound/calendars/desk.toml");
/// A flow that uses a part, and one that asks.
const WITH_PART: &str = broken!("part_that_leads_to_no_node/flow.toml");
const WITH_LOOK_UP: &str = broken!("look_up_without_a_source/flow.toml");

/// 23 November 2026.
const TODAY: Wall = Wall::from_unix_micros(1_795_431_600_000_000);

fuzz_target!(|text: &str| {
    let named = |name: &str, text: &str| (name.to_owned(), format!("{name}.toml"), text.to_owned());
    let files = |flow: &str| ScriptFiles {
        name: "fuzzed".to_owned(),
        flow: ("flow.toml".to_owned(), flow.to_owned()),
        phrases: ["it", "en"].map(|language| named(language, PHRASES)).to_vec(),
        calendars: vec![named("desk", CALENDAR)],
        sounds: SoundInventory::every(),
        voices: ["it".to_owned()].into(),
        ..ScriptFiles::default()
    };
    try_it(&files(text));
    try_it(&ScriptFiles { phrases: vec![named("it", PHRASES), named("en", text)], ..files(SOUND) });
    try_it(&ScriptFiles { calendars: vec![named("desk", text)], ..files(SOUND) });
    try_it(&ScriptFiles { parts: vec![named("number", text)], ..files(WITH_PART) });
    try_it(&ScriptFiles { look_ups: vec![named("clients", text)], ..files(WITH_LOOK_UP) });
});

fn try_it(files: &ScriptFiles) {
    let script = match Script::check(files) {
        Ok(script) => Arc::new(script),
        Err(faults) => return assert!(!faults.is_empty() && faults.is_sorted()),
    };
    let _ = (script.prove_calendars(TODAY), ivr::svg(&script), ivr::mermaid(&script));
    let mut call = Interpreter::new(script, Entry::default());
    for input in std::iter::once(Input::Start).chain("1#294870*".chars().map(Input::Digit)) {
        call.handle(Time::ZERO, TODAY, input);
        let told = std::iter::from_fn(|| call.poll_output()).count();
        assert!(told <= STEPS_MAX * 100, "one input leads through some nodes, not many");
    }
}
