use super::captures::{Captures, MediaPacket, Order};
use super::{Config, Counters, Item};
use crate::segments::Segments;
use crate::{Traced, hep, mask, read_call, record};
use base::Wall;
use crossbeam_channel::{Receiver, select};
use std::io;
use std::net::UdpSocket;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Room that is kept for the next write; a busy hour's is given back.
const PENDING_KEPT: usize = 16 << 10;
/// Messages that are one write.
const BATCH: u64 = 256;
/// Things taken before anything else is looked after.
const ROUND: usize = 16_384;
/// Between two looks at what came: to wake the thread for each message costs more than to keep it.
const GATHER: Duration = Duration::from_millis(50);
/// How often captures are looked at while nothing comes.
const TICK: Duration = Duration::from_millis(250);
/// How often the folder is looked over.
const TIDY: Duration = Duration::from_secs(30);
/// How soon a disk that failed is tried again.
const RETRY: Duration = Duration::from_secs(10);

/// What the thread owns.
#[derive(Debug)]
pub(super) struct Writer {
    folder: PathBuf,
    segments: Segments,
    hep: Option<(UdpSocket, hep::Identity)>,
    program: String,
    captures: Captures,
    counters: Arc<Counters>,
    /// Records to be written, and how many.
    pending: Vec<u8>,
    pending_messages: u64,
    tidy_at: Instant,
    /// The disk failed: nothing is written before.
    retry_at: Option<Instant>,
}

impl Writer {
    pub(super) fn new(
        config: Config,
        hep: Option<(UdpSocket, hep::Identity)>,
        counters: Arc<Counters>,
    ) -> Writer {
        let Config { folder, limits, program, .. } = config;
        Writer {
            segments: Segments::new(folder.clone(), limits),
            folder,
            hep,
            program,
            captures: Captures::default(),
            counters,
            pending: Vec::new(),
            pending_messages: 0,
            tidy_at: Instant::now(),
            retry_at: None,
        }
    }

    /// Until told to stop.
    pub(super) fn run(mut self, items: &Receiver<Item>, media: &Receiver<MediaPacket>) {
        let mut going = true;
        while going {
            select! {
                recv(items) -> item => going = item.is_ok_and(|item| self.take(item)),
                recv(media) -> packet => packet.iter().for_each(|packet| self.captures.media(packet)),
                default(TICK) => {}
            }
            for item in items.try_iter().take(ROUND) {
                going &= self.take(item);
                if self.pending_messages >= BATCH {
                    self.write();
                }
            }
            media.try_iter().take(ROUND).for_each(|packet| self.captures.media(&packet));
            self.write();
            self.tidy();
            if !self.captures.is_empty() {
                self.captures.lost(self.counters.media_dropped.swap(0, Ordering::Relaxed));
                self.captures.end_due(wall());
            }
            if going {
                std::thread::sleep(GATHER);
            }
        }
        self.captures.end_all(wall());
    }

    /// False if it was the last.
    fn take(&mut self, item: Item) -> bool {
        match item {
            Item::Message(message) => self.message(message),
            Item::Capture(Order::Begin(capture)) => self.captures.begin(capture, &self.program),
            Item::Capture(Order::Bind { capture, call }) => {
                self.write();
                let past = read_call(&self.folder, &call).unwrap_or_default();
                self.captures.bind(capture, &call, &past.messages);
            }
            Item::Capture(Order::CallEnded { call }) => self.captures.call_ended(&call),
            Item::Stop => return false,
        }
        true
    }

    fn message(&mut self, mut message: Traced) {
        self.counters.waiting_bytes.fetch_sub(message.bytes.len(), Ordering::Relaxed);
        message.bytes = mask(&message.bytes);
        self.captures.message(&message);
        self.export(&message);
        self.pending.extend(record::encode(&message));
        self.pending_messages += 1;
    }

    fn export(&mut self, message: &Traced) {
        let Some((socket, identity)) = &self.hep else { return };
        let sent = hep::encode(message, identity).is_some_and(|packet| socket.send(&packet).is_ok());
        let counter = if sent { &self.counters.exported } else { &self.counters.unexported };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn write(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let records = std::mem::take(&mut self.pending);
        let messages = std::mem::take(&mut self.pending_messages);
        let resting = self.retry_at.is_some_and(|at| Instant::now() < at);
        let written = if resting { Ok(false) } else { self.segments.append(wall(), &records).map(|()| true) };
        let counter =
            if matches!(written, Ok(true)) { &self.counters.stored } else { &self.counters.dropped };
        counter.fetch_add(messages, Ordering::Relaxed);
        match written {
            Ok(true) => self.retry_at = None,
            Ok(false) => {}
            Err(error) => self.failed(&error),
        }
        self.pending = records;
        self.pending.clear();
        self.pending.shrink_to(PENDING_KEPT);
    }

    fn tidy(&mut self) {
        if self.tidy_at > Instant::now() {
            return;
        }
        self.tidy_at = Instant::now() + TIDY;
        if let Err(error) = self.segments.forget(wall()) {
            tracing::warn!("old SIP messages in {} cannot be deleted: {error}", self.folder.display());
        }
    }

    fn failed(&mut self, error: &io::Error) {
        let folder = self.folder.display();
        let again = RETRY.as_secs();
        tracing::error!(
            "SIP messages cannot be kept in {folder}: {error}; calls go on, tried again in {again} s"
        );
        self.retry_at = Some(Instant::now() + RETRY);
    }
}

fn wall() -> Wall {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Wall::default() + since
}
