//! The sounds, their manifest and their texts tell the same story.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use toml::Table;

fn sounds() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sounds")
}

fn table(path: &Path) -> Table {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.parse().unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// `language/key` of every entry of a table of tables.
fn names(manifest: &Table) -> BTreeSet<String> {
    let keys = |(language, keys): (&String, &toml::Value)| -> Vec<String> {
        keys.as_table().unwrap().keys().map(|key| format!("{language}/{key}")).collect()
    };
    manifest.iter().flat_map(keys).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_str().unwrap().to_owned()
}

/// `folder/stem` of every Opus file one level down, music apart.
fn prompt_files() -> BTreeSet<String> {
    let folders = entries(&sounds()).into_iter().filter(|path| path.is_dir() && stem(path) != "moh");
    let files = folders.flat_map(|folder| {
        let of = stem(&folder);
        let opus = entries(&folder).into_iter().filter(|path| path.extension().is_some_and(|e| e == "opus"));
        opus.map(|path| format!("{of}/{}", stem(&path))).collect::<Vec<_>>()
    });
    files.collect()
}

#[test]
fn every_prompt_file_is_in_the_manifest_and_every_entry_has_its_file() {
    let listed = names(&table(&sounds().join("manifest.toml")));
    let there = prompt_files();
    assert!(listed.len() >= 16 * 106, "the manifest names only {} files", listed.len());
    let missing: Vec<_> = listed.difference(&there).collect();
    let unlisted: Vec<_> = there.difference(&listed).collect();
    assert!(missing.is_empty(), "in the manifest without a file: {missing:?}");
    assert!(unlisted.is_empty(), "files that the manifest does not name: {unlisted:?}");
}

#[test]
fn every_prompt_says_the_text_that_its_language_has_now() {
    let manifest = table(&sounds().join("manifest.toml"));
    let mut texts = 0;
    for path in entries(&sounds().join("phrases")) {
        let language = stem(&path);
        for (key, text) in &table(&path) {
            let hash: String =
                Sha256::digest(text.as_str().unwrap()).iter().map(|byte| format!("{byte:02x}")).collect();
            let entry = manifest.get(&language).and_then(|keys| keys.get(key));
            let spoken = entry.and_then(|entry| entry.get("text_sha256")).and_then(|hash| hash.as_str());
            assert_eq!(
                spoken,
                Some(hash.as_str()),
                "{language}/{key}: its text and its file differ; render it again"
            );
            texts += 1;
        }
    }
    assert_eq!(texts, names(&manifest).len(), "an entry of the manifest has no text in phrases/");
}

#[test]
fn every_sound_is_ogg_opus() {
    let folders = entries(&sounds()).into_iter().filter(|path| path.is_dir());
    let files =
        folders.flat_map(|folder| entries(&folder)).filter(|p| p.extension().is_some_and(|e| e == "opus"));
    for path in files {
        let bytes = fs::read(&path).unwrap();
        let is_opus = bytes.starts_with(b"OggS") && bytes.get(28..36) == Some(b"OpusHead");
        assert!(is_opus, "{} is not an Ogg Opus file", path.display());
    }
}

#[test]
fn every_piece_of_music_is_credited() {
    let credits = fs::read_to_string(sounds().join("LICENSES.md")).unwrap();
    let music: Vec<_> = entries(&sounds().join("moh")).iter().map(|path| stem(path)).collect();
    assert!(music.contains(&"calm".to_owned()));
    for name in music {
        assert!(credits.contains(&format!("moh/{name}")), "moh/{name} is not credited in sounds/LICENSES.md");
    }
}
