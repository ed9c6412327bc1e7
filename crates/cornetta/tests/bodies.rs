//! Several bodies on one exchange, each in a folder of its own.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails panics")]

mod support;

use phone::{Call, Phone, PhoneConfig};
use serde_json::Value;
use std::path::Path;
use support::{Exchange, Folder, PATIENCE, home, run, text, wait_for};

const CONFIG: &str = r#"
[sip]
listen  = ["udp:127.0.0.1:0"]
open_to = ["127.0.0.0/8"]
[http]
listen = "127.0.0.1:0"
[bodies]
"#;

const BODY: &str = r#"
title = "Comune di Venezia"
[[service]]
number = "0411111111"
script = "town"
[[service]]
number = "0411111112"
kind   = "echo"
[[queue]]
name = "desk"
[[agent]]
name      = "anna"
password  = "correct-horse"
queues    = ["desk"]
languages = ["it"]
"#;

const FLOW: &str = r#"
title     = "Town"
languages = ["it"]
start     = "greeting"
[greeting]
say  = "welcome"
next = "wait"
[wait]
queue = "desk"
"#;

/// Venezia, whose welcome is its own sound.
fn venezia() -> Folder {
    let folder = Folder::new(CONFIG);
    folder.write("bodies/venezia/body.toml", BODY);
    folder.write("bodies/venezia/scripts/town/flow.toml", FLOW);
    folder.write("bodies/venezia/scripts/town/phrases/it.toml", "welcome = \"Benvenuti.\"\n");
    std::fs::create_dir_all(folder.path().join("bodies/venezia/sounds/it")).unwrap();
    let sound = folder.path().join("bodies/venezia/sounds/it/welcome.opus");
    std::fs::copy(home().join("sounds/it/goodbye.opus"), sound).unwrap();
    folder
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy(&path, &to),
            false => drop(std::fs::copy(&path, to).unwrap()),
        }
    }
}

/// The next municipality: a copy of Venezia's folder, with other numbers.
fn with_mestre() -> Folder {
    let folder = venezia();
    copy(&folder.path().join("bodies/venezia"), &folder.path().join("bodies/mestre"));
    folder.write(
        "bodies/mestre/body.toml",
        &BODY.replace("041111111", "041222222").replace("Venezia", "Mestre"),
    );
    folder
}

fn check(folder: &Folder) -> (Option<i32>, String) {
    let output = run(folder.path(), &["check"]);
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

async fn called(exchange: &Exchange, number: &str) -> (Phone, Call) {
    let config = PhoneConfig { server: Some(exchange.sip[0]), ..PhoneConfig::default() };
    let phone = Phone::start(config).unwrap();
    let call = phone.call(number).await.unwrap();
    call.wait_answered(PATIENCE).await.unwrap();
    (phone, call)
}

fn facts_of(folder: &Folder, body: &str) -> Vec<Value> {
    let told = text(&run(folder.path(), &["events", "tail", "--from", "1", "--json", "--body", body]).stdout);
    told.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_body_is_a_copy_of_a_folder_with_another_number() {
    let folder = with_mestre();
    let (code, told) = check(&folder);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("mestre: Comune di Mestre: 2 numbers, 1 queues, 1 agents\n"), "{told}");
    assert!(told.contains("venezia: Comune di Venezia: 2 numbers, 1 queues, 1 agents\n"), "{told}");

    let mut exchange = Exchange::serve(&folder);
    let (first, _one) = called(&exchange, "0412222221").await;
    let (second, _two) = called(&exchange, "0411111111").await;
    exchange.nth_fact("queue.refused", 1);
    let heard = wait_for("both welcomes", || {
        let facts = exchange.facts();
        let played = facts.iter().filter(|fact| fact["kind"]["type"] == "ivr.prompt_started");
        let heard: Vec<Value> = played.map(|fact| fact["kind"]["prompts"][0]["prompt"].clone()).collect();
        (heard.len() == 2).then_some(heard)
    });
    assert_eq!(heard, ["mestre/sounds/it/welcome", "venezia/sounds/it/welcome"], "each has its own");
    let missing = exchange.facts().iter().any(|fact| fact["kind"]["type"] == "ivr.prompt_missing");
    assert!(!missing, "they are read from there");
    exchange.nth_fact("call.ended", 1);
    assert_eq!(exchange.terminate().code(), Some(0));
    for body in ["venezia", "mestre"] {
        let facts = facts_of(&folder, body);
        assert!(!facts.is_empty() && facts.iter().all(|fact| fact["body"] == body), "{facts:?}");
        let refused: Vec<&Value> =
            facts.iter().filter(|fact| fact["kind"]["type"] == "queue.refused").collect();
        assert_eq!(refused[0]["kind"]["queue"], format!("{body}/desk"));
        let records = text(&run(folder.path(), &["cdr", "--body", body]).stdout);
        assert_eq!(records.lines().count(), 1, "{records}");
    }
    first.close().await;
    second.close().await;
}

#[test]
fn a_body_that_comes_by_a_reload_brings_its_tokens_and_takes_them_along() {
    let folder = venezia();
    let office =
        "[[token]]\nname = \"office\"\nsecret = \"reloads-the-exchange\"\nscopes = [\"config:reload\"]\n";
    folder.write("cornetta.toml", &format!("{CONFIG}{office}"));
    let exchange = Exchange::serve(&folder);
    let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    let authorized = |token: &str| format!("Bearer {token}");
    let snapshot = || {
        let asked = agent.get(format!("{}/v1/snapshot", exchange.url));
        asked.header("Authorization", authorized("mestre-s-own-secret")).call().unwrap().status().as_u16()
    };
    let reload = || {
        let asked = agent.post(format!("{}/v1/reload", exchange.url));
        let asked = asked.header("Authorization", authorized("reloads-the-exchange"));
        assert_eq!(asked.send_empty().unwrap().status().as_u16(), 200);
    };
    assert_eq!(snapshot(), 401);
    let mestre = folder.path().join("bodies/mestre");
    copy(&folder.path().join("bodies/venezia"), &mestre);
    let token = "[[token]]\nname = \"crm\"\nsecret = \"mestre-s-own-secret\"\nscopes = [\"events:read\"]\n";
    folder.write("bodies/mestre/body.toml", &(BODY.replace("041111111", "041222222") + token));
    reload();
    assert_eq!(snapshot(), 200);
    std::fs::remove_dir_all(mestre).unwrap();
    reload();
    assert_eq!(snapshot(), 401);
}

#[test]
fn what_would_happen_is_told_of_a_body_and_its_script_is_heard_and_tested_by_itself() {
    let folder = with_mestre();
    let when = run(folder.path(), &["ivr", "when", "--number", "0412222221"]);
    assert!(text(&when.stdout).contains("mestre/town"), "{}", text(&when.stdout));
    // One that sends its callers on is followed there, and no farther than a call goes.
    let sends = "title = \"S\"\nlanguages = [\"it\"]\nstart = \"know\"\n[know]\nset = { topic = \"bins\" }\nnext = \"on\"\n\
                 [on]\ntransfer = \"body:BODY\"\non.failed = \"sorry\"\n[sorry]\nhang_up = \"sorry\"\n";
    for (from, to, number) in [("venezia", "mestre", "0411111113"), ("mestre", "mestre", "0412222223")] {
        let script = format!("bodies/{from}/scripts/sends");
        folder.write(&format!("{script}/flow.toml"), &sends.replace("BODY", to));
        folder.write(&format!("{script}/phrases/it.toml"), "");
        let body = format!("bodies/{from}/body.toml");
        let written = std::fs::read_to_string(folder.path().join(&body)).unwrap();
        let service = format!("[[service]]\nnumber = \"{number}\"\nscript = \"sends\"\n");
        folder.write(&body, &format!("{written}{service}"));
    }
    let when = |number: &str| text(&run(folder.path(), &["ivr", "when", "--number", number]).stdout);
    let told = when("0411111113");
    assert!(told.contains("prosegue al +390412222221: risponde lo script «mestre/town»"), "{told}");
    assert!(told.contains("attende un operatore in «desk» (lingua it, argomento bins)"), "{told}");
    let mestre = folder.path().join("bodies/mestre/body.toml");
    let first = std::fs::read_to_string(&mestre).unwrap().replacen("\"town\"", "\"sends\"", 1);
    std::fs::write(mestre, first.replacen("script = \"sends\"\n[[queue", "script = \"town\"\n[[queue", 1))
        .unwrap();
    let told = when("0411111113");
    assert_eq!(told.matches("prosegue al +390412222221").count(), 5, "{told}");
    assert!(told.contains("body:mestre non porta a nulla: torna allo script"), "{told}");
    let folder = with_mestre();
    let script = "bodies/mestre/scripts/town";
    let checked = run(folder.path(), &["ivr", "check", script]);
    assert_eq!(checked.status.code(), Some(0), "{}", text(&checked.stderr));
    let said = run(folder.path(), &["ivr", "say", script, "greeting", "--lang", "it"]);
    assert_eq!(said.status.code(), Some(0), "{}", text(&said.stdout));
    folder.write(
        &format!("{script}/tests/calls.toml"),
        "[[case]]\nname = \"waits\"\nagents = [{ name = \"anna\" }]\nexpect.queue = \"desk\"\n",
    );
    let tested = run(folder.path(), &["ivr", "test", script]);
    assert_eq!(tested.status.code(), Some(0), "{}{}", text(&tested.stdout), text(&tested.stderr));
    for body in ["imperia", "sanremo"] {
        let script = format!("examples/bodies/bodies/{body}/scripts/town");
        let tested = run(&home(), &["ivr", "test", &script, "--min-coverage", "100"]);
        assert_eq!(tested.status.code(), Some(0), "{}{}", text(&tested.stdout), text(&tested.stderr));
    }
}

#[test]
fn every_fault_of_every_body_is_told_with_its_place() {
    let folder = with_mestre();
    folder.write("bodies/Lido/body.toml", "");
    folder.write("bodies/empty/readme.txt", "");
    folder.write(
        "bodies/mestre/body.toml",
        "titel = \"x\"\n[[service]]\nnumbers = [\"0411111111\", \"*\"]\nscript = \"town\"\n\
         [[queue]]\nname = \"venezia/desk\"\n[[token]]\nname = \"crm\"\nsecret = \"sixteen letters!\"\n\
         scopes = [\"security:any\"]\n[[trunk]]\nname = \"tim\"\n\
         [[token]]\nname = \"other\"\nsecret = \"one of two bodies\"\nscopes = [\"events:read\"]\n",
    );
    folder.write("bodies/speech/body.toml", "");
    let sends = "title = \"S\"\nlanguages = [\"it\"]\nstart = \"on\"\n[on]\ntransfer = \"body:lido\"\non.failed = \"here\"\n\
                 [here]\ntransfer = \"service:0412222221\"\n";
    folder.write("bodies/venezia/scripts/sends/flow.toml", sends);
    folder.write("bodies/venezia/scripts/sends/phrases/it.toml", "");
    folder.write(
        "bodies/venezia/body.toml",
        &format!(
            "{BODY}[[service]]\nnumber = \"0411111119\"\nscript = \"sends\"\n\
             [[token]]\nname = \"crm\"\nsecret = \"one of two bodies\"\nscopes = [\"events:read\"]\n"
        ),
    );
    let (code, told) = check(&folder);
    assert_eq!(code, Some(2), "{told}");
    for fault in [
        "bodies/empty/body.toml:1:1: it cannot be read: No such file or directory (os error 2); write what the body has, or take its folder away",
        "bodies/mestre/body.toml:1:1: `title` is missing; say what people call the body",
        "bodies/mestre/body.toml:1:1: unknown key `titel`; did you mean `title`?",
        "bodies/mestre/body.toml:3:26: a body answers no numbers but its own; write its numbers here, and \"*\" under [[service]] of the installation",
        "bodies/mestre/body.toml:4:10: the script `town` uses the queue `desk`, which is not there; write it under [[queue]]",
        "bodies/mestre/body.toml:6:1: `venezia/desk` has a `/`, which stands between a body and what is its own; write the name without it",
        "bodies/mestre/body.toml:10:11: `security:any` is about what all bodies share; give it to a token of the installation",
        "bodies/mestre/body.toml:11:3: unknown key `trunk`",
        "bodies/venezia/body.toml:4:10: `0411111111` has two services, one of them of `mestre`; keep one of the two",
        "bodies/venezia/body.toml:18:10: the script `sends` sends callers to `body:lido`, which is not there; name a body under [bodies] that has a script under [[service]]",
        "bodies/venezia/body.toml:18:10: the script `sends` sends callers to `service:0412222221`, which is not there;",
        "cornetta.toml:7:2: `Lido` is no name for a body; name its folder with small letters, digits, _ and -, a letter first, 40 at most, and not `speech`",
        "`speech` is no name for a body",
        "the tokens `mestre/other` and `venezia/crm` have one secret; give each its own: openssl rand -hex 32",
    ] {
        assert!(told.contains(fault), "{fault}\nis not in\n{told}");
    }
}
