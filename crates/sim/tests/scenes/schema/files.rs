//! The files that schemas are tried with: those of the shipped scripts, of `docs/ivr.md` and of `every_key`.

use document::schema::Schema;
use ivr::{Script, ScriptFiles, SoundInventory, schema};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use toml::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Flow,
    Part,
    Phrases,
    Calendar,
    LookUp,
    Cases,
}

pub(crate) const KINDS: [Kind; 6] =
    [Kind::Flow, Kind::Part, Kind::Phrases, Kind::Calendar, Kind::LookUp, Kind::Cases];

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Flow => "flow",
            Kind::Part => "part",
            Kind::Phrases => "phrases",
            Kind::Calendar => "calendar",
            Kind::LookUp => "look_up",
            Kind::Cases => "cases",
        }
    }

    pub(crate) fn schema(self) -> Schema {
        match self {
            Kind::Flow => schema::flow(),
            Kind::Part => schema::part(),
            Kind::Phrases => schema::phrases(),
            Kind::Calendar => calendar::schema(),
            Kind::LookUp => schema::look_up(),
            Kind::Cases => sim::cases::schema(),
        }
    }

    fn folder(self) -> &'static str {
        match self {
            Kind::Flow => "",
            Kind::Part => "parts",
            Kind::Phrases => "phrases",
            Kind::Calendar => "calendars",
            Kind::LookUp => "look_ups",
            Kind::Cases => "tests",
        }
    }
}

/// A file of a script.
#[derive(Clone)]
pub(crate) struct File {
    pub(crate) kind: Kind,
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    pub(crate) fn value(&self) -> Value {
        Value::Table(toml::from_str(&self.text).unwrap())
    }
}

pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every file of the script in `folder`.
fn files(folder: &Path) -> Vec<File> {
    let mut files = Vec::new();
    for kind in KINDS {
        let mut paths: Vec<PathBuf> = match kind {
            Kind::Flow => vec![folder.join("flow.toml")],
            _ => fs::read_dir(folder.join(kind.folder()))
                .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
                .unwrap_or_default(),
        };
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
        paths.sort();
        for path in paths {
            let text = fs::read_to_string(&path).unwrap();
            files.push(File { kind, path: path.display().to_string(), text });
        }
    }
    files
}

pub(crate) fn shipped() -> Vec<File> {
    let names = ["city", "helpdesk", "municipal", "statistics"];
    names.iter().flat_map(|name| files(&repository().join("ivr-scripts").join(name))).collect()
}

pub(crate) fn every_key() -> Vec<File> {
    files(&repository().join("crates/sim/tests/every_key"))
}

/// The blocks of the manual, those of a kind one after the other.
pub(crate) fn blocks() -> Vec<File> {
    let page = fs::read_to_string(repository().join("docs/ivr.md")).unwrap();
    let kinds = [
        ("toml flow", Kind::Flow),
        ("toml part", Kind::Part),
        ("toml phrases", Kind::Phrases),
        ("toml calendar", Kind::Calendar),
        ("toml look_up", Kind::LookUp),
        ("toml cases", Kind::Cases),
    ];
    let mut files: Vec<File> = kinds
        .map(|(info, kind)| File { kind, path: format!("docs/ivr.md, `{info}`"), text: block(&page, info) })
        .into();
    files[0].text += &block(&page, "toml emergency");
    files
}

fn block(page: &str, info: &str) -> String {
    let opening = format!("```{info}");
    let mut text = String::new();
    let mut inside = false;
    for line in page.lines() {
        if line == opening || (inside && line == "```") {
            inside = !inside;
        } else if inside {
            text += &format!("{line}\n");
        }
    }
    assert!(!text.is_empty(), "no block of {info}");
    text
}

/// What the readers say against these files, which are those of one script.
pub(crate) fn faults(files: &[File]) -> Vec<String> {
    let of = |kind: Kind| {
        let files = files.iter().filter(move |file| file.kind == kind);
        files.map(|file| {
            let name = Path::new(&file.path).file_stem().unwrap().to_str().unwrap().to_owned();
            (name, file.path.clone(), file.text.clone())
        })
    };
    let (_, path, text) = of(Kind::Flow).next().unwrap();
    let phrases = of(Kind::Phrases).map(|(language, path, text)| {
        let text = text + numbers(&language);
        (language, path, text)
    });
    let script = Script::check(&ScriptFiles {
        name: "every_key".to_owned(),
        flow: (path, text),
        phrases: phrases.collect(),
        calendars: of(Kind::Calendar).collect(),
        parts: of(Kind::Part).collect(),
        look_ups: of(Kind::LookUp).collect(),
        sounds: SoundInventory::every(),
        voices: ["it", "en"].map(str::to_owned).into(),
    });
    let faults = match script {
        Ok(script) => of(Kind::Cases)
            .flat_map(|(_, path, text)| sim::cases::read(&path, &text, &script).err().unwrap_or_default())
            .collect(),
        Err(faults) => faults,
    };
    faults.iter().map(ToString::to_string).collect()
}

/// What every script says: numbers, keys, questions once more.
fn numbers(language: &str) -> &'static str {
    static TEXTS: OnceLock<BTreeMap<String, String>> = OnceLock::new();
    let read = |language: &str| {
        let path = repository().join(format!("sounds/phrases/{language}.toml"));
        let wanted = [
            "digit_",
            "number_",
            "press_",
            "you_are_number",
            "please_wait",
            "no_input",
            "invalid_",
            "confirm_",
            "consent_",
        ];
        let text = fs::read_to_string(path).unwrap();
        let lines = text.lines().filter(|line| wanted.iter().any(|start| line.starts_with(start)));
        (language.to_owned(), "\n".to_owned() + &lines.map(|line| format!("{line}\n")).collect::<String>())
    };
    &TEXTS.get_or_init(|| ["it", "en"].map(read).into())[language]
}
