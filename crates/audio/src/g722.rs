//! G.722 at 64 kbit/s: a band of 7 kHz in eight bits for two samples at 16 kHz. Bit-exact with the ITU-T reference
//! (G.191), block by block of the recommendation's chapters 3 to 5.
//!
//! Two filters divide the sound into a lower and a higher half. Each half is told by what it differs from what was
//! foreseen: six bits for the lower, two for the higher.

/// Speech at 16 kHz into bytes.
#[derive(Clone, Debug)]
pub struct Encoder {
    split: Filter,
    low: Band,
    high: Band,
}

/// Bytes into speech at 16 kHz. Any bytes are speech of a kind: nothing is refused.
#[derive(Clone, Debug)]
pub struct Decoder {
    join: Filter,
    low: Band,
    high: Band,
    /// What was heard last: [`Decoder::follow`] goes on from it.
    last: [i16; 2 * TAPS],
}

impl Encoder {
    /// One that begins as the decoder of the other side does.
    pub fn new() -> Encoder {
        Encoder { split: Filter::default(), low: Band::new(LOW_STEP), high: Band::new(HIGH_STEP) }
    }

    /// Appends one byte for each two samples. An odd one at the end is left out.
    pub fn encode(&mut self, samples: &[i16], bytes: &mut Vec<u8>) {
        for pair in samples.as_chunks::<2>().0 {
            let [low, high] = split(&mut self.split, *pair);
            bytes.push(encode_pair(&mut self.low, &mut self.high, low, high));
        }
    }
}

impl Default for Encoder {
    fn default() -> Encoder {
        Encoder::new()
    }
}

impl Decoder {
    /// One that begins as the encoder of the other side does.
    pub fn new() -> Decoder {
        Decoder {
            join: Filter::default(),
            low: Band::new(LOW_STEP),
            high: Band::new(HIGH_STEP),
            last: [0; 2 * TAPS],
        }
    }

    /// Appends two samples for each byte.
    pub fn decode(&mut self, bytes: &[u8], samples: &mut Vec<i16>) {
        for byte in bytes {
            let low = self.low.decode_low(byte & 0x3f);
            let high = self.high.decode_high(byte >> 6);
            samples.extend(self.join(low, high));
        }
        self.remember(samples);
    }

    /// Goes on as if these samples had been received: they stand in for a lost packet. The other side's encoder has gone
    /// on by something alike, so that the next packet is decoded from nearly the state that it was made for.
    pub fn follow(&mut self, samples: &[i16]) {
        let mut filter = Filter::default();
        for pair in self.last.as_chunks::<2>().0 {
            split(&mut filter, *pair);
        }
        for pair in samples.as_chunks::<2>().0 {
            let [low, high] = split(&mut filter, *pair);
            encode_pair(&mut self.low, &mut self.high, low, high);
            self.join(low, high);
        }
        self.remember(samples);
    }

    fn join(&mut self, low: i32, high: i32) -> [i16; 2] {
        // Their sum and difference stay within 16 bits, for both are limited to 15.
        let (sum, difference) = self.join.take((low + high) as i16, (low - high) as i16);
        [difference, sum].map(|sample| saturate(sample >> 11) as i16)
    }

    fn remember(&mut self, samples: &[i16]) {
        if let Some(last) = samples.last_chunk() {
            self.last = *last;
        }
    }
}

impl Default for Decoder {
    fn default() -> Decoder {
        Decoder::new()
    }
}

const TAPS: usize = 12;

/// The quadrature mirror filter of 24 taps (§3.1): its even taps; the odd ones are the same from the other end.
const TAPS_EVEN: [i16; TAPS] = [3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11];
const TAPS_ODD: [i16; TAPS] = [-11, 53, -156, 362, -805, 3876, 951, -210, 32, 12, -11, 3];

/// The last twelve values of either phase. Each stands twice, so that twelve in a row are always in their order.
#[derive(Clone, Debug, Default)]
struct Filter {
    even: [i16; 2 * TAPS],
    odd: [i16; 2 * TAPS],
    at: usize,
}

impl Filter {
    /// The sums of products of either phase after these two values.
    fn take(&mut self, odd: i16, even: i16) -> (i32, i32) {
        self.at = if self.at == 0 { TAPS - 1 } else { self.at - 1 };
        for at in [self.at, self.at + TAPS] {
            (self.even[at], self.odd[at]) = (even, odd);
        }
        (product(&self.odd, self.at, &TAPS_ODD), product(&self.even, self.at, &TAPS_EVEN))
    }
}

fn product(values: &[i16; 2 * TAPS], at: usize, taps: &[i16; TAPS]) -> i32 {
    let values = values.get(at..).and_then(|values| values.first_chunk::<TAPS>()).unwrap_or(&[0; TAPS]);
    values.iter().zip(taps).map(|(value, tap)| i32::from(*value) * i32::from(*tap)).sum()
}

/// The lower and the higher half of two samples, in 15 bits.
fn split(filter: &mut Filter, [first, second]: [i16; 2]) -> [i32; 2] {
    let (odd, even) = filter.take(first, second);
    [even + odd, even - odd].map(|half| limit(half >> 14, -0x4000, 0x3fff))
}

fn encode_pair(low_band: &mut Band, high_band: &mut Band, low: i32, high: i32) -> u8 {
    let low = low_band.encode_low(low);
    let high = high_band.encode_high(high);
    high << 6 | low
}

/// Where the steps of the two bands begin, and how far down their logarithm is written.
const LOW_STEP: Step = Step { size: 32, shift: 8, log_max: 18_432 };
const HIGH_STEP: Step = Step { size: 8, shift: 10, log_max: 22_528 };

#[derive(Clone, Copy, Debug)]
struct Step {
    size: i32,
    shift: i32,
    log_max: i32,
}

/// One half of the sound: what is foreseen of it, and how large a step is. The names in brackets are the recommendation's.
#[derive(Clone, Debug)]
struct Band {
    step: Step,
    /// The logarithm of the step (NB).
    log: i32,
    /// What is foreseen (S), and its part from the zeros (SZ).
    foreseen: i32,
    foreseen_by_zeros: i32,
    /// The poles (A) and the zeros (B) of what foresees.
    poles: [i32; 2],
    zeros: [i32; 6],
    /// The last differences (D), the last sums with the zeros' part (P), the last values (R). The newest stand first.
    differences: [i32; 6],
    partial: [i32; 2],
    values: [i32; 2],
}

impl Band {
    fn new(step: Step) -> Band {
        Band {
            step,
            log: 0,
            foreseen: 0,
            foreseen_by_zeros: 0,
            poles: [0; 2],
            zeros: [0; 6],
            differences: [0; 6],
            partial: [0; 2],
            values: [0; 2],
        }
    }

    fn encode_low(&mut self, value: i32) -> u8 {
        let difference = saturate(value - self.foreseen);
        let size = if difference < 0 { !difference } else { difference };
        // (level × step) >> 12 ≤ size, without the shift for each level.
        let reach = (size + 1) << 12;
        let above = LEVELS.partition_point(|level| level * self.step.size < reach);
        let code = if difference < 0 { NEGATIVE_CODES[above] } else { POSITIVE_CODES[above] };
        self.follow_low(code);
        code
    }

    fn decode_low(&mut self, code: u8) -> i32 {
        let fine = (self.step.size * FINE[usize::from(code & 0x3f)]) >> 15;
        let value = limit(saturate(self.foreseen + fine), -0x4000, 0x3fff);
        self.follow_low(code);
        value
    }

    /// Both sides go on by the four upper bits alone, so that networks could take the lower ones for data.
    fn follow_low(&mut self, code: u8) {
        let coarse = usize::from(code >> 2 & 0x0f);
        let difference = (self.step.size * COARSE[coarse]) >> 15;
        self.adapt_step(LOW_LOG_STEPS[coarse]);
        self.adapt(difference);
    }

    fn encode_high(&mut self, value: i32) -> u8 {
        let difference = saturate(value - self.foreseen);
        let size = if difference < 0 { !difference } else { difference };
        let is_large = size >= (564 * self.step.size) >> 12;
        let code = match (difference < 0, is_large) {
            (true, false) => 1,
            (true, true) => 0,
            (false, false) => 3,
            (false, true) => 2,
        };
        self.decode_high(code);
        code
    }

    fn decode_high(&mut self, code: u8) -> i32 {
        let code = usize::from(code & 3);
        let difference = (self.step.size * HIGH[code]) >> 15;
        let value = limit(saturate(self.foreseen + difference), -0x4000, 0x3fff);
        self.adapt_step(HIGH_LOG_STEPS[code]);
        self.adapt(difference);
        value
    }

    /// Blocks 3: the step grows after large differences and shrinks after small ones.
    fn adapt_step(&mut self, by: i32) {
        self.log = limit(((self.log * 127) >> 7) + by, 0, self.step.log_max);
        let fraction = EXPONENTIAL[(self.log >> 6 & 31) as usize];
        let shift = self.step.shift - (self.log >> 11);
        let size = if shift < 0 { fraction << -shift } else { fraction >> shift };
        self.step.size = size << 2;
    }

    /// Block 4: poles and zeros move a little towards what would have foreseen this difference, then foresee the next value.
    fn adapt(&mut self, difference: i32) {
        let partial = saturate(self.foreseen_by_zeros + difference);
        let value = saturate(self.foreseen + difference);
        self.adapt_zeros(difference);
        self.adapt_poles(partial);
        self.partial = [partial, self.partial[0]];
        self.values = [value, self.values[0]];

        let by_zeros = self.differences.iter().zip(&self.zeros).rev();
        self.foreseen_by_zeros = by_zeros
            .fold(0, |sum, (difference, zero)| saturate(sum + ((saturate(2 * difference) * zero) >> 15)));
        let [first, second] = [0, 1].map(|at: usize| (self.poles[at] * saturate(2 * self.values[at])) >> 15);
        self.foreseen = saturate(saturate(first + second) + self.foreseen_by_zeros);
    }

    fn adapt_zeros(&mut self, difference: i32) {
        let by = if difference == 0 { 0 } else { 128 };
        for (zero, before) in self.zeros.iter_mut().zip(&self.differences) {
            let by = if (before ^ difference) < 0 { -by } else { by };
            *zero = saturate(((*zero * 32_640) >> 15) + by);
        }
        let [newest, second, third, fourth, fifth, _] = self.differences;
        self.differences = [difference, newest, second, third, fourth, fifth];
    }

    fn adapt_poles(&mut self, partial: i32) {
        let [is_as_last, is_as_before] = self.partial.map(|before| (before ^ partial) >= 0);
        let by_first = saturate(self.poles[0] << 2);
        let by_first = if is_as_last { saturate(-by_first) } else { by_first };
        let by = if is_as_before { 128 } else { -128 };
        let second = (by_first >> 7) + by + ((self.poles[1] * 32_512) >> 15);
        let second = limit(second, -12_288, 12_288);
        let by = if is_as_last { 192 } else { -192 };
        let bound = 15_360 - second;
        let first = limit(((self.poles[0] * 32_640) >> 15) + by, -bound, bound);
        self.poles = [first, second];
    }
}

fn saturate(value: i32) -> i32 {
    limit(value, -0x8000, 0x7fff)
}

fn limit(value: i32, least: i32, most: i32) -> i32 {
    value.max(least).min(most)
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

/// What six bits mean, for a step of 1 in 15 bits.
const FINE: [i32; 64] = {
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
const COARSE: [i32; 16] =
    [0, -20_456, -12_896, -8968, -6288, -4240, -2584, -1200, 20_456, 12_896, 8968, 6288, 4240, 2584, 1200, 0];
const LOW_LOG_STEPS: [i32; 16] =
    [-60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60];

/// What the two bits of the higher half mean, and how they change the step's logarithm.
const HIGH: [i32; 4] = [-7408, -1616, 7408, 1616];
const HIGH_LOG_STEPS: [i32; 4] = [798, -214, 798, -214];

/// 2048 × 2^(n/32).
const EXPONENTIAL: [i32; 32] = [
    2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834, 2896,
    2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
];
