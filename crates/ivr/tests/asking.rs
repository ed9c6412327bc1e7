//! Digits that callers type, questions to others, and parts, told call by call.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod common;

use common::{Call, checked, small};
use ivr::{Answer, Input, MessageEnd, Script, ScriptFiles, Why};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const PHRASES: [&str; 12] = [
    "ask",
    "you_typed",
    "one_moment",
    "no_input",
    "invalid_choice",
    "press_1",
    "press_2",
    "confirm_yes",
    "confirm_no",
    "consent_yes",
    "consent_no",
    "goodbye",
];

const HEAD: &str = "title = \"Asking\"\nlanguages = [\"it\", \"en\"]\nstart = \"ask\"\n\
                    [numbers]\n2 = { set = { language = \"en\" } }\n";

const END: &str = "[bye]\nsay = \"goodbye\"\nhang_up = \"bye\"\nrefusal = true\n";

fn files(body: &str) -> ScriptFiles {
    let digits = (0..=9).map(|digit| format!("digit_{digit}")).collect::<Vec<_>>();
    let phrases: Vec<&str> = PHRASES.into_iter().chain(digits.iter().map(String::as_str)).collect();
    small(&format!("{HEAD}{body}{END}"), &phrases)
}

fn script(body: &str) -> Arc<Script> {
    checked(&files(body))
}

/// A call that hears the first question.
fn asked(body: &str) -> Call {
    let mut call = Call::new(&script(body), "1");
    assert_eq!(call.lines(Input::Start)[..1], ["(ask)"]);
    call
}

fn keys(call: &mut Call, keys: &str) -> Vec<String> {
    keys.chars().flat_map(|key| call.key(key)).collect()
}

const CASE: &str = "[ask]\nsay = \"ask\"\ncollect = \"case\"\ndigits = \"3..5\"\nend = \"#\"\nnext = \"check\"\n\
                    [check]\nsay = [\"you_typed\", { digits = \"$case\" }]\nconfirm = { yes = \"bye\", no = \"ask\" }\n";

#[test]
fn digits_end_by_their_number_their_key_or_a_pause_and_are_read_back() {
    let said = "play it/you_typed it/digit_4 it/digit_1 it/digit_2 it/confirm_yes it/press_1 it/confirm_no it/press_2";
    for (typed, pause) in [("412#", 0), ("412", 3)] {
        let mut call = asked(CASE);
        let mut lines = keys(&mut call, typed);
        lines.extend(call.wait_lines(pause));
        let heard = ["stop", "(cut)", "(typed 412)", "(case = 412)", "(check)", "(8 prompts)", said];
        assert_eq!(lines, heard, "{typed}");
    }
    let mut call = asked(CASE);
    assert!(keys(&mut call, "41234").contains(&"(case = 41234)".to_owned()), "five are all that it takes");
    assert_eq!(call.key('#'), [""; 0], "the end key that comes late chooses nothing");
    assert_eq!(call.key('2')[2..5], ["(key 2: ask)", "(ask)", "(1 prompts)"], "and 2 is no");
}

#[test]
fn too_few_digits_and_wrong_keys_are_told_and_asked_again() {
    let mut call = asked(CASE);
    let again = ["(no match 2 1)", "(2 prompts)", "play it/invalid_choice it/ask"];
    assert_eq!(keys(&mut call, "12#")[2..], again);
    call.played();
    assert_eq!(call.key('*')[..1], ["(no match * 2)"]);
    call.played();
    assert_eq!(call.interpreter.poll_timeout(), Some((call.now + Duration::from_secs(5), Why::NoInput)));
    assert_eq!(call.wait_lines(5)[0], "(no input 1)");
}

#[test]
fn what_was_typed_ahead_is_taken_and_what_is_too_much_is_the_next_answer() {
    let mut call = Call::new(&script(CASE), "1");
    keys(&mut call, "4567#1");
    let lines = call.lines(Input::Start);
    assert_eq!(lines[..5], ["(ask)", "(typed 4567)", "(case = 4567)", "(check)", "(key 1: bye)"]);
}

#[test]
fn masked_digits_are_told_to_nobody() {
    let masked = CASE.replace("end = \"#\"", "end = \"#\"\nmasked = true");
    let mut call = asked(&masked);
    assert!(call.interpreter.hides_keys());
    let lines = keys(&mut call, "412#").join(" ");
    assert!(lines.contains("(typed •••) (case = •••)") && lines.contains("it/digit_4"), "{lines}");
    assert!(!call.interpreter.hides_keys());
    let mut call = asked(&masked);
    assert!(!keys(&mut call, "12*").join(" ").contains("(no match *"), "not even a wrong one");
}

#[test]
fn a_survey_takes_the_keys_it_names_and_no_other() {
    let mut call =
        asked("[ask]\nsay = \"ask\"\nsurvey = \"satisfaction\"\nkeys = \"1..5\"\nnext = \"bye\"\n");
    assert_eq!(call.key('7')[2], "(no match 7 1)");
    assert_eq!(call.key('4')[2..4], ["(satisfaction: 4)", "(bye)"]);
}

#[test]
fn consent_is_known_and_silence_is_none() {
    let body = "[ask]\nsay = \"ask\"\nconsent = \"recording\"\nnext = \"which\"\nno_input = { tries = 1, next = \"which\" }\n\
                [which]\ncase = \"$consent_recording\"\nwhen = { yes = \"bye\", no = \"bye\" }\notherwise = \"none\"\n[none]\nhang_up = \"none\"\n";
    assert_eq!(asked(body).key('1')[2..4], ["(key 1: yes)", "(consent_recording = yes)"]);
    let mut call = asked(body);
    call.played();
    assert!(call.wait_lines(5).contains(&"hang up: none".to_owned()));
}

const CLIENT: &str = "[ask]\nlook_up = \"clients\"\nsay = \"one_moment\"\nwith = { number = \"$caller\" }\n\
                      found = \"which\"\nmissing = \"bye\"\nfailed = \"down\"\n\
                      [which]\ncase = \"$profile\"\nwhen = { PRO = \"desk\" }\notherwise = \"bye\"\n\
                      [desk]\nqueue = \"desk\"\n[down]\nhang_up = \"down\"\nrefusal = true\n";

const CLIENTS: &str = "takes = [\"number\"]\ngives = { profile = \"/profile\", priority = \"/p\", language = \"/l\" }\n\
                       [http]\nurl = \"http://127.0.0.1:1/{number}\"\n";

fn with_clients(look_up: &str) -> Arc<Script> {
    let mut files = files(CLIENT);
    files.look_ups = vec![("clients".to_owned(), "look_ups/clients.toml".to_owned(), look_up.to_owned())];
    checked(&files)
}

fn asking(look_up: &str) -> Call {
    let mut call = Call::new(&with_clients(look_up), "1");
    call.interpreter.tell("caller", "+39055");
    assert_eq!(
        call.lines(Input::Start),
        ["(ask)", "look up 1 clients +39055", "(1 prompts)", "play it/one_moment"]
    );
    call
}

fn found(values: &[(&str, &str)]) -> Input {
    let values = values.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    Input::LookedUp { serial: 1, answer: Answer::Found(values.collect::<BTreeMap<_, _>>()) }
}

#[test]
fn an_answer_cuts_the_comfort_short_and_decides() {
    let mut call = asking(CLIENTS);
    let lines =
        call.lines(found(&[("profile", "PRO"), ("priority", "7"), ("language", "en"), ("other", "x")]));
    let known = ["(language = en)", "(priority = 7)", "(profile = PRO)"];
    assert_eq!(lines[..3], ["stop", "(cut)", "(look-up clients: found)"]);
    assert_eq!(lines[3..6], known, "nothing but what it says that it gives");
    assert_eq!(lines.last().unwrap(), "queue desk language=en topic= priority=7");
}

#[test]
fn what_no_language_and_no_priority_is_does_not_become_known() {
    let mut call = asking(CLIENTS);
    let lines = call.lines(found(&[("profile", "PRO"), ("priority", "99"), ("language", "xx")]));
    assert_eq!(lines.last().unwrap(), "queue desk language=it topic= priority=0");
}

#[test]
fn nobody_waits_longer_than_the_deadline_and_a_late_answer_is_nothing() {
    let mut call = asking(CLIENTS);
    assert_eq!(call.interpreter.poll_timeout(), Some((call.now + Duration::from_secs(2), Why::LookUp)));
    assert_eq!(call.wait_lines(2)[2..4], ["(look-up clients: late)", "(down)"]);
    assert_eq!(call.lines(found(&[("profile", "PRO")])), [""; 0]);
    let mut call = asking(&CLIENTS.replace("[http]", "default = { profile = \"PRO\" }\n[http]"));
    assert_eq!(call.wait_lines(2).last().unwrap(), "queue desk language=it topic= priority=0");
    let mut call = asking(CLIENTS);
    let failed = Input::LookedUp { serial: 1, answer: Answer::Failed };
    assert_eq!(call.lines(failed)[2..4], ["(look-up clients: failed)", "(down)"]);
}

#[test]
fn a_message_and_a_callback_lead_on_by_what_came_of_them() {
    let body = "[ask]\nsay = \"ask\"\ncallback = \"desk\"\nnext = \"bye\"\non.refused = \"message\"\n\
                [message]\nmessage = \"desk\"\nlongest = \"1m\"\nnext = \"bye\"\n";
    let mut call = asked(body);
    call.interpreter.tell("caller", "+39055");
    assert_eq!(call.played()[1..], ["(left: callback)", "call back +39055 in desk it"]);
    let refused = call.lines(Input::CalledBack { accepted: false });
    assert_eq!(refused, ["(message)", "(left: message)", "message desk 60s"]);
    assert_eq!(call.lines(Input::MessageEnded(MessageEnd::Kept))[0], "(bye)");
}

#[test]
fn a_script_needs_the_queues_that_it_calls_back_from() {
    let callback = "[ask]\nsay = \"ask\"\ncallback = \"desk\"\nnext = \"bye\"\n";
    assert_eq!(Vec::from_iter(script(callback).queues()), ["desk"]);
    let both = callback.replace("next = \"bye\"", "next = \"wait\"")
        + "[wait]\nqueue = \"calls\"\non.nobody = \"bye\"\n";
    assert_eq!(Vec::from_iter(script(&both).queues()), ["calls", "desk"]);
}

const PART: &str = "parameters = [\"ask\", \"into\"]\nexits = [\"done\", \"given_up\"]\nstart = \"type\"\n\
                    [type]\nsay = \"{ask}\"\ncollect = \"{into}\"\ndigits = \"4\"\nnext = \"done\"\nno_input = \"given_up\"\n";

fn with_part(body: &str, part: &str) -> ScriptFiles {
    let mut files = files(body);
    files.parts = vec![("number".to_owned(), "parts/number.toml".to_owned(), part.to_owned())];
    files
}

const USES: &str = "[ask]\npart = \"number\"\nwith = { ask = \"ask\", into = \"case\" }\non = { done = \"pin\", given_up = \"bye\" }\n\
                    [pin]\npart = \"number\"\nwith = { ask = \"you_typed\", into = \"pin\" }\non = { done = \"bye\", given_up = \"bye\" }\n";

#[test]
fn a_part_is_walked_as_often_as_it_is_named_each_time_with_its_own_parameters() {
    let mut call = Call::new(&checked(&with_part(USES, PART)), "1");
    assert_eq!(call.lines(Input::Start), ["(ask)", "(ask/type)", "(1 prompts)", "play it/ask"]);
    let lines = keys(&mut call, "1234");
    assert_eq!(lines[2..6], ["(typed 1234)", "(case = 1234)", "(pin)", "(pin/type)"]);
    assert_eq!(lines[7], "play it/you_typed");
    assert_eq!(keys(&mut call, "5678")[2..5], ["(typed 5678)", "(pin = 5678)", "(bye)"]);
}

#[test]
fn a_text_is_said_by_a_voice_and_told_to_nobody() {
    let body = "[ask]\nsay = [\"ask\", { text = \"$caller\" }]\nnext = \"bye\"\n";
    let mut given = files(body);
    given.voices = ["it", "en"].map(str::to_owned).into();
    let mut call = Call::new(&checked(&given), "1");
    call.interpreter.tell("caller", "Mario\nRossi");
    let outputs = call.tell(Input::Start);
    let told = format!("{outputs:?}");
    assert!(told.contains("prompts: [\"it/ask\", \"speech/it\"]"), "{told}");
    assert_eq!(common::line(outputs.last().unwrap()), "play it/ask speech/it/MarioRossi");
}
