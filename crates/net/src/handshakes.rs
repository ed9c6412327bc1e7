//! The handshakes of browsers' media (DTLS-SRTP, RFC 5763), on a thread of their own: they cost some milliseconds each, and no
//! tick of a shard waits for them. The shard decides who may shake hands and sends what comes of it.

mod association;
mod associations;
mod certificate;
mod told;

pub use associations::Associations;
pub use certificate::MediaCertificate;
pub use told::Told;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};
use media::HandshakePeer;
use media_api::LegId;
use std::io;
use std::sync::Arc;
use std::time::Instant;

/// What may wait for the thread. A datagram that finds it full is lost, which handshakes are made for.
const WAITING: usize = 1024;

/// What becomes of handshakes, called on their thread: leg, which of its handshakes, what.
pub(crate) type Answer = Arc<dyn Fn(LegId, u32, Told) + Send + Sync>;

/// What a shard wants of the thread.
pub(crate) enum Ask {
    /// There is to be a handshake; an earlier one of the leg is void.
    Begin { leg: LegId, number: u32, peer: Arc<HandshakePeer>, answer: Answer },
    /// The peer has sent this.
    Datagram { leg: LegId, number: u32, bytes: Box<[u8]> },
    /// From now on somebody else is to be told what becomes of the leg's handshake, and again what has become of it.
    Tell { leg: LegId, answer: Answer },
    /// It is no longer needed, nor is one before it.
    End { leg: LegId, number: u32 },
}

/// A way to the thread, which ends when the last of these is gone.
#[derive(Clone, Debug)]
pub(crate) struct Asking(Sender<Ask>);

impl Asking {
    /// A way on which so much may wait, and its end.
    pub(crate) fn new(waiting: usize) -> (Asking, Receiver<Ask>) {
        let (sender, inbox) = bounded(waiting);
        (Asking(sender), inbox)
    }

    /// Asks without waiting; gives back what there is no room for now.
    pub(crate) fn ask(&self, ask: Ask) -> Result<(), Ask> {
        match self.0.try_send(ask) {
            Err(TrySendError::Full(ask)) => Err(ask),
            // The thread is gone, which its own panic has told: nothing comes of it.
            Err(TrySendError::Disconnected(_)) | Ok(()) => Ok(()),
        }
    }
}

/// Starts the thread, for so many legs with a handshake at a time, and gives the way to it.
///
/// # Errors
/// The system gives no thread, or the library of DTLS does not work on this machine.
pub(crate) fn start(certificate: &MediaCertificate, limit: usize) -> io::Result<Asking> {
    let (asking, inbox) = Asking::new(WAITING);
    let associations = Associations::new(certificate, limit)?;
    let run = move || run(&inbox, associations);
    std::thread::Builder::new().name("handshakes".to_owned()).spawn(run)?;
    Ok(asking)
}

/// Until nobody can ask any more.
fn run(inbox: &Receiver<Ask>, mut associations: Associations<Answer>) {
    loop {
        let asked = match associations.due() {
            Some(due) => inbox.recv_deadline(due),
            None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        let now = Instant::now();
        match asked {
            Ok(Ask::Begin { leg, number, peer, answer }) => {
                associations.begin(now, leg, number, peer, answer);
            }
            Ok(Ask::Datagram { leg, number, bytes }) => associations.datagram(now, leg, number, &bytes),
            Ok(Ask::Tell { leg, answer }) => associations.tell(leg, answer),
            Ok(Ask::End { leg, number }) => associations.end(leg, number),
            Err(RecvTimeoutError::Timeout) => associations.timeout(now),
            Err(RecvTimeoutError::Disconnected) => return,
        }
        // Never starved by a queue that is never empty.
        if associations.due().is_some_and(|due| due <= now) {
            associations.timeout(now);
        }
        while let Some((leg, number, told, answer)) = associations.poll() {
            answer(leg, number, told);
        }
    }
}
