//! `GET /v1/events`: the log, as server-sent events or over a WebSocket.

use super::App;
use crate::access::{Grant, Scope};
use crate::filter::Filter;
use crate::problem::Problem;
use crate::stream::websocket::{self, Reader};
use crate::stream::{Cursor, Wanted, sse};
use axum::extract::rejection::QueryRejection;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use serde::Deserialize;

/// Outgoing bytes that a WebSocket holds before the reader must take some.
const WRITE_BUFFER: usize = 64 * 1024;
/// The most that it may hold: one event is far smaller.
const WRITE_BUFFER_MAX: usize = 1024 * 1024;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventsQuery {
    from: Option<u64>,
    filter: Option<String>,
}

pub(super) async fn events(
    State(app): State<App>,
    grant: Grant,
    query: Result<Query<EventsQuery>, QueryRejection>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    grant.need(Scope::EventsRead)?;
    let Query(query) = query.map_err(|error| Problem::invalid_request(error.body_text()))?;
    let said_in_address = query.from.is_some() || query.filter.is_some();
    let filter = Filter::from_text(query.filter.as_deref().unwrap_or_default())
        .map_err(|error| Problem::invalid_request(error.to_string()))?;
    let wanted = Wanted { from: query.from, filter };
    let wants_upgrade = headers.contains_key(header::UPGRADE);
    let upgrade = if wants_upgrade { Some(upgrade.map_err(bad_upgrade)?) } else { None };
    let seat = app.readers.sit().ok_or_else(|| {
        let seats = app.limits.readers;
        Problem::capacity(format!("All {seats} readers' places are taken; close one, or try again later."))
    })?;
    let Some(upgrade) = upgrade else {
        let wanted = Wanted { from: last_event_id(&headers)?.or(wanted.from), ..wanted };
        return Ok(sse::respond(Cursor::new(app.source, seat, wanted, app.access.pass(grant))));
    };
    let reader = Reader {
        source: app.source,
        seat,
        wanted: said_in_address.then_some(wanted),
        pass: app.access.pass(grant),
        subscribe_wait: app.limits.subscribe_wait,
        stall: app.limits.stall,
    };
    let upgrade = upgrade
        .max_message_size(app.limits.body_bytes)
        .max_frame_size(app.limits.body_bytes)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(WRITE_BUFFER_MAX);
    Ok(upgrade.on_upgrade(move |socket| websocket::run(socket, reader)))
}

/// A browser that reconnects keeps its first address and says here how far it came: the header wins.
fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get("last-event-id").filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let number: Option<u64> = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    match number.and_then(|number| number.checked_add(1)) {
        Some(next) => Ok(Some(next)),
        None => {
            Err(Problem::invalid_request("Last-Event-ID is not a fact's number; send the last id you got."))
        }
    }
}

fn bad_upgrade(error: WebSocketUpgradeRejection) -> Problem {
    Problem::invalid_request(format!("The WebSocket handshake is wrong: {}", error.body_text()))
}
