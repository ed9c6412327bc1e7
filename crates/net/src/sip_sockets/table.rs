//! Which streams there are, of whom, and by which other addresses their peers may be reached on them.

use super::SipLimits;
use super::handshake::has_handshake;
use super::names::Names;
use super::stream::Ends;
use crate::tls::is_named;
use rustls::pki_types::CertificateDer;
use sip::guard::Standing;
use sip::ua::{Flow, Transport};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use tokio::sync::{Notify, mpsc};

/// Flows that may share one stream with the one that it is called by.
const SHARED_BY: usize = 8;

/// Every open stream by its flow, accepted and opened alike.
#[derive(Debug, Default)]
pub(super) struct Table {
    streams: HashMap<Flow, Open>,
    /// Streams that peers opened, by what they listen at.
    listening: HashMap<(Transport, SocketAddr), Flow>,
    sources: HashMap<IpAddr, Source>,
    handshakes: usize,
    next_number: u64,
}

/// What is kept of a stream outside of its task.
#[derive(Debug)]
pub(super) struct Open {
    /// Tells a stream from an earlier one between the same ports.
    number: u64,
    pub(super) outbox: mpsc::Sender<Vec<u8>>,
    pub(super) cut: Arc<Notify>,
    accepted: bool,
    in_handshake: bool,
    certificate: Option<CertificateDer<'static>>,
    listens_at: Option<SocketAddr>,
    /// Other flows that were sent by it.
    shared_by: Vec<Flow>,
}

/// What one source of accepted streams has.
#[derive(Debug, Default)]
struct Source {
    streams: usize,
    handshakes: usize,
}

impl Table {
    /// Whether a peer of this standing may have one more stream.
    pub(super) fn has_room_for(&self, flow: Flow, standing: Standing, limits: &SipLimits) -> bool {
        let (all, of_this, all_handshakes) = match standing {
            Standing::Known => (limits.connections, limits.connections_per_address, limits.handshakes),
            Standing::Stranger => {
                (limits.connections / 2, limits.connections_per_stranger, limits.handshakes / 2)
            }
            Standing::Banned => return false,
        };
        let (streams, handshakes) =
            self.sources.get(&source_of(flow)).map_or((0, 0), |source| (source.streams, source.handshakes));
        let may_begin = self.handshakes < all_handshakes && handshakes < limits.handshakes_per_address;
        self.streams.len() < all && streams < of_this && (may_begin || !has_handshake(flow.transport))
    }

    /// Whether we may open one more.
    pub(super) fn has_room(&self, limits: &SipLimits) -> bool {
        self.streams.len() < limits.connections
    }

    /// A new stream. One that was there between the same ports is cut: the peer began anew.
    pub(super) fn enter(&mut self, flow: Flow, accepted: bool, queued: usize) -> (u64, Ends) {
        let (outbox, queue) = mpsc::channel(queued.max(1));
        let cut = Arc::new(Notify::new());
        let number = self.next_number;
        self.next_number += 1;
        let ends = Ends { queue, pongs: outbox.clone(), cut: cut.clone() };
        if let Some(old) = self.take(flow) {
            old.cut.notify_one();
        }
        let in_handshake = accepted && has_handshake(flow.transport);
        if accepted {
            let source = self.sources.entry(source_of(flow)).or_default();
            source.streams += 1;
            source.handshakes += usize::from(in_handshake);
            self.handshakes += usize::from(in_handshake);
        }
        let open = Open {
            number,
            outbox,
            cut,
            accepted,
            in_handshake,
            certificate: None,
            listens_at: None,
            shared_by: Vec::new(),
        };
        self.streams.insert(flow, open);
        (number, ends)
    }

    /// The handshake is done; the peer proved to own this certificate.
    pub(super) fn established(
        &mut self,
        flow: Flow,
        number: u64,
        certificate: Option<CertificateDer<'static>>,
    ) {
        let Some(open) = self.streams.get_mut(&flow).filter(|open| open.number == number) else { return };
        open.certificate = certificate;
        if std::mem::take(&mut open.in_handshake) {
            self.handshake_done(flow);
        }
    }

    /// The peer of an accepted stream wants requests for its listening port to come by it.
    pub(super) fn listens_at(&mut self, flow: Flow, port: u16) {
        let address = SocketAddr::new(flow.remote.ip(), port);
        if let Some(open) = self.streams.get_mut(&flow) {
            open.listens_at = Some(address);
            self.listening.insert((flow.transport, address), flow);
        }
    }

    /// The stream that messages for `flow` go by: its own, or one that the peer opened. The latter within TLS
    /// only if its certificate has the name that we would ask for (RFC 5923 §8.1).
    pub(super) fn stream_for(&mut self, flow: Flow, names: &Names) -> Option<&Open> {
        if self.streams.contains_key(&flow) {
            return self.streams.get(&flow);
        }
        let other = *self.listening.get(&(flow.transport, flow.remote))?;
        let open = self.streams.get_mut(&other)?;
        let proved = match &open.certificate {
            _ if !flow.transport.is_secure() => true,
            Some(certificate) => is_named(certificate, &names.of(flow.remote)),
            None => false,
        };
        if !proved || other.local.ip() != flow.local.ip() {
            return None;
        }
        if !open.shared_by.contains(&flow) {
            if open.shared_by.len() >= SHARED_BY {
                return None;
            }
            open.shared_by.push(flow);
        }
        Some(open)
    }

    /// Forgets a stream that ended. Gives the flows that ended with it; none if another took its place.
    pub(super) fn ended(&mut self, flow: Flow, number: u64) -> Vec<Flow> {
        if self.streams.get(&flow).is_none_or(|open| open.number != number) {
            return Vec::new();
        }
        let others = self.take(flow).map(|open| open.shared_by).unwrap_or_default();
        std::iter::once(flow).chain(others).collect()
    }

    /// Cuts the streams that we opened to `remote` and that were proved to be of another name.
    pub(super) fn cut_misnamed(&self, remote: SocketAddr, names: &Names) {
        let name = names.of(remote);
        for (flow, open) in &self.streams {
            let misnamed = |certificate| !is_named(certificate, &name);
            let ours = !open.accepted && flow.remote == remote;
            if ours && open.certificate.as_ref().is_some_and(misnamed) {
                open.cut.notify_one();
            }
        }
    }

    /// Cuts every stream of these peers.
    pub(super) fn cut(&self, whose: impl Fn(IpAddr) -> bool) {
        for (flow, open) in &self.streams {
            if whose(flow.remote.ip()) {
                open.cut.notify_one();
            }
        }
    }

    fn take(&mut self, flow: Flow) -> Option<Open> {
        let open = self.streams.remove(&flow)?;
        if let Some(address) = open.listens_at
            && self.listening.get(&(flow.transport, address)) == Some(&flow)
        {
            self.listening.remove(&(flow.transport, address));
        }
        if open.accepted {
            if open.in_handshake {
                self.handshake_done(flow);
            }
            let source = source_of(flow);
            if let Some(of_this) = self.sources.get_mut(&source) {
                of_this.streams -= 1;
                if of_this.streams == 0 {
                    self.sources.remove(&source);
                }
            }
        }
        Some(open)
    }

    fn handshake_done(&mut self, flow: Flow) {
        self.handshakes -= 1;
        if let Some(source) = self.sources.get_mut(&source_of(flow)) {
            source.handshakes -= 1;
        }
    }
}

/// Whom limits are counted for: an IPv4 address, or an IPv6 network of 64 bits, which is what one customer gets.
fn source_of(flow: Flow) -> IpAddr {
    match flow.remote.ip().to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64)),
        v4 => v4,
    }
}
