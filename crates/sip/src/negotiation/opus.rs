//! The parameters of Opus in `a=fmtp` (RFC 7587 §6.1). Each side says how it wants to be sent to.

use media_api::Opus;

/// How we want to be sent to where it is we who listen: with what repairs a loss, in one channel, and what is silent not left
/// out, so that a party who says nothing can be told from one who is gone.
pub(super) fn ours() -> Opus {
    Opus { fec: true, ..Opus::default() }
}

const BIT_RATES: std::ops::RangeInclusive<u32> = 6000..=510_000;
const PLAYBACK_RATES: std::ops::RangeInclusive<u32> = 8000..=48_000;

/// What we say when we want to be sent to so; nothing if that is what holds where nothing is said.
pub(super) fn write(opus: &Opus) -> Option<String> {
    let plain = Opus::default();
    let flag = |name: &str, is_said: bool| is_said.then(|| format!("{name}=1"));
    let parameters = [
        flag("useinbandfec", opus.fec),
        flag("usedtx", opus.dtx),
        flag("stereo", opus.stereo),
        flag("cbr", opus.constant_bit_rate),
        opus.bit_rate_max.map(|most| format!("maxaveragebitrate={most}")),
        (opus.playback_rate_max != plain.playback_rate_max)
            .then(|| format!("maxplaybackrate={}", opus.playback_rate_max)),
    ];
    let said: Vec<String> = parameters.into_iter().flatten().collect();
    (!said.is_empty()).then(|| said.join(";"))
}

/// What the peer says; what it does not say or says wrongly is as if nothing were said.
pub(super) fn read(parameters: Option<&str>) -> Opus {
    let mut opus = Opus::default();
    for parameter in parameters.unwrap_or_default().split(';') {
        let Some((name, value)) = parameter.split_once('=') else { continue };
        let value = value.trim();
        let number = value.parse::<u32>().ok();
        match name.trim().to_ascii_lowercase().as_str() {
            "useinbandfec" => opus.fec = value == "1",
            "usedtx" => opus.dtx = value == "1",
            "stereo" => opus.stereo = value == "1",
            "cbr" => opus.constant_bit_rate = value == "1",
            "maxaveragebitrate" => opus.bit_rate_max = number.filter(|rate| BIT_RATES.contains(rate)),
            "maxplaybackrate" => {
                let rate = number.filter(|rate| PLAYBACK_RATES.contains(rate));
                opus.playback_rate_max = rate.unwrap_or(opus.playback_rate_max);
            }
            _ => {}
        }
    }
    opus
}
