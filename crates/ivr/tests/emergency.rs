//! Calls to a desk that somebody has closed by command.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod common;

use common::{Call, checked, small};
use ivr::{Closed, Input};

const FLOW: &str = r#"
title     = "Desk"
languages = ["it", "en"]
start     = "hello"
[numbers]
800 = { start = "hello", set = { language = "en" } }
[emergency]
start    = "shut"
messages = ["strike", "flood"]
[hello]
say  = "welcome"
next = "open"
[open]
hours  = "desk"
open   = "wait"
closed = "closed"
[wait]
queue = "desk"
music = "moh/calm"
[closed]
say     = "goodbye"
hang_up = "closed"
[shut]
say     = "goodbye"
hang_up = "emergency"
"#;

const PHRASES: [&str; 4] = ["welcome", "goodbye", "strike", "flood"];

fn closed(message: &str) -> Closed {
    Closed { rule: "emergency close by anna: sciopero".to_owned(), message: message.to_owned() }
}

fn call(flow: &str, dialled: &str, closed: Closed) -> Call {
    let mut call = Call::new(&checked(&small(flow, &PHRASES)), dialled);
    call.interpreter.close(closed);
    call
}

#[test]
fn the_message_is_heard_in_the_calls_language_and_then_the_emergency_node() {
    let mut call = call(FLOW, "800", closed("strike"));
    let begin = call.lines(Input::Start);
    assert!(begin.iter().any(|line| line.contains("emergency close by anna: sciopero")), "{begin:?}");
    assert_eq!(begin.last().unwrap(), "play en/strike|it/strike");
    assert!(call.key('1').is_empty(), "keys are lost while it is heard");
    let next = call.played();
    assert_eq!(next.last().unwrap(), "play en/goodbye|it/goodbye");
    assert_eq!(call.interpreter.node(), "shut");
    assert_eq!(call.played().last().unwrap(), "hang up: emergency");
}

#[test]
fn without_a_message_the_emergency_node_comes_at_once() {
    for message in ["", "unheard_of"] {
        let mut call = call(FLOW, "1", closed(message));
        assert_eq!(call.lines(Input::Start).last().unwrap(), "play it/goodbye", "{message}");
        assert_eq!(call.interpreter.node(), "shut");
    }
}

#[test]
fn a_script_that_names_no_node_goes_its_way_and_every_calendar_says_closed() {
    let flow = FLOW.replace("start    = \"shut\"\n", "");
    let flow = flow.split("[shut]").next().unwrap();
    let mut call = call(flow, "1", closed("flood"));
    assert_eq!(call.lines(Input::Start).last().unwrap(), "play it/flood");
    assert_eq!(call.played().last().unwrap(), "play it/welcome");
    // It is Friday at ten, and the calendar would be open.
    let decided = call.played();
    assert!(decided.iter().any(|line| line.contains("emergency close by anna")), "{decided:?}");
    assert_eq!(call.interpreter.node(), "closed");
}

#[test]
fn a_script_that_asks_no_calendar_ends_the_call_after_the_message() {
    let flow = "title = \"x\"\nlanguages = [\"it\", \"en\"]\nstart = \"out\"\n[numbers]\n1 = { start = \"out\", set = { language = \"en\" } }\n\
                [emergency]\nmessages = [\"strike\"]\n[out]\ntransfer = \"0612345678\"\n";
    let mut heard = call(flow, "2", closed("strike"));
    assert_eq!(heard.lines(Input::Start).last().unwrap(), "play it/strike");
    assert_eq!(heard.played().last().unwrap(), "hang up: emergency");
    let mut silent = call(flow, "2", closed(""));
    assert_eq!(silent.lines(Input::Start).last().unwrap(), "hang up: emergency");
}

#[test]
fn a_desk_that_is_not_closed_never_says_so() {
    let mut call = Call::new(&checked(&small(FLOW, &PHRASES)), "1");
    assert_eq!(call.lines(Input::Start).last().unwrap(), "play it/welcome");
    call.played();
    assert_eq!(call.interpreter.node(), "wait");
}
