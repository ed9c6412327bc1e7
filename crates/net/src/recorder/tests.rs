use super::*;
use std::sync::mpsc::{Receiver as Told, channel};
use std::time::Instant;

const RATE: u32 = 8000;
const LEG: LegId = LegId(1);

/// A frame of which each sample of the left channel is this, and of the right one its opposite.
fn frame(value: i16) -> Vec<u8> {
    (0..RATE / 50).flat_map(|_| [value, -value]).flat_map(i16::to_le_bytes).collect()
}

/// The samples of a file's left and right channel, one of each frame of 20 ms.
fn read(path: &std::path::Path) -> Vec<(i16, i16)> {
    let bytes = std::fs::read(path).unwrap();
    assert_eq!((&bytes[..4], &bytes[8..12], &bytes[36..40]), (&b"RIFF"[..], &b"WAVE"[..], &b"data"[..]));
    let size = u32::from_le_bytes(bytes[40..44].try_into().unwrap()) as usize;
    assert_eq!(size, bytes.len() - 44, "its size is that of what is in it");
    let sample = |at: usize| i16::from_le_bytes([bytes[at], bytes[at + 1]]);
    (44..bytes.len()).step_by(640).map(|at| (sample(at), sample(at + 2))).collect()
}

struct Desk {
    folder: tempfile::TempDir,
    recorder: Option<Recorder>,
    recordings: Recordings,
    told: Told<RecordingTold>,
}

fn desk(frames: usize) -> Desk {
    let (sender, told) = channel();
    let (recorder, recordings) = Recorder::start(frames, move |what| drop(sender.send(what))).unwrap();
    Desk { folder: tempfile::tempdir().unwrap(), recorder: Some(recorder), recordings, told }
}

impl Desk {
    fn begin(&self, name: &str) {
        let file = File::create(self.folder.path().join(name)).unwrap();
        assert!(self.recorder.as_ref().unwrap().begin(LEG, file, RATE));
    }

    /// A frame of a tap that begins now.
    fn put(&self, number: u64, samples: &[u8]) {
        self.recordings.put(LEG, self.recordings.tap(), number, samples);
    }

    fn end(&self) -> Vec<RecordingTold> {
        assert!(self.recorder.as_ref().unwrap().end(LEG));
        let mut all = Vec::new();
        loop {
            all.push(self.told.recv_timeout(Duration::from_secs(5)).unwrap());
            if let Some(RecordingTold::Ended { .. } | RecordingTold::Failed { .. }) = all.last() {
                return all;
            }
        }
    }
}

fn ended(frames: u64, missing: u64) -> RecordingTold {
    let (length, missing) = (span_of(frames), span_of(missing));
    RecordingTold::Ended { leg: LEG, length, missing }
}

#[test]
fn both_channels_stand_in_the_file_frame_for_frame() {
    let desk = desk(100);
    desk.begin("a.wav");
    (0..50).for_each(|number| desk.put(number, &frame(number as i16 + 1)));
    assert_eq!(desk.end(), [ended(50, 0)]);
    let expected: Vec<(i16, i16)> = (1..=50).map(|value| (value, -value)).collect();
    assert_eq!(read(&desk.folder.path().join("a.wav")), expected);
}

#[test]
fn what_is_lost_is_silence_of_the_same_length_and_is_told() {
    let desk = desk(100);
    desk.begin("a.wav");
    for number in [0, 1, 5, 6, 8] {
        desk.put(number, &frame(number as i16 + 1));
    }
    let gap = RecordingTold::Gap { leg: LEG, after: Duration::from_millis(40) };
    assert_eq!(desk.end(), [gap, ended(9, 4)]);
    let left: Vec<i16> = read(&desk.folder.path().join("a.wav")).into_iter().map(|(left, _)| left).collect();
    assert_eq!(left, [1, 2, 0, 0, 0, 6, 7, 0, 9]);
}

#[test]
fn a_writer_that_stands_still_costs_frames_and_no_time() {
    // Nobody writes: the inbox is held and never read.
    let (recordings, inbox) = ring::of(10);
    let samples = frame(1);
    let began = Instant::now();
    (0..100_000).for_each(|number| recordings.put(LEG, 1, number, &samples));
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    let kept = std::iter::from_fn(|| inbox.next()).map(|frame| frame.number);
    assert_eq!(kept.collect::<Vec<u64>>(), (0..10).collect::<Vec<u64>>(), "the rest was lost");
}

#[test]
fn a_full_ring_loses_the_newest_and_what_comes_after_stays_where_it_belongs() {
    let (recordings, inbox) = ring::of(3);
    (0..5).for_each(|number| recordings.put(LEG, 1, number, &frame(number as i16 + 1)));
    let mut writer = Writer { open: BTreeMap::new(), told: Box::new(|_| {}) };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.wav");
    writer.begin(LEG, 1, File::create(&path).unwrap(), RATE);
    while let Some(frame) = inbox.next() {
        writer.write(&frame);
        inbox.give_back(frame);
    }
    recordings.put(LEG, 1, 7, &frame(8));
    writer.write(&inbox.next().unwrap());
    writer.end(LEG);
    let left: Vec<i16> = read(&path).into_iter().map(|(left, _)| left).collect();
    assert_eq!(left, [1, 2, 3, 0, 0, 0, 0, 8]);
}

#[test]
fn a_frame_of_the_tap_before_that_comes_late_costs_the_next_recording_nothing() {
    let desk = desk(200);
    desk.begin("a.wav");
    let tap_before = desk.recordings.tap();
    (0..100).for_each(|number| desk.put(number, &frame(1)));
    assert_eq!(desk.end(), [ended(100, 0)]);
    desk.begin("b.wav");
    desk.recordings.put(LEG, tap_before, 100, &frame(1));
    (0..50).for_each(|number| desk.put(number, &frame(2)));
    assert_eq!(desk.end(), [ended(50, 0)]);
    assert_eq!(read(&desk.folder.path().join("b.wav")), [(2, -2); 50]);
}

#[test]
fn a_file_can_be_played_while_it_grows_and_after_the_recorder_is_gone() {
    let mut desk = desk(100);
    desk.begin("a.wav");
    let path = desk.folder.path().join("a.wav");
    desk.put(0, &frame(1));
    let began = Instant::now();
    while std::fs::metadata(&path).unwrap().len() < 44 + 640 {
        assert!(began.elapsed() < Duration::from_secs(5), "it is never written");
        std::thread::yield_now();
    }
    desk.put(1, &frame(2));
    desk.recorder = None;
    assert_eq!(read(&path), [(1, -1), (2, -2)]);
    assert_eq!(desk.told.recv(), Ok(ended(2, 0)));
    desk.put(2, &frame(3));
}

#[test]
fn a_file_can_be_played_while_it_grows_however_often_others_begin_and_end() {
    let desk = desk(100);
    desk.begin("a.wav");
    desk.put(0, &frame(1));
    let size = || std::fs::read(desk.folder.path().join("a.wav")).unwrap().get(40..44).map(<[u8]>::to_vec);
    let (recorder, other) = (desk.recorder.as_ref().unwrap(), LegId(2));
    let began = Instant::now();
    while size().is_none_or(|size| size == [0; 4]) {
        assert!(began.elapsed() < Duration::from_secs(4), "it is never settled");
        let file = File::create(desk.folder.path().join("b.wav")).unwrap();
        assert!(recorder.begin(other, file, RATE) && recorder.end(other));
        let ended = desk.told.recv_timeout(Duration::from_secs(5)).unwrap();
        assert!(matches!(ended, RecordingTold::Ended { leg, .. } if leg == other), "{ended:?}");
    }
}

#[test]
fn frames_of_who_is_not_recorded_are_passed_over_and_a_disk_that_fails_is_told() {
    let desk = desk(4);
    (0..100).for_each(|number| desk.recordings.put(LegId(9), 1, number, &frame(1)));
    let path = desk.folder.path().join("a.wav");
    std::fs::write(&path, []).unwrap();
    // Opened for reading only: nothing can be written.
    assert!(desk.recorder.as_ref().unwrap().begin(LEG, File::open(&path).unwrap(), RATE));
    let told = desk.told.recv_timeout(Duration::from_secs(5)).unwrap();
    assert!(matches!(&told, RecordingTold::Failed { leg: LEG, why } if why.contains("disk")), "{told:?}");
    desk.begin("b.wav");
    assert_eq!(desk.end(), [ended(0, 0)], "the next one is none the worse");
}
