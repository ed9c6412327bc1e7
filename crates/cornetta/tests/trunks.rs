//! Operators' lines through the whole program: another exchange is the operator's side.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails panics")]

mod support;

use phone::{Phone, PhoneConfig};
use rustix::process::Signal;
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;
use support::{Exchange, Folder, PATIENCE, free_port};

const PASSWORD: &str = "the-line's-password";

/// An exchange that has an account for a customer, and a number that echoes.
fn operator(listen: &str) -> Folder {
    Folder::new(&format!(
        r#"
[node]
name = "operator"
[sip]
listen = "{listen}"
realm  = "operator.example"
[http]
listen = "127.0.0.1:0"
[[agent]]
name      = "line1"
password  = "{PASSWORD}"
languages = ["it"]
[[service]]
number = "0612345"
kind   = "echo"
"#
    ))
}

/// A help desk with one trunk and a number that puts through by it.
fn desk(transport: &str, operator: SocketAddr, more: &str) -> Folder {
    let folder = Folder::new(&format!(
        r#"
[sip]
listen = ["udp:127.0.0.1:0", "tcp:127.0.0.1:0"]
[http]
listen = "127.0.0.1:0"
[[trunk]]
name    = "tim"
address = "{transport}:{operator}"
{more}
[[service]]
number = "800123"
script = "through"
"#
    ));
    folder.write(
        "ivr-scripts/through/flow.toml",
        "title = \"Through\"\nlanguages = [\"it\"]\nstart = \"out\"\n\
         [out]\ntransfer = \"0612345\"\non.failed = \"failed\"\n[failed]\nhang_up = \"not_there\"\n",
    );
    folder.write("ivr-scripts/through/phrases/it.toml", "");
    folder
}

fn registering(password: &str) -> String {
    format!("register = true\nuser = \"line1\"\ndomain = \"operator.example\"\npassword = \"{password}\"")
}

/// A call that comes by the trunk, goes out by the trunk, and is heard at both ends.
async fn calls_in_and_out(desk: &Exchange) {
    let config =
        PhoneConfig { server: Some(desk.sip[0]), user: "+39333".to_owned(), ..PhoneConfig::default() };
    let phone = Phone::start(config).unwrap();
    let call = phone.call("800123").await.unwrap();
    call.wait_answered(PATIENCE).await.unwrap();
    desk.fact("transfer.completed");
    call.play_tone(440).await.unwrap();
    call.expect_tone(440.0, PATIENCE).await.unwrap();
    call.hang_up().await.unwrap();
    desk.fact("call.ended");
    phone.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_by_registration_takes_calls_in_and_puts_them_out() {
    let theirs = operator("udp:127.0.0.1:0");
    let operator = Exchange::serve(&theirs);
    let ours = desk("udp", operator.sip[0], &registering(PASSWORD));
    let desk = Exchange::serve(&ours);
    assert_eq!(desk.fact("trunk.up")["kind"]["trunk"], "tim");
    assert_eq!(operator.fact("endpoint.registered")["kind"]["agent"], "line1");
    calls_in_and_out(&desk).await;
    let arrived = desk.fact("call.arrived");
    assert_eq!((&arrived["kind"]["trunk"], &arrived["kind"]["from"]), (&"tim".into(), &"+39333".into()));
    assert_eq!(desk.fact("transfer.started")["kind"]["to"], "0612345");
    // The operator challenged the call that went out, and knows whose it is.
    assert_eq!(operator.fact("call.arrived")["kind"]["to"], "+390612345");
    assert_eq!(operator.fact("call.ended")["kind"]["end"]["cause"], "hung_up");
    assert!(desk.program.errors().contains("the trunk is up"), "{}", desk.program.errors());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_by_address_takes_calls_in_and_puts_them_out() {
    let theirs = operator("udp:127.0.0.1:0");
    let text = std::fs::read_to_string(theirs.path().join("cornetta.toml")).unwrap();
    let port = free_port();
    let customer = format!("{text}[[trunk]]\nname = \"customer\"\naddress = \"udp:127.0.0.1:{port}\"\n");
    theirs.write("cornetta.toml", &customer);
    let operator = Exchange::serve(&theirs);
    let ours = desk("udp", operator.sip[0], "networks = [\"127.0.0.1\"]");
    let desk = Exchange::serve(&ours);
    calls_in_and_out(&desk).await;
    assert_eq!(operator.fact("call.arrived")["kind"]["trunk"], "customer");
    assert_eq!(desk.fact("call.arrived")["kind"]["trunk"], "tim");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_server_that_never_answers_delays_no_call() {
    let theirs = operator("udp:127.0.0.1:0");
    let port = free_port();
    let text = std::fs::read_to_string(theirs.path().join("cornetta.toml")).unwrap();
    let customer = format!("{text}[[trunk]]\nname = \"customer\"\naddress = \"udp:127.0.0.1:{port}\"\n");
    theirs.write("cornetta.toml", &customer);
    let operator = Exchange::serve(&theirs);
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let (names, there) = (silent.local_addr().unwrap(), operator.sip[0]);
    let ours = Folder::new(&format!(
        r#"
[sip]
listen       = ["udp:127.0.0.1:0", "tcp:127.0.0.1:0"]
open_to      = ["127.0.0.0/8"]
name_servers = ["{names}"]
[http]
listen = "127.0.0.1:0"
[[trunk]]
name    = "named"
address = "sip.operator.example"
[[trunk]]
name    = "there"
address = "udp:{there}"
[[route]]
name   = "all"
trunks = ["named", "there"]
[[service]]
number = "800123"
kind   = "echo"
[[service]]
number = "800124"
kind   = "dial"
to     = "0612345"
"#
    ));
    let desk = Exchange::serve(&ours);
    let config =
        PhoneConfig { server: Some(desk.sip[0]), user: "+39333".to_owned(), ..PhoneConfig::default() };
    let phone = Phone::start(config).unwrap();
    for number in ["800123", "800124", "800123", "800124"] {
        let began = std::time::Instant::now();
        let call = phone.call(number).await.unwrap();
        call.wait_answered(PATIENCE).await.unwrap();
        assert!(began.elapsed() < Duration::from_secs(4), "{number} took {:?}", began.elapsed());
        call.hang_up().await.unwrap();
    }
    let routed = &desk.nth_fact("leg.routed", 1)["kind"];
    assert_eq!((&routed["trunk"], &routed["passed_over"][0]["why"]), (&"there".into(), &"down".into()));
    phone.close().await;
}

#[test]
fn a_refused_password_is_told_as_something_that_a_person_must_mend() {
    let theirs = operator("udp:127.0.0.1:0");
    let operator = Exchange::serve(&theirs);
    let ours = desk("udp", operator.sip[0], &registering("a-wrong-password"));
    let desk = Exchange::serve(&ours);
    let failed = &desk.fact("trunk.registration_failed")["kind"];
    assert_eq!((&failed["trunk"], &failed["refused"]), (&"tim".into(), &true.into()), "{failed}");
    assert!(matches!(failed["sip"].as_u64(), Some(401 | 403)), "{failed}");
    assert!(failed["why"].as_str().unwrap().contains("correct them in the configuration"), "{failed}");
    let told = desk.program.errors();
    assert!(told.contains("the trunk cannot register: the operator refuses"), "{told}");
    assert!(!told.contains("a-wrong-password"), "{told}");
    assert!(facts_of(&desk, "trunk.up").is_empty());
}

#[test]
fn an_operator_that_is_away_is_told_as_an_outage_and_is_found_again() {
    let listen = format!("127.0.0.1:{}", free_port());
    let ours = desk("tcp", listen.parse().unwrap(), &registering(PASSWORD));
    let desk = Exchange::serve(&ours);
    let failed = &desk.fact("trunk.registration_failed")["kind"];
    assert_eq!((&failed["refused"], &failed["sip"]), (&false.into(), &Value::Null), "{failed}");

    let theirs = operator(&format!("tcp:{listen}"));
    let mut operator = Exchange::serve(&theirs);
    desk.fact("trunk.up");
    operator.program.signal(Signal::KILL);
    operator.program.ended();
    let failed = &desk.nth_fact("trunk.registration_failed", 1)["kind"];
    assert_eq!(failed["refused"], false, "{failed}");

    let operator = Exchange::serve(&theirs);
    desk.nth_fact("trunk.up", 1);
    operator.fact("endpoint.registered");
}

fn facts_of(exchange: &Exchange, kind: &str) -> Vec<Value> {
    exchange.facts().into_iter().filter(|fact| fact["kind"]["type"] == kind).collect()
}
