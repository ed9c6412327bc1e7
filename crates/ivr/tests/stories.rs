//! What an interpreter does, told call by call.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod common;

use common::{Call, FRIDAY_MORNING, checked, small};
use ivr::{Input, KEYS_AHEAD_MAX, Output, QueueEnd, Script, TransferEnd, Why};
use std::sync::Arc;
use std::time::Duration;

const PHRASES: [&str; 9] = [
    "hello",
    "news",
    "no_input",
    "invalid_choice",
    "press_1",
    "press_2",
    "topic_work",
    "press_for_language",
    "goodbye",
];

fn script(flow: &str) -> Arc<Script> {
    checked(&small(flow, &PHRASES))
}

fn desk() -> Arc<Script> {
    script(
        r#"
title     = "Desk"
languages = ["it", "en"]
start     = "hello"

[hello]
say  = "hello"
next = "menu"

[menu]
say      = "news"
timeout  = "4s"
next     = "desk"
no_input = { tries = 2, next = "bye" }
no_match = { tries = 2, say = ["invalid_choice", "no_input"] }

[menu.menu]
1 = { say = "topic_work", set = { topic = "work" } }
2 = { language = "en", next = "menu" }

[desk]
queue          = "desk"
say            = "hello"
priority       = 3
music          = "moh/calm"
overflow_after = "5m"
on.overflow    = "boss"

[boss]
transfer  = "sip:boss@example.org"
ring      = "20s"
on.failed = "bye"

[bye]
say     = "goodbye"
hang_up = "bye"
"#,
    )
}

/// A call that has heard `hello` and hears the menu.
fn at_menu() -> Call {
    let mut call = Call::new(&desk(), "1");
    assert_eq!(call.lines(Input::Start), ["(hello)", "(1 prompts)", "play it/hello"]);
    assert_eq!(
        call.played(),
        [
            "(heard)",
            "(menu)",
            "(5 prompts)",
            "play it/news it/topic_work it/press_1 en/press_for_language|it/press_for_language en/press_2|it/press_2",
        ]
    );
    call
}

#[test]
fn a_key_cuts_a_menu_short_and_is_its_answer() {
    let mut call = at_menu();
    assert_eq!(
        call.key('1'),
        ["stop", "(cut)", "(key 1: work)", "(topic = work)", "(desk)", "(1 prompts)", "play it/hello"]
    );
    assert_eq!(call.key('2'), [""; 0], "a key has no meaning before a queue");
    assert_eq!(call.played(), ["(heard)", "(left: queue)", "queue desk language=it topic=work priority=3"]);
    assert_eq!(call.key('2'), [""; 0], "nor in it");
}

#[test]
fn the_menu_speaks_the_language_that_was_chosen_and_falls_back_to_the_first() {
    let mut call = at_menu();
    let lines = call.key('2');
    assert_eq!(lines[2..5], ["(key 2: en)", "(language = en)", "(menu)"]);
    assert_eq!(
        lines[6],
        "play en/news|it/news en/topic_work|it/topic_work en/press_1|it/press_1 \
         en/press_for_language|it/press_for_language en/press_2|it/press_2"
    );
    assert_eq!(call.interpreter.language(), "en");
    assert_eq!(call.interpreter.node(), "menu");
}

#[test]
fn the_time_for_a_key_begins_when_the_prompt_ends() {
    let mut call = at_menu();
    assert_eq!(call.wait_lines(60), [""; 0]);
    assert_eq!(call.interpreter.poll_timeout(), None);
    assert_eq!(call.played(), ["(heard)"]);
    assert_eq!(call.interpreter.poll_timeout(), Some((call.now + Duration::from_secs(4), Why::NoInput)));
    assert_eq!(call.wait_lines(3), [""; 0], "it is not over yet");
    let again = call.wait_lines(1);
    assert_eq!(again[..2], ["(no input 1)", "(6 prompts)"]);
    assert!(again[2].starts_with("play it/no_input it/news "));
    call.played();
    assert_eq!(call.wait_lines(4), ["(no input 2)", "(bye)", "(1 prompts)", "play it/goodbye"]);
    assert_eq!(call.played(), ["(heard)", "(left: hang_up)", "hang up: bye"]);
    assert_eq!(call.interpreter.poll_timeout(), None);
}

#[test]
fn wrong_keys_are_told_and_the_last_one_ends_the_call_where_the_script_is_silent() {
    let mut call = at_menu();
    let again = call.key('7');
    assert_eq!(again[..4], ["stop", "(cut)", "(no match 7 1)", "(7 prompts)"]);
    assert!(again[4].starts_with("play it/invalid_choice it/no_input it/news "));
    call.played();
    assert_eq!(call.key('#'), ["(no match # 2)", "(left: hang_up)", "hang up: no_match"]);
    for input in [
        Input::Start,
        Input::Digit('1'),
        Input::Played { complete: true },
        Input::TransferFailed(TransferEnd::Busy),
    ] {
        assert_eq!(call.tell(input), [], "nothing comes after the end");
    }
}

#[test]
fn silence_and_wrong_keys_are_counted_apart_and_anew_in_each_visit() {
    let mut call = at_menu();
    call.played();
    call.wait_lines(4);
    assert_eq!(call.key('9')[2], "(no match 9 1)");
    assert_eq!(call.key('2')[4], "(menu)");
    call.played();
    assert_eq!(call.wait_lines(4)[0], "(no input 1)");
}

#[test]
fn keys_pressed_ahead_answer_the_menus_to_come() {
    let mut call = Call::new(&desk(), "1");
    call.tell(Input::Start);
    assert_eq!(
        call.key('2')[..7],
        ["stop", "(cut)", "(menu)", "(key 2: en)", "(language = en)", "(menu)", "(5 prompts)"]
    );
    let mut early = Call::new(&desk(), "1");
    assert_eq!(early.key('2'), [""; 0], "before anything can be heard");
    early.key('1');
    assert_eq!(
        early.lines(Input::Start),
        [
            "(hello)",
            "(menu)",
            "(key 2: en)",
            "(language = en)",
            "(menu)",
            "(key 1: work)",
            "(topic = work)",
            "(desk)",
            "(1 prompts)",
            "play en/hello|it/hello",
        ]
    );
}

#[test]
fn a_wrong_key_makes_those_after_it_worthless() {
    let mut call = Call::new(&desk(), "1");
    for key in ['7', '1', '1'] {
        call.key(key);
    }
    assert_eq!(call.lines(Input::Start)[..3], ["(hello)", "(menu)", "(no match 7 1)"]);
    assert_eq!(call.interpreter.node(), "menu");
}

#[test]
fn only_so_many_keys_are_kept_and_what_is_no_key_is_not() {
    let mut call = Call::new(&desk(), "1");
    call.key('x');
    for _ in 0..KEYS_AHEAD_MAX {
        call.key('2');
    }
    call.key('1');
    let lines = call.lines(Input::Start);
    assert_eq!(lines.iter().filter(|line| *line == "(key 2: en)").count(), KEYS_AHEAD_MAX);
    assert!(!lines.iter().any(|line| line.starts_with("(key 1")));
}

#[test]
fn a_prompt_that_must_be_heard_is_heard_and_loses_the_keys_pressed_meanwhile() {
    let script = script(
        r#"
title     = "Desk"
languages = ["it", "en"]
start     = "hello"

[hello]
say      = "hello"
barge_in = false
next     = "menu"

[menu]
barge_in = false
next     = "bye"
menu.1   = { language = "it" }
menu.2   = { language = "en" }

[bye]
hang_up = "bye"
"#,
    );
    let mut call = Call::new(&script, "1");
    call.tell(Input::Start);
    assert_eq!(call.key('1'), [""; 0]);
    assert_eq!(call.played()[1], "(menu)");
    assert_eq!(call.key('1'), [""; 0]);
    assert_eq!(call.played(), ["(heard)"]);
    assert_eq!(call.key('2')[0], "(key 2: en)");
}

#[test]
fn a_queue_gives_the_call_back_and_a_transfer_fails() {
    let mut call = at_menu();
    call.key('1');
    call.played();
    assert_eq!(call.tell(Input::TransferFailed(TransferEnd::Busy)), [], "it is not being transferred");
    assert_eq!(
        call.lines(Input::QueueEnded(QueueEnd::Overflow)),
        ["(boss)", "(left: transfer)", "transfer sip:boss@example.org 20s"]
    );
    assert_eq!(call.tell(Input::QueueEnded(QueueEnd::Full)), [], "it is not in a queue");
    assert_eq!(
        call.lines(Input::TransferFailed(TransferEnd::Busy)),
        ["(transfer_failed = busy)", "(bye)", "(1 prompts)", "play it/goodbye"]
    );
}

#[test]
fn a_wait_says_who_interprets_and_what_is_heard_meanwhile_in_the_callers_language() {
    let script = script(
        r#"
title     = "Interpreted"
languages = ["it", "en"]
start     = "wait"
[numbers]
2 = { set = { language = "en" } }
[wait]
queue       = "desk"
interpreter = { queue = "interpreters", after = "20s", within = "45s", say = ["hello", "news"] }
"#,
    );
    let outputs = Call::new(&script, "2").tell(Input::Start);
    let wanted = outputs.into_iter().find_map(|output| match output {
        Output::Queue(wait) => wait.interpreter,
        _ => None,
    });
    let wanted = wanted.unwrap();
    let heard: Vec<String> = wanted.say.iter().map(|sound| sound[0].to_string()).collect();
    assert_eq!((wanted.queue.as_str(), heard), ("interpreters", vec!["en/hello".into(), "en/news".into()]));
    assert_eq!((wanted.after, wanted.within), (Duration::from_secs(20), Duration::from_secs(45)));
}

#[test]
fn an_agent_is_wanted_by_name_and_why_they_do_not_come_decides_where_the_call_goes_on() {
    let script = script(
        r#"
title     = "By name"
languages = ["it", "en"]
start     = "who"
[numbers]
2 = { set = { language = "en" } }
[who]
set  = { referent = "anna" }
next = "anna"
[anna]
transfer  = "agent:$referent"
ring      = "20s"
on.failed = "why"
[why]
case      = "$transfer_failed"
when      = { paused = "paused", busy = "paused" }
otherwise = "bruno"
[bruno]
transfer  = "agent:bruno"
on.failed = "paused"
[paused]
hang_up = "paused"
"#,
    );
    let failed = |end| {
        let mut call = Call::new(&script, "1");
        let asked = call.lines(Input::Start);
        assert_eq!(asked.last().map(String::as_str), Some("transfer to agent anna 20s"));
        call.lines(Input::TransferFailed(end)).pop()
    };
    assert_eq!(failed(TransferEnd::Paused).as_deref(), Some("hang up: paused"));
    assert_eq!(failed(TransferEnd::LoggedOff).as_deref(), Some("transfer to agent bruno 30s"));
}

#[test]
fn an_outcome_that_the_script_does_not_name_ends_the_call_with_a_reason_of_its_own() {
    for (end, reason) in [(QueueEnd::Full, "queue_full"), (QueueEnd::NobodyThere, "nobody_there")] {
        let mut call = at_menu();
        call.key('1');
        call.played();
        assert_eq!(
            call.lines(Input::QueueEnded(end)),
            ["(left: hang_up)".to_owned(), format!("hang up: {reason}")]
        );
    }
}

#[test]
fn the_wait_carries_what_the_queue_must_know() {
    let mut call = at_menu();
    call.key('1');
    let outputs = call.tell(Input::Played { complete: true });
    let Some(Output::Queue(wait)) = outputs.last() else { panic!("{outputs:?}") };
    assert_eq!(wait.overflow_after, Some(Duration::from_secs(300)));
    assert_eq!(wait.position_every, None);
    assert_eq!(wait.music.as_ref().map(|music| music[0].to_string()).as_deref(), Some("moh/calm"));
}

#[test]
fn a_prompt_that_could_not_be_heard_to_its_end_does_not_hold_the_call_up() {
    let mut call = Call::new(&desk(), "1");
    call.tell(Input::Start);
    assert_eq!(call.lines(Input::Played { complete: false })[..2], ["(cut)", "(menu)"]);
}

#[test]
fn a_number_knows_where_to_start_in_which_language_and_what_is_already_clear() {
    let script = script(
        r#"
title     = "Desk"
languages = ["it", "en"]
start     = "closed"

[numbers]
1510 = { start = "which", set = { language = "en", topic = "work", priority = 9 } }
1511 = "which"

[closed]
hours  = "desk"
open   = "which"
closed = "bye"

[which]
case      = "$topic"
when      = { work = "desk" }
otherwise = "bye"

[desk]
queue = "desk"

[bye]
hang_up = "bye"
refusal = true
"#,
    );
    let lines = |dialled: &str, wall| Call::at(&script, dialled, wall).lines(Input::Start);
    assert_eq!(
        lines("1510", FRIDAY_MORNING),
        [
            "(language = en)",
            "(topic = work)",
            "(priority = 9)",
            "(which)",
            "(desk)",
            "(left: queue)",
            "queue desk language=en topic=work priority=9",
        ]
    );
    assert_eq!(lines("1511", FRIDAY_MORNING), ["(which)", "(bye)", "(left: hang_up)", "hang up: bye"]);
    assert_eq!(
        lines("other", FRIDAY_MORNING + Duration::from_secs(3 * 3600))[..3],
        ["(closed)", "(hours desk false weekly hours: Friday only 09:00-13:00)", "(bye)"]
    );
}

/// Such a chain cannot go round, and is still longer than anyone could have meant.
#[test]
fn a_turn_that_leads_through_too_many_nodes_ends_the_call() {
    let mut flow = "title = \"Chain\"\nlanguages = [\"it\"]\nstart = \"n0\"\n".to_owned();
    for n in 0..70 {
        flow.push_str(&format!("[n{n}]\nset = {{ n = \"{n}\" }}\nnext = \"n{}\"\n", n + 1));
    }
    flow.push_str("[n70]\nhang_up = \"done\"\n");
    let mut files = small(&flow, &[]);
    files.phrases.pop();
    let mut call = Call::new(&checked(&files), "1");
    let lines = call.lines(Input::Start);
    assert_eq!(lines.last().unwrap(), "hang up: script_limit");
    assert_eq!(lines.iter().filter(|line| line.starts_with("(n")).count(), 2 * ivr::STEPS_MAX);
}
