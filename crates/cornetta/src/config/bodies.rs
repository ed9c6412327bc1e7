//! `[bodies]`: several bodies in one installation, each in a folder of its own. `NAME/body.toml` says what one has; its
//! scripts lie in `NAME/scripts`, and sounds that are only its own in `NAME/sounds`.

use super::files::sound_inventory;
use super::from;
use super::network::tokens;
use super::read::text;
use document::{Document, Fault, Section, Table};
use ivr::SoundInventory;
use std::path::{Path, PathBuf};

/// What a body is written in.
const FILE: &str = "body.toml";
/// Of what a body says, within its folder.
const SCRIPTS: &str = "scripts";
const SOUNDS: &str = "sounds";
const NAME_MAX: usize = 40;

/// The file of a body, as it lies on the disk.
pub(super) struct BodyFile {
    name: String,
    folder: PathBuf,
    path: String,
    text: String,
}

/// The sounds that are only a body's own, if this is a body's folder and has any.
pub(super) fn own_sounds(folder: &Path) -> Option<PathBuf> {
    let sounds = folder.join(SOUNDS);
    (folder.join(FILE).is_file() && sounds.is_dir()).then_some(sounds)
}

impl BodyFile {
    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

/// A body that is being read.
pub(super) struct Body<'t> {
    pub(super) name: &'t str,
    pub(super) folder: &'t Path,
    pub(super) document: Document<'t>,
    pub(super) section: Section<'t>,
}

/// The folder of bodies, and the file of each, by name.
pub(super) fn files(
    document: &mut Document<'_>,
    root: &mut Section<'_>,
    folder: &Path,
    others: &mut Vec<Fault>,
) -> (Option<PathBuf>, Vec<BodyFile>) {
    let Some(entry) = root.take("bodies") else { return (None, Vec::new()) };
    let Some(mut section) = document.section(&entry) else { return (None, Vec::new()) };
    let mut at = entry.at;
    let mut written = "bodies";
    if let Some(entry) = section.take("folder") {
        at = entry.value_at();
        written = document.text(&entry).unwrap_or(written);
    }
    section.finish(document);
    let bodies = from(folder, written);
    let Ok(entries) = std::fs::read_dir(&bodies) else {
        document.fault(at, format!("there is no folder `{written}`"), "name the folder of bodies");
        return (None, Vec::new());
    };
    let mut folders: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    folders.retain(|path| path.is_dir() && !is_hidden(path));
    folders.sort();
    let mut files = Vec::new();
    for folder in folders {
        let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if !is_name(&name) {
            let what_to_do = "name its folder with small letters, digits, _ and -, a letter first, 40 at most, and not `speech`";
            document.fault(at, format!("`{name}` is no name for a body"), what_to_do);
            continue;
        }
        let path = folder.join(FILE);
        match std::fs::read_to_string(&path) {
            Ok(text) => files.push(BodyFile { name, path: path.display().to_string(), folder, text }),
            Err(error) => others.push(Fault {
                file: path.display().to_string(),
                line: 1,
                column: 1,
                what: format!("it cannot be read: {error}"),
                what_to_do: "write what the body has, or take its folder away".to_owned(),
            }),
        }
    }
    (Some(bodies), files)
}

/// Parses each file; gives its faults, and its table if it has one.
pub(super) fn parsed(files: &[BodyFile]) -> Vec<(Document<'_>, Option<Table<'_>>)> {
    files.iter().map(|file| Document::parse(&file.path, &file.text)).collect()
}

/// Those that can be read further. The faults of the others are told.
pub(super) fn open<'t>(
    files: &'t [BodyFile],
    documents: Vec<Document<'t>>,
    tables: &'t [Option<Table<'t>>],
    others: &mut Vec<Fault>,
) -> Vec<Body<'t>> {
    let mut bodies = Vec::new();
    for ((file, document), table) in files.iter().zip(documents).zip(tables) {
        match table {
            Some(table) => bodies.push(Body {
                name: &file.name,
                folder: &file.folder,
                document,
                section: Section::new(table, 0),
            }),
            None => others.extend(document.into_faults()),
        }
    }
    bodies
}

/// The folder of the scripts of the body in this folder.
pub(super) fn scripts_of(body: &Path) -> PathBuf {
    body.join(SCRIPTS)
}

impl Body<'_> {
    /// What people call it.
    pub(super) fn title(&mut self) -> Option<String> {
        text(&mut self.document, &mut self.section, "title", "say what people call the body")
    }

    /// Who may ask for what is its own.
    pub(super) fn tokens(&mut self) -> Vec<cti::Token> {
        tokens(&mut self.document, &mut self.section, Some(self.name))
    }

    pub(super) fn scripts(&self) -> PathBuf {
        scripts_of(self.folder)
    }

    /// What its callers hear: its own sounds, and where it has none those that all share.
    pub(super) fn sounds(&self, shared: &SoundInventory) -> SoundInventory {
        let mut sounds = shared.clone();
        let own = sound_inventory(&own_sounds(self.folder).map_or_else(Vec::new, |folder| vec![folder]));
        for source in own.sources() {
            let lies_at = format!("{}/{SOUNDS}/{source}", self.name);
            sounds.add_at(source.to_owned(), lies_at, own.length(source));
        }
        sounds
    }

    /// All that is wrong with it, and what is hardly meant.
    pub(super) fn finish(mut self) -> (Vec<Fault>, Vec<Fault>) {
        self.section.finish(&mut self.document);
        let warnings = self.document.take_warnings();
        (self.document.into_faults(), warnings)
    }
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with('.'))
}

fn is_name(name: &str) -> bool {
    let letter =
        |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || b"_-".contains(&letter);
    name.bytes().next().is_some_and(|first| first.is_ascii_lowercase())
        && name.bytes().all(letter)
        && name.len() <= NAME_MAX
        // Before words that a voice says stands such a name.
        && media_api::speech_of(&format!("{name}/{SOUNDS}/")).is_none()
}
