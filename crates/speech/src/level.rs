//! As loud as the prompts that were made ahead: people who speak have about −23 dB there.

/// What counts as speech, so that pauses do not make the rest loud.
const SPEECH: i16 = 200;
const WANTED_RMS: f64 = 2320.0;
const PEAK_MAX: f64 = 23_200.0;

pub(crate) fn to_prompts(samples: &mut [i16]) {
    let spoken = samples.iter().filter(|sample| sample.unsigned_abs() > SPEECH.unsigned_abs());
    let (sum, count) =
        spoken.fold((0.0, 0u32), |(sum, count), sample| (sum + f64::from(*sample).powi(2), count + 1));
    let peak = samples.iter().map(|sample| f64::from(sample.unsigned_abs())).fold(0.0, f64::max);
    if count == 0 {
        return;
    }
    let gain = (WANTED_RMS / (sum / f64::from(count)).sqrt()).min(PEAK_MAX / peak);
    for sample in samples {
        *sample = (f64::from(*sample) * gain).round() as i16;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loud_and_soft_speech_come_out_alike_and_silence_stays() {
        let sine = |amplitude: f64| -> Vec<i16> {
            (0..1600).map(|n| (amplitude * (f64::from(n) * 0.3).sin()) as i16).collect()
        };
        let (mut loud, mut soft) = (sine(30_000.0), sine(1_000.0));
        to_prompts(&mut loud);
        to_prompts(&mut soft);
        let peak = |samples: &[i16]| samples.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0);
        assert!(peak(&loud).abs_diff(peak(&soft)) < 400, "{} {}", peak(&loud), peak(&soft));
        let mut silence = vec![3i16; 100];
        to_prompts(&mut silence);
        assert_eq!(silence, vec![3i16; 100]);
    }
}
