//! The bytes of a prompt's file, Ogg Opus, WAV, FLAC, MP3 or Ogg Vorbis, as a [`Clip`] in the codec that is wanted.

use std::fmt;
use std::time::Duration;

use media_api::Codec;

use crate::clip::resample;
use crate::{Clip, opus_file, sound_file, wav};

/// No prompt is longer than ten minutes, so that a bad file cannot fill the memory.
pub const SECONDS_MAX: u64 = 10 * 60;

/// Why a file is no prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PromptError {
    /// The first bytes are those of no file that is read.
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
                f.write_str("none of Ogg Opus, WAV, FLAC, MP3 and Ogg Vorbis; convert it with: ffmpeg -i FILE -ac 1 OUT.opus")
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
    let is_wav = file.starts_with(b"RIFF");
    match file {
        _ if is_wav => {}
        [b'O', b'g', b'g', b'S', ..] if opus_file::is(file) => return opus_file::read(file, rate),
        [b'O', b'g', b'g', b'S', ..]
        | [b'f', b'L', b'a', b'C', ..]
        | [b'I', b'D', b'3', ..]
        // A frame of MPEG audio.
        | [0xff, 0xe0..=0xff, ..] => {}
        _ => return Err(PromptError::UnknownFormat),
    }
    let (samples, own_rate) = if is_wav { wav::read(file)? } else { sound_file::read(file)? };
    Ok(if own_rate == rate { samples } else { resample(&samples, own_rate, rate) })
}

/// How long the prompt in this file lasts, without decoding it. No time at all: nothing can be heard of it, because it is empty,
/// too long or broken off, as far as that is told without decoding, or of a kind that is not read. Nothing: only decoding all of it would tell, as of FLAC, MP3 and Vorbis.
pub fn length(file: &[u8]) -> Option<Duration> {
    match file {
        _ if file.starts_with(b"RIFF") => Some(wav::length(file).unwrap_or_default()),
        [b'O', b'g', b'g', b'S', ..] if opus_file::is(file) => {
            Some(opus_file::length(file).unwrap_or_default())
        }
        [b'O', b'g', b'g', b'S', ..]
        | [b'f', b'L', b'a', b'C', ..]
        | [b'I', b'D', b'3', ..]
        | [0xff, 0xe0..=0xff, ..] => (!sound_file::begins(file)).then_some(Duration::ZERO),
        _ => Some(Duration::ZERO),
    }
}
