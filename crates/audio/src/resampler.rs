//! Other numbers of samples a second, by a polyphase filter: linear in phase, and short enough for talk.

/// How many samples, at the lower of the two rates, each output is made from. Half of them is the delay: 2 ms at 8 kHz.
const REACH: usize = 32;

/// The middle of the filter's slope, as a share of half of the lower rate: what is above it would fold down.
const CUT_OFF: f64 = 0.93;

/// Of the Kaiser window: 70 dB of what is to be kept out.
const BETA: f64 = 6.8;

/// Weights are in 14 bits after the point: the largest sum of their sizes, 2.5, stays within 32 bits.
const POINT: u32 = 14;

/// Turns one stream of mono samples into the same sound at another rate, piece by piece, as if it were one piece.
///
/// It is made for the rates of telephony, 8, 16 and 48 kHz in all pairs, and takes any other: 44 100 Hz and its parts as
/// files have them.
#[derive(Clone, Debug)]
pub struct Resampler {
    /// For each `down` samples come `up`.
    up: usize,
    down: usize,
    /// How many weights there are for one output, a multiple of [`LANES`].
    taps: usize,
    /// The weights for each of the `up` places between two samples, one after the other.
    weights: Vec<i16>,
    /// What the next outputs are still made from.
    input: Vec<i16>,
    /// Which of the places is next, counted from the first of `input`.
    place: usize,
}

impl Resampler {
    /// From so many samples a second to so many; a rate of 0 is taken as 1.
    pub fn new(from_hz: u32, to_hz: u32) -> Resampler {
        let (from, to) = (from_hz.max(1) as usize, to_hz.max(1) as usize);
        let shared = greatest_common_divisor(from, to);
        let (up, down) = (to / shared, from / shared);
        let taps = (REACH * down.max(up)).div_ceil(up).next_multiple_of(LANES);
        let weights = if up == down { Vec::new() } else { weights(up, down, taps) };
        Resampler { up, down, taps, weights, input: vec![0; taps - 1], place: 0 }
    }

    /// Appends what these samples become. From 8, 16 and 48 kHz to each other, a piece of whole milliseconds gives a piece of
    /// exactly the same length; otherwise none is early or late by a sample. Nothing is allocated once pieces of
    /// this size have been taken and `out` has room.
    pub fn process(&mut self, samples: &[i16], out: &mut Vec<i16>) {
        if self.up == self.down {
            return out.extend_from_slice(samples);
        }
        self.input.extend_from_slice(samples);
        let (mut start, mut phase) = (self.place / self.up, self.place % self.up);
        while let Some(values) = self.input.get(start..start + self.taps) {
            let weights = self.weights.get(phase * self.taps..).unwrap_or_default();
            out.push(product(values, weights));
            phase += self.down;
            while phase >= self.up {
                (start, phase) = (start + 1, phase - self.up);
            }
        }
        let used = start.min(self.input.len());
        self.input.copy_within(used.., 0);
        self.input.truncate(self.input.len() - used);
        self.place = (start - used) * self.up + phase;
    }

    /// How many samples later a sound comes out than it came in, at the rate of the output.
    pub fn delay(&self) -> usize {
        if self.up == self.down { 0 } else { self.taps * self.up / self.down / 2 }
    }
}

const LANES: usize = 16;

fn product(values: &[i16], weights: &[i16]) -> i16 {
    let mut sums = [0i32; LANES];
    for (values, weights) in values.as_chunks::<LANES>().0.iter().zip(weights.as_chunks::<LANES>().0) {
        for ((sum, value), weight) in sums.iter_mut().zip(values).zip(weights) {
            // Never more than 32 bits, as `POINT` says; without a check four of them are done at once.
            *sum = sum.wrapping_add(i32::from(*value).wrapping_mul(i32::from(*weight)));
        }
    }
    let sum = sums.iter().fold(1 << (POINT - 1), |all: i32, sum| all.wrapping_add(*sum));
    (sum >> POINT).clamp(-0x8000, 0x7fff) as i16
}

/// A sinc under a Kaiser window, cut at the lower of the two rates.
fn weights(up: usize, down: usize, taps: usize) -> Vec<i16> {
    let cut_off = CUT_OFF * (up as f64 / down as f64).min(1.0);
    let half = taps as f64 / 2.0;
    let mut weights = Vec::with_capacity(up * taps);
    for phase in 0..up {
        let middle = half - 1.0 + phase as f64 / up as f64;
        let exact: Vec<f64> = (0..taps)
            .map(|tap| {
                let from_middle = tap as f64 - middle;
                sinc(from_middle * cut_off) * kaiser(from_middle / half)
            })
            .collect();
        let sum: f64 = exact.iter().sum();
        let whole = f64::from(1 << POINT);
        weights.extend(exact.iter().map(|weight| (weight / sum * whole).round() as i16));
    }
    weights
}

fn sinc(x: f64) -> f64 {
    let x = x * std::f64::consts::PI;
    if x.abs() < 1e-9 { 1.0 } else { x.sin() / x }
}

/// From −1 to 1.
fn kaiser(x: f64) -> f64 {
    bessel(BETA * (1.0 - x * x).max(0.0).sqrt()) / bessel(BETA)
}

/// The modified Bessel function of the first kind and order 0.
fn bessel(x: f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for n in 1..32 {
        term *= (x / 2.0 / f64::from(n)).powi(2);
        sum += term;
    }
    sum
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}
