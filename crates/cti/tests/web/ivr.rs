//! Where callers are in their scripts, counted from the log.

use crate::support::samples::ended;
use crate::support::{Desk, MASKED, METRICS, PATIENCE, config};
use cti::{CtiConfig, Scripts};
use facts::{Fact, FactKind};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::watch;

#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
fn script() -> Arc<ivr::Script> {
    let files = ivr::ScriptFiles {
        name: "desk".to_owned(),
        flow: (
            "flow.toml".to_owned(),
            "title = \"A desk\"\nlanguages = [\"it\"]\nstart = \"hello\"\n[hello]\nsay = \"hello\"\nnext = \"end\"\n\
             [end]\nhang_up = \"over\"\n"
                .to_owned(),
        ),
        phrases: vec![("it".to_owned(), "it.toml".to_owned(), "hello = \"Buongiorno.\"\n".to_owned())],
        sounds: ivr::SoundInventory::every(),
        ..ivr::ScriptFiles::default()
    };
    Arc::new(ivr::Script::check(&files).unwrap())
}

fn entered(node: &str) -> FactKind {
    FactKind::IvrEntered { script: "desk".to_owned(), node: node.to_owned(), language: "it".to_owned() }
}

/// Facts of this moment, from this number on.
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
fn write(desk: &Desk, from: u64, facts: Vec<(&str, FactKind)>) {
    let now = jiff::Timestamp::now().as_microsecond();
    let facts = facts.into_iter().zip(from..).map(|((call, kind), number)| Fact {
        number,
        at: base::Wall::from_unix_micros(now + number as i64),
        call: Some(call.to_owned()),
        callseq: 1,
        body: None,
        kind,
    });
    let facts: Vec<Fact> = facts.collect();
    let last = facts.last().unwrap().number;
    desk.journal.try_append(facts).unwrap();
    assert!(desk.journal.wait_durable(last, PATIENCE));
}

#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
async fn counts(desk: &Desk) -> Value {
    serde_json::from_str(&desk.ask("GET /v1/ivr/desk", MASKED).await.body).unwrap()
}

fn in_force() -> Arc<Scripts> {
    Arc::new(Scripts { version: "sha256:02".to_owned(), scripts: [("desk".to_owned(), script())].into() })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_picture_of_a_script_shows_where_its_callers_are() {
    let (told, scripts) = watch::channel(Arc::default());
    let desk = Desk::configured(CtiConfig { scripts, ..config() }, 8).await;
    desk.ask("GET /v1/ivr/desk", MASKED).await.is_problem(404, "not_found");
    told.send_replace(in_force());
    let list: Value = serde_json::from_str(&desk.ask("GET /v1/ivr", MASKED).await.body).unwrap();
    assert_eq!(list["version"], "sha256:02");
    assert_eq!(list["scripts"][0]["version"], script().version());
    assert_eq!(list["scripts"][0]["nodes"], json!(["hello", "end"]));
    desk.ask("GET /v1/ivr", METRICS).await.is_problem(403, "not_permitted");

    // Long ago: not counted, and passed over without being read.
    desk.write(Some("old"), [entered("hello")]);
    write(&desk, 2, vec![("c1", entered("hello")), ("c2", entered("hello")), ("c2", entered("end"))]);
    let one = counts(&desk).await;
    assert_eq!(one["as_of"], 4);
    assert_eq!(
        one["nodes"],
        json!([
            { "node": "hello", "kind": "say", "here": 1, "entered": 2, "left": {} },
            { "node": "end", "kind": "hang_up", "here": 1, "entered": 1, "left": {} },
        ])
    );
    let picture = desk.ask("GET /v1/ivr/desk/graph.svg", MASKED).await;
    assert!(picture.head.contains("content-type: image/svg+xml"), "{}", picture.head);
    assert!(picture.body.contains(">1 here, 2 today</text>"), "{}", picture.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_whose_end_was_forgotten_before_it_was_counted_is_not_there_for_ever() {
    let (_told, scripts) = watch::channel(in_force());
    let desk = Desk::configured(CtiConfig { scripts, ..config() }, 8).await;
    let hello = |one: &Value| (one["as_of"].clone(), one["nodes"][0]["here"].clone());
    write(&desk, 1, vec![("c1", entered("hello"))]);
    assert_eq!(hello(&counts(&desk).await), (json!(1), json!(1)));
    // The end of the first falls into what is forgotten before anybody asks again.
    write(&desk, 2, vec![("c1", ended()), ("c2", entered("hello")), ("c3", entered("hello"))]);
    desk.journal.forget_before(4).unwrap();
    assert_eq!(hello(&counts(&desk).await), (json!(4), json!(1)), "only of whom the log still tells");
}
