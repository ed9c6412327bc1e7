//! A real server on loopback over a real log in a temporary folder, and clients that are not ours.

pub(crate) mod samples;

use base::Wall;
use cti::{CommandRequest, Counters, CtiConfig, CtiServer, Limits, Scope, Token};
use facts::{Fact, FactKind};
use futures_util::StreamExt;
use journal::Journal;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use trace::Trace;

pub(crate) const ALL: &str = "all-scopes-secret-0001";
pub(crate) const MASKED: &str = "reads-masked-secret-0002";
pub(crate) const METRICS: &str = "metrics-only-secret-0003";
/// Bounds a failure; no test waits for it to pass.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
const START: i64 = 1_795_000_000_000_000;

/// A help desk of which only the log and the web face are real.
pub(crate) struct Desk {
    pub(crate) journal: Arc<Journal>,
    pub(crate) addr: SocketAddr,
    pub(crate) commands: mpsc::Receiver<CommandRequest>,
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) server: CtiServer,
    next: AtomicU64,
    _folder: TempDir,
}

pub(crate) fn tokens() -> Vec<Token> {
    vec![
        Token::from_secret("all", ALL, Scope::ALL).unwrap(),
        Token::from_secret("masked", MASKED, [Scope::EventsRead]).unwrap(),
        Token::from_secret("metrics", METRICS, [Scope::MetricsRead]).unwrap(),
    ]
}

pub(crate) fn config() -> CtiConfig {
    CtiConfig {
        scripts: tokio::sync::watch::channel(Arc::default()).1,
        versions: cti::ScriptVersions::new(|_| Ok(Vec::new())),
        reloads: mpsc::channel(1).0,
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        tokens: watch::channel(tokens().into()).1,
        source: "/ente/prova/node/rm1/epoch/7".into(),
        zone: "Europe/Rome".into(),
        trace: trace(&std::env::temp_dir().join("cornetta-keeps-no-trace")),
        recordings: cti::RecordingFiles::new(|recording| match recording {
            "kept" => Some("Cargo.toml".into()),
            "gone" => Some("no-such-file".into()),
            _ => None,
        }),
        counters: Counters::default(),
        limits: Limits::default(),
    }
}

/// A trace that keeps its messages in this folder.
pub(crate) fn trace(folder: &Path) -> Trace {
    let limits = trace::Limits { keep: Duration::from_secs(3600), size_max: 1_000_000 };
    let config =
        trace::Config { folder: folder.to_owned(), limits, hep: None, program: "Cornetta 0".to_owned() };
    Trace::start(config).unwrap()
}

impl Desk {
    pub(crate) async fn open() -> Desk {
        Desk::with(Limits::default()).await
    }

    pub(crate) async fn with(limits: Limits) -> Desk {
        Desk::configured(CtiConfig { limits, ..config() }, 8).await
    }

    pub(crate) async fn configured(config: CtiConfig, commands_max: usize) -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let (journal, _) = Journal::open(&folder.path().join("log"), journal::Config::default()).unwrap();
        let journal = Arc::new(journal);
        let (commands, taken) = mpsc::channel(commands_max);
        let (stop, shutdown) = watch::channel(false);
        let server = cti::serve(config, journal.clone(), commands, shutdown).await.unwrap();
        let addr = server.addr;
        Desk { journal, addr, commands: taken, stop, server, next: AtomicU64::new(1), _folder: folder }
    }

    /// Writes facts of one call and waits until they are on disk; gives the last number.
    pub(crate) fn write(&self, call: Option<&str>, kinds: impl IntoIterator<Item = FactKind>) -> u64 {
        let last = self.write_later(call, kinds);
        assert!(self.journal.wait_durable(last, PATIENCE));
        last
    }

    /// The same of a body.
    pub(crate) fn write_of(
        &self,
        body: Option<&str>,
        call: Option<&str>,
        kinds: impl IntoIterator<Item = FactKind>,
    ) -> u64 {
        let last = self.note(body, call, kinds);
        assert!(self.journal.wait_durable(last, PATIENCE));
        last
    }

    /// Writes facts and does not wait; gives the last number.
    pub(crate) fn write_later(&self, call: Option<&str>, kinds: impl IntoIterator<Item = FactKind>) -> u64 {
        self.note(None, call, kinds)
    }

    fn note(&self, body: Option<&str>, call: Option<&str>, kinds: impl IntoIterator<Item = FactKind>) -> u64 {
        let fact = |kind| {
            let number = self.next.fetch_add(1, Ordering::SeqCst);
            let at = Wall::from_unix_micros(START + number as i64);
            Fact {
                number,
                at,
                call: call.map(str::to_owned),
                callseq: u32::from(call.is_some()),
                body: body.map(str::to_owned),
                kind,
            }
        };
        self.journal.try_append(kinds.into_iter().map(fact).collect()).unwrap();
        self.next.load(Ordering::SeqCst) - 1
    }

    pub(crate) async fn ask(&self, request: &str, token: &str) -> Answer {
        ask(self.addr, request, &format!("Authorization: Bearer {token}\r\n"), "").await
    }

    pub(crate) async fn metric(&self, name: &str) -> u64 {
        let page = self.ask("GET /metrics", ALL).await.body;
        let line = page.lines().find(|line| line.split(' ').next() == Some(name)).unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }

    pub(crate) async fn websocket(&self, query: &str, token: &str) -> Socket {
        Socket::open(self.addr, query, token, None).await.unwrap()
    }

    pub(crate) async fn sse(&self, query: &str, headers: &str) -> EventSource {
        EventSource::open(self.addr, query, headers).await
    }
}

/// An HTTP answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// Checks that it is a problem document with this status and code.
    pub(crate) fn is_problem(&self, status: u16, code: &str) -> Value {
        let problem = self.json();
        assert!(self.head.contains("content-type: application/problem+json"), "{}", self.head);
        assert_eq!((self.status, problem["code"].as_str()), (status, Some(code)), "{problem}");
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], format!("urn:cornetta:problem:{code}"));
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{problem}");
        problem
    }
}

/// `request` is `METHOD PATH`; `headers` end with CRLF each.
pub(crate) async fn ask(addr: SocketAddr, request: &str, headers: &str, body: &str) -> Answer {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let length = body.len();
    let text = format!(
        "{request} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(text.as_bytes()).await.unwrap();
    read_answer(&mut stream).await
}

pub(crate) async fn read_answer(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.unwrap().unwrap();
    // A capture is no text.
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
}

/// A connection that holds no more than `receive_buffer` bytes, about, that nobody reads.
pub(crate) async fn connect(addr: SocketAddr, receive_buffer: Option<u32>) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    if let Some(size) = receive_buffer {
        socket.set_recv_buffer_size(size).unwrap();
    }
    socket.connect(addr).await.unwrap()
}

/// A WebSocket client that is not ours.
pub(crate) struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    /// The status of the refusal, if the server refuses.
    pub(crate) async fn open(
        addr: SocketAddr,
        query: &str,
        token: &str,
        receive_buffer: Option<u32>,
    ) -> Result<Socket, u16> {
        let stream = connect(addr, receive_buffer).await;
        let mut request = format!("ws://{addr}/v1/events{query}").into_client_request().unwrap();
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        match tokio_tungstenite::client_async(request, stream).await {
            Ok((socket, _)) => Ok(Socket(socket)),
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) async fn say(&mut self, text: &str) {
        futures_util::SinkExt::send(&mut self.0, Message::text(text.to_owned())).await.unwrap();
    }

    /// The next frame, or how the server closed.
    pub(crate) async fn frame(&mut self) -> Result<Value, CloseFrame> {
        loop {
            match tokio::time::timeout(PATIENCE, self.0.next()).await.unwrap() {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(text.as_str()).unwrap()),
                Some(Ok(Message::Close(Some(close)))) => return Err(close),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// The next frame that is no heartbeat.
    pub(crate) async fn next(&mut self) -> Value {
        let frame = async {
            loop {
                let frame = self.frame().await.unwrap();
                if frame["op"] != "heartbeat" {
                    return frame;
                }
            }
        };
        tokio::time::timeout(PATIENCE, frame).await.unwrap()
    }

    /// The next frames, each in short: the number of an event, `+N` for what was skipped, else the op.
    pub(crate) async fn shorts(&mut self, count: usize) -> Vec<String> {
        let mut shorts = Vec::new();
        for _ in 0..count {
            shorts.push(short(&self.next().await));
        }
        shorts
    }

    pub(crate) async fn closed(mut self) -> (u16, String) {
        loop {
            if let Err(close) = self.frame().await {
                return (close.code.into(), close.reason.to_string());
            }
        }
    }
}

pub(crate) fn short(frame: &Value) -> String {
    match frame["op"].as_str() {
        None => number(frame).to_string(),
        Some("skipped_to") => format!("+{}", frame["sequence"]),
        Some(op) => op.to_owned(),
    }
}

/// The number of an event, after a look at its form.
pub(crate) fn number(event: &Value) -> u64 {
    let sequence = event["sequence"].as_str().unwrap_or_else(|| panic!("not an event: {event}"));
    assert_eq!(sequence.len(), 20);
    sequence.parse().unwrap()
}

/// A reader of server-sent events.
pub(crate) struct EventSource {
    lines: Lines<BufReader<TcpStream>>,
    pub(crate) head: String,
}

/// One server-sent event.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Sent {
    pub(crate) id: Option<String>,
    pub(crate) event: Option<String>,
    pub(crate) data: String,
}

impl EventSource {
    /// By HTTP/1.0, so that the body comes without chunks.
    pub(crate) async fn open(addr: SocketAddr, query: &str, headers: &str) -> EventSource {
        EventSource::over(connect(addr, None).await, query, headers).await
    }

    pub(crate) async fn over(mut stream: TcpStream, query: &str, headers: &str) -> EventSource {
        let addr = stream.peer_addr().unwrap();
        let auth = format!("Authorization: Bearer {ALL}\r\n");
        let text = format!("GET /v1/events{query} HTTP/1.0\r\nHost: {addr}\r\n{auth}{headers}\r\n");
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut lines = BufReader::new(stream).lines();
        let mut head = String::new();
        while let Some(line) = lines.next_line().await.unwrap().filter(|line| !line.is_empty()) {
            head.push_str(&line.to_ascii_lowercase());
            head.push('\n');
        }
        EventSource { lines, head }
    }

    /// Reads until the server cuts the stream, wherever in a line; the last number that came whole.
    pub(crate) async fn last_id_before_the_cut(mut self) -> u64 {
        let mut last = 0;
        let mut pending = None;
        while let Ok(Some(line)) = tokio::time::timeout(PATIENCE, self.lines.next_line()).await.unwrap() {
            if let Some(id) = line.strip_prefix("id: ") {
                pending = id.parse().ok();
            }
            if line.is_empty() {
                last = pending.take().unwrap_or(last);
            }
        }
        last
    }

    /// The next that is no heartbeat; nothing at the stream's end.
    pub(crate) async fn next(&mut self) -> Option<Sent> {
        tokio::time::timeout(PATIENCE, self.sent()).await.unwrap()
    }

    async fn sent(&mut self) -> Option<Sent> {
        let mut sent = Sent::default();
        loop {
            let line = self.lines.next_line().await.unwrap()?;
            match line.split_once(": ") {
                Some(("id", id)) => sent.id = Some(id.to_owned()),
                Some(("event", event)) => sent.event = Some(event.to_owned()),
                Some(("data", data)) => sent.data = data.to_owned(),
                _ if line.is_empty() && sent.event.as_deref() == Some("heartbeat") => sent = Sent::default(),
                _ if line.is_empty() => return Some(sent),
                _ => panic!("{line:?}"),
            }
        }
    }
}
