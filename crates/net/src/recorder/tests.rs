use super::writer::span_of;
use super::*;
use media_api::Part;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver as Told, channel};
use std::time::Instant;

const RATE: u32 = 8000;
const ID: RecordingId = RecordingId(1);
const FIRST: Part = Part { recording: ID, number: 0, first: 0 };

/// A frame of which each sample of the left channel is this, and of the right one its opposite.
fn frame(value: i16) -> Vec<u8> {
    (0..RATE / 50).flat_map(|_| [value, -value]).flat_map(i16::to_le_bytes).collect()
}

/// The samples of a file's channels, one of each frame of 20 ms.
fn read(path: &Path) -> Vec<Vec<i16>> {
    let bytes = fs::read(path).unwrap();
    assert_eq!((&bytes[..4], &bytes[8..12], &bytes[36..40]), (&b"RIFF"[..], &b"WAVE"[..], &b"data"[..]));
    let size = u32::from_le_bytes(bytes[40..44].try_into().unwrap()) as usize;
    assert_eq!(size, bytes.len() - 44, "its size is that of what is in it");
    let channels = usize::from(u16::from_le_bytes([bytes[22], bytes[23]]));
    let sample = |at: usize| i16::from_le_bytes([bytes[at], bytes[at + 1]]);
    let frames = (44..bytes.len()).step_by(320 * channels);
    frames.map(|at| (0..channels).map(|channel| sample(at + 2 * channel)).collect()).collect()
}

fn left(path: &Path) -> Vec<i16> {
    read(path).into_iter().map(|frame| frame[0]).collect()
}

fn begin(recording: RecordingId, name: &str) -> RecordingOrder {
    RecordingOrder::Begin { recording, name: name.to_owned(), sample_rate: RATE, only_said: false }
}

fn end_at(frames: u64) -> RecordingOrder {
    RecordingOrder::End { recording: ID, frames, keep: true }
}

struct Desk {
    folder: tempfile::TempDir,
    recorder: Option<Recorder>,
    recordings: Recordings,
    told: Told<RecordingTold>,
}

fn desk(frames: usize) -> Desk {
    desk_with(frames, 0)
}

fn desk_with(frames: usize, free_min: u64) -> Desk {
    let (sender, told) = channel();
    let folder = tempfile::tempdir().unwrap();
    let at = RecordingsFolder { path: folder.path().join("recordings"), free_min };
    let (recorder, recordings) = Recorder::start(at, frames, move |what| drop(sender.send(what))).unwrap();
    Desk { folder, recorder: Some(recorder), recordings, told }
}

impl Desk {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("recordings").join(name)
    }

    fn order(&mut self, order: RecordingOrder) {
        assert_eq!(self.recorder.as_mut().unwrap().order(order), None);
    }

    fn put(&self, number: u64, samples: &[u8]) {
        self.recordings.put(FIRST, number, samples);
    }

    fn told(&self) -> RecordingTold {
        self.told.recv_timeout(Duration::from_secs(5)).unwrap()
    }

    fn end(&mut self) -> RecordingTold {
        self.order(end_at(0));
        self.told()
    }
}

fn ended(frames: u64, lost: u64) -> RecordingTold {
    RecordingTold::Ended { recording: ID, length: span_of(frames), lost: span_of(lost) }
}

/// The reason of a failure of the recording.
fn why(told: RecordingTold) -> String {
    match told {
        RecordingTold::Failed { recording: ID, why, .. } => why,
        other => panic!("it did not fail: {other:?}"),
    }
}

#[test]
fn both_channels_stand_in_the_file_frame_for_frame_and_only_we_may_read_it() {
    let mut desk = desk(100);
    desk.order(begin(ID, "a"));
    (0..50).for_each(|number| desk.put(number, &frame(number as i16 + 1)));
    assert_eq!(desk.end(), ended(50, 0));
    let expected: Vec<Vec<i16>> = (1..=50).map(|value| vec![value, -value]).collect();
    assert_eq!(read(&desk.path("a.wav")), expected);
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(desk.path("a.wav")), mode(desk.path(""))), (0o600, 0o700));
}

#[test]
fn a_message_is_what_the_party_says_alone() {
    let mut desk = desk(100);
    desk.order(RecordingOrder::Begin {
        recording: ID,
        name: "a".to_owned(),
        sample_rate: RATE,
        only_said: true,
    });
    (0..3).for_each(|number| desk.put(number, &frame(number as i16 + 1)));
    assert_eq!(desk.end(), ended(3, 0));
    assert_eq!(read(&desk.path("a.wav")), [[1], [2], [3]]);
}

#[test]
fn of_a_message_in_which_nothing_was_said_no_file_is_left() {
    let mut desk = desk(100);
    desk.order(begin(ID, "a"));
    desk.put(0, &frame(0));
    desk.order(RecordingOrder::End { recording: ID, frames: 0, keep: false });
    assert_eq!(desk.told(), ended(1, 0));
    assert!(!desk.path("a.wav").exists());
}

#[test]
fn what_is_lost_is_silence_of_the_same_length_and_is_told() {
    let mut desk = desk(100);
    desk.order(begin(ID, "a"));
    for number in [0, 1, 5, 6, 8] {
        desk.put(number, &frame(number as i16 + 1));
    }
    assert_eq!(desk.end(), ended(9, 4));
    assert_eq!(left(&desk.path("a.wav")), [1, 2, 0, 0, 0, 6, 7, 0, 9]);
}

#[test]
fn a_pause_is_silence_that_nobody_lost_and_what_comes_of_before_it_is_passed_over() {
    let mut desk = desk(100);
    desk.order(begin(ID, "a"));
    (0..3).for_each(|number| desk.put(number, &frame(1)));
    let second = Part { number: 1, first: 6, ..FIRST };
    (7..9).for_each(|number| desk.recordings.put(second, number, &frame(2)));
    desk.put(9, &frame(9));
    desk.order(end_at(12));
    assert_eq!(desk.told(), ended(12, 1), "one frame at the begin of the second part did not come");
    assert_eq!(left(&desk.path("a.wav")), [1, 1, 1, 0, 0, 0, 0, 2, 2, 0, 0, 0]);
}

#[test]
fn a_leg_that_takes_over_later_than_it_should_overlaps_nothing() {
    let mut desk = desk(100);
    desk.order(begin(ID, "a"));
    (0..5).for_each(|number| desk.put(number, &frame(1)));
    let second = Part { number: 1, first: 3, ..FIRST };
    (3..7).for_each(|number| desk.recordings.put(second, number, &frame(2)));
    assert_eq!(desk.end(), ended(7, 0));
    assert_eq!(left(&desk.path("a.wav")), [1, 1, 1, 1, 1, 2, 2]);
}

#[test]
fn a_writer_that_stands_still_costs_frames_and_no_time() {
    // Nobody writes: the inbox is held and never read.
    let (recordings, inbox) = ring::of(10);
    let samples = frame(1);
    let began = Instant::now();
    (0..100_000).for_each(|number| recordings.put(FIRST, number, &samples));
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    let kept = std::iter::from_fn(|| inbox.next()).map(|frame| frame.number);
    assert_eq!(kept.collect::<Vec<u64>>(), (0..10).collect::<Vec<u64>>(), "the rest was lost");
}

#[test]
fn a_full_ring_loses_the_newest_and_what_comes_after_stays_where_it_belongs() {
    let (recordings, inbox) = ring::of(3);
    (0..5).for_each(|number| recordings.put(FIRST, number, &frame(number as i16 + 1)));
    let folder = tempfile::tempdir().unwrap();
    let at = RecordingsFolder { path: folder.path().to_owned(), free_min: 0 };
    let (sender, told) = channel();
    let mut writer = Writer::new(at, Box::new(move |what| drop(sender.send(what))));
    writer.obey(begin(ID, "a"));
    writer.turn(&inbox);
    recordings.put(FIRST, 7, &frame(8));
    writer.obey(end_at(0));
    writer.turn(&inbox);
    assert!(told.try_recv().is_err(), "what its leg still has may come a turn later");
    recordings.put(FIRST, 8, &frame(9));
    writer.turn(&inbox);
    assert_eq!(told.recv(), Ok(ended(9, 4)));
    assert_eq!(left(&folder.path().join("a.wav")), [1, 2, 3, 0, 0, 0, 0, 8, 9]);
}

#[test]
fn a_file_can_be_played_while_it_grows_and_after_the_recorder_is_gone() {
    let mut desk = desk(100);
    desk.order(begin(ID, "a"));
    let path = desk.path("a.wav");
    desk.put(0, &frame(1));
    let began = Instant::now();
    while fs::metadata(&path).map_or(0, |file| file.len()) < 44 + 640 {
        assert!(began.elapsed() < Duration::from_secs(5), "it is never written");
        std::thread::yield_now();
    }
    desk.put(1, &frame(2));
    desk.recorder = None;
    assert_eq!(left(&path), [1, 2]);
    assert_eq!(desk.told.recv(), Ok(ended(2, 0)));
    desk.put(2, &frame(3));
}

#[test]
fn a_file_can_be_played_while_it_grows_however_often_others_begin_and_end() {
    let mut desk = desk(100);
    desk.order(begin(ID, "a"));
    desk.put(0, &frame(1));
    let path = desk.path("a.wav");
    let size = || fs::read(&path).ok().and_then(|file| file.get(40..44).map(<[u8]>::to_vec));
    let began = Instant::now();
    for number in 2.. {
        if size().is_some_and(|size| size != [0; 4]) {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(4), "it is never settled");
        let other = RecordingId(number);
        desk.order(begin(other, &format!("b{number}")));
        desk.order(RecordingOrder::End { recording: other, frames: 0, keep: true });
        let told = desk.told();
        assert!(matches!(told, RecordingTold::Ended { recording, .. } if recording == other), "{told:?}");
    }
}

#[test]
fn of_orders_that_a_slow_disk_has_no_room_for_a_begin_is_refused_and_an_end_is_told_later() {
    let (asking, asked) = bounded(1);
    let mut recorder = Recorder { asking: Some(asking), unsent: VecDeque::new(), thread: None };
    assert_eq!(recorder.order(begin(ID, "a")), None);
    let other = RecordingId(2);
    let Some(RecordingTold::Failed { recording, .. }) = recorder.order(begin(other, "b")) else {
        panic!("there is no room")
    };
    assert_eq!((recording, recorder.order(end_at(7))), (other, None));
    assert_eq!(asked.recv(), Ok(begin(ID, "a")));
    assert!(recorder.order(begin(other, "c")).is_some(), "the end goes first");
    assert_eq!(asked.recv(), Ok(end_at(7)));
    assert_eq!(recorder.order(begin(other, "d")), None);
    assert_eq!(asked.recv(), Ok(begin(other, "d")));
}

#[test]
fn no_name_leads_out_of_the_folder_or_into_a_file_that_is_there() {
    let mut desk = desk(4);
    for name in ["", "../a", "/etc/passwd", "a/b/c", "a.b", "a\0b", ".", "à", &"a".repeat(101)] {
        desk.order(begin(ID, name));
        assert!(why(desk.told()).contains("no name"), "{name}");
    }
    fs::write(desk.path("kept.wav"), "mine").unwrap();
    std::os::unix::fs::symlink(desk.folder.path().join("elsewhere"), desk.path("link.wav")).unwrap();
    for name in ["kept", "link"] {
        desk.order(begin(ID, name));
        assert!(why(desk.told()).contains("exists"), "{name}");
    }
    assert_eq!(fs::read(desk.path("kept.wav")).unwrap(), b"mine");
    assert!(!desk.folder.path().join("elsewhere").exists());
    desk.order(begin(ID, "b"));
    assert_eq!(desk.end(), ended(0, 0), "the next one is none the worse");
}

#[test]
fn a_disk_with_too_little_room_takes_no_recording() {
    let mut desk = desk_with(4, u64::MAX);
    desk.order(begin(ID, "a"));
    assert!(why(desk.told()).contains("MB are free"));
    assert!(!desk.path("a.wav").exists());
}

#[test]
fn a_disk_that_is_full_fails_the_recording_alone() {
    if !Path::new("/dev/full").exists() {
        return println!("skipped: there is no /dev/full");
    }
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let error = wav::Wav::begin(full, RATE, 2).err().expect("nothing can be written there");
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
}

#[test]
fn a_folder_that_vanishes_is_told_and_so_is_one_that_is_not_there() {
    let mut desk = desk(100);
    desk.order(begin(ID, "a"));
    let began = Instant::now();
    while !desk.path("a.wav").exists() {
        assert!(began.elapsed() < Duration::from_secs(5), "it never begins");
        std::thread::yield_now();
    }
    desk.put(0, &frame(1));
    fs::remove_dir_all(desk.path("")).unwrap();
    assert!(why(desk.told()).contains("No such file"));
    desk.order(begin(ID, "b"));
    assert!(why(desk.told()).contains("No such file"));
}
