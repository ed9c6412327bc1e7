//! The quadrature mirror filter (§3.1), by blocks: many outputs of one tap are computed at once.

/// Taps of either phase.
pub(super) const TAPS: usize = 12;

/// The filter of 24 taps: its even taps; the odd ones are the same from the other end.
const TAPS_EVEN: [i16; TAPS] = [3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11];
const TAPS_ODD: [i16; TAPS] = [-11, 53, -156, 362, -805, 3876, 951, -210, 32, 12, -11, 3];

/// So many pairs are taken at a time at most: 20 ms.
pub(super) const BLOCK: usize = 160;
/// So many outputs are computed at once.
const LANES: usize = 16;
/// What is still needed of the values before.
const HISTORY: usize = TAPS - 1;

/// The last values of either phase, the oldest first, and room for a block behind them.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    odd: [i16; HISTORY + BLOCK],
    even: [i16; HISTORY + BLOCK],
}

impl Default for Filter {
    fn default() -> Filter {
        Filter { odd: [0; HISTORY + BLOCK], even: [0; HISTORY + BLOCK] }
    }
}

impl Filter {
    /// The sums of products of the first values, and of the second ones, after each of these pairs. Of more than a block
    /// those behind it are left out.
    pub(super) fn take(&mut self, pairs: &[[i16; 2]]) -> impl Iterator<Item = (i32, i32)> + use<> {
        let count = self.enter(pairs);
        let odd = products(&self.odd, &TAPS_ODD);
        let even = products(&self.even, &TAPS_EVEN);
        self.keep(count);
        odd.into_iter().zip(even).take(count)
    }

    /// The same without the sums.
    pub(super) fn pass(&mut self, pairs: &[[i16; 2]]) {
        let count = self.enter(pairs);
        self.keep(count);
    }

    fn enter(&mut self, pairs: &[[i16; 2]]) -> usize {
        let places = self.odd.iter_mut().zip(&mut self.even).skip(HISTORY);
        for ((odd, even), pair) in places.zip(pairs) {
            [*odd, *even] = *pair;
        }
        pairs.len().min(BLOCK)
    }

    /// The last of `count` new values are history for the next ones.
    fn keep(&mut self, count: usize) {
        self.odd.copy_within(count..count + HISTORY, 0);
        self.even.copy_within(count..count + HISTORY, 0);
    }
}

/// The tap that stands first is for the newest value.
fn products(values: &[i16; HISTORY + BLOCK], taps: &[i16; TAPS]) -> [i32; BLOCK] {
    let mut sums = [0; BLOCK];
    for (block, sums) in sums.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        for (tap, back) in taps.iter().zip((0..TAPS).rev()) {
            let start = block * LANES + back;
            let Some(values) = values.get(start..).and_then(|values| values.first_chunk::<LANES>()) else {
                continue;
            };
            for (sum, value) in sums.iter_mut().zip(values) {
                // Never more than 28 bits; without a check several are done at once.
                *sum = i32::wrapping_add(*sum, i32::from(*value) * i32::from(*tap));
            }
        }
    }
    sums
}
