//! How good speech is to a listener, reckoned from what the network did to it: the E-model of ITU-T G.107 and, for what has
//! a wide band, G.107.1, with the constants of G.113, in the form that Cole and Rosenbluth gave it (2001) for parties whose
//! echo is well under control.
//!
//! Each codec is on the scale of its own band, as people are who hear nothing else: 4.41 is G.711 without any fault, 4.5 a wide
//! band without any. Scores of different bands are not to be compared: to ears a wide band with a fault may well be better than a
//! narrow one without.

use std::time::Duration;

use media_api::Codec;

/// Which of the two models, by the band of the speech.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scale {
    /// 300 to 3 400 Hz: G.107.
    Narrow,
    /// 50 to 7 000 Hz and more: G.107.1.
    Wide,
}

impl Scale {
    /// The rating of a call with all parameters of the model at their defaults.
    fn faultless(self) -> f64 {
        match self {
            Scale::Narrow => 93.2,
            Scale::Wide => 129.0,
        }
    }

    /// A rating as one of 0 to 100, by which both models tell the opinion (G.107.1 annex A).
    fn of_hundred(self, rating: f64) -> f64 {
        match self {
            Scale::Narrow => rating,
            Scale::Wide => rating / 1.29,
        }
    }
}

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
    /// R, 0 to 100; of a wide band divided by 1.29.
    pub(crate) fn rating(&self) -> f64 {
        let constants = constants(self.codec);
        let rating = constants.scale.faultless() - self.by_delay() - self.by_equipment(&constants);
        constants.scale.of_hundred(rating).clamp(0.0, 100.0)
    }

    fn by_delay(&self) -> f64 {
        let millis = self.delay.as_secs_f64() * 1000.0;
        PER_MILLI * millis + PER_MILLI_NOTICED * (millis - NOTICED_FROM).max(0.0)
    }

    /// The effective impairment by codec and loss (G.107 §3.5, G.107.1, 7-15).
    fn by_equipment(&self, &Constants { impairment, robustness, .. }: &Constants) -> f64 {
        let percent = 100.0 * self.loss.clamp(0.0, 1.0);
        impairment + (95.0 - impairment) * percent / (percent / self.burst_ratio.max(1.0) + robustness)
    }
}

/// What a codec is to a listener.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Constants {
    scale: Scale,
    /// What its rating loses without any other fault (`Ie`).
    impairment: f64,
    /// How well it bears loss (`Bpl`).
    robustness: f64,
}

fn constants(codec: Codec) -> Constants {
    let (scale, impairment, robustness) = match codec {
        // G.113 appendix I, with concealment, which every phone of today and this exchange do.
        Codec::Pcma | Codec::Pcmu => (Scale::Narrow, 0.0, 25.1),
        // G.113 appendix IV. It has no robustness for G.722: this is that of AMR-WB at 23 kbit/s, and PESQ finds no
        // better for the concealment here (`benches/sound.py --rate 16000`).
        Codec::G722 => (Scale::Wide, 13.0, 4.6),
        Codec::L16 => (Scale::Wide, 0.0, 4.6),
        // G.113 has no figures. Those that others derived for 25 kbit/s by P.834 on the scale of the full band are 20.2 and
        // 11.3; between the two scales lie 19 (G.113 appendix V).
        Codec::Opus => (Scale::Wide, 1.2, 11.3),
    };
    Constants { scale, impairment, robustness }
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
    fn a_wide_band_has_a_scale_of_its_own() {
        let rating = |codec, loss| Faults { codec, ..faults(loss, 1.0, 0) }.rating();
        // 129, 129 - 13 and 129 - 1.2, by 1.29; the opinions by annex A of G.107.1.
        for (codec, faultless, score) in
            [(Codec::L16, 100.0, 450), (Codec::G722, 89.92, 434), (Codec::Opus, 99.07, 449)]
        {
            let found = rating(codec, 0.0);
            assert!((found - faultless).abs() < 0.01, "{codec:?}: {found}");
            assert_eq!(opinion(found), score, "{codec:?}");
        }
        // 13 + 82 · 5 ÷ 9.6 and 1.2 + 93.8 · 5 ÷ 16.3 are lost to a twentieth.
        for (codec, rated, score) in [(Codec::G722, 56.82, 293), (Codec::Opus, 76.76, 390)] {
            let found = rating(codec, 0.05);
            assert!((found - rated).abs() < 0.01, "{codec:?}: {found}");
            assert_eq!(opinion(found), score, "{codec:?}");
        }
        // A delay takes as much of either rating.
        let late = Faults { codec: Codec::L16, ..faults(0.0, 1.0, 300) }.rating();
        assert!((late - (129.0 - 20.7) / 1.29).abs() < 0.1, "{late}");
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
