//! G.722 at 64 kbit/s: a band of 7 kHz in eight bits for two samples at 16 kHz. Bit-exact with the ITU-T reference
//! (G.191), block by block of the recommendation's chapters 3 to 5.
//!
//! Two filters divide the sound into a lower and a higher half. Each half is told by what it differs from what was
//! foreseen: six bits for the lower, two for the higher.

mod band;
mod filter;

use band::Band;
use filter::{BLOCK, Filter, TAPS};

/// Speech at 16 kHz into bytes.
#[derive(Clone, Debug)]
pub struct Encoder {
    split: Filter,
    low: Band,
    high: Band,
}

/// Bytes into speech at 16 kHz. Any bytes are speech of a kind: nothing is refused.
#[derive(Clone, Debug)]
pub struct Decoder {
    join: Filter,
    low: Band,
    high: Band,
    /// What was heard last: [`Decoder::follow`] goes on from it.
    last: [i16; 2 * TAPS],
}

impl Encoder {
    /// One that begins as the decoder of the other side does.
    pub fn new() -> Encoder {
        Encoder { split: Filter::default(), low: Band::low(), high: Band::high() }
    }

    /// Appends one byte for each two samples. An odd one at the end is left out.
    pub fn encode(&mut self, samples: &[i16], bytes: &mut Vec<u8>) {
        for pairs in samples.as_chunks::<2>().0.chunks(BLOCK) {
            let halves = split(&mut self.split, pairs);
            bytes.extend(halves.map(|[low, high]| encode_pair(&mut self.low, &mut self.high, low, high)));
        }
    }
}

impl Default for Encoder {
    fn default() -> Encoder {
        Encoder::new()
    }
}

impl Decoder {
    /// One that begins as the encoder of the other side does.
    pub fn new() -> Decoder {
        Decoder { join: Filter::default(), low: Band::low(), high: Band::high(), last: [0; 2 * TAPS] }
    }

    /// Appends two samples for each byte.
    pub fn decode(&mut self, bytes: &[u8], samples: &mut Vec<i16>) {
        for bytes in bytes.chunks(BLOCK) {
            let mut pairs = [[0; 2]; BLOCK];
            for (pair, byte) in pairs.iter_mut().zip(bytes) {
                *pair = both(self.low.decode_low(byte & 0x3f), self.high.decode_high(byte >> 6));
            }
            let joined = self.join.take(pairs.get(..bytes.len()).unwrap_or_default());
            samples.extend(joined.flat_map(|(sum, difference)| {
                [difference, sum].map(|sample| (sample >> 11).clamp(-0x8000, 0x7fff) as i16)
            }));
        }
        self.remember(samples);
    }

    /// Goes on as if these samples had been received: they stand in for a lost packet. The other side's encoder has gone
    /// on by something alike, so that the next packet is decoded from nearly the state that it was made for.
    pub fn follow(&mut self, samples: &[i16]) {
        let mut filter = Filter::default();
        filter.pass(self.last.as_chunks::<2>().0);
        for pairs in samples.as_chunks::<2>().0.chunks(BLOCK) {
            let mut heard = [[0; 2]; BLOCK];
            for (pair, [low, high]) in heard.iter_mut().zip(split(&mut filter, pairs)) {
                encode_pair(&mut self.low, &mut self.high, low, high);
                *pair = both(low, high);
            }
            self.join.pass(heard.get(..pairs.len()).unwrap_or_default());
        }
        self.remember(samples);
    }

    fn remember(&mut self, samples: &[i16]) {
        if let Some(last) = samples.last_chunk() {
            self.last = *last;
        }
    }
}

impl Default for Decoder {
    fn default() -> Decoder {
        Decoder::new()
    }
}

/// The lower and the higher half of each two samples, in 15 bits.
fn split(filter: &mut Filter, pairs: &[[i16; 2]]) -> impl Iterator<Item = [i16; 2]> {
    let limit = |half: i32| (half >> 14).clamp(-0x4000, 0x3fff) as i16;
    filter.take(pairs).map(move |(odd, even)| [limit(even + odd), limit(even - odd)])
}

/// What the filter joins of two halves: their sum and difference, which stay within 16 bits, for both are limited to 15.
fn both(low: i16, high: i16) -> [i16; 2] {
    [low.wrapping_add(high), low.wrapping_sub(high)]
}

fn encode_pair(low_band: &mut Band, high_band: &mut Band, low: i16, high: i16) -> u8 {
    let low = low_band.encode_low(low);
    let high = high_band.encode_high(high);
    high << 6 | low
}
