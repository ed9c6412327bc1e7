//! Where recordings lie: one folder, which only we may read, and which keeps some room on its disk.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A name is cut nowhere: a longer one is refused.
const NAME_MAX: usize = 100;

/// The folder of recordings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingsFolder {
    /// Its path.
    pub path: PathBuf,
    /// So many bytes stay free on its disk: with less, no recording begins, and those that run end.
    pub free_min: u64,
}

impl RecordingsFolder {
    /// Makes the folder if it is not there, for us alone.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn make(&self) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.path)
    }

    /// The path of a recording's file, if that is a name which a recording can have: letters, digits and `-` lead nowhere else.
    /// Before a `/` stands the body whose it is, and in whose folder it lies.
    pub fn file(&self, name: &str) -> Option<PathBuf> {
        let (body, own) = name.split_once('/').map_or((None, name), |(body, own)| (Some(body), own));
        let letters = |part: &str, more: &[u8]| {
            let letter = |byte: u8| byte.is_ascii_alphanumeric() || more.contains(&byte);
            !part.is_empty() && part.bytes().all(letter)
        };
        let sound = letters(own, b"-") && body.is_none_or(|body| letters(body, b"_-"));
        (sound && name.len() <= NAME_MAX).then(|| self.path.join(format!("{name}.wav")))
    }

    /// A new file that nobody else may read. One that is there already is never written to, nor followed to elsewhere.
    pub(super) fn create(&self, name: &str) -> io::Result<(File, PathBuf)> {
        let path = self.file(name).ok_or_else(|| io::Error::other("that is no name for a recording"))?;
        self.check_room()?;
        if let Some(folder) = path.parent().filter(|folder| *folder != self.path) {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok((file, path))
    }

    /// Whether enough stays free.
    pub(super) fn check_room(&self) -> io::Result<()> {
        let disk = rustix::fs::statvfs(&self.path)?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        if free >= self.free_min {
            return Ok(());
        }
        let (free, least) = (free / 1_000_000, self.free_min / 1_000_000);
        Err(io::Error::other(format!("{free} MB are free on its disk, and {least} MB are to stay so")))
    }
}

/// Whether what is written into this file can still be found at its path.
pub(super) fn check_there(file: &File, path: &Path) -> io::Result<()> {
    let (open, there) = (file.metadata()?, std::fs::symlink_metadata(path)?);
    if (open.dev(), open.ino()) == (there.dev(), there.ino()) {
        return Ok(());
    }
    Err(io::Error::other("another file has its name now"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_lies_in_the_folder_or_in_that_of_its_body_and_nowhere_else() {
        let folder = RecordingsFolder { path: PathBuf::from("/r"), free_min: 0 };
        assert_eq!(folder.file("desk-1"), Some(PathBuf::from("/r/desk-1.wav")));
        assert_eq!(folder.file("ve_1/desk-1"), Some(PathBuf::from("/r/ve_1/desk-1.wav")));
        for wrong in
            ["", "/", "/desk-1", "venezia/", "../desk-1", "venezia/../x", "a/b/c", "venezia/x.wav", "a.b/c"]
        {
            assert_eq!(folder.file(wrong), None, "{wrong}");
        }
        assert_eq!(folder.file(&"x".repeat(NAME_MAX + 1)), None);
    }

    #[test]
    fn the_folder_of_a_body_is_made_for_its_first_recording_for_us_alone() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = RecordingsFolder { path: temporary.path().to_owned(), free_min: 0 };
        let (_, path) = folder.create("venezia/desk-1").unwrap();
        assert_eq!(path, temporary.path().join("venezia/desk-1.wav"));
        let mode = std::fs::metadata(temporary.path().join("venezia")).unwrap().mode();
        assert_eq!(mode & 0o777, 0o700);
        assert!(folder.create("venezia/desk-1").is_err(), "one that is there is never written to");
    }
}
