//! Readers that are cut, late, slow or choosy: no fact is lost, doubled or silently skipped.

use crate::support::samples::{agent, arrived, ended};
use crate::support::{ALL, Desk, EventSource, MASKED, Socket, config, connect, number, short, tokens};
use cti::{CtiConfig, Limits, Scope, Token};
use facts::FactKind;
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::sync::watch;

fn ready(name: &str) -> FactKind {
    agent(name, facts::AgentState::Ready)
}

fn many(count: usize) -> impl Iterator<Item = FactKind> {
    (0..count).map(|n| ready(&format!("a{n}")))
}

/// Enough that no socket buffer holds many of them.
fn big() -> FactKind {
    FactKind::ConfigRejected { findings: vec!["x".repeat(8000)] }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_reader_that_is_cut_again_and_again_gets_each_fact_once_and_in_order() {
    let desk = Desk::open().await;
    let mut got = Vec::new();
    let mut next = 1;
    for round in 0..40 {
        desk.write_later(None, many(25));
        let mut socket = desk.websocket(&format!("?from={next}"), ALL).await;
        assert_eq!(short(&socket.next().await), "subscribed");
        for _ in 0..(round * 7) % 31 {
            if next == 1001 {
                break;
            }
            next = number(&socket.next().await) + 1;
            got.push(next - 1);
        }
        drop(socket);
    }
    let mut socket = desk.websocket(&format!("?from={next}"), ALL).await;
    assert_eq!(short(&socket.next().await), "subscribed");
    while got.len() < 1000 {
        got.push(number(&socket.next().await));
    }
    assert!(got.into_iter().eq(1..=1000));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_the_same_whenever_it_is_read() {
    let desk = Desk::open().await;
    let mut live = desk.websocket("?from=1", ALL).await;
    live.next().await;
    desk.write(Some("c1"), [arrived(), ended()]);
    let first = (live.next().await, live.next().await);
    let mut replay = desk.websocket("?from=1", ALL).await;
    replay.next().await;
    assert_eq!((replay.next().await, replay.next().await), first);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_from_only_new_facts_come() {
    let desk = Desk::open().await;
    desk.write(None, many(3));
    let mut socket = desk.websocket("", ALL).await;
    socket.say(r#"{"op":"subscribe"}"#).await;
    assert_eq!(socket.next().await, json!({"op": "subscribed", "from": 4, "head": 3}));
    desk.write(None, many(2));
    assert_eq!(socket.shorts(2).await, ["4", "5"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_message_may_say_where_to_begin_and_what_is_wanted() {
    let desk = Desk::open().await;
    desk.write(Some("c1"), [arrived(), FactKind::CallConnected { a: 1, b: 2 }, ended()]);
    let mut socket = desk.websocket("", ALL).await;
    socket.say(r#"{"op":"subscribe","from":2,"filter":["call.ended"]}"#).await;
    assert_eq!(socket.shorts(3).await, ["subscribed", "+2", "3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_filter_leaves_out_is_proved_by_number() {
    let desk = Desk::open().await;
    let mut socket = desk.websocket("?from=1&filter=call.*", ALL).await;
    desk.write(None, many(2));
    desk.write(Some("c1"), [arrived()]);
    desk.write(None, many(1));
    desk.write(Some("c1"), [FactKind::CallConnected { a: 1, b: 2 }, ended()]);
    assert_eq!(socket.shorts(6).await, ["subscribed", "+2", "3", "+4", "5", "6"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_of_nothing_still_learns_how_far_the_log_is() {
    let limits = Limits { heartbeat: Duration::from_millis(20), ..Limits::default() };
    let desk = Desk::with(limits).await;
    let mut socket = desk.websocket("?from=1&filter=trunk.*", ALL).await;
    assert_eq!(short(&socket.next().await), "subscribed");
    let head = desk.write(None, many(300));
    while short(&socket.next().await) != format!("+{head}") {}
    let beat = socket.frame().await.unwrap();
    assert_eq!((&beat["op"], &beat["head"]), (&json!("heartbeat"), &json!(head)));
    assert!(beat["time"].as_str().is_some_and(|time| time.len() == 32), "{beat}");
}

#[tokio::test(flavor = "multi_thread")]
async fn forgotten_facts_are_a_gap_and_never_a_silent_skip() {
    let desk = Desk::open().await;
    desk.write(None, many(50));
    let oldest = desk.journal.forget_before(31).unwrap();
    let mut socket = desk.websocket("?from=30", ALL).await;
    let gap = json!({"op": "error", "code": "gap", "oldest": oldest, "head": 50, "snapshot": "/v1/snapshot"});
    assert_eq!(socket.next().await, gap);
    let (code, reason) = socket.closed().await;
    assert_eq!((code, reason.as_str()), (4410, "gap; oldest 31; head 50; read /v1/snapshot"));
    let mut sse = desk.sse("?from=30", "").await;
    let sent = sse.next().await.unwrap();
    assert_eq!((sent.event.as_deref(), sent.data), (Some("gap"), gap.to_string()));
    assert_eq!(sse.next().await, None);
    let mut socket = desk.websocket("?from=31", ALL).await;
    assert_eq!(socket.shorts(2).await, ["subscribed", "31"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_of_another_log_is_a_gap_too() {
    let desk = Desk::open().await;
    desk.write(None, many(5));
    let mut socket = desk.websocket("?from=7", ALL).await;
    assert_eq!(socket.next().await["code"], "gap");
    let mut socket = desk.websocket(&format!("?from={}", u64::MAX), ALL).await;
    assert_eq!(socket.next().await["code"], "gap");
    let mut socket = desk.websocket("?from=6", ALL).await;
    assert_eq!(short(&socket.next().await), "subscribed");
}

#[tokio::test(flavor = "multi_thread")]
async fn server_sent_events_resume_after_the_last_id() {
    let desk = Desk::open().await;
    desk.write(None, many(4));
    let mut first = desk.sse("?from=1", "Accept: text/event-stream\r\n").await;
    assert!(first.head.starts_with("http/1.0 200") && first.head.contains("content-type: text/event-stream"));
    assert_eq!(first.next().await.unwrap().event.as_deref(), Some("subscribed"));
    let mut last = String::new();
    for expected in 1..=2 {
        let sent = first.next().await.unwrap();
        last = sent.id.unwrap();
        assert_eq!((last.as_str(), sent.event), (expected.to_string().as_str(), None));
        assert_eq!(number(&serde_json::from_str(&sent.data).unwrap()), expected);
    }
    drop(first);
    let mut again = desk.sse("?from=1", &format!("Last-Event-ID: {last}\r\n")).await;
    assert_eq!(again.next().await.unwrap().id.as_deref(), Some("2"));
    assert_eq!(again.next().await.unwrap().id.as_deref(), Some("3"));
    assert_eq!(again.next().await.unwrap().id.as_deref(), Some("4"));
    desk.write(None, many(1));
    assert_eq!(again.next().await.unwrap().id.as_deref(), Some("5"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_last_event_id_that_is_no_number_is_refused() {
    let desk = Desk::open().await;
    for id in ["abc", "-1", "18446744073709551615"] {
        let sse = desk.sse("", &format!("Last-Event-ID: {id}\r\n")).await;
        assert!(sse.head.starts_with("http/1.0 400"), "{}", sse.head);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_skipped_moves_the_last_event_id_of_a_filtered_reader() {
    let limits = Limits { heartbeat: Duration::from_millis(20), ..Limits::default() };
    let desk = Desk::with(limits).await;
    desk.write(None, many(9));
    let mut sse = desk.sse("?from=1&filter=trunk.*", "").await;
    assert_eq!(sse.next().await.unwrap().event.as_deref(), Some("subscribed"));
    let sent = sse.next().await.unwrap();
    assert_eq!((sent.event.as_deref(), sent.id.as_deref()), (Some("skipped_to"), Some("9")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_and_the_facts_after_it_are_the_whole_truth() {
    let desk = Desk::open().await;
    let writer = async {
        for n in 0..300 {
            let call = format!("c{n}");
            desk.write_later(Some(&call), [arrived()]);
            if n % 3 != 0 {
                desk.write_later(Some(&call), [ended()]);
            }
            tokio::task::yield_now().await;
        }
    };
    let reader = async {
        let snapshot = desk.ask("GET /v1/snapshot?of=calls", ALL).await.json();
        let as_of = snapshot["as_of"].as_u64().unwrap();
        let calls: BTreeSet<String> = snapshot["calls"].as_object().unwrap().keys().cloned().collect();
        let socket = desk.websocket(&format!("?from={}", as_of + 1), ALL).await;
        (as_of, calls, socket)
    };
    let ((), (mut at, mut calls, mut socket)) = tokio::join!(writer, reader);
    assert_eq!(short(&socket.next().await), "subscribed");
    while at < 500 {
        let event = socket.next().await;
        assert_eq!(number(&event), at + 1);
        at += 1;
        let call = event["correlationid"].as_str().unwrap().to_owned();
        match event["type"].as_str().unwrap() {
            "cti.call.arrived.v1" => assert!(calls.insert(call)),
            "cti.call.ended.v1" => assert!(calls.remove(&call)),
            other => panic!("{other}"),
        }
    }
    let after = desk.ask("GET /v1/snapshot", ALL).await.json();
    assert_eq!(after["as_of"], 500);
    assert!(after["calls"].as_object().unwrap().keys().eq(calls.iter()), "{calls:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_takes_nothing_is_not_read_ahead_for_and_stops_nobody() {
    let desk = Desk::open().await;
    let mut slow = Socket::open(desk.addr, "?from=1", ALL, Some(4096)).await.unwrap();
    assert_eq!(short(&slow.next().await), "subscribed");
    let mut quick = desk.websocket("?from=1", ALL).await;
    assert_eq!(short(&quick.next().await), "subscribed");
    for _ in 0..30 {
        desk.write(None, (0..100).map(|_| big()));
    }
    for expected in 1..=3000 {
        assert_eq!(number(&quick.next().await), expected);
    }
    let lag = desk.metric("cornetta_cti_lag_max").await;
    assert!(lag > 1000, "the server has read all but {lag} of 3000 facts for a reader that takes none");
    for expected in 1..=3000 {
        assert_eq!(number(&slow.next().await), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_stalls_is_closed_with_its_position_and_can_resume() {
    let limits = Limits { stall: Duration::from_secs(2), ..Limits::default() };
    let desk = Desk::with(limits).await;
    let mut slow = Socket::open(desk.addr, "?from=1", ALL, Some(4096)).await.unwrap();
    for _ in 0..15 {
        desk.write(None, (0..100).map(|_| big()));
    }
    while desk.metric("cornetta_cti_readers").await > 0 {}
    let mut last = 0;
    let close = loop {
        match slow.frame().await {
            Ok(frame) if frame["op"].is_null() => {
                assert_eq!(number(&frame), last + 1);
                last += 1;
            }
            Ok(_) => {}
            Err(close) => break close,
        }
    };
    assert_eq!(u16::from(close.code), 4408);
    let position: u64 = close.reason.rsplit(' ').next().unwrap().parse().unwrap();
    assert!(position == last || position == last + 1, "{} after {last}", close.reason);
    let mut again = desk.websocket(&format!("?from={}", last + 1), ALL).await;
    assert_eq!(again.shorts(2).await, ["subscribed".to_owned(), (last + 1).to_string()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_sent_reader_that_stalls_loses_its_place_and_can_resume() {
    let limits = Limits { stall: Duration::from_millis(200), ..Limits::default() };
    let desk = Desk::with(limits).await;
    let mut slow = EventSource::over(connect(desk.addr, Some(4096)).await, "?from=1", "").await;
    slow.next().await.unwrap();
    for _ in 0..15 {
        desk.write(None, (0..100).map(|_| big()));
    }
    while desk.metric("cornetta_cti_readers").await > 0 {}
    let last = slow.last_id_before_the_cut().await;
    assert!(last < 1500);
    let mut again = desk.sse("", &format!("Last-Event-ID: {last}\r\n")).await;
    again.next().await.unwrap();
    assert_eq!(again.next().await.unwrap().id, Some((last + 1).to_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_reader_more_than_the_limit_is_refused_until_one_leaves() {
    let limits = Limits { readers: 1, ..Limits::default() };
    let desk = Desk::with(limits).await;
    let mut first = desk.websocket("?from=1", ALL).await;
    assert_eq!(short(&first.next().await), "subscribed");
    desk.ask("GET /v1/events", ALL).await.is_problem(503, "capacity");
    assert_eq!(Socket::open(desk.addr, "?from=1", ALL, None).await.err(), Some(503));
    drop(first);
    while desk.metric("cornetta_cti_readers").await > 0 {}
    let mut second = desk.websocket("?from=1", ALL).await;
    assert_eq!(short(&second.next().await), "subscribed");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_subscription_closes_the_socket_with_the_reason() {
    let limits = Limits { subscribe_wait: Duration::from_millis(50), ..Limits::default() };
    let desk = Desk::with(limits).await;
    let (code, reason) = desk.websocket("", ALL).await.closed().await;
    assert!(code == 4408 && reason.contains("subscribe"), "{code} {reason}");
    for (message, says) in [
        (r#"{"op":"subscribe","form":1}"#, "unknown field `form`"),
        (r#"{"op":"unsubscribe"}"#, "unknown variant"),
        (r#"{"op":"subscribe","filter":["Call*"]}"#, "pattern"),
        ("{", "EOF"),
    ] {
        let mut socket = desk.websocket("", ALL).await;
        socket.say(message).await;
        let (code, reason) = socket.closed().await;
        assert!(code == 4400 && reason.contains(says), "{code} {reason}");
    }
    let mut socket = desk.websocket("?from=1", ALL).await;
    socket.say(r#"{"op":"subscribe","from":1}"#).await;
    assert_eq!(socket.closed().await.0, 4400);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_scope_a_reader_sees_numbers_masked() {
    let desk = Desk::open().await;
    desk.write(Some("c1"), [arrived()]);
    for (token, from) in [(ALL, "+393471234567"), (MASKED, "+393*******67")] {
        let mut socket = desk.websocket("?from=1", token).await;
        socket.next().await;
        assert_eq!(socket.next().await["data"]["from"], from);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_end_every_reader_is_told_its_position() {
    let desk = Desk::open().await;
    desk.write(None, many(3));
    let mut socket = desk.websocket("?from=1", ALL).await;
    let mut sse = desk.sse("?from=1", "").await;
    assert_eq!(socket.shorts(4).await, ["subscribed", "1", "2", "3"]);
    for _ in 0..4 {
        sse.next().await.unwrap();
    }
    desk.stop.send(true).unwrap();
    assert_eq!(socket.next().await, json!({"op": "closing", "position": 3}));
    assert_eq!(socket.closed().await, (1001, "closing; position 3".into()));
    assert_eq!(sse.next().await.unwrap().event.as_deref(), Some("closing"));
    assert_eq!(sse.next().await, None);
    desk.server.ended().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_whose_token_is_taken_away_or_may_do_less_gets_nothing_more() {
    let (in_force, told) = watch::channel(tokens().into());
    let desk = Desk::configured(CtiConfig { tokens: told, ..config() }, 1).await;
    desk.write(None, many(1));
    let mut all = desk.websocket("?from=1", ALL).await;
    let mut masked = desk.websocket("?from=1", MASKED).await;
    assert_eq!(all.shorts(2).await, ["subscribed", "1"]);
    assert_eq!(masked.shorts(2).await, ["subscribed", "1"]);

    let later = Token::from_secret("later", "one-that-comes-later", [Scope::EventsRead]).unwrap();
    assert_eq!(desk.ask("GET /v1/snapshot", "one-that-comes-later").await.status, 401);
    in_force.send_replace(tokens().into_iter().chain([later]).collect());
    assert_eq!(desk.ask("GET /v1/snapshot", "one-that-comes-later").await.status, 200);
    desk.write(None, many(1));
    assert_eq!((all.shorts(1).await, masked.shorts(1).await), (vec!["2".into()], vec!["2".into()]));

    let less = Token::from_secret("all", ALL, [Scope::EventsRead]).unwrap();
    in_force.send_replace([less].into());
    for mut socket in [all, masked] {
        let last = json!({"op": "error", "code": "unauthorized", "position": 2});
        assert_eq!(socket.next().await, last);
        assert_eq!(socket.closed().await, (4401, "revoked; position 2".into()));
    }
    desk.write(None, many(1));
    assert_eq!(desk.ask("GET /v1/snapshot", MASKED).await.status, 401);
    let mut again = desk.websocket("?from=3", ALL).await;
    assert_eq!(again.shorts(2).await, ["subscribed", "3"]);
}
