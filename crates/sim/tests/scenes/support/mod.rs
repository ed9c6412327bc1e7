//! What the tests share: the script that is shipped.

pub(crate) mod desk;
pub(crate) mod hall;
pub(crate) mod handing;
pub(crate) mod operator;
pub(crate) mod page;
pub(crate) mod stage;

use ivr::{Script, ScriptFiles, SoundInventory};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The help desk's script, with no sound missing.
pub(crate) fn helpdesk() -> Arc<Script> {
    Arc::new(shipped("helpdesk"))
}

/// A script that is shipped, with no sound missing.
pub(crate) fn shipped(name: &str) -> Script {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = root.join("ivr-scripts").join(name);
    let flow = folder.join("flow.toml");
    let files = ScriptFiles {
        name: name.to_owned(),
        flow: ("flow.toml".to_owned(), std::fs::read_to_string(flow).unwrap()),
        phrases: tables(&folder.join("phrases")),
        calendars: tables(&folder.join("calendars")),
        parts: tables(&folder.join("parts")),
        look_ups: tables(&folder.join("look_ups")),
        voices: Default::default(),
        sounds: sounds(&root.join("sounds")),
    };
    Script::check(&files).unwrap()
}

fn listed(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn tables(folder: &Path) -> Vec<(String, String, String)> {
    let one = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name.clone(), format!("{name}.toml"), std::fs::read_to_string(path).unwrap())
    };
    let is_table = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "toml");
    listed(folder).into_iter().filter(is_table).map(one).collect()
}

fn sounds(folder: &Path) -> SoundInventory {
    let languages = listed(folder).into_iter().filter(|path| path.is_dir());
    let sources = languages.flat_map(|language| {
        let name = language.file_name().unwrap().to_str().unwrap().to_owned();
        let stem = |sound: PathBuf| sound.file_stem().unwrap().to_str().unwrap().to_owned();
        listed(&language).into_iter().map(move |sound| format!("{name}/{}", stem(sound))).collect::<Vec<_>>()
    });
    sources.collect()
}
