//! What is told from one look: whether two tones of Q.23 are nearly all that is heard, and which ones.

use super::KEYS;

/// 12.75 ms at 8 kHz: short enough for four looks at a press of 40 ms, long enough to tell the tones apart.
pub(super) const BLOCK: usize = 102;
const HALF: f32 = BLOCK as f32 / 2.0;

/// Tones of each of the two groups.
const GROUP: usize = 4;
const TONES: usize = 2 * GROUP;
/// How far each tone turns from sample to sample, as cosine and sine of 2π·f ÷ 8000: 697, 770, 852 and 941 Hz, and 1209,
/// 1336, 1477 and 1633 Hz.
const TURNS: [(f64, f64); TONES] = [
    (0.853868904674451, 0.520488130152892),
    (0.822640518020860, 0.568561850734264),
    (0.784343491933410, 0.620326757976556),
    (0.739102284120088, 0.673593210779673),
    (0.582052011513666, 0.813151557763309),
    (0.498185105339491, 0.867070701164490),
    (0.399309194613318, 0.916816321351918),
    (0.284266353387601, 0.958745346967439),
];

/// The weakest tone: its swing, full scale being 32 768. 6 dB below the weakest that Q.24 lets a network deliver.
const SWING_MIN: f32 = 400.0;
/// The share of all power that the two tones must have.
const SHARE_MIN: f32 = 0.80;
/// How much stronger the high tone may be than the low one, in power, and the other way round: the 4 and 8 dB of Q.24, and
/// what the tones leak into each other.
const HIGH_OVER_LOW_MAX: f32 = 3.162;
const LOW_OVER_HIGH_MAX: f32 = 10.0;
/// How much stronger a tone must be than the others of its group (8 dB).
const OVER_OTHERS_MIN: f32 = 6.310;

/// The least power of all samples of a block in which two tones of `SWING_MIN` are: what they have themselves, 2 · ½ · swing²
/// a sample, less what they leak into each other's filters.
const POWER_MIN: f32 = 0.7 * BLOCK as f32 * SWING_MIN * SWING_MIN;
/// How much each sample is like the last but one: of a tone the cosine of two turns, 0.46 for the lowest one, −0.84 for the highest.
/// A key has at most 0.52 (the lowest ones, 10 to 1, and a fifth of something that does not move); the edges of the block add a little. Six in
/// seven blocks of speech have more.
const LIKENESS_MAX: f32 = 0.55;

/// A tone as the samples are laid beside it.
struct Wave {
    cos: [f32; BLOCK],
    sin: [f32; BLOCK],
}

static LOW: [Wave; GROUP] = waves([TURNS[0], TURNS[1], TURNS[2], TURNS[3]]);
static HIGH: [Wave; GROUP] = waves([TURNS[4], TURNS[5], TURNS[6], TURNS[7]]);

const fn waves(turns: [(f64, f64); GROUP]) -> [Wave; GROUP] {
    let mut waves = [const { Wave { cos: [0.0; BLOCK], sin: [0.0; BLOCK] } }; GROUP];
    let mut tone = 0;
    while tone < GROUP {
        let (turn_cos, turn_sin) = turns[tone];
        let (mut cos, mut sin) = (1.0, 0.0);
        let mut at = 0;
        while at < BLOCK {
            (waves[tone].cos[at], waves[tone].sin[at]) = (cos as f32, sin as f32);
            (cos, sin) = (cos * turn_cos - sin * turn_sin, sin * turn_cos + cos * turn_sin);
            at += 1;
        }
        tone += 1;
    }
    waves
}

/// The key that is heard in a block, if any.
pub(super) fn key_in(samples: &[f32; BLOCK]) -> Option<char> {
    let power = product(samples, samples);
    may_be_key(samples, power).then(|| by_its_tones(samples, power)).flatten()
}

fn by_its_tones(samples: &[f32; BLOCK], power: f32) -> Option<char> {
    let (row, low) = strongest(samples, &LOW)?;
    let (column, high) = strongest(samples, &HIGH)?;
    let is_all = low + high >= SHARE_MIN * power * HALF;
    let is_even = high <= HIGH_OVER_LOW_MAX * low && low <= LOW_OVER_HIGH_MAX * high;
    (is_all && is_even).then(|| KEYS.get(row)?.get(column).copied()).flatten()
}

/// A look that costs little: most of speech and all silence are no key by it.
fn may_be_key(samples: &[f32; BLOCK], power: f32) -> bool {
    power >= POWER_MIN && product(&samples[2..], samples) <= LIKENESS_MAX * power
}

/// The sum of the products of each two, in sums that do not wait for each other.
fn product(one: &[f32], other: &[f32]) -> f32 {
    let (one, one_rest) = one.as_chunks::<8>();
    let (other, other_rest) = other.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (one, other) in one.iter().zip(other) {
        for (sum, (one, other)) in sums.iter_mut().zip(one.iter().zip(other)) {
            *sum += one * other;
        }
    }
    let rest: f32 = one_rest.iter().zip(other_rest).map(|(one, other)| one * other).sum();
    sums.iter().sum::<f32>() + rest
}

/// The tone of a group that is loud and stands out, and its power: (swing · half a block)² of one that is there alone.
fn strongest(samples: &[f32; BLOCK], group: &[Wave; GROUP]) -> Option<(usize, f32)> {
    let powers = group
        .each_ref()
        .map(|wave| product(samples, &wave.cos).powi(2) + product(samples, &wave.sin).powi(2));
    let (best, power) = powers.into_iter().enumerate().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let stands_out =
        powers.iter().enumerate().all(|(tone, other)| tone == best || *other * OVER_OTHERS_MIN <= power);
    (stands_out && power >= (SWING_MIN * HALF).powi(2)).then_some((best, power))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Seed;
    use std::f64::consts::TAU;

    const HERTZ: [f64; TONES] = [697.0, 770.0, 852.0, 941.0, 1209.0, 1336.0, 1477.0, 1633.0];

    #[test]
    fn the_waves_are_those_of_q_23() {
        for (wave, hertz) in LOW.iter().chain(&HIGH).zip(HERTZ) {
            for at in 0..BLOCK {
                let (sin, cos) = (TAU * hertz / 8000.0 * at as f64).sin_cos();
                assert!((f64::from(wave.cos[at]) - cos).abs() < 1e-6, "{hertz} at {at}");
                assert!((f64::from(wave.sin[at]) - sin).abs() < 1e-6, "{hertz} at {at}");
            }
        }
    }

    /// Two tones of any key, as uneven, as far off and as faint as keys may be and a little more, from anywhere in them, perhaps
    /// not all of the block, and something else beside them.
    fn nearly_a_key(rng: &mut base::Rng) -> [f32; BLOCK] {
        let mut some = |from: f64, to: f64| from + (to - from) * rng.below(100_001) as f64 / 100_000.0;
        let swing = 10_f64.powf(some(2.5, 4.1));
        let uneven = 10_f64.powf(some(-0.55, 0.3));
        let off = some(0.975, 1.025);
        let (low, high) = (HERTZ[some(0.0, 3.99) as usize], HERTZ[GROUP + some(0.0, 3.99) as usize]);
        let (at_low, at_high, at_other) = (some(0.0, TAU), some(0.0, TAU), some(0.0, TAU));
        let (other, other_swing) = (some(0.0, 4000.0), swing * some(0.0, 1.2));
        let (from, to) = (some(-100.0, 30.0), some(70.0, 200.0));
        std::array::from_fn(|at| {
            let wave = |hertz: f64, from: f64| (TAU * hertz / 8000.0 * at as f64 + from).sin();
            let is_pressed = (from..to).contains(&(at as f64));
            let keys = swing * (wave(low * off, at_low) + uneven * wave(high * off, at_high));
            (if is_pressed { keys } else { 0.0 } + other_swing * wave(other, at_other)) as f32
        })
    }

    #[test]
    fn the_cheap_look_sends_no_key_away() {
        let mut rng = Seed::from_number(24).rng();
        let mut keys = 0;
        for _ in 0..200_000 {
            let samples = nearly_a_key(&mut rng);
            let power = product(&samples, &samples);
            if by_its_tones(&samples, power).is_some() {
                keys += 1;
                assert!(may_be_key(&samples, power), "{samples:?}");
            }
        }
        assert!(keys > 30_000, "{keys} were keys");
    }
}
