use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Everyone who reads events now, and how far each has come. As many as there are seats.
#[derive(Debug)]
pub(crate) struct Readers {
    seats: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    last: u64,
    positions: BTreeMap<u64, Arc<AtomicU64>>,
}

impl Readers {
    pub(crate) fn new(seats: usize) -> Arc<Readers> {
        Arc::new(Readers { seats, taken: Mutex::default() })
    }

    /// A seat for one more reader, if there is one; given back when it is dropped.
    pub(crate) fn sit(self: &Arc<Readers>) -> Option<Seat> {
        let mut taken = self.lock();
        if taken.positions.len() >= self.seats {
            return None;
        }
        taken.last += 1;
        let number = taken.last;
        let position = Arc::new(AtomicU64::new(u64::MAX));
        taken.positions.insert(number, Arc::clone(&position));
        Some(Seat { readers: Arc::clone(self), number, position })
    }

    /// How many read.
    pub(crate) fn count(&self) -> usize {
        self.lock().positions.len()
    }

    /// How many facts the slowest reader is behind `head`.
    pub(crate) fn lag_max(&self, head: u64) -> u64 {
        let taken = self.lock();
        let behind = |position: &Arc<AtomicU64>| head.saturating_sub(position.load(Ordering::Relaxed));
        taken.positions.values().map(behind).max().unwrap_or(0)
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One reader's place.
#[derive(Debug)]
pub(crate) struct Seat {
    readers: Arc<Readers>,
    number: u64,
    position: Arc<AtomicU64>,
}

impl Seat {
    /// Notes the last fact that the reader needs no more.
    pub(crate) fn stands_at(&self, number: u64) {
        self.position.store(number, Ordering::Relaxed);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.readers.lock().positions.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seat_is_free_again_when_its_reader_is_gone() {
        let readers = Readers::new(2);
        let first = readers.sit().unwrap();
        let second = readers.sit().unwrap();
        assert!(readers.sit().is_none());
        assert_eq!(readers.lag_max(10), 0, "a reader that has not subscribed is not behind");
        first.stands_at(3);
        second.stands_at(9);
        assert_eq!(readers.lag_max(10), 7);
        drop(first);
        assert_eq!((readers.count(), readers.lag_max(10)), (1, 1));
        assert!(readers.sit().is_some());
    }
}
