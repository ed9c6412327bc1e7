//! Speech as the packets of one stream.

use media_api::Codec;

use crate::g711::Law;
use crate::g722;
use crate::opus;

/// How speech is encoded where the codec leaves a choice, which only Opus does. Two listeners with equal codec, rate
/// and settings can be served by one encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EncoderSettings {
    /// Bits a second: what we mean to spend, or less if the peer's `maxaveragebitrate` is less (RFC 7587 §6.1). From 6 000 to
    /// 510 000.
    pub bit_rate: u32,
    /// No sound above half of this many hertz is sent: the peer's `maxplaybackrate` (RFC 7587 §6.1), or less if it is known
    /// that the sound has no more, as that of a G.711 party at 8 000. The lower, the cheaper.
    pub playback_rate: u32,
    /// Each packet carries a coarser copy of the one before it (`useinbandfec`), as much as `expected_loss` is worth.
    pub repeats: bool,
    /// How many packets in a hundred the peer reports as lost. Up to 5 libopus makes copies only where the bit rate has room
    /// for them; from 6 on it gives up the highest band for them.
    pub expected_loss: u8,
    /// Nothing is sent in silence but what keeps the background alive (`usedtx`).
    pub pauses: bool,
    /// All packets have one size (`cbr`): nobody can guess from sizes what is said.
    pub constant: bool,
    /// How much is computed for the sound, from 0 to 10.
    pub complexity: u8,
}

impl Default for EncoderSettings {
    /// Speech of the wide band at 24 kbit/s that survives lost packets, at half the cost of the best.
    fn default() -> EncoderSettings {
        EncoderSettings {
            bit_rate: 24_000,
            playback_rate: 48_000,
            repeats: true,
            expected_loss: 10,
            pauses: false,
            constant: false,
            complexity: 5,
        }
    }
}

/// Encodes one stream, frame by frame. It allocates nothing but what `bytes` lacks.
#[derive(Debug)]
pub struct Encoder {
    sample_rate: u32,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    G711(Law),
    G722(Box<g722::Encoder>),
    L16,
    Opus(opus::Encoder),
}

impl Encoder {
    /// An encoder of this codec that takes samples at the codec's own rate.
    pub fn new(codec: Codec, settings: &EncoderSettings) -> Encoder {
        Encoder::at(codec, codec.sample_rate(), settings)
    }

    /// An encoder that takes samples at this rate, if the codec can be fed with it at no cost: Opus at 8, 12, 16, 24 or 48 kHz.
    /// Otherwise it is as [`Encoder::new`] makes it; [`Encoder::sample_rate`] tells.
    pub fn at(codec: Codec, sample_rate: u32, settings: &EncoderSettings) -> Encoder {
        let own_rate = codec.sample_rate();
        let kind = match codec {
            Codec::Pcma => Kind::G711(Law::A),
            Codec::Pcmu => Kind::G711(Law::Mu),
            Codec::G722 => Kind::G722(Box::default()),
            Codec::L16 => Kind::L16,
            Codec::Opus => Kind::Opus(opus::Encoder::new(sample_rate, settings)),
        };
        let sample_rate = if let Kind::Opus(encoder) = &kind { encoder.sample_rate() } else { own_rate };
        Encoder { sample_rate, kind }
    }

    /// An encoder that has heard the same as this one; not of Opus, whose memory libopus keeps to itself.
    pub fn try_clone(&self) -> Option<Encoder> {
        let kind = match &self.kind {
            Kind::G711(law) => Kind::G711(*law),
            Kind::G722(encoder) => Kind::G722(encoder.clone()),
            Kind::L16 => Kind::L16,
            Kind::Opus(_) => return None,
        };
        Some(Encoder { sample_rate: self.sample_rate, kind })
    }

    /// Samples a second of what is encoded.
    pub fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    /// Appends the payload of one packet with these mono samples: 20 ms, and for all but Opus any even number of
    /// samples. Nothing is appended if Opus pauses: then no packet is due, and the timestamps go on all the same.
    ///
    /// Opus takes 2.5, 5, 10, 20, 40 or 60 ms; of any other length nothing is appended.
    pub fn encode(&mut self, samples: &[i16], bytes: &mut Vec<u8>) {
        match &mut self.kind {
            Kind::G711(law) => bytes.extend(samples.iter().map(|sample| law.encode_sample(*sample))),
            Kind::G722(encoder) => encoder.encode(samples, bytes),
            // RFC 3551 §4.5.11: the high byte first.
            Kind::L16 => bytes.extend(samples.iter().flat_map(|sample| sample.to_be_bytes())),
            Kind::Opus(encoder) => encoder.encode(samples, bytes),
        }
    }

    /// The peer reports another loss than before, in packets of a hundred. Opus spends more or less on copies of what was sent.
    pub fn expect_loss(&mut self, percent: u8) {
        if let Kind::Opus(encoder) = &mut self.kind {
            encoder.expect_loss(percent);
        }
    }

    /// From now on so many bits a second, if the codec has a choice.
    pub fn set_bit_rate(&mut self, bit_rate: u32) {
        if let Kind::Opus(encoder) = &mut self.kind {
            encoder.set_bit_rate(bit_rate);
        }
    }
}
