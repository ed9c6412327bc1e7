//! SIP in WebSockets (RFC 7118): the subprotocol `sip`, one SIP message in each WebSocket message.

use super::SipLimits;
use super::handshake::{Link, Pipe};
use super::stream::{Ended, Inbox, LAST_WORDS, MESSAGE_MAX, Writes};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderMap, HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message, client::IntoClientRequest};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config, client_async_with_config};

const PROTOCOL: &str = "sip";
const PROTOCOL_HEADER: &str = "sec-websocket-protocol";
/// A read buffer is there for every connection.
const READ_BUFFER: usize = 4096;

pub(super) type Socket = WebSocketStream<Watched>;

/// Takes a peer's opening handshake.
pub(super) async fn accept(pipe: Pipe, limits: &SipLimits) -> Result<Link, String> {
    let arrivals = Arc::new(AtomicBool::new(false));
    let watched = Watched { pipe, arrivals: arrivals.clone() };
    let socket = accept_hdr_async_with_config(watched, require_sip, Some(config(limits))).await;
    socket.map(|socket| Link::Messages { socket: Box::new(socket), arrivals }).map_err(|e| e.to_string())
}

/// Opens the WebSocket to a server, which must speak SIP in it.
pub(super) async fn connect(
    pipe: Pipe,
    secure: bool,
    remote: SocketAddr,
    limits: &SipLimits,
) -> Result<Link, String> {
    let scheme = if secure { "wss" } else { "ws" };
    let mut request =
        format!("{scheme}://{remote}/").into_client_request().map_err(|error| error.to_string())?;
    request.headers_mut().insert(PROTOCOL_HEADER, HeaderValue::from_static(PROTOCOL));
    let arrivals = Arc::new(AtomicBool::new(false));
    let watched = Watched { pipe, arrivals: arrivals.clone() };
    let opened = client_async_with_config(request, watched, Some(config(limits))).await;
    let (socket, _) = opened.map_err(|error| error.to_string())?;
    Ok(Link::Messages { socket: Box::new(socket), arrivals })
}

fn config(limits: &SipLimits) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(limits.message.saturating_mul(2))
        .max_message_size(Some(limits.message))
        .max_frame_size(Some(limits.message))
}

/// RFC 7118 §4: without the subprotocol nobody knows what the messages would mean.
#[allow(clippy::result_large_err, reason = "the handshake's callback is made so")]
fn require_sip(request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    if !asks_for_sip(request.headers()) {
        let why = "write `Sec-WebSocket-Protocol: sip`: SIP is all that is spoken here (RFC 7118)";
        let mut refusal = ErrorResponse::new(Some(why.to_owned()));
        *refusal.status_mut() = StatusCode::BAD_REQUEST;
        return Err(refusal);
    }
    response.headers_mut().insert(PROTOCOL_HEADER, HeaderValue::from_static(PROTOCOL));
    Ok(response)
}

fn asks_for_sip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(PROTOCOL_HEADER).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|name| name.trim().eq_ignore_ascii_case(PROTOCOL))
}

pub(super) struct Writer(pub(super) SplitSink<Socket, Message>);

impl Writes for Writer {
    /// As text, which browsers read at once, unless a body is none.
    async fn message(&mut self, bytes: Vec<u8>) -> io::Result<()> {
        let message = match String::from_utf8(bytes) {
            Ok(text) => Message::text(text),
            Err(bytes) => Message::binary(bytes.into_bytes()),
        };
        self.0.send(message).await.map_err(io::Error::other)
    }

    async fn ping(&mut self) -> io::Result<()> {
        self.0.send(Message::Ping(Default::default())).await.map_err(io::Error::other)
    }
}

/// Reads until the WebSocket ends. Its own pings are answered by it.
pub(super) async fn read_all(
    mut read: SplitStream<Socket>,
    mut inbox: Inbox<'_>,
    arrivals: &AtomicBool,
) -> Ended {
    let mut last_read = Instant::now();
    // The half of a message was there when we last looked. A peer that opened has something to say.
    let mut partial = inbox.accepted;
    loop {
        match timeout(MESSAGE_MAX, read.next()).await {
            Ok(Some(Ok(message))) => {
                inbox.heard();
                if take(message, &mut inbox).await.is_err() {
                    return Ended::ByPeer;
                }
                last_read = Instant::now();
                partial = false;
                arrivals.store(false, Ordering::Relaxed);
            }
            Ok(Some(Err(Error::Capacity(_) | Error::Protocol(_) | Error::Utf8(_)))) => {
                tokio::time::sleep(LAST_WORDS).await;
                return Ended::Malformed;
            }
            Ok(Some(Err(_)) | None) => return Ended::ByPeer,
            Err(_) if partial => return Ended::TooSlow,
            Err(_) if inbox.idle_due(last_read) <= Instant::now() => return Ended::Idle,
            Err(_) => partial = arrivals.swap(false, Ordering::Relaxed),
        }
    }
}

async fn take(message: Message, inbox: &mut Inbox<'_>) -> Result<(), ()> {
    let bytes = match message {
        Message::Text(text) => text.as_bytes().to_vec(),
        Message::Binary(bytes) => bytes.to_vec(),
        Message::Pong(_) => {
            inbox.pong();
            return Ok(());
        }
        Message::Ping(_) | Message::Close(_) | Message::Frame(_) => return Ok(()),
    };
    match bytes.as_slice() {
        // Some clients keep alive in this way (RFC 5626 §3.5.1), though RFC 7118 §6 leaves it to the WebSocket.
        b"\r\n\r\n" if inbox.accepted => inbox.ping(),
        b"\r\n" if !inbox.accepted => inbox.pong(),
        _ if bytes.iter().all(u8::is_ascii_whitespace) => {}
        _ => return inbox.message(bytes).await,
    }
    Ok(())
}

/// Notes that bytes came: a WebSocket message that trickles in is not seen before it is whole.
pub(super) struct Watched {
    pipe: Pipe,
    arrivals: Arc<AtomicBool>,
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.pipe).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.arrivals.store(true, Ordering::Relaxed);
        }
        polled
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.pipe).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_shutdown(context)
    }
}
