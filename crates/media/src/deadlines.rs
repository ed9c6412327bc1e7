//! The next deadline of each of many things, the earliest first. A thing has one entry that moves, so the
//! table never holds more than there are things, and a turn costs nothing for those that are not due.

use base::{Key, Time};

use crate::api::Why;

const NOWHERE: u32 = u32::MAX;

#[derive(Debug)]
pub(crate) struct Deadlines<T> {
    /// A binary heap by time.
    heap: Vec<(Time, Why, Key<T>)>,
    /// Where in the heap the thing of each index stands.
    places: Vec<u32>,
}

impl<T> Deadlines<T> {
    pub(crate) fn new() -> Deadlines<T> {
        Deadlines { heap: Vec::new(), places: Vec::new() }
    }

    /// The earliest.
    pub(crate) fn first(&self) -> Option<(Time, Why, Key<T>)> {
        self.heap.first().copied()
    }

    /// From now on this is the thing's deadline.
    pub(crate) fn set(&mut self, key: Key<T>, deadline: Option<(Time, Why)>) {
        let index = index(key);
        if self.places.len() <= index {
            self.places.resize(index + 1, NOWHERE);
        }
        let place = self.places[index] as usize;
        match (self.heap.get(place).map(|entry| entry.0), deadline) {
            (Some(old), Some((time, why))) => {
                self.heap[place] = (time, why, key);
                if time < old { self.rise(place) } else { self.sink(place) }
            }
            (None, Some((time, why))) => {
                self.heap.push((time, why, key));
                self.places[index] = (self.heap.len() - 1) as u32;
                self.rise(self.heap.len() - 1);
            }
            (Some(_), None) => self.remove(place),
            (None, None) => {}
        }
    }

    fn remove(&mut self, place: usize) {
        let last = self.heap.len() - 1;
        self.swap(place, last);
        if let Some((_, _, key)) = self.heap.pop() {
            self.places[index(key)] = NOWHERE;
        }
        if place < last {
            self.rise(place);
            self.sink(place);
        }
    }

    fn rise(&mut self, mut place: usize) {
        while place > 0 {
            let parent = (place - 1) / 2;
            if self.heap[parent].0 <= self.heap[place].0 {
                return;
            }
            self.swap(place, parent);
            place = parent;
        }
    }

    fn sink(&mut self, mut place: usize) {
        loop {
            let children = 2 * place + 1..(2 * place + 3).min(self.heap.len());
            let Some(child) = children.min_by_key(|child| self.heap[*child].0) else { return };
            if self.heap[place].0 <= self.heap[child].0 {
                return;
            }
            self.swap(place, child);
            place = child;
        }
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.heap.swap(a, b);
        for place in [a, b] {
            self.places[index(self.heap[place].2)] = place as u32;
        }
    }
}

/// The lower half of a key's number is its place in the table.
fn index<T>(key: Key<T>) -> usize {
    key.number() as u32 as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn the_first_is_always_the_earliest_of_those_that_were_set(
            steps in prop::collection::vec((0u64..20, prop::option::of(0u64..50)), 1..200)
        ) {
            let mut deadlines = Deadlines::<()>::new();
            let mut model = BTreeMap::new();
            for (number, millis) in steps {
                let time = millis.map(Time::from_millis);
                deadlines.set(Key::from_number(number), time.map(|time| (time, Why::Play)));
                match time {
                    Some(time) => model.insert(number, time),
                    None => model.remove(&number),
                };
                prop_assert_eq!(deadlines.first().map(|first| first.0), model.values().min().copied());
                if let Some((time, _, key)) = deadlines.first() {
                    prop_assert_eq!(model.get(&key.number()), Some(&time));
                }
            }
        }
    }
}
