//! SIP over UDP, TCP, TLS and WebSockets, IPv4 and IPv6: bytes in, bytes out. Reading is done by tasks; sending
//! never waits.

mod bytes;
mod handshake;
mod inbox;
mod names;
mod reuse;
mod strangers;
mod stream;
mod streams;
mod table;
mod udp;
mod websocket;

pub use inbox::SipInbox;
pub(crate) use udp::routed_address;

use crate::Tls;
use crate::zone::without_link;
use inbox::Gate;
use names::Names;
use sip::guard::Change;
use sip::guard::Standing;
use sip::message::ParseLimits;
use sip::ua::{Flow, Transport};
use socket2::Socket;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::watch;

/// What arrives from the network for the user agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SipInput {
    /// One datagram, or one framed message of a stream.
    Received {
        /// By which way.
        flow: Flow,
        /// The message.
        bytes: Vec<u8>,
    },
    /// A stream could not be opened, broke, or was cut; what was queued on it is lost.
    FlowFailed {
        /// Which.
        flow: Flow,
    },
    /// The kernel takes no datagram of this size: it was not sent, and will not be.
    TooLarge {
        /// By which way.
        flow: Flow,
        /// The message.
        bytes: Vec<u8>,
    },
}

/// The most of everything.
#[derive(Clone, Copy, Debug)]
pub struct SipLimits {
    /// Bytes of one message on a stream; a longer one ends the stream.
    pub message: usize,
    /// Streams at a time, accepted and opened together; more are refused.
    pub connections: usize,
    /// Accepted streams of one source, which is an IPv4 address or an IPv6 network of 64 bits; more are refused.
    pub connections_per_address: usize,
    /// Accepted streams whose TLS or WebSocket handshake is not done; more are refused. Strangers together have
    /// no more than half of them; one more takes the place of the oldest of theirs.
    pub handshakes: usize,
    /// The same of one source.
    pub handshakes_per_address: usize,
    /// Messages that wait to be written to one stream; one more cuts it.
    pub queued_messages: usize,
    /// Accepted streams of one source that has not proved itself; more are refused. Strangers together
    /// have no more than half of `connections`; one more takes the place of the oldest of theirs.
    pub connections_per_stranger: usize,
    /// Accepted streams of strangers of one network, a /24 of IPv4 or a /48 of IPv6; one more takes the place of
    /// the oldest of theirs.
    pub connections_per_strange_network: usize,
    /// A peer that is still a stranger after so long on a stream that it opened is cut off.
    pub stranger_stays: Duration,
    /// Messages of known peers that wait for the user agent. When they are that many, datagrams are dropped and
    /// streams are not read.
    pub inputs: usize,
    /// The same of strangers, who wait until nothing of known peers does.
    pub stranger_inputs: usize,
}

impl Default for SipLimits {
    fn default() -> Self {
        SipLimits {
            message: 65_535,
            connections: 4096,
            connections_per_address: 256,
            handshakes: 256,
            handshakes_per_address: 32,
            queued_messages: 256,
            connections_per_stranger: 32,
            connections_per_strange_network: 512,
            stranger_stays: Duration::from_secs(30),
            inputs: 8192,
            stranger_inputs: 1024,
        }
    }
}

impl SipLimits {
    fn parse(&self) -> ParseLimits {
        ParseLimits { message: self.message, ..ParseLimits::default() }
    }
}

/// What SIP sockets are made with, besides their addresses.
#[derive(Clone, Debug, Default)]
pub struct SipSetup {
    /// The most of everything.
    pub limits: SipLimits,
    /// What TLS is spoken with.
    pub tls: Tls,
    /// Where streams are served, so that nobody's handshakes take time from the reader of datagrams. The caller's
    /// own runtime if it is not given.
    pub streams: Option<Handle>,
}

/// How often things happened since the sockets were bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SipCounts {
    /// Messages handed in.
    pub received: u64,
    /// Messages handed to the kernel.
    pub sent: u64,
    /// Datagrams dropped because the user agent was behind.
    pub dropped_full: u64,
    /// Datagrams dropped because their source is kept out.
    pub dropped_banned: u64,
    /// Messages that could not be sent: no such socket, no way to the address, kernel or queue full.
    pub unsent: u64,
    /// Streams refused by a limit.
    pub connections_refused: u64,
    /// Streams cut: too slow, malformed, idle, dead, not reading, without a good handshake, or of strangers that
    /// proved nothing in time or made room for others.
    pub connections_cut: u64,
    /// STUN requests answered.
    pub stun_answered: u64,
    /// STUN that was not answered: no Binding request, or too many.
    pub stun_dropped: u64,
}

#[derive(Debug, Default)]
struct Counters {
    received: AtomicU64,
    sent: AtomicU64,
    dropped_full: AtomicU64,
    dropped_banned: AtomicU64,
    unsent: AtomicU64,
    connections_refused: AtomicU64,
    connections_cut: AtomicU64,
    stun_answered: AtomicU64,
    stun_dropped: AtomicU64,
}

/// Reads the counts of sockets, wherever those are, and after they are gone.
#[derive(Clone, Debug)]
pub struct SipCounter(Arc<Counters>);

impl SipCounter {
    /// The counts so far.
    pub fn counts(&self) -> SipCounts {
        let counters = &self.0;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        SipCounts {
            received: read(&counters.received),
            sent: read(&counters.sent),
            dropped_full: read(&counters.dropped_full),
            dropped_banned: read(&counters.dropped_banned),
            unsent: read(&counters.unsent),
            connections_refused: read(&counters.connections_refused),
            connections_cut: read(&counters.connections_cut),
            stun_answered: read(&counters.stun_answered),
            stun_dropped: read(&counters.stun_dropped),
        }
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// What the reading tasks share with the face.
#[derive(Debug)]
struct Shared {
    limits: SipLimits,
    gate: Gate,
    counters: Arc<Counters>,
    tls: Mutex<Tls>,
    names: Mutex<Names>,
    /// Of the streams.
    runtime: Handle,
    /// Closed when the face is dropped; every task then ends.
    open: watch::Receiver<()>,
}

impl Shared {
    fn tls(&self) -> Tls {
        self.tls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn names(&self) -> MutexGuard<'_, Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells what became of something that we sent.
    fn tell(&self, input: SipInput) {
        let Some(inputs) = self.gate.queue(Standing::Known).cloned() else { return };
        if let Err(TrySendError::Full(input)) = inputs.try_send(input) {
            self.runtime.spawn(async move {
                let _ = inputs.send(input).await;
            });
        }
    }
}

/// The SIP sockets of the process. Dropping them closes them.
#[derive(Debug)]
pub struct SipSockets {
    bound: Vec<(Transport, SocketAddr)>,
    udp: Vec<udp::Sender>,
    streams: streams::Streams,
    /// Ports of secure transports that nobody can be listened to on, because there is no certificate.
    _unheard: Vec<Socket>,
    shared: Arc<Shared>,
    _open: watch::Sender<()>,
}

impl SipSockets {
    /// Binds all of `listen`, in a tokio runtime, and begins to read. `[::]` takes IPv6 only. A secure transport
    /// for which there is no certificate is bound but not listened on: it can only call.
    ///
    /// # Errors
    /// An address is taken or not this machine's; the error names it, and nothing stays bound.
    pub fn bind(listen: &[(Transport, SocketAddr)], setup: SipSetup) -> io::Result<(SipSockets, SipInbox)> {
        let SipSetup { limits, tls, streams } = setup;
        let (gate, inbox) = Gate::new(limits.inputs, limits.stranger_inputs);
        let (keep_open, open) = watch::channel(());
        let here = Handle::try_current().map_err(io::Error::other)?;
        let listens = tls.can_listen();
        let shared = Arc::new(Shared {
            limits,
            gate,
            counters: Arc::default(),
            tls: Mutex::new(tls),
            names: Mutex::default(),
            runtime: streams.unwrap_or_else(|| here.clone()),
            open,
        });
        let streams = streams::Streams::new(shared.clone());
        let (mut bound, mut udp, mut unheard) = (Vec::new(), Vec::new(), Vec::new());
        for &(transport, address) in listen {
            let name = |error: io::Error| {
                io::Error::new(error.kind(), format!("SIP address {}:{address}: {error}", transport.name()))
            };
            let local = if transport == Transport::Udp {
                let sender = udp::open(address, &shared, &here).map_err(name)?;
                let local = sender.local();
                udp.push(sender);
                local
            } else if transport.is_secure() && !listens {
                let socket = streams::bound(address).map_err(name)?;
                let local = socket.local_addr().map_err(name)?.as_socket();
                unheard.push(socket);
                local.map_or(address, without_link)
            } else {
                streams.listen(transport, address).map_err(name)?
            };
            bound.push((transport, local));
        }
        Ok((SipSockets { bound, udp, streams, _unheard: unheard, shared, _open: keep_open }, inbox))
    }

    /// Takes what the user agent says of who is known and who is kept out. Streams of who is kept out are cut.
    pub fn apply(&self, change: &Change) {
        self.shared.gate.apply(change);
        match change {
            Change::Known(ip) | Change::Stranger(ip) => {
                let ip = ip.to_canonical();
                self.streams.judge(|whose| whose.to_canonical() == ip);
            }
            Change::Networks(_) => self.streams.judge(|_| true),
            Change::Banned { .. } => self.streams.cut_banned(),
            Change::Lifted(_) => {}
        }
    }

    /// Speaks TLS with these from now on. Streams that are there go on as they are. What was bound without a
    /// certificate stays unheard.
    pub fn renew(&self, tls: Tls) {
        *self.shared.tls.lock().unwrap_or_else(PoisonError::into_inner) = tls;
    }

    /// Whoever is at `remote` must prove this name, a domain or an address, when we open TLS to it (RFC 5922
    /// §7.3). Without one it must prove its address. The last 4096 addresses are kept.
    pub fn expect(&self, remote: SocketAddr, name: &str) {
        let is_news = self.shared.names().expect(remote, name);
        if is_news {
            self.streams.cut_misnamed(remote);
        }
    }

    /// The addresses that were really bound, in the order in which they were asked for.
    pub fn bound(&self) -> &[(Transport, SocketAddr)] {
        &self.bound
    }

    /// The way from here to `remote`: the first bound address of the transport and family. If that is the
    /// unspecified address, the one that the kernel's routes choose is shown instead.
    pub fn flow_to(&self, transport: Transport, remote: SocketAddr) -> Option<Flow> {
        let fits = |(kind, local): &&(Transport, SocketAddr)| {
            *kind == transport && local.is_ipv4() == remote.is_ipv4()
        };
        let (_, mut local) = *self.bound.iter().find(fits)?;
        if local.ip().is_unspecified() {
            local.set_ip(udp::routed_address(remote).ok()?);
        }
        Some(Flow { transport, local, remote })
    }

    /// Sends one message, or drops it and counts it: never waits. A stream that is not there is opened.
    pub fn send(&self, flow: Flow, bytes: Vec<u8>) {
        if flow.transport.is_stream() {
            return self.streams.send(flow, bytes);
        }
        let counters = &self.shared.counters;
        let Some(sender) = udp::choose(&self.udp, flow.local) else { return count(&counters.unsent) };
        match sender.send(flow.remote, &bytes) {
            Ok(()) => count(&counters.sent),
            Err(error) => {
                count(&counters.unsent);
                // What else keeps a datagram back may be over when it is repeated.
                if udp::is_too_large(&error) {
                    self.shared.tell(SipInput::TooLarge { flow, bytes });
                }
            }
        }
    }

    /// The counts so far.
    pub fn counts(&self) -> SipCounts {
        self.counter().counts()
    }

    /// For whoever wants to know the counts while the sockets are elsewhere.
    pub fn counter(&self) -> SipCounter {
        SipCounter(self.shared.counters.clone())
    }
}
