//! From files to a checked installation. Nothing is opened before all of it is right, and every fault is
//! told at once, with its file, line and column.

mod codecs;
mod desk;
mod extensions;
mod files;
mod fixed;
mod guard;
mod limits;
mod look_ups;
mod media;
mod media_terms;
mod network;
mod number_set;
mod numbering;
mod outbound;
mod proving;
mod reachability;
mod read;
mod recordings;
mod routes;
mod services;
mod speech;
mod tls;
mod trace;
mod trunks;
mod trust;

use document::Fault;
use document::{Document, Section};
use media_api::Addresses;
use sha2::{Digest, Sha256};
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

pub(crate) use files::{Heard, calendar_file, case_files, script_files};
pub(crate) use fixed::Fixed;
pub(crate) use proving::prove;
pub(crate) use read::parse_span;
pub(crate) use trace::Trace;

/// All that a configuration says.
pub(crate) struct Installation {
    pub(crate) engine: engine::Config,
    /// Where the log is kept.
    pub(crate) data: PathBuf,
    pub(crate) media: Media,
    pub(crate) http: Http,
    /// What is kept of the calls' SIP messages.
    pub(crate) trace: Trace,
    /// Where recordings of calls are kept.
    pub(crate) recordings: net::RecordingsFolder,
    /// Folders of prompts and music.
    pub(crate) sounds: Vec<PathBuf>,
    /// Who says what nobody could record.
    pub(crate) speech: ::speech::Settings,
    /// What SIP speaks TLS with.
    pub(crate) tls: net::Tls,
    /// The most connections that carry SIP.
    pub(crate) streams: net::SipLimits,
    /// What certificates of operators are fetched with.
    pub(crate) fetching: net::Tls,
    /// What scripts' look-ups ask with.
    pub(crate) looking_up: net::Tls,
    /// The STUN server, `host:port`, that is asked at the start how the world sees us.
    pub(crate) stun: Option<String>,
    /// Name servers to ask; those of the system if there are none.
    pub(crate) name_servers: Vec<SocketAddr>,
    /// What is hardly meant as it is written.
    pub(crate) warnings: Vec<Fault>,
}

/// Where speech goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Media {
    /// One at least.
    pub(crate) addresses: Addresses,
    pub(crate) ports: RangeInclusive<u16>,
    pub(crate) threads: usize,
}

/// Where integrators come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Http {
    pub(crate) listen: SocketAddr,
    pub(crate) tokens: Vec<cti::Token>,
}

/// The folder of SIP messages within the data folder.
pub(crate) const TRACE_FOLDER: &str = "trace";

/// Reads and checks a configuration and all that it names.
pub(crate) fn load(path: &Path) -> Result<Installation, Vec<Fault>> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        let what = format!("the configuration cannot be read: {error}");
        vec![Fault {
            file: name.clone(),
            line: 1,
            column: 1,
            what,
            what_to_do: "name a file that can".into(),
        }]
    })?;
    let folder = path.parent().unwrap_or(Path::new("."));
    load_text(&name, &text, folder)
}

/// The same, of a text whose relative paths start at `folder`.
pub(crate) fn load_text(name: &str, text: &str, folder: &Path) -> Result<Installation, Vec<Fault>> {
    let (mut document, table) = Document::parse(name, text);
    let Some(table) = table else { return Err(document.into_faults()) };
    let mut root = Section::new(&table, 0);
    let mut others = Vec::new();
    let installation = read_root(&mut document, &mut root, folder, &mut others);
    root.finish(&mut document);
    let warnings = document.take_warnings();
    others.extend(document.into_faults());
    match installation {
        Some(mut installation) if others.is_empty() => {
            installation.engine.version = version(text, &installation);
            installation.warnings = warnings;
            Ok(installation)
        }
        _ => {
            others.sort();
            others.dedup();
            Err(others)
        }
    }
}

/// A party that says nothing for so long is asked whether it is there.
const SILENCE_PROBE: std::time::Duration = std::time::Duration::from_secs(300);

fn read_root(
    document: &mut Document<'_>,
    root: &mut Section<'_>,
    folder: &Path,
    others: &mut Vec<Fault>,
) -> Option<Installation> {
    let node = network::node(document, root, folder);
    let media = media::media(document, root);
    let addresses = media.as_ref().map(|media| media.media.addresses);
    let http = network::http(document, root);
    let trace = trace::trace(document, root, folder);
    let recordings = recordings::recordings(document, root, folder, node.as_ref());
    let (sounds, hold_music, speech) = services::sounds(document, root, folder);
    let desk = desk::desk(document, root, folder);
    let (home, origins) = numbering::home(document, root, folder);
    let (trust, fetching) = trust::trust(document, root, folder);
    let sip = network::sip(document, root, folder, (&desk.accounts, &home), addresses);
    let (scripts, looking_up) = services::scripts(document, root, folder, (&sounds, &speech), others);
    let services = services::services(document, root, &scripts, (&desk, &home), sip.as_ref());
    let routes = routes::routes(document, root, sip.as_ref());
    let outbound = outbound::rules(document, root, folder, (&desk, sip.as_ref()));
    let (limits, guard) = (limits::limits(document, root), guard::guard(document, root));
    let (node, media, http, trace, mut sip) = (node?, media?, http?, trace?, sip?);
    sip.config.guard = guard;
    limits.hold_for(&mut sip.config.limits);
    reachability::warn(document, &sip, &media);
    let media_terms = media_terms::peer_terms(document, media.terms, &desk, &sip);
    let numbering = numbering::of_all(&mut sip, home, (origins, trust));
    let engine = engine::Config {
        media_terms,
        node: node.name,
        version: String::new(),
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        local_nets: sip.config.local_nets.clone(),
        sip: sip.config,
        acd: desk.acd,
        numbering,
        services: services.by_number,
        referring_trunks: sip.referring,
        referred_trunks: sip.referred,
        supervisors: desk.supervisors,
        texting_trunks: sip.texting,
        otherwise: services.otherwise,
        hold_music: Some(hold_music),
        media_certificate: None,
        codecs: codecs::of_all(media.codecs, sip.codecs, desk.codecs),
        media_public: media.public,
        silence_probe: SILENCE_PROBE,
        routing: engine::Routing { routes, lines: sip.lines },
        outbound,
        calls_max: limits.calls,
    };
    Some(Installation {
        engine,
        data: node.data,
        media: media.media,
        http,
        trace,
        recordings: recordings?,
        sounds,
        speech,
        tls: sip.tls,
        streams: limits.streams,
        fetching,
        looking_up,
        stun: sip.stun,
        name_servers: sip.name_servers,
        warnings: Vec::new(),
    })
}

/// A name for what is in force: the hash of the configuration's text and of the scripts that it names.
fn version(text: &str, installation: &Installation) -> String {
    let mut hash = Sha256::new();
    hash.update(text);
    let engine = &installation.engine;
    for service in engine.services.values().chain(&engine.otherwise) {
        if let engine::Service::Script { script, .. } = service {
            hash.update(format!("{script:?}"));
        }
    }
    let hex: String = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// A path written in the configuration, from the configuration's own folder.
fn from(folder: &Path, path: &str) -> PathBuf {
    folder.join(path)
}
