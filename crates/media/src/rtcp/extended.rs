//! Extended reports (RFC 3611): the metrics of a call (§4.7), and the round trip for who sends nothing (§4.4, §4.5).

use std::time::Duration;

use super::{put, word, write_packet};
use crate::jitter;
use crate::quality::{GAP_MIN, Pattern, Waits};

pub(super) const EXTENDED_REPORT: u8 = 207;

const RECEIVER_TIME: u8 = 4;
const SINCE_RECEIVER_TIME: u8 = 5;
const VOICE_METRICS: u8 = 7;

/// In words, without the block's header.
const VOICE_METRICS_LENGTH: u16 = 8;

/// "Not available", for figures of one byte.
const UNKNOWN: u8 = 127;
/// Where speech is decoded here, a lost packet is made up for as usual, and the jitter buffer is adaptive; elsewhere neither is
/// known.
const DECODED_HERE: u8 = 0b1111_0000;
const DECODED_ELSEWHERE: u8 = 0;

/// What one of our extended reports says.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Extended {
    /// The NTP time, for a peer that can tell the round trip by it; of use where no sender's report is sent.
    pub(crate) receiver_time: Option<u64>,
    /// The peer's SSRC, the middle of its receiver's time, and how long ago that came in 1/65 536 s.
    pub(crate) since_receiver_time: Option<(u32, u32, u32)>,
    pub(crate) metrics: Option<VoiceMetrics>,
}

/// How a source is heard here.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct VoiceMetrics {
    pub(crate) ssrc: u32,
    /// Shares of all packets, 0 to 1.
    pub(crate) lost: f64,
    pub(crate) discarded: f64,
    pub(crate) pattern: Pattern,
    pub(crate) packet_time: Duration,
    pub(crate) round_trip: Option<Duration>,
    /// 0 to 100.
    pub(crate) rating: f64,
    /// In hundredths: of listening alone, and of conversation.
    pub(crate) opinions: (u16, u16),
    /// How long speech waits here; `None` where nobody decodes it.
    pub(crate) waits: Option<Waits>,
}

impl Extended {
    pub(crate) fn is_empty(&self) -> bool {
        self.receiver_time.is_none() && self.since_receiver_time.is_none() && self.metrics.is_none()
    }

    pub(super) fn write(&self, ssrc: u32, bytes: &mut Vec<u8>) {
        write_packet(bytes, 0, EXTENDED_REPORT, |bytes| {
            put(bytes, ssrc);
            if let Some(ntp) = self.receiver_time {
                write_block_header(bytes, RECEIVER_TIME, 2);
                bytes.extend_from_slice(&ntp.to_be_bytes());
            }
            if let Some((peer, time, since)) = self.since_receiver_time {
                write_block_header(bytes, SINCE_RECEIVER_TIME, 3);
                [peer, time, since].into_iter().for_each(|word| put(bytes, word));
            }
            if let Some(metrics) = &self.metrics {
                metrics.write(bytes);
            }
        });
    }
}

impl VoiceMetrics {
    fn write(&self, bytes: &mut Vec<u8>) {
        let Pattern { burst_density, gap_density, burst_packets, gap_packets } = self.pattern;
        write_block_header(bytes, VOICE_METRICS, VOICE_METRICS_LENGTH);
        put(bytes, self.ssrc);
        bytes.extend_from_slice(&[
            in_256ths(self.lost),
            in_256ths(self.discarded),
            burst_density,
            gap_density,
        ]);
        put_millis(bytes, times(self.packet_time, burst_packets));
        put_millis(bytes, times(self.packet_time, gap_packets));
        put_millis(bytes, self.round_trip.unwrap_or_default());
        let waits = self.waits.unwrap_or_default();
        put_millis(bytes, waits.now + self.packet_time);
        bytes.extend_from_slice(&[UNKNOWN, UNKNOWN, UNKNOWN, GAP_MIN as u8]);
        let tenths = |opinion: u16| (opinion / 10).min(50) as u8;
        let rating = self.rating.clamp(0.0, 100.0).round() as u8;
        bytes.extend_from_slice(&[rating, UNKNOWN, tenths(self.opinions.0), tenths(self.opinions.1)]);
        bytes.extend_from_slice(&[self.waits.map_or(DECODED_ELSEWHERE, |_| DECODED_HERE), 0]);
        put_millis(bytes, waits.now);
        put_millis(bytes, waits.longest);
        put_millis(bytes, self.waits.map_or(Duration::ZERO, |_| jitter::WAIT_MAX));
    }
}

/// What a received extended report says that matters here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReceivedExtended {
    /// The middle of the peer's NTP time.
    pub(crate) receiver_time: Option<u32>,
    /// The middle of the NTP time that we told, and how long ago it came there.
    pub(crate) since_receiver_time: Option<(u32, u32)>,
    /// What is lost and discarded of our stream, in 256ths of all packets.
    pub(crate) metrics: Option<(u8, u8)>,
}

/// `None` if the lengths do not add up. Blocks of other kinds are passed over.
pub(super) fn parse(body: &[u8], own_ssrc: u32) -> Option<ReceivedExtended> {
    let mut received = ReceivedExtended::default();
    let mut rest = body.get(4..)?;
    while !rest.is_empty() {
        let ([kind, _, l0, l1], after) = rest.split_first_chunk::<4>()?;
        let length = 4 * usize::from(u16::from_be_bytes([*l0, *l1]));
        let (block, next) = after.split_at_checked(length)?;
        match *kind {
            RECEIVER_TIME => received.receiver_time = Some(word(block, 0)? << 16 | word(block, 4)? >> 16),
            SINCE_RECEIVER_TIME => {
                for part in block.chunks_exact(12).filter(|part| word(part, 0) == Some(own_ssrc)) {
                    received.since_receiver_time = Some((word(part, 4)?, word(part, 8)?));
                }
            }
            VOICE_METRICS if word(block, 0)? == own_ssrc => {
                let [lost, discarded, ..] = *block.get(4..)?.first_chunk::<4>()?;
                received.metrics = Some((lost, discarded));
            }
            _ => {}
        }
        rest = next;
    }
    Some(received)
}

fn write_block_header(bytes: &mut Vec<u8>, kind: u8, words: u16) {
    let [l0, l1] = words.to_be_bytes();
    bytes.extend_from_slice(&[kind, 0, l0, l1]);
}

fn put_millis(bytes: &mut Vec<u8>, span: Duration) {
    let millis = u16::try_from(span.as_millis()).unwrap_or(u16::MAX);
    bytes.extend_from_slice(&millis.to_be_bytes());
}

fn times(span: Duration, count: u64) -> Duration {
    span.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX))
}

fn in_256ths(share: f64) -> u8 {
    (share * 256.0).clamp(0.0, 255.0) as u8
}
