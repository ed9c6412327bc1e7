mod emergency;
mod flow;
mod kinds;
mod model;
mod outline;
mod parts;
mod phrases;
mod promise;
mod proof;
mod remember;
pub mod schema;
mod version;
mod words;

use crate::Fault;
use crate::look_up::LookUp;
use base::Wall;
use calendar::{Calendar, Proof};
use flow::{Calendars, LookUps, Others};
use media_api::Sound;
use spoken::Form;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

pub(crate) use kinds::FAILED;
pub(crate) use model::{
    Assignment, CallbackNode, Choice, CollectNode, Destination, Exit, Flow, InterpreterWanted, Kind, Line,
    LookUpNode, MessageNode, Node, NodeId, Number, Purpose, QueueNode, Retry, Value, Words,
};
pub use outline::{Spoken, Step};
pub(crate) use phrases::Phrases;
pub(crate) use remember::REMEMBERED;
pub use words::is_service;
pub(crate) use words::{NAME_SHAPE, duration, is_name, press, span};

/// The files of a script, as values: whoever reads them from a disk is not part of this crate.
#[derive(Clone, Debug, Default)]
pub struct ScriptFiles {
    /// The folder's name.
    pub name: String,
    /// `flow.toml`: how faults shall call it, and its text.
    pub flow: (String, String),
    /// `phrases/LANG.toml`: language, how faults shall call it, text.
    pub phrases: Vec<(String, String, String)>,
    /// `calendars/NAME.toml`: name, how faults shall call it, text.
    pub calendars: Vec<(String, String, String)>,
    /// `parts/NAME.toml`: name, how faults shall call it, text.
    pub parts: Vec<(String, String, String)>,
    /// `look_ups/NAME.toml`: name, how faults shall call it, text.
    pub look_ups: Vec<(String, String, String)>,
    /// The sounds that there are.
    pub sounds: SoundInventory,
    /// The languages in which any text can be said.
    pub voices: BTreeSet<String>,
}

/// The sources of sounds that exist, such as `it/welcome` or `moh/calm`, and how long each lasts, if that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SoundInventory {
    files: BTreeMap<String, File>,
    every: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct File {
    length: Option<Duration>,
    /// What it is played by, if that is not its source.
    lies_at: Option<String>,
}

impl SoundInventory {
    /// As if every sound were there: for scripts that wait for theirs.
    pub fn every() -> SoundInventory {
        SoundInventory { every: true, ..SoundInventory::default() }
    }

    /// Whether there is a file of this source.
    pub fn has(&self, source: &str) -> bool {
        self.every || self.files.contains_key(source)
    }

    /// There is a file of this source that lasts so long; nothing can be heard of one that lasts no time.
    pub fn add(&mut self, source: String, length: Option<Duration>) {
        self.files.insert(source, File { length, lies_at: None });
    }

    /// The same of one that is played by another source.
    pub fn add_at(&mut self, source: String, lies_at: String, length: Option<Duration>) {
        self.files.insert(source, File { length, lies_at: Some(lies_at) });
    }

    /// By what a source is played.
    pub fn played_by<'s>(&'s self, source: &'s str) -> &'s str {
        self.files.get(source).and_then(|file| file.lies_at.as_deref()).unwrap_or(source)
    }

    /// All sources.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// How long this source lasts, if that is known.
    pub fn length(&self, source: &str) -> Option<Duration> {
        self.files.get(source).and_then(|file| file.length)
    }
}

impl<S: Into<String>> FromIterator<S> for SoundInventory {
    fn from_iter<I: IntoIterator<Item = S>>(sources: I) -> SoundInventory {
        let files = sources.into_iter().map(|source| (source.into(), File::default())).collect();
        SoundInventory { files, every: false }
    }
}

/// A checked script: whatever could be wrong with it before a call comes is not.
#[derive(Clone, Debug)]
pub struct Script {
    name: String,
    version: String,
    flow: Flow,
    calendars: Calendars,
    phrases: Phrases,
}

impl Script {
    /// Checks the whole script: flow, phrases, sounds and calendars. All faults at once, by place.
    pub fn check(files: &ScriptFiles) -> Result<Script, Vec<Fault>> {
        let mut faults = Vec::new();
        let calendars: Calendars =
            each(&files.calendars, &mut faults, |_, file, text| Calendar::parse(file, text));
        let look_ups: LookUps = each(&files.look_ups, &mut faults, LookUp::parse);
        let phrases = Phrases::read(&files.phrases, &mut faults);
        let flow =
            flow::read(files, Others { calendars: &calendars, look_ups: &look_ups }, &phrases, &mut faults);
        faults.sort();
        faults.dedup();
        match flow {
            Some(flow) if faults.is_empty() => {
                let phrases = phrases.with_fallback(&flow.fallback_language, &files.sounds);
                let (name, version) = (files.name.clone(), files.version());
                Ok(Script { name, version, flow, calendars, phrases })
            }
            _ => Err(faults),
        }
    }

    /// The folder's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of what it is made of: [`ScriptFiles::version`].
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What it is for, in a person's words.
    pub fn title(&self) -> &str {
        &self.flow.title
    }

    /// The languages, in the order of the file; the first is that of a caller of whom nothing is known.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        self.flow.languages.iter().map(String::as_str)
    }

    /// How the place `n` in a queue is said: `you_are_number` and the number, up to 60 in every language that has a
    /// grammar, and up to 999 where the script has all its fragments. Otherwise only `please_wait`: half a number would
    /// be a wrong one.
    pub fn position(&self, language: &str, n: usize) -> Vec<Sound> {
        let (language, phrases) = self.position_phrases(language, n);
        phrases.iter().filter_map(|phrase| self.sound(phrase, language)).collect()
    }

    /// The phrases of `position`, and the language in which they are said.
    pub(crate) fn position_phrases<'l>(&'l self, language: &'l str, n: usize) -> (&'l str, Vec<String>) {
        let is_spoken = self.languages().any(|known| known == language);
        let language = if is_spoken { language } else { &self.flow.fallback_language };
        let number = Form::Place.say(language, &n.to_string()).unwrap_or_default();
        let is_there = |fragment: &String| self.phrases.sound(fragment, language).is_some();
        if number.is_empty() || !number.iter().all(is_there) {
            return (language, vec!["please_wait".to_owned()]);
        }
        (language, std::iter::once("you_are_number".to_owned()).chain(number).collect())
    }

    /// The names of the nodes, in the order of the file; those of parts after them.
    pub fn nodes(&self) -> impl Iterator<Item = &str> {
        self.flow.nodes.iter().map(|node| node.name.as_str())
    }

    /// The same nodes by their kinds, such as `menu`.
    pub fn kinds(&self) -> impl Iterator<Item = &'static str> {
        self.flow.nodes.iter().map(|node| node.kind.word())
    }

    /// The queues that the script sends calls to, or has callers called back from.
    pub fn queues(&self) -> BTreeSet<&str> {
        let queues = self.flow.nodes.iter().filter_map(|node| match &node.kind {
            Kind::Queue(node) => Some(node.queue.as_str()),
            Kind::Callback(node) => Some(node.queue.as_str()),
            _ => None,
        });
        queues.collect()
    }

    /// The queues whose agents interpret for those who wait in another: each with those others.
    pub fn interpreters(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut queues: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for node in &self.flow.nodes {
            if let Kind::Queue(QueueNode { queue, interpreter: Some(wanted), .. }) = &node.kind {
                queues.entry(&wanted.queue).or_default().insert(queue);
            }
        }
        queues
    }

    /// The numbers and URIs that the script puts calls through to, as far as they are written in it.
    pub fn transfer_targets(&self) -> BTreeSet<&str> {
        let target = |node| match node {
            &Node { kind: Kind::Transfer { to: Destination::Outside(Value::Text(ref to)), .. }, .. } => {
                Some(to.as_str())
            }
            _ => None,
        };
        self.flow.nodes.iter().filter_map(target).collect()
    }

    /// The agents whom the script puts calls through to, as far as their names are written in it.
    pub fn transfer_agents(&self) -> BTreeSet<&str> {
        let agent = |node| match node {
            &Node { kind: Kind::Transfer { to: Destination::Agent(Value::Text(ref to)), .. }, .. } => {
                Some(to.as_str())
            }
            _ => None,
        };
        self.flow.nodes.iter().filter_map(agent).collect()
    }

    /// Whom the script asks, each once.
    pub fn look_ups(&self) -> impl Iterator<Item = &Arc<LookUp>> {
        let asked = self.flow.nodes.iter().filter_map(|node| match node {
            Node { kind: Kind::LookUp(node), .. } => Some((&node.look_up.name, &node.look_up)),
            _ => None,
        });
        asked.collect::<BTreeMap<_, _>>().into_values()
    }

    /// The dialled numbers that the script knows of itself.
    pub fn dialled_numbers(&self) -> BTreeSet<&str> {
        self.flow.numbers.keys().map(String::as_str).collect()
    }

    /// The calendars by name, each one that there is a file for.
    pub fn calendars(&self) -> impl Iterator<Item = (&str, &Calendar)> {
        self.calendars.iter().filter_map(|(name, calendar)| Some((name.as_str(), calendar.as_deref()?)))
    }

    /// What will go wrong with its calendars in the two years after `from`.
    pub fn prove_calendars(&self, from: Wall) -> Proof {
        let mut proof = Proof::default();
        for (_, calendar) in self.calendars() {
            proof.add(calendar.prove(from));
        }
        proof
    }

    /// Whether callers who agree are known by their language when they call again.
    pub fn remembers(&self) -> bool {
        self.flow.remember.is_some()
    }

    /// Whether a command that closes the desk may have this phrase said first.
    pub fn has_emergency_message(&self, phrase: &str) -> bool {
        self.flow.emergency.messages.iter().any(|message| message == phrase)
    }

    /// The text of a phrase, for people.
    pub fn text(&self, phrase: &str, language: &str) -> Option<&str> {
        self.phrases.text(phrase, language)
    }

    pub(crate) fn phrases(&self) -> &Phrases {
        &self.phrases
    }

    pub(crate) fn flow(&self) -> &Flow {
        &self.flow
    }

    /// Its calendar of this name.
    pub fn calendar(&self, name: &str) -> Option<&Calendar> {
        self.calendars.get(name)?.as_deref()
    }

    /// What to play for a phrase: the language's sound, then that of the script's fallback language.
    pub(crate) fn sound(&self, phrase: &str, language: &str) -> Option<Sound> {
        let own = self.phrases.sound(phrase, language);
        own.or_else(|| self.phrases.sound(phrase, &self.flow.fallback_language)).cloned()
    }
}

/// Each file by its name, checked; nothing for one with faults, which are told.
fn each<T>(
    files: &[(String, String, String)],
    faults: &mut Vec<Fault>,
    check: impl Fn(&str, &str, &str) -> Result<T, Vec<Fault>>,
) -> BTreeMap<String, Option<Arc<T>>> {
    let mut checked = BTreeMap::new();
    for (name, file, text) in files {
        match check(name, file, text) {
            Ok(one) => drop(checked.insert(name.clone(), Some(Arc::new(one)))),
            Err(more) => {
                checked.insert(name.clone(), None);
                faults.extend(more);
            }
        }
    }
    checked
}
