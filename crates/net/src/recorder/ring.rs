//! A fixed number of frames that go round between the shards and the writer. Nobody waits, and once each has had a frame of
//! the usual size nothing is allocated.

use crossbeam_channel::{Receiver, Sender, bounded};
use media_api::Part;
use std::fmt;

/// A longer frame than that of two channels at 48 kHz is cut.
const FRAME_BYTES: usize = 4 * 48_000 / 50;

/// 20 ms of a recording.
pub(super) struct Frame {
    pub(super) part: Part,
    /// Its place in the recording.
    pub(super) number: u64,
    /// Samples of 16 bits, the low byte first, of both channels in turns.
    pub(super) samples: Vec<u8>,
}

/// The shards' way to whoever records. Without one, nothing is recorded.
#[derive(Clone, Default)]
pub struct Recordings(Option<Ends>);

#[derive(Clone)]
struct Ends {
    free: Receiver<Vec<u8>>,
    full: Sender<Frame>,
}

/// The writer's end.
pub(super) struct Inbox {
    full: Receiver<Frame>,
    free: Sender<Vec<u8>>,
}

/// A ring of so many frames.
pub(super) fn of(frames: usize) -> (Recordings, Inbox) {
    let (give_back, free) = bounded(frames.max(1));
    for _ in 0..frames.max(1) {
        let _ = give_back.try_send(Vec::new());
    }
    // As many as there are frames, so that it is never full.
    let (full, inbox) = bounded(frames.max(1));
    (Recordings(Some(Ends { free, full })), Inbox { full: inbox, free: give_back })
}

impl Recordings {
    /// Puts a frame in, or passes it over if all places are taken.
    pub(crate) fn put(&self, part: Part, number: u64, samples: &[u8]) {
        let Some(Ends { free, full }) = &self.0 else { return };
        let Ok(mut place) = free.try_recv() else { return };
        place.clear();
        place.extend_from_slice(samples.get(..FRAME_BYTES).unwrap_or(samples));
        // The writer is gone, and nobody reads it.
        let _ = full.try_send(Frame { part, number, samples: place });
    }
}

impl Inbox {
    pub(super) fn next(&self) -> Option<Frame> {
        self.full.try_recv().ok()
    }

    pub(super) fn give_back(&self, frame: Frame) {
        let _ = self.free.try_send(frame.samples);
    }
}

impl fmt::Debug for Recordings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Recordings").field(&self.0.is_some()).finish()
    }
}
