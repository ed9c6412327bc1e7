//! Samples as packets of one format, as the network to the listener bears them.

use audio::{Encoder, EncoderSettings, Resampler};
use media_api::Codec;

/// More lost packets of a hundred mean that there are too many, or that they are too large.
const CROWDED_LOSS: u8 = 10;

/// What a listener's packets are written in. Listeners of one format who hear the same share the encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Format {
    pub(crate) codec: Codec,
    pub(crate) settings: EncoderSettings,
}

#[derive(Debug)]
pub(crate) struct Voice {
    format: Format,
    sample_rate: u32,
    encoder: Encoder,
    resampler: Resampler,
    /// What the listener says that it loses, in packets of a hundred.
    loss: u8,
    samples: Vec<i16>,
    payload: Vec<u8>,
}

impl Format {
    /// The rate at which it takes what has so many samples a second: its own, or for Opus the same.
    pub(crate) fn rate_for(&self, sample_rate: u32) -> u32 {
        if self.codec == Codec::Opus { sample_rate } else { self.codec.sample_rate() }
    }
}

impl Voice {
    /// Writes what has so many samples a second.
    pub(crate) fn new(format: Format, sample_rate: u32) -> Voice {
        let encoder = Encoder::at(format.codec, sample_rate, &format.settings);
        Voice {
            format,
            sample_rate,
            resampler: Resampler::new(sample_rate, encoder.sample_rate()),
            encoder,
            loss: format.settings.expected_loss,
            samples: Vec::new(),
            payload: Vec::new(),
        }
    }

    /// A voice that goes on as this one, if its codec's memory can be copied.
    pub(crate) fn go_on_as(&self) -> Option<Voice> {
        let encoder = self.encoder.try_clone()?;
        let (samples, payload) = (Vec::new(), Vec::new());
        Some(Voice { encoder, resampler: self.resampler.clone(), samples, payload, ..*self })
    }

    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Samples a second of what it writes.
    pub(crate) fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    /// The listener reports that it loses so many packets of a hundred: more is spent on copies of what was sent, and
    /// where a tenth is lost the way is taken for full.
    pub(crate) fn adapt(&mut self, loss: u8) {
        if std::mem::replace(&mut self.loss, loss) == loss {
            return;
        }
        self.encoder.expect_loss(loss);
        let usual = self.format.settings.bit_rate;
        self.encoder.set_bit_rate(if loss > CROWDED_LOSS { usual * 2 / 3 } else { usual });
    }

    /// The packet of this frame; empty if there is none to be sent.
    pub(crate) fn write(&mut self, frame: &[i16]) -> &[u8] {
        self.samples.clear();
        self.payload.clear();
        self.resampler.process(frame, &mut self.samples);
        self.encoder.encode(&self.samples, &mut self.payload);
        &self.payload
    }

    /// The packet that was written last.
    pub(crate) fn written(&self) -> &[u8] {
        &self.payload
    }
}
