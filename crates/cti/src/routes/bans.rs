//! `/v1/bans`: who is kept out of SIP, and how a person changes it.

use super::App;
use super::commands::{ask, in_time, is_reason, read_body};
use crate::access::{Grant, Scope};
use crate::problem::Problem;
use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use facts::BanNow;
use facts::Command;
use ipnet::IpNet;
use serde::Deserialize;
use serde_json::{Value, json};
use sip::guard::source_of;
use std::time::Duration;

/// A ban that nobody gave a length.
const SECONDS: u64 = 24 * 3600;
const SECONDS_MAX: u64 = 365 * 24 * 3600;
/// A wider network than this is half the world: a slip of the pen.
const WIDEST: (u8, u8) = (8, 16);

/// `GET /v1/bans`
pub(super) async fn list(State(mut app): State<App>, grant: Grant) -> Result<Response, Problem> {
    grant.need(Scope::EventsRead)?;
    grant.need_all()?;
    let snapshot = app.source.feed.snapshot().await;
    let bans: Vec<Value> = snapshot.bans.values().map(|ban| shown(&app, ban)).collect();
    Ok(Json(json!({ "as_of": snapshot.as_of, "bans": bans })).into_response())
}

/// `POST /v1/bans`
pub(super) async fn add(State(app): State<App>, grant: Grant, body: Body) -> Result<Response, Problem> {
    grant.need(Scope::SecurityAny)?;
    grant.need_all()?;
    in_time(app.limits.command_wait, async {
        let command = BanWanted::read(&read_body(&app, body).await?)?;
        ask(app, &grant, command).await
    })
    .await
}

/// `DELETE /v1/bans/{source}`
pub(super) async fn lift(
    State(app): State<App>,
    grant: Grant,
    source: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    grant.need(Scope::SecurityAny)?;
    grant.need_all()?;
    let Path(source) = source.map_err(|error| Problem::invalid_request(error.body_text()))?;
    let source = network(&source)?;
    in_time(app.limits.command_wait, ask(app, &grant, Command::LiftBan { source })).await
}

fn shown(app: &App, now: &BanNow) -> Value {
    let BanNow { ban, .. } = now;
    let envelopes = &app.source.envelopes;
    json!({
        "source": ban.source,
        "rule": ban.rule,
        "since": envelopes.time(now.since()),
        "until": envelopes.time(now.until()),
        "level": ban.level,
        "evidence": {
            "messages": ban.messages,
            "method": ban.method,
            "user": ban.user,
            "detail": ban.detail,
        },
        "it": ban.sentence_it(),
        "en": ban.sentence_en(),
    })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BanWanted {
    source: String,
    seconds: Option<u64>,
    reason: String,
}

impl BanWanted {
    fn read(body: &[u8]) -> Result<Command, Problem> {
        let wanted: BanWanted = serde_json::from_slice(body).map_err(|error| {
            let form = r#"{"source":"203.0.113.0/24","seconds":86400,"reason":"frode"}"#;
            Problem::invalid_request(format!("The body is wrong: {error}. Send {form}."))
        })?;
        let source = network(&wanted.source)?;
        let (widest_v4, widest_v6) = WIDEST;
        let widest = if source.addr().is_ipv4() { widest_v4 } else { widest_v6 };
        if source.prefix_len() < widest {
            let detail = format!("{source} is too wide; ban a /{widest} at most.");
            return Err(Problem::invalid_request(detail));
        }
        let seconds = wanted.seconds.unwrap_or(SECONDS);
        if !(1..=SECONDS_MAX).contains(&seconds) {
            let detail = format!("A ban lasts 1 to {SECONDS_MAX} seconds; {SECONDS} if it is not said.");
            return Err(Problem::invalid_request(detail));
        }
        let reason = wanted.reason.trim().to_owned();
        if !is_reason(&reason) {
            return Err(Problem::invalid_request("A ban needs a reason of 1 to 200 characters on one line."));
        }
        Ok(Command::Ban { source, length: Duration::from_secs(seconds), reason })
    }
}

/// A network, or an address: of IPv6 the /64 that it is in, as rules ban it.
fn network(text: &str) -> Result<IpNet, Problem> {
    let read = text.parse::<IpNet>().ok().or_else(|| text.parse().ok().map(source_of));
    read.map(|net| net.trunc()).ok_or_else(|| {
        Problem::invalid_request(format!(
            "{:?} is no address and no network such as 203.0.113.0/24.",
            text.chars().take(60).collect::<String>()
        ))
    })
}
