//! From a TCP connection to what SIP is spoken on: TLS and the opening of WebSockets, both within one limit of
//! time.

use super::{Shared, websocket};
use crate::Tls;
use crate::zone::with_link;
use rustls::pki_types::CertificateDer;
use sip::ua::{Flow, Transport};
use socket2::{SockRef, TcpKeepalive};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// How long a connection may take to be established.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// How long a peer that opened a connection may take until SIP can be spoken on it.
const HANDSHAKE_MAX: Duration = Duration::from_secs(5);

/// After so much silence the kernel probes a stream: a NAT that forgets it within a minute would keep calls from who is
/// behind it, and devices that send nothing of their own are many.
const PROBE_AFTER: Duration = Duration::from_secs(45);
/// How often, until the kernel gives the stream up: after nine probes, as a rule.
const PROBE_EVERY: Duration = Duration::from_secs(5);

/// A stream of bytes, plain or within TLS.
pub(super) type Pipe = Box<dyn ReadWrite>;

pub(super) trait ReadWrite: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> ReadWrite for T {}

/// What SIP is spoken on.
pub(super) enum Link {
    Bytes(Pipe),
    Messages {
        socket: Box<websocket::Socket>,
        /// Whether bytes came that did not make a message yet.
        arrivals: Arc<AtomicBool>,
    },
}

/// A link, and the certificate that the peer proved to be its own.
pub(super) struct Established {
    pub(super) link: Link,
    pub(super) certificate: Option<CertificateDer<'static>>,
}

/// Whether a transport has a handshake of its own after that of TCP.
pub(super) fn has_handshake(transport: Transport) -> bool {
    transport != Transport::Tcp
}

/// Does the server's part. The error says why nothing came of it.
pub(super) async fn accept(shared: &Shared, flow: Flow, stream: TcpStream) -> Result<Established, String> {
    match tokio::time::timeout(HANDSHAKE_MAX, accept_all(shared, flow, stream)).await {
        Ok(done) => done,
        Err(_) => Err(format!("no handshake within {} s", HANDSHAKE_MAX.as_secs())),
    }
}

/// Connects and does the client's part.
pub(super) async fn connect(shared: &Shared, flow: Flow) -> Result<Established, String> {
    let stream = match tokio::time::timeout(CONNECT_MAX, connect_tcp(flow)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(error.to_string()),
        Err(_) => return Err(format!("no connection within {} s", CONNECT_MAX.as_secs())),
    };
    match tokio::time::timeout(HANDSHAKE_MAX, connect_all(shared, flow, stream)).await {
        Ok(done) => done,
        Err(_) => Err(format!("no handshake within {} s", HANDSHAKE_MAX.as_secs())),
    }
}

async fn accept_all(shared: &Shared, flow: Flow, stream: TcpStream) -> Result<Established, String> {
    prepare(&stream);
    let (pipe, certificate): (Pipe, _) = if flow.transport.is_secure() {
        let Tls { server: Some(config), .. } = shared.tls() else {
            return Err("there is no certificate".into());
        };
        let stream = TlsAcceptor::from(config).accept(stream).await.map_err(|error| error.to_string())?;
        let certificate = first(stream.get_ref().1.peer_certificates());
        (Box::new(stream), certificate)
    } else {
        (Box::new(stream), None)
    };
    let link = match flow.transport {
        Transport::Ws | Transport::Wss => websocket::accept(pipe, &shared.limits).await?,
        _ => Link::Bytes(pipe),
    };
    Ok(Established { link, certificate })
}

async fn connect_all(shared: &Shared, flow: Flow, stream: TcpStream) -> Result<Established, String> {
    prepare(&stream);
    let (pipe, certificate): (Pipe, _) = if flow.transport.is_secure() {
        let Tls { client: Some(config), .. } = shared.tls() else {
            return Err("nobody is trusted; name authorities as `ca` under [sip.tls]".into());
        };
        let name = shared.names().of(flow.remote);
        let stream = TlsConnector::from(config).connect(name.clone(), stream).await;
        let stream = stream.map_err(|error| format!("{error} (called as {})", name.to_str()))?;
        let certificate = first(stream.get_ref().1.peer_certificates());
        (Box::new(stream), certificate)
    } else {
        (Box::new(stream), None)
    };
    let link = match flow.transport {
        Transport::Ws | Transport::Wss => {
            websocket::connect(pipe, flow.transport.is_secure(), flow.remote, &shared.limits).await?
        }
        _ => Link::Bytes(pipe),
    };
    Ok(Established { link, certificate })
}

/// What a stream is without is no reason to refuse it.
fn prepare(stream: &TcpStream) {
    // A message is written at once and whole; waiting for more only delays it.
    let _ = stream.set_nodelay(true);
    let keep = TcpKeepalive::new().with_time(PROBE_AFTER).with_interval(PROBE_EVERY);
    let _ = SockRef::from(stream).set_tcp_keepalive(&keep);
}

fn first(chain: Option<&[CertificateDer<'static>]>) -> Option<CertificateDer<'static>> {
    chain.and_then(|chain| chain.first()).cloned()
}

async fn connect_tcp(flow: Flow) -> std::io::Result<TcpStream> {
    let socket = if flow.remote.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if !flow.local.ip().is_unspecified() {
        // The listener has the port; the address is what makes us recognisable.
        socket.bind(with_link(SocketAddr::new(flow.local.ip(), 0))?)?;
    }
    socket.connect(flow.remote).await
}
