//! SIP over UDP and TCP, IPv4 and IPv6: bytes in, bytes out. Reading is done by tasks; sending never waits.

mod inbox;
mod stream;
mod tcp;
mod udp;

pub use inbox::SipInbox;

use inbox::Gate;
use sip::guard::Change;
use sip::message::ParseLimits;
use sip::ua::{Flow, Transport};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::runtime::Handle;
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
}

/// The most of everything.
#[derive(Clone, Copy, Debug)]
pub struct SipLimits {
    /// Bytes of one message on a stream; a longer one ends the stream.
    pub message: usize,
    /// Streams at a time, accepted and opened together; more are refused.
    pub connections: usize,
    /// Accepted streams of one source address; more are refused.
    pub connections_per_address: usize,
    /// Messages that wait to be written to one stream; one more cuts it.
    pub queued_messages: usize,
    /// Accepted streams of one source address that has not proved itself; more are refused. Strangers together
    /// have no more than half of `connections`.
    pub connections_per_stranger: usize,
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
            queued_messages: 256,
            connections_per_stranger: 32,
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
    /// Streams cut: too slow, malformed, idle or not reading.
    pub connections_cut: u64,
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
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// What the reading tasks share with the face.
#[derive(Debug)]
struct Shared {
    limits: SipLimits,
    gate: Gate,
    counters: Counters,
    runtime: Handle,
    /// Closed when the face is dropped; every task then ends.
    open: watch::Receiver<()>,
}

/// The SIP sockets of the process. Dropping them closes them.
#[derive(Debug)]
pub struct SipSockets {
    bound: Vec<(Transport, SocketAddr)>,
    udp: Vec<udp::Sender>,
    streams: tcp::Streams,
    shared: Arc<Shared>,
    _open: watch::Sender<()>,
}

impl SipSockets {
    /// Binds all of `listen`, in a tokio runtime, and begins to read. `[::]` takes IPv6 only.
    ///
    /// # Errors
    /// An address is taken or not this machine's; the error names it, and nothing stays bound.
    pub fn bind(listen: &[(Transport, SocketAddr)], limits: SipLimits) -> io::Result<(SipSockets, SipInbox)> {
        let (gate, inbox) = Gate::new(limits.inputs, limits.stranger_inputs);
        let (keep_open, open) = watch::channel(());
        let runtime = Handle::try_current().map_err(io::Error::other)?;
        let shared = Arc::new(Shared { limits, gate, counters: Counters::default(), runtime, open });
        let streams = tcp::Streams::new(shared.clone());
        let (mut bound, mut udp) = (Vec::new(), Vec::new());
        for &(transport, address) in listen {
            let name = |error: io::Error| {
                io::Error::new(error.kind(), format!("SIP address {}:{address}: {error}", transport.name()))
            };
            let local = match transport {
                Transport::Udp => {
                    let sender = udp::open(address, &shared).map_err(name)?;
                    let local = sender.local();
                    udp.push(sender);
                    local
                }
                Transport::Tcp => streams.listen(address).map_err(name)?,
                Transport::Tls | Transport::Ws | Transport::Wss => {
                    return Err(name(io::Error::from(io::ErrorKind::Unsupported)));
                }
            };
            bound.push((transport, local));
        }
        Ok((SipSockets { bound, udp, streams, shared, _open: keep_open }, inbox))
    }

    /// Takes what the user agent says of who is known and who is kept out. Streams of who is kept out are cut.
    pub fn apply(&self, change: &Change) {
        self.shared.gate.apply(change);
        if let Change::Banned { .. } = change {
            self.streams.cut_banned();
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
        match flow.transport {
            Transport::Tcp | Transport::Tls | Transport::Ws | Transport::Wss => {
                self.streams.send(flow, bytes)
            }
            Transport::Udp => {
                let sent = udp::choose(&self.udp, flow.local).is_some_and(|s| s.send(flow.remote, &bytes));
                let counters = &self.shared.counters;
                count(if sent { &counters.sent } else { &counters.unsent });
            }
        }
    }

    /// The counts so far.
    pub fn counts(&self) -> SipCounts {
        let counters = &self.shared.counters;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        SipCounts {
            received: read(&counters.received),
            sent: read(&counters.sent),
            dropped_full: read(&counters.dropped_full),
            dropped_banned: read(&counters.dropped_banned),
            unsent: read(&counters.unsent),
            connections_refused: read(&counters.connections_refused),
            connections_cut: read(&counters.connections_cut),
        }
    }
}
