//! What media measured, as facts.

use facts::{FactKind, HeardSpeech, millis};
use media_api::{Decoded, Quality, Stats, Voice};
use std::time::Duration;

/// What went over a leg, at its end.
pub(crate) fn of_the_whole(leg: u32, stats: &Stats) -> FactKind {
    FactKind::LegQuality {
        leg,
        received: stats.received,
        sent: stats.sent,
        lost: stats.lost,
        rejected: stats.rejected,
        jitter_us: micros(stats.jitter),
        round_trip_us: stats.round_trip.map(micros),
        mos: stats.here.map(score),
        remote_mos: stats.there.map(score),
        remote_lost: stats.remote_lost,
        heard: heard(stats.heard, stats.here),
    }
}

/// How ten seconds of a leg were heard.
pub(crate) fn of_a_span(leg: u32, quality: &Quality) -> FactKind {
    FactKind::LegQualitySampled {
        leg,
        spans: quality.spans,
        mos: quality.here.map(score),
        remote_mos: quality.there.map(score),
        lost_permille: quality.here.map_or(0, missed),
        remote_lost_permille: quality.there.map(missed),
        jitter_us: quality.here.map_or(0, |here| micros(here.jitter)),
        round_trip_us: quality.round_trip.map(micros),
        heard: heard(quality.heard, quality.here),
    }
}

fn heard(decoded: Option<Decoded>, here: Option<Voice>) -> Option<HeardSpeech> {
    let decoded = decoded?;
    Some(HeardSpeech {
        discarded: here.map_or(0, |here| u64::from(here.discarded)),
        concealed_ms: millis(decoded.concealed),
        stretched_ms: millis(decoded.stretched),
        longest_wait_ms: millis(decoded.longest_wait),
    })
}

/// 1 to 4.5, with two places.
fn score(voice: Voice) -> f64 {
    f64::from(voice.mos) / 100.0
}

/// Of a thousand packets.
fn missed(voice: Voice) -> u32 {
    let missed = u64::from(voice.lost) + u64::from(voice.discarded);
    let share = (missed * 1000).checked_div(u64::from(voice.packets)).unwrap_or(0);
    u32::try_from(share).unwrap_or(u32::MAX)
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_told_with_what_was_missed_of_a_thousand_packets() {
        let here =
            Voice { packets: 500, lost: 4, discarded: 1, jitter: Duration::from_micros(900), mos: 438 };
        let decoded = Decoded {
            concealed: Duration::from_millis(100),
            stretched: Duration::from_micros(7500),
            longest_wait: Duration::from_millis(60),
        };
        let quality =
            Quality { spans: 3, here: Some(here), there: None, round_trip: None, heard: Some(decoded) };
        let FactKind::LegQualitySampled {
            leg,
            spans,
            mos,
            remote_mos,
            lost_permille,
            jitter_us,
            heard: Some(heard),
            ..
        } = of_a_span(2, &quality)
        else {
            panic!("another fact");
        };
        assert_eq!(
            (leg, spans, mos, remote_mos, lost_permille, jitter_us),
            (2, 3, Some(4.38), None, 10, 900)
        );
        let expected = HeardSpeech { discarded: 1, concealed_ms: 100, stretched_ms: 7, longest_wait_ms: 60 };
        assert_eq!(heard, expected);
        assert_eq!(missed(Voice { packets: 0, ..here }), 0);
    }
}
