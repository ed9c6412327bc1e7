//! Operators' lines.

use super::read::{endpoint, networks, optional_secret, optional_text, text};
use document::{Document, Entry, Section};
use ipnet::IpNet;
use sip::ua::{Account, Flow, Transport, Trunk};
use std::net::SocketAddr;
use std::path::Path;

type Listen = [(Transport, SocketAddr)];

/// Every trunk. `listen` is where SIP is listened on: a trunk needs a socket of its kind.
pub(super) fn trunks(
    document: &mut Document<'_>,
    root: &mut Section<'_>,
    folder: &Path,
    listen: &Listen,
) -> Vec<Trunk> {
    let Some(entry) = root.take("trunk") else { return Vec::new() };
    let mut trunks: Vec<Trunk> = Vec::new();
    for entry in document.list(&entry) {
        let Some(section) = document.section(&entry) else { continue };
        let Some(trunk) = trunk(document, section, folder, listen) else { continue };
        if trunks.iter().any(|other| other.name == trunk.name) {
            let what = format!("the trunk `{}` is written twice", trunk.name);
            document.fault(entry.value_at(), what, "give each its own name");
        }
        trunks.push(trunk);
    }
    trunks
}

fn trunk(
    document: &mut Document<'_>,
    mut section: Section<'_>,
    folder: &Path,
    listen: &Listen,
) -> Option<Trunk> {
    let name = text(document, &mut section, "name", "name the trunk");
    let target = section.require(document, "address", "such as \"udp:192.0.2.1:5060\"");
    let target = target.and_then(|entry| target_of(document, &entry, listen));
    let mut addresses = networks(document, &mut section, "networks");
    let domain = optional_text(document, &mut section, "domain");
    let register = section.take("register").and_then(|entry| document.flag(&entry)).unwrap_or(false);
    let credentials = credentials(document, &mut section, folder, register);
    section.finish(document);
    let (name, target) = (name?, target?);
    if addresses.is_empty() {
        addresses.push(IpNet::from(target.remote.ip()));
    }
    Some(Trunk { name, target, addresses, domain, credentials, register })
}

fn target_of(document: &mut Document<'_>, entry: &Entry<'_>, listen: &Listen) -> Option<Flow> {
    let text = document.text(entry)?;
    let (transport, remote) = endpoint(document, text, entry.value_at())?;
    let own = listen.iter().find(|(kind, own)| *kind == transport && own.is_ipv4() == remote.is_ipv4());
    if own.is_none() {
        let what = "no socket of this kind is listened on";
        document.fault(entry.value_at(), what, "add one to `listen` under [sip]");
    }
    own.map(|(_, local)| Flow { transport, local: *local, remote })
}

fn credentials(
    document: &mut Document<'_>,
    section: &mut Section<'_>,
    folder: &Path,
    register: bool,
) -> Option<Account> {
    let at = section.at;
    let user = optional_text(document, section, "user");
    let password = optional_secret(document, section, folder, "password");
    match (user, password) {
        (Some(user), Some(password)) => Some(Account { user, password }),
        (None, None) if register => {
            document.fault(at, "a trunk that registers needs credentials", "write `user` and `password`");
            None
        }
        (None, None) => None,
        _ => {
            let what = "a trunk has both a user and a password, or neither";
            document.fault(at, what, "write `user`, and `password` or `password_file`");
            None
        }
    }
}
