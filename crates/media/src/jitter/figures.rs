//! What a jitter buffer has done.

use std::time::Duration;

/// Counted since the buffer was made. Each packet that was put in is at last one of taken, late, early, duplicates or
/// refused, or was no speech.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Packets of speech and noise that were handed out.
    pub taken: u64,
    /// Packets that came after their time.
    pub late: u64,
    /// Packets that came with so many others that hearing them would have taken too long, or were held when another
    /// source began.
    pub early: u64,
    /// Packets that had come before.
    pub duplicates: u64,
    /// Packets of more than 1 500 bytes.
    pub refused: u64,
    /// How much speech was handed out.
    pub spoken: Duration,
    /// How much was made up for, because it was lost or late.
    pub concealed: Duration,
    /// How often the sender fell silent.
    pub pauses: u64,
    /// The longest that speech waited.
    pub longest_wait: Duration,
}
