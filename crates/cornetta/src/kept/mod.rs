//! The versions of scripts: every one that came into force lies under the data folder, so that it can be looked at,
//! compared with another and put back.
//!
//! `scripts/NAME/VERSION/` has the files of a version, `scripts/NAME/history.json` when each came into force.

mod atomic;
mod history;
mod putting_back;

use crate::config::{Heard, ScriptSource, script_files};
use atomic::{files, is_plain, put_in_place, write_folder};
use base::Wall;
use facts::BODY_MARK;
use history::History;
use ivr::Script;
use rustix::fs::{FlockOperation, flock};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

pub(crate) use history::{KeptVersion, in_rome};
pub(crate) use putting_back::{NotPutBack, PuttingBack};

/// The folder of versions within the data folder.
const FOLDER: &str = "scripts";
/// Only one program at a time changes what is kept.
const LOCK: &str = ".lock";

/// What is kept.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    folder: PathBuf,
}

impl Kept {
    /// In this data folder.
    pub(crate) fn of(data: &Path) -> Kept {
        Kept { folder: data.join(FOLDER) }
    }

    /// A script comes into force now, unless it is in force already.
    pub(crate) fn comes_into_force(&self, source: &ScriptSource, now: Wall) -> io::Result<()> {
        self.keep(source, |history, folder| {
            let former = history.in_force().map(str::to_owned);
            if former.as_deref() == Some(&source.version) {
                return;
            }
            let is = folder.join(&source.version);
            let changes = former.as_ref().and_then(|former| changes(&folder.join(former), &is));
            history.begins(&source.version, now, changes);
        })
    }

    /// Keeps a version that may never have been in force.
    pub(crate) fn keep_aside(&self, source: &ScriptSource) -> io::Result<()> {
        self.keep(source, |history, _| history.is_kept(&source.version))
    }

    /// The versions of a script, the first that came into force first. None of a script that nobody knows.
    pub(crate) fn versions(&self, script: &str) -> io::Result<Vec<KeptVersion>> {
        match script.split(BODY_MARK).all(is_plain) {
            true => Ok(History::read(&self.of_script(script))?.versions()),
            false => Ok(Vec::new()),
        }
    }

    /// The version of a script whose name begins so, with its folder; or why there is none, and the next step.
    pub(crate) fn find(&self, script: &str, beginning: &str) -> Result<(String, PathBuf), String> {
        let versions = self.versions(script).map_err(|error| {
            format!("the versions of `{script}` in {} cannot be read: {error}", self.folder.display())
        })?;
        let mut found: Vec<String> = versions.into_iter().map(|kept| kept.version).collect();
        found.retain(|version| version.starts_with(beginning));
        found.sort();
        found.dedup();
        match found.as_slice() {
            [version] => Ok((version.clone(), self.of_script(script).join(version))),
            [] => Err(format!(
                "no version of `{script}` begins with `{beginning}`; `cornetta ivr versions {script}` lists those kept in {}",
                self.folder.display()
            )),
            several => Err(format!(
                "{} versions of `{script}` begin with `{beginning}`; write more of it: {}",
                several.len(),
                several.join(", ")
            )),
        }
    }

    /// One folder for each script, that of a body too: its versions lie in it, and nothing else.
    fn of_script(&self, script: &str) -> PathBuf {
        self.folder.join(script.replace(BODY_MARK, "@"))
    }

    fn keep(&self, source: &ScriptSource, note: impl FnOnce(&mut History, &Path)) -> io::Result<()> {
        let folder = self.of_script(&source.name);
        fs::create_dir_all(&folder)?;
        let lock = File::create(self.folder.join(LOCK))?;
        flock(&lock, FlockOperation::LockExclusive)?;
        let mut history = History::read(&folder)?;
        write_version(&folder, source)?;
        note(&mut history, &folder);
        history.limit(&folder, &source.version)?;
        history.write(&folder)?;
        history.remove_others(&folder)
    }
}

/// Writes the files of a version, unless they lie there as they are.
fn write_version(folder: &Path, source: &ScriptSource) -> io::Result<()> {
    let place = folder.join(&source.version);
    let same =
        |(file, text): &(String, String)| fs::read(place.join(file)).is_ok_and(|old| old == text.as_bytes());
    if source.files.iter().all(same) && files(&place, "")?.len() == source.files.len() {
        return Ok(());
    }
    let new = folder.join(format!(".{}.new", source.version));
    write_folder(&new, &source.files)?;
    put_in_place(&new, &place)
}

/// How many differences there are between two kept versions, in words; nothing if one of them is not sound for this program.
fn changes(was: &Path, is: &Path) -> Option<usize> {
    let script = |folder| Script::check(&script_files(folder, &Heard::every(folder)).ok()?).ok();
    Some(ivr::diff(&script(was)?, &script(is)?).len())
}

#[cfg(test)]
mod tests;
