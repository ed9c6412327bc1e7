//! Prompts for a party that wants its Opus otherwise than clips hold it: at a lower bit rate, or at a constant one. There are
//! few of them, so that no clips are kept for them: they hear what is written for G.722, encoded as they want it.

use audio::{Decoder, EncoderSettings};
use media_api::Codec;

use crate::voice::{Format, Voice};

/// What such a party's clips are written in.
const SOURCE: Codec = Codec::G722;

#[derive(Debug)]
pub(super) struct Rewriting {
    decoder: Decoder,
    voice: Voice,
    samples: Vec<i16>,
}

impl Format {
    /// What clips are to be written in for who is spoken to so.
    pub(super) fn clip_codec(&self) -> Codec {
        let (usual, wanted) = (EncoderSettings::default(), self.settings);
        let is_other = wanted.bit_rate < usual.bit_rate || wanted.constant;
        if self.codec == Codec::Opus && is_other { SOURCE } else { self.codec }
    }
}

impl Rewriting {
    /// What goes on, or begins, for who is spoken to so; `None` if that is what clips hold.
    pub(super) fn of(known: Option<Box<Rewriting>>, format: Format) -> Option<Box<Rewriting>> {
        if format.clip_codec() == format.codec {
            return None;
        }
        let known = known.filter(|known| known.voice.format() == format);
        known.or_else(|| Some(Box::new(Rewriting::new(format))))
    }

    fn new(format: Format) -> Rewriting {
        let decoder = Decoder::new(SOURCE);
        let voice = Voice::new(format, decoder.sample_rate());
        Rewriting { decoder, voice, samples: Vec::new() }
    }

    /// The packet of a clip's frame, for a party that loses so many packets of a hundred.
    pub(super) fn write(&mut self, frame: &[u8], loss: u8) -> &[u8] {
        self.samples.clear();
        // What cannot be decoded has appended nothing, and is heard as silence.
        let _ = self.decoder.decode(frame, &mut self.samples);
        self.samples.resize(self.decoder.sample_rate() as usize / 50, 0);
        self.voice.adapt(loss);
        self.voice.write(&self.samples)
    }
}
