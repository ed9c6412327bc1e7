use super::{Shared, SipInput, count};
use sip::framing::{Frame, StreamFramer};
use sip::ua::Flow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

/// From its first byte, or from the opening of the stream, a message must be whole within this.
const MESSAGE_MAX: Duration = Duration::from_secs(10);
/// A stream on which nothing goes either way for so long is closed. Devices ping far more often
/// (RFC 5626 §4.4.1: two minutes).
const IDLE_MAX: Duration = Duration::from_secs(30 * 60);
/// What cannot be framed is no longer read, but its beginning may be answered with a refusal.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// Bytes read at once.
const CHUNK: usize = 4096;

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
    /// Its queue was full, or the user agent went away.
    NotReading,
    /// A message was not complete in time.
    TooSlow,
    /// What came cannot be framed.
    Malformed,
    /// Nothing went either way.
    Idle,
}

impl Ended {
    pub(super) fn is_cut(self) -> bool {
        self != Ended::ByPeer
    }
}

/// Reads and writes until the stream ends, for whatever reason.
pub(super) async fn run(shared: &Shared, flow: Flow, stream: TcpStream, ends: Ends) -> Ended {
    // A message is written at once and whole; waiting for more only delays it.
    let _ = stream.set_nodelay(true);
    let (read, write) = stream.into_split();
    let began = Instant::now();
    let written = AtomicU64::new(0);
    let reader = Reader {
        shared,
        flow,
        pongs: ends.pongs,
        began,
        written: &written,
        framer: StreamFramer::new(shared.limits.parse()),
    };
    tokio::select! {
        ended = reader.run(read) => ended,
        () = write_all(write, ends.queue, began, &written) => Ended::ByPeer,
        () = ends.cut.notified() => Ended::NotReading,
    }
}

async fn write_all(
    mut write: OwnedWriteHalf,
    mut queue: mpsc::Receiver<Vec<u8>>,
    began: Instant,
    written: &AtomicU64,
) {
    while let Some(bytes) = queue.recv().await {
        if write.write_all(&bytes).await.is_err() {
            return;
        }
        written.store(began.elapsed().as_secs(), Ordering::Relaxed);
    }
}

struct Reader<'a> {
    shared: &'a Shared,
    flow: Flow,
    pongs: mpsc::Sender<Vec<u8>>,
    began: Instant,
    /// Seconds after `began` at which something was last written.
    written: &'a AtomicU64,
    framer: StreamFramer,
}

impl Reader<'_> {
    async fn run(mut self, mut read: OwnedReadHalf) -> Ended {
        let mut chunk = vec![0; CHUNK];
        let mut partial_since = Some(self.began);
        let mut last_read = self.began;
        loop {
            let due = match partial_since {
                Some(since) => since + MESSAGE_MAX,
                None => self.idle_due(last_read),
            };
            match tokio::time::timeout_at(due, read.read(&mut chunk)).await {
                Ok(Ok(0) | Err(_)) => return Ended::ByPeer,
                Ok(Ok(length)) => {
                    let Ok(whole) = self.frames(chunk.get(..length).unwrap_or_default()).await else {
                        tokio::time::sleep(LAST_WORDS).await;
                        return Ended::Malformed;
                    };
                    // The time that the user agent made us wait is not the peer's.
                    last_read = Instant::now();
                    partial_since = self.partial_since(partial_since, whole, last_read);
                }
                Err(_) if partial_since.is_some() => return Ended::TooSlow,
                Err(_) if self.idle_due(last_read) <= Instant::now() => return Ended::Idle,
                Err(_) => {}
            }
        }
    }

    fn idle_due(&self, last_read: Instant) -> Instant {
        let last_written = self.began + Duration::from_secs(self.written.load(Ordering::Relaxed));
        last_read.max(last_written) + IDLE_MAX
    }

    fn partial_since(&self, before: Option<Instant>, whole: bool, now: Instant) -> Option<Instant> {
        match (self.framer.is_between_messages(), whole) {
            (true, _) => None,
            (false, true) => Some(now),
            (false, false) => before.or(Some(now)),
        }
    }

    /// Hands in what `bytes` completed; says whether that was anything.
    async fn frames(&mut self, bytes: &[u8]) -> Result<bool, ()> {
        self.framer.push(bytes);
        let mut whole = false;
        for frame in self.framer.by_ref() {
            whole = true;
            match frame.map_err(|_| ())? {
                // RFC 5626 §3.5.1. A peer that does not read its pongs is cut by its full queue soon enough.
                Frame::Ping => drop(self.pongs.try_send(b"\r\n".to_vec())),
                Frame::Message(bytes) => {
                    // Waiting here stops the reading: the peer's kernel feels it.
                    let input = SipInput::Received { flow: self.flow, bytes };
                    let gate = &self.shared.gate;
                    let queue = gate.queue(gate.standing(self.flow.remote.ip())).ok_or(())?;
                    queue.send(input).await.map_err(|_| ())?;
                    count(&self.shared.counters.received);
                }
            }
        }
        Ok(whole)
    }
}
