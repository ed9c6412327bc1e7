//! The program itself, started on loopback with a configuration of the test's own.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test that fails panics")]

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Bounds a failure; no test waits for it to pass.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The top of the repository.
pub(crate) fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// A command of the program, in this folder, with nothing of the tester's own settings.
pub(crate) fn cornetta(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cornetta"));
    command.args(arguments).current_dir(folder).env_remove("CORNETTA_LOG").env_remove("CORNETTA_TOKEN");
    command
}

/// Runs a command of the program to its end.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Output {
    cornetta(folder, arguments).output().unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A UDP port that nothing has at the moment. Where the program can choose its own, 0 is better.
pub(crate) fn free_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Looks again and again until there is something to give.
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} did not come");
        thread::sleep(LOOK_EVERY);
    }
}

/// A folder with a configuration.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new(config: &str) -> Folder {
        let folder = Folder(tempfile::tempdir().unwrap());
        folder.write("cornetta.toml", config);
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

/// A program that runs until it is told to end; dropping it kills it.
pub(crate) struct Program {
    child: Child,
    lines: mpsc::Receiver<String>,
    errors: Arc<Mutex<String>>,
}

impl Program {
    pub(crate) fn start(folder: &Path, arguments: &[&str]) -> Program {
        let mut child =
            cornetta(folder, arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (told, lines) = mpsc::channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| told.send(line)));
        let errors = Arc::new(Mutex::new(String::new()));
        let (mut stderr, kept) = (child.stderr.take().unwrap(), errors.clone());
        thread::spawn(move || {
            let mut part = [0; 1024];
            while let Ok(length @ 1..) = stderr.read(&mut part) {
                kept.lock().unwrap().push_str(&String::from_utf8_lossy(&part[..length]));
            }
        });
        Program { child, lines, errors }
    }

    /// The first line to come that begins so, without its beginning.
    pub(crate) fn line(&self, beginning: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left);
            let line = line.unwrap_or_else(|_| panic!("no line {beginning:?}: {}", self.errors()));
            if let Some(rest) = line.strip_prefix(beginning) {
                return rest.to_owned();
            }
        }
    }

    /// What it has written to standard error so far.
    pub(crate) fn errors(&self) -> String {
        self.errors.lock().unwrap().clone()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    pub(crate) fn ended(&mut self) -> ExitStatus {
        wait_for("the end of the program", || self.child.try_wait().unwrap())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A running exchange.
pub(crate) struct Exchange {
    pub(crate) program: Program,
    pub(crate) sip: Vec<SocketAddr>,
    /// `http://ADDRESS`
    pub(crate) url: String,
}

impl Exchange {
    /// `cornetta serve` on the folder's configuration, ready.
    pub(crate) fn serve(folder: &Folder) -> Exchange {
        let program = Program::start(folder.path(), &["serve"]);
        let mut sip = Vec::new();
        loop {
            let line = program.line("");
            if let Some(url) = line.strip_prefix("http ") {
                let url = url.to_owned();
                program.line("ready");
                return Exchange { program, sip, url };
            }
            sip.push(line.split_once(':').unwrap().1.parse().unwrap());
        }
    }

    /// Every fact so far.
    pub(crate) fn facts(&self) -> Vec<Value> {
        let body = ureq::get(format!("{}/v1/log", self.url)).call().unwrap().body_mut().read_to_string();
        body.unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Waits for the place `n` (from 0) fact of this type.
    pub(crate) fn nth_fact(&self, kind: &str, n: usize) -> Value {
        wait_for(kind, || self.facts().into_iter().filter(|fact| fact["kind"]["type"] == kind).nth(n))
    }

    pub(crate) fn fact(&self, kind: &str) -> Value {
        self.nth_fact(kind, 0)
    }

    pub(crate) fn terminate(&mut self) -> ExitStatus {
        self.program.signal(Signal::TERM);
        self.program.ended()
    }
}
