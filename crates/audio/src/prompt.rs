//! The bytes of a prompt's file, Ogg Opus or WAV, as a [`Clip`] in the codec that is wanted.

use std::fmt;

use media_api::Codec;

use crate::clip::resample;
use crate::{Clip, opus_file, wav};

/// No prompt is longer than ten minutes, so that a bad file cannot fill the memory.
pub const SECONDS_MAX: u64 = 10 * 60;

/// Why a file is no prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PromptError {
    /// The first bytes are those of neither Ogg nor WAV.
    UnknownFormat,
    /// The file breaks off or contradicts itself.
    Damaged(&'static str),
    /// The file is whole but of a kind that is not read.
    Unsupported(String),
    /// More than ten minutes.
    TooLong,
}

impl fmt::Display for PromptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PromptError::UnknownFormat => {
                f.write_str("neither Ogg Opus nor WAV; convert it with: ffmpeg -i FILE -ac 1 OUT.opus")
            }
            PromptError::Damaged(what) => write!(f, "the file is damaged: {what}; make or copy it again"),
            PromptError::Unsupported(what) => {
                write!(f, "{what} is not read; convert it with: ffmpeg -i FILE -ac 1 OUT.opus")
            }
            PromptError::TooLong => f.write_str("longer than ten minutes; cut it into several files"),
        }
    }
}

impl std::error::Error for PromptError {}

/// The prompt in this file, as this codec writes it.
pub fn read(file: &[u8], codec: Codec) -> Result<Clip, PromptError> {
    let rate = codec.sample_rate();
    read_samples(file, rate).map(|samples| Clip::new(codec, &samples, rate))
}

/// The samples of the prompt in this file at 8, 16 or 48 kHz; several channels become one.
pub fn read_samples(file: &[u8], rate: u32) -> Result<Vec<i16>, PromptError> {
    match file.get(..4) {
        Some(b"OggS") => opus_file::read(file, rate),
        Some(b"RIFF") => wav::read(file).map(|(samples, own_rate)| match own_rate == rate {
            true => samples,
            false => resample(&samples, own_rate, rate),
        }),
        _ => Err(PromptError::UnknownFormat),
    }
}
