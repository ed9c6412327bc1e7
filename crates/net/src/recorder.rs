//! What tapped legs say and are told, from the shards' threads into files: the left channel is what the party says, the
//! right one what it is told, both by the clock of its call.
//!
//! A shard never waits for a file. It puts each frame of 20 ms into one of a fixed number of places; when none is free,
//! because the disk stands still, the frame is lost, and silence stands for it in the file, so that all else stays where
//! it was. How much that was is told.

mod ring;
mod wav;

pub use ring::Recordings;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};
use media_api::LegId;
use ring::Frame;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use wav::Wav;

/// How often the writer looks for frames. It is never woken by a shard: to wake a thread takes a lock.
const TURN: Duration = Duration::from_millis(50);
/// How often what was written is made so that it can be played.
const SETTLED_EVERY: Duration = Duration::from_secs(1);
/// Recordings that may begin or end between two turns.
const ASKED: usize = 1024;
/// A frame of every rate lasts so long.
const FRAMES_PER_SECOND: u64 = 50;

/// What becomes of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordingTold {
    /// Frames were lost; silence stands for them. Told of the first, and of all together at the end.
    Gap {
        /// Of which leg.
        leg: LegId,
        /// After so much of the recording.
        after: Duration,
    },
    /// It is whole, or what there is of it is.
    Ended {
        /// Of which leg.
        leg: LegId,
        /// How long it is.
        length: Duration,
        /// So much of it is silence that stands for what was lost.
        missing: Duration,
    },
    /// The file can be written no more; what was written before can be played.
    Failed {
        /// Of which leg.
        leg: LegId,
        /// For people.
        why: String,
    },
}

/// The thread that writes recordings. Dropping it ends those that have not.
#[derive(Debug)]
pub struct Recorder {
    asking: Option<Sender<Ask>>,
    recordings: Recordings,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
enum Ask {
    Begin { leg: LegId, tap: u64, file: File, sample_rate: u32 },
    End { leg: LegId },
}

impl Recorder {
    /// Starts the thread, and gives the shards' way to it, in which so many frames may wait: 50 for a second of one leg.
    /// `told` is called on the thread.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(
        frames: usize,
        told: impl FnMut(RecordingTold) + Send + 'static,
    ) -> io::Result<(Recorder, Recordings)> {
        let (recordings, inbox) = ring::of(frames);
        let (asking, asked) = bounded(ASKED);
        let mut writer = Writer { open: BTreeMap::new(), told: Box::new(told) };
        let run = move || writer.run(&asked, &inbox);
        let thread = std::thread::Builder::new().name("recorder".to_owned()).spawn(run)?;
        let recorder =
            Recorder { asking: Some(asking), recordings: recordings.clone(), thread: Some(thread) };
        Ok((recorder, recordings))
    }

    /// Writes what the leg says and is told into this file, which is empty, from its first frame on: the leg is to be
    /// tapped afterwards, with this rate. False if too much is asked at once.
    pub fn begin(&self, leg: LegId, file: File, sample_rate: u32) -> bool {
        self.ask(Ask::Begin { leg, tap: self.recordings.next_tap(), file, sample_rate })
    }

    /// The leg is tapped no longer: its file is complete when that is told. False if too much is asked at once.
    pub fn end(&self, leg: LegId) -> bool {
        self.ask(Ask::End { leg })
    }

    fn ask(&self, ask: Ask) -> bool {
        let asked = self.asking.as_ref().map(|asking| asking.try_send(ask));
        !matches!(asked, None | Some(Err(TrySendError::Full(_) | TrySendError::Disconnected(_))))
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.asking = None;
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

struct Writer {
    open: BTreeMap<LegId, Recording>,
    told: Box<dyn FnMut(RecordingTold) + Send>,
}

struct Recording {
    /// Frames of an earlier tap of the leg are not of this recording.
    tap: u64,
    wav: Wav,
    /// The number of the frame that is next.
    next: u64,
    missing: u64,
}

impl Writer {
    fn run(&mut self, asked: &Receiver<Ask>, inbox: &ring::Inbox) {
        let (mut look, mut settle) = (Instant::now(), Instant::now());
        loop {
            let ask = if self.open.is_empty() {
                asked.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                asked.recv_deadline(look)
            };
            // What begins has all that waits by now, and what ends has it too.
            match ask {
                Ok(Ask::Begin { leg, tap, file, sample_rate }) => self.begin(leg, tap, file, sample_rate),
                Ok(Ask::End { leg }) => {
                    self.take(inbox);
                    self.end(leg);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            // By the clock: where much begins and ends, no wait is ever a whole turn.
            let now = Instant::now();
            if look <= now {
                self.take(inbox);
                look = now + TURN;
            }
            if settle <= now {
                self.settle();
                settle = now + SETTLED_EVERY;
            }
        }
        self.take(inbox);
        let open: Vec<LegId> = self.open.keys().copied().collect();
        open.into_iter().for_each(|leg| self.end(leg));
    }

    fn take(&mut self, inbox: &ring::Inbox) {
        while let Some(frame) = inbox.next() {
            self.write(&frame);
            inbox.give_back(frame);
        }
    }

    fn begin(&mut self, leg: LegId, tap: u64, file: File, sample_rate: u32) {
        self.end(leg);
        match Wav::begin(file, sample_rate) {
            Ok(wav) => drop(self.open.insert(leg, Recording { tap, wav, next: 0, missing: 0 })),
            Err(error) => self.failed(leg, &error),
        }
    }

    fn write(&mut self, frame: &Frame) {
        let Some(recording) = self.open.get_mut(&frame.leg) else { return };
        if frame.tap < recording.tap {
            return;
        }
        let Some(missing) = frame.number.checked_sub(recording.next) else { return };
        let first = missing > 0 && recording.missing == 0;
        let after = span_of(recording.next);
        let written = recording.wav.silence(missing).and_then(|()| recording.wav.samples(&frame.samples));
        recording.missing += missing;
        recording.next = frame.number + 1;
        let leg = frame.leg;
        if let Err(error) = written {
            self.open.remove(&leg);
            return self.failed(leg, &error);
        }
        if first {
            (self.told)(RecordingTold::Gap { leg, after });
        }
    }

    /// What is written by now can be played, whatever comes.
    fn settle(&mut self) {
        let settled: Vec<(LegId, io::Result<()>)> =
            self.open.iter_mut().map(|(leg, recording)| (*leg, recording.wav.settle())).collect();
        for (leg, result) in settled {
            if let Err(error) = result {
                self.open.remove(&leg);
                self.failed(leg, &error);
            }
        }
    }

    fn end(&mut self, leg: LegId) {
        let Some(mut recording) = self.open.remove(&leg) else { return };
        match recording.wav.settle() {
            Ok(()) => {
                let (length, missing) = (span_of(recording.next), span_of(recording.missing));
                (self.told)(RecordingTold::Ended { leg, length, missing });
            }
            Err(error) => self.failed(leg, &error),
        }
    }

    fn failed(&mut self, leg: LegId, error: &io::Error) {
        let why = format!("the recording cannot be written: {error}; look whether the disk has room");
        (self.told)(RecordingTold::Failed { leg, why });
    }
}

fn span_of(frames: u64) -> Duration {
    Duration::from_millis(frames.saturating_mul(1000 / FRAMES_PER_SECOND))
}

#[cfg(test)]
mod tests;
