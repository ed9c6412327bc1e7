//! The people: queues and agents.

use super::codecs::codecs;
use super::media_terms::{self, Written};
use super::read::{known_names, names, number, own_name, secret, span};
use document::{Document, Section};
use facts::{BODY_MARK, name_in};
use media_api::Codec;
use sip::ua::Account;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(super) struct Desk {
    pub(super) acd: acd::Config,
    pub(super) accounts: Vec<Account>,
    /// The codecs of the agents who have a list of their own.
    pub(super) codecs: BTreeMap<String, Vec<Codec>>,
    /// The agents who may listen to the calls of others.
    pub(super) supervisors: BTreeSet<String>,
    /// How the media of each agent's devices is encrypted.
    pub(super) media_terms: BTreeMap<String, Written>,
}

impl Desk {
    pub(super) fn has_queue(&self, name: &str) -> bool {
        self.acd.queues.iter().any(|queue| queue.name == name)
    }

    pub(super) fn agents_of<'d>(&'d self, queue: &str) -> impl Iterator<Item = &'d acd::Agent> {
        self.acd.agents.iter().filter(move |agent| agent.queues.contains(queue))
    }

    pub(super) fn has_agent(&self, name: &str) -> bool {
        self.acd.agents.iter().any(|agent| agent.name == name)
    }

    /// The queues that can be named by the installation's own, or by a body's, as these write them.
    fn queues_named_in(&self, body: Option<&str>) -> Vec<&str> {
        let queues = self.acd.queues.iter().map(|queue| queue.name.as_str());
        match body {
            None => queues.collect(),
            Some(body) => queues
                .filter_map(|queue| queue.split_once(BODY_MARK))
                .filter(|(of, _)| *of == body)
                .map(|(_, name)| name)
                .collect(),
        }
    }
}

/// The queues of the installation, or of a body.
pub(super) fn queues(
    document: &mut Document<'_>,
    section: &mut Section<'_>,
    body: Option<&str>,
    desk: &mut Desk,
) {
    let Some(entry) = section.take("queue") else { return };
    for entry in document.list(&entry) {
        if let Some(section) = document.section(&entry) {
            queue(document, section, body, desk);
        }
    }
}

/// The agents of the installation, who may serve the queues of bodies too, or those of a body. Every queue is known.
pub(super) fn agents(
    document: &mut Document<'_>,
    section: &mut Section<'_>,
    folder: &Path,
    body: Option<&str>,
    desk: &mut Desk,
) {
    let Some(entry) = section.take("agent") else { return };
    for entry in document.list(&entry) {
        if let Some(section) = document.section(&entry) {
            agent(document, section, (folder, body), desk);
        }
    }
}

fn queue(document: &mut Document<'_>, mut section: Section<'_>, body: Option<&str>, desk: &mut Desk) {
    let at = section.at;
    let name = own_name(document, &mut section, "name the queue");
    let offer_deadline = span(document, &mut section, "offer_deadline", SECOND, 20 * SECOND);
    let wrapup = span(document, &mut section, "wrapup", Duration::ZERO, 10 * SECOND);
    let waiting_max = number(document, &mut section, "waiting_max", 1..=10_000, 100);
    section.finish(document);
    let Some(written) = name else { return };
    let name = name_in(body, &written);
    if desk.has_queue(&name) {
        document.fault(at, format!("the queue `{written}` is written twice"), "give each its own name");
    }
    let waiting_max = usize::try_from(waiting_max).unwrap_or(100);
    desk.acd.queues.push(acd::Queue { name, waiting_max, offer_deadline, wrapup });
}

fn agent(
    document: &mut Document<'_>,
    mut section: Section<'_>,
    (folder, body): (&Path, Option<&str>),
    desk: &mut Desk,
) {
    let at = section.at;
    let name = own_name(document, &mut section, "name the agent: the user of their softphone");
    let password = secret(document, &mut section, folder, "password");
    let queues = known_names(document, &mut section, "queues", &desk.queues_named_in(body), "queue");
    let queues = queues.iter().map(|queue| name_in(body, queue)).collect();
    let languages: BTreeSet<String> = names(document, &mut section, "languages");
    let topics = names(document, &mut section, "topics");
    let codecs = codecs(document, &mut section);
    let terms = media_terms::written(document, &mut section);
    let supervises = section.take("supervisor").and_then(|entry| document.flag(&entry)).unwrap_or(false);
    section.finish(document);
    if languages.is_empty() {
        document.fault(
            at,
            "an agent without languages is never called",
            "write `languages`, such as [\"it\"]",
        );
    }
    let (Some(written), Some(password)) = (name, password) else { return };
    let name = name_in(body, &written);
    if desk.accounts.iter().any(|account| account.user == name) {
        document.fault(at, format!("the agent `{written}` is written twice"), "give each their own name");
    }
    desk.codecs.extend(codecs.map(|codecs| (name.clone(), codecs)));
    desk.media_terms.insert(name.clone(), terms);
    if supervises {
        desk.supervisors.insert(name.clone());
    }
    desk.accounts.push(Account { user: name.clone(), password });
    desk.acd.agents.push(acd::Agent { name, queues, languages, topics });
}
