//! What one source has sent, by whatever key: no number is sealed twice, for two texts by one key stream tell both
//! (RFC 3711 §9.1), and with GCM the key that proves who sent them, too (RFC 7714 §8.1).

use media_api::MasterKey;

use super::index::{FIRST_ROUND, Window, first, guess};
use super::{ENCRYPTED, Flaw};

/// So many keys are known again.
const KEYS_MAX: usize = 32;

/// What the peer takes the roll-over counter to be by a new key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// A new key alone resets no counter (RFC 3711 §3.3.1).
    GoesOn,
    /// Another session begins with it: at another address (RFC 4568 §7.1.4), after speech in the clear, or by a handshake.
    BeginsAnew,
}

/// The numbers that were used.
pub(super) struct Sent {
    source: Option<(u32, Window)>,
    reports: u32,
    /// Where by the key in force the roll-over counter is 0.
    zero: u64,
    /// The same of every key. Whichever comes back, its numbers go on rising: those of the source never fall.
    zeros: Vec<(MasterKey, u64)>,
}

impl Sent {
    pub(super) fn new(master: &MasterKey) -> Sent {
        let zeros = vec![(master.clone(), FIRST_ROUND)];
        Sent { source: None, reports: 0, zero: FIRST_ROUND, zeros }
    }

    /// This key is in force from now on.
    pub(super) fn rekey(&mut self, master: &MasterKey, count: Count) {
        if let Some((_, zero)) = self.zeros.iter().find(|(known, _)| known == master) {
            self.zero = *zero;
            return;
        }
        if self.zeros.len() == KEYS_MAX {
            // Perhaps it was in force before. By the highest numbers there are it repeats none even then.
            self.zero = FIRST_ROUND;
            return;
        }
        if count == Count::BeginsAnew {
            let next = self.source.map_or(FIRST_ROUND, |(_, window)| window.newest() + 1);
            self.zero = next & !0xffff;
        }
        self.zeros.push((master.clone(), self.zero));
    }

    /// Enters an RTP packet that is to go out, and gives the number by which it may be sealed.
    pub(super) fn enter(&mut self, ssrc: u32, sequence: u16) -> Result<u64, Flaw> {
        let (source, window) = self.source.get_or_insert_with(|| (ssrc, Window::new(first(sequence))));
        if *source != ssrc {
            return Err(Flaw::Malformed);
        }
        let number = guess(window.newest(), sequence);
        if window.has_seen(number) {
            return Err(Flaw::Replayed);
        }
        window.see(number);
        number.checked_sub(self.zero).ok_or(Flaw::Replayed)
    }

    /// Enters a report and gives its number. No new key resets it (RFC 3711 §3.4).
    pub(super) fn enter_report(&mut self) -> Result<u32, Flaw> {
        // After 2^31 reports, three centuries, there are no more numbers.
        let number = Some(self.reports).filter(|number| number & ENCRYPTED == 0).ok_or(Flaw::Malformed)?;
        self.reports += 1;
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use media_api::Suite;
    use proptest::prelude::*;

    use super::*;

    fn key(n: u8) -> MasterKey {
        MasterKey::from_bytes(Suite::AesGcm128, &[n; 28]).unwrap()
    }

    #[test]
    fn a_new_key_begins_anew_where_that_is_meant_and_one_that_comes_back_never() {
        let mut sent = Sent::new(&key(0));
        for n in 0..140_000u32 {
            assert_eq!(sent.enter(1, n as u16), Ok(u64::from(n)));
        }
        for ((n, count, expected), sequence) in [
            (1, Count::GoesOn, 2),
            (2, Count::BeginsAnew, 0),
            (1, Count::BeginsAnew, 2),
            (0, Count::BeginsAnew, 2),
            (3, Count::GoesOn, 2),
            (2, Count::GoesOn, 0),
        ]
        .into_iter()
        .zip(140_000u32..)
        {
            sent.rekey(&key(n), count);
            let number = sent.enter(1, sequence as u16);
            assert_eq!(number.map(|number| number >> 16), Ok(expected), "{n} {sequence}");
        }
    }

    #[test]
    fn anew_means_0_for_the_packet_that_is_next_also_at_a_wrap() {
        let mut sent = Sent::new(&key(0));
        assert_eq!(sent.enter(1, 65_535), Ok(65_535));
        sent.rekey(&key(1), Count::BeginsAnew);
        assert_eq!(sent.enter(1, 65_534), Err(Flaw::Replayed), "of a round that this key does not have");
        assert_eq!(sent.enter(1, 0), Ok(0));
    }

    #[test]
    fn reports_are_numbered_on_and_end_with_the_last_number() {
        let mut sent = Sent::new(&key(0));
        assert_eq!(sent.enter_report(), Ok(0));
        sent.rekey(&key(1), Count::BeginsAnew);
        assert_eq!(sent.enter_report(), Ok(1));
        sent.reports = ENCRYPTED - 1;
        assert_eq!(sent.enter_report(), Ok(ENCRYPTED - 1));
        assert_eq!(sent.enter_report(), Err(Flaw::Malformed));
    }

    proptest! {
        /// More keys come and go than are known again, and packets come late, twice and after gaps. What is new to a source
        /// is new to each key, too: its numbers rise, but for what is a little late.
        #[test]
        fn no_key_seals_a_number_twice(
            steps in prop::collection::vec((0u8..48, any::<bool>(), -200i32..20_000, 1u8..6), 1..400),
            first in any::<u16>(),
        ) {
            let mut sent = Sent::new(&key(0));
            let (mut used, mut highest, mut at) = (BTreeSet::new(), BTreeMap::new(), i32::from(first));
            for (n, is_anew, step, packets) in steps {
                sent.rekey(&key(n), if is_anew { Count::BeginsAnew } else { Count::GoesOn });
                at += step;
                for packet in 0..i32::from(packets) {
                    if let Ok(number) = sent.enter(1, (at + packet) as u16) {
                        prop_assert!(used.insert((n, number)), "{n} {number}");
                        let highest = highest.entry(n).or_insert(number);
                        prop_assert!(number + 128 > *highest, "{n} {number} {highest}");
                        *highest = number.max(*highest);
                    }
                }
            }
        }
    }
}
