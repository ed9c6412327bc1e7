//! Nodes of two versions: which is which, and where each leads.

use super::settings::{said, settings};
use super::{Found, Subject};
use crate::script::{Exit, Flow, Kind, Node};
use calendar::InWords;
use std::collections::BTreeMap;

/// Where a node leads, by what happens.
type Ways = BTreeMap<InWords, InWords>;

pub(super) fn compare(found: &mut Found, was: &Flow, is: &Flow) {
    let renamed = renamed(was, is);
    let same = |name: &str| renamed.get(name).cloned().unwrap_or_else(|| name.to_owned());
    for node in &was.nodes {
        let Some(now) = named(is, &same(&node.name)) else {
            found.differs(Subject::Node(node.name.clone()), Some(kind(node)), None);
            continue;
        };
        if node.name != now.name {
            let (before, name) = (InWords::same(&*node.name), InWords::same(&*now.name));
            found.differs(Subject::Node(now.name.clone()), Some(before), Some(name));
        }
        one(found, (was, node), (is, now), &same);
    }
    for node in &is.nodes {
        let known = named(was, &node.name).is_some() || renamed.values().any(|name| *name == node.name);
        if !known {
            found.differs(Subject::Node(node.name.clone()), None, Some(kind(node)));
        }
    }
}

fn named<'f>(flow: &'f Flow, name: &str) -> Option<&'f Node> {
    flow.nodes.iter().find(|node| node.name == name)
}

fn kind(node: &Node) -> InWords {
    InWords::same(node.kind.word())
}

/// Nodes that are gone, each with the one new node that does the same; its own new name and those of others do not count.
fn renamed(was: &Flow, is: &Flow) -> BTreeMap<String, String> {
    let gone: Vec<&Node> = was.nodes.iter().filter(|node| named(is, &node.name).is_none()).collect();
    let new: Vec<&Node> = is.nodes.iter().filter(|node| named(was, &node.name).is_none()).collect();
    let mark = |name: &str| {
        let passing = gone.iter().chain(&new).any(|node| node.name == name);
        if passing { String::new() } else { name.to_owned() }
    };
    let alike = |flow: &Flow, node: &Node| {
        (
            node.kind.word(),
            said(&node.say),
            settings(node),
            ways(flow, node, &mark),
            choices(flow, node, &mark),
        )
    };
    let mut renamed = BTreeMap::new();
    for node in &gone {
        let shape = alike(was, node);
        let mut same = new.iter().filter(|now| alike(is, now) == shape);
        let twins = gone.iter().filter(|other| alike(was, other) == shape).count();
        if let (Some(now), None, 1) = (same.next(), same.next(), twins) {
            renamed.insert(node.name.clone(), now.name.clone());
        }
    }
    renamed
}

fn one(
    found: &mut Found,
    (was, node): (&Flow, &Node),
    (is, now): (&Flow, &Node),
    same: &dyn Fn(&str) -> String,
) {
    let name = &now.name;
    let own = |name: &str| name.to_owned();
    found.differs(Subject::Said(name.clone()), Some(said(&node.say)), Some(said(&now.say)));
    if node.kind.word() != now.kind.word() {
        return found.differs(Subject::Kind(name.clone()), Some(kind(node)), Some(kind(now)));
    }
    keys(found, name, choices(was, node, same), choices(is, now, &own));
    let way = |way| Subject::Way(name.clone(), way);
    found.tables(way, &ways(was, node, same), &ways(is, now, &own));
    let setting = |what| Subject::Setting(name.clone(), what);
    found.tables(setting, &settings(node), &settings(now));
}

/// What a menu offers, in the order in which it is read out: the key, and its words, what it sets and where it leads.
type Choices = Vec<(char, InWords)>;

fn choices(flow: &Flow, node: &Node, same: &dyn Fn(&str) -> String) -> Choices {
    let Kind::Menu { choices, .. } = &node.kind else { return Choices::new() };
    let told = |choice: &crate::script::Choice| {
        let (words, to) = (said(&choice.say), target(flow, &choice.next, same));
        let set = super::settings::assignments(&choice.set);
        let set = if set.is_empty() { set } else { format!(" ({set})") };
        InWords::new(format!("{}{set} → {}", words.it, to.it), format!("{}{set} → {}", words.en, to.en))
    };
    choices.iter().map(|choice| (choice.key, told(choice))).collect()
}

/// What is offered under another key is told as one thing; the order, of the keys that both versions have.
fn keys(found: &mut Found, node: &str, was: Choices, is: Choices) {
    let both = |one: &Choices, other: &Choices| {
        let keys = one.iter().map(|(key, _)| *key);
        let both = keys.filter(|key| other.iter().any(|(other, _)| other == key));
        Some(InWords::same(Vec::from_iter(both.map(String::from)).join(" ")))
    };
    let order = InWords::new("l'ordine dei tasti", "the order of the keys");
    found.differs(Subject::Setting(node.to_owned(), order), both(&was, &is), both(&is, &was));
    let (mut was, mut is) = (BTreeMap::from_iter(was), BTreeMap::from_iter(is));
    let moved: Vec<(char, char)> = was
        .iter()
        .filter(|(key, offer)| is.get(key) != Some(offer))
        .filter_map(|(key, offer)| {
            let mut others = is.iter().filter(|(other, now)| *now == offer && was.get(other) != Some(now));
            Some((*key, *others.next()?.0))
        })
        .collect();
    let mut taken = Vec::new();
    for (from, to) in moved {
        if taken.contains(&to) {
            continue;
        }
        taken.push(to);
        let Some(offer) = was.get(&from).cloned() else { continue };
        let key = |key: char| Some(InWords::same(key));
        found.differs(Subject::Moved(node.to_owned(), offer), key(from), key(to));
        // The offer is the same; what stood at its new key is told by itself, if it is gone.
        was.remove(&from);
        is.remove(&to);
    }
    found.tables(|key| Subject::Key(node.to_owned(), key), &was, &is);
}

/// The ways on but those of a menu's own keys, which `choices` tells.
fn ways(flow: &Flow, node: &Node, same: &dyn Fn(&str) -> String) -> Ways {
    let keys = node.kind.key_exits();
    let own = keys.iter().filter(|(label, _)| label.chars().count() > 1);
    let own = own.map(|(label, exit)| (label.as_str(), *exit));
    let all = own.chain(node.kind.exits());
    all.map(|(label, exit)| (happens(&node.kind, label), target(flow, exit, same))).collect()
}

/// What happens, as a way is labelled.
fn happens(kind: &Kind, label: &str) -> InWords {
    let (it, en) = match label {
        _ if matches!(kind, Kind::Case { .. }) && label != "otherwise" => {
            return InWords::new(format!("nel caso «{label}»"), format!("the case \"{label}\""));
        }
        "" => ("poi", "afterwards it"),
        "open" => ("se è aperto", "when open it"),
        "closed" => ("se è chiuso", "when closed it"),
        "otherwise" => ("altrimenti", "otherwise it"),
        "no input" => ("se non si preme nulla", "no key"),
        "no match" => ("se il tasto è sbagliato", "a wrong key"),
        "digits" => ("dopo le cifre", "what is typed"),
        "found" => ("se si trova", "what is found"),
        "missing" => ("se non si trova", "what is not found"),
        "failed" => ("se non riesce", "a failure"),
        "refused" => ("se è rifiutato", "a refusal"),
        "empty" => ("se non si dice nulla", "silence"),
        "overflow" => ("se l'attesa è troppo lunga", "too long a wait"),
        "full" => ("se la coda è piena", "a full queue"),
        "ended" => ("dopo la conversazione", "the end of a conversation"),
        "nobody" => ("se non c'è nessuno", "nobody being there"),
        other => (other, other),
    };
    InWords::new(it, en)
}

fn target(flow: &Flow, exit: &Exit, same: &dyn Fn(&str) -> String) -> InWords {
    match exit {
        Exit::To(id) => {
            let name = flow.nodes.get(*id).map_or(String::new(), |node| same(&node.name));
            InWords::new(format!("«{name}»"), format!("\"{name}\""))
        }
        Exit::HangUp(reason) => {
            InWords::new(format!("fine chiamata ({reason})"), format!("the end of the call ({reason})"))
        }
    }
}
