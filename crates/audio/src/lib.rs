//! Samples: G.711, prompts from Opus and WAV files, tones, keys as tones, and writing WAV. All speech is mono at 8 kHz.
//!
//! Bytes of files come in as slices that someone else has read; nothing here opens a file.

mod clip;
pub mod dtmf;
pub mod g711;
mod opus_file;
pub mod prompt;
pub mod tone;
pub mod wav;

pub use clip::Clip;
