//! A mix as packets of one format.

use audio::{Encoder, EncoderSettings, Resampler};
use media_api::Codec;

/// What a listener's packets are written in. Listeners of one format who hear the same share the encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Format {
    pub(crate) codec: Codec,
    pub(crate) settings: EncoderSettings,
}

#[derive(Debug)]
pub(super) struct Voice {
    format: Format,
    encoder: Encoder,
    resampler: Resampler,
    samples: Vec<i16>,
    payload: Vec<u8>,
}

impl Voice {
    /// Writes what is mixed at this rate.
    pub(super) fn new(format: Format, sample_rate: u32) -> Voice {
        let encoder = Encoder::at(format.codec, sample_rate, &format.settings);
        Voice {
            format,
            resampler: Resampler::new(sample_rate, encoder.sample_rate()),
            encoder,
            samples: Vec::new(),
            payload: Vec::new(),
        }
    }

    /// A voice that goes on as this one, if its codec's memory can be copied.
    pub(super) fn go_on_as(&self) -> Option<Voice> {
        let encoder = self.encoder.try_clone()?;
        let resampler = self.resampler.clone();
        Some(Voice { format: self.format, encoder, resampler, samples: Vec::new(), payload: Vec::new() })
    }

    pub(super) fn format(&self) -> Format {
        self.format
    }

    /// The packet of this frame; empty if there is none to be sent.
    pub(super) fn write(&mut self, frame: &[i16]) -> &[u8] {
        self.samples.clear();
        self.payload.clear();
        self.resampler.process(frame, &mut self.samples);
        self.encoder.encode(&self.samples, &mut self.payload);
        &self.payload
    }

    /// The packet that was written last.
    pub(super) fn written(&self) -> &[u8] {
        &self.payload
    }
}
