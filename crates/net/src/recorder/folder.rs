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
    pub fn file(&self, name: &str) -> Option<PathBuf> {
        let letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let sound = letters && (1..=NAME_MAX).contains(&name.len());
        sound.then(|| self.path.join(format!("{name}.wav")))
    }

    /// A new file that nobody else may read. One that is there already is never written to, nor followed to elsewhere.
    pub(super) fn create(&self, name: &str) -> io::Result<(File, PathBuf)> {
        let path = self.file(name).ok_or_else(|| io::Error::other("that is no name for a recording"))?;
        self.check_room()?;
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
