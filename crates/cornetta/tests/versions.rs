//! The versions of a script: kept while they come and go, told, compared and put back; and calls that are in one of them
//! while another comes into force.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails panics")]

mod support;

use phone::{Phone, PhoneConfig};
use serde_json::Value;
use support::{Exchange, Folder, PATIENCE, cornetta, home, run, text};

const FLOW: &str = r#"title     = "Desk"
languages = ["it"]
start     = "ask"

[ask]
timeout  = "60s"
no_input = "late"

[ask.menu]
1 = { say = "choice", next = "chosen" }

[chosen]
hang_up = "REASON"

[late]
hang_up = "late"
"#;

const PHRASES: &str = r#"choice = { text = "Per noi", sound = "it/press_1" }
press_1 = "prema uno"
invalid_choice = { text = "?", sound = "it/press_1" }
no_input = { text = "?", sound = "it/press_1" }
"#;

fn desk() -> Folder {
    let sounds = home().join("sounds");
    let folder = Folder::new(&format!(
        "[sip]\nlisten = [\"udp:127.0.0.1:0\"]\nopen_to = [\"127.0.0.0/8\"]\n[http]\nlisten = \"127.0.0.1:0\"\n\
         [sounds]\nfolders = [{:?}]\n[[service]]\nnumber = \"1\"\nscript = \"desk\"\n",
        sounds.display().to_string()
    ));
    folder.write("ivr-scripts/desk/phrases/it.toml", PHRASES);
    folder.write("ivr-scripts/desk/look_ups/beside.csv", "number\n");
    says(&folder, "first");
    folder
}

/// Key 1 means this from the next reload on.
fn says(folder: &Folder, reason: &str) {
    folder.write("ivr-scripts/desk/flow.toml", &FLOW.replace("REASON", reason));
}

fn flow(folder: &Folder) -> String {
    std::fs::read_to_string(folder.path().join("ivr-scripts/desk/flow.toml")).unwrap()
}

fn reloads(folder: &Folder, exchange: &Exchange) {
    let done = run(folder.path(), &["reload", "--url", &exchange.url]);
    assert!(done.status.success(), "{}", text(&done.stderr));
}

/// The last one first.
fn versions(folder: &Folder) -> Vec<Value> {
    let told = run(folder.path(), &["ivr", "versions", "desk", "--json"]);
    text(&told.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn get(exchange: &Exchange, path: &str) -> Value {
    let body =
        ureq::get(format!("{}{path}", exchange.url)).call().unwrap().body_mut().read_to_string().unwrap();
    serde_json::from_str(&body).unwrap()
}

fn place(fact: &Value) -> &str {
    fact["kind"]["end"]["place"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_in_a_menu_stays_in_her_version_and_the_next_one_walks_the_new_one() {
    let folder = desk();
    let exchange = Exchange::serve(&folder);
    let config = PhoneConfig { server: Some(exchange.sip[0]), ..PhoneConfig::default() };
    let phone = Phone::start(config).unwrap();
    let early = phone.call("1").await.unwrap();
    early.wait_answered(PATIENCE).await.unwrap();
    exchange.fact("ivr.entered");
    let first = get(&exchange, "/v1/ivr/desk")["version"].clone();

    says(&folder, "second");
    reloads(&folder, &exchange);
    let second = get(&exchange, "/v1/ivr/desk")["version"].clone();
    assert_ne!(first, second);
    early.send_digits("1").await.unwrap();
    early.wait_ended(PATIENCE).await.unwrap();
    let late = phone.call("1").await.unwrap();
    late.wait_answered(PATIENCE).await.unwrap();
    late.send_digits("1").await.unwrap();
    late.wait_ended(PATIENCE).await.unwrap();

    let ended = [exchange.nth_fact("call.ended", 0), exchange.nth_fact("call.ended", 1)];
    assert_eq!(ended.each_ref().map(place), ["first", "second"]);
    let started = [exchange.nth_fact("ivr.started", 0), exchange.nth_fact("ivr.started", 1)];
    assert_eq!(started.each_ref().map(|fact| &fact["kind"]["version"]), [&first, &second]);
    // Both are counted in the one picture: nodes go by their names.
    let nodes = get(&exchange, "/v1/ivr/desk")["nodes"].clone();
    let chosen = nodes.as_array().unwrap().iter().find(|node| node["node"] == "chosen").unwrap().clone();
    assert_eq!((&chosen["entered"], &chosen["left"]["hang_up"]), (&Value::from(2), &Value::from(2)));

    let call = ended[0]["call"].as_str().unwrap();
    let why = run(folder.path(), &["events", "why", call, "--url", &exchange.url]);
    let told = format!("percorre lo script desk, versione {}", first.as_str().unwrap());
    assert!(text(&why.stdout).contains(&told), "{}", text(&why.stdout));
    phone.close().await;
}

#[test]
fn a_version_is_told_compared_and_put_back_and_the_exchange_reads_it() {
    let folder = desk();
    let mut exchange = Exchange::serve(&folder);
    let one = flow(&folder);
    says(&folder, "second");
    reloads(&folder, &exchange);
    let told = versions(&folder);
    let names: Vec<&str> = told.iter().map(|one| one["version"].as_str().unwrap()).collect();
    let [second, first] = names.as_slice() else { panic!("{told:?}") };
    assert_eq!((&told[0]["changes"], &told[0]["follows"]), (&Value::from(1), &Value::from(*first)));
    assert_eq!((&told[0]["until"], &told[1]["until"]), (&Value::Null, &told[0]["since"]));
    let listed = get(&exchange, "/v1/ivr/desk/versions");
    assert_eq!(listed["versions"][0], told[1]);
    assert_eq!(listed["versions"][1], told[0]);
    let table = text(&run(folder.path(), &["ivr", "versions", "desk"]).stdout);
    assert!(table.lines().nth(1).unwrap().starts_with(second), "{table}");

    let former = format!("desk@{}", &first[..6]);
    let diff = run(folder.path(), &["ivr", "diff", &former, "ivr-scripts/desk", "--lang", "en"]);
    assert_eq!(diff.status.code(), Some(1));
    let in_words = text(&diff.stdout);
    assert!(in_words.contains("first") && in_words.contains("second"), "{in_words}");

    let dry = run(folder.path(), &["ivr", "roll-back", "desk", first, "--dry-run", "--lang", "en"]);
    assert!(dry.status.success(), "{}", text(&dry.stderr));
    assert!(text(&dry.stdout).contains("second"), "{}", text(&dry.stdout));
    assert_ne!(flow(&folder), one);

    // Nor is a script whose folder somebody has removed.
    std::fs::remove_dir_all(folder.path().join("ivr-scripts/desk")).unwrap();
    let back = run(folder.path(), &["ivr", "roll-back", "desk", second, "--url", &exchange.url]);
    assert!(back.status.success(), "{}", text(&back.stderr));
    assert!(flow(&folder).contains("second"));
    folder.write("ivr-scripts/desk/look_ups/beside.csv", "number\n");

    // A change that never was in force is not lost.
    says(&folder, "third");
    let back = run(folder.path(), &["ivr", "roll-back", "desk", first, "--url", &exchange.url]);
    assert!(back.status.success(), "{}", text(&back.stderr));
    assert_eq!(flow(&folder), one);
    assert!(folder.path().join("ivr-scripts/desk/look_ups/beside.csv").is_file());
    assert_eq!(get(&exchange, "/v1/ivr/desk")["version"], *first);
    let told = versions(&folder);
    assert_eq!(told.len(), 4, "{told:?}");
    assert_eq!(told[0]["version"], *first);
    assert_eq!((&told[1]["since"], told[1]["version"] == *second), (&Value::Null, false));
    let third = run(
        folder.path(),
        &["ivr", "diff", &format!("desk@{}", told[1]["version"].as_str().unwrap()), "ivr-scripts/desk"],
    );
    assert!(text(&third.stdout).contains("third"), "{}", text(&third.stdout));

    assert_eq!(exchange.terminate().code(), Some(0));
    let exchange = Exchange::serve(&folder);
    assert_eq!(versions(&folder).len(), 4, "a start with what was in force is no new version");
    drop(exchange);
}

#[test]
fn a_version_that_is_not_sound_today_is_not_put_back_and_one_with_nobody_to_read_it_waits() {
    let folder = desk();
    let mut exchange = Exchange::serve(&folder);
    let first = versions(&folder)[0]["version"].as_str().unwrap().to_owned();
    folder.write("ivr-scripts/desk/phrases/it.toml", &PHRASES.replace("it/press_1", "it/press_2"));
    reloads(&folder, &exchange);
    let config = std::fs::read_to_string(folder.path().join("cornetta.toml")).unwrap();
    assert_eq!(exchange.terminate().code(), Some(0));

    let kept = folder.path().join(format!("data/scripts/desk/{first}/phrases/it.toml"));
    let sound = std::fs::read_to_string(&kept).unwrap();
    std::fs::write(&kept, sound.replace("it/press_1", "it/no_such_sound")).unwrap();
    let refused = run(folder.path(), &["ivr", "roll-back", "desk", &first]);
    assert_eq!(refused.status.code(), Some(2));
    let told = text(&refused.stderr);
    assert!(
        told.contains(&format!("{first}/phrases/it.toml:1:1: there is no sound `it/no_such_sound`")),
        "{told}"
    );
    assert!(flow(&folder).contains("first"));

    std::fs::write(&kept, sound).unwrap();
    // Nobody listens there: a port that was free a moment ago.
    let nowhere = format!("127.0.0.1:{}", support::free_port());
    folder.write(
        "cornetta.toml",
        &config.replace("[http]\nlisten = \"127.0.0.1:0\"", &format!("[http]\nlisten = \"{nowhere}\"")),
    );
    let back = run(folder.path(), &["ivr", "roll-back", "desk", &first, "--lang", "en"]);
    assert!(back.status.success(), "{}", text(&back.stderr));
    assert!(
        text(&back.stdout).contains(&format!("no exchange answers at {nowhere}")),
        "{}",
        text(&back.stdout)
    );

    // What differs is printed before anything is done.
    folder.write("ivr-scripts/desk/phrases/it.toml", &PHRASES.replace("it/press_1", "it/press_2"));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let unread =
        cornetta(folder.path(), &["ivr", "roll-back", "desk", &first]).stdout(writer).output().unwrap();
    assert!(unread.status.success(), "{}", text(&unread.stderr));
    let phrases = std::fs::read_to_string(folder.path().join("ivr-scripts/desk/phrases/it.toml")).unwrap();
    assert!(phrases.contains("it/press_1"), "{phrases}");
}

#[test]
fn a_reload_by_the_web_tells_every_fault_and_what_ran_goes_on() {
    let folder = desk();
    let exchange = Exchange::serve(&folder);
    let before = get(&exchange, "/v1/ivr/desk")["version"].clone();
    folder.write(
        "ivr-scripts/desk/flow.toml",
        &FLOW.replace("REASON", "first").replace("next = \"chosen\"", "next = \"choosen\""),
    );
    let refused = run(folder.path(), &["reload", "--url", &exchange.url]);
    assert_eq!(refused.status.code(), Some(1));
    let told = text(&refused.stderr);
    assert!(told.contains("flow.toml:10:30: unknown node `choosen`; did you mean `chosen`?"), "{told}");
    assert_eq!(get(&exchange, "/v1/ivr/desk")["version"], before);
    let findings = exchange.fact("config.rejected")["kind"]["findings"].clone();
    assert!(findings.to_string().contains("choosen"), "{findings}");
}
