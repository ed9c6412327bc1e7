//! The commands beside `serve`: scripts, phones, the log.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails panics")]

mod support;

use phone::{Phone, PhoneConfig};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;
use support::{Exchange, Folder, PATIENCE, Program, cornetta, home, run, text, wait_for};

const SECRET: &str = "reads-everything-0001";
const CONFIG: &str = r#"
[sip]
listen  = ["udp:127.0.0.1:0"]
open_to = ["127.0.0.0/8"]
[http]
listen = "127.0.0.1:0"
[[service]]
number = "echo"
kind   = "echo"
"#;

fn told(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    text(&output.stdout)
}

fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    text(&output.stderr)
}

#[test]
fn scripts_are_checked_and_drawn() {
    for script in ["city", "helpdesk", "municipal", "statistics"] {
        let folder = format!("ivr-scripts/{script}");
        let checked = told(&run(&home(), &["ivr", "check", &folder]));
        assert!(checked.starts_with(&format!("{script}: sound: ")), "{checked}");
        let mermaid = told(&run(&home(), &["ivr", "graph", &folder, "--format", "mermaid"]));
        assert!(mermaid.starts_with("flowchart") && mermaid.contains("-->"), "{mermaid}");
        assert_eq!(mermaid, told(&run(&home(), &["ivr", "graph", &folder])));
        let svg = told(&run(&home(), &["ivr", "graph", &folder, "--format", "svg"]));
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"), "{svg}");
    }
}

#[test]
fn cases_of_a_script_are_played_told_and_counted() {
    for script in ["helpdesk", "statistics"] {
        let folder = format!("ivr-scripts/{script}");
        let played = told(&run(&home(), &["ivr", "test", &folder, "--min-coverage", "100"]));
        assert!(
            played.contains(" cases, 0 differ; ") && played.contains("visited 100 %: nodes "),
            "{played}"
        );
    }

    let folder = Folder::new("");
    let flow = "title = \"x\"\nlanguages = [\"it\"]\nstart = \"a\"\n[a]\nhang_up = \"done\"\n";
    folder.write("menu/flow.toml", flow);
    folder.write("menu/phrases/it.toml", "");
    let none = run(folder.path(), &["ivr", "test", "menu"]);
    assert_eq!(none.status.code(), Some(2));
    assert!(text(&none.stderr).contains("there is no case in menu/tests"), "{}", text(&none.stderr));

    let case = "[[case]]\nname = \"<it> ends\"\nexpect.nodes = [\"a\"]\nexpect.ends = \"closed\"\n";
    folder.write("menu/tests/a.toml", case);
    let differs = run(folder.path(), &["ivr", "test", "menu", "--junit", "junit.xml"]);
    assert_eq!(differs.status.code(), Some(1));
    let found = text(&differs.stdout);
    let expected = "FAIL  menu/tests/a.toml:1: <it> ends\n      ends: expected closed\n            found    done\n\
                    1 cases, 1 differ; ";
    assert!(found.starts_with(expected), "{found}");
    let junit = std::fs::read_to_string(folder.path().join("junit.xml")).unwrap();
    assert!(
        junit.contains("tests=\"1\" failures=\"1\"") && junit.contains("name=\"&lt;it&gt; ends\""),
        "{junit}"
    );
    assert!(junit.contains("ends: expected closed; found done\n</failure>"), "{junit}");
    let json = run(folder.path(), &["ivr", "test", "menu", "--json"]);
    assert_eq!(json.status.code(), Some(1));
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["cases"][0]["differences"][0]["found"], "done");
    assert_eq!(json["coverage"]["percent"], 100);

    folder.write("menu/tests/a.toml", "[[case]]\nname = \"x\"\nexpect.nodes = [\"b\"]\n");
    let wrong = run(folder.path(), &["ivr", "test", "menu"]);
    assert_eq!(wrong.status.code(), Some(2));
    let wrong = text(&wrong.stderr);
    assert!(wrong.contains("menu/tests/a.toml:3:17: unknown node `b`; did you mean `a`?"), "{wrong}");
}

#[test]
fn a_command_whose_lines_nobody_reads_ends_as_if_they_were() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = cornetta(&home(), &["ivr", "test", "ivr-scripts/city"]);
    let output = command.stdout(writer).output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
}

#[test]
fn a_command_whose_lines_find_no_room_says_so() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = cornetta(&home(), &["ivr", "schema", "flow"]).stdout(full).output().unwrap();
    assert!(refused(&output).contains("not all that was to be printed is written"), "{output:?}");
}

#[test]
fn a_wrong_script_is_told_with_its_place() {
    let folder = Folder::new("");
    folder.write(
        "menu/flow.toml",
        "title = \"x\"\nlanguages = [\"it\"]\nstart = \"a\"\n[b]\nhang_up = \"done\"\n",
    );
    folder.write("menu/phrases/it.toml", "");
    for command in [["ivr", "check", "menu"], ["ivr", "graph", "menu"]] {
        let output = run(folder.path(), &command);
        assert_eq!(output.status.code(), Some(2));
        let told = text(&output.stderr);
        assert!(told.contains("menu/flow.toml:3:9: unknown node `a`; "), "{told}");
        assert_eq!(text(&output.stdout), "");
    }
}

#[test]
fn two_phones_in_two_processes_hear_each_other() {
    let folder = Folder::new("");
    // Without the last two it would hang up once it has heard the caller, who may not have heard it yet.
    let answer = [
        "phone",
        "answer",
        "--user",
        "bruno",
        "--play",
        "tone:880",
        "--expect",
        "tone:440",
        "--hang-up-after",
        "60s",
    ];
    let mut callee = Program::start(folder.path(), &answer);
    let address = callee.line("the phone of bruno is at ");
    let dial = format!("sip:bruno@{address}");
    let mut caller = Program::start(
        folder.path(),
        &[
            "phone",
            "call",
            &dial,
            "--user",
            "anna",
            "--play",
            "tone:440",
            "--expect",
            "tone:880",
            "--hang-up-after",
            "3s",
        ],
    );
    caller.line("answered");
    caller.line("heard ");
    callee.line("heard ");
    assert_eq!((caller.ended().code(), callee.ended().code()), (Some(0), Some(0)));
}

#[test]
fn a_phone_that_does_not_hear_what_it_expects_fails() {
    let folder = Folder::new("");
    let callee = Program::start(folder.path(), &["phone", "answer", "--play", "tone:880"]);
    let address = callee.line("the phone of phone is at ");
    let dial = format!("sip:phone@{address}");
    let output = run(folder.path(), &["phone", "call", &dial, "--expect", "tone:440", "--within", "1s"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("failed: no tone of 440 Hz within 1s"), "{}", text(&output.stdout));
}

/// One call to the echo, to its end; gives its id.
async fn call_once(exchange: &Exchange, token: &str) -> String {
    let config = PhoneConfig {
        server: Some(exchange.sip[0]),
        user: "+393331234567".to_owned(),
        ..PhoneConfig::default()
    };
    let phone = Phone::start(config).unwrap();
    let call = phone.call("echo").await.unwrap();
    call.wait_answered(PATIENCE).await.unwrap();
    call.hang_up().await.unwrap();
    phone.close().await;
    let tail = ["events", "tail", "--json", "--from", "1", "--url", &exchange.url];
    wait_for("the end of the call", || {
        let output = cornetta(&home(), &tail).env("CORNETTA_TOKEN", token).output().unwrap();
        let facts = told(&output);
        let facts = facts.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let ended = facts.into_iter().find(|fact| fact["kind"]["type"] == "call.ended");
        ended.map(|fact| fact["call"].as_str().unwrap().to_owned())
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_says_the_same_while_the_exchange_runs_and_after_it() {
    let folder = Folder::new(CONFIG);
    let mut exchange = Exchange::serve(&folder);
    let call = call_once(&exchange, "").await;
    let commands: &[&[&str]] = &[
        &["events", "show", &call],
        &["events", "show", &call, "--json"],
        &["events", "why", &call],
        &["events", "why", &call, "--json"],
        &["cdr", "--csv"],
        &["cdr"],
        &["cdr", "--json"],
        &["events", "show", &call, "--sip"],
        &["events", "show", &call, "--sip", "--full"],
        &["events", "show", &call, "--sip", "--json"],
    ];
    let url = exchange.url.clone();
    let asked = |arguments: &[&str], source: [&str; 2]| {
        told(&run(folder.path(), &[arguments, source.as_slice()].concat()))
    };
    let running: Vec<String> = commands.iter().map(|command| asked(command, ["--url", &url])).collect();
    let locked = refused(&run(folder.path(), &["cdr"]));
    assert!(
        locked.contains("is in use by an exchange that runs") && locked.contains("--url http://"),
        "{locked}"
    );
    assert_eq!(exchange.terminate().code(), Some(0));
    let ended: Vec<String> = commands.iter().map(|command| asked(command, ["--data", "data"])).collect();
    assert_eq!(running, ended);
    let [show, show_json, why, why_json, csv, json, _, ladder, full, messages] = ended.as_slice() else {
        unreachable!()
    };
    assert!(show.contains("call.arrived") && show.contains("call.ended"), "{show}");
    assert!(
        show_json.lines().all(|line| serde_json::from_str::<Value>(line).unwrap()["call"] == call.as_str())
    );
    assert!(why.contains("+393331234567"), "{why}");
    let explained: Value = serde_json::from_str(why_json).unwrap();
    assert!(explained["it"].is_string() && explained["en"].is_string());
    assert_eq!(csv.lines().count(), 2, "{csv}");
    assert!(csv.lines().nth(1).unwrap().contains(&call), "{csv}");
    let record: Value = serde_json::from_str(json).unwrap();
    assert!(record.to_string().contains(&call), "{record}");
    is_the_ladder_of_a_call(ladder);
    assert!(full.contains("    INVITE sip:echo@") && full.contains("    a=rtpmap:"), "{full}");
    for line in messages.lines() {
        assert_eq!(serde_json::from_str::<Value>(line).unwrap()["call"], call.as_str());
    }
    asked(&["events", "show", &call, "--sip", "--svg", "call.svg"], ["--data", "data"]);
    let svg = std::fs::read_to_string(folder.path().join("call.svg")).unwrap();
    assert!(svg.starts_with("<svg") && svg.contains("200 OK (BYE)"), "{svg}");
}

/// The parties, and from the first INVITE to the answer to the BYE each message once, with facts between them.
fn is_the_ladder_of_a_call(ladder: &str) {
    assert!(ladder.lines().next().unwrap().contains("caller +393331234567"), "{ladder}");
    let mut from = 0;
    for next in [
        " INVITE sip:echo@",
        "· call.arrived",
        " 200 OK (INVITE) ",
        " ACK ",
        " BYE ",
        " 200 OK (BYE) ",
        "· call.ended",
    ] {
        let found = ladder[from..].find(next);
        from += found.unwrap_or_else(|| panic!("no {next:?} in its place: {ladder}"));
    }
    assert!(!ladder.contains("(again)"), "{ladder}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tail_goes_on_with_what_comes() {
    let folder = Folder::new(CONFIG);
    let exchange = Exchange::serve(&folder);
    let tail =
        Program::start(folder.path(), &["events", "tail", "--follow", "--json", "--url", &exchange.url]);
    assert!(tail.line("").contains("system.started"));
    let call = call_once(&exchange, "").await;
    let ended =
        wait_for("the end of the call", || Some(tail.line("")).filter(|line| line.contains("call.ended")));
    assert!(ended.contains(&call), "{ended}");
    let nothing = refused(&run(Folder::new("").path(), &["events", "tail", "--follow"]));
    assert!(nothing.contains("there is no log data/facts.redb"), "{nothing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_come_from_the_line_a_file_or_the_environment() {
    let tokens = format!(
        "{CONFIG}[[token]]\nname = \"all\"\nscopes = [\"events:read\", \"pii:clear\"]\nsecret = \"{SECRET}\"\n\
         [[token]]\nname = \"masked\"\nscopes = [\"events:read\"]\nsecret = \"reads-masked-only\"\n"
    );
    let folder = Folder::new(&tokens);
    let exchange = Exchange::serve(&folder);
    let call = call_once(&exchange, SECRET).await;
    folder.write("token", &format!("{SECRET}\n"));
    let show = ["events", "show", &call, "--url", &exchange.url];
    let with = |more: &[&str]| run(folder.path(), &[&show, more].concat());
    assert!(told(&with(&["--token", SECRET])).contains("call.ended"));
    assert!(told(&with(&["--token-file", "token"])).contains("call.ended"));
    let none = refused(&with(&[]));
    assert!(none.contains("answers 401") && none.contains("--token-file"), "{none}");
    let masked = refused(&with(&["--token", "reads-masked-only"]));
    assert!(masked.contains("lacks the scope pii:clear") && masked.contains("use a token"), "{masked}");
    for secret in [SECRET, "reads-masked-only"] {
        assert!(!exchange.program.errors().contains(secret) && !masked.contains(secret));
    }
}

#[test]
fn what_cannot_be_read_is_told_with_the_option_that_helps() {
    let folder = Folder::new(CONFIG);
    let mut exchange = Exchange::serve(&folder);
    let unknown = refused(&run(folder.path(), &["events", "why", "no/such call", "--url", &exchange.url]));
    assert!(unknown.contains("the log knows no call `no/such call`"), "{unknown}");
    let https = refused(&run(folder.path(), &["cdr", "--url", "https://127.0.0.1"]));
    assert!(https.contains("is not an http:// address"), "{https}");
    exchange.terminate();
    let away = refused(&run(folder.path(), &["cdr", "--url", &exchange.url]));
    assert!(away.contains("cannot be reached; is the exchange running"), "{away}");
    let both = run(folder.path(), &["cdr", "--url", "http://127.0.0.1", "--data", "data"]);
    assert_eq!(both.status.code(), Some(2));
    let still = refused(&run(folder.path(), &["events", "tail", "--follow"]));
    assert!(still.contains("use --follow with --url"), "{still}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_call_is_captured_with_its_messages_and_its_media() {
    let folder = Folder::new(CONFIG);
    let exchange = Exchange::serve(&folder);
    folder.write("call.pcapng", "everybody may read this");
    let capture = ["capture", "--next", "echo", "-o", "call.pcapng", "--url", &exchange.url];
    let mut capture = Program::start(folder.path(), &capture);
    wait_for("the beginning", || capture.errors().contains("capturing").then_some(()));
    let config = PhoneConfig { server: Some(exchange.sip[0]), ..PhoneConfig::default() };
    let phone = Phone::start(config).unwrap();
    let call = phone.call("echo").await.unwrap();
    call.wait_answered(PATIENCE).await.unwrap();
    call.play_tone(440).await.unwrap();
    call.expect_tone(440.0, PATIENCE).await.unwrap();
    call.hang_up().await.unwrap();
    assert_eq!(capture.ended().code(), Some(0), "{}", capture.errors());
    phone.close().await;
    let path = folder.path().join("call.pcapng");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let file = std::fs::read(&path).unwrap();
    assert_eq!(file[..4], [0x0A, 0x0D, 0x0D, 0x0A]);
    let has = |wanted: &[u8]| file.windows(wanted.len()).filter(|window| *window == wanted).count();
    assert!(has(b"INVITE sip:echo@") >= 1 && has(b"BYE sip:echo@") >= 1);
    // Version 2, no extension; PCMA without and with a marker.
    assert!(has(&[0x80, 0x08]) + has(&[0x80, 0x88]) >= 8, "speech");
    let started = exchange.fact("capture.started");
    assert_eq!(started["kind"]["by"], "this machine");
    let again = ["capture", "rm1-none", "-o", "call.pcapng", "--url", &exchange.url];
    let none = refused(&run(folder.path(), &again));
    assert!(none.contains("answers 404"), "{none}");
    assert_eq!(std::fs::read(&path).unwrap(), file, "a refusal costs the earlier file");
}

#[test]
fn who_is_kept_out_by_hand_is_listed_until_let_in_again() {
    let folder = Folder::new(CONFIG);
    let exchange = Exchange::serve(&folder);
    let bans = |arguments: &[&str]| {
        told(&run(folder.path(), &[&["bans"], arguments, &["--url", &exchange.url]].concat()))
    };
    let kept_out = bans(&["add", "203.0.113.9", "--reason", "fraud"]);
    assert_eq!(kept_out, "203.0.113.9 is kept out for 24 h\n");
    let listed = bans(&["list"]);
    assert!(listed.starts_with("203.0.113.9/32 ") && listed.contains("fraud"), "{listed}");
    bans(&["lift", "203.0.113.9"]);
    assert_eq!(bans(&["list"]), "nobody is kept out\n");
}

#[test]
fn what_a_caller_hears_is_told_and_written_and_what_is_missing_is_told() {
    let folder = Folder::new("");
    let home = home();
    let script = home.join("ivr-scripts/helpdesk").display().to_string();
    let sounds = home.join("sounds").display().to_string();
    let say = ["ivr", "say", &script, "wait", "--lang", "ro", "--position", "34", "--sounds", &sounds];
    let heard = told(&run(folder.path(), &[&say[..], &["--out", "heard.wav"]].concat()));
    let phrases: Vec<&str> = heard.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(phrases, ["please_wait", "you_are_number", "number_34", "in"], "{heard}");
    let wav = std::fs::read(folder.path().join("heard.wav")).unwrap();
    assert!(wav.starts_with(b"RIFF") && wav.len() > 16_000 * 3, "more than three seconds: {}", wav.len());

    let none = folder.path().display().to_string();
    let output = run(folder.path(), &["ivr", "say", &script, "wait", "--lang", "ro", "--sounds", &none]);
    assert_eq!(output.status.code(), Some(1));
    let missing = text(&output.stdout);
    assert!(
        missing.contains("MISSING: there is no sound `ro/please_wait` nor `it/please_wait`"),
        "{missing}"
    );
    let output = run(folder.path(), &["ivr", "say", &script, "wayt", "--lang", "ro"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(text(&output.stderr), "helpdesk has no node `wayt`; did you mean `wait`?\n");
}

#[test]
fn two_versions_are_compared_and_the_exit_code_tells() {
    let script =
        "title = \"x\"\nlanguages = [\"it\"]\nstart = \"a\"\n[a]\nsay = \"bye\"\nhang_up = \"done\"\n";
    let folder = Folder::new("");
    for (name, reason) in [("was", "done"), ("is", "over")] {
        folder.write(&format!("{name}/flow.toml"), &script.replace("done", reason));
        folder.write(&format!("{name}/phrases/it.toml"), "bye = \"Arrivederci.\"\n");
    }
    let output = run(folder.path(), &["ivr", "diff", "was", "is"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "nodo «a»: il motivo: ora «over» (prima «done»)\n1 nodo\n");
    assert_eq!(told(&run(folder.path(), &["ivr", "diff", "was", "was", "--lang", "en"])), "no difference\n");
    assert_eq!(run(folder.path(), &["ivr", "diff", "was", "gone"]).status.code(), Some(2));
}

#[test]
fn coverage_tells_who_speaks_what_is_missing_and_what_was_approved() {
    let folder = Folder::new("");
    folder.write("menu/flow.toml", "");
    folder.write("menu/phrases/it.toml", "a = \"uno\"\nb = \"due\"\nc = \"tre\"\nd = \"quattro\"\n");
    folder.write("menu/phrases/en.toml", "a = \"one\"\n");
    for sound in ["a", "b", "c"] {
        folder.write(&format!("sounds/it/{sound}.wav"), "");
    }
    // Of another text than is written now.
    let hash = "1c6ca187e8e8a2e4a7cf5c4b4c4a5f0f";
    folder.write(
        "sounds/manifest.toml",
        &format!(
            "[it.a]\nengine = \"studio\"\nvoice = \"Anna\"\nreview = \"approved by Bruno\"\n\
             [it.b]\ntext_sha256 = \"{hash}\"\nengine = \"pico\"\n[it.c]\nreview = \"native speaker needed\"\n"
        ),
    );
    let command = ["ivr", "coverage", "menu"];
    let table = told(&run(folder.path(), &command));
    let marks = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let rows: Vec<Vec<String>> = table.lines().take(5).map(marks).collect();
    let expected =
        [["menu", "en", "it"], ["a", "no", "ok"], ["b", "-", "old"], ["c", "-", "?"], ["d", "-", "no"]];
    assert_eq!(rows, expected, "{table}");
    assert!(table.contains("1 by nobody knows whom, 1 by pico, 1 by studio Anna"), "{table}");
    let json = told(&run(folder.path(), &[&command[..], &["--json", "--html", "page.html"]].concat()));
    let cells: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(cells.len(), 8);
    assert_eq!(cells[1]["state"], "approved");
    let page = std::fs::read_to_string(folder.path().join("page.html")).unwrap();
    assert!(page.contains("studio Anna") && page.ends_with("</html>\n"));
}
