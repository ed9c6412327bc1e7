//! Events over a WebSocket: one subscription for each connection, frames as JSON texts.

use super::{Cursor, Frame, Seat, Source, Wanted};
use crate::access::Pass;
use crate::filter::Filter;
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use std::time::Duration;
use tokio::time::timeout;

/// RFC 6455 §7.4.1: the server ends.
const GOING_AWAY: u16 = 1001;
/// What the reader sent is not a subscription.
const NOT_A_SUBSCRIPTION: u16 = 4400;
/// The token is no longer what it was.
const REVOKED: u16 = 4401;
/// The reader did not subscribe, or took nothing, for too long.
const TOO_SLOW: u16 = 4408;
/// Facts that were asked for are not in the log.
const GAP: u16 = 4410;
/// The log cannot be read.
const UNAVAILABLE: u16 = 4503;
/// RFC 6455 §5.5: a control frame has 125 bytes, two of which are the code.
const REASON_MAX: usize = 123;

/// What a reader needs beside its socket.
pub(crate) struct Reader {
    pub(crate) source: Source,
    pub(crate) seat: Seat,
    /// What the address asked for; otherwise the first message says it.
    pub(crate) wanted: Option<Wanted>,
    pub(crate) pass: Pass,
    pub(crate) subscribe_wait: Duration,
    pub(crate) stall: Duration,
}

/// Serves one reader until it leaves or is closed.
pub(crate) async fn run(socket: WebSocket, reader: Reader) {
    let (mut sink, mut stream) = socket.split();
    let wait = reader.stall;
    let close = match read_on(&mut sink, &mut stream, reader).await {
        Some(close) => close,
        None => return,
    };
    let closed = async {
        sink.send(Message::Close(Some(close))).await.ok()?;
        // What the peer still sends is read, so that the system does not throw our last frames away.
        while let Some(Ok(_)) = stream.next().await {}
        Some(())
    };
    if timeout(wait, closed).await.is_err() {
        tracing::debug!("a WebSocket reader did not take its close frame");
    }
}

/// Until the reader is to be closed; nothing if it left. The seat is free when this returns.
async fn read_on(
    sink: &mut SplitSink<WebSocket, Message>,
    stream: &mut SplitStream<WebSocket>,
    reader: Reader,
) -> Option<CloseFrame> {
    let wanted = match reader.wanted {
        Some(wanted) => wanted,
        None => match first_message(stream, reader.subscribe_wait).await? {
            Ok(wanted) => wanted,
            Err(close) => return Some(close),
        },
    };
    let mut position = None;
    let mut cursor = Cursor::new(reader.source, reader.seat, wanted, reader.pass);
    loop {
        let frame = tokio::select! {
            message = stream.next() => match message {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                Some(Ok(Message::Text(_) | Message::Binary(_))) => return Some(second_message()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
            },
            frame = cursor.next() => frame?,
        };
        match timeout(reader.stall, sink.send(Message::text(frame.to_json()))).await {
            Ok(Ok(())) => position = frame.settles().or(position),
            Ok(Err(_)) => return None,
            Err(_) => return Some(stalled(position)),
        }
        if let Some(close) = last(&frame) {
            return Some(close);
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Subscribe {
    op: Op,
    from: Option<u64>,
    filter: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Op {
    Subscribe,
}

/// The subscription, or why there is none; nothing if the reader left.
async fn first_message(
    stream: &mut SplitStream<WebSocket>,
    wait: Duration,
) -> Option<Result<Wanted, CloseFrame>> {
    let message = async {
        loop {
            match stream.next().await {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Text(text))) => return Some(subscription(text.as_str())),
                Some(Ok(Message::Binary(_))) => return Some(subscription("")),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
            }
        }
    };
    match timeout(wait, message).await {
        Ok(first) => first,
        Err(_) => Some(Err(close(TOO_SLOW, r#"send {"op":"subscribe","from":N,"filter":["call.*"]} first"#))),
    }
}

fn subscription(text: &str) -> Result<Wanted, CloseFrame> {
    let subscribe: Subscribe =
        serde_json::from_str(text).map_err(|error| close(NOT_A_SUBSCRIPTION, &error.to_string()))?;
    let Op::Subscribe = subscribe.op;
    let patterns = subscribe.filter.unwrap_or_default();
    let filter = Filter::from_patterns(patterns.iter().map(String::as_str))
        .map_err(|error| close(NOT_A_SUBSCRIPTION, &error.to_string()))?;
    Ok(Wanted { from: subscribe.from, filter })
}

fn second_message() -> CloseFrame {
    close(
        NOT_A_SUBSCRIPTION,
        "one subscription for each connection; open another, and send commands over HTTP",
    )
}

fn stalled(position: Option<u64>) -> CloseFrame {
    match position {
        Some(position) => {
            close(TOO_SLOW, &format!("too slow; position {position}; resume from {}", position + 1))
        }
        None => close(TOO_SLOW, "too slow; nothing was taken"),
    }
}

/// How to close after this frame, if it is the last.
fn last(frame: &Frame) -> Option<CloseFrame> {
    match frame {
        Frame::Gap { oldest, head } => {
            Some(close(GAP, &format!("gap; oldest {oldest}; head {head}; read /v1/snapshot")))
        }
        Frame::Broken { position } => Some(close(UNAVAILABLE, &format!("unavailable; position {position}"))),
        Frame::Revoked { position } => Some(close(REVOKED, &format!("revoked; position {position}"))),
        Frame::Closing { position } => Some(close(GOING_AWAY, &format!("closing; position {position}"))),
        Frame::Subscribed { .. }
        | Frame::Event { .. }
        | Frame::SkippedTo { .. }
        | Frame::Heartbeat { .. } => None,
    }
}

fn close(code: u16, reason: &str) -> CloseFrame {
    let mut end = reason.len().min(REASON_MAX);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    CloseFrame { code, reason: reason.get(..end).unwrap_or_default().into() }
}
