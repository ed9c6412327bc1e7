//! What tapped legs say and are told, from the shards' threads into files: the left channel is what the party says, the
//! right one what it is told, both by the clock of its call.
//!
//! A shard never waits for a file. It puts each frame of 20 ms into one of a fixed number of places; when none is free,
//! because the disk stands still, the frame is lost, and silence stands for it in the file, so that all else stays where
//! it was. How much that was is told.

mod folder;
mod ring;
mod wav;
mod writer;

pub use folder::RecordingsFolder;
pub use ring::Recordings;

use crossbeam_channel::{Sender, TrySendError, bounded};
use media_api::{RecordingId, RecordingOrder, RecordingTold};
use std::collections::VecDeque;
use std::io;
use std::thread::JoinHandle;
use std::time::Duration;
use writer::Writer;

/// Recordings that may begin or end between two turns.
const ASKED: usize = 1024;

/// The thread that writes recordings. Dropping it ends those that have not.
#[derive(Debug)]
pub struct Recorder {
    asking: Option<Sender<RecordingOrder>>,
    /// Ends that are still to be told: of each recording that was begun one at most.
    unsent: VecDeque<RecordingOrder>,
    thread: Option<JoinHandle<()>>,
}

impl Recorder {
    /// Starts the thread, and gives the shards' way to it, in which so many frames may wait: 50 for a second of one leg.
    /// `told` is called on the thread.
    ///
    /// # Errors
    /// The system gives no thread, or no folder.
    pub fn start(
        folder: RecordingsFolder,
        frames: usize,
        told: impl FnMut(RecordingTold) + Send + 'static,
    ) -> io::Result<(Recorder, Recordings)> {
        folder.make()?;
        let (recordings, inbox) = ring::of(frames);
        let (asking, asked) = bounded(ASKED);
        let mut writer = Writer::new(folder, Box::new(told));
        let run = move || writer.run(&asked, &inbox);
        let thread = std::thread::Builder::new().name("recorder".to_owned()).spawn(run)?;
        Ok((Recorder { asking: Some(asking), unsent: VecDeque::new(), thread: Some(thread) }, recordings))
    }

    /// Does this, without waiting for a disk. A begin for which there is no room, because the disk is slow, is answered here; an end
    /// is kept until there is, for its file is open.
    pub fn order(&mut self, order: RecordingOrder) -> Option<RecordingTold> {
        self.unsent.push_back(order);
        while let Some(first) = self.unsent.pop_front() {
            match self.asking.as_ref()?.try_send(first) {
                Ok(()) => {}
                Err(TrySendError::Full(first) | TrySendError::Disconnected(first)) => {
                    self.unsent.push_front(first);
                    break;
                }
            }
        }
        let RecordingOrder::Begin { recording, .. } = self.unsent.back()? else { return None };
        let refused =
            failed(*recording, "too many recordings begin and end at once, for the disk is slow".to_owned());
        self.unsent.pop_back();
        Some(refused)
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.asking = None;
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn failed(recording: RecordingId, why: String) -> RecordingTold {
    RecordingTold::Failed { recording, length: Duration::ZERO, lost: Duration::ZERO, why }
}

#[cfg(test)]
mod tests;
