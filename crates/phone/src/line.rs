use tokio::sync::mpsc;

/// Samples of one frame: 20 ms at 8 kHz.
pub const FRAME: usize = 160;

/// 20 ms of speech.
pub type Frame = [i16; FRAME];

/// A call's live ends, for a sound card. What is spoken too fast or taken too slowly is dropped.
#[derive(Debug)]
pub struct Line {
    /// What the peer shall hear: one frame every 20 ms.
    pub speak: mpsc::Sender<Frame>,
    /// What the peer says, as it comes.
    pub heard: mpsc::Receiver<Frame>,
}
