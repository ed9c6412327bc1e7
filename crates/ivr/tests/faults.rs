//! One bad script for each fault, and the exact words.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod common;

use common::{shipped_files, small, told, without};
use ivr::{Script, ScriptFiles};

/// The phrases of the small scripts here.
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

const HEAD: &str = r#"title = "Small"
languages = ["it", "en"]
start = "hello"
"#;

/// Lines 4 to 9: in all scripts below, so that both languages are spoken and `hello` leads to `body`.
const OPENING: &str = r#"[hello]
next = "body"
[hello.menu]
1 = { language = "it" }
2 = { language = "en" }
"#;

fn files(body: &str) -> ScriptFiles {
    small(&format!("{HEAD}{OPENING}{body}"), &PHRASES)
}

fn faults(files: &ScriptFiles) -> Vec<String> {
    told(&Script::check(files).expect_err("it has a fault"))
}

/// The nodes from line 9 on, and the fault.
#[test]
fn each_fault_of_a_node_is_told_with_its_place_and_what_to_do() {
    let end = "[bye]\nhang_up = \"done\"\n";
    for (body, told) in [
        (
            "[body]\nsay = \"hello\"\nnext = \"bie\"\n",
            "flow.toml:11:8: unknown node `bie`; did you mean `bye`?",
        ),
        (
            "[body]\nsay = \"hello\"\nnext = \"elsewhere\"\n",
            "flow.toml:11:8: unknown node `elsewhere`; write a node headed [elsewhere], or name another",
        ),
        ("[body]\nsay = \"hello\"\n", "flow.toml:9:2: `next` is missing; name the node that comes then"),
        (
            "[body]\nsay = []\nnext = \"bye\"\n",
            "flow.toml:10:7: `say` says nothing; name a phrase, or take it out",
        ),
        (
            "[body]\nnext = \"bye\"\n",
            "flow.toml:9:2: node `body` does nothing; give it one of say, menu, confirm, consent, collect, survey, set, hours, case, look_up, queue, transfer, callback, message, part, hang_up",
        ),
        ("[body]\nqueu = \"q\"\n", "flow.toml:9:2: node `body` does nothing; did you mean `queue`?"),
        (
            "[body]\nqueue = \"q\"\nhang_up = \"x\"\n",
            "flow.toml:9:2: node `body` is both queue and hang_up; make two nodes of it",
        ),
        (
            "[body]\nsay = \"hello\"\nnxt = \"bye\"\nnext = \"bye\"\n",
            "flow.toml:11:1: unknown key `nxt`; did you mean `next`?",
        ),
        (
            "[body]\nsay = \"hello\"\ncolour = 1\nnext = \"bye\"\n",
            "flow.toml:11:1: unknown key `colour`; take it out; known here: barge_in, next, say",
        ),
        (
            "[body]\nsay = \"hello\"\nbarge_in = \"no\"\nnext = \"bye\"\n",
            "flow.toml:11:12: `barge_in` is of the wrong kind (string); write true or false",
        ),
        (
            "[body]\nsay = \"helo\"\nnext = \"bye\"\n",
            "flow.toml:10:7: unknown phrase `helo`; did you mean `hello`?",
        ),
        (
            "[body]\nsay = \"farewell\"\nnext = \"bye\"\n",
            "flow.toml:10:7: phrase `farewell` is missing in en, it; add farewell = \"...\" to phrases/en.toml, phrases/it.toml",
        ),
        (
            "[body]\nsay = \"hello@de\"\nnext = \"bye\"\n",
            "flow.toml:10:7: unknown language `de`; choose one of it, en, or list it in `languages`",
        ),
        (
            "[body]\nsay = \"Hello!\"\nnext = \"bye\"\n",
            "flow.toml:10:7: `Hello!` is no name for a phrase; use small letters, digits, _ and -, a letter first, 40 at most",
        ),
        (
            "[body]\nsay = \"hello\"\nnext = \"bye\"\n[lost]\nhang_up = \"lost\"\n",
            "flow.toml:12:2: no call comes to node `lost`; lead some node there, or take it out",
        ),
        (
            "[body]\nsay = \"hello\"\nnext = \"again\"\n[again]\nset = { x = \"y\" }\nnext = \"body\"\n",
            "flow.toml:9:2: a caller who does nothing never comes out of `body` → `again` → `body`; lead one of them on to an end",
        ),
        (
            "[body]\nsay = \"hello\"\nnext = \"body\"\n",
            "flow.toml:9:2: a caller who does nothing never comes out of `body` → `body`; lead one of them on to an end",
        ),
        (
            "[body]\nno_input = \"body\"\nmenu.1 = { say = \"topic_work\", next = \"bye\" }\n",
            "flow.toml:9:2: a caller who does nothing never comes out of `body` → `body`; lead one of them on to an end",
        ),
        (
            "[body]\nqueue = \"q\"\non.full = \"body\"\n",
            "flow.toml:9:2: a caller who does nothing never comes out of `body` → `body`; lead one of them on to an end",
        ),
        (
            "[body]\nqueue = \"Desk 1\"\n",
            "flow.toml:10:9: `Desk 1` is no name for `queue`; use small letters, digits, _ and -, a letter first, 40 at most",
        ),
        (
            "[body]\nqueue = \"q\"\nmusic = \"moh/clam\"\n",
            "flow.toml:11:9: there is no sound `moh/clam`; did you mean `moh/calm`?",
        ),
        (
            "[body]\nqueue = \"q\"\noverflow_after = \"5 min\"\n",
            "flow.toml:11:18: `5 min` is no duration; write it like \"45s\" or \"5m\", a day at most",
        ),
        (
            "[body]\nqueue = \"q\"\non.overflow = \"bye\"\n",
            "flow.toml:11:4: the queue never overflows; say when: overflow_after = \"5m\"",
        ),
        (
            "[body]\nqueue = \"q\"\non.empty = \"x\"\n",
            "flow.toml:11:4: unknown key `empty`; take it out; known here: full, nobody, overflow",
        ),
        (
            "[body]\nqueue = \"q\"\npriority = 10\n",
            "flow.toml:11:12: no priority is 10; choose 0 to 9, 9 being first",
        ),
        (
            "[body]\nqueue = \"q\"\nneeds = { topic = \"$mood\" }\n",
            "flow.toml:11:19: nothing sets `$mood`; set it somewhere: set = { mood = \"...\" }",
        ),
        (
            "[body]\nqueue = \"q\"\nneeds = { language = \"de\" }\n",
            "flow.toml:11:22: unknown language `de`; choose one of it, en, or list it in `languages`",
        ),
        (
            "[body]\ntransfer = \"the boss\"\n",
            "flow.toml:10:12: nobody can be called at `the boss`; write a number or sip:USER@HOST",
        ),
        (
            "[body]\nhours = \"dsk\"\nopen = \"bye\"\nclosed = \"bye\"\n",
            "flow.toml:10:9: unknown calendar `dsk`; did you mean `desk`?",
        ),
        (
            "[body]\nhours = \"desk\"\nopen = \"bye\"\n",
            "flow.toml:9:2: `closed` is missing; name the node that comes then",
        ),
        (
            "[body]\nset = {}\nnext = \"bye\"\n",
            "flow.toml:10:1: `set` sets nothing; write what, such as set = { topic = \"work\" }",
        ),
        (
            "[body]\nset = { language = \"de\" }\nnext = \"bye\"\n",
            "flow.toml:10:20: unknown language `de`; choose one of it, en, or list it in `languages`",
        ),
        (
            "[body]\ncase = \"topic\"\nwhen = { work = \"bye\" }\notherwise = \"bye\"\n",
            "flow.toml:10:8: `topic` is nothing that is known of a call; did you mean `$topic`?",
        ),
        (
            "[body]\nset = { topic = \"work\" }\nnext = \"which\"\n[which]\ncase = \"$topic\"\nwhen = { wrok = \"bye\" }\notherwise = \"bye\"\n",
            "flow.toml:14:10: `$topic` is never `wrok`; did you mean `work`?",
        ),
        (
            "[body]\nmenu = {}\n",
            "flow.toml:10:1: the menu has no keys; write at least one, such as 1 = { say = \"...\" }",
        ),
        (
            "[body]\nmenu.12 = { say = \"topic_work\", next = \"bye\" }\n",
            "flow.toml:10:6: `12` is no key of a telephone; write one of 0 to 9, \"*\" or \"#\"",
        ),
        (
            "[body]\nmenu.1 = { say = \"topic_work\" }\n",
            "flow.toml:10:6: key 1 leads nowhere; give it a `next`, or the whole menu one",
        ),
        (
            "[body]\nmenu.1 = { next = \"bye\" }\n",
            "flow.toml:10:6: key 1 is not announced; say what it is for: say = \"...\"",
        ),
        (
            "[body]\nmenu.1 = { say = \"topic_work\", next = \"bye\" }\nmenu.1 = { say = \"hello\", next = \"bye\" }\n",
            "flow.toml:11:6: `1` is written twice; keep one of the two",
        ),
        (
            "[body]\nmenu.3 = { say = \"topic_work\", next = \"bye\" }\n",
            "flow.toml:10:6: phrase `press_3` is missing in en, it; add press_3 = \"...\" to phrases/en.toml, phrases/it.toml",
        ),
        (
            "[body]\nmenu.1 = { language = \"de\", next = \"bye\" }\n",
            "flow.toml:10:23: unknown language `de`; choose one of it, en, or list it in `languages`",
        ),
        (
            "[body]\ntimeout = \"0s\"\nmenu.1 = { say = \"topic_work\", next = \"bye\" }\n",
            "flow.toml:10:11: `0s` is no duration; write it like \"45s\" or \"5m\", a day at most",
        ),
        (
            "[body]\nno_input = { tries = 0, next = \"bye\" }\nmenu.1 = { say = \"topic_work\", next = \"bye\" }\n",
            "flow.toml:10:22: 0 tries are not possible; choose 1 to 10",
        ),
        (
            "[body]\nhang_up = \"\"\n",
            "flow.toml:10:11: `` is no name for `hang_up`; use small letters, digits, _ and -, a letter first, 40 at most",
        ),
    ] {
        // `bye` is there for those that lead to it.
        let needs_end = body.contains("\"bye\"") || body.contains("bie");
        let body = if needs_end { format!("{body}{end}") } else { body.to_owned() };
        assert_eq!(faults(&files(&body)), [told], "{body}");
    }
}

#[test]
fn each_fault_of_the_head_is_told_with_its_place_and_what_to_do() {
    let nodes = format!("{OPENING}[body]\nhang_up = \"done\"\n");
    for (head, told) in [
        (
            "languages = [\"it\", \"en\"]\nstart = \"hello\"\n",
            "flow.toml:1:1: `title` is missing; say in a few words what the script is for",
        ),
        (
            "title = \"x\"\nlanguages = [\"it\", \"en\"]\n",
            "flow.toml:1:1: `start` is missing; name the node that a call begins in",
        ),
        (
            "title = \"x\"\nlanguages = [\"it\", \"en\"]\nstart = \"helo\"\n",
            "flow.toml:3:9: unknown node `helo`; did you mean `hello`?",
        ),
        (
            "title = \"x\"\nlanguages = [\"it\", \"en\", \"it\"]\nstart = \"hello\"\n",
            "flow.toml:2:26: language `it` is listed twice; keep one of the two",
        ),
        (
            "title = \"x\"\nlanguages = [\"it\", \"en\", \"Deutsch\"]\nstart = \"hello\"\n",
            "flow.toml:2:26: `Deutsch` is no language; write its two or three letters, such as \"it\"",
        ),
        (
            "title = \"x\"\nfallback_language = \"de\"\nlanguages = [\"it\", \"en\"]\nstart = \"hello\"\n",
            "flow.toml:2:21: unknown language `de`; choose one of it, en, or list it in `languages`",
        ),
        (
            "title = \"x\"\nlanguages = [\"it\", \"en\"]\nstart = \"hello\"\nstrat = 1\n",
            "flow.toml:4:1: unknown key `strat`; did you mean `start`?",
        ),
        (
            "title = \"x\"\nlanguages = [\"it\", \"en\"]\nstart = \"hello\"\nnumbers = { \"15 10\" = \"hello\" }\n",
            "flow.toml:4:13: `15 10` cannot be dialled; use digits, letters and + * # _ . -",
        ),
        (
            "title = \"x\"\nlanguages = [\"it\", \"en\"]\nstart = \"hello\"\nnumbers = { 1510 = \"hallo\" }\n",
            "flow.toml:4:20: unknown node `hallo`; did you mean `hello`?",
        ),
        (
            "title = \"x\"\nlanguages = [\"it\", \"en\"]\nstart = \"hello\"\nnumbers = { 1510 = { to = \"hello\" } }\n",
            "flow.toml:4:22: unknown key `to`; take it out; known here: set, start",
        ),
        (
            "title = \"x\nlanguages = [\"it\", \"en\"]\n",
            "flow.toml:1:11: this is not TOML: invalid basic string, expected `\"`; correct the line",
        ),
    ] {
        let script = small(&format!("{head}{nodes}"), &PHRASES);
        assert_eq!(faults(&script), [told], "{head}");
    }
}

fn sound_script() -> ScriptFiles {
    files("[body]\nsay = \"goodbye\"\nhang_up = \"done\"\n")
}

#[test]
fn the_script_that_the_faults_are_made_of_has_none() {
    assert_eq!(Script::check(&sound_script()).map(|_| ()), Ok(()));
}

#[test]
fn a_phrase_that_one_language_lacks_is_told_once_however_often_it_is_used() {
    let mut files = files(
        "[body]\nsay = [\"topic_work\", \"topic_work@en\"]\nnext = \"bye\"\n[bye]\nsay = \"topic_work\"\nhang_up = \"done\"\n",
    );
    files.phrases[1].2 = files.phrases[1].2.replace("topic_work = \"text of topic_work\"\n", "");
    assert_eq!(
        faults(&files),
        ["flow.toml:10:8: phrase `topic_work` is missing in en; add topic_work = \"...\" to phrases/en.toml"]
    );
}

#[test]
fn a_phrase_said_in_one_language_only_need_be_in_that_one() {
    let mut files = files("[body]\nsay = \"topic_work@it\"\nhang_up = \"done\"\n");
    files.phrases[1].2 = files.phrases[1].2.replace("topic_work = \"text of topic_work\"\n", "");
    assert_eq!(Script::check(&files).map(|_| ()), Ok(()));
}

#[test]
fn a_sound_that_is_missing_is_told_where_its_phrase_is_written() {
    let mut missing = sound_script();
    missing.sounds = without(&missing.sounds, "en/goodbye");
    assert_eq!(
        faults(&missing),
        [
            "phrases/en.toml:8:1: there is no sound `en/goodbye`; record it, or name another with sound = \"...\""
        ]
    );
    missing.phrases[1].2 = missing.phrases[1]
        .2
        .replace("goodbye = \"text of goodbye\"", "goodbye = { text = \"Bye\", sound = \"en/hello\" }");
    assert_eq!(Script::check(&missing).map(|_| ()), Ok(()));
}

#[test]
fn faults_of_a_phrase_file_are_told_with_those_of_the_flow() {
    let mut files = files("[body]\nsay = \"goodbye\"\nhang_up = \"no reason\"\n");
    files.phrases[1].2.push_str(
        "extra = 1\nmore = { sound = \"en/hello\" }\nlast = { text = \"x\", sond = \"en/hello\" }\n",
    );
    assert_eq!(
        faults(&files),
        [
            "flow.toml:11:11: `no reason` is no name for `hang_up`; use small letters, digits, _ and -, a letter first, 40 at most",
            "phrases/en.toml:9:9: `extra` is of the wrong kind (integer); write a text in quotes",
            "phrases/en.toml:10:1: `text` is missing; write what is said",
            "phrases/en.toml:11:22: unknown key `sond`; did you mean `sound`?",
        ]
    );
}

#[test]
fn a_position_needs_every_number_in_every_language() {
    let files = files("[body]\nqueue = \"q\"\nposition_every = \"45s\"\n");
    let faults = faults(&files);
    assert_eq!(faults.len(), 9 + 51 + 2);
    assert!(faults.contains(
        &"flow.toml:11:1: phrase `number_42` is missing in en, it; add number_42 = \"...\" to phrases/en.toml, phrases/it.toml".to_owned()
    ));
}

#[test]
fn languages_and_phrase_files_must_be_the_same_and_each_must_be_spoken() {
    let mut files = sound_script();
    files.phrases.push(("de".to_owned(), "phrases/de.toml".to_owned(), String::new()));
    assert_eq!(
        faults(&files),
        [
            "flow.toml:2:13: there are phrases in `de`, which is not listed; list the language, or take its file away"
        ]
    );
    let mut files = sound_script();
    files.flow.1 = files.flow.1.replace("[\"it\", \"en\"]", "[\"it\", \"en\", \"de\"]");
    assert_eq!(
        faults(&files),
        [
            "flow.toml:2:26: language `de` has no phrases; write phrases/de.toml",
            "flow.toml:2:26: no caller can come to language `de`; offer it in a menu: { language = \"de\" }",
        ]
    );
}

#[test]
fn a_calendar_with_a_fault_is_told_in_its_own_file_and_only_there() {
    let mut files =
        files("[body]\nhours = \"desk\"\nopen = \"bye\"\nclosed = \"bye\"\n[bye]\nhang_up = \"done\"\n");
    files.calendars[0].2 = "zone = \"Europe/Rom\"\nfri = [\"9-13\"]\n".to_owned();
    assert_eq!(
        faults(&files),
        [
            "calendars/desk.toml:1:8: unknown zone `Europe/Rom`; did you mean `Europe/Rome`?",
            "calendars/desk.toml:2:8: `9-13` are no hours; write it like \"09:00-13:00\"",
        ]
    );
}

#[test]
fn all_faults_of_a_shipped_script_that_is_spoilt_come_at_once() {
    let mut files = shipped_files("helpdesk");
    files.flow.1 =
        files.flow.1.replace("open   = \"topic\"", "open   = \"topics\"").replace("moh/calm", "moh/loud");
    files.sounds = without(&files.sounds, "wo/welcome");
    files.sounds = without(&files.sounds, "wo/goodbye");
    let faults = faults(&files);
    assert_eq!(faults.len(), 4, "{faults:#?}");
    assert!(faults[0].contains("unknown node `topics`; did you mean `topic`?"));
    assert!(faults[1].contains("there is no sound `moh/loud`"));
    assert!(faults[3].starts_with("phrases/wo.toml:") && faults[3].contains("`wo/goodbye`"));
}
