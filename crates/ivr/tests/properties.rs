//! What holds for every script and every caller.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod common;

use base::Wall;
use common::{Call, FRIDAY_MORNING, checked, shipped_files, small};
use ivr::{Answer, Input, MessageEnd, Output, QueueEnd, STEPS_MAX, Script, TransferEnd};
use proptest::prelude::*;
use std::sync::Arc;
use std::time::Duration;

/// A step is at most: entered, chosen, three things set, and then a prompt or a way out.
const OUTPUTS_MAX: usize = STEPS_MAX * 8;

fn inputs() -> impl Strategy<Value = Vec<(Input, u64)>> {
    let input = prop_oneof![
        1 => Just(Input::Start),
        6 => proptest::char::range('\u{20}', '\u{7f}').prop_map(Input::Digit),
        6 => proptest::char::range('0', '9').prop_map(Input::Digit),
        6 => any::<bool>().prop_map(|complete| Input::Played { complete }),
        1 => Just(Input::QueueEnded(QueueEnd::Overflow)),
        1 => Just(Input::QueueEnded(QueueEnd::Full)),
        1 => Just(Input::QueueEnded(QueueEnd::NobodyThere)),
        1 => Just(Input::QueueEnded(QueueEnd::Ended)),
        1 => prop::sample::select(TransferEnd::ALL.to_vec()).prop_map(Input::TransferFailed),
        3 => (0u32..6, answer()).prop_map(|(serial, answer)| Input::LookedUp { serial, answer }),
        1 => any::<bool>().prop_map(|accepted| Input::CalledBack { accepted }),
        1 => Just(Input::MessageEnded(MessageEnd::Kept)),
        1 => Just(Input::MessageEnded(MessageEnd::Empty)),
        1 => Just(Input::MessageEnded(MessageEnd::Failed)),
    ];
    proptest::collection::vec((input, 0u64..7), 0..80)
}

fn answer() -> impl Strategy<Value = Answer> {
    let found = |value: &str| Answer::Found([("status".to_owned(), value.to_owned())].into());
    prop_oneof![
        Just(Answer::Missing),
        Just(Answer::Failed),
        Just(found("open")),
        Just(found("")),
        Just(found("\u{0}no such thing")),
    ]
}

/// Names that are there and one that is not, so that some flows are sound and some are not.
fn node() -> impl Strategy<Value = String> {
    let name = || prop_oneof![Just("a"), Just("b"), Just("c"), Just("d"), Just("e")];
    prop_oneof![
        2 => name().prop_map(|next| format!("say = \"hello\"\nnext = \"{next}\"\n")),
        3 => (name(), name(), name()).prop_map(|(one, two, three)| format!(
            "no_input = {{ tries = 2, next = \"{three}\" }}\nno_match = \"{one}\"\nmenu.1 = {{ language = \"en\", next = \"{one}\" }}\n\
             menu.2 = {{ say = \"topic_work\", set = {{ topic = \"work\" }}, next = \"{two}\" }}\n"
        )),
        1 => name().prop_map(|next| format!("set = {{ topic = \"work\" }}\nnext = \"{next}\"\n")),
        1 => (name(), name()).prop_map(|(open, closed)| format!("hours = \"desk\"\nopen = \"{open}\"\nclosed = \"{closed}\"\n")),
        2 => (name(), name()).prop_map(|(full, nobody)| format!("queue = \"q\"\non.full = \"{full}\"\non.nobody = \"{nobody}\"\n")),
        1 => name().prop_map(|failed| format!("transfer = \"112\"\non.failed = \"{failed}\"\n")),
        4 => Just("say = \"goodbye\"\nhang_up = \"done\"\n".to_owned()),
    ]
}

fn flow() -> impl Strategy<Value = String> {
    proptest::collection::vec(node(), 4..6).prop_map(|nodes| {
        let head = "title = \"Any\"\nlanguages = [\"it\", \"en\"]\nstart = \"a\"\n[numbers]\n\
                    1 = { start = \"b\", set = { language = \"en\" } }\n2 = \"c\"\n3 = \"d\"\n4 = \"e\"\n";
        let named =
            nodes.iter().zip(["a", "b", "c", "d", "e"]).map(|(body, name)| format!("[{name}]\n{body}"));
        std::iter::once(head.to_owned()).chain(named).collect()
    })
}

const PHRASES: [&str; 8] = [
    "hello",
    "no_input",
    "invalid_choice",
    "press_1",
    "press_2",
    "topic_work",
    "press_for_language",
    "goodbye",
];

fn any_inputs_are_taken(script: &Arc<Script>, dialled: &str, inputs: &[(Input, u64)]) {
    let mut call = Call::new(script, dialled);
    let mut over = false;
    for (input, seconds) in inputs {
        for outputs in [call.tell(input.clone()), call.wait(Duration::from_secs(*seconds))] {
            assert!(outputs.len() <= OUTPUTS_MAX);
            assert!(!over || outputs.is_empty(), "nothing comes after the end");
            over |= outputs.iter().any(|output| matches!(output, Output::HangUp { .. }));
            let acts = outputs
                .iter()
                .filter(|output| !matches!(output, Output::Trace(_) | Output::Stop | Output::LookUp { .. }))
                .count();
            assert!(acts <= 1, "a turn comes to rest in one place: {outputs:?}");
            assert!(script.languages().any(|language| language == call.interpreter.language()));
        }
    }
}

/// Says nothing. Gives each node the same number of seconds to play, and each queue the same end.
fn a_silent_call_ends(script: &Arc<Script>, dialled: &str, wall: Wall, end: QueueEnd) {
    let mut call = Call::at(script, dialled, wall);
    let mut outputs = call.tell(Input::Start);
    for _ in 0..100 {
        let act = outputs.iter().rev().find(|output| !matches!(output, Output::Trace(_))).cloned();
        outputs = match act {
            Some(Output::HangUp { .. }) => return,
            Some(Output::Play { .. }) => call.tell(Input::Played { complete: true }),
            Some(Output::Queue(_)) => call.tell(Input::QueueEnded(end)),
            Some(Output::Transfer { .. } | Output::TransferToAgent { .. }) => {
                call.tell(Input::TransferFailed(TransferEnd::Busy))
            }
            _ => {
                let (until, _) = call.interpreter.poll_timeout().expect("it is waited for something");
                call.wait(until.since(call.now))
            }
        };
    }
    panic!("after a hundred turns the call has not ended");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_flow_has_faults_or_takes_any_input_and_ends_for_a_silent_caller(flow in flow(), inputs in inputs()) {
        let files = small(&flow, &PHRASES);
        match Script::check(&files) {
            Err(faults) => prop_assert!(!faults.is_empty()),
            Ok(script) => {
                let script = Arc::new(script);
                for dialled in ["0", "1", "2", "3", "4"] {
                    any_inputs_are_taken(&script, dialled, &inputs);
                    for end in [QueueEnd::Full, QueueEnd::NobodyThere, QueueEnd::Overflow] {
                        a_silent_call_ends(&script, dialled, FRIDAY_MORNING, end);
                        a_silent_call_ends(&script, dialled, Wall::from_unix_micros(0), end);
                    }
                }
                prop_assert!(ivr::svg(&script).starts_with("<svg "));
                prop_assert!(ivr::mermaid(&script).starts_with("flowchart "));
            }
        }
    }

    #[test]
    fn any_text_is_a_script_or_has_faults(
        flow in "(title|languages|start|say|menu|next|hang_up|queue|on|case|when|numbers|a|b|=|\\.|\\[|\\]|\\{|\\}|\"|it|,|\\n| |1){0,40}",
        phrases in "(hello|=|\"|\\{|\\}|text|sound|\\n| ){0,15}",
    ) {
        let mut files = small(&flow, &PHRASES);
        files.phrases[0].2 = phrases;
        if let Err(faults) = Script::check(&files) {
            prop_assert!(!faults.is_empty());
            prop_assert!(faults.is_sorted());
        }
    }
}

#[test]
fn the_shipped_scripts_take_any_input() {
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(100));
    for name in ["city", "helpdesk", "municipal", "statistics"] {
        let script = checked(&shipped_files(name));
        let dialled: Vec<&str> = script.dialled_numbers().into_iter().chain(["another"]).collect();
        runner
            .run(&inputs(), |inputs| {
                dialled.iter().for_each(|dialled| any_inputs_are_taken(&script, dialled, &inputs));
                Ok(())
            })
            .unwrap();
    }
}

/// So that the property above is one of sound flows too.
#[test]
fn some_of_the_flows_made_up_here_are_sound() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut sound = 0;
    for _ in 0..400 {
        let flow = flow().new_tree(&mut runner).unwrap().current();
        sound += usize::from(Script::check(&small(&flow, &PHRASES)).is_ok());
    }
    assert!(sound >= 20, "{sound} of 400");
}
