//! Scripts and sounds as they lie on the disk.

use super::bodies::own_sounds;
use super::speech::embedded;
use calendar::Calendar;
use document::Fault;
use ivr::{ScriptFiles, SoundInventory};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The scripts in a folder: each folder in it that has a `flow.toml`, but for hidden ones.
pub(crate) fn script_names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = listed(folder)
        .into_iter()
        .filter(|path| path.join("flow.toml").is_file())
        .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    names
}

/// What callers can be told.
pub(crate) struct Heard {
    pub(crate) sounds: SoundInventory,
    /// The languages in which any text can be said.
    pub(crate) voices: BTreeSet<String>,
}

impl Heard {
    /// What this script's callers hear of a folder that all share, and of its body's own sounds, if it is a body's; and
    /// what the embedded voices say.
    pub(crate) fn of(script: &Path, shared: &Path) -> Heard {
        let folders = sounds_of(script, shared);
        Heard { sounds: sound_inventory(&folders), voices: embedded(&folders).languages() }
    }

    /// As if every sound were there, and a voice for each language of this script.
    pub(crate) fn every(script: &Path) -> Heard {
        let phrases = listed(&script.join("phrases"));
        let language = |path: &PathBuf| Some(path.file_stem()?.to_str()?.to_owned());
        Heard { sounds: SoundInventory::every(), voices: phrases.iter().filter_map(language).collect() }
    }
}

/// The folders of sounds of a script, the first that has a sound counting: that of its body, if it lies in one, and the one
/// that all share.
pub(crate) fn sounds_of(script: &Path, shared: &Path) -> Vec<PathBuf> {
    let body = script.canonicalize().ok().and_then(|script| own_sounds(script.parent()?.parent()?));
    body.into_iter().chain([shared.to_owned()]).collect()
}

/// Everything that one script is made of.
pub(crate) fn script_files(folder: &Path, heard: &Heard) -> Result<ScriptFiles, Vec<Fault>> {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or("script").to_owned();
    let flow_path = folder.join("flow.toml");
    let flow = read(&flow_path).map_err(|fault| vec![fault])?;
    Ok(ScriptFiles {
        name,
        flow: (flow_path.display().to_string(), flow),
        phrases: tables(&folder.join("phrases"))?,
        calendars: tables(&folder.join("calendars"))?,
        parts: tables(&folder.join("parts"))?,
        look_ups: tables(&folder.join("look_ups"))?,
        sounds: heard.sounds.clone(),
        voices: heard.voices.clone(),
    })
}

/// A script as it lies on the disk, without the secrets of its look-ups.
pub(crate) struct ScriptSource {
    pub(crate) name: String,
    /// [`ScriptFiles::version`].
    pub(crate) version: String,
    /// Each file by its place in the script's folder, with its text: those that the version is of, and the tests beside
    /// them.
    pub(crate) files: Vec<(String, String)>,
}

impl ScriptSource {
    /// What lies in this folder, of which `script` was read.
    pub(crate) fn of(script: &ScriptFiles, folder: &Path) -> Result<ScriptSource, Vec<Fault>> {
        let mut files = script.kept();
        let cases = case_files(folder)?.into_iter();
        files.extend(cases.map(|(name, _, text)| (format!("tests/{name}.toml"), text)));
        Ok(ScriptSource { name: script.name.clone(), version: script.version(), files })
    }
}

/// The cases of a script: `tests/NAME.toml`, each with its name, its path and its text.
pub(crate) fn case_files(folder: &Path) -> Result<Vec<(String, String, String)>, Vec<Fault>> {
    tables(&folder.join("tests"))
}

/// The calendar that lies in a file.
pub(crate) fn calendar_file(path: &Path) -> Result<Calendar, Vec<Fault>> {
    let text = read(path).map_err(|fault| vec![fault])?;
    Calendar::parse(&path.display().to_string(), &text)
}

/// Every sound that the folders hold, as `LANG/KEY`, and how long each lasts. As when it is played, the first folder
/// that has it counts, and of several kinds the first.
pub(super) fn sound_inventory(folders: &[PathBuf]) -> SoundInventory {
    let mut inventory = SoundInventory::default();
    for language in folders.iter().flat_map(|folder| listed(folder)).filter(|path| path.is_dir()) {
        let name = language.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let mut sounds = listed(&language);
        sounds.sort_by_key(|path| kind(path));
        for sound in sounds.into_iter().filter(|path| kind(path).is_some()) {
            let Some(stem) = sound.file_stem().and_then(|stem| stem.to_str()) else { continue };
            let source = format!("{name}/{stem}");
            if !inventory.has(&source) {
                inventory.add(source, length(&sound));
            }
        }
    }
    inventory
}

/// The place of its kind among those that are played.
fn kind(path: &Path) -> Option<usize> {
    let kind = path.extension()?.to_str()?;
    net::SOUND_KINDS.iter().position(|known| *known == kind)
}

/// How long the sound lasts. Nothing can be heard of a file that cannot be read.
fn length(sound: &Path) -> Option<Duration> {
    std::fs::read(sound).map_or(Some(Duration::ZERO), |file| audio::prompt::length(&file))
}

/// The TOML files of a folder: their names, paths and texts.
fn tables(folder: &Path) -> Result<Vec<(String, String, String)>, Vec<Fault>> {
    let mut paths: Vec<PathBuf> = listed(folder);
    paths.retain(|path| path.extension().is_some_and(|kind| kind == "toml"));
    paths.sort();
    let (mut tables, mut faults) = (Vec::new(), Vec::new());
    for path in paths {
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        match read(&path) {
            Ok(text) => tables.push((name, path.display().to_string(), text)),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(tables) } else { Err(faults) }
}

fn read(path: &Path) -> Result<String, Fault> {
    std::fs::read_to_string(path).map_err(|error: io::Error| Fault {
        file: path.display().to_string(),
        line: 1,
        column: 1,
        what: format!("it cannot be read: {error}"),
        what_to_do: "make it readable, as UTF-8 text".to_owned(),
    })
}

fn listed(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}
