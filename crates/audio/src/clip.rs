use crate::g711::Law;

/// A prompt at 8 kHz in both laws, one byte per sample: what a player copies into packets.
#[derive(Clone, PartialEq, Eq)]
pub struct Clip {
    pcma: Box<[u8]>,
    pcmu: Box<[u8]>,
}

impl Clip {
    /// A clip of these samples at 8 kHz.
    pub fn from_samples(samples: &[i16]) -> Clip {
        let coded = |law: Law| samples.iter().map(|sample| law.encode_sample(*sample)).collect();
        Clip { pcma: coded(Law::A), pcmu: coded(Law::Mu) }
    }

    /// The whole clip in this law.
    pub fn bytes(&self, law: Law) -> &[u8] {
        match law {
            Law::A => &self.pcma,
            Law::Mu => &self.pcmu,
        }
    }

    /// How many samples there are, 8 000 of them a second.
    pub fn len(&self) -> usize {
        self.pcma.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.pcma.is_empty()
    }

    /// What it takes of memory, for caches that count.
    pub fn size(&self) -> usize {
        self.pcma.len() + self.pcmu.len()
    }
}

impl std::fmt::Debug for Clip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Clip({} ms)", self.len() / 8)
    }
}
