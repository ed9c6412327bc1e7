//! The durable log as readers see it: its head, and facts in bounded batches.

use facts::{Fact, Snapshot};
use journal::{Journal, ReadError};
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};

/// Reads of the disk at a time. Each takes a thread of tokio's pool, so their number is memory.
const READS_AT_ONCE: usize = 4;

/// A way to the log. Cheap to clone; every clone sees the same head.
#[derive(Clone)]
pub(crate) struct Feed {
    journal: Arc<Journal>,
    head: watch::Receiver<u64>,
    reads: Arc<Semaphore>,
}

/// Why a batch could not be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FeedError {
    /// Those facts are not in the log: forgotten, or of another log.
    Gap {
        /// The oldest number that is kept.
        oldest: u64,
        /// The newest number.
        head: u64,
    },
    /// The log cannot be read now.
    Broken(String),
}

impl Feed {
    pub(crate) fn new(journal: Arc<Journal>) -> Feed {
        let (announce, head) = watch::channel(0);
        let announce = Arc::new(announce);
        let raise = Arc::clone(&announce);
        journal.on_commit(Box::new(move |number| raise_to(&raise, number)));
        raise_to(&announce, journal.durable_head());
        Feed { journal, head, reads: Arc::new(Semaphore::new(READS_AT_ONCE)) }
    }

    /// The number of the last fact on disk; 0 before the first.
    pub(crate) fn head(&self) -> u64 {
        // What is announced comes a moment later: two looks at it would differ.
        self.journal.durable_head()
    }

    /// Waits until the head is `number` or beyond it. Ends early only if the log has ended.
    pub(crate) async fn reached(&mut self, number: u64) {
        let ended = self.head.wait_for(|head| *head >= number).await.is_err();
        if ended {
            tracing::debug!(number, "the log ended before this fact was on disk");
        }
    }

    /// Facts from `from` on, `max` at most. Dropping the future loses nothing but the work.
    pub(crate) async fn read(&self, from: u64, max: usize) -> Result<Vec<Fact>, FeedError> {
        let turn = Arc::clone(&self.reads).acquire_owned().await.map_err(broken)?;
        let journal = Arc::clone(&self.journal);
        let work = move || {
            let read = journal.read(from, max);
            drop(turn);
            read
        };
        match tokio::task::spawn_blocking(work).await.map_err(broken)? {
            Ok(facts) => Ok(facts),
            Err(ReadError::Gap { oldest, head }) => Err(FeedError::Gap { oldest, head }),
            Err(ReadError::Failed { why }) => Err(FeedError::Broken(why)),
        }
    }

    /// The state after a fact that every reader can already have: whoever reads on from `as_of` + 1
    /// misses nothing and gets nothing twice.
    pub(crate) async fn snapshot(&mut self) -> Snapshot {
        let snapshot = self.journal.snapshot();
        self.reached(snapshot.as_of).await;
        snapshot
    }

    /// Why the log cannot write, if it cannot.
    pub(crate) fn healthy(&self) -> Result<(), String> {
        self.journal.healthy()
    }
}

fn raise_to(head: &watch::Sender<u64>, number: u64) {
    head.send_if_modified(|head| {
        let risen = number > *head;
        *head = number.max(*head);
        risen
    });
}

fn broken(error: impl std::fmt::Display) -> FeedError {
    FeedError::Broken(error.to_string())
}
