//! The bytes of a prompt's file, Ogg Opus or WAV, as a [`Clip`].

use std::fmt;

use crate::{Clip, opus_file, wav};

/// No prompt is longer than ten minutes, so that a bad file cannot fill the memory. At 8 kHz.
pub const SAMPLES_MAX: usize = 10 * 60 * 8000;

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

/// The prompt in this file.
pub fn read(file: &[u8]) -> Result<Clip, PromptError> {
    read_samples(file).map(|samples| Clip::from_samples(&samples))
}

/// The samples at 8 kHz of the prompt in this file; several channels become one.
pub fn read_samples(file: &[u8]) -> Result<Vec<i16>, PromptError> {
    match file.get(..4) {
        Some(b"OggS") => opus_file::read(file),
        Some(b"RIFF") => wav::read(file),
        _ => Err(PromptError::UnknownFormat),
    }
}
