//! The people: queues and agents.

use super::network::known_names;
use super::read::{names, number, secret, span, text};
use document::{Document, Section};
use sip::ua::Account;
use std::collections::BTreeSet;
use std::time::Duration;

pub(super) struct Desk {
    pub(super) acd: acd::Config,
    pub(super) accounts: Vec<Account>,
}

impl Desk {
    pub(super) fn has_queue(&self, name: &str) -> bool {
        self.acd.queues.iter().any(|queue| queue.name == name)
    }
}

pub(super) fn desk(document: &mut Document<'_>, root: &mut Section<'_>) -> Desk {
    let mut desk = Desk { acd: acd::Config::default(), accounts: Vec::new() };
    if let Some(entry) = root.take("queue") {
        for entry in document.list(&entry) {
            if let Some(section) = document.section(&entry) {
                queue(document, section, &mut desk);
            }
        }
    }
    if let Some(entry) = root.take("agent") {
        for entry in document.list(&entry) {
            if let Some(section) = document.section(&entry) {
                agent(document, section, &mut desk);
            }
        }
    }
    desk
}

fn queue(document: &mut Document<'_>, mut section: Section<'_>, desk: &mut Desk) {
    let at = section.at;
    let name = text(document, &mut section, "name", "name the queue");
    let offer_deadline = span(document, &mut section, "offer_deadline", Duration::from_secs(20));
    let wrapup = span(document, &mut section, "wrapup", Duration::from_secs(10));
    let waiting_max = number(document, &mut section, "waiting_max", 1..=10_000, 100);
    section.finish(document);
    let Some(name) = name else { return };
    if desk.has_queue(&name) {
        document.fault(at, format!("the queue `{name}` is written twice"), "give each its own name");
    }
    let waiting_max = usize::try_from(waiting_max).unwrap_or(100);
    desk.acd.queues.push(acd::Queue { name, waiting_max, offer_deadline, wrapup });
}

fn agent(document: &mut Document<'_>, mut section: Section<'_>, desk: &mut Desk) {
    let at = section.at;
    let name = text(document, &mut section, "name", "name the agent: the user of their softphone");
    let password = secret(document, &mut section, "password");
    let queues = known_names(document, &mut section, "queues", &|name| desk.has_queue(name), "queue");
    let languages: BTreeSet<String> = names(document, &mut section, "languages");
    let topics = names(document, &mut section, "topics");
    section.finish(document);
    if languages.is_empty() {
        document.fault(
            at,
            "an agent without languages is never called",
            "write `languages`, such as [\"it\"]",
        );
    }
    let (Some(name), Some(password)) = (name, password) else { return };
    if desk.accounts.iter().any(|account| account.user == name) {
        document.fault(at, format!("the agent `{name}` is written twice"), "give each their own name");
    }
    desk.accounts.push(Account { user: name.clone(), password });
    desk.acd.agents.push(acd::Agent { name, queues, languages, topics });
}
