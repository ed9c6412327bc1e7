//! Files and folders that are there whole or not at all, whenever the machine stops.

use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

/// Whether a name is one folder's, not a way to elsewhere, and not hidden.
pub(super) fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\0'])
}

/// Makes a folder of these files, each at its place in it, in the place of whatever a former try has left there. All of it
/// is on disk then.
pub(super) fn write_folder(folder: &Path, files: &[(String, String)]) -> io::Result<()> {
    remove(folder)?;
    fs::create_dir_all(folder)?;
    for (place, text) in files {
        write_in(folder, place, text)?;
    }
    Ok(())
}

/// Writes one file into a folder; it is on disk then.
pub(super) fn write_in(folder: &Path, place: &str, text: &str) -> io::Result<()> {
    let path = folder.join(place);
    let within = path.parent().unwrap_or(folder);
    fs::create_dir_all(within)?;
    let mut file = File::create(&path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    drop(file);
    sync(within)?;
    sync(folder)
}

/// Replaces a file whole.
pub(super) fn replace_file(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("file");
    let new = format!(".{name}.new");
    write_in(folder, &new, text)?;
    fs::rename(folder.join(new), path)?;
    sync(folder)
}

/// Puts the folder `new` in the place of `old`, which is there whole, as it was or as it will be, at every instant. What was
/// there is removed.
pub(super) fn put_in_place(new: &Path, old: &Path) -> io::Result<()> {
    if old.exists() {
        renameat_with(CWD, new, CWD, old, RenameFlags::EXCHANGE)?;
    } else {
        fs::rename(new, old)?;
    }
    sync(old.parent().unwrap_or(Path::new(".")))?;
    // It is in place: what cannot be removed now, the next try removes.
    let _ = remove(new);
    Ok(())
}

/// Removes a folder with all that is in it, if it is there.
pub(super) fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// The files in `within`, a folder of `folder` or itself if it is empty, and in all that lies in it: each by its place in `folder`.
pub(super) fn files(folder: &Path, within: &str) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder.join(within))? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_str().unwrap_or_default();
        let place = if within.is_empty() { name.to_owned() } else { format!("{within}/{name}") };
        match entry.file_type()?.is_dir() {
            true => found.extend(files(folder, &place)?),
            false => found.push(place),
        }
    }
    found.sort();
    Ok(found)
}
