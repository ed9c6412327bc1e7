//! Flows within flows: a part is written once, with parameters, and stands in the flow as often as a node names it. What
//! the interpreter walks has no parts any more, so that all that is proved of a flow is proved of them too.

use super::ScriptFiles;
use super::flow::Reader;
use super::model::{NodeId, Place};
use super::words::{NAME_SHAPE, is_name};
use document::{Document, Entry, Section, Table, nearest};
use std::collections::{BTreeMap, BTreeSet};

/// How deep parts may stand in parts.
const DEPTH_MAX: usize = 8;

/// How often all parts together may be used.
const INSTANCES_MAX: usize = 100;

/// The files `parts/NAME.toml`, by name.
pub(super) struct Parts<'f> {
    parts: BTreeMap<String, Part<'f>>,
    used: BTreeSet<String>,
}

struct Part<'f> {
    file: usize,
    table: Table<'f>,
    parameters: Vec<String>,
    exits: Vec<String>,
}

/// The flow itself, or a part where a node names it, its parameters filled in.
pub(super) struct Instance<'f> {
    pub(super) file: usize,
    /// The node that it stands for, with those around it: `outer/inner`.
    pub(super) name: String,
    /// The number of the instance that it stands in.
    pub(super) parent: usize,
    pub(super) table: Table<'f>,
    /// Where each of its exits leads, as the parent calls it.
    pub(super) exits: BTreeMap<String, (String, Place)>,
    depth: usize,
}

/// What names mean in one instance.
pub(super) struct Scope<'d> {
    pub(super) file: usize,
    /// Stands before the names of its nodes.
    pub(super) prefix: String,
    /// The number of its first node.
    pub(super) first: NodeId,
    pub(super) bodies: Vec<Entry<'d>>,
    pub(super) names: BTreeMap<String, NodeId>,
}

impl<'d> Scope<'d> {
    pub(super) fn new(file: usize, prefix: String, first: NodeId, bodies: Vec<Entry<'d>>) -> Scope<'d> {
        let names = bodies.iter().zip(first..).map(|(entry, id)| (entry.name.to_owned(), id)).collect();
        Scope { file, prefix, first, bodies, names }
    }

    /// The number after that of its last node.
    pub(super) fn end(&self) -> NodeId {
        self.first + self.bodies.len()
    }
}

impl<'f> Parts<'f> {
    /// Reads the heads of all parts. One that cannot be read counts as one without parameters, its faults told.
    pub(super) fn read(files: &'f ScriptFiles, reader: &mut Reader<'f>) -> Parts<'f> {
        let mut parts = BTreeMap::new();
        for (name, file, text) in &files.parts {
            let (mut document, table) = Document::parse(file, text);
            let table = table.unwrap_or_default();
            let mut head = Section::new(&table, 0);
            let parameters = names(&mut document, &mut head, "parameters");
            let exits = names(&mut document, &mut head, "exits");
            if document.is_sound() {
                head.require(&mut document, "start", "name the node that the part begins in");
            }
            let exits = told_apart(&mut document, &head, exits);
            let file = reader.add_file(document);
            parts.insert(name.clone(), Part { file, table, parameters, exits });
        }
        Parts { parts, used: BTreeSet::new() }
    }

    /// The flow `root` and, after it, every part that it uses, as often as it does.
    pub(super) fn instances(&mut self, root: Table<'f>, reader: &mut Reader<'f>) -> Vec<Instance<'f>> {
        let exits = BTreeMap::new();
        let root = Instance { file: 0, name: String::new(), parent: 0, table: root, exits, depth: 0 };
        let mut instances = vec![root];
        let mut parent = 0;
        while let Some(outer) = instances.get(parent) {
            reader.turn_to(outer.file);
            let inner = self.within(outer, parent, reader);
            instances.extend(inner);
            if instances.len() > INSTANCES_MAX {
                let what = format!("parts are used more than {INSTANCES_MAX} times");
                reader.fault(Place { file: 0, byte: 0 }, what, "make several scripts of it");
                instances.truncate(INSTANCES_MAX);
                break;
            }
            parent += 1;
        }
        reader.turn_to(0);
        instances
    }

    /// The parts that the nodes of `outer` name.
    fn within(&mut self, outer: &Instance<'f>, parent: usize, reader: &mut Reader<'f>) -> Vec<Instance<'f>> {
        let mut inner = Vec::new();
        for node in Section::new(&outer.table, 0).rest() {
            let is_node = outer.depth > 0 || node.name != "numbers";
            let Some(table) = node.value.get_ref().as_table().filter(|_| is_node) else { continue };
            let mut body = Section::new(table, node.at);
            let Some(entry) = body.take("part") else { continue };
            let Some(name) = reader.document.text(&entry) else { continue };
            if outer.depth >= DEPTH_MAX {
                let what = format!("part `{name}` stands in itself, or parts more than {DEPTH_MAX} deep");
                reader.document.fault(entry.value_at(), what, "lead back by a node, not by a part");
                continue;
            }
            let Some(part) = self.parts.get(name) else {
                let what_to_do = match nearest(name, self.parts.keys().map(String::as_str)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("write parts/{name}.toml"),
                };
                reader.document.fault(entry.value_at(), format!("unknown part `{name}`"), what_to_do);
                continue;
            };
            self.used.insert(name.to_owned());
            let given = given(&mut reader.document, &mut body, &part.parameters);
            let exits = exits(reader, &mut body, &part.exits);
            let around = if outer.name.is_empty() { String::new() } else { format!("{}/", outer.name) };
            let mut table = part.table.clone();
            document::change_texts(&mut table, &|text| filled_in(text, &given));
            let (name, depth) = (format!("{around}{}", node.name), outer.depth + 1);
            inner.push(Instance { file: part.file, name, parent, table, exits, depth });
        }
        inner
    }

    pub(super) fn report_unused(&self, reader: &mut Reader<'f>) {
        for (name, part) in self.parts.iter().filter(|(name, _)| !self.used.contains(*name)) {
            let at = Place { file: part.file, byte: 0 };
            reader.fault(at, format!("no node uses part `{name}`"), "name it in a node, or take it away");
        }
    }
}

/// The names that `key` lists.
fn names(document: &mut Document<'_>, head: &mut Section<'_>, key: &'static str) -> Vec<String> {
    let Some(entry) = head.take(key) else { return Vec::new() };
    let mut names = Vec::new();
    for (name, at) in document.texts(&entry) {
        if is_name(name) {
            names.push(name.to_owned());
        } else {
            document.fault(at, format!("`{name}` is no name"), NAME_SHAPE);
        }
    }
    names
}

/// The exits that no node is called like.
fn told_apart(document: &mut Document<'_>, head: &Section<'_>, exits: Vec<String>) -> Vec<String> {
    let (twice, once): (Vec<_>, Vec<_>) = exits.into_iter().partition(|exit| head.has(exit));
    for exit in twice {
        let at = head.place_of(&exit).unwrap_or(0);
        document.fault(at, format!("`{exit}` is both a node and an exit"), "call one of the two otherwise");
    }
    once
}

/// What a node gives for each parameter.
fn given(
    document: &mut Document<'_>,
    body: &mut Section<'_>,
    parameters: &[String],
) -> BTreeMap<String, String> {
    let at = body.at;
    let with =
        body.take("with").and_then(|with| document.section(&with)).map(Section::rest).unwrap_or_default();
    let mut given = BTreeMap::new();
    for entry in &with {
        if !parameters.iter().any(|name| name == entry.name) {
            let near = nearest(entry.name, parameters.iter().map(String::as_str));
            let what_to_do = near.map_or("take it out".to_owned(), |near| format!("did you mean `{near}`?"));
            document.fault(entry.at, format!("the part has no parameter `{}`", entry.name), what_to_do);
        } else if let Some(text) = document.text(entry) {
            given.insert(entry.name.to_owned(), text.to_owned());
        }
    }
    for name in parameters.iter().filter(|name| !with.iter().any(|entry| entry.name == *name)) {
        document.fault(
            at,
            format!("parameter `{name}` is not given"),
            format!("write with.{name} = \"...\""),
        );
    }
    given
}

/// Where each exit leads, which must be there.
fn exits(
    reader: &mut Reader<'_>,
    body: &mut Section<'_>,
    exits: &[String],
) -> BTreeMap<String, (String, Place)> {
    let at = body.at;
    let on =
        body.take("on").and_then(|on| reader.document.section(&on)).map(Section::rest).unwrap_or_default();
    let mut ways = BTreeMap::new();
    for entry in &on {
        if !exits.iter().any(|exit| exit == entry.name) {
            let near = nearest(entry.name, exits.iter().map(String::as_str));
            let what_to_do = near.map_or("take it out".to_owned(), |near| format!("did you mean `{near}`?"));
            reader.document.fault(entry.at, format!("the part has no exit `{}`", entry.name), what_to_do);
        } else if let Some(to) = reader.document.text(entry) {
            ways.insert(entry.name.to_owned(), (to.to_owned(), reader.place(entry.value_at())));
        }
    }
    for exit in exits.iter().filter(|exit| !on.iter().any(|entry| entry.name == *exit)) {
        reader.document.fault(
            at,
            format!("exit `{exit}` leads nowhere"),
            format!("write on.{exit} = \"NODE\""),
        );
    }
    ways
}

/// `text` with what is given for each `{NAME}`; nothing if there is none.
fn filled_in(text: &str, given: &BTreeMap<String, String>) -> Option<String> {
    let mut filled = text.to_owned();
    for (name, given) in given {
        filled = filled.replace(&format!("{{{name}}}"), given);
    }
    (filled != text).then_some(filled)
}
