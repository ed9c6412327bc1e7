use crate::recovery::{Recovery, decode, recover};
use crate::store::{RedbStore, Store, StoreError};
use crate::writer::{self, OnCommit, Shared};
use facts::{Fact, Snapshot};
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How the journal behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// The most facts that may wait for the disk. More are given back.
    pub held_max: usize,
    /// The most facts in one transaction.
    pub group_max: usize,
    /// Transactions begin at least so far apart, and what comes meanwhile is written together: each costs
    /// the same whatever is in it. After a quiet time a fact is written at once.
    pub gather: Duration,
    /// The state is stored every so many facts: a start folds at most about so many.
    pub checkpoint_every: u64,
    /// How long after a failed write the next try comes.
    pub retry_every: Duration,
    /// Memory for the store's pages. Writing wants the end of the log only, and readers have the system's cache
    /// beside it: at 200 calls a second 64 kB cost no more time than 4 MB.
    pub cache_bytes: usize,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            held_max: 100_000,
            group_max: 5_000,
            gather: Duration::from_millis(50),
            checkpoint_every: 10_000,
            retry_every: Duration::from_secs(1),
            cache_bytes: 64 << 10,
        }
    }
}

/// The log. All methods take `&self` and may be called from any thread.
pub struct Journal {
    store: Arc<dyn Store>,
    shared: Arc<Shared>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Journal {
    /// Opens the log's file, or makes it, and says what is in it.
    pub fn open(path: &Path, config: Config) -> Result<(Journal, Recovery), JournalError> {
        let store = RedbStore::open(path, config.cache_bytes)?;
        Journal::with_store(Arc::new(store), config)
    }

    /// The same on any store.
    pub fn with_store(store: Arc<dyn Store>, config: Config) -> Result<(Journal, Recovery), JournalError> {
        let (fold, recovery) = recover(store.as_ref())?;
        let shared = Arc::new(Shared::new(config, recovery.head.unwrap_or(0), fold));
        let writer = writer::start(store.clone(), shared.clone())?;
        Ok((Journal { store, shared, writer: Mutex::new(Some(writer)) }, recovery))
    }

    /// Hands facts over to be written, in this order, and returns at once: it never waits for the disk.
    /// All are taken or none; those that are not taken come back in the error.
    pub fn try_append(&self, facts: Vec<Fact>) -> Result<(), Refused> {
        self.shared.try_append(facts)
    }

    /// The number of the last fact on the disk; 0 before the first.
    pub fn durable_head(&self) -> u64 {
        self.shared.durable_head()
    }

    /// Waits until the fact with this number is on the disk, at most so long. False: not yet.
    pub fn wait_durable(&self, number: u64, at_most: Duration) -> bool {
        self.shared.wait_durable(number, at_most)
    }

    /// From now on calls `callback` with the durable head after each commit, on the writer's thread: it must
    /// be quick and must not call back into the journal's waiting methods.
    pub fn on_commit(&self, callback: OnCommit) {
        self.shared.on_commit(callback);
    }

    /// Whether facts reach the disk; if not, why, and what to do.
    pub fn healthy(&self) -> Result<(), String> {
        self.shared.healthy()
    }

    /// How many facts wait for the disk.
    pub fn held(&self) -> usize {
        self.shared.held()
    }

    /// At most `max` durable facts from the number `from` on, in order; empty if `from` is the next to come.
    /// 0 counts as 1. Never keeps the writer from writing.
    pub fn read(&self, from: u64, max: usize) -> Result<Vec<Fact>, ReadError> {
        let from = from.max(1);
        let (oldest, head) = self.range()?;
        if from < oldest || from > head.saturating_add(1) {
            return Err(ReadError::Gap { oldest, head });
        }
        let room = usize::try_from(head.saturating_add(1) - from).unwrap_or(usize::MAX);
        let mut facts = Vec::new();
        for (number, bytes) in self.store.read(from, max.min(room))? {
            if number != from + facts.len() as u64 {
                // Between the two looks at the store the oldest facts were forgotten.
                let (oldest, head) = self.range()?;
                return Err(ReadError::Gap { oldest, head });
            }
            facts.push(decode(number, &bytes).map_err(ReadError::from)?);
        }
        Ok(facts)
    }

    /// The numbers of the oldest fact kept and of the last durable one. Of an empty log, 1 and 0.
    pub fn range(&self) -> Result<(u64, u64), StoreError> {
        let head = self.durable_head();
        let oldest = self.store.range()?.map_or(head + 1, |(oldest, _)| oldest);
        Ok((oldest, head))
    }

    /// The state after a durable fact: the last one, or one of the group being written just now.
    pub fn snapshot(&self) -> Snapshot {
        self.shared.snapshot()
    }

    /// Removes the facts before this number, for good, except the very last fact of the log. Waits until that
    /// is durable; gives the number of the oldest that is left. New facts are written meanwhile.
    pub fn forget_before(&self, number: u64) -> Result<u64, StoreError> {
        self.shared.forget_before(number)?;
        Ok(self.range()?.0)
    }

    /// Writes what is held, then ends the writer's thread. While the disk fails it is tried a few times more.
    /// Facts handed over after this come back.
    pub fn close(&self) -> Result<(), Unwritten> {
        self.shared.close();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            // A writer that panicked left its facts held, which the count below says.
            let _ = writer.join();
        }
        match self.held() {
            0 => Ok(()),
            facts => Err(Unwritten { facts, why: self.healthy().err().unwrap_or_default() }),
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // Whoever cares calls `close` and reads its answer.
        let _ = self.close();
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal")
            .field("durable_head", &self.durable_head())
            .field("held", &self.held())
            .finish()
    }
}

/// Facts that were not taken, and why.
#[derive(Debug)]
pub struct Refused {
    /// All that were handed over.
    pub facts: Vec<Fact>,
    /// Why.
    pub why: Refusal,
}

/// Why facts were not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The disk does not keep up: hold them, take no new calls, try again.
    Full,
    /// A number is missing or repeated. This is a fault in the program: numbers come from one place.
    NotContiguous {
        /// The number that had to come.
        expected: u64,
        /// The number that came.
        got: u64,
    },
    /// The journal was closed.
    Closed,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.why {
            Refusal::Full => {
                f.write_str("the log has no room until the disk catches up; hold the facts and try again")
            }
            Refusal::NotContiguous { expected, got } => {
                write!(
                    f,
                    "the log expected fact {expected} and was given {got}; this is a fault in Cornetta, report it"
                )
            }
            Refusal::Closed => f.write_str("the log is closed"),
        }
    }
}

impl std::error::Error for Refused {}

/// The log could not be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JournalError {
    /// The store could not be opened or read.
    Store(StoreError),
    /// A stored fact, or the checkpoint, is not what this version writes.
    Unreadable {
        /// Of the fact; `None` for the checkpoint.
        number: Option<u64>,
        /// What is wrong with it.
        why: String,
    },
    /// A fact is missing in the middle of the log.
    Missing {
        /// Its number.
        number: u64,
    },
    /// The writer's thread could not be started.
    Thread {
        /// As the system says.
        why: String,
    },
}

impl From<StoreError> for JournalError {
    fn from(error: StoreError) -> JournalError {
        JournalError::Store(error)
    }
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JournalError::Store(error) => error.fmt(f),
            JournalError::Unreadable { number: Some(number), why } => {
                write!(
                    f,
                    "fact {number} of the log cannot be read: {why}; was it written by a newer Cornetta?"
                )
            }
            JournalError::Unreadable { number: None, why } => {
                write!(f, "the log's checkpoint cannot be read: {why}; was it written by a newer Cornetta?")
            }
            JournalError::Missing { number } => {
                write!(
                    f,
                    "fact {number} is missing in the log; restore the file from a copy, or start a new one"
                )
            }
            JournalError::Thread { why } => write!(f, "the log's writer cannot start: {why}"),
        }
    }
}

impl std::error::Error for JournalError {}

/// Facts could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// The log does not hold that number: it is forgotten, or far from being written. Take a snapshot and go
    /// on from there.
    Gap {
        /// The oldest that is kept.
        oldest: u64,
        /// The last one.
        head: u64,
    },
    /// The store failed, or a stored fact cannot be read.
    Failed {
        /// The cause and what to do.
        why: String,
    },
}

impl From<StoreError> for ReadError {
    fn from(error: StoreError) -> ReadError {
        ReadError::Failed { why: error.why }
    }
}

impl From<JournalError> for ReadError {
    fn from(error: JournalError) -> ReadError {
        ReadError::Failed { why: error.to_string() }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::Gap { oldest, head } => {
                write!(f, "the log holds facts {oldest} to {head} only; take a snapshot and go on from there")
            }
            ReadError::Failed { why } => f.write_str(why),
        }
    }
}

impl std::error::Error for ReadError {}

/// Facts that were held when the journal was closed on a failing disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unwritten {
    /// How many.
    pub facts: usize,
    /// Why they could not be written.
    pub why: String,
}

impl fmt::Display for Unwritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} facts were not written: {}", self.facts, self.why)
    }
}

impl std::error::Error for Unwritten {}
