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
    /// A number that no other living or ended thing of the same table had, until 2³² reuses of a place.
    pub fn number(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }

    /// The key that [`Key::number`] gave this number.
    pub fn from_number(number: u64) -> Key<T> {
        Key { index: number as u32, generation: (number >> 32) as u32, of: PhantomData }
    }
}

/// Things by key, at most a stated number at a time.
#[derive(Debug)]
pub struct Slots<T> {
    places: Vec<(u32, Option<T>)>,
    free: Vec<u32>,
    limit: usize,
}

impl<T> Slots<T> {
    /// An empty table of at most `limit` things.
    pub fn new(limit: usize) -> Slots<T> {
        Slots { places: Vec::new(), free: Vec::new(), limit }
    }

    /// Puts `thing` in, or gives it back if the table is full.
    pub fn insert(&mut self, thing: T) -> Result<Key<T>, T> {
        if self.len() >= self.limit {
            return Err(thing);
        }
        let index = self.free.pop().unwrap_or_else(|| {
            self.places.push((0, None));
            (self.places.len() - 1) as u32
        });
        let place = &mut self.places[index as usize];
        place.1 = Some(thing);
        Ok(Key { index, generation: place.0, of: PhantomData })
    }

    /// Puts in what `make` gives for its key. Nothing is made if the table is full.
    pub fn insert_with(&mut self, make: impl FnOnce(Key<T>) -> T) -> Option<Key<T>> {
        if self.len() >= self.limit {
            return None;
        }
        let index = self.free.last().copied().unwrap_or(self.places.len() as u32);
        let generation = self.places.get(index as usize).map_or(0, |place| place.0);
        self.insert(make(Key { index, generation, of: PhantomData })).ok()
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
        self.free.push(key.index);
        Some(thing)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.places.len() - self.free.len()
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
    fn a_full_table_gives_the_thing_back() {
        let mut slots = Slots::new(1);
        slots.insert(1).unwrap();
        assert_eq!(slots.insert(2), Err(2));
        assert_eq!(slots.len(), 1);
    }
}
