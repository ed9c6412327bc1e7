//! SIP in a stream of bytes: TCP, and TLS over it (RFC 3261 §18.3).

use super::handshake::Pipe;
use super::stream::{Ended, Inbox, LAST_WORDS, MESSAGE_MAX, Writes};
use sip::framing::{Frame, StreamFramer};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::time::Instant;

/// Bytes read at once.
const CHUNK: usize = 4096;

pub(super) struct Writer(pub(super) WriteHalf<Pipe>);

impl Writes for Writer {
    async fn message(&mut self, bytes: Vec<u8>) -> io::Result<()> {
        self.0.write_all(&bytes).await?;
        self.0.flush().await
    }

    async fn ping(&mut self) -> io::Result<()> {
        self.message(b"\r\n\r\n".to_vec()).await
    }
}

/// Reads until the stream ends.
pub(super) struct Reader<'a> {
    inbox: Inbox<'a>,
    framer: StreamFramer,
}

impl<'a> Reader<'a> {
    pub(super) fn new(inbox: Inbox<'a>) -> Reader<'a> {
        let limits = inbox.limits().parse();
        let framer = if inbox.accepted { StreamFramer::new(limits) } else { StreamFramer::of_opened(limits) };
        Reader { inbox, framer }
    }

    pub(super) async fn run(mut self, mut read: ReadHalf<Pipe>) -> Ended {
        let mut chunk = vec![0; CHUNK];
        let began = Instant::now();
        // Who opens a connection has something to say; who was called may have nothing.
        let mut partial_since = self.inbox.accepted.then_some(began);
        let mut last_read = began;
        loop {
            let due = match partial_since {
                Some(since) => since + MESSAGE_MAX,
                None => self.inbox.idle_due(last_read),
            };
            match tokio::time::timeout_at(due, read.read(&mut chunk)).await {
                Ok(Ok(0) | Err(_)) => return Ended::ByPeer,
                Ok(Ok(length)) => {
                    self.inbox.heard();
                    let Ok(whole) = self.frames(chunk.get(..length).unwrap_or_default()).await else {
                        tokio::time::sleep(LAST_WORDS).await;
                        return Ended::Malformed;
                    };
                    // The time that the user agent made us wait is not the peer's.
                    last_read = Instant::now();
                    partial_since = self.partial_since(partial_since, whole, last_read);
                }
                Err(_) if partial_since.is_some() => return Ended::TooSlow,
                Err(_) if self.inbox.idle_due(last_read) <= Instant::now() => return Ended::Idle,
                Err(_) => {}
            }
        }
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
                Frame::Ping => self.inbox.ping(),
                Frame::Pong => self.inbox.pong(),
                Frame::Message(bytes) => self.inbox.message(bytes).await?,
            }
        }
        Ok(whole)
    }
}
