//! How good speech is to a listener, reckoned from what the network did to it: the E-model of ITU-T G.107 with the
//! constants of G.113, in the form that Cole and Rosenbluth gave it (2001) for parties whose echo is well under control.
//!
//! One scale for all codecs, that of the telephone band: 93.2 is a call over G.711 without any fault. The wide band is
//! better than that to ears, but comparing calls needs one scale.

use std::time::Duration;

use media_api::Codec;

/// The rating of a call with all parameters of G.107 at their defaults.
const FAULTLESS: f64 = 93.2;

/// What the rating loses for a millisecond of delay, and more beyond the delay that people begin to notice.
const PER_MILLI: f64 = 0.024;
const PER_MILLI_NOTICED: f64 = 0.11;
const NOTICED_FROM: f64 = 177.3;

/// What the network did to the speech of one direction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Faults {
    pub(crate) codec: Codec,
    /// The share of packets that were not heard, 0 to 1.
    pub(crate) loss: f64,
    /// How much longer losses in a row are than by chance; 1 is chance (G.107 §3.5).
    pub(crate) burst_ratio: f64,
    /// From mouth to ear.
    pub(crate) delay: Duration,
}

impl Faults {
    /// R, 0 to 100.
    pub(crate) fn rating(&self) -> f64 {
        (FAULTLESS - self.by_delay() - self.by_equipment()).clamp(0.0, 100.0)
    }

    fn by_delay(&self) -> f64 {
        let millis = self.delay.as_secs_f64() * 1000.0;
        PER_MILLI * millis + PER_MILLI_NOTICED * (millis - NOTICED_FROM).max(0.0)
    }

    /// The effective impairment by codec and loss (G.107 §3.5).
    fn by_equipment(&self) -> f64 {
        let (impairment, robustness) = constants(self.codec);
        let percent = 100.0 * self.loss.clamp(0.0, 1.0);
        impairment + (95.0 - impairment) * percent / (percent / self.burst_ratio.max(1.0) + robustness)
    }
}

/// `Ie` and `Bpl` of a codec on the scale of the telephone band (G.113 appendix I). That of G.711 holds with concealment,
/// which every phone of today and this exchange do. The others have no figures on this scale: they are given those of
/// G.711, whose loss they bear at least as well.
fn constants(codec: Codec) -> (f64, f64) {
    match codec {
        Codec::Pcma | Codec::Pcmu | Codec::G722 | Codec::Opus | Codec::L16 => (0.0, 25.1),
    }
}

/// The mean opinion score of a rating, 1 to 4.5, in hundredths (G.107 annex B).
pub(crate) fn opinion(rating: f64) -> u16 {
    let rating = rating.clamp(0.0, 100.0);
    let score = 1.0 + 0.035 * rating + rating * (rating - 60.0) * (100.0 - rating) * 7e-6;
    (score.clamp(1.0, 4.5) * 100.0).round() as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(loss: f64, burst_ratio: f64, millis: u64) -> Faults {
        Faults { codec: Codec::Pcma, loss, burst_ratio, delay: Duration::from_millis(millis) }
    }

    #[test]
    fn scores_are_those_of_annex_b() {
        for (rating, score) in [
            (0.0, 100),
            (50.0, 258),
            (60.0, 310),
            (70.0, 360),
            (80.0, 402),
            (90.0, 434),
            (93.2, 441),
            (100.0, 450),
        ] {
            assert_eq!(opinion(rating), score, "{rating}");
        }
        assert_eq!(opinion(f64::NAN.max(0.0)), 100);
    }

    #[test]
    fn delay_and_loss_cost_what_the_recommendations_say() {
        // Loss by chance of G.711 with concealment: 95 · 5 ÷ (5 + 25.1).
        for (loss, burst_ratio, millis, rating) in [
            (0.0, 1.0, 0, 93.2),
            (0.0, 1.0, 100, 90.8),
            (0.0, 1.0, 300, 72.5),
            (0.05, 1.0, 0, 77.4),
            (0.05, 2.0, 0, 76.0),
            (1.0, 1.0, 5000, 0.0),
        ] {
            let found = faults(loss, burst_ratio, millis).rating();
            assert!((found - rating).abs() < 0.1, "{loss} {burst_ratio} {millis}: {found}");
        }
    }
}
