//! The kept versions of a script, and a reload, as integrators ask for them.

use crate::support::{ALL, Desk, MASKED, METRICS, config};
use base::Wall;
use cti::{CtiConfig, Reloaded, ScriptVersion, ScriptVersions};
use facts::FactKind;
use serde_json::json;
use std::io;
use tokio::sync::mpsc;

const MARCH: i64 = 1_774_746_000_123_456;

fn versions(script: &str) -> io::Result<Vec<ScriptVersion>> {
    let version = |version: &str, since, until, follows: Option<&str>, changes| ScriptVersion {
        version: version.to_owned(),
        since,
        until,
        follows: follows.map(str::to_owned),
        changes,
    };
    let at = Some(Wall::from_unix_micros(MARCH));
    match script {
        "desk" => Ok(vec![version("aa", None, at, None, None), version("bb", at, None, Some("aa"), Some(3))]),
        "broken" => Err(io::Error::other("the disk is gone")),
        _ => Ok(Vec::new()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_versions_of_a_script_are_told_with_their_times() {
    let desk = Desk::configured(CtiConfig { versions: ScriptVersions::new(versions), ..config() }, 8).await;
    let answer = desk.ask("GET /v1/ivr/desk/versions", MASKED).await;
    let march = "2026-03-29T03:00:00.123456+02:00";
    assert_eq!(
        answer.json(),
        json!({ "script": "desk", "versions": [
            { "version": "aa", "since": null, "until": march, "follows": null, "changes": null },
            { "version": "bb", "since": march, "until": null, "follows": "aa", "changes": 3 },
        ] })
    );
    desk.ask("GET /v1/ivr/other/versions", MASKED).await.is_problem(404, "not_found");
    let broken = desk.ask("GET /v1/ivr/broken/versions", MASKED).await.is_problem(503, "unavailable");
    assert!(broken["detail"].as_str().unwrap().contains("the disk is gone"), "{broken}");
    desk.ask("GET /v1/ivr/desk/versions", METRICS).await.is_problem(403, "not_permitted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_answers_when_it_is_on_disk_or_with_every_fault() {
    let (reloads, mut asked) = mpsc::channel(1);
    let desk = Desk::configured(CtiConfig { reloads, ..config() }, 8).await;
    let refused = desk.ask("POST /v1/reload", MASKED).await.is_problem(403, "not_permitted");
    assert_eq!(refused["missing_scope"], "config:reload");
    desk.ask("GET /v1/reload", ALL).await.is_problem(405, "method_not_allowed");

    let answered = async {
        let request = asked.recv().await.unwrap();
        let fact = desk.write(None, [FactKind::ConfigActivated { version: "sha256:07".to_owned() }]);
        request.reply.send(Ok(Reloaded { version: "sha256:07".to_owned(), fact })).unwrap();
    };
    let (done, ()) = tokio::join!(desk.ask("POST /v1/reload", ALL), answered);
    let expected = json!({ "accepted": true, "version": "sha256:07", "sequence": "00000000000000000001" });
    assert_eq!(done.json(), expected);

    let answered = async {
        let request = asked.recv().await.unwrap();
        request.reply.send(Err(vec!["a.toml:1:1: wrong; right it".to_owned(), "b".to_owned()])).unwrap();
    };
    let (refused, ()) = tokio::join!(desk.ask("POST /v1/reload", ALL), answered);
    let problem = refused.is_problem(409, "invalid_state");
    assert_eq!(problem["findings"], json!(["a.toml:1:1: wrong; right it", "b"]));
    assert!(problem["detail"].as_str().unwrap().contains("a.toml:1:1: wrong; right it"), "{problem}");

    drop(asked);
    desk.ask("POST /v1/reload", ALL).await.is_problem(503, "unavailable");
}
