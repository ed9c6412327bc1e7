//! WAV: reading prompts that people bring, and writing what a phone has heard.

use crate::g711::Law;
use crate::prompt::{PromptError, SECONDS_MAX};
use std::time::Duration;

const RATE: u32 = 8000;
const RATES: [u32; 7] = [8000, 16000, 22050, 24000, 32000, 44100, 48000];

const FORMAT_PCM: u16 = 1;
const FORMAT_PCMA: u16 = 6;
const FORMAT_PCMU: u16 = 7;
/// The real format stands in the first two bytes of the sub-format (WAVE_FORMAT_EXTENSIBLE).
const FORMAT_EXTENSIBLE: u16 = 0xfffe;

/// The bytes of a WAV file with these samples: PCM, 16 bits, mono, 8 kHz. What is beyond the 4 GiB that a
/// WAV file can hold (74 hours) is left out.
pub fn write(samples: &[i16]) -> Vec<u8> {
    let samples = samples.get(..(u32::MAX as usize - 36) / 2).unwrap_or(samples);
    let length = samples.len() as u32 * 2;
    let mut file = Vec::with_capacity(44 + samples.len() * 2);
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(36 + length).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt ");
    file.extend_from_slice(&16u32.to_le_bytes());
    file.extend_from_slice(&FORMAT_PCM.to_le_bytes());
    file.extend_from_slice(&1u16.to_le_bytes());
    file.extend_from_slice(&RATE.to_le_bytes());
    file.extend_from_slice(&(RATE * 2).to_le_bytes());
    file.extend_from_slice(&2u16.to_le_bytes());
    file.extend_from_slice(&16u16.to_le_bytes());
    file.extend_from_slice(b"data");
    file.extend_from_slice(&length.to_le_bytes());
    for sample in samples {
        file.extend_from_slice(&sample.to_le_bytes());
    }
    file
}

struct Format {
    tag: u16,
    channels: usize,
    rate: u32,
    bits: u16,
}

/// 16-bit PCM, A-law and µ-law of one or two channels at the usual rates: the samples, and how many a second.
pub(crate) fn read(file: &[u8]) -> Result<(Vec<i16>, u32), PromptError> {
    let (format, data) = find_chunks(file)?;
    Ok((mono(&format, data)?, format.rate))
}

/// How long the file lasts.
pub(crate) fn length(file: &[u8]) -> Result<Duration, PromptError> {
    let (format, data) = find_chunks(file)?;
    let frames = (data.len() / frame_of(&format, data)?) as u64;
    Ok(Duration::from_micros(frames * 1_000_000 / u64::from(format.rate)))
}

fn find_chunks(file: &[u8]) -> Result<(Format, &[u8]), PromptError> {
    let mut rest = match file.split_at_checked(12) {
        Some((head, rest)) if head.ends_with(b"WAVE") => rest,
        _ => return Err(PromptError::UnknownFormat),
    };
    let mut format = None;
    while let Some((head, body)) = rest.split_first_chunk::<8>() {
        let [n0, n1, n2, n3, l0, l1, l2, l3] = *head;
        let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
        // A writer that was cut off leaves a length that is too long, 0 or all ones: what is there counts.
        let chunk = body.get(..length).unwrap_or(body);
        match &[n0, n1, n2, n3] {
            b"fmt " => format = Some(read_format(chunk)?),
            b"data" => {
                let format = format.ok_or(PromptError::Damaged("its data come before their format"))?;
                return Ok((format, chunk));
            }
            _ => {}
        }
        rest = body.get(length.saturating_add(length % 2)..).unwrap_or(&[]);
    }
    Err(PromptError::Damaged("it has no data"))
}

fn read_format(chunk: &[u8]) -> Result<Format, PromptError> {
    let Some(&[t0, t1, c0, c1, r0, r1, r2, r3, _, _, _, _, _, _, b0, b1]) = chunk.first_chunk::<16>() else {
        return Err(PromptError::Damaged("its format is too short"));
    };
    let mut tag = u16::from_le_bytes([t0, t1]);
    if tag == FORMAT_EXTENSIBLE {
        match chunk.get(24..26) {
            Some(&[s0, s1]) => tag = u16::from_le_bytes([s0, s1]),
            _ => return Err(PromptError::Damaged("its format is too short")),
        }
    }
    let format = Format {
        tag,
        channels: usize::from(u16::from_le_bytes([c0, c1])),
        rate: u32::from_le_bytes([r0, r1, r2, r3]),
        bits: u16::from_le_bytes([b0, b1]),
    };
    if !(1..=2).contains(&format.channels) {
        return Err(PromptError::Unsupported(format!("WAV of {} channels", format.channels)));
    }
    if !RATES.contains(&format.rate) {
        return Err(PromptError::Unsupported(format!("WAV at {} Hz", format.rate)));
    }
    Ok(format)
}

/// The bytes of a sample of each channel, if this is read and not too long.
fn frame_of(format: &Format, data: &[u8]) -> Result<usize, PromptError> {
    let bytes_per_sample = match (format.tag, format.bits) {
        (FORMAT_PCM, 16) => 2,
        (FORMAT_PCMA | FORMAT_PCMU, 8) => 1,
        (tag, bits) => {
            return Err(PromptError::Unsupported(format!("WAV of format {tag} with {bits} bits")));
        }
    };
    let frame = bytes_per_sample * format.channels;
    let samples_max = SECONDS_MAX * u64::from(format.rate);
    if (data.len() / frame) as u64 > samples_max {
        return Err(PromptError::TooLong);
    }
    Ok(frame)
}

/// The samples at the file's own rate, two channels as their mean.
fn mono(format: &Format, data: &[u8]) -> Result<Vec<i16>, PromptError> {
    let frame = frame_of(format, data)?;
    let bytes_per_sample = frame / format.channels;
    let sample = |bytes: &[u8]| match (format.tag, bytes) {
        (FORMAT_PCMA, &[byte]) => Law::A.decode_sample(byte),
        (FORMAT_PCMU, &[byte]) => Law::Mu.decode_sample(byte),
        (_, &[low, high]) => i16::from_le_bytes([low, high]),
        _ => 0,
    };
    let mean = |frame: &[u8]| {
        let sum: i32 = frame.chunks_exact(bytes_per_sample).map(|bytes| i32::from(sample(bytes))).sum();
        (sum / format.channels as i32) as i16
    };
    Ok(data.chunks_exact(frame).map(mean).collect())
}
