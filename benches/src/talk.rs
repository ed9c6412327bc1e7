//! What callers say: a prompt that ships, in A-law, over and over. The mark at the beginning of each packet is a click in it, for
//! which a server that listens for keys works harder than for speech alone.

use audio::g711::Law;
use std::error::Error;
use std::path::Path;

use crate::rtp;

/// 20 ms at 8 kHz.
const FRAME: usize = 160;

/// The welcome of the help desk, in frames.
pub struct Talk(Vec<[u8; FRAME]>);

impl Talk {
    /// Reads it from the repository's sounds.
    pub fn read() -> Result<Talk, Box<dyn Error>> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sounds/it/welcome.opus");
        let file = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let samples = audio::prompt::read_samples(&file, 8000)?;
        let bytes: Vec<u8> = samples.into_iter().map(|sample| Law::A.encode_sample(sample)).collect();
        Ok(Talk(bytes.as_chunks().0.to_vec()))
    }

    /// Lets a packet say the next of it behind its mark. No two streams near each other say the same at once.
    pub fn say(&self, packet: &mut [u8; rtp::LENGTH], stream: u64, count: u64) {
        let at = (count + 37 * stream) % self.0.len().max(1) as u64;
        let said = self.0.get(at as usize).into_iter().flatten();
        packet.iter_mut().skip(rtp::MARKED).zip(said).for_each(|(to, byte)| *to = *byte);
    }
}
