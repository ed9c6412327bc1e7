//! Every example of `docs/ivr.md` is what it says it is.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod common;

use common::{checked, repository, shipped_files, told, without};
use ivr::{Script, ScriptFiles};

/// The fenced blocks whose info string is `kind`, one after the other.
fn blocks(kind: &str) -> String {
    let page = std::fs::read_to_string(repository().join("docs/ivr.md")).unwrap();
    let opening = format!("```{kind}");
    let mut text = String::new();
    let mut inside = false;
    for line in page.lines() {
        if line == opening || (inside && line == "```") {
            inside = !inside;
        } else if inside {
            text.push_str(line);
            text.push('\n');
        }
    }
    assert!(!text.is_empty(), "no block of {kind}");
    text
}

/// The script of the page, with all phrases of the shipped sounds and the page's own calendar, part and look-up.
fn files() -> ScriptFiles {
    let mut files = shipped_files("helpdesk");
    files.flow.1 = blocks("toml flow");
    let phrases = |language: &str| {
        let path = repository().join(format!("sounds/phrases/{language}.toml"));
        (language.to_owned(), format!("phrases/{language}.toml"), std::fs::read_to_string(path).unwrap())
    };
    files.phrases = ["it", "en", "fr"].map(phrases).to_vec();
    files.calendars[0].2 = blocks("toml calendar");
    let one = |folder: &str, name: &str, kind: &str| {
        vec![(name.to_owned(), format!("{folder}/{name}.toml"), blocks(kind))]
    };
    files.parts = one("parts", "number", "toml part");
    files.look_ups = one("look_ups", "clients", "toml look_up");
    files
}

#[test]
fn the_pieces_of_a_flow_are_together_a_script_without_faults() {
    let script = checked(&files());
    assert_eq!(script.title(), "A small help desk");
    assert_eq!(Vec::from_iter(script.dialled_numbers()), ["1510", "800000001"]);
    assert_eq!(Vec::from_iter(script.queues()), ["helpdesk", "second_level"]);
}

#[test]
fn the_phrases_are_phrases() {
    let mut files = files();
    let table = files.phrases.iter_mut().find(|(language, ..)| language == "en").unwrap();
    let rest: String = table
        .2
        .lines()
        .filter(|line| !["welcome =", "goodbye ="].iter().any(|key| line.starts_with(key)))
        .map(|line| format!("{line}\n"))
        .collect();
    table.2 = rest + &blocks("toml phrases");
    assert_eq!(checked(&files).text("goodbye", "en"), Some("Thank you for calling. Goodbye."));
}

#[test]
fn the_faults_are_told_in_these_words() {
    let mut files = shipped_files("helpdesk");
    files.flow.1 = files.flow.1.replacen("open   = \"topic\"", "open   = \"topics\"", 1);
    files.sounds = without(&files.sounds, "ro/topic_work");
    assert_eq!(told(&Script::check(&files).unwrap_err()).join("\n") + "\n", blocks("text"));
}

#[test]
fn the_piece_of_closures_by_command_belongs_to_the_flow() {
    let mut files = files();
    let node = "[emergency_closed]\nsay = \"goodbye\"\nhang_up = \"emergency\"\n";
    files.flow.1 += &(blocks("toml emergency") + node);
    for (language, _, text) in &mut files.phrases {
        for phrase in ["strike", "flood"] {
            text.push_str(&format!("{phrase} = {{ text = \"…\", sound = \"{language}/goodbye\" }}\n"));
        }
    }
    let script = checked(&files);
    assert!(script.has_emergency_message("strike") && !script.has_emergency_message("goodbye"));
}
