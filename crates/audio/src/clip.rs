use std::borrow::Cow;

use media_api::Codec;

use crate::g711::Law;
use crate::{Encoder, EncoderSettings, Resampler};

/// Ticks a second of what a place in a clip is counted in, whatever its codec: 160 of them are one frame of 20 ms.
pub const CLIP_TICKS_PER_SECOND: u32 = 8000;

const FRAME_TICKS: usize = 160;

/// A prompt as one codec writes it: what a player copies into packets.
///
/// Places in it and its length are in ticks of 1/8 ms for every codec, so that music goes on where it was when a party
/// changes its codec.
#[derive(Clone, PartialEq, Eq)]
pub struct Clip {
    codec: Codec,
    bytes: Box<[u8]>,
    /// Where each packet ends, if packets differ in size.
    ends: Option<Box<[u32]>>,
    ticks: usize,
}

impl Clip {
    /// The clip of mono samples at this rate in this codec. G.722 and Opus carry state from frame to frame, so that their
    /// clips are whole frames, filled up with silence; the others end where the samples end. A clip of G.722 begins with two
    /// frames of silence: in them the steps of a decoder that comes from another sound become as small as the clip's are at its
    /// beginning. Otherwise it would begin with a bang.
    pub fn new(codec: Codec, samples: &[i16], sample_rate: u32) -> Clip {
        let samples = match sample_rate == codec.sample_rate() {
            true => Cow::Borrowed(samples),
            false => Cow::Owned(resample(samples, sample_rate, codec.sample_rate())),
        };
        let mut encoder = Encoder::new(codec, &EncoderSettings::default());
        let frame = codec.sample_rate() as usize / 50;
        let (mut bytes, mut ends) = (Vec::new(), Vec::new());
        if codec == Codec::G722 && !samples.is_empty() {
            for _ in 0..2 {
                encoder.encode(&vec![0; frame], &mut bytes);
                ends.push(bytes.len() as u32);
            }
        }
        let mut last = Vec::new();
        for samples in samples.chunks(frame) {
            last.clear();
            last.extend_from_slice(samples);
            if is_whole(codec) {
                last.resize(frame, 0);
            }
            encoder.encode(&last, &mut bytes);
            ends.push(bytes.len() as u32);
        }
        let ticks = match is_whole(codec) {
            true => ends.len() * FRAME_TICKS,
            false => bytes.len() / bytes_per_tick(codec),
        };
        let ends = (codec == Codec::Opus).then(|| ends.into_boxed_slice());
        Clip { codec, bytes: bytes.into_boxed_slice(), ends, ticks }
    }

    /// What it is written in.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// How long it is, in ticks of 1/8 ms.
    pub fn len(&self) -> usize {
        self.ticks
    }

    /// Whether there is nothing to hear.
    pub fn is_empty(&self) -> bool {
        self.ticks == 0
    }

    /// What it takes of memory, for caches that count.
    pub fn size(&self) -> usize {
        self.bytes.len() + self.ends.as_ref().map_or(0, |ends| ends.len() * 4)
    }

    /// Appends what is heard from the tick `from` on to a frame that has room for so many ticks, and gives how many were
    /// taken: 0 at the end. A packet of Opus cannot be divided: the one in which `from` lies is taken whole, into an
    /// empty frame only.
    pub fn copy(&self, from: usize, room: usize, frame: &mut Vec<u8>) -> usize {
        let taken = self.ticks.saturating_sub(from).min(room);
        let range = match &self.ends {
            Some(ends) => {
                let packet = from / FRAME_TICKS;
                let end = ends.get(packet).filter(|_| room >= FRAME_TICKS);
                let start = packet.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
                let Some(end) = end else { return 0 };
                start as usize..*end as usize
            }
            None => {
                let size = bytes_per_tick(self.codec);
                from * size..(from + taken) * size
            }
        };
        frame.extend_from_slice(self.bytes.get(range).unwrap_or_default());
        taken
    }

    /// Appends silence of so many ticks to a frame that has begun, where the codec can be written so.
    pub fn pad(codec: Codec, ticks: usize, frame: &mut Vec<u8>) {
        let silence = match codec {
            Codec::Pcma => Law::A.silence(),
            Codec::Pcmu => Law::Mu.silence(),
            Codec::L16 => 0,
            // Their clips are whole frames: a frame that has begun is full.
            Codec::G722 | Codec::Opus => return,
        };
        frame.resize(frame.len() + ticks * bytes_per_tick(codec), silence);
    }
}

impl std::fmt::Debug for Clip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Clip({}, {} ms)", self.codec.encoding(), self.len() / 8)
    }
}

fn is_whole(codec: Codec) -> bool {
    matches!(codec, Codec::G722 | Codec::Opus)
}

/// Of a codec whose bytes are all alike.
fn bytes_per_tick(codec: Codec) -> usize {
    match codec {
        Codec::L16 => 4,
        Codec::Pcma | Codec::Pcmu | Codec::G722 | Codec::Opus => 1,
    }
}

/// All of a sound at another rate, without the filter's delay.
pub(crate) fn resample(samples: &[i16], from: u32, to: u32) -> Vec<i16> {
    let mut resampler = Resampler::new(from, to);
    let delay = resampler.delay();
    let length = (samples.len() as u64 * u64::from(to)).div_ceil(u64::from(from.max(1))) as usize;
    let mut out = Vec::with_capacity(length + delay + 64);
    resampler.process(samples, &mut out);
    let silence = [0; 256];
    while out.len() < length + delay {
        resampler.process(&silence, &mut out);
    }
    out.drain(..delay);
    out.truncate(length);
    out
}
