use crate::fold::SnapshotFold;
use crate::journal::JournalError;
use crate::store::Store;
use facts::{ChargeNow, Fact, MemoryNow, OpenCall, Snapshot};

/// How many facts are held at a time while the log's end is read.
const READ_AT_ONCE: usize = 1000;

/// What the log says of the time before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// The number of the last fact, if there is any.
    pub head: Option<u64>,
    /// Calls that have not ended in it, by id: the engine ends them now, with that reason.
    pub open_calls: Vec<OpenCall>,
    /// Agents who were paused and have not been ready since: name and reason.
    pub paused: Vec<(String, String)>,
    /// Calls outside of the last day that were let through, by the number of the fact.
    pub charges: Vec<(u64, ChargeNow)>,
    /// Who is remembered: number, script and what it knows.
    pub memories: Vec<(String, String, MemoryNow)>,
    /// The state after the last fact.
    pub snapshot: Snapshot,
}

/// Folds what came after the newest checkpoint, so that a start does not take longer as the log grows.
pub(crate) fn recover(store: &dyn Store) -> Result<(SnapshotFold, Recovery), JournalError> {
    let range = store.range()?;
    let mut fold = match store.checkpoint()? {
        Some(bytes) => serde_json::from_slice(&bytes)
            .map_err(|error| JournalError::Unreadable { number: None, why: error.to_string() })?,
        None => SnapshotFold::default(),
    };
    if let Some((oldest, head)) = range {
        let mut next = (fold.snapshot().as_of + 1).max(oldest);
        while next <= head {
            let found = store.read(next, READ_AT_ONCE)?;
            if found.is_empty() {
                return Err(JournalError::Missing { number: next });
            }
            for (number, bytes) in found {
                if number != next {
                    return Err(JournalError::Missing { number: next });
                }
                fold.apply(&decode(number, &bytes)?);
                next += 1;
            }
        }
    }
    let recovery = Recovery {
        head: range.map(|(_, head)| head),
        open_calls: fold.open_calls(),
        paused: fold.paused(),
        charges: fold.charges(),
        memories: fold.memories(),
        snapshot: fold.snapshot().clone(),
    };
    Ok((fold, recovery))
}

pub(crate) fn decode(number: u64, bytes: &[u8]) -> Result<Fact, JournalError> {
    serde_json::from_slice(bytes)
        .map_err(|error| JournalError::Unreadable { number: Some(number), why: error.to_string() })
}
