//! A token of a body: it is shown what is that body's, and what is another's is to it as if it were not there.

use crate::support;
use crate::support::samples::{agent, arrived, every_kind};
use crate::support::{ALL, Desk, PATIENCE, config, number, short};
use cti::{
    CommandCode, CommandError, CommandRequest, CtiConfig, RecordingFiles, Scope, ScriptVersions, Scripts,
    Token,
};
use facts::{AgentState, CallbackRequest, EmergencyClosed, Fact, FactKind};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

const VENEZIA: &str = "venezia-secret-of-16-letters";
const MESTRE: &str = "mestre-secret-of-16-letters";
const BODIES: [Option<&str>; 3] = [None, Some("venezia"), Some("mestre")];

/// Two bodies whose tokens have every scope, even those that no configuration gives them.
fn two_bodies() -> CtiConfig {
    let mut tokens = support::tokens();
    tokens.push(Token::from_secret("venezia/crm", VENEZIA, Scope::ALL).unwrap());
    tokens.push(Token::from_secret("mestre/crm", MESTRE, Scope::ALL).unwrap());
    let recordings = RecordingFiles::new(|recording| match recording {
        "venezia/kept" | "mestre/kept" | "kept" => Some("Cargo.toml".into()),
        _ => None,
    });
    let script = |name: &str| {
        let flow = "title = \"Town\"\nlanguages = [\"it\"]\nstart = \"end\"\n[end]\nhang_up = \"end\"\n";
        let files = ivr::ScriptFiles {
            name: name.to_owned(),
            flow: ("flow.toml".to_owned(), flow.to_owned()),
            phrases: vec![("it".to_owned(), "it.toml".to_owned(), String::new())],
            ..ivr::ScriptFiles::default()
        };
        (name.to_owned(), Arc::new(ivr::Script::check(&files).unwrap()))
    };
    let scripts = ["town", "venezia/town", "mestre/town"].map(script).into();
    let scripts = Arc::new(Scripts { version: "sha256:02".to_owned(), scripts });
    let versions = ScriptVersions::new(|script| match script {
        "mestre/town" => Err(io::Error::other("the disk is gone")),
        _ => Ok(Vec::new()),
    });
    let tokens = watch::channel(tokens.into()).1;
    CtiConfig { tokens, recordings, scripts: watch::channel(scripts).1, versions, ..config() }
}

/// The same thing of each body and of the installation.
fn write_all(desk: &Desk) {
    for body in BODIES {
        let own = |name: &str| facts::name_in(body, name);
        let call = format!("{}1", body.unwrap_or("root"));
        desk.write_of(body, Some(&call), [arrived()]);
        desk.write_of(body, None, [agent(&own("anna"), AgentState::Ready)]);
        let (queue, language, topic) = (own("desk"), "it".to_owned(), String::new());
        let entered =
            FactKind::QueueEntered { queue: queue.clone(), position: 1, language, topic, priority: 0 };
        desk.write_of(body, Some(&call), [entered]);
        let scope = format!("script:{}", own("town"));
        let (message, reason) = (String::new(), "sciopero".to_owned());
        let closed = EmergencyClosed { scope, message, reason, by: "all".to_owned() };
        desk.write_of(body, None, [FactKind::EmergencyClosed(closed)]);
        let request = CallbackRequest {
            callback: 1000 + desk.journal.durable_head(),
            queue,
            number: "+390612345678".to_owned(),
            dialled: "1510".to_owned(),
            language: "it".to_owned(),
            topic: String::new(),
            priority: 0,
            tries: 1,
            pause_ms: 1,
            waited_ms: 0,
        };
        desk.write_of(body, Some(&call), [FactKind::CallbackRequested(request)]);
    }
    desk.write_of(None, None, [FactKind::TrunkUp { trunk: "operatore".to_owned() }]);
}

/// What answers commands where nobody is there: nothing that is asked for is.
async fn nothing_is_there(mut commands: mpsc::Receiver<CommandRequest>) -> Vec<String> {
    let mut asked = Vec::new();
    while let Some(CommandRequest { by, reply, .. }) = commands.recv().await {
        asked.push(by);
        let error = CommandError { code: CommandCode::NotFound, detail: "there is no such thing".to_owned() };
        reply.send(Err(error)).unwrap();
    }
    asked
}

#[tokio::test(flavor = "multi_thread")]
async fn of_every_kind_of_fact_a_body_is_told_its_own_and_what_begins_all_anew() {
    let desk = Desk::configured(two_bodies(), 8).await;
    let kinds = every_kind();
    for kind in &kinds {
        for body in BODIES {
            desk.write_of(body, Some("c1"), [kind.clone()]);
        }
    }
    let is_told = |fact: &Fact, body: &str| {
        fact.body.as_deref() == Some(body) || matches!(fact.kind, FactKind::SystemStarted { .. })
    };
    let stored = desk.journal.read(1, 1000).unwrap();
    assert_eq!(stored.len(), 3 * kinds.len());
    for (token, body) in [(VENEZIA, "venezia"), (MESTRE, "mestre")] {
        let own: Vec<u64> =
            stored.iter().filter(|fact| is_told(fact, body)).map(|fact| fact.number).collect();
        let log = desk.ask("GET /v1/log", token).await;
        let told: Vec<Fact> = log.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(told.iter().map(|fact| fact.number).collect::<Vec<_>>(), own);
        let mut reader = desk.websocket("?from=1", token).await;
        let mut heard = Vec::new();
        while heard.len() < own.len() {
            let frame = reader.next().await;
            if frame["op"].is_null() {
                heard.push(number(&frame));
                let whose = frame["body"].as_str();
                assert!(whose == Some(body) || frame["type"] == "cti.system.started.v1", "{frame}");
            } else {
                let short = short(&frame);
                assert!(short.starts_with('+') || short == "subscribed", "{frame}");
            }
        }
        assert_eq!(heard, own);
    }
    let all = desk.ask("GET /v1/log", ALL).await;
    assert_eq!(all.body.lines().count(), stored.len(), "the installation's own is told all");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lists_shows_a_body_its_own_alone() {
    let desk = Desk::configured(two_bodies(), 8).await;
    write_all(&desk);
    for request in [
        "GET /v1/snapshot",
        "GET /v1/log",
        "GET /v1/ivr",
        "GET /v1/emergency",
        "GET /metrics",
        "GET /v1/calls/venezia1",
        "GET /v1/ivr/venezia%2Ftown",
    ] {
        let answer = desk.ask(request, VENEZIA).await;
        assert_eq!(answer.status, 200, "{request}: {}", answer.body);
        assert!(
            answer.body.contains("venezia") || request == "GET /v1/calls/venezia1",
            "{request}: {}",
            answer.body
        );
        assert!(
            !answer.body.contains("mestre") && !answer.body.contains("root1"),
            "{request}: {}",
            answer.body
        );
    }
    let whole = desk.ask("GET /v1/snapshot", VENEZIA).await.json();
    for part in ["calls", "queues", "agents", "emergencies", "callbacks"] {
        assert_eq!(whole[part].as_object().unwrap().len(), 1, "{part}: {whole}");
    }
    for part in ["trunks", "bans"] {
        assert!(whole[part].as_object().unwrap().is_empty(), "{part}: {whole}");
    }
    let page = desk.ask("GET /metrics", VENEZIA).await.body;
    let names: BTreeSet<&str> = page.lines().filter_map(|line| line.split([' ', '{']).next()).collect();
    assert_eq!(names, BTreeSet::from(["#", "cornetta_agents", "cornetta_calls", "cornetta_queue_waiting"]));
    assert!(page.contains("cornetta_calls 1\n") && page.contains("queue=\"venezia/desk\"} 1"), "{page}");
    let all = desk.ask("GET /v1/snapshot", ALL).await.json();
    assert_eq!((all["calls"].as_object().unwrap().len(), all["trunks"].as_object().unwrap().len()), (3, 1));
}

/// How an address answers that names one thing.
enum Expected {
    /// As if there were no such thing.
    NotThere,
    /// It is about what all bodies share, whatever is named.
    Shared,
    /// It shows or commands nothing of a body by a name: it lists what is one's own, or tells nothing of anybody.
    Lists,
}

/// The address as the router has it; each request with NAME for the body, and what it sends; what comes of them.
type Asked<'a> = (&'a str, Vec<(&'a str, &'a str)>, Expected);

#[tokio::test(flavor = "multi_thread")]
async fn no_address_tells_what_is_anothers_from_what_is_not_there() {
    use Expected::{Lists, NotThere, Shared};
    let mut desk = Desk::configured(two_bodies(), 8).await;
    write_all(&desk);
    let (_, nobody) = mpsc::channel(1);
    let commands = tokio::spawn(nothing_is_there(std::mem::replace(&mut desk.commands, nobody)));
    let begin = r#"{"basis":"verbale"}"#;
    let close = r#"{"scope":"script:NAME/town","reason":"sciopero"}"#;
    let all: Vec<Asked<'_>> = vec![
        ("/v1/events", vec![], Lists),
        ("/v1/log", vec![("GET /v1/log?call=NAME1", "")], Lists),
        ("/v1/snapshot", vec![], Lists),
        (
            "/v1/agents/{agent}/state",
            vec![("PUT /v1/agents/NAME%2Fanna/state", r#"{"state":"ready"}"#)],
            NotThere,
        ),
        ("/v1/calls/{call}", vec![("GET /v1/calls/NAME1", ""), ("DELETE /v1/calls/NAME1", "")], NotThere),
        ("/v1/calls/{call}/sip", vec![("GET /v1/calls/NAME1/sip", "")], Shared),
        ("/v1/calls/{call}/capture", vec![("POST /v1/calls/NAME1/capture", "")], Shared),
        (
            "/v1/calls/{call}/recording",
            vec![("PUT /v1/calls/NAME1/recording", begin), ("DELETE /v1/calls/NAME1/recording", "")],
            NotThere,
        ),
        ("/v1/recordings/{recording}", vec![("GET /v1/recordings/NAME%2Fkept", "")], NotThere),
        ("/v1/captures", vec![("POST /v1/captures", r#"{"number":"1510"}"#)], Shared),
        ("/v1/ivr", vec![], Lists),
        ("/v1/ivr/{script}", vec![("GET /v1/ivr/NAME%2Ftown", "")], NotThere),
        ("/v1/ivr/{script}/versions", vec![("GET /v1/ivr/NAME%2Ftown/versions", "")], NotThere),
        ("/v1/reload", vec![("POST /v1/reload", "")], Shared),
        ("/v1/ivr/{script}/graph.svg", vec![("GET /v1/ivr/NAME%2Ftown/graph.svg", "")], NotThere),
        (
            "/v1/bans",
            vec![("GET /v1/bans", ""), ("POST /v1/bans", r#"{"source":"192.0.2.9","reason":"x"}"#)],
            Shared,
        ),
        ("/v1/bans/{*source}", vec![("DELETE /v1/bans/192.0.2.9", "")], Shared),
        ("/v1/emergency", vec![("POST /v1/emergency", close)], NotThere),
        ("/v1/emergency/{scope}", vec![("DELETE /v1/emergency/script:NAME%2Ftown", "")], NotThere),
        ("/v1/callers/{number}", vec![("DELETE /v1/callers/+393471234567", "")], NotThere),
        ("/v1/callbacks/{callback}", vec![("DELETE /v1/callbacks/1011", "")], NotThere),
        ("/v1/calls/{call}/transfer", vec![("POST /v1/calls/NAME1/transfer", r#"{"to":"anna"}"#)], NotThere),
        (
            "/v1/calls/{call}/interpreter",
            vec![
                ("PUT /v1/calls/NAME1/interpreter", r#"{"language":"ar","queue":"NAME/desk"}"#),
                ("DELETE /v1/calls/NAME1/interpreter", ""),
            ],
            NotThere,
        ),
        ("/v1/calls/{call}/parties", vec![("POST /v1/calls/NAME1/parties", r#"{"to":"anna"}"#)], NotThere),
        (
            "/v1/calls/{call}/parties/{leg}",
            vec![
                ("PUT /v1/calls/NAME1/parties/1", r#"{"muted":true}"#),
                ("DELETE /v1/calls/NAME1/parties/1", ""),
            ],
            NotThere,
        ),
        (
            "/v1/calls/{call}/supervisors/{agent}",
            vec![
                ("PUT /v1/calls/NAME1/supervisors/NAME%2Fanna", r#"{"mode":"listen","basis":"x"}"#),
                ("DELETE /v1/calls/NAME1/supervisors/NAME%2Fanna", ""),
            ],
            NotThere,
        ),
        ("/healthz", vec![], Lists),
        ("/readyz", vec![], Lists),
        ("/metrics", vec![], Lists),
    ];
    let routes = include_str!("../../src/routes.rs");
    let known: BTreeSet<&str> =
        routes.split(".route(").skip(1).filter_map(|route| route.split('"').nth(1)).collect();
    assert_eq!(all.iter().map(|(route, ..)| *route).collect::<BTreeSet<_>>(), known, "every address is here");
    for (_, requests, expected) in all {
        for (request, body) in requests {
            let mut answers = Vec::new();
            for name in ["mestre", "nobody"] {
                let (request, body) = (request.replace("NAME", name), body.replace("NAME", name));
                let headers = format!("Authorization: Bearer {VENEZIA}\r\n");
                let answer = support::ask(desk.addr, &request, &headers, &body).await;
                match expected {
                    NotThere => drop(answer.is_problem(404, "not_found")),
                    Shared => drop(answer.is_problem(403, "not_permitted")),
                    Lists => assert_eq!((answer.status, answer.body.as_str()), (200, ""), "{request}"),
                }
                answers.push((answer.status, answer.body.replace(name, "NAME")));
            }
            assert_eq!(answers[0], answers[1], "{request}");
        }
    }
    drop(desk.stop);
    desk.server.ended().await;
    let asked = tokio::time::timeout(PATIENCE, commands).await.unwrap().unwrap();
    assert!(!asked.is_empty() && asked.iter().all(|by| by == "venezia/crm"), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_its_own_a_body_has() {
    let desk = Desk::configured(two_bodies(), 8).await;
    write_all(&desk);
    for request in
        ["GET /v1/recordings/mestre%2Fkept", "GET /v1/ivr/mestre%2Ftown/graph.svg", "GET /v1/calls/mestre1"]
    {
        assert_eq!(desk.ask(request, MESTRE).await.status, 200, "{request}");
        assert_eq!(desk.ask(request, ALL).await.status, 200, "{request}");
        desk.ask(request, VENEZIA).await.is_problem(404, "not_found");
    }
    let recording = desk.ask("GET /v1/recordings/mestre%2Fkept", MESTRE).await;
    assert!(recording.head.contains("filename=\"kept.wav\""), "{}", recording.head);
    let events = desk.ask("GET /v1/log?call=mestre1", MESTRE).await;
    let told: Vec<Value> = events.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!told.is_empty() && told.iter().all(|fact| fact["body"] == "mestre"), "{told:?}");
}
