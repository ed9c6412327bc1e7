//! Facts are gathered between two transactions, and nothing waits for that longer than it must.

// A helper of a test may panic: that is how the test fails.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use base::Wall;
use facts::{Fact, FactKind};
use journal::{Config, Journal};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);
const NEVER: Duration = Duration::from_secs(3_600);

fn facts(numbers: std::ops::RangeInclusive<u64>) -> Vec<Fact> {
    let kind = |number| FactKind::SecurityBlocked {
        source: "192.0.2.1".into(),
        rule: "scanner".into(),
        count: number,
    };
    let fact = |number| Fact {
        number,
        at: Wall::from_unix_micros(1_000_000),
        call: None,
        callseq: 0,
        body: None,
        kind: kind(number),
    };
    numbers.map(fact).collect()
}

/// A log, and the durable head after each of its transactions.
fn open(path: &Path, gather: Duration) -> (Journal, Arc<Mutex<Vec<u64>>>) {
    let (journal, _) = Journal::open(path, Config { gather, ..Config::default() }).expect("it opens");
    let heads = Arc::new(Mutex::new(Vec::new()));
    let told = heads.clone();
    journal.on_commit(Box::new(move |head| told.lock().unwrap().push(head)));
    (journal, heads)
}

#[test]
fn a_fact_after_a_quiet_time_is_written_at_once_and_closing_waits_for_no_gathering() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, heads) = open(&folder.path().join("log"), NEVER);
    journal.try_append(facts(1..=1)).unwrap();
    assert!(journal.wait_durable(1, SOON));
    for number in 2..=9 {
        journal.try_append(facts(number..=number)).unwrap();
    }
    assert_eq!((journal.durable_head(), journal.held()), (1, 8));
    journal.close().unwrap();
    assert_eq!(*heads.lock().unwrap(), [1, 9]);
}

#[test]
fn what_was_gathered_is_written_when_its_time_has_come() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, heads) = open(&folder.path().join("log"), Duration::from_millis(200));
    journal.try_append(facts(1..=1)).unwrap();
    assert!(journal.wait_durable(1, SOON));
    for number in 2..=9 {
        journal.try_append(facts(number..=number)).unwrap();
    }
    assert!(journal.wait_durable(9, SOON));
    assert!(heads.lock().unwrap().len() <= 3, "{heads:?}");
}

#[test]
fn forgetting_waits_for_no_gathering() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = open(&folder.path().join("log"), NEVER);
    journal.try_append(facts(1..=10)).unwrap();
    assert!(journal.wait_durable(10, SOON));
    journal.try_append(facts(11..=11)).unwrap();
    assert_eq!(journal.forget_before(5), Ok(5));
    assert_eq!((journal.durable_head(), journal.held()), (10, 1));
}
