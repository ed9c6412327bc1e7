//! FLAC, MP3 and Ogg Vorbis files, by `symphonia`. It reads WAV as well, but stops at headers that devices really write, and breaks at some
//! that are damaged: `wav.rs` does not.

use std::io::Cursor;

use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;
use symphonia::default::{get_codecs, get_probe};

use crate::prompt::{PromptError, SECONDS_MAX};

/// Rates outside of these are no speech or a damaged header.
const RATE_MIN: u32 = 4000;
const RATE_MAX: u32 = 192_000;

/// The sound of a file as mono, and how many samples a second it has.
pub(crate) fn read(file: &[u8]) -> Result<(Vec<i16>, u32), PromptError> {
    read_until(file, usize::MAX)
}

/// Whether something can be heard of a file: its first sound is decoded, and no more.
pub(crate) fn begins(file: &[u8]) -> bool {
    read_until(file, 1).is_ok_and(|(samples, _)| !samples.is_empty())
}

/// The same as [`read`], until there are so many samples.
fn read_until(file: &[u8], enough: usize) -> Result<(Vec<i16>, u32), PromptError> {
    // Sums of its headers may overflow, which is a panic here. It costs one file, and not the thread.
    std::panic::catch_unwind(|| read_checked(file, enough))
        .unwrap_or(Err(PromptError::Damaged("its header says what cannot be")))
}

fn read_checked(file: &[u8], enough: usize) -> Result<(Vec<i16>, u32), PromptError> {
    let stream = MediaSourceStream::new(Box::new(Cursor::new(file)), Default::default());
    let mut reader = get_probe()
        .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
        .map_err(|error| told(&error))?;
    let track = reader.default_track(TrackType::Audio);
    let parameters = track.and_then(|track| Some((track.id, track.codec_params.as_ref()?.audio()?)));
    let (track, parameters) = parameters.ok_or(PromptError::Damaged("it has no sound"))?;
    let rate = parameters.sample_rate.ok_or(PromptError::Damaged("its rate is missing"))?;
    if !(RATE_MIN..=RATE_MAX).contains(&rate) {
        return Err(PromptError::Unsupported(format!("a sound at {rate} Hz")));
    }
    let mut decoder = get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(|error| told(&error))?;
    let samples = decode(&mut *reader, &mut *decoder, track, (SECONDS_MAX * u64::from(rate), enough))?;
    Ok((samples, rate))
}

fn decode(
    reader: &mut dyn FormatReader,
    decoder: &mut dyn AudioDecoder,
    track: u32,
    (most, enough): (u64, usize),
) -> Result<Vec<i16>, PromptError> {
    let (mut samples, mut frames) = (Vec::new(), Vec::<i16>::new());
    loop {
        let packet = match reader.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => return Ok(samples),
            Err(error) => return Err(told(&error)),
        };
        if packet.track_id != track {
            continue;
        }
        let decoded = decoder.decode(&packet).map_err(|error| told(&error))?;
        let channels = decoded.spec().channels().count().max(1);
        decoded.copy_to_vec_interleaved(&mut frames);
        samples.extend(frames.chunks_exact(channels).map(mean));
        if samples.len() as u64 > most {
            return Err(PromptError::TooLong);
        }
        if samples.len() >= enough {
            return Ok(samples);
        }
    }
}

/// Several channels as one.
fn mean(frame: &[i16]) -> i16 {
    let sum: i32 = frame.iter().map(|sample| i32::from(*sample)).sum();
    (sum / frame.len().max(1) as i32) as i16
}

fn told(error: &Error) -> PromptError {
    match error {
        Error::DecodeError(what) | Error::LimitError(what) => PromptError::Damaged(what),
        Error::Unsupported(what) => PromptError::Unsupported(format!("this kind of file ({what})")),
        Error::IoError(_) => PromptError::Damaged("it breaks off"),
        _ => PromptError::Damaged("it changes in the middle"),
    }
}
