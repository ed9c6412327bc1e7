//! Samples: the codecs, what stands in for lost packets, other rates, shorter and longer speech, prompts from files, tones, keys as tones.
//!
//! All speech is mono, in samples of 16 bits. Bytes of files come in as slices that someone else has read; nothing here opens a file.

mod clip;
mod codec;
pub mod comfort_noise;
mod concealment;
pub mod dtmf;
pub mod g711;
pub mod g722;
mod opus;
mod opus_file;
pub mod progress;
pub mod prompt;
mod resampler;
mod sound_file;
mod stretcher;
pub mod tone;
pub mod wav;

pub use clip::{CLIP_TICKS_PER_SECOND, Clip};
pub use codec::{Decoder, Encoder, EncoderSettings, Undecodable};
pub use concealment::Concealment;
pub use resampler::Resampler;
pub use stretcher::{Pace, Stretcher};
