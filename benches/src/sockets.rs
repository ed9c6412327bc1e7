//! Sockets on loopback.

use rustix::process::{Resource, getrlimit, setrlimit};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

/// A bound socket that never waits; port 0 is any free one.
///
/// # Errors
/// As the system gives them.
pub fn bind(port: u16) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, port))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// So many of them.
///
/// # Errors
/// As the system gives them.
pub fn bind_many(count: usize) -> io::Result<Vec<UdpSocket>> {
    (0..count).map(|_| bind(0)).collect()
}

/// One packet if there is one, with its sender.
///
/// # Errors
/// As the system gives them, but that there is none.
pub fn receive(socket: &UdpSocket, packet: &mut [u8]) -> io::Result<Option<(usize, SocketAddr)>> {
    match socket.recv_from(packet) {
        Ok(received) => Ok(Some(received)),
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(None),
        // A packet that we sent found its port closed: the load has ended, or has not begun.
        Err(e) if e.kind() == io::ErrorKind::ConnectionRefused => Ok(None),
        Err(e) => Err(e),
    }
}

/// Allows this process as many open files as the system lets it.
///
/// # Errors
/// As the system gives them.
pub fn raise_open_files() -> io::Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    Ok(setrlimit(Resource::Nofile, limit)?)
}
