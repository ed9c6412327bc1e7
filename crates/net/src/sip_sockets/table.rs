//! Which streams there are, of whom, and by which other addresses their peers may be reached on them.

use super::SipLimits;
use super::handshake::has_handshake;
use super::names::Names;
use super::strangers::Strangers;
use super::stream::Ends;
use crate::tls::is_named;
use rustls::pki_types::CertificateDer;
use sip::guard::{self, Standing};
use sip::ua::{Flow, Transport};
use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::sync::{Notify, mpsc};

/// Flows that may share one stream with the one that it is called by.
const SHARED_BY: usize = 8;

/// Accepted streams that ended, as many as are remembered.
const GONE_MAX: usize = 4096;

/// Every open stream by its flow, accepted and opened alike.
#[derive(Debug, Default)]
pub(super) struct Table {
    streams: HashMap<Flow, Open>,
    /// Streams that peers opened, by what they listen at.
    listening: HashMap<(Transport, SocketAddr), Flow>,
    sources: HashMap<IpAddr, Source>,
    handshakes: usize,
    /// Of the accepted streams, those of strangers.
    strangers: Strangers,
    /// Streams of strangers that made room, by number, and the flows that end with them.
    replaced: HashMap<u64, Vec<Flow>>,
    /// Accepted streams that ended last, the oldest first.
    gone: VecDeque<Flow>,
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
    /// It was accepted, and its peer has not proved itself.
    of_stranger: bool,
    in_handshake: bool,
    certificate: Option<CertificateDer<'static>>,
    listens_at: Option<SocketAddr>,
    /// Other flows that were sent by it.
    shared_by: Vec<Flow>,
}

/// The accepted streams of one source.
#[derive(Clone, Copy, Debug, Default)]
struct Source {
    streams: usize,
    handshakes: usize,
}

impl Table {
    /// Whether a peer of this standing may have one more stream. If need be, the oldest one of a stranger makes
    /// room for it.
    pub(super) fn make_room_for(&mut self, flow: Flow, standing: Standing, limits: &SipLimits) -> bool {
        let of_this = match standing {
            Standing::Known => limits.connections_per_address,
            Standing::Stranger | Standing::Suspected => limits.connections_per_stranger,
            Standing::Banned => return false,
        };
        let source = self.sources.get(&source_of(flow)).copied().unwrap_or_default();
        let shakes = has_handshake(flow.transport);
        let shakes_too_often = shakes && source.handshakes >= limits.handshakes_per_address;
        if source.streams >= of_this || shakes_too_often {
            return false;
        }
        let is_room = standing == Standing::Known || self.make_room_among_strangers(flow, shakes, limits);
        if !self.has_room(limits) {
            self.replace(self.strangers.oldest());
        }
        if shakes && self.handshakes >= limits.handshakes {
            self.replace(self.strangers.oldest_in_handshake());
        }
        is_room && self.has_room(limits) && (!shakes || self.handshakes < limits.handshakes)
    }

    fn make_room_among_strangers(&mut self, flow: Flow, shakes: bool, limits: &SipLimits) -> bool {
        let (streams_max, handshakes_max) = (limits.connections / 2, limits.handshakes / 2);
        if shakes && self.strangers.handshakes() >= handshakes_max {
            self.replace(self.strangers.oldest_in_handshake());
        }
        if self.strangers.of_network(flow) >= limits.connections_per_strange_network {
            self.replace(self.strangers.oldest_of_network(flow));
        }
        if self.strangers.streams() >= streams_max {
            self.replace(self.strangers.oldest());
        }
        self.strangers.streams() < streams_max && (!shakes || self.strangers.handshakes() < handshakes_max)
    }

    /// Cuts a stream whose place is needed.
    fn replace(&mut self, flow: Option<Flow>) {
        let Some((flow, open)) = flow.and_then(|flow| Some((flow, self.take(flow)?))) else { return };
        open.cut.notify_one();
        self.remember(flow);
        self.replaced.insert(open.number, std::iter::once(flow).chain(open.shared_by).collect());
    }

    /// Whether we may open one more.
    pub(super) fn has_room(&self, limits: &SipLimits) -> bool {
        self.streams.len() < limits.connections
    }

    /// A new stream: of a peer of this standing if we accept it, otherwise we open it. One that was there between
    /// the same ports is cut: the peer began anew.
    pub(super) fn enter(&mut self, flow: Flow, accepted: Option<Standing>, queued: usize) -> (u64, Ends) {
        let (outbox, queue) = mpsc::channel(queued.max(1));
        let cut = Arc::new(Notify::new());
        let number = self.next_number;
        self.next_number += 1;
        let ends = Ends { queue, pongs: outbox.clone(), cut: cut.clone() };
        if let Some(old) = self.take(flow) {
            old.cut.notify_one();
        }
        let in_handshake = accepted.is_some() && has_handshake(flow.transport);
        let of_stranger = accepted.is_some_and(|standing| standing != Standing::Known);
        if accepted.is_some() {
            let source = self.sources.entry(source_of(flow)).or_default();
            source.add(in_handshake);
            self.handshakes += usize::from(in_handshake);
        }
        if of_stranger {
            self.strangers.add(flow, number, in_handshake);
        }
        let open = Open {
            number,
            outbox,
            cut,
            accepted: accepted.is_some(),
            of_stranger,
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
            self.handshake_done(flow, number);
        }
    }

    /// Counts the accepted streams of these peers anew: they proved themselves, or are strangers again.
    pub(super) fn judge(&mut self, whose: impl Fn(IpAddr) -> bool, is_stranger: impl Fn(IpAddr) -> bool) {
        for (flow, open) in &mut self.streams {
            let ip = flow.remote.ip();
            if !open.accepted || !whose(ip) || is_stranger(ip) == open.of_stranger {
                continue;
            }
            open.of_stranger = !open.of_stranger;
            match open.of_stranger {
                true => self.strangers.add(*flow, open.number, open.in_handshake),
                false => self.strangers.remove(*flow, open.number),
            }
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

    /// Whether the peer had opened the stream of this flow that ended lately.
    pub(super) fn was_accepted(&self, flow: Flow) -> bool {
        self.gone.contains(&flow)
    }

    /// Forgets a stream that ended. Gives the flows that ended with it; none if another took its place.
    pub(super) fn ended(&mut self, flow: Flow, number: u64) -> Vec<Flow> {
        if self.streams.get(&flow).is_none_or(|open| open.number != number) {
            let mut flows = self.replaced.remove(&number).unwrap_or_default();
            flows.retain(|flow| !self.streams.contains_key(flow));
            return flows;
        }
        let ended = self.take(flow);
        if ended.as_ref().is_some_and(|open| open.accepted) {
            self.remember(flow);
        }
        let others = ended.map(|open| open.shared_by).unwrap_or_default();
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
                self.handshake_done(flow, open.number);
            }
            if open.of_stranger {
                self.strangers.remove(flow, open.number);
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

    fn remember(&mut self, gone: Flow) {
        if self.gone.len() >= GONE_MAX {
            self.gone.pop_front();
        }
        self.gone.push_back(gone);
    }

    fn handshake_done(&mut self, flow: Flow, number: u64) {
        self.handshakes -= 1;
        self.strangers.handshake_done(number);
        if let Some(source) = self.sources.get_mut(&source_of(flow)) {
            source.handshakes -= 1;
        }
    }
}

impl Source {
    fn add(&mut self, in_handshake: bool) {
        self.streams += 1;
        self.handshakes += usize::from(in_handshake);
    }
}

/// Whom limits are counted for, by the first address of its network.
fn source_of(flow: Flow) -> IpAddr {
    guard::source_of(flow.remote.ip()).addr()
}
