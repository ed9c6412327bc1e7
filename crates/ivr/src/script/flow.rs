use super::kinds;
use super::model::{Assignment, Exit, Flow, Node, NodeId, Number};
use super::phrases::{Phrases, Use};
use super::proof;
use super::words::{NAME_SHAPE, is_dialled, is_language, is_name};
use super::{ScriptFiles, SoundInventory};
use crate::Fault;
use calendar::Calendar;
use document::{Document, Entry, Section, nearest};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// By name; `None` for one with faults.
pub(super) type Calendars = BTreeMap<String, Option<Arc<Calendar>>>;

/// Far more than a caller could walk through.
const NODES_MAX: usize = 500;

/// Reads `flow.toml`, checks that every name in it is the name of something, and proves the flow. `None`
/// where the faults leave no flow.
pub(super) fn read(
    files: &ScriptFiles,
    calendars: &Calendars,
    phrases: &Phrases,
    faults: &mut Vec<Fault>,
) -> Option<Flow> {
    let (file, text) = (files.flow.0.as_str(), files.flow.1.as_str());
    let (document, table) = Document::parse(file, text);
    let Some(table) = table else {
        faults.extend(document.into_faults());
        return None;
    };
    let mut reader = Reader::new(document, calendars, &files.sounds);
    let flow = reader.flow(&table, phrases);
    phrases.check(&reader.uses, &reader.languages, &files.sounds, &mut reader.document, faults);
    faults.extend(reader.document.into_faults());
    flow
}

/// What is known while a flow is read.
pub(super) struct Reader<'f> {
    pub(super) document: Document<'f>,
    pub(super) calendars: &'f Calendars,
    pub(super) sounds: &'f SoundInventory,
    pub(super) languages: Vec<String>,
    pub(super) uses: BTreeSet<Use>,
    nodes: BTreeMap<String, NodeId>,
    /// The languages that a call can come to be in.
    spoken: BTreeSet<String>,
    /// What the script sets, by name.
    set: BTreeMap<String, BTreeSet<String>>,
    /// The names that it reads, and the values that it expects there, with their places.
    read: Vec<(String, usize)>,
    compared: Vec<(String, String, usize)>,
    /// Some exit leads nowhere, so what can be reached is not known.
    broken: bool,
}

impl<'f> Reader<'f> {
    fn new(document: Document<'f>, calendars: &'f Calendars, sounds: &'f SoundInventory) -> Reader<'f> {
        Reader {
            document,
            calendars,
            sounds,
            languages: Vec::new(),
            uses: BTreeSet::new(),
            nodes: BTreeMap::new(),
            spoken: BTreeSet::new(),
            set: BTreeMap::new(),
            read: Vec::new(),
            compared: Vec::new(),
            broken: false,
        }
    }

    fn flow(&mut self, table: &document::Table<'_>, phrases: &Phrases) -> Option<Flow> {
        let mut head = Section::new(table, 0);
        let title = head.require(&mut self.document, "title", "say in a few words what the script is for");
        let title = title.and_then(|title| self.document.text(&title)).map(str::to_owned);
        let languages = self.languages(&mut head, phrases);
        let fallback_language = self.fallback(&mut head);
        let start = head.require(&mut self.document, "start", "name the node that a call begins in");
        let numbers = head.take("numbers");
        let bodies = self.name_nodes(head);

        let start = start.and_then(|start| self.node(&start));
        let numbers = numbers.map(|numbers| self.numbers(&numbers, start)).unwrap_or_default();
        let nodes: Vec<Option<Node>> = bodies.iter().map(|body| kinds::node(self, body)).collect();
        self.check_known();
        self.check_spoken(&languages);

        let broken = self.broken || start.is_none();
        let mut nodes: Vec<Node> = nodes.into_iter().collect::<Option<_>>().filter(|_| !broken)?;
        let starts = numbers.values().map(|number| number.start).chain(start);
        proof::prove(&mut nodes, starts, &mut self.document);
        Some(Flow {
            title: title?,
            languages: self.languages.clone(),
            fallback_language,
            start: start?,
            numbers,
            nodes,
        })
    }

    /// The declared languages with their places. Each must have its phrases, and each file its language.
    fn languages(&mut self, head: &mut Section<'_>, phrases: &Phrases) -> Vec<(String, usize)> {
        let hint = "list them, the first for callers of whom nothing is known: languages = [\"it\", \"en\"]";
        let Some(entry) = head.require(&mut self.document, "languages", hint) else { return Vec::new() };
        let mut languages: Vec<(String, usize)> = Vec::new();
        let texts = self.document.texts(&entry);
        if entry.value.get_ref().as_array().is_some_and(|list| list.is_empty()) {
            self.document.fault(entry.value_at(), "no language is listed", "list at least one");
        }
        for (language, at) in texts {
            if !is_language(language) {
                let what = format!("`{language}` is no language");
                self.document.fault(at, what, "write its two or three letters, such as \"it\"");
            } else if languages.iter().any(|(other, _)| other == language) {
                self.document.fault(
                    at,
                    format!("language `{language}` is listed twice"),
                    "keep one of the two",
                );
            } else {
                if phrases.file(language).is_none() {
                    let what = format!("language `{language}` has no phrases");
                    self.document.fault(at, what, format!("write phrases/{language}.toml"));
                }
                languages.push((language.to_owned(), at));
            }
        }
        for language in
            phrases.languages().filter(|file| !languages.iter().any(|(language, _)| language == file))
        {
            let what = format!("there are phrases in `{language}`, which is not listed");
            self.document.fault(entry.value_at(), what, "list the language, or take its file away");
        }
        self.languages = languages.iter().map(|(language, _)| language.clone()).collect();
        self.spoken.extend(self.languages.first().cloned());
        languages
    }

    fn fallback(&mut self, head: &mut Section<'_>) -> String {
        let named = head.take("fallback_language").and_then(|entry| {
            let language = self.document.text(&entry)?;
            self.language(language, entry.value_at())
        });
        named.or_else(|| self.languages.first().cloned()).unwrap_or_default()
    }

    /// Gives every table that is left its number, so that nodes can be named before they are read.
    fn name_nodes<'d>(&mut self, head: Section<'d>) -> Vec<Entry<'d>> {
        let (nodes, others): (Vec<Entry<'d>>, Vec<Entry<'d>>) =
            head.rest().into_iter().partition(|entry| entry.value.get_ref().is_table());
        for entry in others {
            let keys = ["title", "languages", "fallback_language", "start", "numbers"];
            let what_to_do = nearest(entry.name, keys).map(|near| format!("did you mean `{near}`?"));
            let what_to_do =
                what_to_do.unwrap_or_else(|| "take it out; a node is a table, headed [name]".to_owned());
            self.document.fault(entry.at, format!("unknown key `{}`", entry.name), what_to_do);
        }
        for entry in nodes.iter().filter(|entry| !is_name(entry.name)) {
            self.document.fault(entry.at, format!("`{}` is no name for a node", entry.name), NAME_SHAPE);
        }
        if let Some(first) = nodes.get(NODES_MAX) {
            self.document.fault(
                first.at,
                format!("more than {NODES_MAX} nodes"),
                "make several scripts of it",
            );
        }
        self.nodes = nodes.iter().enumerate().map(|(id, entry)| (entry.name.to_owned(), id)).collect();
        nodes
    }

    fn numbers(&mut self, entry: &Entry<'_>, start: Option<NodeId>) -> BTreeMap<String, Number> {
        let mut numbers = BTreeMap::new();
        for number in self.document.section(entry).map(Section::rest).unwrap_or_default() {
            if !is_dialled(number.name) {
                let what = format!("`{}` cannot be dialled", number.name);
                self.document.fault(number.at, what, "use digits, letters and + * # _ . -");
            }
            if let Some(preset) = self.number(&number, start) {
                numbers.insert(number.name.to_owned(), preset);
            }
        }
        numbers
    }

    fn number(&mut self, entry: &Entry<'_>, start: Option<NodeId>) -> Option<Number> {
        if entry.value.get_ref().is_str() {
            return Some(Number { start: self.node(entry)?, set: Vec::new() });
        }
        let mut section = self.document.section(entry)?;
        let own = section.take("start").map(|own| self.node(&own));
        let set = section.take("set").map(|set| self.assignments(&set)).unwrap_or_default();
        section.finish(&mut self.document);
        Some(Number { start: own.unwrap_or(start)?, set })
    }

    /// The node that `entry` names.
    pub(super) fn node(&mut self, entry: &Entry<'_>) -> Option<NodeId> {
        let found = self.document.text(entry).and_then(|name| {
            let id = self.nodes.get(name).copied();
            if id.is_none() {
                let what_to_do = match nearest(name, self.nodes.keys().map(String::as_str)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("write a node headed [{name}], or name another"),
                };
                self.document.fault(entry.value_at(), format!("unknown node `{name}`"), what_to_do);
            }
            id
        });
        self.broken |= found.is_none();
        found
    }

    /// The exit called `name`, which must be there.
    pub(super) fn exit(&mut self, section: &mut Section<'_>, name: &'static str) -> Option<Exit> {
        let hint = "name the node that comes then";
        let Some(entry) = section.require(&mut self.document, name, hint) else {
            self.broken = true;
            return None;
        };
        self.node(&entry).map(Exit::To)
    }

    /// The exit called `name`, or the end of the call with `reason`.
    pub(super) fn exit_or(
        &mut self,
        section: &mut Section<'_>,
        name: &'static str,
        reason: &'static str,
    ) -> Option<Exit> {
        match section.take(name) {
            Some(entry) => self.node(&entry).map(Exit::To),
            None => Some(Exit::HangUp(reason)),
        }
    }

    /// The same of a section that may not be there.
    pub(super) fn exit_or_default(
        &mut self,
        section: &mut Option<Section<'_>>,
        name: &'static str,
        reason: &'static str,
    ) -> Option<Exit> {
        match section {
            Some(section) => self.exit_or(section, name, reason),
            None => Some(Exit::HangUp(reason)),
        }
    }

    /// The language, if it is declared.
    pub(super) fn language(&mut self, language: &str, at: usize) -> Option<String> {
        if self.languages.iter().any(|declared| declared == language) {
            return Some(language.to_owned());
        }
        let what_to_do = format!("choose one of {}, or list it in `languages`", self.languages.join(", "));
        self.document.fault(at, format!("unknown language `{language}`"), what_to_do);
        None
    }

    /// The table `set`: what becomes known of the call.
    pub(super) fn assignments(&mut self, entry: &Entry<'_>) -> Vec<Assignment> {
        let entries = self.document.section(entry).map(Section::rest).unwrap_or_default();
        if entries.is_empty() && entry.value.get_ref().is_table() {
            self.document.fault(
                entry.at,
                "`set` sets nothing",
                "write what, such as set = { topic = \"work\" }",
            );
        }
        entries.iter().filter_map(|entry| self.assignment(entry)).collect()
    }

    fn assignment(&mut self, entry: &Entry<'_>) -> Option<Assignment> {
        if !is_name(entry.name) {
            self.document.fault(entry.at, format!("`{}` is no name", entry.name), NAME_SHAPE);
            return None;
        }
        let value = match entry.name {
            "priority" => self.priority(entry)?.to_string(),
            "language" => {
                let language = self.document.text(entry)?;
                self.speak(language, entry.value_at())?
            }
            _ => self.document.text(entry)?.to_owned(),
        };
        self.set.entry(entry.name.to_owned()).or_default().insert(value.clone());
        Some(Assignment { key: entry.name.to_owned(), value })
    }

    /// The language that a call comes to be in from here.
    pub(super) fn speak(&mut self, language: &str, at: usize) -> Option<String> {
        self.spoken.insert(language.to_owned());
        self.language(language, at)
    }

    pub(super) fn priority(&mut self, entry: &Entry<'_>) -> Option<u8> {
        let number = self.document.number(entry)?;
        let priority = u8::try_from(number).ok().filter(|priority| *priority <= 9);
        if priority.is_none() {
            self.document.fault(
                entry.value_at(),
                format!("no priority is {number}"),
                "choose 0 to 9, 9 being first",
            );
        }
        priority
    }

    /// Notes that the flow reads what is known under a name.
    pub(super) fn knows(&mut self, name: &str, at: usize) {
        self.read.push((name.to_owned(), at));
    }

    /// Notes that the flow goes another way if `value` is known under a name.
    pub(super) fn compares(&mut self, name: &str, value: &str, at: usize) {
        self.compared.push((name.to_owned(), value.to_owned(), at));
    }

    fn check_known(&mut self) {
        self.check_compared();
        let always = ["language", "topic", "priority", "trust"];
        for (name, at) in std::mem::take(&mut self.read) {
            if self.set.contains_key(&name) || always.contains(&name.as_str()) {
                continue;
            }
            let words = self.set.keys().map(String::as_str).chain(always);
            let what_to_do = match nearest(&name, words) {
                Some(near) => format!("did you mean `${near}`?"),
                None => format!("set it somewhere: set = {{ {name} = \"...\" }}"),
            };
            self.document.fault(at, format!("nothing sets `${name}`"), what_to_do);
        }
    }

    fn check_compared(&mut self) {
        for (name, value, at) in std::mem::take(&mut self.compared) {
            // A name that nothing sets is told where it is read.
            let Some(values) = self.set.get(&name) else { continue };
            if values.contains(&value) || (name == "language" && self.languages.contains(&value)) {
                continue;
            }
            let what_to_do = match nearest(&value, values.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "take the case out, or set it somewhere".to_owned(),
            };
            self.document.fault(at, format!("`${name}` is never `{value}`"), what_to_do);
        }
    }

    fn check_spoken(&mut self, languages: &[(String, usize)]) {
        for (language, at) in languages.iter().filter(|(language, _)| !self.spoken.contains(language)) {
            let what = format!("no caller can come to language `{language}`");
            self.document.fault(*at, what, format!("offer it in a menu: {{ language = \"{language}\" }}"));
        }
    }
}
