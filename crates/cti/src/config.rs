use crate::{Counters, ReloadRequest, ScriptVersions, Scripts, Token};
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use trace::Trace;

/// How the server is to listen, whom it knows, and how much it takes.
#[derive(Clone, Debug)]
pub struct CtiConfig {
    /// Where to listen. Beyond loopback at least one token is needed.
    pub listen: SocketAddr,
    /// Who may ask for what. With none, on loopback, everyone on this machine may do everything.
    pub tokens: watch::Receiver<Arc<[Token]>>,
    /// The CloudEvents source: `/ente/NAME/node/NODE/epoch/N`.
    pub source: String,
    /// The IANA zone of event times, such as `Europe/Rome`.
    pub zone: String,
    /// The SIP messages of calls.
    pub trace: Trace,
    /// Where recordings are.
    pub recordings: RecordingFiles,
    /// What others count, for `/metrics`.
    pub counters: Counters,
    /// The scripts in force.
    pub scripts: watch::Receiver<Arc<Scripts>>,
    /// Those that were.
    pub versions: ScriptVersions,
    /// Where goes who asks for a reload; its capacity is the number that may wait.
    pub reloads: mpsc::Sender<ReloadRequest>,
    /// How much.
    pub limits: Limits,
}

/// The path of a recording's file by its id; none for what no recording is called.
#[derive(Clone)]
pub struct RecordingFiles(Arc<PathOf>);

type PathOf = dyn Fn(&str) -> Option<PathBuf> + Send + Sync;

impl RecordingFiles {
    /// By this, which must lead out of no folder, whatever it is given.
    pub fn new(path_of: impl Fn(&str) -> Option<PathBuf> + Send + Sync + 'static) -> RecordingFiles {
        RecordingFiles(Arc::new(path_of))
    }

    pub(crate) fn path_of(&self, recording: &str) -> Option<PathBuf> {
        (self.0)(recording)
    }
}

impl fmt::Debug for RecordingFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecordingFiles")
    }
}

/// How much the server takes before it says `capacity`, and how long it waits.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Open connections; one more is answered 503 and closed.
    pub connections: usize,
    /// Readers of events at a time, SSE and WebSocket together; one more is answered 503.
    pub readers: usize,
    /// Facts that a reader takes from the log at a time.
    pub batch: usize,
    /// Bytes of a request's body or of a WebSocket message.
    pub body_bytes: usize,
    /// For a request's head to arrive, and between two requests on one connection.
    pub head_wait: Duration,
    /// For a command's body to arrive, the engine to answer and its fact to be on disk.
    pub command_wait: Duration,
    /// For a configuration to be read and checked, and its fact to be on disk.
    pub reload_wait: Duration,
    /// For a WebSocket's first message, if its address says nothing of what is wanted.
    pub subscribe_wait: Duration,
    /// Between two heartbeats.
    pub heartbeat: Duration,
    /// How long a reader may take nothing before it is closed.
    pub stall: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: 256,
            readers: 64,
            batch: 128,
            body_bytes: 64 * 1024,
            head_wait: Duration::from_secs(10),
            command_wait: Duration::from_secs(10),
            reload_wait: Duration::from_secs(25),
            subscribe_wait: Duration::from_secs(10),
            heartbeat: Duration::from_secs(5),
            stall: Duration::from_secs(30),
        }
    }
}
