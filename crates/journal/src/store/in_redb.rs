use super::{Store, StoreError};
use redb::{Builder, Database, DatabaseError, ReadableDatabase, ReadableTable, TableDefinition, TableError};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

const FACTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("facts");
const CHECKPOINTS: TableDefinition<'_, u8, &[u8]> = TableDefinition::new("checkpoints");
const NEWEST: u8 = 0;

/// A store in one file of `redb`: one `fdatasync` to write a group, readers on their own version of the tree.
#[derive(Debug)]
pub struct RedbStore {
    path: PathBuf,
    cache_bytes: usize,
    /// `None` after a failure, until it could be opened again: `redb` refuses everything after one.
    database: RwLock<Option<Database>>,
}

impl RedbStore {
    /// Opens the file, or makes it. `cache_bytes` bounds the memory for pages.
    pub fn open(path: &Path, cache_bytes: usize) -> Result<RedbStore, StoreError> {
        let database = open(path, cache_bytes)?;
        Ok(RedbStore { path: path.to_owned(), cache_bytes, database: RwLock::new(Some(database)) })
    }

    /// Does `work`; if that fails, closes the file so that the next try opens it anew.
    fn write<T>(&self, work: impl FnOnce(&Database) -> Result<T, redb::Error>) -> Result<T, StoreError> {
        self.open_again()?;
        let result = {
            let guard = self.guard();
            let Some(database) = guard.as_ref() else { return Err(closed(&self.path)) };
            work(database)
        };
        result.map_err(|error| {
            *self.database.write().unwrap_or_else(PoisonError::into_inner) = None;
            self.fault("write to", &error)
        })
    }

    fn read_with<T>(&self, work: impl FnOnce(&Database) -> Result<T, redb::Error>) -> Result<T, StoreError> {
        let guard = self.guard();
        let Some(database) = guard.as_ref() else { return Err(closed(&self.path)) };
        work(database).map_err(|error| self.fault("read", &error))
    }

    fn open_again(&self) -> Result<(), StoreError> {
        if self.guard().is_some() {
            return Ok(());
        }
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        *database = Some(open(&self.path, self.cache_bytes)?);
        Ok(())
    }

    fn guard(&self) -> RwLockReadGuard<'_, Option<Database>> {
        self.database.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn fault(&self, what: &str, error: &redb::Error) -> StoreError {
        let why =
            format!("cannot {what} {}: {error}; check the disk's space and health", self.path.display());
        StoreError::new(why)
    }
}

impl Store for RedbStore {
    fn range(&self) -> Result<Option<(u64, u64)>, StoreError> {
        self.read_with(|database| {
            let transaction = database.begin_read()?;
            let facts = match transaction.open_table(FACTS) {
                Err(TableError::TableDoesNotExist(_)) => return Ok(None),
                table => table?,
            };
            let (first, last) = (facts.first()?, facts.last()?);
            Ok(first.zip(last).map(|((first, _), (last, _))| (first.value(), last.value())))
        })
    }

    fn append(&self, new: &[(u64, Vec<u8>)], checkpoint: Option<&[u8]>) -> Result<(), StoreError> {
        self.write(|database| {
            let mut transaction = database.begin_write()?;
            // Opening after a crash must not read the whole log.
            transaction.set_quick_repair(true);
            {
                let mut facts = transaction.open_table(FACTS)?;
                for (number, bytes) in new {
                    facts.insert(number, bytes.as_slice())?;
                }
            }
            if let Some(bytes) = checkpoint {
                transaction.open_table(CHECKPOINTS)?.insert(NEWEST, bytes)?;
            }
            Ok(transaction.commit()?)
        })
    }

    fn read(&self, from: u64, max: usize) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        self.read_with(|database| {
            let transaction = database.begin_read()?;
            let facts = match transaction.open_table(FACTS) {
                Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
                table => table?,
            };
            let mut found = Vec::new();
            for row in facts.range(from..)?.take(max) {
                let (number, bytes) = row?;
                found.push((number.value(), bytes.value().to_vec()));
            }
            Ok(found)
        })
    }

    fn forget(&self, before: u64, max: usize) -> Result<usize, StoreError> {
        self.write(|database| {
            let mut transaction = database.begin_write()?;
            transaction.set_quick_repair(true);
            let mut forgotten = 0;
            {
                let mut facts = transaction.open_table(FACTS)?;
                while forgotten < max {
                    let oldest = facts.first()?.map(|(number, _)| number.value());
                    let Some(oldest) = oldest.filter(|oldest| *oldest < before) else { break };
                    facts.remove(oldest)?;
                    forgotten += 1;
                }
            }
            transaction.commit()?;
            Ok(forgotten)
        })
    }

    fn checkpoint(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.read_with(|database| {
            let transaction = database.begin_read()?;
            let checkpoints = match transaction.open_table(CHECKPOINTS) {
                Err(TableError::TableDoesNotExist(_)) => return Ok(None),
                table => table?,
            };
            Ok(checkpoints.get(NEWEST)?.map(|bytes| bytes.value().to_vec()))
        })
    }
}

fn open(path: &Path, cache_bytes: usize) -> Result<Database, StoreError> {
    Builder::new().set_cache_size(cache_bytes).create(path).map_err(|error| match error {
        DatabaseError::DatabaseAlreadyOpen => StoreError {
            why: format!(
                "{} is in use by a Cornetta that runs; stop that one, or use another data folder",
                path.display()
            ),
            in_use: true,
        },
        other => StoreError::new(format!(
            "cannot open {}: {other}; check that the folder exists and may be written",
            path.display()
        )),
    })
}

fn closed(path: &Path) -> StoreError {
    StoreError::new(format!("{} is closed after a failed write until it can be opened again", path.display()))
}
