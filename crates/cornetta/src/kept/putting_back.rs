//! A kept version that takes the place of the present one: made ready beside it, checked there, and exchanged for it.

use super::atomic::{files, put_in_place, remove, write_in};
use document::Fault;
use ivr::unveiled;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// The folders of a script's own files; what else lies in them, such as tables of look-ups, belongs to no version.
const FOLDERS: [&str; 5] = ["phrases", "calendars", "parts", "look_ups", "tests"];

/// A version beside the present one, until it takes its place. It is gone with this value.
#[derive(Debug)]
pub(crate) struct PuttingBack {
    present: PathBuf,
    ready: PathBuf,
}

/// Why a version cannot be made ready.
#[derive(Debug)]
pub(crate) enum NotPutBack {
    /// The disk.
    Failed(io::Error),
    /// Secrets that the present look-ups have not.
    Faults(Vec<Fault>),
}

impl From<io::Error> for NotPutBack {
    fn from(error: io::Error) -> NotPutBack {
        NotPutBack::Failed(error)
    }
}

impl PuttingBack {
    /// Makes the version in `kept` ready beside the script in the folder `script`: the version's files, with the secrets of
    /// the present look-ups, and all that lies beside them now.
    pub(crate) fn make_ready(script: &Path, kept: &Path) -> Result<PuttingBack, NotPutBack> {
        // Where a link stands for the folder, what it leads to is exchanged.
        let present = if script.exists() { fs::canonicalize(script)? } else { script.to_owned() };
        let name = present.file_name().and_then(|name| name.to_str()).unwrap_or("script");
        let ready = present.with_file_name(format!(".{name}.roll-back"));
        remove(&ready)?;
        fs::create_dir_all(&ready)?;
        let putting_back = PuttingBack { present, ready };
        putting_back.fill(kept)?;
        Ok(putting_back)
    }

    /// Where it is ready.
    pub(crate) fn ready(&self) -> &Path {
        &self.ready
    }

    /// The folder whose place it is to take.
    pub(crate) fn present(&self) -> &Path {
        &self.present
    }

    /// Takes the present one's place, at once and whole.
    pub(crate) fn take_place(self) -> io::Result<()> {
        put_in_place(&self.ready, &self.present)
    }

    fn fill(&self, kept: &Path) -> Result<(), NotPutBack> {
        if self.present.is_dir() {
            take_along(&self.present, &self.ready, Path::new(""))?;
        }
        let mut faults = Vec::new();
        for place in files(kept, "")? {
            let text = fs::read_to_string(kept.join(&place))?;
            let now = fs::read_to_string(self.present.join(&place)).ok();
            let text = match place.starts_with("look_ups/") {
                true => unveiled(&text, now.as_deref()),
                false => Ok(text),
            };
            match text {
                Ok(text) => write_in(&self.ready, &place, &text)?,
                Err(secrets) => {
                    faults.extend(secrets.into_iter().map(|secret| self.not_there(&place, &secret)))
                }
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(NotPutBack::Faults(faults)) }
    }

    fn not_there(&self, place: &str, secret: &str) -> Fault {
        Fault {
            file: self.present.join(place).display().to_string(),
            line: 1,
            column: 1,
            what: format!("that version has a secret as `{secret}`, and secrets are not kept"),
            what_to_do: "write it into the present file for the time being, and roll back then".to_owned(),
        }
    }
}

impl Drop for PuttingBack {
    fn drop(&mut self) {
        // Otherwise the next one removes it.
        let _ = remove(&self.ready);
    }
}

/// Whether a file belongs to a script's versions.
fn is_of_script(place: &Path) -> bool {
    let is_toml = place.extension().is_some_and(|kind| kind == "toml");
    let folder = place.parent().and_then(Path::to_str).unwrap_or_default();
    place == Path::new("flow.toml") || (is_toml && FOLDERS.contains(&folder))
}

/// Whatever lies beside a script's own files is there with the other version, too: the same files, not copies.
fn take_along(from: &Path, to: &Path, within: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from.join(within))? {
        let entry = entry?;
        let (kind, place) = (entry.file_type()?, within.join(entry.file_name()));
        if kind.is_dir() {
            fs::create_dir_all(to.join(&place))?;
            take_along(from, to, &place)?;
        } else if is_of_script(&place) {
            continue;
        } else if kind.is_symlink() {
            symlink(fs::read_link(entry.path())?, to.join(&place))?;
        } else {
            fs::hard_link(entry.path(), to.join(&place))?;
        }
    }
    Ok(())
}
