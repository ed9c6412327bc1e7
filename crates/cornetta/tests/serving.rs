//! What a server does when it is told to re-read its configuration, or to end.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails panics")]

mod support;

use phone::{Call, Phone, PhoneConfig, PhoneError};
use rustix::process::Signal;
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use support::{Exchange, Folder, PATIENCE, run, text, wait_for};

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

fn caller(exchange: &Exchange) -> Phone {
    let config = PhoneConfig { server: Some(exchange.sip[0]), ..PhoneConfig::default() };
    Phone::start(config).unwrap()
}

async fn answered(phone: &Phone, dial: &str) -> Result<Call, PhoneError> {
    let call = phone.call(dial).await?;
    call.wait_answered(PATIENCE).await.map(|()| call)
}

async fn is_refused_with(phone: &Phone, dial: &str, status: u16) {
    match answered(phone, dial).await {
        Err(PhoneError::Ended(ending)) => assert_eq!(ending.status, Some(status)),
        other => panic!("{other:?}"),
    }
}

/// The caller hears their own tone, which they do not otherwise.
async fn echoes(call: &Call, hertz: u32) {
    call.play_tone(hertz).await.unwrap();
    call.expect_tone(f64::from(hertz), PATIENCE).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_configuration_leaves_what_runs_and_a_right_one_brings_its_numbers() {
    let folder = Folder::new(CONFIG);
    let exchange = Exchange::serve(&folder);
    let phone = caller(&exchange);
    is_refused_with(&phone, "800", 404).await;

    folder.write("cornetta.toml", &CONFIG.replace("\"echo\"", "\"ecko\""));
    exchange.program.signal(Signal::HUP);
    let rejected = exchange.fact("config.rejected");
    let finding = rejected["kind"]["findings"][0].as_str().unwrap();
    assert!(finding.starts_with("cornetta.toml:9:10: there is no kind `ecko`; "), "{finding}");
    wait_for("the fault on standard error", || exchange.program.errors().contains(finding).then_some(()));

    let speech = "[[speech]]\nlanguages = [\"sl\"]\nurl = \"https://a.example/\"\nvoice = \"anna\"\n[http]";
    for (nth, (part, written)) in
        [("[limits]", "[limits]\ncalls = 5\n[http]"), ("[[speech]]", speech)].into_iter().enumerate()
    {
        folder.write("cornetta.toml", &CONFIG.replace("[http]", written));
        exchange.program.signal(Signal::HUP);
        let rejected = exchange.nth_fact("config.rejected", nth + 1);
        let finding = format!(
            "cornetta.toml:1:1: {part} cannot change while the exchange runs; write it as it was, or restart"
        );
        assert_eq!(rejected["kind"]["findings"][0], finding);
    }
    let call = answered(&phone, "echo").await.unwrap();

    folder.write("cornetta.toml", &CONFIG.replace("number = \"echo\"", "numbers = [\"echo\", \"800\"]"));
    exchange.program.signal(Signal::HUP);
    let activated = exchange.nth_fact("config.activated", 1);
    assert_ne!(activated["kind"]["version"], exchange.fact("config.activated")["kind"]["version"]);
    let second = answered(&phone, "800").await.unwrap();
    echoes(&second, 880).await;
    echoes(&call, 440).await;
    phone.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_signal_lets_calls_finish_and_takes_no_new_ones() {
    let folder = Folder::new(CONFIG);
    let mut exchange = Exchange::serve(&folder);
    let phone = caller(&exchange);
    let call = answered(&phone, "echo").await.unwrap();
    exchange.program.signal(Signal::TERM);
    assert_eq!(exchange.fact("system.stopping")["kind"]["calls"], 1);
    is_refused_with(&phone, "echo", 503).await;
    echoes(&call, 440).await;
    assert!(exchange.program.is_running());
    call.hang_up().await.unwrap();
    assert_eq!(exchange.program.ended().code(), Some(0));
    let records = run(folder.path(), &["cdr"]);
    let records: Vec<Value> =
        text(&records.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(records.len(), 2, "the one that was refused and the one that finished: {records:?}");
    phone.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_signal_ends_the_calls() {
    let folder = Folder::new(CONFIG);
    let mut exchange = Exchange::serve(&folder);
    let phone = caller(&exchange);
    let call = answered(&phone, "echo").await.unwrap();
    exchange.program.signal(Signal::INT);
    exchange.fact("system.stopping");
    exchange.program.signal(Signal::TERM);
    call.wait_ended(PATIENCE).await.unwrap();
    assert_eq!(exchange.program.ended().code(), Some(0));
    let facts = text(&run(folder.path(), &["events", "tail", "--json"]).stdout);
    let last: Value = serde_json::from_str(facts.lines().last().unwrap()).unwrap();
    assert_eq!(last["kind"]["type"], "call.ended", "{facts}");
    assert_eq!(last["kind"]["end"]["cause"], "shutting_down", "{facts}");
    phone.close().await;
}

#[test]
fn readers_are_told_of_the_end() {
    let folder = Folder::new(CONFIG);
    let mut exchange = Exchange::serve(&folder);
    let address = exchange.url.strip_prefix("http://").unwrap();
    let mut reader = TcpStream::connect(address).unwrap();
    reader.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(reader, "GET /v1/events?from=1 HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
    let mut told = [0; 12];
    reader.read_exact(&mut told).unwrap();
    assert_eq!(&told, b"HTTP/1.1 200");
    assert_eq!(exchange.terminate().code(), Some(0));
    let mut rest = String::new();
    reader.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("system.stopping") && rest.contains("event: closing"), "{rest}");
}

#[test]
fn the_beginning_and_the_end_of_serving_are_logged() {
    let folder = Folder::new(CONFIG);
    let mut exchange = Exchange::serve(&folder);
    assert_eq!(exchange.terminate().code(), Some(0));
    wait_for("the last line", || exchange.program.errors().contains("serving ended").then_some(()));
    let told = exchange.program.errors();
    assert!(
        told.contains(&format!("serving http={}", exchange.url.strip_prefix("http://").unwrap())),
        "{told}"
    );
}

#[test]
fn a_log_that_another_exchange_has_is_told_and_so_is_a_taken_port() {
    let folder = Folder::new(CONFIG);
    let exchange = Exchange::serve(&folder);
    let second = run(folder.path(), &["serve"]);
    assert_eq!(second.status.code(), Some(1));
    let told = text(&second.stderr);
    assert!(told.contains("data/facts.redb is in use by a Cornetta that runs; stop that one"), "{told}");

    let taken = CONFIG.replace("udp:127.0.0.1:0", &format!("udp:{}", exchange.sip[0]));
    let third = run(Folder::new(&taken).path(), &["serve"]);
    assert_eq!(third.status.code(), Some(1));
    let told = text(&third.stderr);
    assert!(told.contains(&format!("{}: Address already in use", exchange.sip[0])), "{told}");
    assert!(told.contains("; stop the program that has it, or write another `listen` under [sip]"), "{told}");
}
