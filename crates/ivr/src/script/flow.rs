use super::emergency;
use super::kinds;
use super::model::{Assignment, Exit, Flow, Node, NodeId, Number, Place};
use super::parts::{Instance, Parts, Scope};
use super::phrases::{Phrases, Use};
use super::proof;
use super::remember;
use super::words::{NAME_SHAPE, is_dialled, is_language, is_name};
use super::{ScriptFiles, SoundInventory, promise};
use crate::Fault;
use crate::look_up::LookUp;
use calendar::Calendar;
use document::{Document, Entry, Section, nearest};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// By name; `None` for one with faults.
pub(super) type Calendars = BTreeMap<String, Option<Arc<Calendar>>>;

pub(super) type LookUps = BTreeMap<String, Option<Arc<LookUp>>>;

/// Far more than a caller could walk through.
const NODES_MAX: usize = 500;

/// What is known of every call: whoever runs calls tells it.
const ALWAYS_KNOWN: [&str; 6] = ["language", "topic", "priority", "trust", "caller", "dialled"];

/// Reads `flow.toml` and the parts it is made of, checks that every name in it is the name of something, and proves
/// the flow. `None` where the faults leave no flow.
pub(super) fn read(
    files: &ScriptFiles,
    others: Others<'_>,
    phrases: &Phrases,
    faults: &mut Vec<Fault>,
) -> Option<Flow> {
    let (document, table) = Document::parse(&files.flow.0, &files.flow.1);
    let Some(table) = table else {
        faults.extend(document.into_faults());
        return None;
    };
    let mut reader = Reader::new(document, others, files);
    let mut parts = Parts::read(files, &mut reader);
    let instances = parts.instances(table, &mut reader);
    let flow = reader.flow(&instances, phrases);
    parts.report_unused(&mut reader);
    let (uses, languages) = (std::mem::take(&mut reader.uses), reader.languages.clone());
    phrases.check(&uses, &languages, &files.sounds, &mut reader, faults);
    faults.extend(reader.into_faults());
    flow
}

/// What a flow names that is written elsewhere, by name; `None` for one with faults.
#[derive(Clone, Copy)]
pub(super) struct Others<'f> {
    pub(super) calendars: &'f Calendars,
    pub(super) look_ups: &'f LookUps,
}

/// What is known while a flow is read.
pub(super) struct Reader<'f> {
    /// The file that is read now, and its number.
    pub(super) document: Document<'f>,
    file: usize,
    /// The other files, each at its number.
    put_aside: Vec<Option<Document<'f>>>,
    pub(super) calendars: &'f Calendars,
    pub(super) look_ups: &'f LookUps,
    pub(super) sounds: &'f SoundInventory,
    pub(super) voices: &'f BTreeSet<String>,
    pub(super) languages: Vec<String>,
    pub(super) uses: BTreeSet<Use>,
    /// What a name means where it is read now: in the flow, or in a part.
    nodes: BTreeMap<String, NodeId>,
    /// The first nodes of parts, by the nodes that they stand for.
    doors: BTreeMap<NodeId, NodeId>,
    /// The languages that a call can come to be in.
    spoken: BTreeSet<String>,
    /// What the script sets, by name.
    set: BTreeMap<String, BTreeSet<String>>,
    /// What callers alone say: nothing else may set it.
    answered: Vec<String>,
    /// What can become any text: by what callers type and by what others answer.
    free: BTreeSet<String>,
    /// Some look-up could not be read, so that nobody knows what it gives.
    guesses: bool,
    /// The names that it reads, and the values that it expects there, with their places.
    read: Vec<(String, Place)>,
    compared: Vec<(String, String, Place)>,
    /// Some exit leads nowhere, so what can be reached is not known.
    broken: bool,
}

impl<'f> Reader<'f> {
    fn new(document: Document<'f>, others: Others<'f>, files: &'f ScriptFiles) -> Reader<'f> {
        Reader {
            document,
            file: 0,
            put_aside: vec![None],
            calendars: others.calendars,
            look_ups: others.look_ups,
            sounds: &files.sounds,
            voices: &files.voices,
            languages: Vec::new(),
            uses: BTreeSet::new(),
            nodes: BTreeMap::new(),
            doors: BTreeMap::new(),
            spoken: BTreeSet::new(),
            set: BTreeMap::new(),
            answered: Vec::new(),
            free: BTreeSet::new(),
            guesses: false,
            read: Vec::new(),
            compared: Vec::new(),
            broken: false,
        }
    }

    /// Takes one more file; its number.
    pub(super) fn add_file(&mut self, document: Document<'f>) -> usize {
        self.put_aside.push(Some(document));
        self.put_aside.len() - 1
    }

    /// Reads in another file from here on.
    pub(super) fn turn_to(&mut self, file: usize) {
        let Some(next) = self.put_aside.get_mut(file).and_then(Option::take) else { return };
        let last = std::mem::replace(&mut self.document, next);
        if let Some(place) = self.put_aside.get_mut(self.file) {
            *place = Some(last);
        }
        self.file = file;
    }

    /// The byte `byte` of the file that is read now.
    pub(super) fn place(&self, byte: usize) -> Place {
        Place { file: self.file, byte }
    }

    /// Notes that something is wrong in any of the files.
    pub(super) fn fault(&mut self, at: Place, what: impl Into<String>, what_to_do: impl Into<String>) {
        let other = self.put_aside.get_mut(at.file).and_then(Option::as_mut);
        other.unwrap_or(&mut self.document).fault(at.byte, what, what_to_do);
    }

    fn into_faults(self) -> Vec<Fault> {
        let all = std::iter::once(self.document).chain(self.put_aside.into_iter().flatten());
        all.flat_map(Document::into_faults).collect()
    }

    fn flow(&mut self, instances: &[Instance<'f>], phrases: &Phrases) -> Option<Flow> {
        let (root, parts) = instances.split_first()?;
        let mut head = Section::new(&root.table, 0);
        let title = head.require(&mut self.document, "title", "say in a few words what the script is for");
        let title = title.and_then(|title| self.document.text(&title)).map(str::to_owned);
        let languages = self.languages(&mut head, phrases);
        let fallback_language = self.fallback(&mut head);
        let start = head.require(&mut self.document, "start", "name the node that a call begins in");
        let numbers = head.take("numbers");
        let promise = head.take("promise");
        let emergency = head.take("emergency");
        let remember_entry = head.take("remember");
        let bodies = self.name_nodes(head);
        let scopes = self.scopes(bodies, parts);

        if let Some(scope) = scopes.first() {
            self.nodes.clone_from(&scope.names);
        }
        let start = start.and_then(|start| self.node(&start));
        let remember = remember_entry.as_ref().and_then(|entry| remember::read(self, entry));
        let numbers = numbers.map(|numbers| self.numbers(&numbers, start)).unwrap_or_default();
        let emergency = emergency::read(self, emergency.as_ref());
        let nodes = self.read_nodes(&scopes);
        remember::check(remember.as_ref(), remember_entry.as_ref(), self);
        self.check_known();
        self.check_spoken(&languages);

        let broken = self.broken || start.is_none();
        let mut nodes: Vec<Node> = nodes.into_iter().collect::<Option<_>>().filter(|_| !broken)?;
        let starts: Vec<NodeId> = numbers.values().map(|number| number.start).chain(start).collect();
        let entrances: Vec<NodeId> = starts.iter().copied().chain(emergency.start).collect();
        let is_finite = proof::prove(&mut nodes, &entrances, self);
        let promise = promise::read(self, promise.as_ref());
        if is_finite {
            promise::check(promise, &nodes, &starts, phrases, self);
        }
        Some(Flow {
            title: title?,
            languages: self.languages.clone(),
            fallback_language,
            start: start?,
            numbers,
            emergency,
            promise,
            remember,
            nodes,
        })
    }

    /// What each name means in the flow and in each of its parts; nodes are numbered through.
    fn scopes<'d>(&mut self, root: Vec<Entry<'d>>, parts: &'d [Instance<'f>]) -> Vec<Scope<'d>> {
        let mut scopes = vec![Scope::new(0, String::new(), 0, root)];
        for part in parts {
            self.turn_to(part.file);
            let mut head = Section::new(&part.table, 0);
            let start = head.take("start");
            let _read_before = (head.take("parameters"), head.take("exits"));
            let bodies = self.name_nodes(head);
            let first = scopes.last().map_or(0, Scope::end);
            let mut scope = Scope::new(part.file, format!("{}/", part.name), first, bodies);
            self.turn_to(scopes.get(part.parent).map_or(0, |parent| parent.file));
            let outer = scopes.get(part.parent).map(|parent| parent.names.clone()).unwrap_or_default();
            for (exit, to) in &part.exits {
                match self.find(&outer, &to.0, to.1) {
                    Some(id) => drop(scope.names.insert(exit.clone(), id)),
                    None => self.broken = true,
                }
            }
            self.turn_to(part.file);
            self.nodes.clone_from(&scope.names);
            let door = outer.get(part.name.rsplit('/').next().unwrap_or_default());
            match (start.and_then(|start| self.node(&start)), door) {
                (Some(start), Some(door)) => drop(self.doors.insert(*door, start)),
                _ => self.broken = true,
            }
            scopes.push(scope);
        }
        self.turn_to(0);
        let count = scopes.last().map_or(0, Scope::end);
        if count > NODES_MAX {
            let what = format!("{count} nodes, parts counted as often as they are used");
            self.document.fault(0, what, format!("make several scripts of it, of {NODES_MAX} nodes at most"));
        }
        scopes
    }

    fn read_nodes(&mut self, scopes: &[Scope<'_>]) -> Vec<Option<Node>> {
        let mut nodes = Vec::new();
        for scope in scopes {
            self.turn_to(scope.file);
            self.nodes.clone_from(&scope.names);
            for (body, id) in scope.bodies.iter().zip(scope.first..) {
                let door = self.doors.get(&id).copied();
                let node = kinds::node(self, body, door);
                nodes.push(node.map(|node| Node { name: format!("{}{}", scope.prefix, node.name), ..node }));
            }
        }
        self.turn_to(0);
        nodes
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

    /// Every table that is left is a node; nothing else may be there.
    fn name_nodes<'d>(&mut self, head: Section<'d>) -> Vec<Entry<'d>> {
        let keys: Vec<&str> = head.known().collect();
        let (nodes, others): (Vec<Entry<'d>>, Vec<Entry<'d>>) =
            head.rest().into_iter().partition(|entry| entry.value.get_ref().is_table());
        for entry in others {
            let what_to_do =
                nearest(entry.name, keys.iter().copied()).map(|near| format!("did you mean `{near}`?"));
            let what_to_do = what_to_do.unwrap_or_else(|| {
                format!("take it out; a node is a table, headed [name]; known here: {}", keys.join(", "))
            });
            self.document.fault(entry.at, format!("unknown key `{}`", entry.name), what_to_do);
        }
        for entry in nodes.iter().filter(|entry| !is_name(entry.name)) {
            self.document.fault(entry.at, format!("`{}` is no name for a node", entry.name), NAME_SHAPE);
        }
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
        let nodes = std::mem::take(&mut self.nodes);
        let at = self.place(entry.value_at());
        let found = self.document.text(entry).and_then(|name| self.find(&nodes, name, at));
        self.nodes = nodes;
        self.broken |= found.is_none();
        found
    }

    /// What `name`, which stands at `at`, means among `nodes`.
    fn find(&mut self, nodes: &BTreeMap<String, NodeId>, name: &str, at: Place) -> Option<NodeId> {
        let id = nodes.get(name).copied();
        if id.is_none() {
            let what_to_do = match nearest(name, nodes.keys().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("write a node headed [{name}], or name another"),
            };
            self.fault(at, format!("unknown node `{name}`"), what_to_do);
        }
        id
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
        // Where none is listed that has been told.
        if !self.languages.is_empty() {
            let what_to_do =
                format!("choose one of {}, or list it in `languages`", self.languages.join(", "));
            self.document.fault(at, format!("unknown language `{language}`"), what_to_do);
        }
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
        self.is_not_answered(entry.name, entry.at);
        let value = match entry.name {
            "priority" => self.priority(entry)?.to_string(),
            "language" => {
                let language = self.document.text(entry)?;
                self.speak(language, entry.value_at())?
            }
            _ => self.document.text(entry)?.to_owned(),
        };
        Some(self.becomes(entry.name, &value))
    }

    /// Notes that nobody but the caller says this.
    pub(super) fn answers(&mut self, name: &str) {
        self.answered.push(name.to_owned());
    }

    /// Refuses to have set what nobody but the caller says.
    pub(super) fn is_not_answered(&mut self, name: &str, at: usize) {
        if self.answered.iter().any(|answered| answered == name) {
            let what_to_do = "take it out: a node with `consent` asks for it";
            self.document.fault(
                at,
                format!("`{name}` is what the caller says, who is remembered"),
                what_to_do,
            );
        }
    }

    /// What becomes known of the call, checked before.
    pub(super) fn becomes(&mut self, key: &str, value: &str) -> Assignment {
        self.set.entry(key.to_owned()).or_default().insert(value.to_owned());
        Assignment { key: key.to_owned(), value: value.to_owned() }
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

    /// Whether anything read so far sets a name.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.set.contains_key(name)
    }

    /// Notes that the flow reads what is known under a name.
    pub(super) fn knows(&mut self, name: &str, at: usize) {
        self.read.push((name.to_owned(), self.place(at)));
    }

    /// Notes that any text can become known under a name.
    pub(super) fn learns(&mut self, name: &str) {
        self.free.insert(name.to_owned());
    }

    /// Notes that anything can become known.
    pub(super) fn guesses(&mut self) {
        self.guesses = true;
    }

    /// Notes that the flow goes another way if `value` is known under a name.
    pub(super) fn compares(&mut self, name: &str, value: &str, at: usize) {
        self.compared.push((name.to_owned(), value.to_owned(), self.place(at)));
    }

    fn check_known(&mut self) {
        self.check_compared();
        for (name, at) in std::mem::take(&mut self.read) {
            let known = self.set.contains_key(&name) || self.free.contains(&name);
            if known || self.guesses || ALWAYS_KNOWN.contains(&name.as_str()) {
                continue;
            }
            let words = self.set.keys().chain(&self.free).map(String::as_str).chain(ALWAYS_KNOWN);
            let what_to_do = match nearest(&name, words) {
                Some(near) => format!("did you mean `${near}`?"),
                None => format!("set it somewhere: set = {{ {name} = \"...\" }}"),
            };
            self.fault(at, format!("nothing sets `${name}`"), what_to_do);
        }
    }

    fn check_compared(&mut self) {
        for (name, value, at) in std::mem::take(&mut self.compared) {
            if self.free.contains(&name)
                || ALWAYS_KNOWN.contains(&name.as_str()) && !self.set.contains_key(&name)
            {
                continue;
            }
            // A name that nothing sets is told where it is read.
            let Some(values) = self.set.get(&name) else { continue };
            if values.contains(&value) || (name == "language" && self.languages.contains(&value)) {
                continue;
            }
            let what_to_do = match nearest(&value, values.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "take the case out, or set it somewhere".to_owned(),
            };
            self.fault(at, format!("`${name}` is never `{value}`"), what_to_do);
        }
    }

    fn check_spoken(&mut self, languages: &[(String, usize)]) {
        for (language, at) in languages.iter().filter(|(language, _)| !self.spoken.contains(language)) {
            let what = format!("no caller can come to language `{language}`");
            self.document.fault(*at, what, format!("offer it in a menu: {{ language = \"{language}\" }}"));
        }
    }
}
