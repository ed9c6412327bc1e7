//! What packets of one stream say, and what is heard in the place of those that are lost.

use std::fmt;

use media_api::Codec;

use super::PACKET_MILLIS_MAX;
use crate::Concealment;
use crate::g711::Law;
use crate::g722;
use crate::opus;

/// Why a packet is no speech. Nothing was appended; the place that it had is to be concealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undecodable {
    /// It has no bytes.
    Empty,
    /// It has more than 120 ms.
    TooLong,
    /// It is not of this codec.
    Malformed,
}

impl fmt::Display for Undecodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Undecodable::Empty => "a packet without speech",
            Undecodable::TooLong => "a packet of more than 120 ms",
            Undecodable::Malformed => "a packet that is not of its codec",
        })
    }
}

impl std::error::Error for Undecodable {}

/// Decodes the packets of one stream in their order. Each method appends mono samples at [`Decoder::sample_rate`] to
/// `samples`, takes any bytes, appends at most 120 ms, and allocates nothing but what `samples` lacks.
///
/// What comes after a loss joins what stood in for it without a click: its first milliseconds are faded over. That is
/// why everything that is heard passes through the same decoder, in the order in which it is heard.
#[derive(Debug)]
pub struct Decoder {
    sample_rate: u32,
    kind: Kind,
    /// What the packet after a lost one says.
    ahead: Vec<i16>,
}

#[derive(Debug)]
enum Kind {
    G711(Law, Concealment),
    G722(Box<g722::Decoder>, Concealment),
    L16(Concealment),
    Opus(opus::Decoder),
}

impl Decoder {
    /// A decoder of this codec that gives samples at the codec's own rate.
    pub fn new(codec: Codec) -> Decoder {
        Decoder::at(codec, codec.sample_rate())
    }

    /// A decoder that gives samples at this rate, if the codec can be decoded to it at no cost: Opus at 8, 12, 16, 24 or
    /// 48 kHz, and the lower, the cheaper. Otherwise it is as [`Decoder::new`] makes it; [`Decoder::sample_rate`] tells.
    pub fn at(codec: Codec, sample_rate: u32) -> Decoder {
        let own_rate = codec.sample_rate();
        let kind = match codec {
            Codec::Pcma => Kind::G711(Law::A, Concealment::new(own_rate)),
            Codec::Pcmu => Kind::G711(Law::Mu, Concealment::new(own_rate)),
            Codec::G722 => Kind::G722(Box::default(), Concealment::new(own_rate)),
            Codec::L16 => Kind::L16(Concealment::new(own_rate)),
            Codec::Opus => Kind::Opus(opus::Decoder::new(sample_rate)),
        };
        let sample_rate = if let Kind::Opus(decoder) = &kind { decoder.sample_rate() } else { own_rate };
        Decoder { sample_rate, kind, ahead: Vec::new() }
    }

    /// Samples a second of what is appended.
    pub fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    /// Whether a packet says that its sender falls silent or remains so, as Opus does (DTX). What is concealed after it was
    /// decoded sounds like that silence.
    pub fn is_pause(codec: Codec, payload: &[u8]) -> bool {
        codec == Codec::Opus && payload.len() <= opus::PAUSE_MAX
    }

    /// Whether the packet after a lost one helps: [`Decoder::recover`] is better than [`Decoder::conceal`].
    pub fn recovers(&self) -> bool {
        !matches!(self.kind, Kind::G722(..))
    }

    /// Appends what the next packet says, and gives how many samples that are. Stereo becomes mono.
    ///
    /// # Errors
    /// The packet says nothing that could be heard; nothing is appended.
    pub fn decode(&mut self, payload: &[u8], samples: &mut Vec<i16>) -> Result<usize, Undecodable> {
        if payload.is_empty() {
            return Err(Undecodable::Empty);
        }
        let start = samples.len();
        let most = self.most();
        match &mut self.kind {
            Kind::Opus(decoder) => return decoder.decode(payload, samples),
            Kind::G711(law, _) if payload.len() <= most => decode_g711(*law, payload, samples),
            Kind::G722(decoder, _) if payload.len() * 2 <= most => decoder.decode(payload, samples),
            Kind::L16(_) if payload.len() <= most * 2 => decode_l16(payload, samples),
            Kind::G711(..) | Kind::G722(..) | Kind::L16(..) => return Err(Undecodable::TooLong),
        }
        let heard = samples.get_mut(start..).unwrap_or_default();
        if let Kind::G711(_, concealment) | Kind::G722(_, concealment) | Kind::L16(concealment) =
            &mut self.kind
        {
            concealment.hear(heard);
        }
        Ok(heard.len())
    }

    /// Appends `span` samples for the packet before `next_payload`, which was lost: Opus may carry a coarser copy of
    /// it in the packet that follows (RFC 6716 §2.1.7); for G.711 and L16 what was before the loss is joined to what comes
    /// after it. Where the packet tells nothing, it is concealed. `next_payload` itself is still to be decoded after
    /// this.
    pub fn recover(&mut self, next_payload: &[u8], span: usize, samples: &mut Vec<i16>) {
        let (span, most) = (span.min(self.most()), self.most());
        self.ahead.clear();
        let ahead = &mut self.ahead;
        match &mut self.kind {
            Kind::Opus(decoder) => decoder.recover(next_payload, span, samples),
            Kind::G711(law, concealment) => {
                decode_g711(*law, next_payload.get(..most).unwrap_or(next_payload), ahead);
                concealment.bridge(span, ahead, samples);
            }
            Kind::L16(concealment) => {
                decode_l16(next_payload.get(..most * 2).unwrap_or(next_payload), ahead);
                concealment.bridge(span, ahead, samples);
            }
            // What its decoder makes of a packet after a loss is too far from what was said for the gap to lead to it
            // (measured: worse by PESQ).
            Kind::G722(..) => self.conceal(span, samples),
        }
    }

    /// Appends `span` samples in the place of speech that did not come: what was heard last goes on, more and more
    /// quietly, and is silence after 40 ms (Opus: after its own way of fading).
    pub fn conceal(&mut self, span: usize, samples: &mut Vec<i16>) {
        let span = span.min(self.most());
        let start = samples.len();
        match &mut self.kind {
            Kind::Opus(decoder) => decoder.conceal(span, samples),
            Kind::G711(_, concealment) | Kind::L16(concealment) => concealment.conceal(span, samples),
            Kind::G722(decoder, concealment) => {
                concealment.conceal(span, samples);
                decoder.follow(samples.get(start..).unwrap_or_default());
            }
        }
    }

    fn most(&self) -> usize {
        self.sample_rate as usize / 1000 * PACKET_MILLIS_MAX
    }
}

fn decode_g711(law: Law, payload: &[u8], samples: &mut Vec<i16>) {
    samples.extend(payload.iter().map(|byte| law.decode_sample(*byte)));
}

/// RFC 3551 §4.5.11: the high byte first.
fn decode_l16(payload: &[u8], samples: &mut Vec<i16>) {
    samples.extend(payload.as_chunks::<2>().0.iter().map(|bytes| i16::from_be_bytes(*bytes)));
}
