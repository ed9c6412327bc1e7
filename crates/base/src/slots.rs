use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

/// A place in [`Slots`] and the generation that it was filled in: a key of something that has ended
/// never finds what came after it.
pub struct Key<T> {
    index: u32,
    generation: u32,
    of: PhantomData<fn() -> T>,
}

impl<T> Key<T> {
    /// A number that no other living or ended thing of the same table had, until 2³² things have ended.
    pub fn number(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }

    /// The key that [`Key::number`] gave this number.
    pub fn from_number(number: u64) -> Key<T> {
        Key { index: number as u32, generation: (number >> 32) as u32, of: PhantomData }
    }
}

/// Things by key, at most a stated number at a time. The room of a busy hour is given back when it is over:
/// the lowest places are filled first, and empty ones at the end are cut off.
#[derive(Debug)]
pub struct Slots<T> {
    places: Vec<(u32, Option<T>)>,
    /// The empty places, and numbers of places that were cut off: these are the highest.
    free: BinaryHeap<Reverse<u32>>,
    filled: usize,
    /// The generation of new places: as high as any that was cut off.
    newest: u32,
    limit: usize,
}

/// Room for so many places is never given back: it is not worth the copying.
const KEPT: usize = 8;

impl<T> Slots<T> {
    /// An empty table of at most `limit` things.
    pub fn new(limit: usize) -> Slots<T> {
        Slots { places: Vec::new(), free: BinaryHeap::new(), filled: 0, newest: 0, limit }
    }

    /// Puts `thing` in, or gives it back if the table is full.
    pub fn insert(&mut self, thing: T) -> Result<Key<T>, T> {
        if self.filled >= self.limit {
            return Err(thing);
        }
        let Key { index, generation, .. } = self.next_key();
        self.filled += 1;
        match self.places.get_mut(index as usize) {
            Some(place) => {
                self.free.pop();
                place.1 = Some(thing);
            }
            None => {
                self.free.clear();
                self.places.push((generation, Some(thing)));
            }
        }
        Ok(Key { index, generation, of: PhantomData })
    }

    /// Puts in what `make` gives for its key. Nothing is made if the table is full.
    pub fn insert_with(&mut self, make: impl FnOnce(Key<T>) -> T) -> Option<Key<T>> {
        if self.filled >= self.limit {
            return None;
        }
        let key = self.next_key();
        self.insert(make(key)).ok()
    }

    /// The thing with this key, if it has not been removed.
    pub fn get(&self, key: Key<T>) -> Option<&T> {
        let (generation, thing) = self.places.get(key.index as usize)?;
        thing.as_ref().filter(|_| *generation == key.generation)
    }

    /// The thing with this key, to be changed.
    pub fn get_mut(&mut self, key: Key<T>) -> Option<&mut T> {
        let (generation, thing) = self.places.get_mut(key.index as usize)?;
        thing.as_mut().filter(|_| *generation == key.generation)
    }

    /// Takes the thing with this key out.
    pub fn remove(&mut self, key: Key<T>) -> Option<T> {
        let place = self.places.get_mut(key.index as usize).filter(|place| place.0 == key.generation)?;
        let thing = place.1.take()?;
        place.0 = place.0.wrapping_add(1);
        self.filled -= 1;
        self.free.push(Reverse(key.index));
        self.give_back_room();
        Some(thing)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.filled
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them, in the order of their places.
    pub fn iter(&self) -> impl Iterator<Item = (Key<T>, &T)> {
        self.places.iter().enumerate().filter_map(|(index, (generation, thing))| {
            let key = Key { index: index as u32, generation: *generation, of: PhantomData };
            thing.as_ref().map(|thing| (key, thing))
        })
    }

    /// The key of what is put in next: the lowest empty place, or a new one.
    fn next_key(&self) -> Key<T> {
        let end = self.places.len() as u32;
        let index = self.free.peek().map_or(end, |Reverse(index)| *index).min(end);
        let generation = self.places.get(index as usize).map_or(self.newest, |place| place.0);
        Key { index, generation, of: PhantomData }
    }

    /// Cuts off the empty places at the end, and gives their room back when three quarters of it are empty.
    fn give_back_room(&mut self) {
        while let Some((generation, _)) = self.places.pop_if(|(_, thing)| thing.is_none()) {
            self.newest = self.newest.max(generation);
        }
        let used = self.places.len();
        if self.places.capacity() > KEPT && used < self.places.capacity() / 4 {
            self.places.shrink_to((2 * used).max(KEPT));
            self.free.retain(|Reverse(index)| (*index as usize) < used);
            self.free.shrink_to((2 * used).max(KEPT));
        }
    }
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Key<T> {}
impl<T> PartialEq for Key<T> {
    fn eq(&self, other: &Self) -> bool {
        self.number() == other.number()
    }
}
impl<T> Eq for Key<T> {}
impl<T> PartialOrd for Key<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Key<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.number().cmp(&other.number())
    }
}
impl<T> Hash for Key<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.number().hash(state);
    }
}
impl<T> fmt::Debug for Key<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}.{}", self.index, self.generation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_what_has_ended_finds_nothing_new() {
        let mut slots = Slots::new(2);
        let first = slots.insert("first").unwrap();
        assert_eq!(slots.remove(first), Some("first"));
        let second = slots.insert("second").unwrap();
        assert_eq!(slots.get(first), None);
        assert_eq!(slots.remove(first), None);
        assert_eq!(slots.get(second), Some(&"second"));
        assert_eq!(Key::from_number(second.number()), second);
    }

    #[test]
    fn a_thing_can_know_its_own_key() {
        let mut slots = Slots::new(1);
        for _ in 0..3 {
            let key = slots.insert_with(Key::number).unwrap();
            assert_eq!(slots.remove(key), Some(key.number()));
        }
        slots.insert(0).unwrap();
        assert_eq!(slots.insert_with(Key::number), None);
    }

    #[test]
    fn a_table_gives_the_room_of_its_busiest_moment_back() {
        let mut slots = Slots::new(10_000);
        let mut keys: Vec<_> = (0..10_000).map(|n| slots.insert(n).unwrap()).collect();
        let last = keys.pop().unwrap();
        keys.iter().for_each(|key| assert!(slots.remove(*key).is_some()));
        assert!(slots.places.capacity() >= 10_000, "the last one still has its place");
        // What comes meanwhile takes the lowest places, so that only the last one holds the room.
        let low = slots.insert(1).unwrap();
        assert_eq!(low.index, 0);
        assert_eq!(slots.remove(last), Some(9_999));
        assert!(slots.places.capacity() <= KEPT && slots.free.capacity() <= KEPT);
        assert_eq!((slots.get(low), slots.len()), (Some(&1), 1));
    }

    #[test]
    fn a_place_that_was_cut_off_comes_back_with_a_new_key() {
        let mut slots = Slots::new(2);
        let first = slots.insert("first").unwrap();
        let second = slots.insert("second").unwrap();
        slots.remove(first);
        slots.remove(second);
        assert_eq!(slots.places.len(), 0);
        let again = slots.insert("again").unwrap();
        let other = slots.insert("other").unwrap();
        assert_eq!((again.index, other.index), (0, 1));
        assert_eq!((slots.get(first), slots.get(second)), (None, None));
        assert_eq!((slots.get(again), slots.get(other)), (Some(&"again"), Some(&"other")));
    }

    #[test]
    fn whatever_comes_and_goes_is_found_by_its_own_key_only() {
        let mut slots = Slots::new(500);
        let (mut living, mut ended) = (Vec::new(), Vec::new());
        let mut chance = 1_u64;
        for step in 0..40_000_u64 {
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let dice = (chance >> 33) as usize;
            // Waves: it fills up for a while, then empties.
            let fills = dice % 100 < if step / 2_000 % 2 == 0 { 70 } else { 20 };
            match fills {
                true => living.extend(slots.insert(step).ok().map(|key| (key, step))),
                false if living.is_empty() => {}
                false => {
                    let (key, thing) = living.swap_remove(dice % living.len());
                    assert_eq!(slots.remove(key), Some(thing));
                    ended.push(key);
                }
            }
            assert_eq!(slots.len(), living.len());
        }
        assert!(living.iter().all(|(key, thing)| slots.get(*key) == Some(thing)));
        assert!(ended.iter().all(|key| slots.get(*key).is_none()));
        let mut numbers: Vec<u64> =
            ended.iter().chain(living.iter().map(|(key, _)| key)).map(|key| key.number()).collect();
        let all = numbers.len();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), all, "no key was given twice");
    }

    #[test]
    fn a_full_table_gives_the_thing_back() {
        let mut slots = Slots::new(1);
        slots.insert(1).unwrap();
        assert_eq!(slots.insert(2), Err(2));
        assert_eq!(slots.len(), 1);
    }
}
