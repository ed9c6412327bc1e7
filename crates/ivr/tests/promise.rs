//! How near a human is, script by script.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod common;

use common::{shipped_files, small, told};
use ivr::{Script, ScriptFiles};
use std::time::Duration;

const PHRASES: [&str; 7] =
    ["hello", "no_input", "invalid_choice", "press_1", "press_2", "press_for_language", "goodbye"];

fn files(promise: &str, body: &str) -> ScriptFiles {
    let head = "title = \"Near\"\nlanguages = [\"it\", \"en\"]\nstart = \"one\"\n";
    let end = "[desk]\nqueue = \"desk\"\n[bye]\nhang_up = \"bye\"\n";
    let numbers = "[numbers]\n2 = { start = \"bye\", set = { language = \"en\" } }\n";
    small(&format!("{head}{promise}\n{numbers}{body}{end}"), &PHRASES)
}

fn faults(promise: &str, body: &str) -> Vec<String> {
    Script::check(&files(promise, body)).err().map(|faults| told(&faults)).unwrap_or_default()
}

/// A menu: 1 goes to `next`, silence to the end.
fn menu(name: &str, next: &str) -> String {
    format!("[{name}]\nmenu.1 = {{ say = \"hello\", next = \"{next}\" }}\nno_input = \"bye\"\n")
}

#[test]
fn a_human_may_be_as_many_keys_away_as_is_promised_and_no_more() {
    let body = menu("one", "two") + &menu("two", "three") + &menu("three", "desk");
    assert_eq!(faults("promise = { keys = 3 }", &body), [""; 0]);
    assert_eq!(
        faults("promise = { keys = 2 }", &body),
        [
            "flow.toml:7:2: from node `one` a human is 3 keys away, and 2 are promised; shorten the way, or write promise.keys"
        ]
    );
}

#[test]
fn who_cannot_press_keys_is_near_where_silence_leads_to_a_human() {
    let body = |next: &str| {
        format!(
            "[one]\nmenu.1 = {{ say = \"hello\", next = \"{next}\" }}\nno_input = {{ tries = 1, next = \"desk\" }}\n\
             [end]\nsay = \"goodbye\"\nnext = \"bye\"\n"
        )
    };
    assert_eq!(
        faults("", &body("end")),
        [
            "flow.toml:10:2: from node `end` no caller comes to a human or a callback for sure; lead a key of it, or who presses none, to a queue"
        ]
    );
    assert_eq!(faults("", body("bye").split("[end]").next().unwrap()), [""; 0]);
}

#[test]
fn the_longest_words_of_any_language_count() {
    let body = "[one]\nsay = [\"hello\", \"goodbye\"]\nnext = \"desk\"\n";
    let mut files = files("promise = { within = \"10s\" }", body);
    files.sounds.add("it/hello".to_owned(), Some(Duration::from_secs(4)));
    files.sounds.add("en/hello".to_owned(), Some(Duration::from_secs(9)));
    files.sounds.add("it/goodbye".to_owned(), Some(Duration::from_millis(900)));
    files.sounds.add("en/goodbye".to_owned(), Some(Duration::from_millis(1)));
    assert!(Script::check(&files).is_ok());
    files.sounds.add("en/hello".to_owned(), Some(Duration::from_millis(9_200)));
    assert_eq!(
        told(&Script::check(&files).unwrap_err()),
        [
            "flow.toml:7:2: from node `one` a human is 11 s away, and 10 s are promised; shorten the way, or write promise.within"
        ]
    );
}

#[test]
fn what_data_decide_is_taken_at_its_worst_and_a_refusal_is_meant() {
    let body = |refusal: &str| {
        format!(
            "[one]\ncase = \"$caller\"\nwhen = {{ x = \"no\" }}\notherwise = \"desk\"\n[no]\nhang_up = \"no\"\n{refusal}"
        )
    };
    assert_eq!(faults("", &body("")).len(), 1);
    assert_eq!(faults("", &body("refusal = true\n")), [""; 0]);
}

#[test]
fn a_closed_desk_promises_no_human() {
    let body = "[one]\nhours = \"desk\"\nopen = \"desk\"\nclosed = \"shut\"\n[shut]\nsay = \"goodbye\"\nnext = \"bye\"\n";
    assert_eq!(faults("", body), [""; 0]);
}

#[test]
fn the_shipped_scripts_are_as_near_as_they_promise() {
    for name in ["helpdesk", "statistics"] {
        let mut files = shipped_files(name);
        let promise = "promise = { keys = 3, within = \"4m\" }\nstart ";
        files.flow.1 = files.flow.1.replacen("start ", promise, 1);
        assert_eq!(Script::check(&files).err().map(|faults| told(&faults)), None, "{name}");
    }
}

#[test]
fn a_sound_of_no_length_is_a_fault_where_its_phrase_stands() {
    let mut files = files("", "[one]\nsay = \"hello\"\nnext = \"desk\"\n");
    files.sounds.add("en/hello".to_owned(), Some(Duration::ZERO));
    assert_eq!(
        told(&Script::check(&files).unwrap_err()),
        [
            "phrases/en.toml:1:1: nothing can be heard of the sound `en/hello`; it is empty, broken off or of a kind that is not read; convert or record it again: ffmpeg -i FILE -ac 1 OUT.opus"
        ]
    );
}
