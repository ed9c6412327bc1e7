//! Where facts lie: the seam between the journal and an embedded store.

mod in_redb;
#[cfg(feature = "sled")]
mod in_sled;

pub use in_redb::RedbStore;
#[cfg(feature = "sled")]
pub use in_sled::SledStore;

use std::fmt;

/// Facts as bytes by number, and one checkpoint. Numbers in it are contiguous.
pub trait Store: Send + Sync + 'static {
    /// The numbers of the oldest and the newest fact; `None` if there is none.
    fn range(&self) -> Result<Option<(u64, u64)>, StoreError>;

    /// Writes all or nothing, and returns when it is on the disk. A fact that is there already is replaced:
    /// after an error the caller cannot know, and tries the same again.
    fn append(&self, facts: &[(u64, Vec<u8>)], checkpoint: Option<&[u8]>) -> Result<(), StoreError>;

    /// At most `max` facts from `from` on, in order. Never waits for a writer.
    fn read(&self, from: u64, max: usize) -> Result<Vec<(u64, Vec<u8>)>, StoreError>;

    /// Removes at most `max` of the oldest facts before `before`; gives how many. Durable on return.
    fn forget(&self, before: u64, max: usize) -> Result<usize, StoreError>;

    /// The newest checkpoint.
    fn checkpoint(&self) -> Result<Option<Vec<u8>>, StoreError>;
}

/// The store could not do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError {
    /// The cause, in the store's words, and what to do.
    pub why: String,
    /// Another process has the file, so that nothing is wrong with it.
    pub in_use: bool,
}

impl StoreError {
    /// A failure of the store itself.
    pub fn new(why: impl Into<String>) -> StoreError {
        StoreError { why: why.into(), in_use: false }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for StoreError {}
