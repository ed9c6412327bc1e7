//! G.711: speech in eight bits, by A-law or µ-law. Bit-exact with the ITU-T reference (G.191), which
//! takes 16-bit samples with the law's 13 or 14 bits left-justified in them.

use media_api::Codec;

/// One of the two laws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    /// A-law.
    A,
    /// µ-law.
    Mu,
}

impl Law {
    /// The law of a codec that is G.711.
    pub const fn of(codec: Codec) -> Option<Law> {
        match codec {
            Codec::Pcma => Some(Law::A),
            Codec::Pcmu => Some(Law::Mu),
            Codec::G722 | Codec::Opus | Codec::L16 => None,
        }
    }

    /// The byte that is silence.
    pub const fn silence(self) -> u8 {
        match self {
            Law::A => 0xd5,
            Law::Mu => 0xff,
        }
    }

    /// One sample as one byte.
    pub fn encode_sample(self, sample: i16) -> u8 {
        match self {
            Law::A => TO_PCMA[usize::from(sample as u16 >> 4)],
            Law::Mu => TO_PCMU[usize::from(sample as u16 >> 2)],
        }
    }

    /// One byte as one sample.
    pub fn decode_sample(self, byte: u8) -> i16 {
        match self {
            Law::A => FROM_PCMA[usize::from(byte)],
            Law::Mu => FROM_PCMU[usize::from(byte)],
        }
    }

    /// Writes each of `samples` into `bytes`, as far as the shorter of the two reaches.
    pub fn encode(self, samples: &[i16], bytes: &mut [u8]) {
        for (byte, sample) in bytes.iter_mut().zip(samples) {
            *byte = self.encode_sample(*sample);
        }
    }

    /// Writes each of `bytes` into `samples`, as far as the shorter of the two reaches.
    pub fn decode(self, bytes: &[u8], samples: &mut [i16]) {
        for (sample, byte) in samples.iter_mut().zip(bytes) {
            *sample = self.decode_sample(*byte);
        }
    }

    /// Turns speech of this law into that of the other in place. Nothing happens if both are the same.
    pub fn recode(self, to: Law, bytes: &mut [u8]) {
        let table = match (self, to) {
            (Law::A, Law::Mu) => &PCMA_TO_PCMU,
            (Law::Mu, Law::A) => &PCMU_TO_PCMA,
            (Law::A, Law::A) | (Law::Mu, Law::Mu) => return,
        };
        for byte in bytes {
            *byte = table[usize::from(*byte)];
        }
    }
}

/// Only the upper 12 bits of a sample decide its A-law byte.
static TO_PCMA: [u8; 1 << 12] = {
    let mut table = [0; 1 << 12];
    let mut at = 0;
    while at < table.len() {
        table[at] = pcma((at << 4) as u16 as i16);
        at += 1;
    }
    table
};

/// Only the upper 14 bits of a sample decide its µ-law byte.
static TO_PCMU: [u8; 1 << 14] = {
    let mut table = [0; 1 << 14];
    let mut at = 0;
    while at < table.len() {
        table[at] = pcmu((at << 2) as u16 as i16);
        at += 1;
    }
    table
};

static FROM_PCMA: [i16; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < table.len() {
        table[at] = from_pcma(at as u8);
        at += 1;
    }
    table
};

static FROM_PCMU: [i16; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < table.len() {
        table[at] = from_pcmu(at as u8);
        at += 1;
    }
    table
};

static PCMA_TO_PCMU: [u8; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < table.len() {
        table[at] = pcmu(from_pcma(at as u8));
        at += 1;
    }
    table
};

static PCMU_TO_PCMA: [u8; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < table.len() {
        table[at] = pcma(from_pcmu(at as u8));
        at += 1;
    }
    table
};

/// A magnitude of 11 bits becomes 3 bits of segment and 4 of mantissa. Negative samples are taken by
/// their one's complement, so that the law is symmetric about −½.
const fn pcma(sample: i16) -> u8 {
    let magnitude = (if sample < 0 { !sample } else { sample }) >> 4;
    let bits = 16 - magnitude.leading_zeros();
    let coded = if bits <= 4 {
        magnitude as u8
    } else {
        let segment = bits - 4;
        ((segment as u8) << 4) | ((magnitude >> (segment - 1)) as u8 & 0x0f)
    };
    let sign = if sample < 0 { 0 } else { 0x80 };
    (coded | sign) ^ 0x55
}

const fn from_pcma(byte: u8) -> i16 {
    let coded = byte ^ 0x55;
    let segment = (coded >> 4) & 7;
    let mantissa = (coded & 0x0f) as i16;
    let magnitude = match segment {
        0 => (mantissa << 4) + 8,
        _ => ((mantissa << 4) + 0x108) << (segment - 1),
    };
    if coded & 0x80 == 0 { -magnitude } else { magnitude }
}

/// A magnitude of 13 bits, moved up by 33 so that the segment is the place of its highest bit; louder than
/// the law reaches is clipped.
const fn pcmu(sample: i16) -> u8 {
    let moved = ((if sample < 0 { !sample } else { sample }) >> 2) + 33;
    let magnitude = if moved > 0x1fff { 0x1fff } else { moved };
    let segment = 10 - magnitude.leading_zeros();
    let coded = ((segment as u8) << 4) | ((magnitude >> (segment + 1)) as u8 & 0x0f);
    let sign = if sample < 0 { 0 } else { 0x80 };
    (!coded & 0x7f) | sign
}

const fn from_pcmu(byte: u8) -> i16 {
    let coded = !byte;
    let segment = (coded >> 4) & 7;
    let mantissa = (coded & 0x0f) as i16;
    let magnitude = (((mantissa << 3) + 0x84) << segment) - 0x84;
    if coded & 0x80 != 0 { -magnitude } else { magnitude }
}
