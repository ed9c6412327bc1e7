//! The stored facts, as the program's own commands read them.

use crate::support::samples::{agent, arrived};
use crate::support::{ALL, Answer, Desk, MASKED, METRICS};
use facts::{AgentState, Fact};

fn numbers(answer: &Answer) -> Vec<u64> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.head.contains("content-type: application/x-ndjson"), "{}", answer.head);
    answer.body.lines().map(|line| serde_json::from_str::<Fact>(line).unwrap().number).collect()
}

fn header(answer: &Answer, name: &str) -> u64 {
    let line = answer.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.unwrap_or_else(|| panic!("no {name}: {}", answer.head)).parse().unwrap()
}

fn next_and_head(answer: &Answer) -> (u64, u64) {
    (header(answer, "cornetta-next"), header(answer, "cornetta-head"))
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_come_as_they_are_stored_and_say_where_to_go_on() {
    let desk = Desk::open().await;
    let empty = desk.ask("GET /v1/log", ALL).await;
    assert_eq!((numbers(&empty), next_and_head(&empty)), (vec![], (1, 0)));
    desk.write(Some("c1"), [arrived()]);
    desk.write(None, (0..4).map(|_| agent("anna", AgentState::Ready)));
    let all = desk.ask("GET /v1/log", ALL).await;
    assert_eq!((numbers(&all), next_and_head(&all)), (vec![1, 2, 3, 4, 5], (6, 5)));
    assert!(all.body.contains("+393471234567"), "not masked: {}", all.body);
    let stored = desk.journal.read(1, 10).unwrap();
    let told: Vec<Fact> = all.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(told, stored);
    let some = desk.ask("GET /v1/log?from=2&max=2", ALL).await;
    assert_eq!((numbers(&some), next_and_head(&some)), (vec![2, 3], (4, 5)));
    let end = desk.ask("GET /v1/log?from=6", ALL).await;
    assert_eq!((numbers(&end), next_and_head(&end)), (vec![], (6, 5)));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_call_is_picked_out_of_many_and_an_answer_stays_bounded() {
    let desk = Desk::open().await;
    desk.write(Some("c1"), [arrived()]);
    desk.write(None, (0..11_000).map(|_| agent("anna", AgentState::Ready)));
    desk.write(Some("c1"), [arrived(), arrived()]);
    let first = desk.ask("GET /v1/log?call=c1", ALL).await;
    assert_eq!((numbers(&first), next_and_head(&first)), (vec![1], (10_001, 11_003)));
    let second = desk.ask("GET /v1/log?call=c1&from=10001&max=1", ALL).await;
    assert_eq!((numbers(&second), next_and_head(&second)), (vec![11_002], (11_003, 11_003)));
    let last = desk.ask("GET /v1/log?call=c1&from=11003", ALL).await;
    assert_eq!((numbers(&last), next_and_head(&last)), (vec![11_003], (11_004, 11_003)));
    let whole = desk.ask("GET /v1/log", ALL).await;
    assert_eq!(numbers(&whole).len(), 1000);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_forgotten_is_a_gap_and_the_beginning_is_what_is_kept() {
    let desk = Desk::open().await;
    desk.write(None, (0..9).map(|_| agent("anna", AgentState::Ready)));
    desk.journal.forget_before(5).unwrap();
    for from in [4, 11] {
        let problem = desk.ask(&format!("GET /v1/log?from={from}"), ALL).await.is_problem(410, "gap");
        assert_eq!((problem["oldest"].as_u64(), problem["head"].as_u64()), (Some(5), Some(9)));
    }
    assert_eq!(numbers(&desk.ask("GET /v1/log", ALL).await), vec![5, 6, 7, 8, 9]);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_may_see_people_whole_reads_the_raw_log() {
    let desk = Desk::open().await;
    for (token, missing) in [(METRICS, "events:read"), (MASKED, "pii:clear")] {
        let problem = desk.ask("GET /v1/log", token).await.is_problem(403, "not_permitted");
        assert_eq!(problem["missing_scope"], missing);
    }
    desk.ask("GET /v1/log", "wrong").await.is_problem(401, "unauthorized");
    for query in ["max=0", "max=1001", "max=x", "form=1", "from=-1"] {
        desk.ask(&format!("GET /v1/log?{query}"), ALL).await.is_problem(400, "invalid_request");
    }
}
