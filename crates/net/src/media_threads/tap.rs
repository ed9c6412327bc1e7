//! Copies of a leg's packets for whoever captures a call.

use base::Wall;
use media::PacketKind;
use std::fmt;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

/// A packet of a captured leg.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TappedPacket {
    /// Which capture it is for.
    pub capture: u64,
    /// When it was read, or handed to the kernel.
    pub at: Wall,
    /// It came from the peer.
    pub inbound: bool,
    /// The sender.
    pub from: SocketAddr,
    /// The receiver.
    pub to: SocketAddr,
    /// What it is.
    pub bytes: Box<[u8]>,
}

/// Who gets the copies. Called on the shards' threads: it must not wait, and drops what it cannot take.
#[derive(Clone, Default)]
pub struct Tap(Option<Arc<dyn Fn(TappedPacket) + Send + Sync>>);

impl Tap {
    /// Copies go to `taker`.
    pub fn new(taker: impl Fn(TappedPacket) + Send + Sync + 'static) -> Tap {
        Tap(Some(Arc::new(taker)))
    }

    pub(super) fn give(&self, packet: TappedPacket) {
        if let Some(taker) = &self.0 {
            taker(packet);
        }
    }
}

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tap").field(&self.0.is_some()).finish()
    }
}

/// A leg whose packets are copied.
pub(super) struct Captured {
    capture: u64,
    rtp: SocketAddr,
    rtcp: SocketAddr,
}

impl Captured {
    /// Nothing if the sockets have no address any more.
    pub(super) fn new(capture: u64, rtp: &UdpSocket, rtcp: &UdpSocket) -> Option<Captured> {
        Some(Captured { capture, rtp: rtp.local_addr().ok()?, rtcp: rtcp.local_addr().ok()? })
    }

    pub(super) fn packet(
        &self,
        at: Wall,
        kind: PacketKind,
        inbound: bool,
        peer: SocketAddr,
        bytes: &[u8],
    ) -> TappedPacket {
        let ours = match kind {
            PacketKind::Rtp => self.rtp,
            PacketKind::Rtcp => self.rtcp,
        };
        let (from, to) = if inbound { (peer, ours) } else { (ours, peer) };
        TappedPacket { capture: self.capture, at, inbound, from, to, bytes: bytes.into() }
    }
}
