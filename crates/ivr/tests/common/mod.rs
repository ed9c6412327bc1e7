//! Reads script folders, and drives a call through a script in virtual time.
#![allow(dead_code, reason = "each test file uses its own part of this")]

use base::{Time, Wall};
use ivr::{Entry, Input, Interpreter, Output, Script, ScriptFiles, SoundInventory, Trace};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// 27 November 2026, a Friday, 10:00 in Rome.
pub(crate) const FRIDAY_MORNING: Wall = Wall::from_unix_micros(1_795_770_000_000_000);

pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files of a script in the repository's own `ivr-scripts`, with the repository's own sounds.
pub(crate) fn shipped_files(name: &str) -> ScriptFiles {
    folder(name, &repository().join("ivr-scripts").join(name), shipped_sounds())
}

pub(crate) fn folder(name: &str, path: &Path, sounds: SoundInventory) -> ScriptFiles {
    let flow = path.join("flow.toml");
    ScriptFiles {
        name: name.to_owned(),
        flow: ("flow.toml".to_owned(), fs::read_to_string(flow).unwrap()),
        phrases: tables(path, "phrases"),
        calendars: tables(path, "calendars"),
        parts: tables(path, "parts"),
        look_ups: tables(path, "look_ups"),
        voices: ["it", "en", "fr"].map(str::to_owned).into(),
        sounds,
    }
}

pub(crate) fn tables(path: &Path, kind: &str) -> Vec<(String, String, String)> {
    let mut tables: Vec<_> = list(&path.join(kind), "toml")
        .into_iter()
        .map(|(name, path)| (name.clone(), format!("{kind}/{name}.toml"), fs::read_to_string(path).unwrap()))
        .collect();
    tables.sort();
    tables
}

fn list(folder: &Path, extension: &str) -> Vec<(String, PathBuf)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    let wanted = paths.filter(|path| path.extension().is_some_and(|found| found == extension));
    wanted.map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path)).collect()
}

pub(crate) fn shipped_sounds() -> SoundInventory {
    let sounds = repository().join("sounds");
    let folders =
        fs::read_dir(&sounds).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let named = |folder: PathBuf| {
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        list(&folder, "opus").into_iter().map(move |(sound, _)| format!("{name}/{sound}"))
    };
    folders.flat_map(named).collect()
}

pub(crate) fn without(sounds: &SoundInventory, gone: &str) -> SoundInventory {
    sounds.sources().filter(|source| *source != gone).collect()
}

pub(crate) fn checked(files: &ScriptFiles) -> Arc<Script> {
    Arc::new(Script::check(files).unwrap_or_else(|faults| panic!("{}", told(&faults).join("\n"))))
}

pub(crate) fn told(faults: &[ivr::Fault]) -> Vec<String> {
    faults.iter().map(ToString::to_string).collect()
}

/// A script in Italian and English whose phrases are the words given, each with its sound.
pub(crate) fn small(flow: &str, phrases: &[&str]) -> ScriptFiles {
    let languages = ["it", "en"];
    let text: String = phrases.iter().map(|key| format!("{key} = \"text of {key}\"\n")).collect();
    let table = |language: &str| (language.to_owned(), format!("phrases/{language}.toml"), text.clone());
    let sound = |language: &'static str| phrases.iter().map(move |key| format!("{language}/{key}"));
    let day = "zone = \"Europe/Rome\"\nfri = [\"09:00-13:00\"]\n";
    ScriptFiles {
        name: "small".to_owned(),
        flow: ("flow.toml".to_owned(), flow.to_owned()),
        phrases: languages.map(table).to_vec(),
        calendars: vec![("desk".to_owned(), "calendars/desk.toml".to_owned(), day.to_owned())],
        parts: Vec::new(),
        look_ups: Vec::new(),
        voices: Default::default(),
        sounds: languages.into_iter().flat_map(sound).chain(["moh/calm".to_owned()]).collect(),
    }
}

/// One call, and what it was told.
pub(crate) struct Call {
    pub(crate) interpreter: Interpreter,
    pub(crate) now: Time,
    pub(crate) wall: Wall,
}

impl Call {
    pub(crate) fn new(script: &Arc<Script>, dialled: &str) -> Call {
        Call::at(script, dialled, FRIDAY_MORNING)
    }

    pub(crate) fn at(script: &Arc<Script>, dialled: &str, wall: Wall) -> Call {
        let entry = Entry { written: dialled.to_owned(), dialled: dialled.to_owned(), ..Entry::default() };
        Call { interpreter: Interpreter::new(script.clone(), entry), now: Time::ZERO, wall }
    }

    pub(crate) fn tell(&mut self, input: Input) -> Vec<Output> {
        self.interpreter.handle(self.now, self.wall, input);
        self.drain()
    }

    pub(crate) fn drain(&mut self) -> Vec<Output> {
        std::iter::from_fn(|| self.interpreter.poll_output()).collect()
    }

    pub(crate) fn wait(&mut self, span: Duration) -> Vec<Output> {
        (self.now, self.wall) = (self.now + span, self.wall + span);
        self.interpreter.handle_timeout(self.now, self.wall);
        self.drain()
    }

    /// As `tell`, in short lines.
    pub(crate) fn lines(&mut self, input: Input) -> Vec<String> {
        self.tell(input).iter().map(line).collect()
    }

    pub(crate) fn key(&mut self, key: char) -> Vec<String> {
        self.lines(Input::Digit(key))
    }

    pub(crate) fn played(&mut self) -> Vec<String> {
        self.lines(Input::Played { complete: true })
    }

    pub(crate) fn wait_lines(&mut self, seconds: u64) -> Vec<String> {
        self.wait(Duration::from_secs(seconds)).iter().map(line).collect()
    }
}

/// An output in a line that a person can compare.
pub(crate) fn line(output: &Output) -> String {
    match output {
        Output::Play { sounds } => {
            let sounds: Vec<String> = sounds.iter().map(|sound| sound.join("|")).collect();
            format!("play {}", sounds.join(" "))
        }
        Output::Stop => "stop".to_owned(),
        Output::Queue(wait) => {
            let interpreter = wait.interpreter.as_ref().map(|wanted| {
                let (after, within, say) =
                    (wanted.after.as_secs(), wanted.within.as_secs(), wanted.say.len());
                format!(" interpreter={} after={after}s within={within}s says={say}", wanted.queue)
            });
            format!(
                "queue {} language={} topic={} priority={}{}",
                wait.queue,
                wait.language,
                wait.topic,
                wait.priority,
                interpreter.unwrap_or_default()
            )
        }
        Output::Transfer { to, ring } => format!("transfer {to} {}s", ring.as_secs()),
        Output::TransferToAgent { agent, ring } => format!("transfer to agent {agent} {}s", ring.as_secs()),
        Output::LookUp { serial, look_up, with } => {
            format!("look up {serial} {} {}", look_up.name, with.join(","))
        }
        Output::CallBack(wish) => format!("call back {} in {} {}", wish.number, wish.queue, wish.language),
        Output::Message { mailbox, longest, .. } => format!("message {mailbox} {}s", longest.as_secs()),
        Output::Remember { language, length: Some(length) } => {
            format!("remember {language} for {}s", length.as_secs())
        }
        Output::Remember { language, length: None } => format!("remember {language}"),
        Output::Forget => "forget".to_owned(),
        Output::HangUp { reason } => format!("hang up: {reason}"),
        Output::Trace(trace) => trace_line(trace),
    }
}

fn trace_line(trace: &Trace) -> String {
    match trace {
        Trace::Entered { node } => format!("({node})"),
        Trace::PromptStarted { prompts, .. } => format!("({} prompts)", prompts.len()),
        Trace::PromptEnded { complete, .. } => (if *complete { "(heard)" } else { "(cut)" }).to_owned(),
        Trace::Chosen { key, choice, .. } => format!("(key {key}: {choice})"),
        Trace::NoInput { attempt, .. } => format!("(no input {attempt})"),
        Trace::NoMatch { key, attempt, .. } => format!("(no match {key} {attempt})"),
        Trace::Collected { digits, .. } => format!("(typed {digits})"),
        Trace::Surveyed { question, answer, .. } => format!("({question}: {answer})"),
        Trace::LookedUp { look_up, outcome, .. } => format!("(look-up {look_up}: {outcome})"),
        Trace::Set { key, value } => format!("({key} = {value})"),
        Trace::Hours { calendar, open, rule } => format!("(hours {calendar} {open} {rule})"),
        Trace::Left { to, .. } => format!("(left: {to})"),
    }
}
