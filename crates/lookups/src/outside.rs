//! What every source needs of the world: names, connections, TLS.

use net::Tls;
use std::net::{IpAddr, SocketAddr};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// How long one address may take to take a connection, if there are others.
const CONNECT: Duration = Duration::from_secs(1);
/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 4;

pub(crate) struct Outside {
    tls: RwLock<Tls>,
    name_servers: Vec<SocketAddr>,
}

impl Outside {
    pub(crate) fn new(tls: Tls, name_servers: Vec<SocketAddr>) -> Outside {
        Outside { tls: RwLock::new(tls), name_servers }
    }

    /// Trusts these authorities from now on.
    pub(crate) fn renew(&self, tls: Tls) {
        *self.tls.write().unwrap_or_else(PoisonError::into_inner) = tls;
    }

    /// A connection to a host, which may be written as an address, an IPv6 one in brackets too.
    pub(crate) async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, String> {
        let mut addresses = self.addresses(host).await?;
        addresses.truncate(ADDRESSES_MAX);
        let mut why = format!("{host} has no address");
        for address in addresses {
            match tokio::time::timeout(CONNECT, TcpStream::connect((address, port))).await {
                Ok(Ok(stream)) => {
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Ok(Err(error)) => why = format!("{address}: {error}"),
                Err(_) => why = format!("{address} does not answer"),
            }
        }
        Err(why)
    }

    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, String> {
        match bare(host).parse() {
            Ok(address) => Ok(vec![address]),
            Err(_) => net::lookup_addresses(&self.name_servers, host).await,
        }
    }

    /// What TLS is spoken with.
    pub(crate) fn tls(&self) -> Result<TlsConnector, String> {
        let tls = self.tls.read().unwrap_or_else(PoisonError::into_inner).client();
        let tls = tls.ok_or("nobody is trusted: name authorities as `ca` under [look_ups]")?;
        Ok(TlsConnector::from(tls))
    }
}

/// Without the brackets of an IPv6 address.
pub(crate) fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}
