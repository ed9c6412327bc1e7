//! From files to a checked installation. Nothing is opened before all of it is right, and every fault is
//! told at once, with its file, line and column.

mod bodies;
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
mod places;
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

use bodies::Body;
use desk::Desk;
use document::Fault;
use document::{Document, Section};
use ivr::SoundInventory;
use media_api::Addresses;
use network::Sip;
use numbers::Rules;
use services::{Around, Reading, Scripts, Services};
use sha2::{Digest, Sha256};
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

pub(crate) use files::{Heard, ScriptSource, calendar_file, case_files, script_files, sounds_of};
pub(crate) use fixed::Fixed;
pub(crate) use places::{Places, places};
pub(crate) use proving::prove;
pub(crate) use read::parse_span;
pub(crate) use services::Instead;
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
    /// Every script as it was read, to be kept.
    pub(crate) scripts: Vec<ScriptSource>,
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
    let text = text_of(path)?;
    load_text(&path.display().to_string(), &text, folder_of(path))
}

/// The same, as if the script that it names were the one in another folder.
pub(crate) fn load_instead(path: &Path, instead: &Instead<'_>) -> Result<Installation, Vec<Fault>> {
    let text = text_of(path)?;
    read_text(&path.display().to_string(), &text, folder_of(path), Some(instead))
}

fn text_of(path: &Path) -> Result<String, Vec<Fault>> {
    std::fs::read_to_string(path).map_err(|error| {
        let what = format!("the configuration cannot be read: {error}");
        let (file, what_to_do) = (path.display().to_string(), "name a file that can".to_owned());
        vec![Fault { file, line: 1, column: 1, what, what_to_do }]
    })
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}

/// The same, of a text whose relative paths start at `folder`.
pub(crate) fn load_text(name: &str, text: &str, folder: &Path) -> Result<Installation, Vec<Fault>> {
    read_text(name, text, folder, None)
}

fn read_text(
    name: &str,
    text: &str,
    folder: &Path,
    instead: Option<&Instead<'_>>,
) -> Result<Installation, Vec<Fault>> {
    let (mut document, table) = Document::parse(name, text);
    let Some(table) = table else { return Err(document.into_faults()) };
    let mut root = Section::new(&table, 0);
    let mut reading = Reading { instead, sources: Vec::new(), others: Vec::new() };
    let (bodies_folder, files) = bodies::files(&mut document, &mut root, folder, &mut reading.others);
    let (documents, tables): (Vec<_>, Vec<_>) = bodies::parsed(&files).into_iter().unzip();
    let mut bodies = bodies::open(&files, documents, &tables, &mut reading.others);
    let installation = read_root(&mut document, &mut root, folder, &mut bodies, &mut reading);
    root.finish(&mut document);
    let mut warnings = document.take_warnings();
    let Reading { sources, mut others, .. } = reading;
    others.extend(document.into_faults());
    for body in bodies {
        let (faults, more) = body.finish();
        others.extend(faults);
        warnings.extend(more);
    }
    match installation {
        Some(mut installation) if others.is_empty() => {
            let texts = std::iter::once(text).chain(files.iter().map(bodies::BodyFile::text));
            installation.engine.version = version(texts, &installation);
            installation.sounds.extend(bodies_folder);
            installation.warnings = warnings;
            installation.scripts = sources;
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
    bodies: &mut [Body<'_>],
    reading: &mut Reading<'_>,
) -> Option<Installation> {
    let (node, media) = (network::node(document, root, folder), media::media(document, root));
    let http = network::http(document, root, bodies.iter_mut().flat_map(Body::tokens).collect());
    let trace = trace::trace(document, root, folder);
    let recordings = recordings::recordings(document, root, folder, node.as_ref());
    let (sounds, hold_music, speech) = services::sounds(document, root, folder);
    let desk = people(document, root, folder, bodies);
    let (home, origins) = numbering::home(document, root, folder);
    let (trust, fetching) = trust::trust(document, root, folder);
    let sip = network::sip(document, root, folder, (&desk.accounts, &home), media.as_ref());
    let scripts = scripts(document, root, folder, (bodies, &sounds, &speech), reading);
    let looking_up = look_ups::look_ups(document, root, folder, &scripts, &mut reading.others);
    let services = answering(document, root, bodies, (&scripts, &desk, &home, sip.as_ref()));
    let routes = routes::routes(document, root, sip.as_ref());
    let outbound = outbound::rules(document, root, folder, (&desk, sip.as_ref()));
    let (limits, guard) = (limits::limits(document, root), guard::guard(document, root));
    let (node, media, http, trace, mut sip) = (node?, media?, http?, trace?, sip?);
    sip.config.guard = guard;
    limits.hold_for(&mut sip.config.limits);
    reachability::warn(document, &sip, &media);
    let engine = engine::Config {
        media_terms: media_terms::peer_terms(document, media.terms, &desk, &sip),
        numbering: numbering::of_all(&mut sip, home, (origins, trust)),
        node: node.name,
        version: String::new(),
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        local_nets: sip.config.local_nets.clone(),
        sip: sip.config,
        acd: desk.acd,
        services: services.by_number,
        bodies: services.bodies,
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
        scripts: Vec::new(),
        stun: sip.stun,
        name_servers: sip.name_servers,
        warnings: Vec::new(),
    })
}

/// Queues and agents of all: those of bodies serve their own queues, those of the installation any.
fn people(
    document: &mut Document<'_>,
    root: &mut Section<'_>,
    folder: &Path,
    bodies: &mut [Body<'_>],
) -> Desk {
    let mut desk = Desk::default();
    desk::queues(document, root, None, &mut desk);
    for body in bodies.iter_mut() {
        desk::queues(&mut body.document, &mut body.section, Some(body.name), &mut desk);
    }
    desk::agents(document, root, folder, None, &mut desk);
    for body in bodies {
        desk::agents(&mut body.document, &mut body.section, body.folder, Some(body.name), &mut desk);
    }
    desk
}

/// Every sound script, by the name that facts call it.
fn scripts(
    document: &mut Document<'_>,
    root: &mut Section<'_>,
    folder: &Path,
    (bodies, sounds, speech): (&[Body<'_>], &[PathBuf], &::speech::Settings),
    reading: &mut Reading<'_>,
) -> Scripts {
    let heard = Heard { sounds: files::sound_inventory(sounds), voices: speech.languages() };
    let mut scripts = Scripts::new();
    let own = services::scripts_folder(document, root, folder);
    services::scripts(&own, (None, &heard), &mut scripts, reading);
    for body in bodies {
        let heard = Heard { sounds: body.sounds(&heard.sounds), voices: heard.voices.clone() };
        services::scripts(&body.scripts(), (Some(body.name), &heard), &mut scripts, reading);
    }
    scripts
}

/// What answers the numbers of all.
fn answering(
    document: &mut Document<'_>,
    root: &mut Section<'_>,
    bodies: &mut [Body<'_>],
    (scripts, desk, home, sip): (&Scripts, &Desk, &Rules, Option<&Sip>),
) -> Services {
    let none = SoundInventory::default();
    let around = Around { scripts, desk, home, sip, sounds: &none, body: None };
    let mut services = Services::default();
    let sent = services::services(document, root, &around, &mut services);
    let of_bodies: Vec<_> = bodies
        .iter_mut()
        .map(|body| {
            let own = body.sounds(&none);
            let around = Around { sounds: &own, body: Some(body.name), ..around };
            services.bodies.titles.extend(body.title().map(|title| (body.name.to_owned(), title)));
            services::services(&mut body.document, &mut body.section, &around, &mut services)
        })
        .collect();
    services.check(document, &sent, (None, home));
    for (body, sent) in bodies.iter_mut().zip(of_bodies) {
        services.check(&mut body.document, &sent, (Some(body.name), home));
    }
    services
}

/// A name for what is in force: the hash of the configuration's texts and of the scripts that they name.
fn version<'t>(texts: impl Iterator<Item = &'t str>, installation: &Installation) -> String {
    let mut hash = Sha256::new();
    texts.for_each(|text| hash.update(text));
    let engine = &installation.engine;
    for service in engine.services.values().chain(&engine.otherwise) {
        if let engine::Service::Script { script, .. } = service {
            hash.update(script.name());
            hash.update(script.version());
        }
    }
    let hex: String = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// A path written in the configuration, from the configuration's own folder.
fn from(folder: &Path, path: &str) -> PathBuf {
    folder.join(path)
}
