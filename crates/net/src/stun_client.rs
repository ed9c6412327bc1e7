//! How the world sees this machine.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use stun::{binding_request, mapped_address};
use tokio::net::{UdpSocket, lookup_host};
use tokio::time::timeout;

/// The waits after each request (RFC 5389 §7.2.1 begins with 500 ms).
const WAITS: [Duration; 4] =
    [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// Asks a STUN server, `host:port`, at which address it sees a socket of ours: the public address, if there is a NAT
/// between. The port is that of a socket that nobody uses.
///
/// # Errors
/// The name has no address, or nothing answers within eight seconds.
pub async fn ask_stun(server: &str) -> io::Result<SocketAddr> {
    let no_address = || io::Error::new(io::ErrorKind::NotFound, "its name has no address");
    let remote = lookup_host(server).await?.next().ok_or_else(no_address)?;
    let any = match remote.ip() {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).await?;
    socket.connect(remote).await?;
    let mut id = [0; 12];
    rustix::rand::getrandom(&mut id, rustix::rand::GetRandomFlags::empty())?;
    for wait in WAITS {
        socket.send(&binding_request(&id)).await?;
        if let Ok(answer) = timeout(wait, answer(&socket, &id)).await {
            return answer;
        }
    }
    Err(io::Error::new(io::ErrorKind::TimedOut, "it does not answer"))
}

async fn answer(socket: &UdpSocket, id: &[u8; 12]) -> io::Result<SocketAddr> {
    let mut buffer = [0; 512];
    loop {
        let length = socket.recv(&mut buffer).await?;
        if let Some(address) = mapped_address(buffer.get(..length).unwrap_or_default(), id) {
            return Ok(address);
        }
    }
}
