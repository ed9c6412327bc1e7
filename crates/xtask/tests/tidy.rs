//! What the house promises of its own source: arrows go down only, the lower layers are pure, files and
//! functions stay small. An ordinary test, so that nobody has to remember to run it.

// A source that cannot be read fails the test.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;

/// The layer of each crate. A crate may use crates of lower layers, and of its own among the machines that
/// are named in `BESIDE`.
const LAYERS: [(&str, u8); 25] = [
    ("base", 0),
    ("document", 0),
    ("stun", 0),
    ("numbers", 1),
    ("stir", 1),
    ("facts", 1),
    ("media-api", 1),
    ("sip", 2),
    ("audio", 2),
    ("calendar", 2),
    ("spoken", 2),
    ("acd", 2),
    ("ivr", 3),
    ("media", 3),
    ("engine", 4),
    ("journal", 5),
    ("trace", 5),
    ("speech", 5),
    ("net", 5),
    ("cti", 6),
    ("lookups", 6),
    ("phone", 6),
    ("sim", 6),
    ("cornetta", 7),
    ("xtask", 7),
];

/// Crates that must not know of time, chance, threads, files or sockets.
const PURE: [&str; 15] = [
    "base",
    "document",
    "stun",
    "numbers",
    "stir",
    "facts",
    "media-api",
    "sip",
    "audio",
    "calendar",
    "spoken",
    "acd",
    "ivr",
    "media",
    "engine",
];

/// What a pure crate may not name. Addresses are values, so `SocketAddr` and `IpAddr` are fine.
const IMPURE: [&str; 16] = [
    "tokio",
    "std::thread",
    "std::fs",
    "std::io::stdin",
    "std::process",
    "std::env",
    "UdpSocket",
    "TcpStream",
    "TcpListener",
    "Instant",
    "SystemTime",
    "HashMap<",
    "HashSet<",
    "thread_rng",
    "getrandom",
    "println!",
];

/// The one table by hash of the pure crates: nobody can go through it, so that it has no order that could matter.
const HASHED: &str = "base/src/numbered.rs";

#[test]
fn arrows_go_down_only() {
    let layers: BTreeMap<&str, u8> = LAYERS.into_iter().collect();
    for (name, layer) in &layers {
        for used in dependencies(name) {
            let Some(below) = layers.get(used.as_str()) else { continue };
            assert!(
                below < layer,
                "`{name}` (layer {layer}) uses `{used}` (layer {below}): arrows go down only"
            );
        }
    }
}

#[test]
fn every_crate_has_a_layer() {
    for folder in listed(&root().join("crates")) {
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        assert!(LAYERS.iter().any(|(known, _)| *known == name), "give `{name}` a layer in tidy.rs");
    }
}

#[test]
fn the_lower_layers_are_pure() {
    for name in PURE {
        for (path, text) in sources(name) {
            for (number, line) in production_lines(&text) {
                let hashes = path.ends_with(HASHED);
                for word in IMPURE.into_iter().filter(|word| !(hashes && *word == "HashMap<")) {
                    assert!(!names(line, word), "{}:{number}: `{word}` below the shell", path.display());
                }
            }
        }
    }
}

#[test]
fn files_have_one_subject() {
    for (name, _) in LAYERS {
        for (path, text) in sources(name) {
            let lines = production_lines(&text).count();
            assert!(lines <= FILE_LINES_MAX, "{} has {lines} lines; split it by concern", path.display());
        }
    }
}

#[test]
fn functions_fit_on_a_screen() {
    for (name, _) in LAYERS {
        for (path, text) in sources(name) {
            for (line, length) in functions(&text) {
                assert!(
                    length <= FUNCTION_LINES_MAX,
                    "{}:{line}: a function of {length} lines; take parts out by concern",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn nothing_is_left_for_later() {
    for (name, _) in LAYERS {
        for (path, text) in sources(name) {
            for (number, line) in text.lines().enumerate() {
                for mark in
                    [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("todo", "!("), concat!("dbg", "!(")]
                {
                    assert!(!line.contains(mark), "{}:{}: `{mark}`", path.display(), number + 1);
                }
            }
        }
    }
}

/// Lines above the tests, with their numbers, without comments.
fn production_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().take_while(|(_, line)| !line.starts_with("#[cfg(test)]"));
    lines.map(|(at, line)| (at + 1, line)).filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Whether `line` has `word` as a word of its own, outside of text in quotes.
fn names(line: &str, word: &str) -> bool {
    let code = line.split('"').step_by(2);
    code.into_iter().any(|part| {
        part.match_indices(word).any(|(at, _)| {
            let before = part[..at].chars().next_back();
            let after = part[at + word.len()..].chars().next();
            let joins =
                |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
            !joins(before) && (!joins(after) || word.ends_with(['<', '!']))
        })
    })
}

/// Where each function begins, and how many lines it has. Formatted source closes a function on a line of
/// the same indent as the one on which it begins.
fn functions(text: &str) -> Vec<(usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let begins = [
            "fn ",
            "pub fn ",
            "pub(crate) fn ",
            "pub(super) fn ",
            "async fn ",
            "pub async fn ",
            "const fn ",
            "pub const fn ",
        ];
        if !begins.iter().any(|begin| code.starts_with(begin)) || line.ends_with(';') || line.ends_with('}') {
            continue;
        }
        let indent = &line[..line.len() - code.len()];
        let close = format!("{indent}}}");
        if let Some(length) = lines[at..].iter().position(|line| **line == close) {
            found.push((at + 1, length + 1));
        }
    }
    found
}

fn dependencies(name: &str) -> Vec<String> {
    let manifest =
        fs::read_to_string(root().join("crates").join(name).join("Cargo.toml")).unwrap_or_default();
    let table: toml::Table = manifest.parse().unwrap();
    let used = table.get("dependencies").and_then(|used| used.as_table().cloned()).unwrap_or_default();
    used.keys().cloned().collect()
}

fn sources(name: &str) -> Vec<(PathBuf, String)> {
    let mut paths = vec![root().join("crates").join(name).join("src")];
    let mut sources = Vec::new();
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            paths.extend(listed(&path));
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let is_test = path.file_name().is_some_and(|name| name == "tests.rs")
                || path.components().any(|part| part.as_os_str() == "tests");
            if !is_test {
                sources.push((path, text));
            }
        }
    }
    sources
}

fn listed(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
