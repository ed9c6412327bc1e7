//! What answers which number: sounds, scripts and services.

use super::desk::Desk;
use super::files::{Heard, script_files, script_names, sound_inventory};
use super::from;
use super::look_ups::look_ups;
use super::network::Sip;
use super::read::{check_known, optional_text, text};
use document::Fault;
use document::{Document, Section, nearest};
use engine::{Service, Target};
use ivr::Script;
use media_api::Sound;
use net::Tls;
use numbers::Rules;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Folders of sounds, the music of those who hold, and who says what nobody could record.
pub(super) fn sounds(
    document: &mut Document<'_>,
    root: &mut Section<'_>,
    folder: &Path,
) -> (Vec<PathBuf>, Sound, speech::Settings) {
    let mut folders = vec![from(folder, "sounds")];
    let mut music = "moh/calm".to_owned();
    if let Some(entry) = root.take("sounds")
        && let Some(mut section) = document.section(&entry)
    {
        if let Some(entry) = section.take("folders") {
            let written = document.texts(&entry);
            for (path, at) in &written {
                if !from(folder, path).is_dir() {
                    document.fault(*at, format!("there is no folder `{path}`"), "name a folder of sounds");
                }
            }
            folders = written.into_iter().map(|(path, _)| from(folder, path)).collect();
        }
        music = optional_text(document, &mut section, "hold_music").unwrap_or(music);
        section.finish(document);
    }
    let speech = super::speech::speech(document, root, &folders);
    (folders, sound(&music), speech)
}

fn sound(source: &str) -> Sound {
    Arc::from([Arc::from(source)])
}

/// Every script in the folder of scripts, checked, and what their look-ups ask with over TLS.
pub(super) fn scripts(
    document: &mut Document<'_>,
    root: &mut Section<'_>,
    folder: &Path,
    (sounds, speech): (&[PathBuf], &speech::Settings),
    others: &mut Vec<Fault>,
) -> (BTreeMap<String, Arc<Script>>, Tls) {
    let mut scripts_folder = from(folder, "ivr-scripts");
    if let Some(entry) = root.take("scripts")
        && let Some(mut section) = document.section(&entry)
    {
        if let Some(entry) = section.take("folder")
            && let Some(path) = document.text(&entry)
        {
            scripts_folder = from(folder, path);
            if !scripts_folder.is_dir() {
                let what = format!("there is no folder `{path}`");
                document.fault(entry.value_at(), what, "name the folder of scripts");
            }
        }
        section.finish(document);
    }
    let heard = Heard { sounds: sound_inventory(sounds), voices: speech.languages() };
    let mut scripts = BTreeMap::new();
    for name in script_names(&scripts_folder) {
        match script_files(&scripts_folder.join(&name), &heard).and_then(|files| Script::check(&files)) {
            Ok(script) => {
                scripts.insert(name, Arc::new(script));
            }
            Err(faults) => others.extend(faults),
        }
    }
    let looking_up = look_ups(document, root, folder, &scripts, others);
    (scripts, looking_up)
}

#[derive(Default)]
pub(super) struct Services {
    pub(super) by_number: BTreeMap<String, Service>,
    pub(super) otherwise: Option<Service>,
}

pub(super) fn services(
    document: &mut Document<'_>,
    root: &mut Section<'_>,
    scripts: &BTreeMap<String, Arc<Script>>,
    (desk, home): (&Desk, &Rules),
    sip: Option<&Sip>,
) -> Services {
    let mut services = Services::default();
    let Some(entry) = root.take("service") else { return services };
    for entry in document.list(&entry) {
        let Some(mut section) = document.section(&entry) else { continue };
        let numbers = numbers(document, &mut section);
        let service = match section.has("script") {
            true => scripted(document, &mut section, scripts, (desk, sip)),
            false => plain(document, &mut section, sip),
        };
        section.finish(document);
        let Some(service) = service else { continue };
        let mut own = BTreeSet::new();
        for (number, at) in numbers {
            let normal = home.normal(&number).to_string();
            let again = !own.insert(normal.clone());
            let before = match number.as_str() {
                "*" => services.otherwise.replace(service.clone()),
                _ => services.by_number.insert(normal, service.clone()),
            };
            if before.is_some() && !again {
                document.fault(at, format!("`{number}` has two services"), "keep one of the two");
            }
        }
    }
    services
}

fn numbers(document: &mut Document<'_>, section: &mut Section<'_>) -> Vec<(String, usize)> {
    let entry = match section.take("numbers") {
        Some(entry) => Some(entry),
        None => {
            section.require(document, "number", "write the number that is dialled, or \"*\" for any other")
        }
    };
    let Some(entry) = entry else { return Vec::new() };
    document.texts(&entry).into_iter().map(|(number, at)| (number.to_owned(), at)).collect()
}

fn scripted(
    document: &mut Document<'_>,
    section: &mut Section<'_>,
    scripts: &BTreeMap<String, Arc<Script>>,
    (desk, sip): (&Desk, Option<&Sip>),
) -> Option<Service> {
    let entry = section.take("script")?;
    let name = document.text(&entry)?;
    let language = language(document, section, scripts.get(name).map(AsRef::as_ref));
    let Some(script) = scripts.get(name) else {
        let what_to_do = match nearest(name, scripts.keys().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "make a folder of that name in the folder of scripts, and mend its faults".to_owned(),
        };
        document.fault(entry.value_at(), format!("there is no sound script `{name}`"), what_to_do);
        return None;
    };
    for queue in script.queues() {
        if !desk.has_queue(queue) {
            let what = format!("the script `{name}` uses the queue `{queue}`, which is not there");
            document.fault(entry.value_at(), what, "write it under [[queue]]");
        }
    }
    for target in script.transfer_targets() {
        if let Some((what, what_to_do)) = sip.and_then(|sip| unreachable(sip, target)) {
            let what = format!("the script `{name}` puts calls through to `{target}`, {what}");
            document.fault(entry.value_at(), what, what_to_do);
        }
    }
    Some(Service::Script { script: script.clone(), language })
}

/// Why a script's target could never be called, and what to do about it.
fn unreachable(sip: &Sip, target: &str) -> Option<(&'static str, &'static str)> {
    if !target.starts_with("sip:") {
        return sip
            .config
            .trunks
            .is_empty()
            .then_some(("but there is no trunk", "write one under [[trunk]]"));
    }
    let place = engine::place_of(target).filter(|place| place.is_reachable_from(&sip.config.listen));
    let why = "which is no SIP URI, or one of a kind that is not listened on";
    place.is_none().then_some((why, "write it like \"sip:user@192.0.2.1:5060\""))
}

fn language(
    document: &mut Document<'_>,
    section: &mut Section<'_>,
    script: Option<&Script>,
) -> Option<String> {
    let entry = section.take("language")?;
    let language = document.text(&entry)?;
    if script.is_some_and(|script| script.languages().all(|known| known != language)) {
        let what = format!("the script does not speak `{language}`");
        document.fault(entry.value_at(), what, "choose one of the script's languages");
    }
    Some(language.to_owned())
}

fn plain(document: &mut Document<'_>, section: &mut Section<'_>, sip: Option<&Sip>) -> Option<Service> {
    let hint = "write `script`, or `kind`: \"silence\", \"play\", \"echo\", \"room\" or \"dial\"";
    let entry = section.require(document, "kind", hint)?;
    match document.text(&entry)? {
        "silence" => Some(Service::Silence),
        "echo" => Some(Service::Echo),
        "room" => room(document, section),
        "play" => {
            let source = text(document, section, "sound", "name a sound, such as \"moh/calm\"")?;
            Some(Service::Play(sound(&source)))
        }
        "dial" => dial(document, section, sip),
        other => {
            let what = format!("there is no kind `{other}`");
            document.fault(entry.value_at(), what, hint);
            None
        }
    }
}

/// What whoever comes to a room has to listen to.
const ANNOUNCED_MAX: usize = 16;

fn room(document: &mut Document<'_>, section: &mut Section<'_>) -> Option<Service> {
    let name = text(document, section, "name", "name the room: all numbers with this name lead to it")?;
    let chime = section.take("chime").map_or(Some(true), |entry| document.flag(&entry))?;
    let announce = section.take("announce").map(|entry| document.texts(&entry)).unwrap_or_default();
    if let Some((_, at)) = announce.get(ANNOUNCED_MAX) {
        document.fault(
            *at,
            format!("more than {ANNOUNCED_MAX} sounds"),
            "announce less: people want to talk",
        );
    }
    let announce = announce.into_iter().map(|(source, _)| sound(source)).collect();
    Some(Service::Room { name, chime, announce })
}

fn dial(document: &mut Document<'_>, section: &mut Section<'_>, sip: Option<&Sip>) -> Option<Service> {
    let entry = section.require(document, "to", "a SIP URI with an address, or a number")?;
    let to = document.text(&entry)?.to_owned();
    if let Some(trunk) = section.take("trunk") {
        let name = document.text(&trunk)?;
        let known: Vec<&str> = sip?.trunk_names.iter().map(String::as_str).collect();
        check_known(document, (name, trunk.value_at()), &known, "trunk").then_some(())?;
        return Some(Service::Dial(Target::Trunk { trunk: name.to_owned(), number: to }));
    }
    if is_number(&to) && sip?.trunk_names.first().is_some() {
        return Some(Service::Dial(Target::Number { number: to }));
    }
    match engine::place_of(&to)
        .filter(|place| sip.is_some_and(|sip| place.is_reachable_from(&sip.config.listen)))
    {
        Some(_) => Some(Service::Dial(Target::Uri { uri: to })),
        None => {
            let what = format!("`{to}` is no SIP URI, or one of a kind that is not listened on");
            document.fault(entry.value_at(), what, "write it like \"sip:user@192.0.2.1:5060\"");
            None
        }
    }
}

/// Digits, as people group them.
fn is_number(text: &str) -> bool {
    text.bytes().any(|mark| mark.is_ascii_digit())
        && text.bytes().all(|mark| mark.is_ascii_digit() || b"+-. ()".contains(&mark))
}
