//! What several tests of sound need.

use std::fs;
use std::path::{Path, PathBuf};

/// Every prompt and every piece of music of the project, in order.
pub(crate) fn sounds() -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sounds"), &mut found);
    found
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            collect(&entry, found);
        } else if entry.extension().is_some_and(|extension| extension == "opus" || extension == "wav") {
            found.push(entry);
        }
    }
}
