//! One half of the sound: what is foreseen of it, and how large a step is (§3.3 to §3.6, §4.2).
//!
//! All that lasts has 16 bits, as in the recommendation, so that no sum of two overflows 32.

/// The names in brackets are the recommendation's. Of six values eight are kept, two of them 0: so many are computed at
/// once.
#[derive(Clone, Debug)]
pub(super) struct Band {
    steps: &'static [i16; STEPS],
    log_max: i32,
    /// The logarithm of the step (NB), and the step (DET).
    log: i16,
    step: i16,
    /// What is foreseen (S), and its part from the zeros (SZ).
    foreseen: i16,
    foreseen_by_zeros: i16,
    /// The poles (A) and the zeros (B) of what foresees.
    poles: [i16; 2],
    zeros: [i16; 8],
    /// Twice the last differences (D), the last sums with the zeros' part (P), twice the last values (R). The newest stand
    /// first.
    differences: [i16; 8],
    partial: [i16; 2],
    values: [i16; 2],
}

impl Band {
    pub(super) fn low() -> Band {
        Band::new(&LOW_STEPS, 18_432)
    }

    pub(super) fn high() -> Band {
        Band::new(&HIGH_STEPS, 22_528)
    }

    fn new(steps: &'static [i16; STEPS], log_max: i32) -> Band {
        let [step, ..] = *steps;
        Band {
            steps,
            log_max,
            log: 0,
            step,
            foreseen: 0,
            foreseen_by_zeros: 0,
            poles: [0; 2],
            zeros: [0; 8],
            differences: [0; 8],
            partial: [0; 2],
            values: [0; 2],
        }
    }

    /// How far a value is from what was foreseen.
    fn difference(&self, value: i16) -> i16 {
        value.saturating_sub(self.foreseen)
    }

    fn step(&self) -> i32 {
        i32::from(self.step)
    }

    pub(super) fn encode_low(&mut self, value: i16) -> u8 {
        let difference = self.difference(value);
        let size = i32::from(difference ^ (difference >> 15));
        // (level × step) >> 12 ≤ size, for all levels at once.
        let reach = (((size + 1) << 12) - 1) as u32 / u32::from(self.step.unsigned_abs()).max(1);
        let code = LOW_CODES[usize::from(difference < 0)][reach.min(REACH_MAX) as usize];
        self.follow_low(code);
        code
    }

    pub(super) fn decode_low(&mut self, code: u8) -> i16 {
        let fine = (self.step() * i32::from(FINE[usize::from(code & 0x3f)])) >> 15;
        let value = saturate(i32::from(self.foreseen) + fine).clamp(-0x4000, 0x3fff);
        self.follow_low(code);
        value
    }

    /// Both sides go on by the four upper bits alone, so that networks could take the lower ones for data.
    fn follow_low(&mut self, code: u8) {
        let coarse = usize::from(code >> 2 & 0x0f);
        let difference = (self.step() * i32::from(COARSE[coarse])) >> 15;
        self.adapt_step(LOW_LOG_STEPS[coarse]);
        self.adapt(difference as i16);
    }

    pub(super) fn encode_high(&mut self, value: i16) -> u8 {
        let difference = self.difference(value);
        let size = i32::from(difference ^ (difference >> 15));
        let is_large = size >= (564 * self.step()) >> 12;
        let code = u8::from(difference >= 0) << 1 | u8::from(!is_large);
        self.decode_high(code);
        code
    }

    pub(super) fn decode_high(&mut self, code: u8) -> i16 {
        let code = usize::from(code & 3);
        let difference = (self.step() * i32::from(HIGH[code])) >> 15;
        let value = saturate(i32::from(self.foreseen) + difference).clamp(-0x4000, 0x3fff);
        self.adapt_step(HIGH_LOG_STEPS[code]);
        self.adapt(difference as i16);
        value
    }

    /// Blocks 3: the step grows after large differences and shrinks after small ones.
    fn adapt_step(&mut self, by: i16) {
        let log = ((i32::from(self.log) * 127) >> 7) + i32::from(by);
        self.log = log.clamp(0, self.log_max) as i16;
        self.step = self.steps.get((self.log >> 6) as usize).copied().unwrap_or(self.step);
    }

    /// Block 4: poles and zeros move a little towards what would have foreseen this difference, then foresee the next value.
    fn adapt(&mut self, difference: i16) {
        let partial = self.foreseen_by_zeros.saturating_add(difference);
        let value = self.foreseen.saturating_add(difference);
        self.adapt_zeros(difference);
        self.adapt_poles(partial);
        self.partial = [partial, self.partial[0]];
        self.values = [value.saturating_add(value), self.values[0]];

        self.foreseen_by_zeros = self.by_zeros();
        let [first, second] = [0, 1].map(|at| (i32::from(self.poles[at]) * i32::from(self.values[at])) >> 15);
        self.foreseen = saturate(first + second).saturating_add(self.foreseen_by_zeros);
    }

    fn adapt_zeros(&mut self, difference: i16) {
        let by = if difference == 0 { 0 } else { 128 };
        for (zero, before) in self.zeros.iter_mut().zip(self.differences) {
            // −1 where the signs differ.
            let other = (before ^ difference) >> 15;
            // × 255 ÷ 256, rounded down.
            let faded = zero.wrapping_sub(*zero >> 8).wrapping_sub(i16::from(*zero & 0xff != 0));
            *zero = faded.saturating_add((by ^ other).wrapping_sub(other));
        }
        let [newest, second, third, fourth, fifth, ..] = self.differences;
        self.differences =
            [difference.saturating_add(difference), newest, second, third, fourth, fifth, 0, 0];
    }

    /// The oldest first, limited to 16 bits at each step; hardly ever is there anything to limit.
    fn by_zeros(&self) -> i16 {
        let mut products = [0i32; 8];
        for ((product, difference), zero) in products.iter_mut().zip(self.differences).zip(self.zeros) {
            *product = (i32::from(difference) * i32::from(zero)) >> 15;
        }
        let sizes = products.iter().fold(0i32, |sum, product| sum.wrapping_add(product.wrapping_abs()));
        if sizes <= 0x7fff {
            return products.iter().fold(0i32, |sum, product| sum.wrapping_add(*product)) as i16;
        }
        products.iter().rev().fold(0, |sum, product| saturate(i32::from(sum) + product))
    }

    fn adapt_poles(&mut self, partial: i16) {
        let [is_as_last, is_as_before] = self.partial.map(|before| (before ^ partial) >= 0);
        let [first, second] = self.poles.map(i32::from);
        let by_first = i32::from(saturate(first << 2));
        let by_first = if is_as_last { (-by_first).min(0x7fff) } else { by_first };
        let by = if is_as_before { 128 } else { -128 };
        let second = ((by_first >> 7) + by + ((second * 32_512) >> 15)).clamp(-12_288, 12_288);
        let by = if is_as_last { 192 } else { -192 };
        let bound = 15_360 - second;
        let first = (((first * 32_640) >> 15) + by).max(-bound).min(bound);
        self.poles = [first as i16, second as i16];
    }
}

fn saturate(value: i32) -> i16 {
    value.clamp(-0x8000, 0x7fff) as i16
}

/// The decision levels of six bits (table 7), without that of 0, and the codes above each.
const LEVELS: [i32; 29] = [
    35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023, 1121, 1219,
    1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919,
];
const POSITIVE_CODES: [u8; 30] = [
    61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45, 44, 43, 42, 41, 40, 39, 38, 37, 36,
    35, 34, 33, 32,
];
const NEGATIVE_CODES: [u8; 30] = [
    63, 62, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7,
    6, 5, 4,
];

/// The code for what a difference reaches in 4096ths of a step: of those that are not negative, and of those that are.
const REACH_MAX: u32 = 2920;
static LOW_CODES: [[u8; REACH_MAX as usize + 1]; 2] = {
    let mut table = [[0; REACH_MAX as usize + 1]; 2];
    let (mut reach, mut above) = (0, 0);
    while reach <= REACH_MAX as usize {
        while above < LEVELS.len() && LEVELS[above] as usize <= reach {
            above += 1;
        }
        table[0][reach] = POSITIVE_CODES[above];
        table[1][reach] = NEGATIVE_CODES[above];
        reach += 1;
    }
    table
};

/// What six bits mean, for a step of 1 in 15 bits.
const FINE: [i16; 64] = {
    let sizes = [
        17, 54, 91, 130, 170, 211, 254, 300, 347, 396, 447, 501, 558, 618, 682, 750, 822, 899, 982, 1072,
        1170, 1279, 1399, 1535, 1689, 1873, 2088, 2376, 2738, 3101,
    ];
    // The four lowest codes were never sent by any encoder: a line's errors make them.
    let mut table = [-17 * 8; 64];
    let mut at = 0;
    while at < sizes.len() {
        table[POSITIVE_CODES[at] as usize] = sizes[at] * 8;
        table[NEGATIVE_CODES[at] as usize] = -sizes[at] * 8;
        at += 1;
    }
    table
};

/// What the upper four of the six bits mean, and how they change the step's logarithm.
const COARSE: [i16; 16] =
    [0, -20_456, -12_896, -8968, -6288, -4240, -2584, -1200, 20_456, 12_896, 8968, 6288, 4240, 2584, 1200, 0];
const LOW_LOG_STEPS: [i16; 16] =
    [-60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60];

/// What the two bits of the higher half mean, and how they change the step's logarithm.
const HIGH: [i16; 4] = [-7408, -1616, 7408, 1616];
const HIGH_LOG_STEPS: [i16; 4] = [798, -214, 798, -214];

/// 2048 × 2^(n/32).
const EXPONENTIAL: [i32; 32] = [
    2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834, 2896,
    2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
];

/// The step for each 64th of its logarithm.
const STEPS: usize = 353;
static LOW_STEPS: [i16; STEPS] = steps(8);
static HIGH_STEPS: [i16; STEPS] = steps(10);

const fn steps(shift: usize) -> [i16; STEPS] {
    let mut table = [0; STEPS];
    let mut at = 0;
    // Above, the lower half has none.
    while at < STEPS && at / 32 <= shift + 1 {
        let fraction = EXPONENTIAL[at % 32];
        let size = if at / 32 > shift { fraction << 1 } else { fraction >> (shift - at / 32) };
        table[at] = (size << 2) as i16;
        at += 1;
    }
    table
}
