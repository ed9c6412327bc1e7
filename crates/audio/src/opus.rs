//! Opus (RFC 6716) by libopus: mono at any of its rates, from mono and stereo packets.

use ::opus::{Application, Bandwidth, Bitrate, Channels, Signal};

use crate::codec::{EncoderSettings, PACKET_MILLIS_MAX, Undecodable};

const RATES: [u32; 5] = [8000, 12_000, 16_000, 24_000, 48_000];

/// The largest packet of one frame (RFC 6716 §3.4); one of ours is far smaller.
const PACKET_MAX: usize = 1275;

/// A packet that says only that nothing is said has no more bytes, and needs not be sent (libopus, `OPUS_SET_DTX`).
pub(crate) const PAUSE_MAX: usize = 2;

/// The shortest frame is 2.5 ms, and losses are concealed in multiples of it.
const STEPS_PER_SECOND: usize = 400;

/// Packets of one stream into samples.
#[derive(Debug)]
pub(crate) struct Decoder {
    /// `None` if libopus found no memory: then there is silence.
    inner: Option<::opus::Decoder>,
    sample_rate: u32,
}

impl Decoder {
    /// At 48 kHz if the rate is none of Opus.
    pub(crate) fn new(sample_rate: u32) -> Decoder {
        let sample_rate = known_rate(sample_rate);
        Decoder { inner: ::opus::Decoder::new(sample_rate, Channels::Mono).ok(), sample_rate }
    }

    pub(crate) fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    pub(crate) fn decode(&mut self, payload: &[u8], samples: &mut Vec<i16>) -> Result<usize, Undecodable> {
        let Some(inner) = &mut self.inner else { return Err(Undecodable::Malformed) };
        let most = self.sample_rate as usize / 1000 * PACKET_MILLIS_MAX;
        let start = samples.len();
        let count = match inner.get_nb_samples(payload) {
            Ok(count) if count <= most => count,
            Ok(_) => return Err(Undecodable::TooLong),
            Err(_) => return Err(Undecodable::Malformed),
        };
        samples.resize(start + count, 0);
        let decoded = inner.decode(payload, samples.get_mut(start..).unwrap_or_default(), false);
        samples.truncate(start + decoded.as_ref().map_or(0, |decoded| *decoded));
        decoded.map_err(|_| Undecodable::Malformed)
    }

    /// What the packet after a lost one tells of it; concealed where it tells nothing.
    pub(crate) fn recover(&mut self, next_payload: &[u8], span: usize, samples: &mut Vec<i16>) {
        if !self.stand_in(next_payload, span, samples) {
            self.conceal(span, samples);
        }
    }

    pub(crate) fn conceal(&mut self, span: usize, samples: &mut Vec<i16>) {
        if !self.stand_in(&[], span, samples) {
            samples.resize(samples.len() + span, 0);
        }
    }

    /// Whether libopus could do it. Without a packet it conceals.
    fn stand_in(&mut self, packet: &[u8], span: usize, samples: &mut Vec<i16>) -> bool {
        let Some(inner) = &mut self.inner else { return false };
        let step = self.sample_rate as usize / STEPS_PER_SECOND;
        let start = samples.len();
        samples.resize(start + span.next_multiple_of(step), 0);
        let place = samples.get_mut(start..).unwrap_or_default();
        let done = inner.decode(packet, place, !packet.is_empty()).is_ok();
        samples.truncate(start + if done { span } else { 0 });
        done
    }
}

/// Samples of one stream into packets.
#[derive(Debug)]
pub(crate) struct Encoder {
    /// `None` if libopus found no memory: then nothing is sent.
    inner: Option<::opus::Encoder>,
    sample_rate: u32,
}

impl Encoder {
    /// At 48 kHz if the rate is none of Opus.
    pub(crate) fn new(sample_rate: u32, settings: &EncoderSettings) -> Encoder {
        let sample_rate = known_rate(sample_rate);
        let mut inner = ::opus::Encoder::new(sample_rate, Channels::Mono, Application::Voip).ok();
        if let Some(inner) = &mut inner {
            // Every value is within its range; what libopus refuses all the same stays at its default.
            let _ = inner.set_complexity(i32::from(settings.complexity.min(10)));
            let _ = inner.set_signal(Signal::Voice);
            let _ = inner.set_max_bandwidth(bandwidth(settings.playback_rate));
            let _ = inner.set_inband_fec(settings.repeats);
            let _ = inner.set_dtx(settings.pauses);
            let _ = inner.set_vbr(!settings.constant);
        }
        let mut encoder = Encoder { inner, sample_rate };
        encoder.set_bit_rate(settings.bit_rate);
        encoder.expect_loss(settings.expected_loss);
        encoder
    }

    pub(crate) fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    pub(crate) fn encode(&mut self, samples: &[i16], bytes: &mut Vec<u8>) {
        let Some(inner) = &mut self.inner else { return };
        let start = bytes.len();
        bytes.resize(start + PACKET_MAX, 0);
        let length = inner.encode(samples, bytes.get_mut(start..).unwrap_or_default()).unwrap_or(0);
        bytes.truncate(start + if length > PAUSE_MAX { length } else { 0 });
    }

    pub(crate) fn expect_loss(&mut self, percent: u8) {
        if let Some(inner) = &mut self.inner {
            let _ = inner.set_packet_loss_perc(i32::from(percent.min(100)));
        }
    }

    pub(crate) fn set_bit_rate(&mut self, bit_rate: u32) {
        if let Some(inner) = &mut self.inner {
            let _ = inner.set_bitrate(Bitrate::Bits(bit_rate.clamp(6000, 510_000) as i32));
        }
    }
}

fn known_rate(sample_rate: u32) -> u32 {
    if RATES.contains(&sample_rate) { sample_rate } else { 48_000 }
}

/// The widest band of a sound that is played at this rate (RFC 7587 §6.1, `maxplaybackrate`).
fn bandwidth(playback_rate: u32) -> Bandwidth {
    match playback_rate {
        0..=11_999 => Bandwidth::Narrowband,
        12_000..=15_999 => Bandwidth::Mediumband,
        16_000..=23_999 => Bandwidth::Wideband,
        24_000..=47_999 => Bandwidth::Superwideband,
        48_000.. => Bandwidth::Fullband,
    }
}
