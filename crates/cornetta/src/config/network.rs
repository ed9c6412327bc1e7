//! The parts of a configuration that say where: the node, its sockets, its trunks.

use super::extensions::extensions;
use super::media::MediaSection;
use super::media_terms::Written;
use super::read::{endpoint, networks, optional_text, own_name, parsed};
use super::tls::tls;
use super::trunks::trunks;
use super::{Http, from};
use document::{Document, Entry, Section};
use facts::name_in;
use media_api::{Addresses, Codec, Family};
use numbers::Rules;
use sip::digest::Algorithm;
use sip::ua::{Account, Extensions, Limits, Timers, Transport};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

pub(super) struct Node {
    pub(super) name: String,
    pub(super) data: PathBuf,
}

pub(super) fn node(document: &mut Document<'_>, root: &mut Section<'_>, folder: &Path) -> Option<Node> {
    let mut node = Node { name: "desk".to_owned(), data: from(folder, "data") };
    let Some(entry) = root.take("node") else { return Some(node) };
    let mut section = document.section(&entry)?;
    if let Some(name) = section.take("name") {
        let written = document.text(&name)?;
        if written.is_empty() || !written.chars().all(|letter| letter.is_ascii_alphanumeric()) {
            document.fault(name.value_at(), "a node's name is part of ids", "write letters and digits only");
        }
        node.name = written.to_owned();
    }
    if let Some(data) = optional_text(document, &mut section, "data") {
        node.data = from(folder, &data);
    }
    section.finish(document);
    Some(node)
}

/// Where integrators come to; those of bodies have these tokens.
pub(super) fn http(
    document: &mut Document<'_>,
    root: &mut Section<'_>,
    of_bodies: Vec<cti::Token>,
) -> Option<Http> {
    let mut listen = SocketAddr::from(([127, 0, 0, 1], 8080));
    let mut at = 0;
    if let Some(entry) = root.take("http") {
        at = entry.at;
        let mut section = document.section(&entry)?;
        if let Some(entry) = section.take("listen") {
            at = entry.value_at();
            let how = "write an IP address and a port, such as \"127.0.0.1:8080\"";
            listen = parsed(document, &entry, how).unwrap_or(listen);
        }
        section.finish(document);
    }
    let mut tokens = tokens(document, root, None);
    tokens.extend(of_bodies);
    for (number, token) in tokens.iter().enumerate() {
        if let Some(other) = tokens.iter().take(number).find(|other| other.has_secret_of(token)) {
            let what = format!("the tokens `{}` and `{}` have one secret", other.name(), token.name());
            document.fault(at, what, "give each its own: openssl rand -hex 32");
        }
    }
    if tokens.is_empty() && !listen.ip().is_loopback() {
        document.fault(
            at,
            "the web address would be open to other machines without any credentials",
            "listen on 127.0.0.1, or write at least one [[token]]",
        );
    }
    Some(Http { listen, tokens })
}

/// Who may ask for what, of the installation or of a body.
pub(super) fn tokens(
    document: &mut Document<'_>,
    section: &mut Section<'_>,
    body: Option<&str>,
) -> Vec<cti::Token> {
    let Some(entry) = section.take("token") else { return Vec::new() };
    let entries = document.list(&entry);
    entries.iter().filter_map(|entry| token(document, entry, body)).collect()
}

/// A token by its secret, or by the hash of its secret.
fn token(document: &mut Document<'_>, entry: &Entry<'_>, body: Option<&str>) -> Option<cti::Token> {
    let mut section = document.section(entry)?;
    let name = name_in(body, &own_name(document, &mut section, "say whose it is")?);
    let scopes = scopes(document, &mut section, body);
    let (hash, secret) = (section.take("sha256"), section.take("secret"));
    section.finish(document);
    let (written, token) = match (hash, secret) {
        (Some(hash), None) => (hash, cti::Token::from_sha256(&name, document.text(&hash)?, scopes)),
        (None, Some(secret)) => (secret, cti::Token::from_secret(&name, document.text(&secret)?, scopes)),
        _ => {
            let what = "a token has either a secret or the hash of one";
            document.fault(entry.value_at(), what, "write `sha256`, or `secret`");
            return None;
        }
    };
    match token {
        Ok(token) => Some(token),
        Err(error) => {
            let told = error.to_string();
            let (what, what_to_do) = told.split_once("; ").unwrap_or((&told, "write another"));
            document.fault(written.value_at(), what, what_to_do);
            None
        }
    }
}

fn scopes(document: &mut Document<'_>, section: &mut Section<'_>, body: Option<&str>) -> Vec<cti::Scope> {
    let Some(entry) = section.require(document, "scopes", "such as [\"events:read\"]") else {
        return Vec::new();
    };
    let mut scopes = Vec::new();
    for (text, at) in document.texts(&entry) {
        match cti::Scope::from_name(text) {
            Some(scope) if body.is_some() && !scope.is_for_bodies() => {
                let what = format!("`{text}` is about what all bodies share");
                document.fault(at, what, "give it to a token of the installation");
            }
            Some(scope) => scopes.push(scope),
            None => {
                let known = cti::Scope::ALL.map(cti::Scope::name).join(", ");
                document.fault(at, format!("there is no scope `{text}`"), format!("choose from {known}"));
            }
        }
    }
    scopes
}

pub(super) struct Sip {
    pub(super) config: sip::ua::Config,
    pub(super) trunk_names: BTreeSet<String>,
    /// How each trunk writes numbers.
    pub(super) numbering: BTreeMap<String, Rules>,
    /// Who each is shown that we are.
    pub(super) shown: BTreeMap<String, engine::Presentation>,
    /// Those whose calls come from abroad.
    pub(super) foreign: BTreeSet<String>,
    pub(super) tls: net::Tls,
    pub(super) stun: Option<String>,
    /// Where in the configuration the addresses are that are listened on.
    pub(super) listen_at: usize,
    pub(super) name_servers: Vec<SocketAddr>,
    /// The trunks whose operators may transfer our callers.
    pub(super) referring: BTreeSet<String>,
    pub(super) referred: BTreeSet<String>,
    /// Those from which texts are taken.
    pub(super) texting: BTreeSet<String>,
    /// The codecs of the trunks that have a list of their own.
    pub(super) codecs: BTreeMap<String, Vec<Codec>>,
    /// What each trunk can carry.
    pub(super) lines: BTreeMap<String, engine::Line>,
    /// How the media of each trunk is encrypted.
    pub(super) media_terms: BTreeMap<String, Written>,
}

pub(super) fn sip(
    document: &mut Document<'_>,
    root: &mut Section<'_>,
    folder: &Path,
    (accounts, home): (&[Account], &Rules),
    media: Option<&MediaSection>,
) -> Option<Sip> {
    let media = media.map(|media| media.media.addresses);
    let mut config = sip::ua::Config {
        listen: Vec::new(),
        public_address: None,
        local_nets: Vec::new(),
        realm: "cornetta".to_owned(),
        digest: vec![Algorithm::Sha256, Algorithm::Md5],
        product: format!("Cornetta/{}", env!("CARGO_PKG_VERSION")),
        accounts: accounts.to_vec(),
        trunks: Vec::new(),
        open_to: Vec::new(),
        guard: sip::guard::GuardConfig::default(),
        extensions: Extensions::default(),
        timers: Timers::default(),
        limits: Limits::default(),
    };
    let (mut secure, mut stun, mut listen_at) = (net::Tls::default(), None, 0);
    let mut name_servers = Vec::new();
    if let Some(entry) = root.take("sip") {
        let mut section = document.section(&entry)?;
        listen_at = entry.at;
        if let Some(listen) = section.take("listen") {
            listen_at = listen.value_at();
            config.listen = endpoints(document, &listen, media);
        }
        secure = tls(document, &mut section, folder, &config.listen, listen_at);
        stun = stun_server(document, &mut section);
        config.realm = optional_text(document, &mut section, "realm").unwrap_or(config.realm);
        config.digest = algorithms(document, &mut section).unwrap_or(config.digest);
        if let Some(entry) = section.take("public_address") {
            config.public_address = parsed(document, &entry, "write the IP address that the world sees");
        }
        config.local_nets = networks(document, &mut section, "local_networks");
        config.open_to = networks(document, &mut section, "open_to");
        config.extensions = extensions(document, &mut section);
        name_servers = servers(document, &mut section);
        section.finish(document);
    }
    if config.listen.is_empty() {
        let everywhere = SocketAddr::from(([127, 0, 0, 1], 5060));
        config.listen = vec![(Transport::Udp, everywhere), (Transport::Tcp, everywhere)];
    }
    let trunks = trunks(document, root, folder, (&config.listen, home));
    config.trunks = trunks.sound;
    Some(Sip {
        config,
        trunk_names: trunks.names,
        numbering: trunks.numbering,
        shown: trunks.shown,
        foreign: trunks.foreign,
        referring: trunks.referring,
        referred: trunks.referred,
        texting: trunks.texting,
        codecs: trunks.codecs,
        lines: trunks.lines,
        media_terms: trunks.media_terms,
        tls: secure,
        stun,
        listen_at,
        name_servers,
    })
}

/// Name servers by their addresses: port 53 if none is written.
fn servers(document: &mut Document<'_>, section: &mut Section<'_>) -> Vec<SocketAddr> {
    let Some(entry) = section.take("name_servers") else { return Vec::new() };
    let mut servers = Vec::new();
    for (text, at) in document.texts(&entry) {
        let at_port_53 = || text.parse().ok().map(|ip: IpAddr| SocketAddr::new(ip, 53));
        match text.parse().ok().or_else(at_port_53) {
            Some(server) => servers.push(server),
            None => document.fault(
                at,
                format!("`{text}` is not the address of a name server"),
                "write an IP address, such as \"192.0.2.53\", or leave `name_servers` out",
            ),
        }
    }
    servers
}

fn stun_server(document: &mut Document<'_>, section: &mut Section<'_>) -> Option<String> {
    let entry = section.take("stun")?;
    let written = document.text(&entry)?;
    let named =
        written.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    if !named {
        let what = format!("`{written}` is not a STUN server");
        document.fault(entry.value_at(), what, "write a host and a port, such as \"stun.example.org:3478\"");
    }
    named.then(|| written.to_owned())
}

/// The addresses that SIP is listened on. What is reached from elsewhere must speak from elsewhere too: media on
/// loopback would be told to phones that have a loopback of their own.
fn endpoints(
    document: &mut Document<'_>,
    entry: &Entry<'_>,
    media: Option<Addresses>,
) -> Vec<(Transport, SocketAddr)> {
    let mut endpoints = Vec::new();
    let written = document.texts(entry);
    if entry.value.get_ref().as_array().is_some_and(|list| list.is_empty()) {
        document.fault(entry.value_at(), "SIP is listened on nowhere", "write one address at least");
    }
    for (text, at) in written {
        let Some(found) = endpoint(document, text, at) else { continue };
        if endpoints.contains(&found) && found.1.port() != 0 {
            document.fault(at, format!("`{text}` is written twice"), "keep one of the two");
        }
        let told = media.and_then(|media| media.nearest(Family::of(found.1.ip())));
        if !found.1.ip().is_loopback() && told.is_some_and(|told| told.is_loopback()) {
            document.fault(
                at,
                format!("phones that call `{text}` would be told to speak to this machine's loopback"),
                "write `address` under [media]: the IP address of this machine that they can reach",
            );
        }
        endpoints.push(found);
    }
    endpoints
}

/// The algorithms of challenges, if they are not the usual ones.
fn algorithms(document: &mut Document<'_>, section: &mut Section<'_>) -> Option<Vec<Algorithm>> {
    let entry = section.take("digest")?;
    let mut algorithms = Vec::new();
    for (text, at) in document.texts(&entry) {
        match Algorithm::from_name(text) {
            Some(algorithm) => algorithms.push(algorithm),
            None => document.fault(at, format!("`{text}` is no digest"), "write \"SHA-256\" or \"MD5\""),
        }
    }
    if algorithms.is_empty() {
        document.fault(entry.value_at(), "nobody could log on", "name at least one digest");
    }
    Some(algorithms)
}
