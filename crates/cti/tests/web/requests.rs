//! Who may ask for what, and what the answers are.

use crate::support;
use crate::support::samples::{agent, arrived};
use crate::support::{ALL, Desk, MASKED, METRICS, PATIENCE, Socket, ask, config, read_answer};
use cti::{CommandCode, CommandError, CtiConfig, CtiError, Limits, serve};
use facts::{Command, FactKind, Recorded, SupervisionMode};
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

const PAUSE: &str = r#"{"state":"paused","reason":"pausa caffè"}"#;

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_told_to_the_unknown() {
    let desk = Desk::open().await;
    let asked = ["GET /v1/events", "GET /v1/snapshot", "DELETE /v1/calls/c1", "PUT /v1/agents/anna/state"];
    for request in asked {
        for headers in ["", "Authorization: Bearer wrong\r\n", "Authorization: Basic YTpi\r\n"] {
            let answer = ask(desk.addr, request, headers, "").await;
            answer.is_problem(401, "unauthorized");
            assert!(answer.head.contains("www-authenticate: bearer"), "{}", answer.head);
        }
    }
    assert_eq!(Socket::open(desk.addr, "?from=1", "wrong", None).await.err(), Some(401));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_the_address_is_refused_even_if_it_is_right() {
    let desk = Desk::open().await;
    ask(desk.addr, &format!("GET /v1/snapshot?token={ALL}"), "", "").await.is_problem(401, "unauthorized");
    desk.ask(&format!("GET /v1/snapshot?token={ALL}"), ALL).await.is_problem(400, "invalid_request");
    desk.ask("GET /v1/events?form=1", ALL).await.is_problem(400, "invalid_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_scope_is_named() {
    let desk = Desk::open().await;
    for (request, token, scope) in [
        ("GET /v1/events", METRICS, "events:read"),
        ("GET /v1/snapshot", METRICS, "events:read"),
        ("PUT /v1/agents/anna/state", MASKED, "agent:any"),
        ("POST /v1/bans", MASKED, "security:any"),
        ("DELETE /v1/bans/192.0.2.9", MASKED, "security:any"),
        ("GET /v1/bans", METRICS, "events:read"),
        ("POST /v1/emergency", MASKED, "emergency:any"),
        ("DELETE /v1/emergency/all", MASKED, "emergency:any"),
        ("DELETE /v1/callers/+393471234567", MASKED, "caller:forget"),
        ("GET /v1/emergency", METRICS, "events:read"),
        ("DELETE /v1/calls/c1", MASKED, "call:any"),
    ] {
        let problem = desk.ask(request, token).await.is_problem(403, "not_permitted");
        assert_eq!(problem["missing_scope"], scope);
        assert!(problem["detail"].as_str().unwrap().contains(scope));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_has_the_parts_asked_for_and_is_masked_by_scope() {
    let desk = Desk::open().await;
    desk.write(Some("c1"), [arrived()]);
    desk.write(None, [agent("anna", facts::AgentState::Ready)]);
    let whole = desk.ask("GET /v1/snapshot", ALL).await.json();
    assert_eq!((&whole["as_of"], &whole["source"]), (&json!(2), &json!("/ente/prova/node/rm1/epoch/7")));
    assert_eq!(whole["calls"]["c1"]["from"], "+393471234567");
    assert_eq!(whole["agents"], json!({"anna": {"state": "ready", "reason": null}}));
    assert_eq!((&whole["queues"], &whole["trunks"]), (&json!({}), &json!({})));
    let part = desk.ask("GET /v1/snapshot?of=calls", MASKED).await.json();
    assert_eq!(part["calls"]["c1"]["from"], "+393*******67");
    assert!(part.get("agents").is_none());
    desk.ask("GET /v1/snapshot?of=calls,cats", ALL).await.is_problem(400, "invalid_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_call_is_shown_with_who_is_in_it_beside_its_two_and_what_each_of_them_may() {
    let desk = Desk::open().await;
    desk.write(Some("c1"), [arrived()]);
    let comes = |leg, role, address: &str| {
        let (address, sip_call_id) = (address.to_owned(), None);
        [
            FactKind::LegCreated { leg, role, address, sip_call_id },
            FactKind::LegConnected { leg, codec: "opus".into(), csrc: 70 + leg },
        ]
    };
    let (by, supervisor) = ("crm".to_owned(), "carla".to_owned());
    desk.write(Some("c1"), comes(2, facts::LegRole::Agent, "anna"));
    desk.write(Some("c1"), comes(3, facts::LegRole::Supervisor, "carla"));
    desk.write(Some("c1"), comes(4, facts::LegRole::External, "+390612345678"));
    let (mode, basis, agent) = (facts::SupervisionMode::Whisper, "training".to_owned(), "anna".to_owned());
    let facts = [
        FactKind::SupervisionStarted { leg: 3, supervisor, agent, mode, basis, by: by.clone() },
        FactKind::ConferenceJoined { leg: 4, role: facts::LegRole::External, by: by.clone() },
        FactKind::ConferenceMuted { leg: 4, muted: true, by },
    ];
    desk.write(Some("c1"), facts);
    let whole = desk.ask("GET /v1/calls/c1", ALL).await.json();
    assert_eq!((&whole["as_of"], &whole["call"]["to"]), (&json!(10), &json!("800123456")));
    let leg = |number: &str| whole["call"]["legs"][number].clone();
    let shown = |role, address, guest, muted, supervision, csrc: u32| {
        json!({"role": role, "address": address, "connected": true, "held": false, "guest": guest, "muted": muted,
               "supervision": supervision, "csrc": csrc})
    };
    assert_eq!(leg("2"), shown("agent", "anna", false, false, json!(null), 72));
    assert_eq!(leg("3"), shown("supervisor", "carla", true, false, json!("whisper"), 73));
    assert_eq!(leg("4"), shown("external", "+390612345678", true, true, json!(null), 74));
    let masked = desk.ask("GET /v1/calls/c1", MASKED).await.json();
    assert_eq!(masked["call"]["legs"]["4"]["address"], "+390*******78");
    desk.ask("GET /v1/calls/c2", ALL).await.is_problem(404, "not_found");
    desk.ask("GET /v1/calls/c1", METRICS).await.is_problem(403, "not_permitted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_answered_only_when_its_fact_is_on_disk() {
    let mut desk = Desk::open().await;
    let addr = desk.addr;
    let asked =
        tokio::spawn(async move { ask(addr, "PUT /v1/agents/anna/state", &bearer(ALL), PAUSE).await });
    let request = desk.commands.recv().await.unwrap();
    assert_eq!(request.command, Command::Pause { agent: "anna".into(), reason: "pausa caffè".into() });
    assert_eq!(request.by, "all");
    request.reply.send(Ok(1)).unwrap();
    // The server answers others meanwhile, so it had its chance to answer this one too early.
    for _ in 0..20 {
        assert_eq!(desk.ask("GET /healthz", ALL).await.status, 200);
    }
    assert!(!asked.is_finished());
    desk.write(None, [agent("anna", facts::AgentState::Paused)]);
    let answer = asked.await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json(), json!({"accepted": true, "sequence": "00000000000000000001"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_command_reaches_the_engine_as_it_was_meant() {
    let mut desk = Desk::open().await;
    let addr = desk.addr;
    desk.write(None, [agent("anna", facts::AgentState::Ready)]);
    for (request, body, command) in [
        ("PUT /v1/agents/anna/state", r#"{"state":"ready"}"#, Command::Ready { agent: "anna".into() }),
        ("DELETE /v1/calls/c1", "", Command::HangUp { call: "c1".into() }),
        (
            "POST /v1/calls/c1/transfer",
            r#"{"to":" bruno "}"#,
            Command::Transfer { call: "c1".into(), to: "bruno".into() },
        ),
        (
            "PUT /v1/calls/c1/supervisors/carla",
            r#"{"mode":"whisper","basis":" formazione "}"#,
            Command::Supervise {
                call: "c1".into(),
                supervisor: "carla".into(),
                mode: SupervisionMode::Whisper,
                basis: "formazione".into(),
            },
        ),
        (
            "DELETE /v1/calls/c1/supervisors/carla",
            "",
            Command::EndSupervision { call: "c1".into(), supervisor: "carla".into() },
        ),
        (
            "POST /v1/calls/c1/parties",
            r#"{"to":"0612345678"}"#,
            Command::AddParty { call: "c1".into(), to: "0612345678".into() },
        ),
        (
            "PUT /v1/calls/c1/parties/3",
            r#"{"muted":true}"#,
            Command::MuteParty { call: "c1".into(), leg: 3, muted: true },
        ),
        (
            "PUT /v1/calls/c1/interpreter",
            r#"{"language":"ar","queue":"interpreters"}"#,
            Command::AddInterpreter {
                call: "c1".into(),
                language: "ar".into(),
                queue: "interpreters".into(),
            },
        ),
        ("DELETE /v1/calls/c1/interpreter", "", Command::CancelInterpreter { call: "c1".into() }),
        ("DELETE /v1/calls/c1/parties/3", "", Command::DropParty { call: "c1".into(), leg: 3 }),
        (
            "PUT /v1/calls/c1/recording",
            r#"{"basis":" verbale "}"#,
            Command::Record { call: "c1".into(), what: Recorded::Call, basis: "verbale".into() },
        ),
        (
            "PUT /v1/calls/c1/recording",
            r##"{"of":"message","basis":"avviso","longest_seconds":60,"key":"#"}"##,
            Command::Record {
                call: "c1".into(),
                what: Recorded::Message {
                    silence: Duration::from_secs(5),
                    longest: Duration::from_secs(60),
                    key: Some('#'),
                },
                basis: "avviso".into(),
            },
        ),
        (
            "PUT /v1/calls/c1/recording",
            r#"{"paused":true}"#,
            Command::PauseRecording { call: "c1".into(), paused: true },
        ),
        ("DELETE /v1/calls/c1/recording", "", Command::StopRecording { call: "c1".into() }),
        ("DELETE /v1/calls/a%2Fb", "", Command::HangUp { call: "a/b".into() }),
    ] {
        let asked = tokio::spawn(async move { ask(addr, request, &bearer(ALL), body).await });
        let taken = desk.commands.recv().await.unwrap();
        assert_eq!(taken.command, command);
        taken.reply.send(Ok(1)).unwrap();
        assert_eq!(asked.await.unwrap().status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_to_a_recording_names_it() {
    let mut desk = Desk::open().await;
    let addr = desk.addr;
    let body = r#"{"basis":"verbale"}"#;
    let asked =
        tokio::spawn(async move { ask(addr, "PUT /v1/calls/c1/recording", &bearer(ALL), body).await });
    let taken = desk.commands.recv().await.unwrap();
    let started = FactKind::RecordingStarted {
        recording: "c1-1".into(),
        of: "call".into(),
        basis: "verbale".into(),
        by: "all".into(),
        language: "it".into(),
    };
    desk.write(Some("c1"), [started, agent("anna", facts::AgentState::Ready)]);
    taken.reply.send(Ok(2)).unwrap();
    let answer = asked.await.unwrap().json();
    assert_eq!((&answer["accepted"], &answer["recording"]), (&json!(true), &json!("c1-1")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_that_is_not_understood_whole_is_refused() {
    let desk = Desk::open().await;
    for body in [
        "",
        "{}",
        r#"{"basis":" "}"#,
        r#"{"basis":"a\nb"}"#,
        r#"{"basis":"x","paused":true}"#,
        r#"{"paused":true,"key":"1"}"#,
        r#"{"paused":"yes"}"#,
        r#"{"basis":"x","of":"agent"}"#,
        r#"{"basis":"x","longest_seconds":5}"#,
        r#"{"basis":"x","of":"message","longest_seconds":0}"#,
        r#"{"basis":"x","of":"message","silence_seconds":61}"#,
        r#"{"basis":"x","of":"message","key":"12"}"#,
        r#"{"basis":"x","of":"message","key":"x"}"#,
        r#"{"basis":"x","of":"message","key":""}"#,
        r#"{"basis":"x","folder":"/etc"}"#,
    ] {
        let answer = ask(desk.addr, "PUT /v1/calls/c1/recording", &bearer(ALL), body).await;
        answer.is_problem(400, "invalid_request");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_is_for_whoever_may_hear_it_and_no_address_leads_elsewhere() {
    let desk = Desk::open().await;
    let answer = desk.ask("GET /v1/recordings/kept", ALL).await;
    assert_eq!(answer.status, 200);
    assert!(
        answer.head.contains("content-type: audio/wav") && answer.head.contains("cache-control: no-store")
    );
    assert_eq!(answer.body, std::fs::read_to_string("Cargo.toml").unwrap());
    for nowhere in ["other", "..%2FCargo.toml", "gone", "kept.wav"] {
        desk.ask(&format!("GET /v1/recordings/{nowhere}"), ALL).await.is_problem(404, "not_found");
    }
    desk.ask("GET /v1/recordings/kept", MASKED).await.is_problem(403, "not_permitted");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_engines_refusals_keep_their_codes() {
    let mut desk = Desk::open().await;
    let addr = desk.addr;
    for (code, status, name) in [
        (CommandCode::InvalidState, 409, "invalid_state"),
        (CommandCode::NotFound, 404, "not_found"),
        (CommandCode::NotPermitted, 403, "not_permitted"),
        (CommandCode::Capacity, 503, "capacity"),
    ] {
        let asked = tokio::spawn(async move { ask(addr, "DELETE /v1/calls/c1", &bearer(ALL), "").await });
        let refused = CommandError { code, detail: "what is wrong; what to do".into() };
        desk.commands.recv().await.unwrap().reply.send(Err(refused)).unwrap();
        let problem = asked.await.unwrap().is_problem(status, name);
        assert_eq!(problem["detail"], "what is wrong; what to do");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_not_understood_whole_is_refused() {
    let desk = Desk::open().await;
    let long = format!(r#"{{"state":"paused","reason":"{}"}}"#, "x".repeat(201));
    for body in [
        "",
        "{}",
        r#"{"state":"paused"}"#,
        r#"{"state":"paused","reason":" "}"#,
        r#"{"state":"paused","reason":"a\nb"}"#,
        r#"{"state":"paused","reason":"x","until":5}"#,
        r#"{"state":"ready","reason":"x"}"#,
        r#"{"state":"asleep"}"#,
        &long,
    ] {
        let answer = ask(desk.addr, "PUT /v1/agents/anna/state", &bearer(ALL), body).await;
        answer.is_problem(400, "invalid_request");
    }
    let huge = " ".repeat(64 * 1024 + 1);
    let answer = ask(desk.addr, "PUT /v1/agents/anna/state", &bearer(ALL), &huge).await;
    answer.is_problem(413, "too_large");
    let name = format!("DELETE /v1/calls/{}", "x".repeat(201));
    desk.ask(&name, ALL).await.is_problem(404, "not_found");
    desk.ask("DELETE /v1/calls/%FF", ALL).await.is_problem(400, "invalid_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_commands_than_can_wait_are_refused_and_an_absent_engine_is_told() {
    let mut desk = Desk::configured(config(), 1).await;
    let addr = desk.addr;
    let first = tokio::spawn(async move { ask(addr, "DELETE /v1/calls/c1", &bearer(ALL), "").await });
    while desk.commands.is_empty() {
        tokio::task::yield_now().await;
    }
    desk.ask("DELETE /v1/calls/c2", ALL).await.is_problem(503, "capacity");
    assert_eq!(desk.ask("GET /readyz", "").await.status, 200);
    desk.commands.close();
    drop(desk.commands.recv().await.unwrap());
    first.await.unwrap().is_problem(503, "unavailable");
    let ready = ask(addr, "GET /readyz", "", "").await;
    ready.is_problem(503, "unavailable");
    assert_eq!(ask(addr, "GET /healthz", "", "").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_is_not_answered_in_time_says_that_its_outcome_is_unknown() {
    let limits = Limits { command_wait: Duration::from_millis(50), ..Limits::default() };
    let mut desk = Desk::with(limits).await;
    desk.ask("DELETE /v1/calls/c1", ALL).await.is_problem(504, "outcome_unknown");
    assert!(desk.commands.recv().await.unwrap().reply.is_closed());
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_for_this_machine_and_for_those_with_the_scope() {
    let desk = Desk::open().await;
    desk.write(Some("c1"), [arrived()]);
    let page = ask(desk.addr, "GET /metrics", "", "").await;
    assert!(page.head.contains("content-type: text/plain; version=0.0.4"), "{}", page.head);
    for line in ["cornetta_facts_head 1", "cornetta_calls 1", "cornetta_journal_healthy 1"] {
        assert!(page.body.lines().any(|got| got == line), "{line} not in\n{}", page.body);
    }
    let proxied = "X-Forwarded-For: 192.0.2.1\r\n";
    ask(desk.addr, "GET /metrics", proxied, "").await.is_problem(401, "unauthorized");
    let masked = format!("{proxied}{}", bearer(MASKED));
    ask(desk.addr, "GET /metrics", &masked, "").await.is_problem(403, "not_permitted");
    let allowed = format!("{proxied}{}", bearer(METRICS));
    assert_eq!(ask(desk.addr, "GET /metrics", &allowed, "").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_not_there_is_a_problem_document_too() {
    let desk = Desk::open().await;
    desk.ask("GET /v2/events", ALL).await.is_problem(404, "not_found");
    desk.ask("POST /v1/events", ALL).await.is_problem(405, "method_not_allowed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_beyond_the_limit_is_told_so_and_a_silent_one_is_closed() {
    let limits = Limits { connections: 1, head_wait: Duration::from_millis(50), ..Limits::default() };
    let desk = Desk::with(limits).await;
    let mut silent = TcpStream::connect(desk.addr).await.unwrap();
    silent.write_all(b"GET /healthz HTT").await.unwrap();
    let mut second = TcpStream::connect(desk.addr).await.unwrap();
    read_answer(&mut second).await.is_problem(503, "capacity");
    let mut rest = Vec::new();
    let read = tokio::io::AsyncReadExt::read_to_end(&mut silent, &mut rest);
    // Closed with or without a word, but closed.
    let _ = timeout(PATIENCE, read).await.unwrap();
    // Its place is free a moment after its end is seen.
    while ask(desk.addr, "GET /healthz", "", "").await.status == 503 {}
    assert_eq!(ask(desk.addr, "GET /healthz", "", "").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_tokens_loopback_is_open_and_the_network_is_refused_at_the_start() {
    let open = Desk::configured(CtiConfig { tokens: watch::channel(Arc::default()).1, ..config() }, 1).await;
    assert_eq!(ask(open.addr, "GET /v1/snapshot", "", "").await.status, 200);
    let page = "Origin: https://evil.example\r\n";
    ask(open.addr, "GET /v1/snapshot", page, "").await.is_problem(403, "not_permitted");

    let listen = SocketAddr::from(([0, 0, 0, 0], 0));
    let outside = CtiConfig { listen, tokens: watch::channel(Arc::default()).1, ..config() };
    let refused = start(&open, outside).await.unwrap_err();
    assert!(matches!(refused, CtiError::OpenToTheNetwork { .. }));
    assert!(refused.to_string().contains("add at least one token"), "{refused}");
    let zone = CtiConfig { zone: "Europe/Roma".into(), ..config() };
    assert!(matches!(start(&open, zone).await.unwrap_err(), CtiError::UnknownZone { .. }));
    let taken = CtiConfig { listen: open.addr, ..config() };
    assert!(matches!(start(&open, taken).await.unwrap_err(), CtiError::Listen { .. }));
}

async fn start(desk: &Desk, config: CtiConfig) -> Result<cti::CtiServer, CtiError> {
    let (_stop, shutdown) = watch::channel(false);
    serve(config, Arc::clone(&desk.journal), mpsc::channel(1).0, shutdown).await
}

#[tokio::test]
async fn the_sip_messages_of_a_call_are_for_those_who_may_see_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let trace = support::trace(folder.path());
    let local = "127.0.0.1:5060".parse().unwrap();
    let flow = sip::ua::Flow { transport: sip::ua::Transport::Udp, local, remote: local };
    let at = base::Wall::from_unix_micros(1_700_000_000_000_000);
    let bytes = b"INVITE sip:800@x SIP/2.0\r\nAuthorization: Digest response=\"00\"\r\n\r\n".to_vec();
    trace.saw(trace::Traced { at, call: "rm1-1".into(), way: trace::Way::In, flow, bytes });
    trace.close();
    let desk = Desk::configured(CtiConfig { trace, ..support::config() }, 8).await;
    let problem = desk.ask("GET /v1/calls/rm1-1/sip", MASKED).await.is_problem(403, "not_permitted");
    assert_eq!(problem["missing_scope"], "pii:clear");
    let found = desk.ask("GET /v1/calls/rm1-1/sip", ALL).await.json();
    assert_eq!((&found["call"], &found["more"]), (&json!("rm1-1"), &json!(false)));
    assert_eq!(
        found["messages"],
        json!([{
            "at": "2023-11-14T22:13:20Z", "call": "rm1-1", "way": "in", "transport": "udp",
            "local": "127.0.0.1:5060", "remote": "127.0.0.1:5060",
            "message": "INVITE sip:800@x SIP/2.0\r\nAuthorization: Digest response=***\r\n\r\n"
        }])
    );
    let other = desk.ask("GET /v1/calls/rm1-2/sip", ALL).await.json();
    assert_eq!(other["messages"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capture_is_a_file_that_comes_until_its_end_and_the_engine_hears_of_both() {
    let folder = tempfile::tempdir().unwrap();
    let trace = support::trace(folder.path());
    let mut desk = Desk::configured(CtiConfig { trace: trace.clone(), ..config() }, 8).await;
    let addr = desk.addr;
    for (request, body, call) in [
        ("POST /v1/calls/rm1-1/capture", "", true),
        ("POST /v1/captures", r#"{"number":"+390612345678","seconds":5}"#, false),
    ] {
        let asked = tokio::spawn(async move { ask(addr, request, &bearer(ALL), body).await });
        let taken = desk.commands.recv().await.unwrap();
        let capture = match taken.command {
            Command::Capture { call: of, capture } if call && of == "rm1-1" => capture,
            Command::CaptureNext { number, capture } if !call && number == "+390612345678" => capture,
            other => panic!("{other:?}"),
        };
        assert_eq!(taken.by, "all");
        taken.reply.send(Ok(0)).unwrap();
        trace.captures(capture, "rm1-1");
        trace.call_ended("rm1-1");
        let answer = asked.await.unwrap();
        assert_eq!(answer.status, 200);
        assert!(answer.head.contains("content-type: application/x-pcapng"), "{}", answer.head);
        assert!(
            answer.body.contains("\u{a}\r\r\u{a}") && answer.body.contains("Cornetta 0"),
            "{}",
            answer.body
        );
        let ended = desk.commands.recv().await.unwrap();
        assert_eq!(ended.command, Command::EndCapture { capture });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capture_ends_with_the_token_of_whoever_asked_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let trace = support::trace(folder.path());
    let (in_force, told) = watch::channel(support::tokens().into());
    let mut desk = Desk::configured(CtiConfig { trace, tokens: told, ..config() }, 8).await;
    let addr = desk.addr;
    let body = r#"{"number":"+390612345678","seconds":3600}"#;
    let asked = tokio::spawn(async move { ask(addr, "POST /v1/captures", &bearer(ALL), body).await });
    let taken = desk.commands.recv().await.unwrap();
    let Command::CaptureNext { capture, .. } = taken.command else { panic!("{:?}", taken.command) };
    taken.reply.send(Ok(0)).unwrap();
    in_force.send_replace(Arc::default());
    assert_eq!(asked.await.unwrap().status, 200, "the file ends");
    assert_eq!(desk.commands.recv().await.unwrap().command, Command::EndCapture { capture });
}

#[tokio::test(flavor = "multi_thread")]
async fn the_engine_hears_that_a_capture_is_over_even_if_it_is_behind() {
    let folder = tempfile::tempdir().unwrap();
    let trace = support::trace(folder.path());
    let mut desk = Desk::configured(CtiConfig { trace: trace.clone(), ..config() }, 1).await;
    let addr = desk.addr;
    let asked =
        tokio::spawn(async move { ask(addr, "POST /v1/calls/rm1-1/capture", &bearer(ALL), "").await });
    let taken = desk.commands.recv().await.unwrap();
    let Command::Capture { capture, .. } = taken.command else { panic!("{:?}", taken.command) };
    taken.reply.send(Ok(0)).unwrap();
    let hang_up = tokio::spawn(async move { ask(addr, "DELETE /v1/calls/rm1-1", &bearer(ALL), "").await });
    while desk.commands.is_empty() {
        tokio::task::yield_now().await;
    }
    trace.captures(capture, "rm1-1");
    trace.call_ended("rm1-1");
    assert_eq!(asked.await.unwrap().status, 200);
    let taken = desk.commands.recv().await.unwrap();
    assert!(matches!(taken.command, Command::HangUp { .. }), "{:?}", taken.command);
    taken.reply.send(Ok(0)).unwrap();
    assert_eq!(hang_up.await.unwrap().status, 200);
    let ended = timeout(PATIENCE, desk.commands.recv()).await.expect("nothing came in time").unwrap();
    assert_eq!(ended.command, Command::EndCapture { capture });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capture_that_is_not_understood_allowed_or_possible_is_refused() {
    let mut desk = Desk::open().await;
    let addr = desk.addr;
    for (request, body) in [
        ("POST /v1/captures", ""),
        ("POST /v1/captures", r#"{"number":""}"#),
        ("POST /v1/captures", r#"{"number":"1","seconds":0}"#),
        ("POST /v1/captures", r#"{"number":"1","megabytes":501}"#),
        ("POST /v1/calls/c1/capture", r#"{"number":"1"}"#),
        ("POST /v1/calls/c1/capture", r#"{"second":1}"#),
    ] {
        ask(addr, request, &bearer(ALL), body).await.is_problem(400, "invalid_request");
        let problem = ask(addr, request, &bearer(MASKED), body).await.is_problem(403, "not_permitted");
        assert_eq!(problem["missing_scope"], "call:capture");
    }
    let asked = tokio::spawn(async move { ask(addr, "POST /v1/calls/c1/capture", &bearer(ALL), "").await });
    let refused = CommandError { code: CommandCode::NotFound, detail: "no such call".into() };
    desk.commands.recv().await.unwrap().reply.send(Err(refused)).unwrap();
    asked.await.unwrap().is_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn bans_are_listed_with_what_led_to_them() {
    let desk = Desk::open().await;
    let mut kinds = support::samples::every_kind();
    kinds.retain(|kind| {
        use facts::FactKind::{SecurityBanned, SecurityUnbanned};
        matches!(kind, SecurityBanned(_) | SecurityUnbanned { .. })
    });
    desk.write(None, kinds.clone());
    let listed = desk.ask("GET /v1/bans", MASKED).await.json();
    assert_eq!(listed["bans"], json!([]), "the sample's ban is over");
    desk.write(None, kinds.into_iter().take(1));
    let listed = desk.ask("GET /v1/bans", MASKED).await.json();
    let ban = &listed["bans"][0];
    assert_eq!((&ban["source"], &ban["rule"]), (&json!("192.0.2.9/32"), &json!("guessing")));
    assert_eq!(ban["evidence"]["messages"], 21);
    assert_eq!(ban["en"], "It tried wrong passwords, 21 messages; the last for anna.");
    assert!(ban["until"].as_str() > ban["since"].as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ban_is_asked_for_whole_and_lifted_by_its_source() {
    let (send, mut commands) = mpsc::channel::<cti::CommandRequest>(4);
    let engine = tokio::spawn(async move {
        let mut asked = Vec::new();
        while let Some(request) = commands.recv().await {
            asked.push(request.command);
            let _ = request.reply.send(Ok(0));
        }
        asked
    });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("facts.redb");
    let (journal, _) = journal::Journal::open(&path, journal::Config::default()).unwrap();
    let (stop, stopped) = watch::channel(false);
    let server = serve(config(), Arc::new(journal), send, stopped).await.unwrap();
    let headers = bearer(ALL);
    let post = |body: &'static str| ask(server.addr, "POST /v1/bans", &headers, body);
    for wrong in [
        r#"{"source":"203.0.113.0/24"}"#,
        r#"{"source":"everybody","reason":"x"}"#,
        r#"{"source":"0.0.0.0/0","reason":"x"}"#,
        r#"{"source":"2001::/15","reason":"x"}"#,
        r#"{"source":"203.0.113.9","reason":"x","seconds":0}"#,
        r#"{"source":"203.0.113.9","reason":" "}"#,
    ] {
        post(wrong).await.is_problem(400, "invalid_request");
    }
    assert_eq!(post(r#"{"source":"203.0.113.77/24","reason":"frode"}"#).await.json()["accepted"], true);
    assert_eq!(post(r#"{"source":"2001:db8::5","reason":"x","seconds":60}"#).await.json()["accepted"], true);
    for path in ["203.0.113.0/24", "192.0.2.9"] {
        let lifted = ask(server.addr, &format!("DELETE /v1/bans/{path}"), &headers, "").await;
        assert_eq!(lifted.json()["accepted"], true);
    }
    ask(server.addr, "DELETE /v1/bans/nobody", &headers, "").await.is_problem(400, "invalid_request");
    stop.send(true).unwrap();
    server.ended().await;
    let net = |text: &str| text.parse().unwrap();
    let ban = |source, seconds, reason: &str| Command::Ban {
        source: net(source),
        length: Duration::from_secs(seconds),
        reason: reason.to_owned(),
    };
    assert_eq!(
        engine.await.unwrap(),
        [
            ban("203.0.113.0/24", 86_400, "frode"),
            ban("2001:db8::/64", 60, "x"),
            Command::LiftBan { source: net("203.0.113.0/24") },
            Command::LiftBan { source: net("192.0.2.9/32") },
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_closed_by_command_is_listed_and_closures_are_asked_for_whole() {
    let mut desk = Desk::open().await;
    let mut kinds = support::samples::every_kind();
    kinds.retain(|kind| matches!(kind, facts::FactKind::EmergencyClosed(_)));
    desk.write(None, kinds);
    let listed = desk.ask("GET /v1/emergency", MASKED).await.json();
    let closed = &listed["closed"][0];
    assert_eq!((&closed["scope"], &closed["message"]), (&json!("number:1510"), &json!("strike")));
    assert_eq!((&closed["reason"], &closed["by"]), (&json!("sciopero"), &json!("crm")));
    assert!(closed["since"].is_string());
    let parts = desk.ask("GET /v1/snapshot?of=emergencies", MASKED).await.json();
    assert!(parts["emergencies"]["number:1510"]["closed"].is_object(), "{parts}");
    let addr = desk.addr;
    for body in [
        "",
        r#"{"reason":"x"}"#,
        r#"{"scope":"all"}"#,
        r#"{"scope":"all","reason":""}"#,
        r#"{"scope":"queue:x","reason":"x"}"#,
        r#"{"scope":"number:","reason":"x"}"#,
        r#"{"scope":"all","reason":"x","why":"x"}"#,
    ] {
        ask(addr, "POST /v1/emergency", &bearer(ALL), body).await.is_problem(400, "invalid_request");
    }
    desk.ask("DELETE /v1/emergency/nothing", ALL).await.is_problem(400, "invalid_request");
    let body = r#"{"scope":"script:helpdesk","message":"strike","reason":" sciopero "}"#;
    let asked = tokio::spawn(async move { ask(addr, "POST /v1/emergency", &bearer(ALL), body).await });
    let request = desk.commands.recv().await.unwrap();
    let (message, reason) = ("strike".to_owned(), "sciopero".to_owned());
    let scope = facts::EmergencyScope::Script("helpdesk".to_owned());
    assert_eq!(request.command, facts::Command::CloseByEmergency { scope: scope.clone(), message, reason });
    request.reply.send(Ok(0)).unwrap();
    assert_eq!(asked.await.unwrap().json()["accepted"], true);
    let opened =
        tokio::spawn(
            async move { ask(addr, "DELETE /v1/emergency/script:helpdesk", &bearer(ALL), "").await },
        );
    let request = desk.commands.recv().await.unwrap();
    assert_eq!(request.command, facts::Command::OpenAfterEmergency { scope });
    request.reply.send(Ok(0)).unwrap();
    assert_eq!(opened.await.unwrap().json()["accepted"], true);
}
