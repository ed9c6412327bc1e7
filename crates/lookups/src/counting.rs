use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How questions have ended since the start.
#[derive(Clone, Debug, Default)]
pub struct LookUpCounter(Arc<[AtomicU64; 6]>);

/// What a [`LookUpCounter`] says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LookUpCounts {
    /// Something was there.
    pub found: u64,
    /// Nothing was there.
    pub missing: u64,
    /// Nobody answered, too late, or nothing that could be understood.
    pub failed: u64,
    /// Answered from what was known from before.
    pub cached: u64,
    /// Not asked, because the source keeps failing.
    pub spared: u64,
    /// Not asked, because too many questions were open.
    pub refused: u64,
}

/// How a question ended, in the order of the counts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    Found,
    Missing,
    Failed,
    Cached,
    Spared,
    Refused,
}

impl LookUpCounter {
    /// What there was until now.
    pub fn counts(&self) -> LookUpCounts {
        let [found, missing, failed, cached, spared, refused] =
            self.0.each_ref().map(|count| count.load(Ordering::Relaxed));
        LookUpCounts { found, missing, failed, cached, spared, refused }
    }

    pub(crate) fn count(&self, end: End) {
        if let Some(count) = self.0.get(end as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}
