//! A WAV file of one channel or two that can be played at any time while it grows: its sizes are written anew with each settling.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};

const BYTES_PER_SAMPLE: u16 = 2;
const HEADER: u32 = 44;
/// More samples than this the file's own sizes, of 32 bits, cannot say.
const DATA_MAX: u32 = u32::MAX - HEADER;

pub(super) struct Wav {
    file: BufWriter<File>,
    sample_rate: u32,
    channels: u16,
    data: u32,
    settled: u32,
}

impl Wav {
    /// Begins an empty file.
    pub(super) fn begin(file: File, sample_rate: u32, channels: u16) -> io::Result<Wav> {
        let mut wav = Wav { file: BufWriter::new(file), sample_rate, channels, data: 0, settled: 0 };
        wav.write_header()?;
        wav.file.flush()?;
        Ok(wav)
    }

    /// Appends samples of both channels in turns, the low byte first; of the left one alone, if that is all that is wanted.
    pub(super) fn samples(&mut self, samples: &[u8], only_left: bool) -> io::Result<()> {
        if only_left {
            let both = samples.as_chunks::<4>().0;
            let left: Vec<u8> = both.iter().flat_map(|[low, high, ..]| [*low, *high]).collect();
            return self.append(&left);
        }
        self.append(samples)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let length = u32::try_from(bytes.len()).ok().filter(|length| *length <= DATA_MAX - self.data);
        self.data += length.ok_or_else(too_long)?;
        self.file.write_all(bytes)
    }

    /// Appends so many frames of 20 ms of silence, which take no time and no room on the disk, however many.
    pub(super) fn silence(&mut self, frames: u64) -> io::Result<()> {
        let frame = u64::from(self.sample_rate) / 50 * u64::from(self.channels * BYTES_PER_SAMPLE);
        let length = u32::try_from(frames.saturating_mul(frame)).ok();
        let length = length.filter(|length| *length <= DATA_MAX - self.data).ok_or_else(too_long)?;
        if length > 0 {
            self.data += length;
            self.file.seek(SeekFrom::Start(self.end()))?;
        }
        Ok(())
    }

    fn end(&self) -> u64 {
        u64::from(HEADER) + u64::from(self.data)
    }

    pub(super) fn file(&self) -> &File {
        self.file.get_ref()
    }

    /// Hands all to the system, with the sizes that hold now.
    pub(super) fn settle(&mut self) -> io::Result<()> {
        if self.settled == self.data {
            return Ok(());
        }
        self.file.seek(SeekFrom::Start(0))?;
        self.write_header()?;
        self.file.seek(SeekFrom::Start(self.end()))?;
        // Silence at the end is not there yet.
        self.file.get_ref().set_len(self.end())?;
        self.settled = self.data;
        Ok(())
    }

    fn write_header(&mut self) -> io::Result<()> {
        let frame = self.channels * BYTES_PER_SAMPLE;
        let parts: [&[u8]; 13] = [
            b"RIFF",
            &(HEADER - 8 + self.data).to_le_bytes(),
            b"WAVE",
            b"fmt ",
            &16u32.to_le_bytes(),
            &1u16.to_le_bytes(),
            &self.channels.to_le_bytes(),
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

fn too_long() -> io::Error {
    io::Error::other("a WAV file of more than 4 GB cannot be read")
}
