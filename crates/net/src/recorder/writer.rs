//! The thread that writes: it takes frames out of the ring, each to its file.

use super::folder::{RecordingsFolder, check_there};
use super::ring::{Frame, Inbox};
use super::wav::Wav;
use crossbeam_channel::{Receiver, RecvTimeoutError};
use media_api::{RecordingId, RecordingOrder, RecordingTold};
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How often the writer looks for frames. It is never woken by a shard: to wake a thread takes a lock.
const TURN: Duration = Duration::from_millis(50);
/// How often what was written is made so that it can be played, and disk and folder are looked at.
const SETTLED_EVERY: Duration = Duration::from_secs(1);
const FRAME_MILLIS: u64 = 20;
/// More than a day: silence is not written without end for a number that cannot be.
const FRAMES_MAX: u64 = 100 * 3600 * 1000 / FRAME_MILLIS;

pub(super) struct Writer {
    folder: RecordingsFolder,
    open: BTreeMap<RecordingId, Recording>,
    told: Box<dyn FnMut(RecordingTold) + Send>,
}

struct Recording {
    wav: Wav,
    path: PathBuf,
    only_said: bool,
    /// The piece that is written now.
    part: Option<u32>,
    /// The number of the frame that is next.
    next: u64,
    lost: u64,
    keep: bool,
    /// To be closed in the turn after the next, when what its leg still has is in the ring: so many turns from now.
    closing: Option<(u8, u64)>,
}

impl Writer {
    pub(super) fn new(folder: RecordingsFolder, told: Box<dyn FnMut(RecordingTold) + Send>) -> Writer {
        Writer { folder, open: BTreeMap::new(), told }
    }

    pub(super) fn run(&mut self, asked: &Receiver<RecordingOrder>, inbox: &Inbox) {
        let (mut look, mut settle) = (Instant::now(), Instant::now());
        loop {
            let ask = if self.open.is_empty() {
                asked.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                asked.recv_deadline(look)
            };
            match ask {
                Ok(order) => self.obey(order),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            // By the clock: where much begins and ends, no wait is ever a whole turn.
            let now = Instant::now();
            if look <= now {
                self.turn(inbox);
                look = now + TURN;
            }
            if settle <= now {
                self.settle();
                settle = now + SETTLED_EVERY;
            }
        }
        self.take(inbox);
        let open: Vec<RecordingId> = self.open.keys().copied().collect();
        open.into_iter().for_each(|recording| self.end(recording));
    }

    pub(super) fn obey(&mut self, order: RecordingOrder) {
        match order {
            RecordingOrder::Begin { recording, name, sample_rate, only_said } => {
                self.begin(recording, &name, sample_rate, only_said);
            }
            RecordingOrder::End { recording, frames, keep } => {
                if let Some(open) = self.open.get_mut(&recording) {
                    (open.closing, open.keep) = (Some((1, frames.min(FRAMES_MAX))), keep);
                }
            }
        }
    }

    fn begin(&mut self, recording: RecordingId, name: &str, sample_rate: u32, only_said: bool) {
        let channels = if only_said { 1 } else { 2 };
        let opened = self.folder.create(name).and_then(|(file, path)| {
            let wav = Wav::begin(file, sample_rate, channels)?;
            Ok(Recording { wav, path, only_said, part: None, next: 0, lost: 0, keep: true, closing: None })
        });
        match opened {
            Ok(open) => drop(self.open.insert(recording, open)),
            Err(error) => (self.told)(super::failed(recording, why(&error))),
        }
    }

    /// Writes what has come, and closes what was to be closed after it.
    pub(super) fn turn(&mut self, inbox: &Inbox) {
        self.take(inbox);
        let mut done = Vec::new();
        for (recording, open) in &mut self.open {
            match &mut open.closing {
                Some((0, _)) => done.push(*recording),
                Some((turns, _)) => *turns -= 1,
                None => {}
            }
        }
        done.into_iter().for_each(|recording| self.end(recording));
    }

    fn take(&mut self, inbox: &Inbox) {
        while let Some(frame) = inbox.next() {
            self.write(&frame);
            inbox.give_back(frame);
        }
    }

    fn write(&mut self, frame: &Frame) {
        let id = frame.part.recording;
        let Some(recording) = self.open.get_mut(&id) else { return };
        let before = recording.lost;
        let written = recording.write(frame);
        if before == 0 && recording.lost > 0 {
            tracing::warn!(path = %recording.path.display(), "a recording has gaps, for its disk is slow");
        }
        if let Err(error) = written {
            self.fail(id, &error);
        }
    }

    /// What is written by now can be played, whatever comes.
    fn settle(&mut self) {
        let room = self.folder.check_room().map_err(|error| error.to_string());
        let settled: Vec<(RecordingId, io::Result<()>)> = self
            .open
            .iter_mut()
            .map(|(id, open)| {
                let settled = open.wav.settle().and_then(|()| check_there(open.wav.file(), &open.path));
                (*id, settled.and_then(|()| room.clone().map_err(io::Error::other)))
            })
            .collect();
        for (id, result) in settled {
            if let Err(error) = result {
                self.fail(id, &error);
            }
        }
    }

    fn end(&mut self, id: RecordingId) {
        let Some(recording) = self.open.get_mut(&id) else { return };
        match recording.close() {
            Ok(()) => {
                let (length, lost) = (span_of(recording.next), span_of(recording.lost));
                self.open.remove(&id);
                (self.told)(RecordingTold::Ended { recording: id, length, lost });
            }
            Err(error) => self.fail(id, &error),
        }
    }

    fn fail(&mut self, id: RecordingId, error: &io::Error) {
        let Some(recording) = self.open.remove(&id) else { return };
        let (length, lost) = (span_of(recording.next), span_of(recording.lost));
        (self.told)(RecordingTold::Failed { recording: id, length, lost, why: why(error) });
    }
}

impl Recording {
    fn write(&mut self, frame: &Frame) -> io::Result<()> {
        let part = Some(frame.part.number);
        if part < self.part || frame.number > FRAMES_MAX {
            return Ok(());
        }
        // Before the first frame of a part there was nothing to be recorded; within one, something is missing.
        let expected = if part == self.part { self.next } else { frame.part.first.max(self.next) };
        self.part = part;
        let Some(gap) = frame.number.checked_sub(self.next) else { return Ok(()) };
        let lost = frame.number.saturating_sub(expected);
        self.wav.silence(gap)?;
        self.next += gap;
        self.lost += lost;
        self.wav.samples(&frame.samples, self.only_said)?;
        self.next += 1;
        Ok(())
    }

    fn close(&mut self) -> io::Result<()> {
        let frames = self.closing.map_or(0, |(_, frames)| frames);
        if let Some(rest) = frames.checked_sub(self.next) {
            self.wav.silence(rest)?;
            self.next += rest;
        }
        self.wav.settle()?;
        check_there(self.wav.file(), &self.path)?;
        if self.keep { Ok(()) } else { std::fs::remove_file(&self.path) }
    }
}

fn why(error: &io::Error) -> String {
    format!(
        "the recording cannot be written: {error}; look at the folder of recordings, and whether its disk has room"
    )
}

pub(super) fn span_of(frames: u64) -> Duration {
    Duration::from_millis(frames.saturating_mul(FRAME_MILLIS))
}
