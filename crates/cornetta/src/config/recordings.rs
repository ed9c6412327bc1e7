//! `[recordings]`: where recordings of calls are kept.

use super::from;
use super::network::Node;
use super::read::optional_text;
use super::trace::size;
use document::{Document, Section};
use net::RecordingsFolder;
use std::path::Path;

/// The folder within the data folder, if none is named.
const FOLDER: &str = "recordings";
const FREE_MIN: u64 = 1_000_000_000;

pub(super) fn recordings(
    document: &mut Document<'_>,
    root: &mut Section<'_>,
    folder: &Path,
    node: Option<&Node>,
) -> Option<RecordingsFolder> {
    let data = node.map_or(folder, |node| node.data.as_path());
    let mut recordings = RecordingsFolder { path: data.join(FOLDER), free_min: FREE_MIN };
    let Some(entry) = root.take("recordings") else { return Some(recordings) };
    let mut section = document.section(&entry)?;
    if let Some(path) = optional_text(document, &mut section, "folder") {
        recordings.path = from(folder, &path);
    }
    if let Some(entry) = section.take("free_min") {
        recordings.free_min = size(document, &entry)?;
    }
    section.finish(document);
    Some(recordings)
}

#[cfg(test)]
mod tests {
    use crate::config::load_text;
    use std::path::Path;

    #[test]
    fn recordings_lie_beside_the_log_unless_a_folder_is_named() {
        let read = |text: &str| load_text("c.toml", text, Path::new("/etc/desk")).ok().unwrap().recordings;
        let usual = read("");
        assert_eq!(
            (usual.path.as_path(), usual.free_min),
            (Path::new("/etc/desk/data/recordings"), 1_000_000_000)
        );
        let named = read("[recordings]\nfolder = \"/srv/voices\"\nfree_min = \"20GB\"\n");
        assert_eq!((named.path.as_path(), named.free_min), (Path::new("/srv/voices"), 20_000_000_000));
    }
}
