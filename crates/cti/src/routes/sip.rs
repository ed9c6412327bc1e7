//! `GET /v1/calls/{call}/sip`: the SIP messages of a call, with their secrets masked.

use super::App;
use super::commands::name;
use crate::access::{Grant, Scope};
use crate::problem::Problem;
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use serde_json::json;

pub(super) async fn messages(
    State(app): State<App>,
    grant: Grant,
    call: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    grant.need(Scope::EventsRead)?;
    grant.need(Scope::PiiClear)?;
    grant.need_all()?;
    let call = name(call)?;
    let (trace, wanted) = (app.trace.clone(), call.clone());
    let read = tokio::task::spawn_blocking(move || trace.read(&wanted)).await;
    let found = read.map_err(|error| unreadable(&error))?.map_err(|error| unreadable(&error))?;
    Ok(Json(json!({ "call": call, "messages": found.messages, "more": found.more })).into_response())
}

fn unreadable(error: &dyn std::fmt::Display) -> Problem {
    Problem::unavailable(format!("The SIP messages cannot be read: {error}"))
}
