//! Each key that was pressed is told once, in the order of presses, and none that was not.

use std::collections::{BTreeMap, VecDeque};

#[derive(Default)]
pub(crate) struct Presses {
    pressed: BTreeMap<u32, VecDeque<Press>>,
    next: u32,
    pub(crate) told: u64,
    pub(crate) complaints: Vec<String>,
}

struct Press {
    id: u32,
    digit: char,
    has_arrived: bool,
}

impl Presses {
    /// Somebody presses a key towards this port. Gives the name of the press.
    pub(crate) fn pressed(&mut self, number: u32, digit: char) -> u32 {
        self.next += 1;
        let press = Press { id: self.next, digit, has_arrived: false };
        self.pressed.entry(number).or_default().push_back(press);
        self.next
    }

    /// A packet of a press comes to the exchange. Gives whether it is the first.
    pub(crate) fn arrives(&mut self, number: u32, id: u32) -> bool {
        let presses = self.pressed.get_mut(&number);
        let press = presses.and_then(|presses| presses.iter_mut().find(|press| press.id == id));
        press.is_some_and(|press| !std::mem::replace(&mut press.has_arrived, true))
    }

    /// Whether a press of which the first packet has just arrived has still to be told.
    pub(crate) fn is_untold(&self, number: u32, id: u32) -> bool {
        self.pressed.get(&number).is_some_and(|presses| presses.iter().any(|press| press.id == id))
    }

    /// The exchange tells of a key. Those before it are not told any more.
    pub(crate) fn told(&mut self, number: u32, digit: char) {
        let presses = self.pressed.entry(number).or_default();
        match presses.iter().position(|press| press.has_arrived && press.digit == digit) {
            Some(at) => {
                presses.drain(..=at);
                self.told += 1;
            }
            None => self.complaints.push(format!("port {number} told of a key {digit} that nobody pressed")),
        }
    }

    pub(crate) fn forget(&mut self, number: u32) {
        self.pressed.remove(&number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_told_once_after_it_has_arrived_and_in_order() {
        let mut presses = Presses::default();
        let (one, two) = (presses.pressed(7, '1'), presses.pressed(7, '2'));
        assert!(presses.arrives(7, one) && !presses.arrives(7, one));
        presses.told(7, '1');
        assert!(!presses.is_untold(7, one) && presses.is_untold(7, two));
        presses.told(7, '2');
        presses.told(7, '1');
        assert_eq!((presses.told, presses.complaints.len()), (1, 2), "one is too early, one comes twice");
    }
}
