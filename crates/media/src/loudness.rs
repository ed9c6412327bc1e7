//! How loud samples of 16 bits are.

/// What is quieter is as good as silence.
const LEAST: u8 = 127;
/// The power of the loudest signal that samples of 16 bits can hold.
pub(crate) const OVERLOAD: f64 = 32768.0 * 32768.0;

/// The sum of the squares of the samples.
pub(crate) fn energy(samples: &[i16]) -> u64 {
    samples.iter().map(|sample| u64::from(sample.unsigned_abs()).pow(2)).sum()
}

/// How many decibels below overload so many samples are that have this energy.
pub(crate) fn level_of(energy: u64, samples: usize) -> u8 {
    if energy == 0 || samples == 0 {
        return LEAST;
    }
    let power = energy as f64 / samples as f64 / OVERLOAD;
    (-10.0 * power.log10()).round().clamp(0.0, f64::from(LEAST)) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_counted_from_the_loudest_that_samples_can_be() {
        let square = |amplitude: u64| level_of(amplitude * amplitude * 160, 160);
        assert_eq!([32768, 16384, 3277, 328, 1].map(square), [0, 6, 20, 40, 90]);
        assert_eq!((level_of(0, 160), level_of(0, 0), level_of(1, 160)), (127, 127, 112));
    }

    #[test]
    fn the_loudest_samples_have_the_most_energy_that_there_is() {
        assert_eq!(energy(&[i16::MIN; 160]) as f64, OVERLOAD * 160.0);
        assert_eq!((energy(&[3, -4]), energy(&[])), (25, 0));
    }
}
