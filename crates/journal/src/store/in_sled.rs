use super::{Store, StoreError};
use sled::{Batch, Db};
use std::path::{Path, PathBuf};

/// Before the number of a fact.
const FACT: u8 = b'f';
const CHECKPOINT: &[u8] = b"c";

/// A store in a folder of `sled`. It survives the end of the process, but not surely that of the machine's
/// power: `sled` 0.34 flushes with `sync_file_range` and never with `fsync`.
#[derive(Debug)]
pub struct SledStore {
    path: PathBuf,
    database: Db,
}

impl SledStore {
    /// Opens the folder, or makes it. `cache_bytes` bounds the memory for pages.
    pub fn open(path: &Path, cache_bytes: usize) -> Result<SledStore, StoreError> {
        let cache_bytes = u64::try_from(cache_bytes).unwrap_or(u64::MAX);
        let config = sled::Config::new().path(path).cache_capacity(cache_bytes).flush_every_ms(None);
        let database = config.open().map_err(|error| {
            let shown = path.display();
            StoreError::new(format!("cannot open {shown}: {error}; is another Cornetta using it?"))
        })?;
        Ok(SledStore { path: path.to_owned(), database })
    }

    /// Writes all or nothing, and waits until the system has it.
    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        self.database.apply_batch(batch).map_err(|error| self.fault("write to", &error))?;
        self.database.flush().map_err(|error| self.fault("write to", &error))?;
        Ok(())
    }

    fn fault(&self, what: &str, error: &sled::Error) -> StoreError {
        let why =
            format!("cannot {what} {}: {error}; check the disk's space and health", self.path.display());
        StoreError::new(why)
    }

    /// The facts from this number on, by number.
    fn facts(&self, from: u64) -> impl DoubleEndedIterator<Item = Result<(u64, Vec<u8>), StoreError>> + '_ {
        self.database.range(key(from)..=key(u64::MAX)).map(|row| {
            let (key, bytes) = row.map_err(|error| self.fault("read", &error))?;
            let number = key.get(1..).and_then(|number| number.try_into().ok()).map(u64::from_be_bytes);
            let number = number.ok_or_else(|| {
                StoreError::new(format!("{} holds a key that is no fact's number", self.path.display()))
            })?;
            Ok((number, bytes.to_vec()))
        })
    }
}

impl Store for SledStore {
    fn range(&self) -> Result<Option<(u64, u64)>, StoreError> {
        let (first, last) = (self.facts(0).next().transpose()?, self.facts(0).next_back().transpose()?);
        Ok(first.zip(last).map(|((first, _), (last, _))| (first, last)))
    }

    fn append(&self, new: &[(u64, Vec<u8>)], checkpoint: Option<&[u8]>) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        for (number, bytes) in new {
            batch.insert(&key(*number), bytes.as_slice());
        }
        if let Some(bytes) = checkpoint {
            batch.insert(CHECKPOINT, bytes);
        }
        self.commit(batch)
    }

    fn read(&self, from: u64, max: usize) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        self.facts(from).take(max).collect()
    }

    fn forget(&self, before: u64, max: usize) -> Result<usize, StoreError> {
        let oldest = self.facts(0).take(max).collect::<Result<Vec<_>, StoreError>>()?;
        let mut batch = Batch::default();
        let mut forgotten = 0;
        for (number, _) in oldest.into_iter().filter(|(number, _)| *number < before) {
            batch.remove(&key(number));
            forgotten += 1;
        }
        self.commit(batch)?;
        Ok(forgotten)
    }

    fn checkpoint(&self) -> Result<Option<Vec<u8>>, StoreError> {
        let found = self.database.get(CHECKPOINT).map_err(|error| self.fault("read", &error))?;
        Ok(found.map(|bytes| bytes.to_vec()))
    }
}

/// Keys sort as numbers do.
fn key(number: u64) -> [u8; 9] {
    let mut key = [FACT; 9];
    if let Some(tail) = key.get_mut(1..) {
        tail.copy_from_slice(&number.to_be_bytes());
    }
    key
}
