//! What answers which number: sounds, scripts and services.

use super::desk::Desk;
use super::files::{Heard, ScriptSource, script_files, script_names};
use super::from;
use super::network::Sip;
use super::read::{check_known, optional_text, own_name, text};
use document::Fault;
use document::{Document, Section, nearest};
use engine::{Bodies, Service, Target};
use facts::{BODY_MARK, body_of, name_in, without_body};
use ivr::{Script, ScriptFiles, SoundInventory};
use media_api::Sound;
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
    let speech = super::speech::speech(document, root, (folder, &folders));
    (folders, sound(&music), speech)
}

fn sound(source: &str) -> Sound {
    Arc::from([Arc::from(source)])
}

/// The folder of the installation's own scripts.
pub(super) fn scripts_folder(document: &mut Document<'_>, root: &mut Section<'_>, folder: &Path) -> PathBuf {
    let mut scripts = from(folder, "ivr-scripts");
    let Some(entry) = root.take("scripts") else { return scripts };
    let Some(mut section) = document.section(&entry) else { return scripts };
    if let Some(entry) = section.take("folder")
        && let Some(path) = document.text(&entry)
    {
        scripts = from(folder, path);
        if !scripts.is_dir() {
            document.fault(
                entry.value_at(),
                format!("there is no folder `{path}`"),
                "name the folder of scripts",
            );
        }
    }
    section.finish(document);
    scripts
}

/// Every script by the name that facts call it.
pub(super) type Scripts = BTreeMap<String, Arc<Script>>;

/// A script that is read from another folder than that of its name.
pub(crate) struct Instead<'a> {
    /// As facts call it.
    pub(crate) script: &'a str,
    pub(crate) folder: &'a Path,
}

/// What is found while scripts are read.
pub(super) struct Reading<'a> {
    pub(super) instead: Option<&'a Instead<'a>>,
    /// The sound ones as they were read.
    pub(super) sources: Vec<ScriptSource>,
    /// What is wrong in other files than the configuration's own.
    pub(super) others: Vec<Fault>,
}

/// Adds every script in a folder of scripts that is sound.
pub(super) fn scripts(
    folder: &Path,
    (body, heard): (Option<&str>, &Heard),
    scripts: &mut Scripts,
    reading: &mut Reading<'_>,
) {
    let mut names = script_names(folder);
    // One whose folder is gone is read all the same where it is being put back.
    let put_back = reading.instead.map(|instead| instead.script).filter(|script| body_of(script) == body);
    let put_back = put_back.map(without_body).filter(|own| names.iter().all(|name| name != own));
    names.extend(put_back.map(str::to_owned));
    for written in names {
        let name = name_in(body, &written);
        let instead = reading.instead.filter(|instead| instead.script == name);
        let folder = instead.map_or_else(|| folder.join(&written), |instead| instead.folder.to_owned());
        match script(&name, &folder, heard) {
            Ok((script, source)) => {
                scripts.insert(name, Arc::new(script));
                reading.sources.push(source);
            }
            Err(faults) => reading.others.extend(faults),
        }
    }
}

fn script(name: &str, folder: &Path, heard: &Heard) -> Result<(Script, ScriptSource), Vec<Fault>> {
    let files = ScriptFiles { name: name.to_owned(), ..script_files(folder, heard)? };
    let source = ScriptSource::of(&files, folder)?;
    Ok((Script::check(&files)?, source))
}

/// What answers all numbers, whose they are, and where their scripts send callers.
#[derive(Default)]
pub(super) struct Services {
    pub(super) by_number: BTreeMap<String, Service>,
    pub(super) otherwise: Option<Service>,
    pub(super) bodies: Bodies,
}

/// A service of the house to which a script sends callers.
pub(super) struct Sent {
    at: usize,
    script: String,
    to: String,
}

/// What the services of a section are made of.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    pub(super) scripts: &'a Scripts,
    pub(super) desk: &'a Desk,
    pub(super) home: &'a Rules,
    pub(super) sip: Option<&'a Sip>,
    /// The sounds that are theirs alone.
    pub(super) sounds: &'a SoundInventory,
    /// Whose they are.
    pub(super) body: Option<&'a str>,
}

/// Adds the services of the installation or of a body. Gives to which services of the house their scripts send callers.
pub(super) fn services(
    document: &mut Document<'_>,
    section: &mut Section<'_>,
    around: &Around<'_>,
    services: &mut Services,
) -> Vec<Sent> {
    let mut sent = Vec::new();
    let Some(entry) = section.take("service") else { return sent };
    for entry in document.list(&entry) {
        let Some(mut section) = document.section(&entry) else { continue };
        let numbers = numbers(document, &mut section);
        let service = match section.has("script") {
            true => scripted(document, &mut section, around, &mut sent),
            false => plain(document, &mut section, around),
        };
        section.finish(document);
        if let Some(service) = service {
            services.answer(document, (numbers, &service), around);
        }
    }
    sent
}

impl Services {
    /// This service answers these numbers.
    fn answer(
        &mut self,
        document: &mut Document<'_>,
        (numbers, service): (Vec<(String, usize)>, &Service),
        around: &Around<'_>,
    ) {
        let mut own = BTreeSet::new();
        for (number, at) in numbers {
            let normal = around.home.normal(&number).to_string();
            let again = !own.insert(normal.clone());
            if let (Some(_), "*") = (around.body, number.as_str()) {
                let what = "a body answers no numbers but its own";
                document.fault(
                    at,
                    what,
                    "write its numbers here, and \"*\" under [[service]] of the installation",
                );
                continue;
            }
            let owner = self.bodies.of_number(&normal).map(str::to_owned);
            let before = match number.as_str() {
                "*" => self.otherwise.replace(service.clone()),
                _ => self.by_number.insert(normal.clone(), service.clone()),
            };
            if before.is_some() && !again {
                let whose = |owner: &str| format!(", one of them of `{owner}`");
                let whose = owner.as_deref().filter(|owner| Some(*owner) != around.body).map(whose);
                let what = format!("`{number}` has two services{}", whose.unwrap_or_default());
                document.fault(at, what, "keep one of the two");
            }
            if let Some(body) = around.body {
                if matches!(service, Service::Script { .. }) {
                    self.bodies.doors.entry(body.to_owned()).or_insert_with(|| normal.clone());
                }
                self.bodies.numbers.insert(normal, body.to_owned());
            }
        }
    }

    /// Tells which services of the house, to which callers are sent, are not there.
    pub(super) fn check(&self, document: &mut Document<'_>, sent: &[Sent], around: (Option<&str>, &Rules)) {
        let (body, home) = around;
        for Sent { at, script, to } in sent {
            let normal = |number: &str| home.normal(number).to_string();
            let (there, what_to_do) = match to.split_once(':') {
                Some(("body", body)) => (
                    self.bodies.doors.contains_key(body),
                    "name a body under [bodies] that has a script under [[service]]",
                ),
                Some(("service", number)) => {
                    let number = normal(number);
                    let whose = self.bodies.of_number(&number);
                    let scripted = matches!(self.by_number.get(&number), Some(Service::Script { .. }));
                    let may = body.is_none() || whose.is_none() || whose == body;
                    (
                        scripted && may,
                        "name a number of a [[service]] with a script; another body's callers go to \"body:NAME\"",
                    )
                }
                _ => continue,
            };
            if !there {
                let what = format!("the script `{script}` sends callers to `{to}`, which is not there");
                document.fault(*at, what, what_to_do);
            }
        }
    }
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
    around: &Around<'_>,
    sent: &mut Vec<Sent>,
) -> Option<Service> {
    let Around { scripts, desk, sip, body, .. } = around;
    let entry = section.take("script")?;
    let written = document.text(&entry)?;
    let found = scripts.get(&name_in(*body, written)).filter(|_| !written.contains(BODY_MARK));
    let language = language(document, section, found.map(AsRef::as_ref));
    let Some(script) = found else {
        let own = scripts.keys().filter(|name| body_of(name) == *body);
        let own = own.map(|name| without_body(name));
        let what_to_do = match nearest(written, own) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "make a folder of that name in the folder of scripts, and mend its faults".to_owned(),
        };
        document.fault(entry.value_at(), format!("there is no sound script `{written}`"), what_to_do);
        return None;
    };
    for queue in script.queues() {
        if !desk.has_queue(&name_in(*body, queue)) {
            let what = format!("the script `{written}` uses the queue `{queue}`, which is not there");
            document.fault(entry.value_at(), what, "write it under [[queue]]");
        }
    }
    interpreters(document, script, (written, entry.value_at()), (desk, *body));
    let known = |agent: &&str| desk.has_agent(agent) || desk.has_agent(&name_in(*body, agent));
    for agent in script.transfer_agents().into_iter().filter(|agent| !known(agent)) {
        let what =
            format!("the script `{written}` puts calls through to the agent `{agent}`, who is not there");
        let agents = desk.acd.agents.iter().map(|agent| agent.name.as_str());
        let own = agents.filter(|name| body_of(name).is_none_or(|of| Some(of) == *body));
        let own = own.map(without_body);
        let what_to_do = match nearest(agent, own) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write them under [[agent]]".to_owned(),
        };
        document.fault(entry.value_at(), what, what_to_do);
    }
    for target in script.transfer_targets() {
        if ivr::is_service(target) {
            sent.push(Sent { at: entry.value_at(), script: written.to_owned(), to: target.to_owned() });
        } else if let Some((what, what_to_do)) = sip.and_then(|sip| unreachable(sip, target)) {
            let what = format!("the script `{written}` puts calls through to `{target}`, {what}");
            document.fault(entry.value_at(), what, what_to_do);
        }
    }
    Some(Service::Script { script: script.clone(), language })
}

/// The queues of interpreters must be there; a language that nobody there speaks, nor everybody who is to be interpreted for,
/// is hardly meant.
fn interpreters(
    document: &mut Document<'_>,
    script: &Script,
    (name, at): (&str, usize),
    (desk, body): (&Desk, Option<&str>),
) {
    for (queue, others) in script.interpreters() {
        let full = name_in(body, queue);
        if !desk.has_queue(&full) {
            let what =
                format!("the script `{name}` has interpreters in the queue `{queue}`, which is not there");
            document.fault(at, what, "write it under [[queue]]");
            continue;
        }
        let speaks = |agent: &&acd::Agent, language: &str| agent.languages.contains(language);
        let missing = script.languages().filter(|language| {
            let interpreted = desk.agents_of(&full).any(|agent| speaks(&agent, language));
            let mut others = others.iter().map(|other| name_in(body, other));
            let all = others.all(|other| desk.agents_of(&other).all(|agent| speaks(&agent, language)));
            !interpreted && !all
        });
        let missing: Vec<&str> = missing.collect();
        if !missing.is_empty() {
            let what = format!("nobody in the queue `{queue}` interprets {}", missing.join(", "));
            let what_to_do = "add the language to an agent of that queue";
            document.warn(at, format!("script `{name}`: {what}"), what_to_do);
        }
    }
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

fn plain(document: &mut Document<'_>, section: &mut Section<'_>, around: &Around<'_>) -> Option<Service> {
    let hint = "write `script`, or `kind`: \"silence\", \"play\", \"echo\", \"room\" or \"dial\"";
    let entry = section.require(document, "kind", hint)?;
    match document.text(&entry)? {
        "silence" => Some(Service::Silence),
        "echo" => Some(Service::Echo),
        "room" => room(document, section, around),
        "play" => {
            let source = text(document, section, "sound", "name a sound, such as \"moh/calm\"")?;
            Some(Service::Play(sound(around.sounds.played_by(&source))))
        }
        "dial" => dial(document, section, around.sip),
        other => {
            let what = format!("there is no kind `{other}`");
            document.fault(entry.value_at(), what, hint);
            None
        }
    }
}

/// What whoever comes to a room has to listen to.
const ANNOUNCED_MAX: usize = 16;

fn room(document: &mut Document<'_>, section: &mut Section<'_>, around: &Around<'_>) -> Option<Service> {
    let hint = "name the room: all numbers with this name lead to it";
    let name = name_in(around.body, &own_name(document, section, hint)?);
    let chime = section.take("chime").map_or(Some(true), |entry| document.flag(&entry))?;
    let announce = section.take("announce").map(|entry| document.texts(&entry)).unwrap_or_default();
    if let Some((_, at)) = announce.get(ANNOUNCED_MAX) {
        document.fault(
            *at,
            format!("more than {ANNOUNCED_MAX} sounds"),
            "announce less: people want to talk",
        );
    }
    let announce = announce.into_iter().map(|(source, _)| sound(around.sounds.played_by(source))).collect();
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
