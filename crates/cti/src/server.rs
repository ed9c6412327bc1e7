//! The server: one listener, a bounded number of connections, an orderly end.

use crate::access::{Access, Peer};
use crate::connection::Connection;
use crate::feed::Feed;
use crate::routes::{App, IvrCounts, router};
use crate::stream::{Readers, Source};
use crate::{CommandRequest, CtiConfig, CtiError, Envelopes};
use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use journal::Journal;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Bytes that a connection holds of what it reads, and of what it writes.
const BUFFER: usize = 64 * 1024;
/// How long the connections may take to end.
const ENDING: Duration = Duration::from_secs(5);
/// How long to wait when the system has no more sockets to give.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\n\
    Retry-After: 5\r\nConnection: close\r\nContent-Length: 169\r\n\r\n\
    {\"type\":\"urn:cornetta:problem:capacity\",\
    \"title\":\"A limit is reached\",\"status\":503,\"code\":\"capacity\",\
    \"detail\":\"All connections are taken; close one, or try again later.\"}";

/// A running server.
#[derive(Debug)]
pub struct CtiServer {
    /// Where it listens: with the port that the system chose, if 0 was asked for.
    pub addr: SocketAddr,
    task: JoinHandle<()>,
}

impl CtiServer {
    /// Waits until the server has ended, which it does after `shutdown` turned true: readers are told
    /// their position, requests in progress are answered.
    pub async fn ended(self) {
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the HTTP server ended badly");
        }
    }
}

/// Starts to serve `journal` on tokio's current runtime, until `shutdown` turns true or its sender is
/// dropped. Commands go into `commands`, whose capacity is the number that may wait.
pub async fn serve(
    config: CtiConfig,
    journal: Arc<Journal>,
    commands: mpsc::Sender<CommandRequest>,
    shutdown: watch::Receiver<bool>,
) -> Result<CtiServer, CtiError> {
    let CtiConfig {
        listen,
        tokens,
        source,
        zone,
        trace,
        recordings,
        counters,
        scripts,
        versions,
        reloads,
        limits,
    } = config;
    if tokens.borrow().is_empty() && !listen.ip().is_loopback() {
        return Err(CtiError::OpenToTheNetwork { listen });
    }
    let envelopes = Envelopes::new(&source, &zone).ok_or(CtiError::UnknownZone { zone })?;
    let bound = TcpListener::bind(listen).await.and_then(|listener| Ok((listener.local_addr()?, listener)));
    let (addr, listener) = bound.map_err(|cause| CtiError::Listen { listen, cause })?;
    let ivr = IvrCounts::new(envelopes.zone().clone());
    let app = App {
        access: Access::new(tokens),
        source: Source {
            feed: Feed::new(journal),
            envelopes: Arc::new(envelopes),
            shutdown: shutdown.clone(),
            batch: limits.batch.max(1),
            heartbeat: limits.heartbeat,
        },
        readers: Readers::new(limits.readers),
        commands,
        trace,
        recordings,
        counters,
        scripts,
        versions,
        reloads,
        ivr,
        answers: Arc::default(),
        connections_refused: Arc::default(),
        limits: Arc::new(limits),
    };
    let task = tokio::spawn(accept(listener, app, shutdown));
    Ok(CtiServer { addr, task })
}

async fn accept(listener: TcpListener, app: App, mut shutdown: watch::Receiver<bool>) {
    let connections = Arc::new(Semaphore::new(app.limits.connections));
    let all = u32::try_from(app.limits.connections).unwrap_or(u32::MAX);
    let acceptor = Acceptor {
        router: router(app.clone()),
        head_wait: app.limits.head_wait,
        stall: app.limits.stall,
        shutdown: shutdown.clone(),
    };
    loop {
        let accepted = tokio::select! {
            () = stop(&mut shutdown) => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => match Arc::clone(&connections).try_acquire_owned() {
                Ok(place) => acceptor.start(stream, peer, place),
                Err(_) => refuse(&stream, &app.connections_refused),
            },
            Err(error) if is_peers_fault(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "HTTP connections cannot be accepted; trying again");
                tokio::time::sleep(ACCEPT_AGAIN).await;
            }
        }
    }
    if timeout(ENDING, connections.acquire_many(all)).await.is_err() {
        tracing::warn!("HTTP connections were cut at the end");
    }
}

struct Acceptor {
    router: Router,
    head_wait: Duration,
    stall: Duration,
    shutdown: watch::Receiver<bool>,
}

impl Acceptor {
    fn start(&self, stream: TcpStream, peer: SocketAddr, place: OwnedSemaphorePermit) {
        // A WebSocket is closed with its reason after one stall, and given another to take it.
        let patience = self.stall.saturating_mul(3);
        if let Err(error) = prepare(&stream, patience) {
            tracing::debug!(%error, %peer, "events may be late, and a dead peer may hold its place for long");
        }
        let router = self.router.clone();
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer));
            TowerToHyperService::new(router.clone()).call(request.map(Body::new))
        });
        let connection = Connection::new(stream, patience, place);
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.head_wait)
            .max_buf_size(BUFFER)
            .serve_connection(TokioIo::new(connection), service)
            .with_upgrades();
        let mut shutdown = self.shutdown.clone();
        tokio::spawn(async move {
            let mut connection = std::pin::pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = stop(&mut shutdown) => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, %peer, "an HTTP connection ended early");
            }
        });
    }
}

/// Events go out at once. A peer whose machine is gone acknowledges nothing, not even the heartbeat: its
/// place is free after `patience` (RFC 5482) and not after the quarter of an hour that TCP goes on by itself.
/// The system counts a peer that takes nothing as one that acknowledges nothing.
fn prepare(stream: &TcpStream, patience: Duration) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let millis = u32::try_from(patience.as_millis()).unwrap_or(u32::MAX);
    rustix::net::sockopt::set_tcp_user_timeout(stream, millis)?;
    Ok(())
}

/// Waits for the end, which is also there when nobody is left to announce it.
async fn stop(shutdown: &mut watch::Receiver<bool>) {
    let announced = shutdown.wait_for(|stop| *stop).await.is_ok();
    tracing::debug!(announced, "HTTP is ending");
}

/// Says why, if the socket takes it at once.
fn refuse(stream: &TcpStream, refused: &AtomicU64) {
    refused.fetch_add(1, Ordering::Relaxed);
    if let Err(error) = stream.try_write(FULL) {
        tracing::debug!(%error, "a connection beyond the limit was closed without a word");
    }
}

fn is_peers_fault(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

#[cfg(test)]
mod tests {
    use super::FULL;

    #[test]
    fn the_answer_to_one_connection_too_many_is_well_formed() {
        let text = std::str::from_utf8(FULL).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}", body.len())), "{}", body.len());
        assert!(serde_json::from_str::<serde_json::Value>(body).is_ok());
    }
}
