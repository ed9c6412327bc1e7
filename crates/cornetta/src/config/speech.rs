//! Who says what nobody could record: the voices that come with the program, and services.

use super::read::{optional_text, text};
use document::{Document, Section, nearest};
use ivr::Secret;
use lookups::read_secret;
use speech::{EMBEDDED, Service, Settings, Shape};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The folder of the embedded voices, within a folder of sounds.
const VOICES: &str = "voices";

/// `[[speech]]`, and the embedded voices where a folder of sounds has them.
pub(super) fn speech(
    document: &mut Document<'_>,
    root: &mut Section<'_>,
    (folder, sounds): (&Path, &[PathBuf]),
) -> Settings {
    let mut settings = embedded(sounds);
    let Some(entry) = root.take("speech") else { return settings };
    for entry in document.list(&entry) {
        let Some(mut section) = document.section(&entry) else { continue };
        let languages = languages(document, &mut section);
        let service = service(document, &mut section, folder);
        section.finish(document);
        let Some(service) = service.map(Arc::new) else { continue };
        for (language, at) in languages {
            if settings.services.insert(language.clone(), service.clone()).is_some() {
                document.fault(at, format!("`{language}` has two services"), "keep one of the two");
            }
        }
    }
    settings
}

/// What there is without any configuration.
pub(super) fn embedded(sounds: &[PathBuf]) -> Settings {
    let folders = sounds.iter().map(|folder| folder.join(VOICES));
    let voices = folders.into_iter().find(|folder| folder.is_dir());
    let embedded = if voices.is_some() { EMBEDDED.map(str::to_owned).to_vec() } else { Vec::new() };
    Settings { voices: voices.unwrap_or_default(), embedded, services: BTreeMap::new() }
}

fn languages(document: &mut Document<'_>, section: &mut Section<'_>) -> Vec<(String, usize)> {
    let hint = "list what it speaks, such as languages = [\"sl\", \"ro\"]";
    let Some(entry) = section.require(document, "languages", hint) else { return Vec::new() };
    document.texts(&entry).into_iter().map(|(language, at)| (language.to_owned(), at)).collect()
}

fn service(document: &mut Document<'_>, section: &mut Section<'_>, folder: &Path) -> Option<Service> {
    let at = section.place_of("url").unwrap_or(section.at);
    let url = text(document, section, "url", "write the address of the service");
    let shape = shape(document, section);
    let model = optional_text(document, section, "model").unwrap_or_else(|| "tts-1".to_owned());
    let voice = text(document, section, "voice", "name the voice");
    let key = section.take("key").and_then(|entry| {
        let written = document.text(&entry)?;
        let key = read_secret(&Secret::parse(written), folder);
        key.map_err(|(what, what_to_do)| document.fault(entry.value_at(), what, what_to_do)).ok()
    });
    let url = url?;
    if !url.starts_with("http://") && !url.starts_with("https://") {
        document.fault(at, format!("`{url}` is no address of a service"), "begin it with https://");
        return None;
    }
    Some(Service { url, shape: shape?, model, voice: voice?, key })
}

fn shape(document: &mut Document<'_>, section: &mut Section<'_>) -> Option<Shape> {
    let Some(entry) = section.take("shape") else { return Some(Shape::OpenAi) };
    let written = document.text(&entry)?;
    match written {
        "openai" => Some(Shape::OpenAi),
        "jambonz" => Some(Shape::Jambonz),
        other => {
            let shapes = ["openai", "jambonz"];
            let what_to_do = match nearest(other, shapes) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("choose one of {}", shapes.join(", ")),
            };
            document.fault(entry.value_at(), format!("no service is asked as `{other}`"), what_to_do);
            None
        }
    }
}
