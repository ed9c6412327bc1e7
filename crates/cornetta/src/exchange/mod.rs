//! A running exchange: the engine's thread, the sockets, the media threads, the log and the web address,
//! wired together.

mod addresses;
mod commands;
mod counting;
mod facts;
mod public_address;
mod recorder;
mod scripts;
mod seeing;
mod turn;

use crate::config::{self, Fixed, Installation, ScriptSource};
use crate::kept::Kept;
use addresses::Addresses;
use anyhow::{Context as _, Result, anyhow};
use base::Seed;
use counting::Guarded;
use cti::{CtiConfig, CtiServer, ReloadRequest};
use engine::Asker;
use journal::Journal;
use lookups::{LookUps, LookedUp};
use net::{
    CertificateFetcher, Clock, MediaCertificate, MediaConfig, MediaThreads, Recorder, Resolver, SipCounter,
    SipSetup, SipSockets, SoundStore, Tls,
};
use sip::ua::Transport;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
use trace::Trace;

/// Events of media and commands from outside that may wait for the engine.
const WAITING_MAX: usize = 8192;
/// Decoded prompts kept in memory: about twelve minutes of speech.
const SOUND_CACHE_BYTES: usize = 12 * 1024 * 1024;
/// Whose clocks count where no calendar says.
pub(crate) const ZONE: &str = "Europe/Rome";

/// What whoever runs the exchange can tell it.
pub(crate) enum Control {
    /// A new configuration, checked, and what TLS is spoken with from now on.
    Reload {
        /// All that the engine is to know.
        config: Box<engine::Config>,
        /// For new connections; those that are there go on.
        tls: Tls,
        /// For certificates of operators.
        fetching: Tls,
        /// For look-ups.
        looking_up: Tls,
        /// Is told the number of the last fact, when it is in force.
        done: oneshot::Sender<u64>,
    },
    /// A configuration was refused; for the log.
    ReloadRefused(Vec<String>),
    /// Take no new calls, and end when the last one has.
    Drain,
    /// End now.
    Stop,
}

/// An exchange that runs on threads of its own.
pub(crate) struct Exchange {
    /// Where SIP is listened on, with the ports that were really bound.
    pub(crate) listen: Vec<(Transport, SocketAddr)>,
    /// The web address.
    pub(crate) http: SocketAddr,
    pub(crate) journal: Arc<Journal>,
    /// What only a restart changes.
    pub(crate) fixed: Fixed,
    trace: Trace,
    control: mpsc::Sender<Control>,
    /// Who may ask by the web.
    tokens: watch::Sender<Arc<[cti::Token]>>,
    /// What the web tells of scripts.
    scripts: watch::Sender<Arc<cti::Scripts>>,
    /// The versions of scripts.
    kept: Kept,
    /// Who asks for a reload, until somebody listens to them.
    pub(crate) reloads: Option<mpsc::Receiver<ReloadRequest>>,
    ended: watch::Receiver<bool>,
    engine: Option<JoinHandle<()>>,
    web: Option<CtiServer>,
    stop_web: watch::Sender<bool>,
}

impl Exchange {
    /// Opens the log, binds everything and begins to serve. Called in a tokio runtime, which serves HTTP.
    pub(crate) async fn start(installation: Installation) -> Result<Exchange> {
        let fixed = Fixed::of(&installation);
        let Installation {
            engine: mut config,
            data,
            media,
            http,
            trace,
            recordings,
            sounds,
            tls,
            streams,
            fetching,
            looking_up,
            scripts: sources,
            speech,
            stun,
            name_servers,
            warnings: _,
        } = installation;
        let clock = Clock::start();
        let seed = net::root_seed().context("the system gives no randomness")?;
        let (journal, recovery) = open_journal(&data)?;
        let journal = Arc::new(journal);
        let past = facts::past(&recovery);
        let kept = Kept::of(&data);
        let trace = start_trace(&data, trace)?;
        let (media_events, media_inbox) = mpsc::channel(WAITING_MAX);
        let (recorder, recorded, tapped) = recorder::start(recordings.clone())?;
        let sounds = SoundStore::new(sounds, Some(voice(speech)), SOUND_CACHE_BYTES)
            .context("the thread that reads sounds")?;
        let media_addresses = media.addresses;
        let certificate = MediaCertificate::draw().context("the certificate of media")?;
        config.media_certificate = Some(certificate.fingerprint().clone());
        let media = MediaConfig {
            threads: media.threads,
            ports: media.ports,
            addresses: media.addresses,
            legs: config.calls_max.saturating_mul(2).saturating_add(64),
            sounds,
            seed: seed.named("media"),
            clock,
            tap: seeing::tap(&trace),
            recordings: tapped,
            certificate,
        };
        let media = MediaThreads::start(media, move |event| {
            media_events.try_send(event).err().map(mpsc::error::TrySendError::into_inner)
        })
        .context("media threads")?;
        let media_counter = media.counter();
        let guarded = Guarded::default();
        let (scripts, scripts_told) = watch::channel(scripts::in_force(&config));
        let (tokens, tokens_told) = watch::channel(http.tokens.into());
        let (control, control_inbox) = mpsc::channel(16);
        let (commands, command_inbox) = mpsc::channel(256);
        let (reload_asked, reloads) = mpsc::channel(1);
        let source = format!("/ente/{0}/node/{0}/epoch/1", config.node);
        public_address::check(stun, config.sip.public_address);
        // Handshakes and the coding of streams take their time here, and none of the engine's.
        let sip = SipSetup { limits: streams, tls, streams: Some(Handle::current()) };
        let look_ups = LookUps::start(Handle::current(), looking_up, name_servers.clone());
        let look_up_counter = look_ups.0.counter();
        let parts = Parts {
            config,
            past,
            seed,
            clock,
            media,
            recorder,
            media_addresses,
            sip,
            name_servers,
            fetching: (Handle::current(), fetching),
            look_ups,
            journal: journal.clone(),
            trace: trace.clone(),
            guarded: guarded.clone(),
        };
        let inboxes =
            turn::Inboxes { media: media_inbox, recorded, control: control_inbox, commands: command_inbox };
        let (engine, Bound { listen, sip }, ended) = start_engine(parts, inboxes).await?;
        let web = CtiConfig {
            listen: http.listen,
            tokens: tokens_told,
            source,
            zone: ZONE.to_owned(),
            trace: trace.clone(),
            recordings: cti::RecordingFiles::new(move |recording| recordings.file(recording)),
            counters: counting::counters(guarded, sip, media_counter, trace.clone(), look_up_counter),
            scripts: scripts_told,
            versions: scripts::versions(kept.clone()),
            reloads: reload_asked,
            limits: cti::Limits::default(),
        };
        let (stop_web, web_stopped) = watch::channel(false);
        let web = cti::serve(web, journal.clone(), commands, web_stopped).await.context("the web address")?;
        let http = web.addr;
        keep(&kept, sources).await;
        tracing::info!(%http, sip = ?listen, data = %data.display(), "serving");
        Ok(Exchange {
            listen,
            http,
            journal,
            fixed,
            trace,
            control,
            tokens,
            scripts,
            kept,
            reloads: Some(reloads),
            ended,
            engine: Some(engine),
            web: Some(web),
            stop_web,
        })
    }

    /// Tells the engine something. It is passed over if the engine has ended.
    pub(crate) async fn tell(&self, control: Control) {
        let _ = self.control.send(control).await;
    }

    /// Puts a configuration in force, whose scripts are kept first. The number of the last fact then; nothing if the engine
    /// has ended.
    pub(crate) async fn reload(&self, installation: Installation) -> Option<u64> {
        let Installation { engine, http, tls, fetching, looking_up, scripts, .. } = installation;
        keep(&self.kept, scripts).await;
        self.tokens.send_replace(http.tokens.into());
        self.scripts.send_replace(scripts::in_force(&engine));
        let (done, told) = oneshot::channel();
        self.tell(Control::Reload { config: Box::new(engine), tls, fetching, looking_up, done }).await;
        told.await.ok()
    }

    /// Waits until the engine has ended, all its facts are on disk and its sockets are closed; then tells the
    /// readers of events that this is the end, and waits until they have it.
    pub(crate) async fn ended(&mut self) -> Result<()> {
        let _ = self.ended.wait_for(|ended| *ended).await;
        let thread = self.engine.take().ok_or_else(|| anyhow!("the engine was waited for already"))?;
        let joined = tokio::task::spawn_blocking(move || thread.join()).await?;
        let _ = self.stop_web.send(true);
        if let Some(web) = self.web.take() {
            web.ended().await;
        }
        tokio::task::spawn_blocking({
            let trace = self.trace.clone();
            move || trace.close()
        })
        .await?;
        tracing::info!("serving ended");
        joined.map_err(|_| anyhow!("the engine's thread broke off; its message is above"))
    }
}

/// Keeps the scripts that come into force. What cannot be kept is in force all the same.
async fn keep(kept: &Kept, scripts: Vec<ScriptSource>) {
    let kept = kept.clone();
    let work = move || {
        let now = Clock::start().wall();
        for source in scripts {
            if let Err(error) = kept.comes_into_force(&source, now) {
                let (script, version) = (&source.name, &source.version);
                tracing::error!(%error, script, version, "the version is not kept; look at the data folder's disk");
            }
        }
    };
    if let Err(error) = tokio::task::spawn_blocking(work).await {
        tracing::error!(%error, "the scripts' versions are not kept");
    }
}

/// What the engine's thread is given.
struct Parts {
    config: engine::Config,
    past: engine::Past,
    seed: Seed,
    clock: Clock,
    media: MediaThreads,
    recorder: Recorder,
    media_addresses: media_api::Addresses,
    sip: SipSetup,
    name_servers: Vec<SocketAddr>,
    /// Where certificates are fetched, and with which authorities.
    fetching: (Handle, Tls),
    look_ups: (LookUps<Asker>, mpsc::UnboundedReceiver<LookedUp<Asker>>),
    journal: Arc<Journal>,
    trace: Trace,
    guarded: Guarded,
}

/// What the engine's thread has bound.
struct Bound {
    listen: Vec<(Transport, SocketAddr)>,
    sip: SipCounter,
}

fn open_journal(data: &Path) -> Result<(Journal, journal::Recovery)> {
    std::fs::create_dir_all(data)
        .with_context(|| format!("the data folder {} cannot be made", data.display()))?;
    let path = data.join("facts.redb");
    Journal::open(&path, journal::Config::default())
        .with_context(|| format!("the log {} cannot be opened", path.display()))
}

fn start_trace(data: &Path, config: config::Trace) -> Result<Trace> {
    let config = trace::Config {
        folder: data.join(config::TRACE_FOLDER),
        limits: config.limits,
        hep: config.hep,
        program: format!("Cornetta {}", env!("CARGO_PKG_VERSION")),
    };
    Trace::start(config).context("the thread that keeps SIP messages")
}

type Started = (JoinHandle<()>, Bound, watch::Receiver<bool>);

/// Starts the one thread that owns the engine and the SIP sockets.
async fn start_engine(parts: Parts, inboxes: turn::Inboxes) -> Result<Started> {
    let (bound, bound_inbox) = oneshot::channel();
    let (end, ended) = watch::channel(false);
    let thread = std::thread::Builder::new().name("engine".to_owned()).spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        match runtime {
            Ok(runtime) => runtime.block_on(run_engine(parts, inboxes, bound)),
            Err(error) => drop(bound.send(Err(error))),
        }
        let _ = end.send(true);
    })?;
    let bound = bound_inbox.await.context("the engine's thread")?.map_err(unbound)?;
    Ok((thread, bound, ended))
}

/// Why SIP cannot be listened on, and what to do.
fn unbound(error: std::io::Error) -> anyhow::Error {
    let what_to_do = match error.kind() {
        ErrorKind::AddrInUse => "stop the program that has it, or write another `listen` under [sip]",
        ErrorKind::AddrNotAvailable => "write an address of this machine as `listen` under [sip]",
        _ => "write another `listen` under [sip]",
    };
    anyhow!("{error}; {what_to_do}")
}

/// Who says texts, for the threads that read sounds.
fn voice(settings: speech::Settings) -> net::Voice {
    let speech = speech::Speech::new(settings);
    Arc::new(move |language, words| match speech.say(language, words) {
        Ok(samples) => Some((samples, speech::RATE)),
        Err(why) => {
            tracing::warn!(language, %why, "a text is not said");
            None
        }
    })
}

async fn run_engine(parts: Parts, inboxes: turn::Inboxes, bound: oneshot::Sender<std::io::Result<Bound>>) {
    let Parts {
        mut config,
        past,
        seed,
        clock,
        media,
        recorder,
        media_addresses,
        sip,
        name_servers,
        fetching,
        look_ups: (look_ups, looked_up),
        journal,
        trace,
        guarded,
    } = parts;
    let (runtime, authorities) = fetching;
    let (fetcher, fetched) = CertificateFetcher::new(runtime, authorities, name_servers.clone());
    let (names, resolved) = match Resolver::start(name_servers) {
        Ok(resolver) => resolver,
        Err(error) => return drop(bound.send(Err(error))),
    };
    let (sockets, sip_inbox) = match SipSockets::bind(&config.sip.listen, sip) {
        Ok(sockets) => sockets,
        Err(error) => return drop(bound.send(Err(error))),
    };
    let addresses = Addresses::new(sockets.bound(), media_addresses);
    addresses.settle(&mut config);
    let certificate = config.media_certificate.clone();
    let _ = bound.send(Ok(Bound { listen: sockets.bound().to_vec(), sip: sockets.counter() }));
    let engine = engine::Engine::new(config, past, seed, clock.now(), clock.wall());
    let seeing = seeing::Seeing::new(trace, clock);
    let outside = turn::Outside { sockets, addresses, certificate, names, fetcher, look_ups };
    let turn = turn::Turn::new(engine, outside, (media, recorder), clock, journal, (seeing, guarded));
    turn.run(sip_inbox, turn::Answers { resolved, fetched, looked_up }, inboxes).await;
}
