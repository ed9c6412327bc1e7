//! Connections to PostgreSQL: the configured name servers are asked, and TLS is spoken with the configured
//! authorities wherever the server speaks it.

use crate::database::told;
use crate::outside::{Outside, bare};
use rustls::pki_types::ServerName;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;
use tokio::task::AbortHandle;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};
use tokio_postgres::{Client, Config, NoTls};
use tokio_rustls::TlsConnector;

/// Where PostgreSQL is, unless the address says.
const PORT: u16 = 5432;

/// What drives a connection: it ends with it.
pub(crate) struct Driver(AbortHandle);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A connection to the first of the hosts that takes one.
pub(crate) async fn connect(outside: &Outside, config: &Config) -> Result<(Client, Driver), String> {
    let mut why = "`connection` names no host".to_owned();
    for (place, host) in config.get_hosts().iter().enumerate() {
        let ports = config.get_ports();
        let port = ports.get(place).or(ports.first()).copied().unwrap_or(PORT);
        match to_host(outside, config, host, port).await {
            Ok(connected) => return Ok(connected),
            Err(error) => why = error,
        }
    }
    Err(why)
}

async fn to_host(
    outside: &Outside,
    config: &Config,
    host: &Host,
    port: u16,
) -> Result<(Client, Driver), String> {
    let host = match host {
        Host::Tcp(host) => host,
        Host::Unix(folder) => {
            let path = folder.join(format!(".s.PGSQL.{port}"));
            let stream = UnixStream::connect(path).await.map_err(|error| error.to_string())?;
            return greet(config, stream, NoTls).await;
        }
    };
    let stream = outside.connect(host, port).await?;
    if config.get_ssl_mode() == SslMode::Disable {
        return greet(config, stream, NoTls).await;
    }
    let name = ServerName::try_from(bare(host).to_owned()).map_err(|error| error.to_string())?;
    greet(config, stream, Secured { connector: outside.tls(), name }).await
}

async fn greet<S, T>(config: &Config, stream: S, tls: T) -> Result<(Client, Driver), String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: TlsConnect<S>,
    T::Stream: Send + 'static,
{
    let (client, connection) = config.connect_raw(stream, tls).await.map_err(|error| told(&error))?;
    // What it broke with is told by the question.
    let driver = tokio::spawn(async move { drop(connection.await) }).abort_handle();
    Ok((client, Driver(driver)))
}

/// TLS with a server of this name.
struct Secured {
    connector: Result<TlsConnector, String>,
    name: ServerName<'static>,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> TlsConnect<S> for Secured {
    type Stream = Pipe<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Pipe<S>>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move {
            let connector = self.connector.map_err(io::Error::other)?;
            connector.connect(self.name, stream).await.map(Pipe)
        })
    }
}

struct Pipe<S>(tokio_rustls::client::TlsStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Pipe<S> {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Pipe<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        ctx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(ctx, buf)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Pipe<S> {
    fn poll_write(mut self: Pin<&mut Self>, ctx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(ctx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, ctx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(ctx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, ctx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(ctx)
    }
}
