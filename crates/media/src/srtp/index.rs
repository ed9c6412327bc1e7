//! The number of a packet beyond its 16 bits, and which numbers were seen (RFC 3711 §3.3.1, §3.3.2).

/// How many numbers back are told apart: twice what the RFC asks for at least.
const WINDOW: u64 = 128;

/// The number of the first packet of a source: of the second round, so that those from before it have one, too.
pub(crate) fn first(sequence: u16) -> u64 {
    FIRST_ROUND + u64::from(sequence)
}

/// Where the numbers of [`first`] begin.
pub(crate) const FIRST_ROUND: u64 = 1 << 16;

/// The number that a packet of this sequence has most likely, after the newest: the one that is nearest to it. Never less
/// than nothing.
pub(crate) fn guess(newest: u64, sequence: u16) -> u64 {
    let step = i64::from(sequence.wrapping_sub(newest as u16) as i16);
    newest.checked_add_signed(step).unwrap_or(u64::from(sequence))
}

/// The newest number, and which of those before it were seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    newest: u64,
    /// The lowest bit is the newest.
    seen: u128,
}

impl Window {
    /// Nothing was seen yet; `first` is about to be.
    pub(crate) fn new(first: u64) -> Window {
        Window { newest: first, seen: 0 }
    }

    pub(crate) fn newest(&self) -> u64 {
        self.newest
    }

    /// Whether a number was seen, or is too old to tell.
    pub(crate) fn has_seen(&self, index: u64) -> bool {
        let Some(behind) = self.newest.checked_sub(index) else { return false };
        behind >= WINDOW || self.seen >> behind & 1 == 1
    }

    pub(crate) fn see(&mut self, index: u64) {
        match self.newest.checked_sub(index) {
            Some(behind) if behind < WINDOW => self.seen |= 1 << behind,
            Some(_) => {}
            None => {
                let ahead = index - self.newest;
                let kept = if ahead < WINDOW { self.seen << ahead } else { 0 };
                (self.newest, self.seen) = (index, kept | 1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_nearest_number_is_guessed() {
        for (newest, sequence, index) in [
            (5u64, 6u16, 6u64),
            (5, 4, 4),
            (0xffff, 0, 0x1_0000),
            (0x1_0000, 0xffff, 0xffff),
            (0x1_7000, 0x8001, 0x1_8001),
            (3, 0xfffe, 0xfffe),
            (0x5_0003, 0xfffe, 0x4_fffe),
        ] {
            assert_eq!(guess(newest, sequence), index, "{newest:x} {sequence:x}");
        }
    }

    proptest! {
        /// Against a set that forgets nothing.
        #[test]
        fn no_number_passes_twice_and_none_near_is_kept_out(numbers in prop::collection::vec(0u64..400, 1..300)) {
            let mut window = Window::new(numbers[0]);
            let mut seen = std::collections::BTreeSet::new();
            for number in numbers {
                let newest = seen.last().copied().unwrap_or(number);
                let expected = seen.contains(&number) || newest.saturating_sub(number) >= WINDOW;
                prop_assert_eq!(window.has_seen(number), expected);
                if !expected {
                    window.see(number);
                    seen.insert(number);
                }
            }
        }
    }
}
