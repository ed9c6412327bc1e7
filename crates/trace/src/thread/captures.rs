//! Captures of single calls: what went by is written as pcapng for whoever asked, within limits.

use crate::{Traced, Way, pcapng};
use base::Wall;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Packets that wait for whoever takes the capture, and their bytes. More are dropped and counted in the file.
const WAITING_MAX: usize = 2048;
const WAITING_BYTES_MAX: usize = 4 * 1024 * 1024;
/// For the last answers after the end of a call.
const AFTER_THE_END: Duration = Duration::from_secs(1);
const REMARK: &str = "One call, as Cornetta saw it. SIP is written as UDP whatever it came by; \
    digests, keys and pressed keys in SIP are covered; media is as it was.";

/// How much a capture may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaptureLimits {
    /// How long it waits for its call.
    pub wait: Duration,
    /// How long it goes on, once it has one.
    pub length: Duration,
    /// Bytes of the file.
    pub bytes: u64,
}

/// A capture in progress. It ends when this is dropped.
#[derive(Debug)]
pub struct Capture {
    /// Its number.
    pub id: u64,
    pieces: mpsc::Receiver<Vec<u8>>,
    waiting_bytes: Arc<AtomicUsize>,
}

impl Capture {
    /// The next piece of the file; nothing at its end.
    pub async fn next(&mut self) -> Option<Vec<u8>> {
        let piece = self.pieces.recv().await;
        self.taken(piece)
    }

    /// The same, for a thread that may wait.
    pub fn blocking_next(&mut self) -> Option<Vec<u8>> {
        let piece = self.pieces.blocking_recv();
        self.taken(piece)
    }

    fn taken(&self, piece: Option<Vec<u8>>) -> Option<Vec<u8>> {
        let bytes = piece.as_ref().map_or(0, Vec::len);
        self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
        piece
    }
}

/// A packet of RTP or RTCP of a captured call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaPacket {
    /// Which capture it is for.
    pub capture: u64,
    /// When it went by.
    pub at: Wall,
    /// The sender.
    pub from: SocketAddr,
    /// The receiver.
    pub to: SocketAddr,
    /// Which way it went.
    pub way: Way,
    /// What it is.
    pub bytes: Box<[u8]>,
}

/// What the thread is told of captures.
#[derive(Debug)]
pub(super) enum Order {
    Begin(Active),
    Bind { capture: u64, call: Arc<str> },
    CallEnded { call: Arc<str> },
}

/// One of the places for captures, free again when this is dropped.
#[derive(Debug)]
pub(super) struct Seat(Arc<AtomicUsize>);

impl Seat {
    pub(super) fn take(taken: &Arc<AtomicUsize>, most: usize) -> Option<Seat> {
        let seat = |now: usize| (now < most).then_some(now + 1);
        taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, seat).ok()?;
        Some(Seat(taken.clone()))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Debug)]
pub(super) struct Active {
    id: u64,
    call: Option<Arc<str>>,
    pieces: mpsc::Sender<Vec<u8>>,
    waiting_bytes: Arc<AtomicUsize>,
    limits: CaptureLimits,
    until: Instant,
    bytes: u64,
    dropped: u64,
    _seat: Seat,
}

pub(super) fn begin(id: u64, limits: CaptureLimits, seat: Seat) -> (Capture, Order) {
    let (pieces, inbox) = mpsc::channel(WAITING_MAX);
    let until = Instant::now() + limits.wait;
    let waiting_bytes = Arc::new(AtomicUsize::new(0));
    let capture = Capture { id, pieces: inbox, waiting_bytes: waiting_bytes.clone() };
    let active =
        Active { id, call: None, pieces, waiting_bytes, limits, until, bytes: 0, dropped: 0, _seat: seat };
    (capture, Order::Begin(active))
}

/// The captures of the thread.
#[derive(Debug, Default)]
pub(super) struct Captures {
    active: Vec<Active>,
}

impl Captures {
    pub(super) fn begin(&mut self, mut capture: Active, program: &str) {
        capture.put(pcapng::begin(program, REMARK));
        self.active.push(capture);
    }

    /// A capture has its call; `past` is what went by already.
    pub(super) fn bind(&mut self, id: u64, call: &Arc<str>, past: &[Traced]) {
        let Some(capture) = self.active.iter_mut().find(|capture| capture.id == id) else { return };
        capture.call = Some(call.clone());
        capture.until = Instant::now() + capture.limits.length;
        past.iter().for_each(|message| capture.message(message));
    }

    pub(super) fn message(&mut self, message: &Traced) {
        let its = self.active.iter_mut().filter(|capture| capture.call.as_ref() == Some(&message.call));
        its.for_each(|capture| capture.message(message));
    }

    pub(super) fn media(&mut self, packet: &MediaPacket) {
        let Some(capture) = self.active.iter_mut().find(|capture| capture.id == packet.capture) else {
            return;
        };
        let inbound = packet.way == Way::In;
        capture.put(pcapng::packet(packet.at, packet.from, packet.to, inbound, &packet.bytes));
    }

    /// Media packets were dropped before they came here: nobody knows whose.
    pub(super) fn lost(&mut self, packets: u64) {
        self.active.iter_mut().for_each(|capture| capture.dropped += packets);
    }

    pub(super) fn call_ended(&mut self, call: &Arc<str>) {
        let its = self.active.iter_mut().filter(|capture| capture.call.as_ref() == Some(call));
        its.for_each(|capture| capture.until = capture.until.min(Instant::now() + AFTER_THE_END));
    }

    /// Ends those whose time is over, which are large enough, or which nobody takes any more.
    pub(super) fn end_due(&mut self, at: Wall) {
        let now = Instant::now();
        self.active.retain_mut(|capture| {
            let over = capture.until <= now || capture.bytes >= capture.limits.bytes;
            if over {
                capture.put_end(at);
            }
            !over && !capture.pieces.is_closed()
        });
    }

    pub(super) fn end_all(&mut self, at: Wall) {
        self.active.drain(..).for_each(|mut capture| capture.put_end(at));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.active.is_empty()
    }
}

impl Active {
    fn message(&mut self, message: &Traced) {
        let (from, to) = message.ends();
        self.put(pcapng::packet(message.at, from, to, message.way == Way::In, &message.bytes));
    }

    fn put(&mut self, piece: Vec<u8>) {
        if self.bytes >= self.limits.bytes {
            self.dropped += 1;
            return;
        }
        let length = piece.len();
        let waiting = self.waiting_bytes.fetch_add(length, Ordering::Relaxed) + length;
        if waiting <= WAITING_BYTES_MAX && self.pieces.try_send(piece).is_ok() {
            self.bytes += length as u64;
        } else {
            self.waiting_bytes.fetch_sub(length, Ordering::Relaxed);
            self.dropped += 1;
        }
    }

    fn put_end(&mut self, at: Wall) {
        // If there is no room even for this, the file ends without its count.
        let end = pcapng::end(at, self.dropped);
        self.waiting_bytes.fetch_add(end.len(), Ordering::Relaxed);
        let _ = self.pieces.try_send(end);
    }
}
