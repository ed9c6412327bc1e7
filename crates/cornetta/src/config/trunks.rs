//! Operators' lines.

use super::codecs::codecs;
use super::extensions::prack;
use super::media_terms::{self, Written};
use super::numbering;
use super::read::{networks, optional_secret, optional_text, span, text};
use document::{Document, Entry, Section};
use ipnet::IpNet;
use media_api::Codec;
use numbers::Rules;
use sip::locate::Place;
use sip::ua::{Account, Transport, Trunk};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// How often a trunk's servers are asked whether they are there.
const PROBE: Duration = Duration::from_secs(60);

/// How long a trunk may say nothing but 100 where there is another: mobiles abroad take ten seconds and more to be found.
const PROGRESS: Duration = Duration::from_secs(12);

type Listen = [(Transport, SocketAddr)];

/// The trunks, and the names of all that are written, so that a faulty one is not said to be missing too.
#[derive(Default)]
pub(super) struct Trunks {
    pub(super) sound: Vec<Trunk>,
    pub(super) names: BTreeSet<String>,
    /// Those whose operators may transfer our callers.
    pub(super) referring: BTreeSet<String>,
    /// Those whose operators are asked to connect our callers without us.
    pub(super) referred: BTreeSet<String>,
    /// Those from which texts are taken.
    pub(super) texting: BTreeSet<String>,
    /// The codecs of those that have a list of their own.
    pub(super) codecs: BTreeMap<String, Vec<Codec>>,
    /// What each can carry.
    pub(super) lines: BTreeMap<String, engine::Line>,
    /// How each writes numbers.
    pub(super) numbering: BTreeMap<String, Rules>,
    /// Who each is shown that we are.
    pub(super) shown: BTreeMap<String, engine::Presentation>,
    /// Those whose calls come from abroad.
    pub(super) foreign: BTreeSet<String>,
    /// How the media of each is encrypted.
    pub(super) media_terms: BTreeMap<String, Written>,
}

/// Every trunk. `listen` is where SIP is listened on: a trunk needs a socket of its kind.
pub(super) fn trunks(
    document: &mut Document<'_>,
    root: &mut Section<'_>,
    folder: &Path,
    (listen, home): (&Listen, &Rules),
) -> Trunks {
    let mut trunks = Trunks::default();
    let Some(entry) = root.take("trunk") else { return trunks };
    for entry in document.list(&entry) {
        let Some(mut section) = document.section(&entry) else { continue };
        let name = text(document, &mut section, "name", "name the trunk");
        let is_twice = name.as_ref().is_some_and(|name| !trunks.names.insert(name.clone()));
        if let Some(name) = name.as_ref().filter(|_| is_twice) {
            let what = format!("the trunk `{name}` is written twice");
            document.fault(entry.value_at(), what, "give each its own name");
        }
        let rules = numbering::of_trunk(document, &mut section, home);
        let presentation = numbering::presentation(document, &mut section, home);
        let foreign = section.take("foreign").and_then(|entry| document.flag(&entry)).unwrap_or(false);
        trunks.foreign.extend(name.clone().filter(|_| foreign));
        trunks.shown.extend(name.clone().map(|name| (name, presentation)));
        trunks.numbering.extend(name.clone().map(|name| (name, rules)));
        let refers = section.take("refer").and_then(|entry| document.flag(&entry)).unwrap_or(false);
        trunks.referring.extend(name.clone().filter(|_| refers));
        let is_referred = section.take("refer_out").and_then(|entry| document.flag(&entry)).unwrap_or(false);
        trunks.referred.extend(name.clone().filter(|_| is_referred));
        let texts = section.take("texts").and_then(|entry| document.flag(&entry)).unwrap_or(false);
        trunks.texting.extend(name.clone().filter(|_| texts));
        let codecs = codecs(document, &mut section);
        trunks.codecs.extend(name.clone().zip(codecs));
        let terms = media_terms::written(document, &mut section);
        trunks.media_terms.extend(name.clone().map(|name| (name, terms)));
        let line = super::routes::line(document, &mut section);
        trunks.lines.extend(name.clone().map(|name| (name, line)));
        let at = section.at;
        let sound = trunk(document, section, name, folder, listen);
        sound.iter().for_each(|trunk| warn_of_overlaps(document, at, trunk, &trunks.sound));
        trunks.sound.extend(sound);
    }
    trunks
}

/// Who calls from a network of two trunks is taken for the first.
fn warn_of_overlaps(document: &mut Document<'_>, at: usize, trunk: &Trunk, before: &[Trunk]) {
    for other in before {
        let overlaps = |net: &&IpNet| {
            other
                .addresses
                .iter()
                .any(|known| known.contains(&net.network()) || net.contains(&known.network()))
        };
        if let Some(net) = trunk.addresses.iter().find(overlaps) {
            let what =
                format!("calls from {net} count as calls of the trunk `{}`, which has them too", other.name);
            let what_to_do =
                "give each trunk its own networks, or write that one first whose terms such calls have";
            document.warn(at, what, what_to_do);
        }
    }
}

fn trunk(
    document: &mut Document<'_>,
    mut section: Section<'_>,
    name: Option<String>,
    folder: &Path,
    listen: &Listen,
) -> Option<Trunk> {
    let targets =
        section.require(document, "address", "such as \"sip.operator.example\" or \"udp:192.0.2.1:5060\"");
    let targets = targets.and_then(|entry| targets_of(document, &entry, listen));
    let addresses = networks(document, &mut section, "networks");
    let domain = optional_text(document, &mut section, "domain");
    let register = section.take("register").and_then(|entry| document.flag(&entry)).unwrap_or(false);
    let identity = numbering::identity(document, &mut section);
    let credentials = credentials(document, &mut section, folder, register);
    let prack = prack(document, &mut section);
    let p_early_media =
        section.take("p_early_media").and_then(|entry| document.flag(&entry)).unwrap_or(false);
    let probe = span(document, &mut section, "probe", Duration::ZERO, PROBE);
    let progress_within = span(document, &mut section, "progress_within", Duration::ZERO, PROGRESS);
    section.finish(document);
    let (name, targets) = (name?, targets?);
    Some(Trunk {
        name,
        targets,
        addresses,
        domain,
        credentials,
        register,
        probe,
        progress_within: (!progress_within.is_zero()).then_some(progress_within),
        prack,
        p_early_media,
        identity,
    })
}

/// One place or several, in the order in which they are tried.
fn targets_of(document: &mut Document<'_>, entry: &Entry<'_>, listen: &Listen) -> Option<Vec<Place>> {
    let written = document.texts(entry);
    if entry.value.get_ref().as_array().is_some_and(|list| list.is_empty()) {
        document.fault(entry.value_at(), "the trunk leads nowhere", "write one address at least");
    }
    let places: Vec<Place> =
        written.iter().filter_map(|(text, at)| place_of(document, text, *at, listen)).collect();
    (!places.is_empty() && places.len() == written.len()).then_some(places)
}

fn place_of(document: &mut Document<'_>, text: &str, at: usize, listen: &Listen) -> Option<Place> {
    let place = match Place::parse(text) {
        Ok(place) => place,
        Err(error) => {
            let how = "write a name or an IP address, with a transport and a port if they are known, such as \
                       \"sip.operator.example\", \"tls:sip.operator.example\" or \"udp:192.0.2.1:5060\"";
            document.fault(at, format!("`{text}` is not a SIP address: {error}"), how);
            return None;
        }
    };
    if !place.is_reachable_from(listen) {
        let what = "no socket of this kind is listened on";
        document.fault(at, what, "add one to `listen` under [sip]");
        return None;
    }
    Some(place)
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
