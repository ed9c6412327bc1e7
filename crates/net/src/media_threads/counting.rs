//! How often things happened, counted by the shards' threads and read wherever it is wanted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How often things happened since the threads were started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MediaCounts {
    /// Datagrams read.
    pub received: u64,
    /// Datagrams that the kernel took.
    pub sent: u64,
    /// Datagrams that it did not take.
    pub unsent: u64,
    /// Ticks of all shards. One without legs has none.
    pub ticks: u64,
    /// Those of them after which the next came a whole tick or more too late.
    pub late_ticks: u64,
    /// Events dropped because nobody took them; never the end of a leg or of a play.
    pub events_dropped: u64,
}

/// Reads the counts of media threads, wherever those are, and after they are gone.
#[derive(Clone, Debug)]
pub struct MediaCounter(pub(super) Arc<Counters>);

impl MediaCounter {
    /// The counts so far, of all shards together.
    pub fn counts(&self) -> MediaCounts {
        let counters = &self.0;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        MediaCounts {
            received: read(&counters.received),
            sent: read(&counters.sent),
            unsent: read(&counters.unsent),
            ticks: read(&counters.ticks),
            late_ticks: read(&counters.late_ticks),
            events_dropped: read(&counters.events_dropped),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    received: AtomicU64,
    sent: AtomicU64,
    unsent: AtomicU64,
    ticks: AtomicU64,
    late_ticks: AtomicU64,
    events_dropped: AtomicU64,
}

impl Counters {
    /// Adds what a shard has counted since it did so last.
    pub(super) fn add(&self, more: &MediaCounts) {
        for (counter, more) in [
            (&self.received, more.received),
            (&self.sent, more.sent),
            (&self.unsent, more.unsent),
            (&self.ticks, more.ticks),
            (&self.late_ticks, more.late_ticks),
            (&self.events_dropped, more.events_dropped),
        ] {
            if more > 0 {
                counter.fetch_add(more, Ordering::Relaxed);
            }
        }
    }
}
