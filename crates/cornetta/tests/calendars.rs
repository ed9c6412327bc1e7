//! What calendars and closures by command do, seen from the command line.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails panics")]

mod support;

use serde_json::Value;
use std::process::Output;
use support::{Exchange, Folder, home, run, text};

const CONFIG: &str = r#"
[sip]
listen  = ["udp:127.0.0.1:0"]
open_to = ["127.0.0.0/8"]
[http]
listen = "127.0.0.1:0"
"#;

const SERVICES: &str = r#"
[[queue]]
name = "desk"
[[service]]
number = "1510"
script = "menu"
[[service]]
number = "echo"
kind   = "echo"
"#;

const FLOW: &str = r#"
title     = "Desk"
languages = ["it", "en"]
start     = "language"
[emergency]
messages = ["strike"]
[language]
next     = "open"
no_input = { tries = 2, say = [], next = "open" }
[language.menu]
1 = { say = "welcome", set = { topic = "work" } }
2 = { language = "en" }
[open]
hours  = "desk"
open   = "wait"
closed = "closed"
[wait]
queue = "desk"
music = "moh/calm"
needs = { topic = "$topic" }
[closed]
say     = "goodbye"
hang_up = "closed"
"#;

fn told(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// A desk that is open on Mondays, in two languages.
fn desk() -> Folder {
    let folder = Folder::new(&format!("{CONFIG}{SERVICES}"));
    folder.write("ivr-scripts/menu/flow.toml", FLOW);
    folder.write("ivr-scripts/menu/calendars/desk.toml", DESK_CALENDAR);
    let phrases = "welcome = \"Benvenuti.\"\ngoodbye = \"Arrivederci.\"\nstrike = \"Oggi c'è sciopero.\"\npress_1 = \"Prema uno.\"\n\
                   press_2 = \"Prema due.\"\npress_for_language = \"Per l'italiano.\"\ninvalid_choice = \"No.\"\n";
    for language in ["it", "en"] {
        folder.write(&format!("ivr-scripts/menu/phrases/{language}.toml"), phrases);
        for phrase in
            ["welcome", "goodbye", "strike", "press_1", "press_2", "press_for_language", "invalid_choice"]
        {
            sound(&folder, &format!("{language}/{phrase}"));
        }
    }
    sound(&folder, "moh/calm");
    folder
}

fn sound(folder: &Folder, source: &str) {
    let path = folder.path().join(format!("sounds/{source}.opus"));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::copy(home().join("sounds/it/goodbye.opus"), path).unwrap();
}

fn when(folder: &Folder, more: &[&str]) -> Output {
    run(folder.path(), &[&["ivr", "when", "--number", "1510"], more].concat())
}

const DESK_CALENDAR: &str = "zone = \"Europe/Rome\"\nholidays = \"it\"\nmon = [\"09:00-13:00\"]\n";

#[test]
fn a_month_of_a_calendar_is_shown_as_text_and_drawn() {
    let folder = Folder::new("");
    folder.write("desk.toml", DESK_CALENDAR);
    let month =
        |more: &[&str]| run(folder.path(), &[&["ivr", "month", "desk.toml", "--month"], more].concat());
    let shown = told(&month(&["2027-04"]));
    assert!(shown.starts_with("aprile 2027 (Europe/Rome)\n"), "{shown}");
    assert!(shown.contains("\nlun  5  09:00-13:00\n"), "{shown}");
    assert!(shown.contains("\ndom 25  chiuso                   Festa della Liberazione\n"), "{shown}");
    let drawn = told(&month(&["2027-04", "--format", "svg"]));
    assert!(drawn.starts_with("<svg ") && drawn.ends_with("</svg>\n"), "{drawn}");
    let wrong = month(&["aprile"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert_eq!(text(&wrong.stderr), "`aprile` is no month; write it like 2027-04\n");
    folder.write("desk.toml", "mon = [\"09:00-13:00\"]\n");
    let faulty = month(&["2027-04"]);
    assert_eq!(faulty.status.code(), Some(2));
    assert!(text(&faulty.stderr).starts_with("desk.toml:1:1: `zone` is missing"), "{}", text(&faulty.stderr));
}

#[test]
fn a_calendar_that_is_never_open_again_is_refused_by_the_checks_and_does_not_keep_an_exchange_from_starting()
{
    let service = "[[service]]\nnumber = \"1510\"\nscript = \"menu\"\n";
    let folder = Folder::new(&format!("{CONFIG}{service}"));
    folder.write(
        "ivr-scripts/menu/flow.toml",
        "title = \"x\"\nlanguages = [\"it\"]\nstart = \"a\"\n[a]\nhours = \"desk\"\nopen = \"b\"\nclosed = \"b\"\n\
         [b]\nhang_up = \"done\"\n",
    );
    folder.write("ivr-scripts/menu/phrases/it.toml", "");
    let past = "zone = \"Europe/Rome\"\nmon = []\n[[exception]]\nname = \"census\"\non = 2020-10-05\nmon = [\"09:00-12:00\"]\n";
    folder.write("ivr-scripts/menu/calendars/desk.toml", past);
    for command in [["check", "-c", "cornetta.toml"], ["ivr", "check", "ivr-scripts/menu"]] {
        let output = run(folder.path(), &command);
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains("calendars/desk.toml:1:1: it is never open from "), "{told}");
        assert!(told.contains("calendars/desk.toml:3:1: every exception lies before "), "{told}");
    }
    let exchange = Exchange::serve(&folder);
    drop(exchange);
    folder
        .write("ivr-scripts/menu/calendars/desk.toml", &past.replace("mon = []", "mon = [\"09:00-12:00\"]"));
    let output = run(folder.path(), &["check", "-c", "cornetta.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(
        text(&output.stderr).ends_with("write those of this year (a warning)\n"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn what_is_wrong_with_a_calendar_of_many_rules_is_told_once() {
    let rule = |name: &str, calendar: &str| {
        format!(
            "[[outbound]]\nname = \"{name}\"\ncountries = [\"IT\"]\nkinds = [\"fixed\"]\ncalendar = \"{calendar}.toml\"\n"
        )
    };
    let rules = [rule("a", "one"), rule("b", "other"), rule("c", "one")].concat();
    let folder = Folder::new(&format!("{CONFIG}{rules}"));
    for calendar in ["one", "other"] {
        folder.write(&format!("{calendar}.toml"), "zone = \"Europe/Rome\"\nmon = []\n");
    }
    let output = run(folder.path(), &["check", "-c", "cornetta.toml"]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert_eq!(told.matches("it is never open").count(), 2, "{told}");
}

#[test]
fn a_walk_knows_of_the_caller_what_every_call_knows() {
    let folder = desk();
    let flow = FLOW.replace("start     = \"language\"", "start     = \"trusted\"");
    let trusted =
        "[trusted]\ncase = \"$trust\"\nwhen = { 60 = \"open\" }\notherwise = \"language\"\n[language]";
    folder.write("ivr-scripts/menu/flow.toml", &flow.replace("[language]", trusted));
    let told = told(&when(&folder, &["--at", "2027-04-26 10:00"]));
    assert!(told.contains("aperto") && !told.contains("non preme nulla"), "{told}");
}

#[test]
fn a_call_on_a_holiday_is_told_node_by_node_with_the_rule_that_closes() {
    let folder = desk();
    let told = told(&when(&folder, &["--at", "2027-04-25 10:00", "--from", "+393471234567"]));
    let lines: Vec<&str> = told.lines().map(str::trim_end).collect();
    assert_eq!(
        lines[0],
        "2027-04-25 10:00:00 +02:00 (Europe/Rome), chiama +393471234567: al 1510 risponde lo script «menu»"
    );
    let decided = "calendario «desk»: chiuso, per festività «Festa della Liberazione»: domenica chiuso; \
                   apre 2027-04-26 09:00:00 +02:00 (Europe/Rome)";
    assert!(lines.iter().any(|line| line.trim() == format!("{:<20} {decided}", "open")), "{told}");
    assert!(told.contains("non preme nulla (2ª volta)"), "{told}");
    assert!(lines.last().unwrap().ends_with("la chiamata finisce: closed"), "{told}");
    assert!(told.contains("si sente: «Arrivederci.»"), "{told}");
}

#[test]
fn a_call_with_keys_goes_where_they_lead_and_programs_read_the_same() {
    let folder = desk();
    let told = told(&when(&folder, &["--at", "2027-04-26 10:00", "--keys", "7,1", "--json"]));
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(
        (&told["script"], &told["zone"], &told["at"]),
        (&"menu".into(), &"Europe/Rome".into(), &"2027-04-26 10:00:00 +02:00".into())
    );
    assert_eq!(told["from"], "anonymous");
    let steps = told["steps"].as_array().unwrap();
    let step = |kind: &str| {
        steps.iter().find(|step| step["kind"] == kind).unwrap_or_else(|| panic!("{kind}: {told}"))
    };
    assert_eq!(step("no_match")["key"], "7");
    assert_eq!(step("key")["key"], "1");
    assert_eq!(
        (&step("hours")["open"], &step("hours")["rule"]),
        (&true.into(), &"weekly hours: Monday 09:00-13:00".into())
    );
    assert_eq!((&step("queue")["queue"], &step("queue")["topic"]), (&"desk".into(), &"work".into()));
    assert_eq!(steps.last().unwrap()["kind"], "queue");
}

#[test]
fn a_time_is_one_of_the_calendars_zone_and_never_silently_another() {
    let folder = desk();
    for (at, what) in [
        (
            "2027-03-28 02:30",
            "`2027-03-28 02:30` does not come in Europe/Rome: the clocks go forward over it\n",
        ),
        ("domani", "`domani` is no time; write it like \"2027-04-25 10:00\", by the clocks of Europe/Rome\n"),
    ] {
        let output = when(&folder, &["--at", at]);
        assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(2), what));
    }
    let twice = told(&when(&folder, &["--at", "2027-10-31 02:30"]));
    assert!(twice.starts_with("2027-10-31 02:30:00 +02:00 (Europe/Rome)"), "{twice}");
    assert!(twice.contains("due volte: qui la prima, la seconda è 2027-10-31 02:30:00 +01:00"), "{twice}");
    let calendar = DESK_CALENDAR.replace("Europe/Rome", "Asia/Tokyo").replace("holidays = \"it\"\n", "");
    folder.write("ivr-scripts/menu/calendars/desk.toml", &calendar);
    let tokyo = told(&when(&folder, &["--at", "2027-04-26 10:00"]));
    assert!(tokyo.starts_with("2027-04-26 10:00:00 +09:00 (Asia/Tokyo)"), "{tokyo}");
    assert!(
        tokyo.contains(
            "aperto, per orario settimanale: lunedì 09:00-13:00; chiude 2027-04-26 13:00:00 +09:00"
        ),
        "{tokyo}"
    );
}

#[test]
fn numbers_without_a_script_or_without_anything_are_told() {
    let folder = desk();
    let ask = |number: &str| run(folder.path(), &["ivr", "when", "--number", number]);
    assert_eq!(told(&ask("echo")), "al echo risponde il servizio «echo», senza script e senza calendario\n");
    let nobody = ask("1511");
    assert_eq!(nobody.status.code(), Some(2));
    assert_eq!(text(&nobody.stderr), "nothing answers 1511; the numbers stand under [[service]]\n");
}

#[test]
fn what_no_script_can_remember_is_told() {
    let ask = |more: &[&str]| {
        run(
            &home(),
            &[&["ivr", "when", "-c", "examples/city/cornetta.toml", "--number", "041000000"], more].concat(),
        )
    };
    let remembered = ask(&["--at", "2027-03-03 23:00", "--from", "+393471234567", "--remembered", "fr"]);
    assert!(told(&remembered).contains("si sa: remembered = yes"), "{}", text(&remembered.stdout));
    for (more, why) in [
        (
            &["--remembered", "fr"][..],
            "nobody is remembered who is anonymous; say who calls: --from +393471234567\n",
        ),
        (&["--from", "1", "--remembered", "fx"], "the script has no language `fx`; it has it, en, de, fr\n"),
    ] {
        let wrong = ask(more);
        assert_eq!((wrong.status.code(), text(&wrong.stderr).as_str()), (Some(2), why));
    }
    let folder = desk();
    let wrong = when(&folder, &["--from", "1", "--remembered", "it"]);
    assert_eq!(text(&wrong.stderr), "the script menu remembers nobody; leave --remembered out\n");
}

#[test]
fn a_desk_is_closed_and_opened_by_command_and_stays_closed_over_a_restart() {
    let folder = desk();
    let mut exchange = Exchange::serve(&folder);
    let ask = |url: &str, more: &[&str]| {
        let words = [&["emergency"], more, &["--url", url]].concat();
        run(folder.path(), &words)
    };
    let close = ["close", "number:1510", "--reason", "sciopero", "--message", "strike"];
    let closed = told(&ask(&exchange.url, &close));
    assert_eq!(closed, "number:1510 is closed; `cornetta emergency open number:1510` opens it again\n");
    let fact = exchange.fact("emergency.closed");
    assert_eq!((&fact["kind"]["by"], &fact["kind"]["message"]), (&"this machine".into(), &"strike".into()));
    for (command, why) in [
        (
            ["close", "script:nobody", "--reason", "x"].as_slice(),
            "there is no such agent, call, number, script",
        ),
        (
            &["close", "all", "--reason", "x", "--message", "welcome"],
            "list it as `messages` under [emergency]",
        ),
        (&["open", "all"], "there is no such"),
    ] {
        let output = ask(&exchange.url, command);
        assert_eq!(output.status.code(), Some(1), "{command:?}");
        assert!(text(&output.stderr).contains(why), "{}", text(&output.stderr));
    }
    exchange.terminate();
    let listed = told(&run(folder.path(), &["emergency", "list"]));
    assert!(
        listed.starts_with("number:1510") && listed.ends_with("by this machine: sciopero  says strike\n"),
        "{listed}"
    );
    let exchange = Exchange::serve(&folder);
    assert_eq!(told(&ask(&exchange.url, &["list"])), listed);
    assert_eq!(
        told(&ask(&exchange.url, &["open", "number:1510"])),
        "number:1510 goes by its calendars again\n"
    );
    assert_eq!(told(&ask(&exchange.url, &["list"])), "nothing is closed by command\n");
}
