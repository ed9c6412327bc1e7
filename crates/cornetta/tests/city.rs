//! The service of examples/city, asked as the look-ups of ivr-scripts/city ask it, and by a caller.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod support;

use phone::{Phone, PhoneConfig};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use support::{Exchange, Folder, PATIENCE, home};

/// The service, on a port of its own choice; gone with this value.
struct Service {
    child: Child,
    address: String,
}

impl Service {
    /// `None` where there is no Python.
    fn start() -> Option<Service> {
        let file = home().join("examples/city/service.py");
        let arguments = ["--listen", "127.0.0.1:0", "--today", "2026-11-23"];
        let started = Command::new("python3")
            .arg(file)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut child) = started else {
            println!("skipped: there is no python3 here, and the service is written in Python");
            return None;
        };
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").expect("the service says where").to_owned();
        Some(Service { child, address })
    }

    /// Status and body.
    fn get(&self, path: &str) -> (u16, serde_json::Value) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: city\r\nConnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ended = (self.child.kill(), self.child.wait());
    }
}

/// The JSON Pointers of `gives` in a look-up of the city's script.
fn gives(look_up: &str) -> Vec<String> {
    let file = home().join(format!("ivr-scripts/city/look_ups/{look_up}.toml"));
    let text = std::fs::read_to_string(file).unwrap();
    ivr::LookUp::parse(look_up, look_up, &text).unwrap().gives.into_values().collect()
}

#[test]
fn the_service_gives_all_that_the_look_ups_of_the_city_take_from_it() {
    let Some(service) = Service::start() else { return };
    for (look_up, path) in [
        ("requests", "/requests/20260001"),
        ("requests", "/requests/20260005"),
        ("collections", "/collections/1234"),
        ("collections", "/collections/3000"),
        ("offices", "/offices/registry"),
        ("offices", "/offices/taxes"),
        ("offices", "/offices/social"),
        ("offices", "/offices/building"),
    ] {
        let (status, body) = service.get(path);
        assert_eq!(status, 200, "{path}");
        for pointer in gives(look_up) {
            let value = body.pointer(&pointer).and_then(|value| value.as_str());
            assert!(value.is_some_and(|value| !value.is_empty()), "{path} {pointer}: {body}");
        }
    }
    let (_, body) = service.get("/collections/1234");
    assert_eq!(body, serde_json::json!({ "date": "2026-11-24", "waste": "paper" }), "the day after a Monday");
}

#[test]
fn what_is_not_there_is_answered_404() {
    let Some(service) = Service::start() else { return };
    for path in ["/requests/1", "/collections/9000", "/collections/123", "/offices/x", "/x", "/"] {
        assert_eq!(service.get(path).0, 404, "{path}");
    }
}

/// The repository's configuration of the city, on ports of its own, with look-ups that ask `service`.
fn moved(service: &Service) -> Folder {
    let read = |path: &str| std::fs::read_to_string(home().join(path)).unwrap();
    let config = read("examples/city/cornetta.toml")
        .replace("127.0.0.1:5060", "127.0.0.1:0")
        .replace("127.0.0.1:8080", "127.0.0.1:0")
        .replace("../../data/city", "data")
        .replace("../../ivr-scripts", "ivr-scripts")
        .replace("../../sounds", home().join("sounds").to_str().unwrap());
    let folder = Folder::new(&config);
    for kind in ["", "phrases", "calendars", "parts", "look_ups"] {
        for file in std::fs::read_dir(home().join("ivr-scripts/city").join(kind)).unwrap() {
            let path = file.unwrap().path();
            if path.is_file() {
                let name = path.strip_prefix(home()).unwrap().to_str().unwrap();
                folder.write(name, &read(name).replace("127.0.0.1:8090", &service.address));
            }
        }
    }
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_types_the_number_of_a_request_and_hears_how_far_it_has_come() {
    let Some(service) = Service::start() else { return };
    let folder = moved(&service);
    let exchange = Exchange::serve(&folder);
    let config = PhoneConfig { server: Some(exchange.sip[0]), ..PhoneConfig::default() };
    let phone = Phone::start(config).unwrap();
    let call = phone.call("demo_city").await.unwrap();
    call.wait_answered(PATIENCE).await.unwrap();
    call.expect_speech(PATIENCE).await.unwrap();
    // Italian, a request, its number, and that it is right.
    call.send_digits("11202600021").await.unwrap();
    let answered = exchange.fact("lookup.answered");
    assert_eq!(answered["kind"]["outcome"], "found", "{answered}");
    support::wait_for("the status", || {
        let facts = exchange.facts();
        facts.into_iter().find(|fact| fact.to_string().contains("\"it/status_in_progress\""))
    });
    call.hang_up().await.unwrap();
    phone.close().await;
}
