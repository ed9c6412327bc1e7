//! The thread that masks, keeps and sends on. Whoever hands something to it never waits: what it cannot take is
//! dropped and counted.

mod captures;
mod writer;

pub use captures::{Capture, CaptureLimits, MediaPacket};

use crate::segments::{Found, Limits, read_call};
use crate::{Traced, hep};
use captures::Order;
use crossbeam_channel::{Receiver, Sender, bounded};
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use writer::Writer;

/// Messages that wait for the thread, and their bytes.
const WAITING_MAX: usize = 16_384;
const WAITING_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Media packets of captured calls that wait: at 100 a second and call, some seconds of all captures.
const MEDIA_WAITING_MAX: usize = 4096;
/// Captures at a time.
const CAPTURES_MAX: usize = 4;
/// How long the last messages may take to reach the disk.
const ENDING: Duration = Duration::from_secs(5);

/// What is to be done with messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where they are kept. Made when the first one comes.
    pub folder: PathBuf,
    /// How many, and for how long.
    pub limits: Limits,
    /// Homer's address, and who we are to it.
    pub hep: Option<(SocketAddr, hep::Identity)>,
    /// The program's name, for captures.
    pub program: String,
}

/// How often things happened since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages written to the disk.
    pub stored: u64,
    /// Messages dropped because the thread was behind, or the disk failed.
    pub dropped: u64,
    /// Messages sent to Homer.
    pub exported: u64,
    /// Messages that could not be sent to Homer.
    pub unexported: u64,
    /// Legs whose messages are not kept: too many were known already, or their Call-IDs were too long.
    pub refused_legs: u64,
}

/// The trace of a running exchange. Clones are the same trace.
#[derive(Clone, Debug)]
pub struct Trace {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    items: Sender<Item>,
    media: Sender<MediaPacket>,
    counters: Arc<Counters>,
    last_capture: AtomicU64,
    captures: Arc<AtomicUsize>,
    /// Readers go one after the other, so that many of them cannot take the disk from the log.
    reading: Mutex<()>,
    thread: Mutex<Option<(JoinHandle<()>, Receiver<()>)>>,
}

#[derive(Debug, Default)]
struct Counters {
    waiting_bytes: AtomicUsize,
    stored: AtomicU64,
    dropped: AtomicU64,
    exported: AtomicU64,
    unexported: AtomicU64,
    refused_legs: AtomicU64,
    /// Media packets dropped since captures were last told.
    media_dropped: AtomicU64,
}

#[derive(Debug)]
enum Item {
    Message(Traced),
    Capture(Order),
    Stop,
}

impl Trace {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system gives no thread, or no socket towards Homer.
    pub fn start(config: Config) -> io::Result<Trace> {
        let (trace, write) = Trace::prepare(config)?;
        let (running, ended) = bounded::<()>(0);
        let thread = std::thread::Builder::new().name("trace".to_owned()).spawn(move || {
            write();
            drop(running);
        })?;
        *trace.shared.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some((thread, ended));
        Ok(trace)
    }

    /// A trace, and what its thread does.
    fn prepare(config: Config) -> io::Result<(Trace, impl FnOnce() + Send + 'static)> {
        let (items, item_inbox) = bounded(WAITING_MAX);
        let (media, media_inbox) = bounded(MEDIA_WAITING_MAX);
        let counters = Arc::new(Counters::default());
        let hep = config.hep.clone().map(|(to, identity)| Ok::<_, io::Error>((socket_to(to)?, identity)));
        let folder = config.folder.clone();
        let writer = Writer::new(config, hep.transpose()?, counters.clone());
        let shared = Shared {
            folder,
            items,
            media,
            counters,
            last_capture: AtomicU64::new(0),
            captures: Arc::default(),
            reading: Mutex::new(()),
            thread: Mutex::new(None),
        };
        Ok((Trace { shared: Arc::new(shared) }, move || writer.run(&item_inbox, &media_inbox)))
    }

    /// A message of a call went by. Never waits.
    pub fn saw(&self, message: Traced) {
        let counters = &self.shared.counters;
        let length = message.bytes.len();
        let waiting = counters.waiting_bytes.fetch_add(length, Ordering::Relaxed) + length;
        if waiting > WAITING_BYTES_MAX || self.shared.items.try_send(Item::Message(message)).is_err() {
            counters.waiting_bytes.fetch_sub(length, Ordering::Relaxed);
            counters.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// So many legs, since the start, are not traced.
    pub fn refused_legs(&self, legs: u64) {
        if self.shared.counters.refused_legs.swap(legs, Ordering::Relaxed) == 0 && legs > 0 {
            tracing::warn!(
                "the SIP messages of some calls are not kept: too many calls, or Call-IDs too long"
            );
        }
    }

    /// A media packet of a captured call went by. Never waits.
    pub fn saw_media(&self, packet: MediaPacket) {
        if self.shared.media.try_send(packet).is_err() {
            self.shared.counters.media_dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The capture is of this call: of what went by already too.
    pub fn captures(&self, capture: u64, call: &str) {
        self.order(Order::Bind { capture, call: call.into() });
    }

    /// The call has ended: so do its captures, when its last messages have come.
    pub fn call_ended(&self, call: &str) {
        if self.shared.captures.load(Ordering::Relaxed) > 0 {
            self.order(Order::CallEnded { call: call.into() });
        }
    }

    /// Begins a capture that is not yet of any call; nothing if there are as many as allowed.
    pub fn begin_capture(&self, limits: CaptureLimits) -> Option<Capture> {
        let seat = captures::Seat::take(&self.shared.captures, CAPTURES_MAX)?;
        let id = self.shared.last_capture.fetch_add(1, Ordering::Relaxed) + 1;
        let (capture, order) = captures::begin(id, limits, seat);
        self.shared.items.try_send(Item::Capture(order)).ok()?;
        Some(capture)
    }

    /// The messages of a call. Reads files, for as long as that takes.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn read(&self, call: &str) -> io::Result<Found> {
        let _turn = self.shared.reading.lock().unwrap_or_else(PoisonError::into_inner);
        read_call(&self.shared.folder, call)
    }

    /// The counts so far.
    pub fn counts(&self) -> Counts {
        let counters = &self.shared.counters;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            stored: read(&counters.stored),
            dropped: read(&counters.dropped),
            exported: read(&counters.exported),
            unexported: read(&counters.unexported),
            refused_legs: read(&counters.refused_legs),
        }
    }

    /// Writes what waits, ends every capture and the thread.
    pub fn close(&self) {
        let thread = self.shared.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some((thread, ended)) = thread else { return };
        let stop = self.shared.items.send_timeout(Item::Stop, ENDING);
        // The channel never holds anything: it is closed when the thread ends.
        if stop.is_err() || ended.recv_timeout(ENDING) == Err(crossbeam_channel::RecvTimeoutError::Timeout) {
            return tracing::error!("the last SIP messages were not kept: the disk does not answer");
        }
        if thread.join().is_err() {
            tracing::error!("the thread that keeps SIP messages broke off; its message is above");
        }
    }

    fn order(&self, order: Order) {
        if self.shared.items.try_send(Item::Capture(order)).is_err() {
            tracing::warn!("a capture lost its place: too many SIP messages wait to be kept");
        }
    }
}

/// A socket that sends to Homer from whatever address the system chooses.
fn socket_to(to: SocketAddr) -> io::Result<UdpSocket> {
    let any: SocketAddr = if to.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0_u16; 8], 0).into() };
    let socket = UdpSocket::bind(any)?;
    socket.connect(to)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Way;
    use base::Wall;
    use sip::ua::{Flow, Transport};

    fn message(bytes: usize) -> Traced {
        let address = "127.0.0.1:5060".parse().unwrap();
        let flow = Flow { transport: Transport::Udp, local: address, remote: address };
        let at = Wall::from_unix_micros(1_700_000_000_000_000);
        Traced { at, call: "a".into(), way: Way::In, flow, bytes: vec![b'x'; bytes] }
    }

    #[test]
    fn more_than_can_wait_is_dropped_and_counted_and_nobody_waits() {
        for (length, fit) in [(64_000, WAITING_BYTES_MAX / 64_000), (10, WAITING_MAX)] {
            let folder = tempfile::tempdir().unwrap();
            let limits = Limits { keep: Duration::from_secs(3600), size_max: 1 << 30 };
            let path = folder.path().to_owned();
            let config = Config { folder: path, limits, hep: None, program: String::new() };
            let (trace, write) = Trace::prepare(config).unwrap();
            let sent = fit + 100;
            for _ in 0..sent {
                trace.saw(message(length));
            }
            assert_eq!(trace.counts().dropped, 100, "of {length} bytes");
            let shared = trace.shared.clone();
            drop(trace);
            let Shared { items, counters, .. } = Arc::into_inner(shared).unwrap();
            drop(items);
            write();
            assert_eq!(counters.stored.load(Ordering::Relaxed), fit as u64);
            assert_eq!(counters.waiting_bytes.load(Ordering::Relaxed), 0);
        }
    }
}
