//! The log on a good disk, a slow one, a full one, and over restarts.

// A helper of a test may panic: that is how the test fails.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use base::Wall;
use facts::{CallData, Cause, End, Fact, FactKind, Side};
use journal::store::{Store, StoreError};
use journal::{Config, Journal, JournalError, ReadError, Refusal};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

fn fact(number: u64) -> Fact {
    let kind =
        FactKind::SecurityBlocked { source: "192.0.2.1".into(), rule: "scanner".into(), count: number };
    Fact { number, at: Wall::from_unix_micros(number as i64), call: None, callseq: 0, body: None, kind }
}

fn facts(numbers: std::ops::RangeInclusive<u64>) -> Vec<Fact> {
    numbers.map(fact).collect()
}

fn of_call(number: u64, call: &str, callseq: u32, kind: FactKind) -> Fact {
    Fact {
        number,
        at: Wall::from_unix_micros(number as i64),
        call: Some(call.into()),
        callseq,
        body: None,
        kind,
    }
}

fn arrived() -> FactKind {
    FactKind::CallArrived {
        from: "+39021234".into(),
        to: "800100".into(),
        service: "piu".into(),
        trunk: "tim".into(),
        sip_call_id: "abc".into(),
    }
}

fn ended() -> FactKind {
    FactKind::CallEnded { end: End::new(Side::Caller, Cause::HungUp), data: CallData::default() }
}

fn quick() -> Config {
    Config { retry_every: Duration::from_millis(5), ..Config::default() }
}

fn open(path: &Path) -> (Journal, journal::Recovery) {
    Journal::open(path, quick()).expect("it opens")
}

fn numbers(facts: &[Fact]) -> Vec<u64> {
    facts.iter().map(|fact| fact.number).collect()
}

/// The store that these tests are of: `redb`, or with the feature `sled` that one.
fn real_store(path: &Path) -> Box<dyn Store> {
    #[cfg(feature = "sled")]
    let store = journal::store::SledStore::open(path, 1 << 20);
    #[cfg(not(feature = "sled"))]
    let store = journal::store::RedbStore::open(path, 1 << 20);
    Box::new(store.expect("it opens"))
}

/// A real store whose disk can be made to fail or to hang.
struct Faulty {
    inner: Box<dyn Store>,
    fails: AtomicBool,
    hangs: Mutex<bool>,
    released: Condvar,
    groups: Mutex<Vec<Vec<u64>>>,
    tries: AtomicUsize,
}

impl Faulty {
    fn new(folder: &Path) -> Arc<Faulty> {
        Arc::new(Faulty {
            inner: real_store(&folder.join("log")),
            fails: AtomicBool::new(false),
            hangs: Mutex::new(false),
            released: Condvar::new(),
            groups: Mutex::new(Vec::new()),
            tries: AtomicUsize::new(0),
        })
    }

    fn hang(&self, hangs: bool) {
        *self.hangs.lock().unwrap() = hangs;
        self.released.notify_all();
    }
}

impl Store for Faulty {
    fn range(&self) -> Result<Option<(u64, u64)>, StoreError> {
        self.inner.range()
    }
    fn append(&self, facts: &[(u64, Vec<u8>)], checkpoint: Option<&[u8]>) -> Result<(), StoreError> {
        self.tries.fetch_add(1, Ordering::SeqCst);
        drop(self.released.wait_while(self.hangs.lock().unwrap(), |hangs| *hangs).unwrap());
        if self.fails.load(Ordering::SeqCst) {
            return Err(StoreError::new("no space left on device"));
        }
        self.groups.lock().unwrap().push(facts.iter().map(|(number, _)| *number).collect());
        self.inner.append(facts, checkpoint)
    }
    fn read(&self, from: u64, max: usize) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        self.inner.read(from, max)
    }
    fn forget(&self, before: u64, max: usize) -> Result<usize, StoreError> {
        self.inner.forget(before, max)
    }
    fn checkpoint(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.checkpoint()
    }
}

#[test]
fn what_was_appended_is_read_back_and_found_again_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let (journal, recovery) = open(&path);
    assert_eq!(recovery, journal::Recovery::default());
    assert_eq!(journal.read(1, 10), Ok(vec![]));
    journal.try_append(facts(1..=7)).unwrap();
    assert!(journal.wait_durable(7, SOON));
    assert_eq!(journal.read(3, 3), Ok(facts(3..=5)));
    assert_eq!(journal.read(0, 100), Ok(facts(1..=7)));
    assert_eq!(journal.read(8, 100), Ok(vec![]), "the next to come");
    journal.close().unwrap();
    drop(journal);
    let (journal, recovery) = open(&path);
    assert_eq!(recovery.head, Some(7));
    assert_eq!(journal.durable_head(), 7);
    journal.try_append(facts(8..=9)).unwrap();
    assert!(journal.wait_durable(9, SOON));
    assert_eq!(journal.read(6, 100), Ok(facts(6..=9)));
}

#[test]
fn a_gap_or_a_repeat_is_refused_and_the_facts_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = open(&folder.path().join("log"));
    journal.try_append(facts(1..=2)).unwrap();
    let cases = [
        (facts(4..=5), 3, 4),
        (facts(2..=3), 3, 2),
        (vec![fact(3), fact(5)], 4, 5),
        (vec![fact(3), fact(3)], 4, 3),
    ];
    for (given, expected, got) in cases {
        let refused = journal.try_append(given.clone()).unwrap_err();
        assert_eq!(refused.why, Refusal::NotContiguous { expected, got });
        assert_eq!(refused.facts, given);
    }
    journal.try_append(facts(3..=3)).unwrap();
    assert!(journal.wait_durable(3, SOON));
    assert_eq!(journal.read(1, 10), Ok(facts(1..=3)));
}

#[test]
fn what_comes_while_the_disk_is_busy_is_written_as_one_group_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let store = Faulty::new(folder.path());
    let (journal, _) = Journal::with_store(store.clone(), quick()).unwrap();
    store.hang(true);
    journal.try_append(facts(1..=1)).unwrap();
    while store.tries.load(Ordering::SeqCst) == 0 {
        std::thread::yield_now();
    }
    for number in 2..=50 {
        journal.try_append(facts(number..=number)).unwrap();
    }
    assert_eq!(journal.durable_head(), 0);
    assert_eq!(journal.held(), 50);
    store.hang(false);
    assert!(journal.wait_durable(50, SOON));
    assert_eq!(*store.groups.lock().unwrap(), [vec![1], (2..=50).collect::<Vec<u64>>()]);
}

#[test]
fn a_full_log_gives_the_facts_back_and_takes_them_later() {
    let folder = tempfile::tempdir().unwrap();
    let store = Faulty::new(folder.path());
    let (journal, _) = Journal::with_store(store.clone(), Config { held_max: 10, ..quick() }).unwrap();
    store.hang(true);
    journal.try_append(facts(1..=8)).unwrap();
    let refused = journal.try_append(facts(9..=11)).unwrap_err();
    assert_eq!((refused.why, numbers(&refused.facts)), (Refusal::Full, vec![9, 10, 11]));
    store.hang(false);
    assert!(journal.wait_durable(8, SOON));
    journal.try_append(refused.facts).unwrap();
    assert!(journal.wait_durable(11, SOON));
    assert_eq!(journal.read(1, 100), Ok(facts(1..=11)));
}

#[test]
fn a_disk_that_is_full_loses_nothing_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let store = Faulty::new(folder.path());
    let (journal, _) = Journal::with_store(store.clone(), quick()).unwrap();
    assert_eq!(journal.healthy(), Ok(()));
    store.fails.store(true, Ordering::SeqCst);
    journal.try_append(facts(1..=5)).unwrap();
    while store.tries.load(Ordering::SeqCst) < 3 {
        std::thread::yield_now();
    }
    let why = journal.healthy().unwrap_err();
    assert!(why.contains("5 facts") && why.contains("no space left"), "{why}");
    assert_eq!(
        (journal.durable_head(), journal.read(1, 10)),
        (0, Ok(vec![])),
        "nothing is shown before it is durable"
    );
    journal.try_append(facts(6..=6)).unwrap();
    store.fails.store(false, Ordering::SeqCst);
    assert!(journal.wait_durable(6, SOON));
    assert_eq!(journal.healthy(), Ok(()));
    assert_eq!(journal.read(1, 10), Ok(facts(1..=6)));
}

#[test]
fn closing_on_a_disk_that_fails_says_how_many_facts_are_lost() {
    let folder = tempfile::tempdir().unwrap();
    let store = Faulty::new(folder.path());
    let (journal, _) = Journal::with_store(store.clone(), quick()).unwrap();
    store.fails.store(true, Ordering::SeqCst);
    journal.try_append(facts(1..=4)).unwrap();
    let unwritten = journal.close().unwrap_err();
    assert_eq!(unwritten.facts, 4);
    assert!(unwritten.why.contains("no space left"), "{unwritten}");
    assert_eq!(journal.try_append(facts(5..=5)).unwrap_err().why, Refusal::Closed);
    assert!(!journal.wait_durable(4, SOON), "nobody waits for a writer that has ended");
}

#[test]
fn closing_writes_what_is_held() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let (journal, _) = open(&path);
    journal.try_append(facts(1..=20_000)).unwrap();
    journal.close().unwrap();
    drop(journal);
    assert_eq!(open(&path).1.head, Some(20_000));
}

#[test]
fn every_commit_is_told_and_heads_rise() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = open(&folder.path().join("log"));
    let heads = Arc::new(Mutex::new(Vec::new()));
    let told = heads.clone();
    journal.on_commit(Box::new(move |head| told.lock().unwrap().push(head)));
    for number in 1..=20 {
        journal.try_append(facts(number..=number)).unwrap();
    }
    journal.close().unwrap();
    let heads = heads.lock().unwrap();
    assert!(heads.is_sorted_by(|a, b| a < b), "{heads:?}");
    assert_eq!(heads.last(), Some(&20));
}

#[test]
fn a_reader_of_what_is_forgotten_is_told_the_gap() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let (journal, _) = open(&path);
    journal.try_append(facts(1..=5_000)).unwrap();
    assert!(journal.wait_durable(5_000, SOON));
    assert_eq!(journal.forget_before(4_501), Ok(4_501));
    assert_eq!(journal.read(4_500, 10), Err(ReadError::Gap { oldest: 4_501, head: 5_000 }));
    assert_eq!(journal.read(5_002, 10), Err(ReadError::Gap { oldest: 4_501, head: 5_000 }));
    assert_eq!(numbers(&journal.read(4_501, 2).unwrap()), [4_501, 4_502]);
    assert_eq!(journal.forget_before(u64::MAX), Ok(5_000), "the last fact stays: the numbers go on from it");
    journal.close().unwrap();
    drop(journal);
    let (journal, recovery) = open(&path);
    assert_eq!(recovery.head, Some(5_000));
    journal.try_append(facts(5_001..=5_001)).unwrap();
}

#[test]
fn an_open_call_whose_facts_are_forgotten_is_still_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let (journal, _) = open(&path);
    journal.try_append(vec![of_call(1, "c1", 1, arrived()), fact(2), fact(3)]).unwrap();
    assert!(journal.wait_durable(3, SOON));
    assert_eq!(journal.forget_before(3), Ok(3));
    drop(journal);
    let (_, recovery) = open(&path);
    assert_eq!(recovery.open_calls[0].call, "c1");
    assert_eq!(recovery.open_calls[0].arrived, Some(Wall::from_unix_micros(1)));
}

#[test]
fn a_start_folds_from_the_checkpoint_and_finds_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let store = Faulty::new(folder.path());
    let config = Config { checkpoint_every: 10, group_max: 7, ..quick() };
    let (journal, _) = Journal::with_store(store.clone(), config).unwrap();
    let mut all = Vec::new();
    for call in 0..40u64 {
        all.push(of_call(2 * call + 1, &format!("c{call:02}"), 1, arrived()));
        let before = format!("c{:02}", call.saturating_sub(3));
        all.push(of_call(2 * call + 2, &before, 2, ended()));
    }
    let mut whole = journal::fold::SnapshotFold::default();
    all.iter().for_each(|fact| whole.apply(fact));
    journal.try_append(all).unwrap();
    assert!(journal.wait_durable(80, SOON));
    assert_eq!(journal.snapshot(), *whole.snapshot());
    let stored = store.checkpoint().unwrap().expect("a checkpoint");
    let stored: journal::fold::SnapshotFold = serde_json::from_slice(&stored).unwrap();
    assert!((60..80).contains(&stored.snapshot().as_of), "{}", stored.snapshot().as_of);
    // Opened a second time as after a crash: nothing was closed.
    let (_again, recovery) = Journal::with_store(store, config).unwrap();
    assert_eq!(recovery.snapshot, *whole.snapshot());
    assert_eq!(recovery.open_calls, whole.open_calls());
    assert_eq!(recovery.open_calls.len(), 3);
}

#[test]
fn a_reader_never_sees_a_gap_while_facts_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = open(&folder.path().join("log"));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for group in 0..200u64 {
                journal.try_append(facts(group * 10 + 1..=group * 10 + 10)).unwrap();
            }
        });
        let mut next = 1;
        while next <= 2000 {
            let read = journal.read(next, 64).unwrap();
            assert_eq!(numbers(&read), (next..next + read.len() as u64).collect::<Vec<_>>());
            next += read.len() as u64;
            assert!(journal.wait_durable(next.min(2000), SOON));
        }
    });
}

#[test]
fn a_log_that_is_in_use_or_not_a_log_is_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let _first = open(&path);
    let Err(JournalError::Store(error)) = Journal::open(&path, quick()) else {
        panic!("it was opened twice")
    };
    assert!(error.in_use && error.why.contains("is in use by a Cornetta that runs"), "{error}");
    let text = folder.path().join("text");
    std::fs::write(&text, "this is not a log, however long it may be ".repeat(500)).unwrap();
    assert!(matches!(Journal::open(&text, quick()), Err(JournalError::Store(_))));
    let missing = folder.path().join("no/such/folder");
    assert!(matches!(Journal::open(&missing, quick()), Err(JournalError::Store(_))));
}
