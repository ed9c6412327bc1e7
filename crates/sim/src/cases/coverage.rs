//! What no case visits.

use super::play::Played;
use ivr::Script;
use std::collections::{BTreeMap, BTreeSet};

/// The nodes, keys and languages of a script, and which of them some call came to.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    nodes: BTreeMap<String, bool>,
    /// By node and key.
    keys: BTreeMap<(String, String), bool>,
    languages: BTreeMap<String, bool>,
}

impl Coverage {
    /// Of a script to which no call has come.
    pub fn of(script: &Script) -> Coverage {
        let mut coverage = Coverage::default();
        for step in script.steps() {
            coverage.nodes.insert(step.name.to_owned(), false);
            for key in &step.keys {
                coverage.keys.insert((step.name.to_owned(), key.clone()), false);
            }
        }
        coverage.languages = script.languages().map(|language| (language.to_owned(), false)).collect();
        coverage
    }

    /// This call came by.
    pub fn add(&mut self, played: &Played) {
        mark(&mut self.nodes, played.story.nodes.iter());
        mark(&mut self.keys, played.story.keys.iter());
        mark(&mut self.languages, played.story.languages.iter());
    }

    /// How many of how many nodes, keys and languages were visited.
    pub fn counts(&self) -> [(usize, usize); 3] {
        [count(&self.nodes), count(&self.keys), count(&self.languages)]
    }

    /// Of all of them, in a hundred, rounded down.
    pub fn percent(&self) -> usize {
        let (visited, all) = self.counts().iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        visited * 100 / all.max(1)
    }

    /// The nodes that no call came to.
    pub fn nodes_missed(&self) -> Vec<&str> {
        missed(&self.nodes).map(String::as_str).collect()
    }

    /// The keys that nobody pressed where they mean something, by node.
    pub fn keys_missed(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut by_node: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (node, key) in missed(&self.keys) {
            by_node.entry(node).or_default().push(key);
        }
        by_node
    }

    /// The languages that nobody came to.
    pub fn languages_missed(&self) -> Vec<&str> {
        missed(&self.languages).map(String::as_str).collect()
    }
}

fn mark<'k, K: Ord + 'k>(all: &mut BTreeMap<K, bool>, visited: impl Iterator<Item = &'k K>) {
    for one in visited {
        if let Some(there) = all.get_mut(one) {
            *there = true;
        }
    }
}

fn count<K>(all: &BTreeMap<K, bool>) -> (usize, usize) {
    (all.values().filter(|visited| **visited).count(), all.len())
}

fn missed<K>(all: &BTreeMap<K, bool>) -> impl Iterator<Item = &K> {
    all.iter().filter(|(_, visited)| !**visited).map(|(one, _)| one)
}

/// The languages in which a call was, for whoever sums them up.
impl Played {
    /// The nodes, in the order in which the call came to them.
    pub fn nodes(&self) -> &[String] {
        &self.story.nodes
    }

    /// The languages of the call.
    pub fn languages(&self) -> &BTreeSet<String> {
        &self.story.languages
    }
}
