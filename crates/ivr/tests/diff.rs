//! What has changed between two versions of a script, told in words.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod common;

use common::{checked, shipped_files, small};
use ivr::{ScriptFiles, diff, summary};

const FLOW: &str = r#"
title     = "A desk"
languages = ["it", "en"]
start     = "open"
promise   = { keys = 4 }

[numbers]
1510 = "topic"
2    = { start = "open", set = { language = "en" } }

[open]
hours  = "desk"
open   = "topic"
closed = "closed"

[topic]
next = "wait"
timeout = "6s"
[topic.menu]
1 = { say = "topic_work", set = { topic = "work" } }
2 = { say = "topic_home" }

[wait]
queue          = "desk"
say            = "please_wait"
overflow_after = "5m"
on.overflow    = "later"

[later]
say  = "please_wait"
next = "wait_again"

[wait_again]
queue   = "second"
on.full = "call_me"

[call_me]
callback = "second"
tries    = 2
next     = "closed"

[closed]
say     = "closed_now"
hang_up = "closed"
refusal = true
"#;

const PHRASES: [&str; 9] = [
    "topic_work",
    "topic_home",
    "press_1",
    "press_2",
    "press_3",
    "please_wait",
    "closed_now",
    "no_input",
    "invalid_choice",
];

fn desk() -> ScriptFiles {
    small(FLOW, &PHRASES)
}

/// The differences after the texts of a file have been replaced.
fn told(change: impl FnOnce(&mut ScriptFiles)) -> (Vec<String>, Vec<String>) {
    let was = desk();
    let mut is = was.clone();
    change(&mut is);
    let found = diff(&checked(&was), &checked(&is));
    found.iter().map(|one| one.told()).map(|told| (told.it, told.en)).unzip()
}

fn flow(pairs: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
    told(|files| {
        for (was, is) in pairs {
            assert!(files.flow.1.contains(was), "{was}");
            files.flow.1 = files.flow.1.replace(was, is);
        }
    })
}

/// What is changed in the files, where, and what is said of it.
type Case = (&'static [(&'static str, &'static str)], &'static str, &'static str);

#[test]
fn each_change_of_a_flow_is_told_in_words() {
    let cases: [Case; 14] = [
        (
            &[("A desk", "Our desk")],
            "titolo: ora «Our desk» (prima «A desk»)",
            "title: now \"Our desk\" (before: \"A desk\")",
        ),
        (
            &[("start     = \"open\"", "start     = \"topic\""), ("1510 = \"topic\"", "1510 = \"open\"")],
            "le chiamate cominciano in: ora «topic» (prima «open»)|numero chiamato 1510: ora «open» (prima «topic»)",
            "calls begin in: now \"topic\" (before: \"open\")|dialled number 1510: now \"open\" (before: \"topic\")",
        ),
        (
            &[("keys = 4", "keys = 3")],
            "promessa: ora «3 tasti e 5 min» (prima «4 tasti e 5 min»)",
            "promise: now \"3 keys and 5 min\" (before: \"4 keys and 5 min\")",
        ),
        (
            &[("on.overflow    = \"later\"", "on.overflow    = \"later\"\non.full = \"later\"")],
            "nodo «wait»: se la coda è piena porta a «later» (prima a fine chiamata (queue_full))",
            "node \"wait\": a full queue leads to \"later\" (before: the end of the call (queue_full))",
        ),
        (
            &[("2 = { say", "3 = { say")],
            "nodo «topic»: «topic_home → «wait»» passa dal tasto 2 al tasto 3",
            "node \"topic\": \"topic_home → \"wait\"\" moves from key 2 to key 3",
        ),
        (
            &[("2 = { say = \"topic_home\" }\n", "")],
            "nodo «topic»: il tasto 2: tolto (era «topic_home → «wait»»)",
            "node \"topic\": key 2: removed (was \"topic_home → \"wait\"\")",
        ),
        (
            &[("topic = \"work\"", "topic = \"labour\"")],
            "nodo «topic»: il tasto 1: ora «topic_work (topic = labour) → «wait»» (prima «topic_work (topic = work) → «wait»»)",
            "node \"topic\": key 1: now \"topic_work (topic = labour) → \"wait\"\" (before: \"topic_work (topic = work) → \"wait\"\")",
        ),
        (
            &[("timeout = \"6s\"", "timeout = \"8s\"")],
            "nodo «topic»: l'attesa di un tasto: ora «8 s» (prima «6 s»)",
            "node \"topic\": the wait for a key: now \"8 s\" (before: \"6 s\")",
        ),
        (
            &[
                ("1 = { say = \"topic_work\", set = { topic = \"work\" } }\n", ""),
                (
                    "2 = { say = \"topic_home\" }\n",
                    "2 = { say = \"topic_home\" }\n1 = { say = \"topic_work\", set = { topic = \"work\" } }\n",
                ),
            ],
            "nodo «topic»: l'ordine dei tasti: ora «2 1» (prima «1 2»)",
            "node \"topic\": the order of the keys: now \"2 1\" (before: \"1 2\")",
        ),
        (
            &[("tries    = 2", "tries    = 3\npause    = \"20m\"")],
            "nodo «call_me»: la pausa fra i tentativi: ora «20 min» (prima «10 min»)|nodo «call_me»: quante volte si richiama: ora «3» (prima «2»)",
            "node \"call_me\": the pause between tries: now \"20 min\" (before: \"10 min\")|node \"call_me\": how often to call: now \"3\" (before: \"2\")",
        ),
        (
            &[("overflow_after = \"5m\"", "overflow_after = \"7m\"")],
            "nodo «wait»: l'attesa massima: ora «7 min» (prima «5 min»)",
            "node \"wait\": the longest wait: now \"7 min\" (before: \"5 min\")",
        ),
        (
            &[("\"later\"", "\"patience\""), ("[later]", "[patience]")],
            "nodo «patience»: prima si chiamava «later»",
            "node \"patience\": was called \"later\"",
        ),
        (
            &[
                ("next = \"wait_again\"", "next = \"pause\""),
                ("[wait_again]", "[pause]\nsay = \"please_wait\"\nnext = \"wait_again\"\n[wait_again]"),
            ],
            "nodo «later»: poi porta a «pause» (prima a «wait_again»)|nodo «pause»: aggiunto (say)",
            "node \"later\": afterwards it leads to \"pause\" (before: \"wait_again\")|node \"pause\": added (say)",
        ),
        (
            &[("say     = \"closed_now\"", "say     = [\"closed_now\", \"please_wait@en\"]")],
            "nodo «closed»: che cosa si sente: ora «closed_now, please_wait@en» (prima «closed_now»)",
            "node \"closed\": what is said: now \"closed_now, please_wait@en\" (before: \"closed_now\")",
        ),
    ];
    for (pairs, it, en) in cases {
        let (italian, english) = flow(pairs);
        assert_eq!((italian.join("|").as_str(), english.join("|").as_str()), (it, en), "{pairs:?}");
    }
}

#[test]
fn phrases_are_told_by_language_and_calendars_by_their_rules() {
    let (it, _) = told(|files| {
        let english = &mut files.phrases[1].2;
        *english = english.replace("text of closed_now", "We are closed.");
        let day = &mut files.calendars[0].2;
        *day = day.replace("09:00-13:00", "08:00-12:00");
        day.push_str(
            "mon = []\n[[exception]]\nname = \"August\"\nfrom = 2027-08-10\nto = 2027-08-20\nclosed = true\n",
        );
    });
    assert_eq!(
        it,
        [
            "frase «closed_now»: in en: ora «We are closed.» (prima «text of closed_now»)",
            "calendario «desk»: venerdì: ora «08:00-12:00» (prima «09:00-13:00»)",
            "calendario «desk»: l'eccezione «August»: aggiunto «2027-08-10 – 2027-08-20: chiuso»",
            "calendario «desk»: lunedì: aggiunto «chiuso»",
        ]
    );
}

#[test]
fn a_script_does_not_differ_from_itself_and_a_change_is_summed_up_in_a_line() {
    for name in ["helpdesk", "statistics"] {
        let script = checked(&shipped_files(name));
        assert_eq!(diff(&script, &script), []);
    }
    let mut is = desk();
    is.flow.1 = is.flow.1.replace("timeout = \"6s\"", "timeout = \"8s\"");
    is.phrases[0].2 = is.phrases[0].2.replace("text of", "Testo di");
    let found = summary(&diff(&checked(&desk()), &checked(&is)));
    assert_eq!((found.it.as_str(), found.en.as_str()), ("1 nodo, 9 frasi", "1 node, 9 phrases"));
    assert_eq!(summary(&[]).it, "nessuna differenza");
}

#[test]
fn what_is_remembered_of_callers_is_told() {
    let remembers = |days: &str| {
        let mut files = small(FLOW, &[&PHRASES[..], &["consent_yes", "consent_no"]].concat());
        let flow = &mut files.flow.1;
        *flow = flow.replace(
            "promise   =",
            &format!("remember = {{ consent = \"memory\", for = \"{days}\" }}\npromise   ="),
        );
        *flow = flow.replace("[later]\n", "[later]\nconsent = \"memory\"\n");
        checked(&files)
    };
    let found = diff(&remembers("30d"), &remembers("730d"));
    let told: Vec<_> = found.iter().map(|one| one.told().it).collect();
    assert_eq!(
        told,
        ["si ricorda la lingua: ora «consent_memory, 730 giorni» (prima «consent_memory, 30 giorni»)"]
    );
}
