//! When each version of a script came into force, and how many are kept.

use super::atomic::{remove, replace_file};
use crate::exchange::ZONE;
use base::Wall;
use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

/// The file's name.
const FILE: &str = "history.json";
/// Versions of a script; of more, those go first that were in force, or kept, longest ago. That in force stays.
const VERSIONS_MAX: usize = 50;
/// Bytes of all versions of a script, by the same rule.
const BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Comings into force that are told; of more, the first are forgotten.
const ENTRIES_MAX: usize = 500;

/// A time for which a version was in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeptVersion {
    pub(crate) version: String,
    /// When it came into force; nothing if it never did.
    pub(crate) since: Option<Wall>,
    /// When another did; nothing if it is in force.
    pub(crate) until: Option<Wall>,
    /// The one before.
    pub(crate) follows: Option<String>,
    /// In how many things it differs from that, as `cornetta ivr diff` counts them; nothing if that is not known.
    pub(crate) changes: Option<usize>,
}

/// What is kept of one script, the first that came into force first.
#[derive(Debug, Default)]
pub(super) struct History {
    entries: Vec<KeptVersion>,
}

impl History {
    /// That in a script's folder; an empty one if there is none.
    pub(super) fn read(folder: &Path) -> io::Result<History> {
        let path = folder.join(FILE);
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(History::default()),
            text => text?,
        };
        let list: Option<Vec<Value>> = serde_json::from_str(&text).ok();
        let entries = list.and_then(|list| list.iter().map(entry).collect::<Option<Vec<KeptVersion>>>());
        let wrong = || {
            let what = format!("{} is none of this program's; move the folder away", path.display());
            io::Error::new(io::ErrorKind::InvalidData, what)
        };
        Ok(History { entries: entries.ok_or_else(wrong)? })
    }

    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let list: Vec<Value> = self
            .entries
            .iter()
            .map(|kept| {
                json!({
                    "version": kept.version,
                    "since": kept.since.and_then(in_rome),
                    "follows": kept.follows,
                    "changes": kept.changes,
                })
            })
            .collect();
        let text = serde_json::to_string_pretty(&list)?;
        replace_file(&folder.join(FILE), &text)
    }

    /// The version in force.
    pub(super) fn in_force(&self) -> Option<&str> {
        let known = self.entries.iter().rev().find(|kept| kept.since.is_some());
        known.map(|kept| kept.version.as_str())
    }

    /// A version comes into force.
    pub(super) fn begins(&mut self, version: &str, now: Wall, changes: Option<usize>) {
        let follows = self.in_force().map(str::to_owned);
        self.entries.retain(|kept| kept.since.is_some() || kept.version != version);
        self.entries.push(KeptVersion {
            version: version.to_owned(),
            since: Some(now),
            until: None,
            follows,
            changes,
        });
    }

    /// A version is kept that may never come into force.
    pub(super) fn is_kept(&mut self, version: &str) {
        if !self.entries.iter().any(|kept| kept.version == version) {
            let kept = KeptVersion {
                version: version.to_owned(),
                since: None,
                until: None,
                follows: None,
                changes: None,
            };
            self.entries.push(kept);
        }
    }

    /// All, each with its end.
    pub(super) fn versions(self) -> Vec<KeptVersion> {
        let mut entries = self.entries;
        let mut next = None;
        for kept in entries.iter_mut().rev().filter(|kept| kept.since.is_some()) {
            kept.until = next;
            next = kept.since;
        }
        entries
    }

    /// Forgets what is too much, but for the version in force and `present`.
    pub(super) fn limit(&mut self, folder: &Path, present: &str) -> io::Result<()> {
        let beyond = self.entries.len().saturating_sub(ENTRIES_MAX);
        self.entries.drain(..beyond);
        let mut oldest_first: Vec<String> = Vec::new();
        for kept in &self.entries {
            oldest_first.retain(|version| *version != kept.version);
            oldest_first.push(kept.version.clone());
        }
        let mut sizes = Vec::new();
        for version in oldest_first {
            let size = size(&folder.join(&version))?;
            sizes.push((version, size));
        }
        let (mut count, mut bytes) = (sizes.len(), sizes.iter().map(|(_, size)| size).sum::<u64>());
        let in_force = self.in_force().map(str::to_owned);
        for (version, size) in sizes {
            if count <= VERSIONS_MAX && bytes <= BYTES_MAX {
                break;
            }
            if version != present && Some(&version) != in_force.as_ref() {
                self.entries.retain(|kept| kept.version != version);
                (count, bytes) = (count - 1, bytes.saturating_sub(size));
            }
        }
        Ok(())
    }

    /// Removes the folders of all that is not in it, and what broken tries have left.
    pub(super) fn remove_others(&self, folder: &Path) -> io::Result<()> {
        let kept: BTreeSet<&str> = self.entries.iter().map(|kept| kept.version.as_str()).collect();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let is_kept = name.to_str().is_some_and(|name| kept.contains(name));
            if !is_kept && entry.file_type()?.is_dir() {
                remove(&entry.path())?;
            }
        }
        Ok(())
    }
}

fn entry(value: &Value) -> Option<KeptVersion> {
    let text = |name| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let since = match text("since") {
        Some(since) => Some(Wall::from_unix_micros(since.parse::<Timestamp>().ok()?.as_microsecond())),
        None => None,
    };
    let changes = value.get("changes").and_then(Value::as_u64).and_then(|count| usize::try_from(count).ok());
    Some(KeptVersion { version: text("version")?, since, until: None, follows: text("follows"), changes })
}

/// RFC 3339, by the clocks of the exchange.
pub(crate) fn in_rome(at: Wall) -> Option<String> {
    let zone = TimeZoneDatabase::bundled().get(ZONE).unwrap_or(TimeZone::UTC);
    let at = Timestamp::from_microsecond(at.unix_micros()).ok()?.to_zoned(zone);
    Some(at.strftime("%Y-%m-%dT%H:%M:%S%.6f%:z").to_string())
}

/// The bytes of all files in a folder; none if it is not there.
fn size(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let entry = entry?;
        bytes += match entry.file_type()?.is_dir() {
            true => size(&entry.path())?,
            false => entry.metadata()?.len(),
        };
    }
    Ok(bytes)
}
