use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

/// Things by ids that we have given ourselves, one after the other: for looking up what each packet belongs to. The usual
/// hash withstands keys that an attacker has chosen, and takes longer than all else that is done to find the thing. They
/// have no order, so that nobody can go through them.
#[derive(Clone, Debug)]
pub struct Numbered<K, V> {
    things: HashMap<K, V, BuildHasherDefault<Spread>>,
}

impl<K: Hash + Eq, V> Numbered<K, V> {
    /// The thing with this id.
    pub fn get(&self, id: &K) -> Option<&V> {
        self.things.get(id)
    }

    /// Whether there is one.
    pub fn contains(&self, id: &K) -> bool {
        self.things.contains_key(id)
    }

    /// Puts a thing in; gives the one that had its id.
    pub fn insert(&mut self, id: K, thing: V) -> Option<V> {
        self.things.insert(id, thing)
    }

    /// Takes the thing with this id out.
    pub fn remove(&mut self, id: &K) -> Option<V> {
        self.things.remove(id)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.things.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.things.is_empty()
    }
}

impl<K, V> Default for Numbered<K, V> {
    fn default() -> Numbered<K, V> {
        Numbered { things: HashMap::default() }
    }
}

/// Spreads numbers that follow on each other over all bits (multiplicative hashing by the golden ratio, both halves of the product).
#[derive(Clone, Copy, Debug, Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, number: u64) {
        let product = u128::from(self.0 ^ number) * 0x9e37_79b9_7f4a_7c15;
        // Its upper half depends on the lower bits of the number, its lower half on the upper ones.
        self.0 = (product >> 64) as u64 ^ product as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_is_found_by_its_id_until_it_is_taken_out() {
        let mut things = Numbered::default();
        assert_eq!(things.insert(7_u64, "first"), None);
        assert_eq!(things.insert(7, "second"), Some("first"));
        assert_eq!((things.get(&7), things.contains(&8), things.len()), (Some(&"second"), false, 1));
        assert_eq!(things.remove(&7), Some("second"));
        assert!(things.is_empty() && things.get(&7).is_none());
    }

    /// Ids come one after the other, or with a stride where several tables share them.
    #[test]
    fn ids_of_any_stride_are_spread_over_all_places() {
        for stride in [1_u64, 2, 3, 64, 1 << 20, 1 << 32, 1 << 40] {
            let mut places = [0_u32; 256];
            for number in 0..2_560 {
                let mut hasher = Spread::default();
                hasher.write_u64(number * stride);
                places[(hasher.finish() & 0xff) as usize] += 1;
            }
            let fullest = places.iter().max().copied().unwrap_or(0);
            assert!(fullest <= 40, "{fullest} of 2560 ids of stride {stride} in one of 256 places");
        }
    }
}
