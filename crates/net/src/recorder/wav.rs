//! A WAV file of two channels that can be played at any time while it grows: its sizes are written anew with each settling.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};

const CHANNELS: u16 = 2;
const BYTES_PER_SAMPLE: u16 = 2;
const HEADER: u32 = 44;
/// More samples than this the file's own sizes, of 32 bits, cannot say.
const DATA_MAX: u32 = u32::MAX - HEADER;

pub(super) struct Wav {
    file: BufWriter<File>,
    sample_rate: u32,
    data: u32,
    settled: u32,
}

impl Wav {
    /// Begins an empty file.
    pub(super) fn begin(file: File, sample_rate: u32) -> io::Result<Wav> {
        let mut wav = Wav { file: BufWriter::new(file), sample_rate, data: 0, settled: 0 };
        wav.write_header()?;
        wav.file.flush()?;
        Ok(wav)
    }

    /// Appends samples of both channels in turns, the low byte first.
    pub(super) fn samples(&mut self, samples: &[u8]) -> io::Result<()> {
        let length = u32::try_from(samples.len()).ok().filter(|length| *length <= DATA_MAX - self.data);
        let Some(length) = length else {
            return Err(io::Error::other("a WAV file of more than 4 GB cannot be read"));
        };
        self.file.write_all(samples)?;
        self.data += length;
        Ok(())
    }

    /// Appends so many frames of 20 ms of silence.
    pub(super) fn silence(&mut self, frames: u64) -> io::Result<()> {
        let frame = vec![0; self.sample_rate as usize / 50 * usize::from(CHANNELS * BYTES_PER_SAMPLE)];
        (0..frames).try_for_each(|_| self.samples(&frame))
    }

    /// Hands all to the system, with the sizes that hold now.
    pub(super) fn settle(&mut self) -> io::Result<()> {
        if self.settled == self.data {
            return Ok(());
        }
        self.file.seek(SeekFrom::Start(0))?;
        self.write_header()?;
        self.file.seek(SeekFrom::End(0))?;
        self.settled = self.data;
        Ok(())
    }

    fn write_header(&mut self) -> io::Result<()> {
        let frame = CHANNELS * BYTES_PER_SAMPLE;
        let parts: [&[u8]; 13] = [
            b"RIFF",
            &(HEADER - 8 + self.data).to_le_bytes(),
            b"WAVE",
            b"fmt ",
            &16u32.to_le_bytes(),
            &1u16.to_le_bytes(),
            &CHANNELS.to_le_bytes(),
            &self.sample_rate.to_le_bytes(),
            &(self.sample_rate * u32::from(frame)).to_le_bytes(),
            &frame.to_le_bytes(),
            &(8 * BYTES_PER_SAMPLE).to_le_bytes(),
            b"data",
            &self.data.to_le_bytes(),
        ];
        parts.iter().try_for_each(|part| self.file.write_all(part))
    }
}
