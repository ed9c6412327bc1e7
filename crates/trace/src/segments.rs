//! The folder of messages: files that are only ever appended to, each with the time of its first message in its
//! name. The oldest are deleted whole when they are too old, or all are too large.

use crate::record::{self, HEAD};
use crate::{Traced, born};
use base::Wall;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a file begins with. Another version of the program may write otherwise.
const MARK: &[u8; 16] = b"cornetta-trace1\n";
/// Calls' messages may lie a little before the call's own beginning, and clocks are set.
const SLACK: Duration = Duration::from_secs(120);
/// The most messages of a call that are read, and their bytes: many times what a long call has.
const MESSAGES_MAX: usize = 5000;
const BYTES_MAX: usize = 16 * 1024 * 1024;

/// How much is kept, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Nothing is kept longer, give or take an eighth.
    pub keep: Duration,
    /// Bytes of all files together, give or take an eighth.
    pub size_max: u64,
}

impl Limits {
    fn file_bytes(&self) -> u64 {
        self.size_max / 8
    }

    fn file_age(&self) -> Duration {
        self.keep / 8
    }
}

/// The messages of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// In the order in which they went by.
    pub messages: Vec<Traced>,
    /// There are more than can be shown.
    pub more: bool,
}

/// Reads the messages of a call in a folder. A folder that is not there holds none.
///
/// # Errors
/// The folder or a file in it cannot be read.
pub fn read_call(folder: &Path, call: &str) -> io::Result<Found> {
    let files = listed(folder)?;
    let from = born(call).map_or(i64::MIN, |at| at.unix_micros().saturating_sub(micros(SLACK)));
    let (mut found, mut room) = (Found::default(), BYTES_MAX);
    for (place, (_, path)) in files.iter().enumerate() {
        // A file ends where the next begins.
        if files.get(place + 1).is_some_and(|(next, _)| *next < from) {
            continue;
        }
        read_file(path, call, &mut found, &mut room)?;
    }
    found.messages.sort_by_key(|message| message.at);
    Ok(found)
}

/// Adds what a file has of the call, while there is room for so many bytes.
fn read_file(path: &Path, call: &str, found: &mut Found, room: &mut usize) -> io::Result<()> {
    let file = match File::open(path) {
        Ok(file) => file,
        // It was too old, just now.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut file = BufReader::with_capacity(1 << 16, file);
    let mut mark = [0; MARK.len()];
    if !fill(&mut file, &mut mark)? || mark != *MARK {
        return Ok(());
    }
    let mut payload = Vec::new();
    loop {
        let mut head = [0; HEAD];
        if !fill(&mut file, &mut head)? {
            return Ok(());
        }
        // What follows a record that was cut by a crash is nothing: a new start begins a new file.
        let Some((length, checksum)) = record::head(head) else { return Ok(()) };
        payload.resize(length, 0);
        if !fill(&mut file, &mut payload)? {
            return Ok(());
        }
        if record::call_of(&payload) != Some(call.as_bytes()) {
            continue;
        }
        if found.more || found.messages.len() >= MESSAGES_MAX || *room < length {
            found.more = true;
            return Ok(());
        }
        *room -= length;
        let Some(message) = record::decode(&payload, checksum) else { return Ok(()) };
        found.messages.push(message);
    }
}

/// Whether there were so many bytes.
fn fill(from: &mut impl Read, into: &mut [u8]) -> io::Result<bool> {
    match from.read_exact(into) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// The files by their beginnings, oldest first.
fn listed(folder: &Path) -> io::Result<Vec<(i64, PathBuf)>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let began = name.strip_prefix("sip-").and_then(|rest| rest.strip_suffix(".trace")?.parse().ok());
        files.extend(began.map(|began: i64| (began, path)));
    }
    files.sort();
    Ok(files)
}

/// The folder as its one writer sees it.
#[derive(Debug)]
pub(crate) struct Segments {
    folder: PathBuf,
    limits: Limits,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    file: File,
    began: Wall,
    bytes: u64,
}

impl Segments {
    pub(crate) fn new(folder: PathBuf, limits: Limits) -> Segments {
        Segments { folder, limits, open: None }
    }

    /// Writes records that went by at `now`, in one go. After an error the next call begins a new file.
    pub(crate) fn append(&mut self, now: Wall, records: &[u8]) -> io::Result<()> {
        self.turn_over(now);
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.begin(now)?,
        };
        open.file.write_all(records)?;
        open.bytes += records.len() as u64;
        self.open = Some(open);
        Ok(())
    }

    /// Ends a file that is large or old enough.
    fn turn_over(&mut self, now: Wall) {
        let limits = self.limits;
        let age = |open: &Open| now.unix_micros().saturating_sub(open.began.unix_micros());
        // A clock that was set back ends a file too, so that names tell the truth.
        self.open.take_if(|open| {
            open.bytes >= limits.file_bytes() || age(open) >= micros(limits.file_age()) || age(open) < 0
        });
    }

    fn begin(&mut self, now: Wall) -> io::Result<Open> {
        fs::create_dir_all(&self.folder)?;
        for later in 0..1000 {
            let began = now + Duration::from_micros(later);
            let path = self.folder.join(format!("sip-{:020}.trace", began.unix_micros()));
            match private().create_new(true).append(true).open(path) {
                Ok(mut file) => {
                    file.write_all(MARK)?;
                    return Ok(Open { file, began, bytes: MARK.len() as u64 });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::new(io::ErrorKind::AlreadyExists, "a thousand files of the same microsecond"))
    }

    /// Deletes what is too old or too much.
    pub(crate) fn forget(&mut self, now: Wall) -> io::Result<()> {
        self.turn_over(now);
        let files = listed(&self.folder)?;
        let lengths: Vec<u64> =
            files.iter().map(|(_, path)| fs::metadata(path).map_or(0, |m| m.len())).collect();
        let mut all: u64 = lengths.iter().sum();
        let oldest = now.unix_micros().saturating_sub(micros(self.limits.keep));
        let last = files.len().saturating_sub(1);
        for (place, (began, path)) in files.iter().enumerate() {
            if place == last && self.open.is_some() {
                break;
            }
            // No message of a file is younger than the next file's beginning, or than an eighth of `keep`.
            let next = files.get(place + 1).map(|(next, _)| *next);
            let ended = began.saturating_add(micros(self.limits.file_age()));
            let old = next.map_or(ended, |next| next.min(ended)) < oldest;
            if !old && all <= self.limits.size_max {
                break;
            }
            fs::remove_file(path)?;
            all = all.saturating_sub(lengths.get(place).copied().unwrap_or(0));
        }
        Ok(())
    }
}

/// Messages hold people's numbers: nobody else on the machine reads them.
fn private() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Way;
    use sip::ua::{Flow, Transport};

    const DAY: Duration = Duration::from_secs(24 * 3600);

    fn message(call: &str, at: Wall, bytes: usize) -> Traced {
        let address = "127.0.0.1:5060".parse().unwrap();
        let flow = Flow { transport: Transport::Udp, local: address, remote: address };
        Traced { at, call: call.into(), way: Way::In, flow, bytes: vec![b'x'; bytes] }
    }

    fn write(segments: &mut Segments, call: &str, at: Wall, bytes: usize) {
        segments.append(at, &record::encode(&message(call, at, bytes))).unwrap();
        segments.forget(at).unwrap();
    }

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trace");
        (folder, path)
    }

    #[test]
    fn a_call_is_found_over_several_files_and_no_other_with_it() {
        let (_kept, path) = folder();
        let mut segments = Segments::new(path.clone(), Limits { keep: 8 * DAY, size_max: 1 << 30 });
        let mut at = Wall::from_unix_micros(1_700_000_000_000_000);
        assert_eq!(read_call(&path, "a").unwrap(), Found::default());
        for day in 0..3 {
            write(&mut segments, "a", at, 100 + day);
            write(&mut segments, "b", at, 200);
            at = at + DAY;
        }
        assert_eq!(listed(&path).unwrap().len(), 3);
        let found = read_call(&path, "a").unwrap();
        let lengths: Vec<usize> = found.messages.iter().map(|message| message.bytes.len()).collect();
        assert_eq!((lengths, found.more), (vec![100, 101, 102], false));
    }

    #[test]
    fn what_is_too_old_is_deleted_and_what_is_not_stays() {
        let (_kept, path) = folder();
        let mut segments = Segments::new(path.clone(), Limits { keep: 8 * DAY, size_max: 1 << 30 });
        let begin = Wall::from_unix_micros(1_700_000_000_000_000);
        for day in 0..30 {
            write(&mut segments, "a", begin + DAY * day, 10);
        }
        let found = read_call(&path, "a").unwrap();
        let oldest = found.messages[0].at;
        assert!(oldest >= begin + DAY * 20 && oldest <= begin + DAY * 21, "{oldest:?}");
        segments.forget(begin + DAY * 60).unwrap();
        assert_eq!(read_call(&path, "a").unwrap(), Found::default(), "without new messages too");
    }

    #[test]
    fn all_files_together_stay_below_their_limit() {
        let (_kept, path) = folder();
        let size_max = 64 * 1024;
        let mut segments = Segments::new(path.clone(), Limits { keep: DAY, size_max });
        let begin = Wall::from_unix_micros(1_700_000_000_000_000);
        for second in 0..400 {
            write(&mut segments, "a", begin + Duration::from_millis(second), 1000);
            let all: u64 =
                listed(&path).unwrap().iter().map(|(_, path)| fs::metadata(path).unwrap().len()).sum();
            assert!(all <= size_max + size_max / 8, "{all}");
        }
        let found = read_call(&path, "a").unwrap();
        assert!(found.messages.len() >= 50, "{}", found.messages.len());
        assert_eq!(found.messages.last().unwrap().at, begin + Duration::from_millis(399));
    }

    #[test]
    fn a_record_that_was_cut_hides_nothing_before_it() {
        let (_kept, path) = folder();
        let mut segments = Segments::new(path.clone(), Limits { keep: DAY, size_max: 1 << 30 });
        let at = Wall::from_unix_micros(1_700_000_000_000_000);
        write(&mut segments, "a", at, 100);
        write(&mut segments, "a", at, 100);
        let file = &listed(&path).unwrap()[0].1;
        let length = fs::metadata(file).unwrap().len();
        OpenOptions::new().write(true).open(file).unwrap().set_len(length - 1).unwrap();
        assert_eq!(read_call(&path, "a").unwrap().messages.len(), 1);
        let mut again = Segments::new(path.clone(), Limits { keep: DAY, size_max: 1 << 30 });
        write(&mut again, "a", at, 100);
        assert_eq!(read_call(&path, "a").unwrap().messages.len(), 2);
    }

    #[test]
    fn a_file_of_another_kind_is_passed_over_and_a_call_too_long_is_cut() {
        let (_kept, path) = folder();
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("sip-1.trace"), "something else").unwrap();
        fs::write(path.join("notes.txt"), "hello").unwrap();
        let mut segments = Segments::new(path.clone(), Limits { keep: DAY, size_max: 1 << 30 });
        let at = Wall::from_unix_micros(1_700_000_000_000_000);
        for _ in 0..=MESSAGES_MAX {
            segments.append(at, &record::encode(&message("a", at, 1))).unwrap();
        }
        let found = read_call(&path, "a").unwrap();
        assert_eq!((found.messages.len(), found.more), (MESSAGES_MAX, true));
    }

    #[test]
    fn of_large_messages_fewer_are_read() {
        let (_kept, path) = folder();
        let mut segments = Segments::new(path.clone(), Limits { keep: DAY, size_max: 1 << 30 });
        let at = Wall::from_unix_micros(1_700_000_000_000_000);
        let large = record::encode(&message("a", at, 64_000));
        for _ in 0..300 {
            segments.append(at, &large).unwrap();
        }
        segments.append(at, &record::encode(&message("a", at, 1))).unwrap();
        let found = read_call(&path, "a").unwrap();
        let read: usize = found.messages.iter().map(|message| message.bytes.len()).sum();
        assert!(found.more && read <= BYTES_MAX && read > BYTES_MAX - 200_000, "{read}");
        assert!(found.messages.iter().all(|message| message.bytes.len() > 1), "a hole in the middle");
    }
}
