use crate::Event;
use serde_json::{Value, json};

/// What a reader is sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Frame {
    /// The first frame: what follows begins at `from`.
    Subscribed {
        from: u64,
        head: u64,
    },
    Event {
        number: u64,
        event: Box<Event>,
    },
    /// Every fact up to this number that was not sent was not wanted.
    SkippedTo {
        number: u64,
    },
    Heartbeat {
        head: u64,
        time: String,
    },
    /// The last frame: facts that were asked for are not in the log.
    Gap {
        oldest: u64,
        head: u64,
    },
    /// The last frame: the log cannot be read.
    Broken {
        position: u64,
    },
    /// The last frame: the reader's token is no longer what it was.
    Revoked {
        position: u64,
    },
    /// The last frame: the server ends.
    Closing {
        position: u64,
    },
}

impl Frame {
    /// The JSON text that a WebSocket carries.
    pub(crate) fn to_json(&self) -> String {
        match self {
            Frame::Event { event, .. } => serde_json::to_string(event).unwrap_or_default(),
            Frame::Subscribed { from, head } => {
                json!({"op": "subscribed", "from": from, "head": head}).to_string()
            }
            Frame::SkippedTo { number } => json!({"op": "skipped_to", "sequence": number}).to_string(),
            Frame::Heartbeat { head, time } => {
                json!({"op": "heartbeat", "head": head, "time": time}).to_string()
            }
            Frame::Gap { oldest, head } => gap(*oldest, *head).to_string(),
            Frame::Broken { position } => {
                json!({"op": "error", "code": "unavailable", "position": position}).to_string()
            }
            Frame::Revoked { position } => {
                json!({"op": "error", "code": "unauthorized", "position": position}).to_string()
            }
            Frame::Closing { position } => json!({"op": "closing", "position": position}).to_string(),
        }
    }

    /// The name of a server-sent event; facts have none, so that they reach `onmessage`.
    pub(crate) fn name(&self) -> Option<&'static str> {
        match self {
            Frame::Event { .. } => None,
            Frame::Subscribed { .. } => Some("subscribed"),
            Frame::SkippedTo { .. } => Some("skipped_to"),
            Frame::Heartbeat { .. } => Some("heartbeat"),
            Frame::Gap { .. } => Some("gap"),
            Frame::Broken { .. } => Some("unavailable"),
            Frame::Revoked { .. } => Some("unauthorized"),
            Frame::Closing { .. } => Some("closing"),
        }
    }

    /// The number that a reader who has this frame needs no more, nor any before it.
    pub(crate) fn settles(&self) -> Option<u64> {
        match self {
            Frame::Event { number, .. } | Frame::SkippedTo { number } => Some(*number),
            Frame::Subscribed { from, .. } => Some(from.saturating_sub(1)),
            Frame::Heartbeat { .. }
            | Frame::Gap { .. }
            | Frame::Broken { .. }
            | Frame::Revoked { .. }
            | Frame::Closing { .. } => None,
        }
    }
}

fn gap(oldest: u64, head: u64) -> Value {
    json!({"op": "error", "code": "gap", "oldest": oldest, "head": head, "snapshot": "/v1/snapshot"})
}
