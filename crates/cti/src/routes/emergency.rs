//! `/v1/emergency`: which desks are closed by command, and how a person changes it.

use super::App;
use super::commands::{ask, in_time, is_reason, read_body};
use crate::access::{Grant, Scope};
use crate::problem::Problem;
use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use facts::{Command, EmergencyNow, EmergencyScope};
use serde::Deserialize;
use serde_json::{Value, json};

/// A scope or the name of a phrase.
const NAME_MAX: usize = 100;

/// `GET /v1/emergency`
pub(super) async fn list(State(mut app): State<App>, grant: Grant) -> Result<Response, Problem> {
    grant.need(Scope::EventsRead)?;
    let mut snapshot = app.source.feed.snapshot().await;
    grant.sees().of(&mut snapshot);
    let closed: Vec<Value> = snapshot.emergencies.values().map(|now| shown(&app, now)).collect();
    Ok(Json(json!({ "as_of": snapshot.as_of, "closed": closed })).into_response())
}

/// `POST /v1/emergency`
pub(super) async fn close(State(app): State<App>, grant: Grant, body: Body) -> Result<Response, Problem> {
    grant.need(Scope::EmergencyAny)?;
    in_time(app.limits.command_wait, async {
        let command = ClosureWanted::read(&read_body(&app, body).await?)?;
        ask(app, &grant, command).await
    })
    .await
}

/// `DELETE /v1/emergency/{scope}`
pub(super) async fn open(
    State(app): State<App>,
    grant: Grant,
    scope: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    grant.need(Scope::EmergencyAny)?;
    let Path(scope) = scope.map_err(|error| Problem::invalid_request(error.body_text()))?;
    let scope = read_scope(&scope)?;
    in_time(app.limits.command_wait, ask(app, &grant, Command::OpenAfterEmergency { scope })).await
}

fn shown(app: &App, now: &EmergencyNow) -> Value {
    let EmergencyNow { closed, .. } = now;
    json!({
        "scope": closed.scope,
        "since": app.source.envelopes.time(now.since()),
        "message": closed.message,
        "reason": closed.reason,
        "by": closed.by,
    })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClosureWanted {
    scope: String,
    #[serde(default)]
    message: String,
    reason: String,
}

impl ClosureWanted {
    fn read(body: &[u8]) -> Result<Command, Problem> {
        let wanted: ClosureWanted = serde_json::from_slice(body).map_err(|error| {
            let form = r#"{"scope":"number:1510","message":"strike","reason":"sciopero"}"#;
            Problem::invalid_request(format!("The body is wrong: {error}. Send {form}."))
        })?;
        let scope = read_scope(&wanted.scope)?;
        if wanted.message.len() > NAME_MAX {
            return Err(Problem::invalid_request("No script has a phrase of so long a name."));
        }
        let reason = wanted.reason.trim().to_owned();
        if !is_reason(&reason) {
            let detail = "A closure needs a reason of 1 to 200 characters on one line.";
            return Err(Problem::invalid_request(detail));
        }
        Ok(Command::CloseByEmergency { scope, message: wanted.message, reason })
    }
}

fn read_scope(text: &str) -> Result<EmergencyScope, Problem> {
    let short = Some(text).filter(|text| text.len() <= NAME_MAX);
    short.and_then(EmergencyScope::parse).ok_or_else(|| {
        let said: String = text.chars().take(60).collect();
        Problem::invalid_request(format!(
            "{said:?} is none of all, body:NAME, number:NUMBER and script:NAME."
        ))
    })
}
