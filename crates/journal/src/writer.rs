//! The one thread that writes, and what it shares with everyone else.

use crate::fold::SnapshotFold;
use crate::journal::{Config, JournalError, Refusal, Refused};
use crate::store::{Store, StoreError};
use facts::{Fact, Snapshot};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Told the durable head after each commit.
pub(crate) type OnCommit = Box<dyn Fn(u64) + Send>;

/// How often a failing disk is tried again once the journal is being closed.
const TRIES_AT_CLOSE: u32 = 3;
/// How many facts are forgotten in one transaction: small, for new facts wait for it.
const FORGET_AT_ONCE: usize = 2_000;

/// What the writer and everyone else know together.
pub(crate) struct Shared {
    config: Config,
    state: Mutex<State>,
    /// The writer waits here.
    work: Condvar,
    /// Those who wait for the writer wait here.
    done: Condvar,
    callbacks: Mutex<Vec<OnCommit>>,
    /// Of durable facts only.
    fold: Mutex<SnapshotFold>,
    /// One at a time may have facts forgotten.
    forgetting: Mutex<()>,
}

struct State {
    waiting: VecDeque<Fact>,
    /// How many the writer has in hand.
    in_hand: usize,
    /// The number that the next fact must have.
    next: u64,
    durable: u64,
    fault: Option<String>,
    forget: Option<Forget>,
    closing: bool,
    ended: bool,
}

/// A request to forget, and its answer.
struct Forget {
    before: u64,
    /// The state as of the last fact is stored: none of those to be forgotten is needed to fold it.
    checkpointed: bool,
    answer: Option<Result<(), StoreError>>,
}

impl Shared {
    pub(crate) fn new(config: Config, head: u64, fold: SnapshotFold) -> Shared {
        let state = State {
            waiting: VecDeque::new(),
            in_hand: 0,
            next: head + 1,
            durable: head,
            fault: None,
            forget: None,
            closing: false,
            ended: false,
        };
        Shared {
            config,
            state: Mutex::new(state),
            work: Condvar::new(),
            done: Condvar::new(),
            callbacks: Mutex::new(Vec::new()),
            fold: Mutex::new(fold),
            forgetting: Mutex::new(()),
        }
    }

    pub(crate) fn try_append(&self, facts: Vec<Fact>) -> Result<(), Refused> {
        let mut state = lock(&self.state);
        let why = match state.gap_in(&facts) {
            _ if state.closing || state.ended => Some(Refusal::Closed),
            Some((expected, got)) => Some(Refusal::NotContiguous { expected, got }),
            None if state.held() + facts.len() > self.config.held_max => Some(Refusal::Full),
            None => None,
        };
        if let Some(why) = why {
            return Err(Refused { facts, why });
        }
        state.next += facts.len() as u64;
        // A writer that knows of facts already will take these with them.
        let is_news = state.waiting.is_empty();
        state.waiting.extend(facts);
        drop(state);
        if is_news {
            self.work.notify_one();
        }
        Ok(())
    }

    pub(crate) fn durable_head(&self) -> u64 {
        lock(&self.state).durable
    }

    pub(crate) fn wait_durable(&self, number: u64, at_most: Duration) -> bool {
        let until = Instant::now() + at_most;
        let mut state = lock(&self.state);
        while state.durable < number && !state.ended {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.done.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.durable >= number
    }

    pub(crate) fn on_commit(&self, callback: OnCommit) {
        lock(&self.callbacks).push(callback);
    }

    pub(crate) fn healthy(&self) -> Result<(), String> {
        let state = lock(&self.state);
        match &state.fault {
            Some(why) => Err(format!("{} facts wait for the disk: {why}", state.held())),
            None if state.ended && !state.closing => {
                Err("the log's writer has ended; start Cornetta again".into())
            }
            None => Ok(()),
        }
    }

    pub(crate) fn held(&self) -> usize {
        lock(&self.state).held()
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        lock(&self.fold).snapshot().clone()
    }

    pub(crate) fn forget_before(&self, before: u64) -> Result<(), StoreError> {
        let _turn = lock(&self.forgetting);
        let mut state = lock(&self.state);
        state.forget = Some(Forget { before, checkpointed: false, answer: None });
        self.work.notify_one();
        loop {
            if let Some(answer) = state.forget.as_mut().and_then(|forget| forget.answer.take()) {
                state.forget = None;
                return answer;
            }
            if state.ended {
                state.forget = None;
                return Err(StoreError::new("the log is closed"));
            }
            state = self.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(crate) fn close(&self) {
        lock(&self.state).closing = true;
        self.work.notify_one();
    }

    /// Waits for something to do; facts are gathered until `gather_until`. `None`: nothing is left and the
    /// journal is being closed.
    fn next_work(&self, gather_until: Instant) -> Option<Work> {
        let mut state = lock(&self.state);
        loop {
            let left = gather_until.saturating_duration_since(Instant::now());
            if !state.waiting.is_empty() && (left.is_zero() || state.closing) {
                let group = state.waiting.len().min(self.config.group_max.max(1));
                state.in_hand = group;
                // What waited takes its room along: the queue keeps none of a busy hour's.
                let rest = state.waiting.split_off(group);
                return Some(Work::Write(std::mem::replace(&mut state.waiting, rest).into()));
            }
            let head = state.durable;
            if let Some(forget) = state.forget.as_mut().filter(|forget| forget.answer.is_none()) {
                let checkpoint = !std::mem::replace(&mut forget.checkpointed, true);
                return Some(Work::Forget { before: forget.before.min(head), checkpoint });
            }
            if state.closing {
                return None;
            }
            state = if state.waiting.is_empty() {
                self.work.wait(state).unwrap_or_else(PoisonError::into_inner)
            } else {
                self.work.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
            };
        }
    }

    fn committed(&self, facts: &[Fact]) {
        let head = {
            let mut fold = lock(&self.fold);
            facts.iter().for_each(|fact| fold.apply(fact));
            fold.snapshot().as_of
        };
        {
            let mut state = lock(&self.state);
            state.in_hand = 0;
            state.durable = head;
            state.fault = None;
            self.done.notify_all();
        }
        lock(&self.callbacks).iter().for_each(|callback| callback(head));
    }

    /// Writes down why the disk failed and waits for the next try. False: the journal is being closed and
    /// was tried often enough.
    fn wait_for_retry(&self, error: StoreError, tries_at_close: &mut u32) -> bool {
        let mut state = lock(&self.state);
        state.fault = Some(error.why);
        if state.closing {
            *tries_at_close += 1;
        }
        if *tries_at_close >= TRIES_AT_CLOSE {
            return false;
        }
        let until = Instant::now() + self.config.retry_every;
        let closing_before = state.closing;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || state.closing != closing_before {
                return true;
            }
            state = self.work.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl State {
    fn held(&self) -> usize {
        self.waiting.len() + self.in_hand
    }

    /// The number that was expected and the one that came instead.
    fn gap_in(&self, facts: &[Fact]) -> Option<(u64, u64)> {
        let numbers = facts.iter().map(|fact| fact.number);
        (self.next..).zip(numbers).find(|(expected, got)| expected != got)
    }
}

enum Work {
    Write(Vec<Fact>),
    Forget { before: u64, checkpoint: bool },
}

/// Starts the thread.
pub(crate) fn start(store: Arc<dyn Store>, shared: Arc<Shared>) -> Result<JoinHandle<()>, JournalError> {
    let checkpoint = lock(&shared.fold).snapshot().as_of;
    let writer = Writer { store, shared, checkpoint };
    std::thread::Builder::new()
        .name("journal".into())
        .spawn(move || writer.run())
        .map_err(|error| JournalError::Thread { why: error.to_string() })
}

struct Writer {
    store: Arc<dyn Store>,
    shared: Arc<Shared>,
    /// The fact up to which a stored checkpoint goes, or was read at the start.
    checkpoint: u64,
}

impl Writer {
    fn run(mut self) {
        let _end = SayEnd(self.shared.clone());
        let mut gather_until = Instant::now();
        while let Some(work) = self.shared.next_work(gather_until) {
            match work {
                Work::Write(facts) => {
                    gather_until = Instant::now() + self.shared.config.gather;
                    if !self.write(&facts) {
                        return;
                    }
                }
                Work::Forget { before, checkpoint } => self.forget(before, checkpoint),
            }
        }
        if let Some((_, bytes)) = self.new_checkpoint(1) {
            // Without it the next start folds a little more; nothing is lost.
            let _ = self.store.append(&[], Some(&bytes));
        }
    }

    /// Writes a group, however often it takes. False: given up, for the journal is being closed.
    fn write(&mut self, facts: &[Fact]) -> bool {
        let mut tries_at_close = 0;
        loop {
            let checkpoint = self.new_checkpoint(self.shared.config.checkpoint_every);
            let bytes = checkpoint.as_ref().map(|(_, bytes)| bytes.as_slice());
            match encode(facts).and_then(|encoded| self.store.append(&encoded, bytes)) {
                Ok(()) => {
                    self.checkpoint = checkpoint.map_or(self.checkpoint, |(as_of, _)| as_of);
                    self.shared.committed(facts);
                    return true;
                }
                Err(error) => {
                    if !self.shared.wait_for_retry(error, &mut tries_at_close) {
                        return false;
                    }
                }
            }
        }
    }

    /// Forgets a part; the answer is given when nothing is left to forget, or when it fails.
    fn forget(&mut self, before: u64, checkpoint: bool) {
        let mut result = Ok(());
        if checkpoint && let Some((as_of, bytes)) = self.new_checkpoint(1) {
            result = self.store.append(&[], Some(&bytes));
            if result.is_ok() {
                self.checkpoint = as_of;
            }
        }
        match result.and_then(|()| self.store.forget(before, FORGET_AT_ONCE)) {
            Ok(FORGET_AT_ONCE) => {}
            Ok(_) => self.answer(Ok(())),
            Err(error) => self.answer(Err(error)),
        }
    }

    fn answer(&self, answer: Result<(), StoreError>) {
        if let Some(forget) = &mut lock(&self.shared.state).forget {
            forget.answer = Some(answer);
        }
        self.shared.done.notify_all();
    }

    /// The state as of the last durable fact, if that is at least `after` facts past the last checkpoint.
    fn new_checkpoint(&self, after: u64) -> Option<(u64, Vec<u8>)> {
        let fold = lock(&self.shared.fold);
        let as_of = fold.snapshot().as_of;
        if as_of < self.checkpoint.saturating_add(after) {
            return None;
        }
        Some((as_of, serde_json::to_vec(&*fold).ok()?))
    }
}

/// However the thread ends, nobody waits for it any longer.
struct SayEnd(Arc<Shared>);

impl Drop for SayEnd {
    fn drop(&mut self) {
        lock(&self.0.state).ended = true;
        self.0.done.notify_all();
    }
}

fn encode(facts: &[Fact]) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
    let encode = |fact: &Fact| serde_json::to_vec(fact).map(|bytes| (fact.number, bytes));
    facts.iter().map(encode).collect::<Result<_, _>>().map_err(|error| {
        StoreError::new(format!(
            "a fact cannot be written as JSON: {error}; this is a fault in Cornetta, report it"
        ))
    })
}

/// A thread that panicked leaves nothing half done under these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
