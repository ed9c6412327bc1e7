//! The life of one stream, whatever it is made of: a reader, a writer with its keep-alive, and their ends.

use super::handshake::Link;
use super::streams::Streams;
use super::{Shared, SipInput, SipLimits, bytes, count, reuse, websocket};
use futures_util::StreamExt;
use sip::guard::Standing;
use sip::ua::{Flow, Transport};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, timeout, timeout_at};

/// From its first byte, or from the opening of a stream by the peer, a message must be whole within this.
pub(super) const MESSAGE_MAX: Duration = Duration::from_secs(10);
/// What cannot be framed is no longer read, but its beginning may be answered with a refusal.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(1);
/// A stream on which nothing goes either way for so long is closed. Devices ping far more often
/// (RFC 5626 §4.4.1: two minutes).
const IDLE_MAX: Duration = Duration::from_secs(30 * 60);
/// How long the network may refuse to take one message.
const WRITE_MAX: Duration = Duration::from_secs(30);
/// After so long without a word of ours we ping: on streams of bytes that we opened (RFC 5626 §4.4.1: 95 s to
/// 120 s, not all at once), and on every WebSocket, whose proxies and browsers sleep in after a minute.
const PING_BYTES: Duration = Duration::from_secs(96);
const PING_SPREAD_SECS: u64 = 24;
const PING_WEBSOCKET: Duration = Duration::from_secs(30);
/// Who has ever answered a ping must go on doing so within this (RFC 5626 §4.4.1).
const PONG_MAX: Duration = Duration::from_secs(10);

/// What a stream's task holds of its queue.
#[derive(Debug)]
pub(super) struct Ends {
    pub(super) queue: mpsc::Receiver<Vec<u8>>,
    pub(super) pongs: mpsc::Sender<Vec<u8>>,
    pub(super) cut: Arc<Notify>,
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The peer closed it or the network broke it.
    ByPeer,
    /// Its queue was full, the network takes nothing more, or another took its place.
    Cut,
    /// A message was not complete in time.
    TooSlow,
    /// What came cannot be framed.
    Malformed,
    /// Nothing went either way.
    Idle,
    /// It used to answer pings and does not any more.
    Dead,
    /// A stranger opened it and is one still.
    Unproven,
}

impl Ended {
    pub(super) fn is_cut(self) -> bool {
        self != Ended::ByPeer
    }
}

/// How messages go out.
pub(super) trait Writes {
    async fn message(&mut self, bytes: Vec<u8>) -> io::Result<()>;
    async fn ping(&mut self) -> io::Result<()>;
}

/// What reader and writer know of each other.
#[derive(Debug)]
struct Pulse {
    began: Instant,
    /// Seconds after `began` at which something was last written.
    written: AtomicU64,
    /// How often something was read.
    heard: AtomicU64,
    /// The peer has answered a ping.
    answers: AtomicBool,
    /// The last message that was read waits among those of strangers.
    among_strangers: AtomicBool,
}

/// Reads and writes until the stream ends, for whatever reason. Tells in whose queue its last message waits too: what
/// comes after it must not overtake it.
pub(super) async fn run(
    streams: &Streams,
    flow: Flow,
    accepted: bool,
    link: Link,
    ends: Ends,
) -> (Ended, Standing) {
    let pulse = Pulse {
        began: Instant::now(),
        written: AtomicU64::new(0),
        heard: AtomicU64::new(0),
        answers: AtomicBool::new(false),
        among_strangers: AtomicBool::new(false),
    };
    let inbox = Inbox { streams, flow, accepted, first: true, pongs: ends.pongs, pulse: &pulse };
    let pause = ping_after(flow, accepted);
    let work = async {
        match link {
            Link::Bytes(pipe) => {
                let (read, write) = tokio::io::split(pipe);
                tokio::select! {
                    ended = bytes::Reader::new(inbox).run(read) => ended,
                    ended = write_all(bytes::Writer(write), ends.queue, &pulse, pause) => ended,
                }
            }
            Link::Messages { socket, arrivals } => {
                let (write, read) = (*socket).split();
                tokio::select! {
                    ended = websocket::read_all(read, inbox, &arrivals) => ended,
                    ended = write_all(websocket::Writer(write), ends.queue, &pulse, pause) => ended,
                }
            }
        }
    };
    let ended = tokio::select! {
        ended = work => ended,
        () = ends.cut.notified() => Ended::Cut,
        () = unproven(streams, flow), if accepted => Ended::Unproven,
    };
    let strange = pulse.among_strangers.load(Ordering::Relaxed);
    (ended, if strange { Standing::Stranger } else { Standing::Known })
}

/// Waits until the peer has been a stranger for so long that it has nothing to prove.
async fn unproven(streams: &Streams, flow: Flow) {
    let mut was_known = false;
    loop {
        tokio::time::sleep(streams.shared.limits.stranger_stays).await;
        let is_known = streams.shared.gate.standing(flow.remote.ip()) == Standing::Known;
        // Who was known a moment ago may be about to register again.
        if !is_known && !was_known {
            return;
        }
        was_known = is_known;
    }
}

fn ping_after(flow: Flow, accepted: bool) -> Option<Duration> {
    match flow.transport {
        Transport::Ws | Transport::Wss => Some(PING_WEBSOCKET),
        _ if accepted => None,
        _ => {
            let spread = u64::from(flow.remote.port()) % PING_SPREAD_SECS;
            Some(PING_BYTES + Duration::from_secs(spread))
        }
    }
}

async fn write_all(
    mut out: impl Writes,
    mut queue: mpsc::Receiver<Vec<u8>>,
    pulse: &Pulse,
    pause: Option<Duration>,
) -> Ended {
    // When the answer to a ping is due, and what had been heard before it.
    let mut asked: Option<(Instant, u64)> = None;
    loop {
        let due = asked.map(|(due, _)| due).or(pause.map(|pause| pulse.last_written() + pause));
        let next = match due {
            Some(due) => timeout_at(due, queue.recv()).await,
            None => Ok(queue.recv().await),
        };
        let written = match next {
            Ok(Some(bytes)) => timeout(WRITE_MAX, out.message(bytes)).await,
            Ok(None) => return Ended::ByPeer,
            Err(_) => match asked.take() {
                Some((_, heard)) if pulse.is_dead_since(heard) => return Ended::Dead,
                Some(_) => continue,
                None => {
                    asked = Some((Instant::now() + PONG_MAX, pulse.heard.load(Ordering::Relaxed)));
                    timeout(WRITE_MAX, out.ping()).await
                }
            },
        };
        match written {
            Ok(Ok(())) => pulse.written.store(pulse.began.elapsed().as_secs(), Ordering::Relaxed),
            Ok(Err(_)) => return Ended::ByPeer,
            Err(_) => return Ended::Cut,
        }
    }
}

impl Pulse {
    fn last_written(&self) -> Instant {
        self.began + Duration::from_secs(self.written.load(Ordering::Relaxed))
    }

    fn is_dead_since(&self, heard: u64) -> bool {
        self.answers.load(Ordering::Relaxed) && self.heard.load(Ordering::Relaxed) == heard
    }
}

/// Where a reader puts what it has read.
pub(super) struct Inbox<'a> {
    streams: &'a Streams,
    flow: Flow,
    /// By us, from the peer; otherwise we opened it.
    pub(super) accepted: bool,
    /// No message has come yet.
    first: bool,
    pongs: mpsc::Sender<Vec<u8>>,
    pulse: &'a Pulse,
}

impl Inbox<'_> {
    pub(super) fn limits(&self) -> &SipLimits {
        &self.shared().limits
    }

    /// Something was read.
    pub(super) fn heard(&self) {
        self.pulse.heard.fetch_add(1, Ordering::Relaxed);
    }

    /// The peer pings (RFC 5626 §3.5.1). If it does not read its pongs, its full queue cuts it soon enough.
    pub(super) fn ping(&self) {
        let _ = self.pongs.try_send(b"\r\n".to_vec());
    }

    /// The peer answered our ping.
    pub(super) fn pong(&self) {
        self.pulse.answers.store(true, Ordering::Relaxed);
    }

    /// A message. Waiting here stops the reading: the peer's kernel feels it.
    pub(super) async fn message(&mut self, bytes: Vec<u8>) -> Result<(), ()> {
        if self.first && self.accepted {
            let port = reuse::listening_port(self.flow.transport, &bytes, &self.limits().parse());
            if let Some(port) = port {
                self.streams.listens_at(self.flow, port);
            }
        }
        self.first = false;
        let input = SipInput::Received { flow: self.flow, bytes };
        let gate = &self.shared().gate;
        let standing = gate.standing(self.flow.remote.ip());
        let queue = gate.queue(standing).ok_or(())?;
        self.pulse.among_strangers.store(standing != Standing::Known, Ordering::Relaxed);
        queue.send(input).await.map_err(|_| ())?;
        count(&self.shared().counters.received);
        Ok(())
    }

    /// When a stream that rests since `last_read` is to be closed.
    pub(super) fn idle_due(&self, last_read: Instant) -> Instant {
        last_read.max(self.pulse.last_written()) + IDLE_MAX
    }

    fn shared(&self) -> &Shared {
        &self.streams.shared
    }
}
