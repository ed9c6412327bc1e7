//! `kill -9` in the middle of writing: whatever was acknowledged is there after it.

// A helper of a test may panic: that is how the test fails.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use base::{Seed, Wall};
use facts::{Fact, FactKind};
use journal::{Config, Journal, Recovery};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const LOG: &str = "CORNETTA_KILL_TEST_LOG";
const STORE: &str = "CORNETTA_KILL_TEST_STORE";
const ROUNDS: u64 = 12;

fn fact(number: u64) -> Fact {
    let kind = FactKind::SecurityBlocked { source: "x".repeat(200), rule: "kill".into(), count: number };
    Fact { number, at: Wall::from_unix_micros(number as i64), call: None, callseq: 0, body: None, kind }
}

/// Opens the log in the store of this name.
fn open(store: &str, path: &Path, config: Config) -> (Journal, Recovery) {
    let opened = match store {
        #[cfg(feature = "sled")]
        "sled" => {
            let store = journal::store::SledStore::open(path, config.cache_bytes).expect("the folder opens");
            Journal::with_store(std::sync::Arc::new(store), config)
        }
        _ => Journal::open(path, config),
    };
    opened.expect("the log opens")
}

/// The child: appends as fast as it can and says what is durable, until it is killed.
fn write_until_killed(store: &str, path: &Path) {
    let config = Config { checkpoint_every: 50, held_max: 100, ..Config::default() };
    let (journal, recovery) = open(store, path, config);
    journal.on_commit(Box::new(|head| {
        let mut out = std::io::stdout().lock();
        // Without a parent nobody would end this.
        if writeln!(out, "durable {head}").and_then(|()| out.flush()).is_err() {
            std::process::exit(1);
        }
    }));
    let mut next = recovery.head.unwrap_or(0) + 1;
    loop {
        let group = (next..next + 1 + next % 17).map(fact).collect::<Vec<_>>();
        let after = next + group.len() as u64;
        match journal.try_append(group) {
            Ok(()) => next = after,
            Err(_) => assert!(journal.wait_durable(next - 1, Duration::from_secs(20))),
        }
    }
}

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    if let Some(path) = std::env::var_os(LOG) {
        write_until_killed(&std::env::var(STORE).unwrap(), Path::new(&path));
    }
    kill_again_and_again("redb");
}

#[cfg(feature = "sled")]
#[test]
fn nothing_acknowledged_is_lost_in_sled_either() {
    kill_again_and_again("sled");
}

fn kill_again_and_again(store: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let mut rng = Seed::from_number(9).named("kill").rng();
    let mut acknowledged = 0;
    for round in 0..ROUNDS {
        let commits = 1 + rng.below(40);
        acknowledged = kill_after(store, &path, commits).max(acknowledged);
        let (journal, recovery) = open(store, &path, Config::default());
        let head = recovery.head.expect("something was acknowledged");
        assert!(head >= acknowledged, "round {round}: {acknowledged} was acknowledged, {head} is there");
        assert_eq!(recovery.snapshot.as_of, head);
        let all = journal.read(1, usize::MAX).unwrap();
        assert!(all.iter().map(|fact| fact.number).eq(1..=head), "round {round}");
        assert!(all.iter().all(|read| *read == fact(read.number)), "round {round}");
    }
}

/// Starts a child on this log, kills it after so many commits; gives the last number that it acknowledged.
fn kill_after(store: &str, path: &Path, commits: u64) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "nothing_acknowledged_is_lost_when_the_process_is_killed", "--nocapture"])
        .env(LOG, path)
        .env(STORE, store)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut heads = lines.filter_map(|line| line.split("durable ").nth(1)?.trim().parse::<u64>().ok());
    let mut acknowledged = 0;
    for _ in 0..commits {
        acknowledged = heads.next().expect("the child acknowledges");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What it still said before it died was acknowledged as well.
    heads.last().unwrap_or(acknowledged)
}
