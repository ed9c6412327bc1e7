//! What a caller hears in a node, told without a call, is what a call plays there.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod common;

use common::{checked, shipped_files, small};
use ivr::{Entry, Heard, Input, Interpreter, Output, hear, hear_position, wordings};
use media_api::Sound;
use std::collections::BTreeMap;
use std::sync::Arc;

fn sounds(heard: &[Heard]) -> Vec<Sound> {
    heard.iter().filter_map(|one| one.sound.clone()).collect()
}

#[test]
fn every_first_word_of_the_shipped_scripts_is_heard_as_a_call_plays_it() {
    for name in ["helpdesk", "statistics"] {
        let files = shipped_files(name);
        let nodes: Vec<String> = checked(&files).nodes().map(str::to_owned).collect();
        let mut compared = 0;
        for node in &nodes {
            for language in ["it", "en"] {
                // A number of its own leads to the node.
                let mut own = files.clone();
                let from = own.flow.1.find("[numbers]").unwrap() + "[numbers]".len();
                own.flow.1.insert_str(
                    from,
                    &format!("\n7777 = {{ start = \"{node}\", set = {{ language = \"{language}\" }} }}\n"),
                );
                // Not everywhere may a call begin: from some nodes a human would be too far.
                let Ok(script) = ivr::Script::check(&own).map(Arc::new) else { continue };
                let mut call = Interpreter::new(
                    Arc::clone(&script),
                    Entry { written: "7777".to_owned(), ..Entry::default() },
                );
                call.handle(base::Time::ZERO, common::FRIDAY_MORNING, Input::Start);
                let outputs: Vec<Output> = std::iter::from_fn(|| call.poll_output()).collect();
                let played = outputs.into_iter().find_map(|output| match output {
                    Output::Play { sounds } if call.node() == node => Some(sounds),
                    _ => None,
                });
                let heard = hear(&script, node, language, &BTreeMap::new()).unwrap();
                if let Some(played) = played {
                    assert_eq!(sounds(&heard), played, "{node} in {language}");
                    assert!(heard.iter().all(|one| one.text.is_some()));
                    compared += 1;
                }
            }
        }
        assert!(compared >= 8, "{compared} nodes that speak");
    }
}

const FLOW: &str = "title = \"x\"\nlanguages = [\"it\", \"en\"]\nstart = \"ask\"\n\
    [numbers]\n2 = { set = { language = \"en\" } }\n[ask]\nsay = \"type\"\ncollect = \"case\"\ndigits = \"3\"\nnext = \"tell\"\n\
    [tell]\nsay = [\"typed\", { digits = \"$case\" }]\nhang_up = \"bye\"\nrefusal = true\n";

#[test]
fn what_is_known_is_said_and_what_cannot_be_said_is_told() {
    let digits = (0..=9).map(|digit| format!("digit_{digit}")).collect::<Vec<_>>();
    let own = ["type", "typed", "no_input", "invalid_choice"];
    let phrases: Vec<&str> = own.into_iter().chain(digits.iter().map(String::as_str)).collect();
    let script = checked(&small(FLOW, &phrases));
    let known = |case: &str| BTreeMap::from([("case".to_owned(), case.to_owned())]);
    let words = |heard: Vec<Heard>| heard.into_iter().map(|one| one.words).collect::<Vec<_>>();
    let heard = hear(&script, "tell", "en", &known("41")).unwrap();
    assert_eq!(heard[1].language, "en");
    assert_eq!(words(heard), ["typed", "digit_4", "digit_1"]);
    let heard = hear(&script, "tell", "it", &known("four")).unwrap();
    assert_eq!((heard[1].words.as_str(), &heard[1].sound), ("four", &None));
    assert_eq!(hear(&script, "nowhere", "it", &known("1")), None);
    assert_eq!(hear(&script, "tell", "xx", &known("1")), None);
}

#[test]
fn a_place_is_heard_as_a_queue_says_it_and_every_wording_is_listed() {
    let files = shipped_files("helpdesk");
    let script = checked(&files);
    for place in [1, 9, 34, 60, 61] {
        assert_eq!(sounds(&hear_position(&script, "sq", place)), script.position("sq", place), "{place}");
    }
    let (all, faults) = wordings(&files);
    assert_eq!(faults, []);
    let welcome: Vec<_> = all.iter().filter(|one| one.phrase == "welcome" && one.language == "it").collect();
    assert_eq!(welcome.len(), 1);
    assert_eq!(welcome[0].source, "it/welcome");
}

#[test]
fn a_place_of_which_one_fragment_is_missing_is_waited_for_without_a_number() {
    let flow = "title = \"x\"\nlanguages = [\"it\", \"en\"]\nstart = \"wait\"\n[numbers]\n2 = { set = { language = \"en\" } }\n\
                [wait]\nqueue = \"q\"\nposition_every = \"45s\"\non.nobody = \"bye\"\n[bye]\nhang_up = \"bye\"\nrefusal = true\n";
    let numbers = (1..=9).map(|n| format!("digit_{n}")).chain((10..=60).map(|n| format!("number_{n}")));
    let others = ["you_are_number", "please_wait", "number_61", "number_100"].map(str::to_owned);
    let phrases: Vec<String> = numbers.chain(others).collect();
    let phrases: Vec<&str> = phrases.iter().map(String::as_str).collect();
    let mut files = small(flow, &phrases);
    // English has no 61, and says "and" after a hundred, which nobody has recorded.
    files.phrases[1].2 = files.phrases[1].2.replace("number_61 = \"text of number_61\"\n", "");
    let script = checked(&files);
    let said = |language, place| {
        let heard = hear_position(&script, language, place);
        heard.into_iter().map(|one| one.words).collect::<Vec<_>>().join(" ")
    };
    for (language, place, words) in [
        ("it", 1, "you_are_number digit_1"),
        ("it", 60, "you_are_number number_60"),
        ("it", 61, "you_are_number number_61"),
        ("en", 61, "please_wait"),
        ("it", 62, "please_wait"),
        ("it", 101, "you_are_number number_100 digit_1"),
        ("en", 100, "you_are_number number_100"),
        ("en", 101, "please_wait"),
        ("it", 1000, "please_wait"),
        ("it", 0, "please_wait"),
    ] {
        assert_eq!(said(language, place), words, "{language} {place}");
    }
}
