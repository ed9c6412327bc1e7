//! Room for so many packets, each at the place that its number says.

use super::Arrived;
use super::Content;
use super::count::Place;

/// How many packets are held at most: more than the longest wait for packets of 10 ms.
pub(super) const PLACES: i64 = 32;

#[derive(Debug)]
pub(super) struct Slots {
    places: Vec<Slot>,
    held: usize,
}

#[derive(Debug, Default)]
pub(super) struct Slot {
    pub(super) is_held: bool,
    pub(super) sequence: i64,
    pub(super) made: i64,
    /// When it came, in microseconds.
    pub(super) came: i64,
    pub(super) has_jumped: bool,
    pub(super) marker: bool,
    pub(super) payload_type: u8,
    pub(super) content: Content,
    pub(super) payload: Vec<u8>,
}

impl Slots {
    pub(super) fn new() -> Slots {
        Slots { places: std::iter::repeat_with(Slot::default).take(PLACES as usize).collect(), held: 0 }
    }

    pub(super) fn count(&self) -> usize {
        self.held
    }

    /// Holds a packet. Its number is less than [`PLACES`] away from that of every other one that is held.
    pub(super) fn put(&mut self, now: u64, place: Place, arrived: &Arrived<'_>) {
        let Some(slot) = self.places.get_mut(index(place.sequence)) else { return };
        self.held += usize::from(!slot.is_held);
        slot.is_held = true;
        (slot.sequence, slot.made, slot.has_jumped) = (place.sequence, place.made, place.has_jumped);
        slot.came = now as i64;
        (slot.marker, slot.payload_type) = (arrived.marker, arrived.payload_type);
        slot.content = arrived.content;
        slot.payload.clear();
        slot.payload.extend_from_slice(arrived.payload);
    }

    /// The packet of this number, if it is held.
    pub(super) fn get(&self, sequence: i64) -> Option<&Slot> {
        self.places.get(index(sequence)).filter(|slot| slot.is_held && slot.sequence == sequence)
    }

    /// The packet with the lowest number. None is lower than `next`, if that is given.
    pub(super) fn first(&self, next: Option<i64>) -> Option<&Slot> {
        if self.held == 0 {
            return None;
        }
        match next {
            Some(next) => (next..next + PLACES).find_map(|sequence| self.get(sequence)),
            None => self.places.iter().filter(|slot| slot.is_held).min_by_key(|slot| slot.sequence),
        }
    }

    /// Lets go of a packet; its bytes may still be read until the next one comes.
    pub(super) fn release(&mut self, sequence: i64) {
        if let Some(slot) = self.places.get_mut(index(sequence))
            && slot.is_held
            && slot.sequence == sequence
        {
            slot.is_held = false;
            self.held -= 1;
        }
    }

    /// The bytes of a packet that was let go.
    pub(super) fn bytes(&self, sequence: i64) -> &[u8] {
        self.places.get(index(sequence)).map_or(&[], |slot| &slot.payload)
    }

    /// Lets go of all packets before this one, and tells the numbers of those that were to be heard.
    pub(super) fn release_before(&mut self, sequence: i64, mut told: impl FnMut(i64)) {
        for slot in self.places.iter_mut().filter(|slot| slot.is_held && slot.sequence < sequence) {
            slot.is_held = false;
            self.held -= 1;
            if slot.content != Content::Other {
                told(slot.sequence);
            }
        }
    }
}

fn index(sequence: i64) -> usize {
    sequence.rem_euclid(PLACES) as usize
}
