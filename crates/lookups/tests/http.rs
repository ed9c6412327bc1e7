//! Real servers on the loopback that are quick, slow, huge, confused or gone.

mod support;

use ivr::Answer;
use std::time::{Duration, Instant};
use support::{Asking, Reply, Server, found, json, look_up};

fn client(server: &Server, more: &str) -> String {
    let address = server.address;
    format!(
        "takes = [\"number\"]\ngives = {{ priority = \"/profile/priority\" }}\ndeadline = \"1s\"\n{more}\n[http]\n\
         url = \"http://{address}/clients/{{number}}\"\n"
    )
}

/// What comes of one question to a server that answers so.
async fn answered(reply: Reply) -> Answer {
    let server = Server::start(move |_, _| reply.clone()).await;
    Asking::start().ask(&look_up(&client(&server, "")), &["1"]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_service_says_becomes_known_and_nothing_else() {
    let server = Server::start(|_, _| json(200, r#"{"profile":{"priority":3},"secret":"x"}"#)).await;
    let mut asking = Asking::start();
    assert_eq!(asking.ask(&look_up(&client(&server, "")), &["+39 06"]).await, found([("priority", "3")]));
    let [request] = &server.requests()[..] else { panic!("one request") };
    assert!(request.starts_with("GET /clients/%2B39%2006 HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("host: {}\r\n", server.address)), "{request}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_given_is_posted_as_json_with_the_secrets_of_a_file() {
    let server = Server::start(|_, _| json(201, r#"{"profile":{"priority":"9"}}"#)).await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token"), "Bearer abc\n").unwrap();
    let text = client(&server, "") + "post = true\nheaders = { Authorization = \"file:token\" }\n";
    let look_up = support::look_up_in(folder.path(), &text);
    assert!(lookups::check(&look_up).is_empty());
    assert_eq!(Asking::start().ask(&look_up, &["a\"b"]).await, found([("priority", "9")]));
    let [request] = &server.requests()[..] else { panic!("one request") };
    assert!(request.starts_with("POST ") && request.ends_with(r#"{"number":"a\"b"}"#), "{request}");
    assert!(request.contains("authorization: Bearer abc\r\n"), "{request}");
    assert!(request.contains("content-type: application/json\r\n"), "{request}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_there_is_no_failure() {
    for reply in [json(404, "no such client"), json(404, ""), json(200, "{}"), json(204, "")] {
        assert_eq!(answered(reply.clone()).await, Answer::Missing, "{reply:?}");
    }
    assert_eq!(answered(json(200, r#"{"profile":{"priority":null}}"#)).await, Answer::Missing);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_cannot_be_understood_is_a_failure() {
    let good = r#"{"profile":{"priority":3}}"#;
    let huge = format!("{{\"x\":\"{}\",\"profile\":{{\"priority\":3}}}}", "y".repeat(ivr::ANSWER_MAX));
    let head = "HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n";
    for (what, reply) in [
        ("not JSON", json(200, "<html>")),
        ("half of it", json(200, "{\"profile\":")),
        ("empty", json(200, "")),
        ("too deep", json(200, &"[".repeat(100_000))),
        ("huge", json(200, &huge)),
        ("a redirection", Reply::Bytes(head.into())),
        ("an error", json(500, good)),
        ("forbidden", json(403, good)),
        ("not HTTP", Reply::Bytes("SSH-2.0-OpenSSH\r\n".into())),
        ("closed at once", Reply::Close(Vec::new())),
        (
            "closed in the middle",
            Reply::Close(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{\"pro".to_vec()),
        ),
        ("an endless head", Reply::Close(format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(1 << 20)).into())),
    ] {
        assert_eq!(answered(reply).await, Answer::Failed, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_hangs_or_drips_is_a_failure_after_the_deadline() {
    let drip = b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n{".to_vec();
    for reply in [Reply::Bytes(Vec::new()), Reply::Bytes(drip)] {
        let began = Instant::now();
        assert_eq!(answered(reply).await, Answer::Failed);
        let took = began.elapsed();
        assert!(took >= Duration::from_secs(1) && took < Duration::from_secs(3), "{took:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_there_is_a_failure() {
    let server = Server::start(|_, _| json(200, "{}")).await;
    let look_up = look_up(&client(&server, "").replace(&server.address.to_string(), "127.0.0.1:1"));
    assert_eq!(Asking::start().ask(&look_up, &["1"]).await, Answer::Failed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_is_used_again_and_one_that_the_server_closed_is_no_failure() {
    let server = Server::start(|_, served| match served {
        0..=4 => json(200, r#"{"profile":{"priority":3}}"#),
        // Closes without a word, as a server does that has waited long enough.
        5 => Reply::Close(Vec::new()),
        _ => json(200, r#"{"profile":{"priority":4}}"#),
    })
    .await;
    let (mut asking, look_up) = (Asking::start(), look_up(&client(&server, "")));
    for _ in 0..5 {
        assert_eq!(asking.ask(&look_up, &["1"]).await, found([("priority", "3")]));
    }
    assert_eq!(server.connections(), 1);
    assert_eq!(asking.ask(&look_up, &["1"]).await, found([("priority", "4")]));
    assert_eq!(server.connections(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_holds_for_the_next_with_the_same_question() {
    let server = Server::start(|request, _| match request.contains("/clients/1 ") {
        true => json(200, r#"{"profile":{"priority":3}}"#),
        false => json(404, ""),
    })
    .await;
    let (mut asking, look_up) = (Asking::start(), look_up(&client(&server, "cache = \"1m\"")));
    for _ in 0..3 {
        assert_eq!(asking.ask(&look_up, &["1"]).await, found([("priority", "3")]));
        assert_eq!(asking.ask(&look_up, &["2"]).await, Answer::Missing);
    }
    assert_eq!(server.requests().len(), 2);
    let counts = asking.look_ups.counter().counts();
    assert_eq!((counts.found, counts.missing, counts.cached), (1, 1, 4));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_keeps_failing_is_left_alone() {
    let server = Server::start(|_, _| json(500, "")).await;
    let (mut asking, look_up) = (Asking::start(), look_up(&client(&server, "cache = \"1m\"")));
    for _ in 0..50 {
        assert_eq!(asking.ask(&look_up, &["1"]).await, Answer::Failed);
    }
    assert_eq!(server.requests().len(), 5);
    let counts = asking.look_ups.counter().counts();
    assert_eq!((counts.failed, counts.spared), (5, 45));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_that_leads_elsewhere_is_never_asked_and_says_nothing_of_the_service() {
    let server = Server::start(|_, _| json(500, "")).await;
    let (mut asking, look_up) = (Asking::start(), look_up(&client(&server, "")));
    for _ in 0..4 {
        assert_eq!(asking.ask(&look_up, &["1"]).await, Answer::Failed);
        assert_eq!(asking.ask(&look_up, &[".."]).await, Answer::Missing);
    }
    assert_eq!(server.requests().len(), 4, "only the others");
    // The fifth failure in a row leaves the service alone, whatever was typed in between.
    assert_eq!(asking.ask(&look_up, &["1"]).await, Answer::Failed);
    assert_eq!(asking.ask(&look_up, &["1"]).await, Answer::Failed);
    let counts = asking.look_ups.counter().counts();
    assert_eq!((counts.failed, counts.missing, counts.spared), (5, 4, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_questions_than_may_be_open_fail_at_once() {
    let server = Server::start(|_, _| Reply::Bytes(Vec::new())).await;
    let (mut asking, look_up) = (Asking::start(), look_up(&client(&server, "")));
    let began = Instant::now();
    for asker in 0..200 {
        asking.look_ups.ask(asker, look_up.clone(), vec!["1".to_owned()]);
    }
    assert!(began.elapsed() < Duration::from_millis(500), "whoever asks does not wait");
    for _ in 0..200 {
        assert_eq!(asking.told.recv().await.unwrap().1, Answer::Failed);
    }
    let counts = asking.look_ups.counter().counts();
    assert_eq!((counts.failed, counts.refused), (32, 168));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_is_told_when_the_script_is_loaded() {
    let server = Server::start(|_, _| json(200, "{}")).await;
    let text = client(&server, "") + "headers = { Authorization = \"env:NO_SUCH_TOKEN\" }\n";
    let faults: Vec<String> = lookups::check(&look_up(&text)).iter().map(ToString::to_string).collect();
    let [fault] = &faults[..] else { panic!("{faults:#?}") };
    assert!(fault.contains("the environment has no `NO_SUCH_TOKEN`; set NO_SUCH_TOKEN where"), "{fault}");
    for (url, what) in [
        ("http://{number}.example/", "what a caller gives decides which host is asked"),
        ("http://a.example:{number}/", "what a caller gives decides which host is asked"),
        ("http://a.example/{", "the address has an open brace"),
        ("http://me:secret@a.example/", "the address holds a name or password"),
        ("http://a example/", "the address is none"),
    ] {
        let text = format!("takes = [\"number\"]\ngives = [\"x\"]\n[http]\nurl = \"{url}\"\n");
        let told: Vec<String> =
            lookups::check(&look_up(&text)).iter().map(|fault| fault.what.clone()).collect();
        assert_eq!(told, [what], "{url}");
    }
}
