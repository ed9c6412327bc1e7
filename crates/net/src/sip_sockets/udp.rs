use super::{Shared, SipInput, count};
use crate::zone::{is_of_link, with_link, without_link};
use rustix::net::sockopt::{
    Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery, set_ip_mtu_discover, set_ipv6_mtu_discover,
};
use sip::guard::Standing;
use sip::ua::{Flow, Transport};
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};
use stun::{answer, is_stun};
use tokio::runtime::Handle;
use tokio::sync::mpsc::error::TrySendError;

/// What the kernel may hold for us while the user agent is busy: about 3 000 INVITEs.
const RECEIVE_BUFFER: usize = 4 << 20;
const SEND_BUFFER: usize = 1 << 20;
/// The largest datagram.
const DATAGRAM: usize = 65_535;
/// Datagrams read in one wake-up before other tasks have their turn.
const BATCH: usize = 64;
/// Remote addresses whose route is remembered, and for how long: routes change.
const ROUTES: usize = 1024;
const ROUTES_AGE: Duration = Duration::from_secs(60);
/// STUN requests answered in a second by one socket: keep-alives of 25 000 devices, and no more than 44 kB.
const STUN_RATE: u32 = 1_000;

/// The sending half of a bound socket.
#[derive(Debug)]
pub(super) struct Sender {
    socket: UdpSocket,
    local: SocketAddr,
}

impl Sender {
    pub(super) fn local(&self) -> SocketAddr {
        self.local
    }

    /// Gives it to the kernel.
    pub(super) fn send(&self, remote: SocketAddr, bytes: &[u8]) -> io::Result<()> {
        self.socket.send_to(bytes, remote).map(|_| ())
    }
}

/// Whether no datagram of this size can be sent (EMSGSIZE).
pub(super) fn is_too_large(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::MSGSIZE.raw_os_error())
}

/// What is too large for a path is sent in fragments: routers may make them, and the kernel does where it knows the
/// path. Requests of more than 1 300 bytes go by TCP where they can (RFC 3261 §18.1.1); what is larger all the same, an
/// answer or a request to a device that is reached by UDP alone, would be lost without a word wherever ICMP is
/// filtered and datagrams say "do not fragment". Routers of IPv6 make no fragments: there the kernel does, as the path
/// tells it.
fn let_fragment(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    match address {
        SocketAddr::V4(_) => Ok(set_ip_mtu_discover(socket, Ipv4PathMtuDiscovery::DONT)?),
        SocketAddr::V6(_) => Ok(set_ipv6_mtu_discover(socket, Ipv6PathMtuDiscovery::WANT)?),
    }
}

/// The socket bound to `local`, or the one bound to its port on every address.
pub(super) fn choose(senders: &[Sender], local: SocketAddr) -> Option<&Sender> {
    senders.iter().find(|sender| sender.local == local).or_else(|| {
        senders.iter().find(|sender| {
            sender.local.ip().is_unspecified()
                && sender.local.port() == local.port()
                && sender.local.is_ipv4() == local.is_ipv4()
        })
    })
}

/// The local address from which the kernel would send to `remote`. Sends nothing.
pub(crate) fn routed_address(remote: SocketAddr) -> io::Result<IpAddr> {
    let any = match remote {
        SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let probe = UdpSocket::bind(SocketAddr::new(any, 0))?;
    probe.connect(remote)?;
    Ok(probe.local_addr()?.ip())
}

/// Binds `address` and begins to read it.
pub(super) fn open(address: SocketAddr, shared: &Arc<Shared>, runtime: &Handle) -> io::Result<Sender> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // The kernel gives what it is configured to give; less is not a fault.
    let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
    let _ = socket.set_send_buffer_size(SEND_BUFFER);
    let_fragment(&socket, address)?;
    socket.set_nonblocking(true)?;
    socket.bind(&with_link(address)?.into())?;
    let socket: UdpSocket = socket.into();
    let local = without_link(socket.local_addr()?);
    // Sending has its own handle: tokio's would refuse until its first readiness event has come.
    let sender = Sender { socket: socket.try_clone()?, local };
    let now = Instant::now();
    let reader = Reader {
        shared: shared.clone(),
        local,
        routes: HashMap::new(),
        routes_since: now,
        stun_since: now,
        stun_left: STUN_RATE,
    };
    runtime.spawn(reader.run(tokio::net::UdpSocket::from_std(socket)?));
    Ok(sender)
}

struct Reader {
    shared: Arc<Shared>,
    local: SocketAddr,
    routes: HashMap<IpAddr, IpAddr>,
    routes_since: Instant,
    /// The second that STUN is counted in, and what may still be answered in it.
    stun_since: Instant,
    stun_left: u32,
}

impl Reader {
    async fn run(mut self, socket: tokio::net::UdpSocket) {
        let mut open = self.shared.open.clone();
        let mut buffer = vec![0; DATAGRAM];
        loop {
            tokio::select! {
                _ = open.changed() => return,
                _ = socket.readable() => {}
            }
            if !self.read_batch(&socket, &mut buffer) {
                // An error of the socket itself: do not spin on it.
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            tokio::task::yield_now().await;
        }
    }

    fn read_batch(&mut self, socket: &tokio::net::UdpSocket, buffer: &mut [u8]) -> bool {
        for _ in 0..BATCH {
            match socket.try_recv_from(buffer) {
                Ok((length, remote)) => {
                    let bytes = buffer.get(..length).unwrap_or_default();
                    let remote = if is_of_link(self.local) { without_link(remote) } else { remote };
                    match is_stun(bytes) {
                        true => self.stun(socket, remote, bytes),
                        false => self.received(remote, bytes),
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
                Err(_) => return false,
            }
        }
        true
    }

    /// RFC 5626 §3.5.2: a device behind a NAT keeps its way open, and sees when its address changes.
    fn stun(&mut self, socket: &tokio::net::UdpSocket, remote: SocketAddr, bytes: &[u8]) {
        if self.stun_since.elapsed() > Duration::from_secs(1) {
            (self.stun_since, self.stun_left) = (Instant::now(), STUN_RATE);
        }
        let answered = self.stun_left > 0
            && self.shared.gate.standing(remote.ip()) != Standing::Banned
            && answer(bytes, remote).is_some_and(|answer| socket.try_send_to(&answer, remote).is_ok());
        self.stun_left -= u32::from(answered);
        let counters = &self.shared.counters;
        count(if answered { &counters.stun_answered } else { &counters.stun_dropped });
    }

    fn received(&mut self, remote: SocketAddr, bytes: &[u8]) {
        // Keep-alives of NAT bindings (RFC 5626 §3.5.1 and older customs) are no messages.
        if bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n' | b' ' | 0)) {
            return;
        }
        let standing = self.shared.gate.standing(remote.ip());
        let proves_nothing = || !bytes.starts_with(b"REGISTER ");
        if standing == Standing::Banned || (standing == Standing::Suspected && proves_nothing()) {
            return count(&self.shared.counters.dropped_banned);
        }
        let Some(local) = self.local_towards(remote) else { return };
        let Some(queue) = self.shared.gate.queue(standing) else { return };
        let counters = &self.shared.counters;
        let flow = Flow { transport: Transport::Udp, local, remote };
        match queue.try_send(SipInput::Received { flow, bytes: bytes.to_vec() }) {
            Ok(()) => count(&counters.received),
            Err(TrySendError::Full(_)) => count(&counters.dropped_full),
            Err(TrySendError::Closed(_)) => {}
        }
    }

    /// A socket bound to every address must still say which of ours the peer knows.
    fn local_towards(&mut self, remote: SocketAddr) -> Option<SocketAddr> {
        if !self.local.ip().is_unspecified() {
            return Some(self.local);
        }
        if self.routes.len() >= ROUTES || self.routes_since.elapsed() > ROUTES_AGE {
            self.routes.clear();
            self.routes_since = Instant::now();
        }
        let ip = match self.routes.get(&remote.ip()) {
            Some(ip) => *ip,
            None => {
                let ip = routed_address(remote).ok()?;
                self.routes.insert(remote.ip(), ip);
                ip
            }
        };
        Some(SocketAddr::new(ip, self.local.port()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::net::sockopt::{ip_mtu_discover, ipv6_mtu_discover};

    #[test]
    fn what_is_too_large_for_a_path_may_be_sent_in_fragments() {
        let socket = |domain| Socket::new(domain, Type::DGRAM, Some(Protocol::UDP)).unwrap();
        let four = socket(Domain::IPV4);
        let_fragment(&four, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
        assert_eq!(ip_mtu_discover(&four).unwrap(), Ipv4PathMtuDiscovery::DONT);
        let six = socket(Domain::IPV6);
        let_fragment(&six, SocketAddr::from((Ipv6Addr::LOCALHOST, 0))).unwrap();
        assert_eq!(ipv6_mtu_discover(&six).unwrap(), Ipv6PathMtuDiscovery::WANT);
    }
}
