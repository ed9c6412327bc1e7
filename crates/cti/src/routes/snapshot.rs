//! `GET /v1/snapshot`: what is going on, and as of which fact.

use super::App;
use crate::access::{Grant, Scope};
use crate::problem::Problem;
use crate::wire::mask_snapshot;
use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use facts::{AgentNow, BanNow, CallNow, CallbackNow, EmergencyNow, QueueNow, TrunkNow};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SnapshotQuery {
    of: Option<String>,
}

/// The parts that were asked for.
#[derive(Serialize)]
struct Parts {
    source: Arc<str>,
    as_of: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    calls: Option<BTreeMap<String, CallNow>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    queues: Option<BTreeMap<String, QueueNow>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agents: Option<BTreeMap<String, AgentNow>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trunks: Option<BTreeMap<String, TrunkNow>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bans: Option<BTreeMap<String, BanNow>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    emergencies: Option<BTreeMap<String, EmergencyNow>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    callbacks: Option<BTreeMap<u64, CallbackNow>>,
}

/// One call.
#[derive(Serialize)]
struct One {
    source: Arc<str>,
    as_of: u64,
    call: CallNow,
}

/// `GET /v1/calls/{call}`: the same of one call.
pub(super) async fn call(
    State(mut app): State<App>,
    grant: Grant,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    grant.need(Scope::EventsRead)?;
    let Path(id) = path.map_err(|error| Problem::invalid_request(error.body_text()))?;
    let mut snapshot = app.source.feed.snapshot().await;
    grant.sees().of(&mut snapshot);
    snapshot.calls.retain(|known, _| *known == id);
    if !grant.has(Scope::PiiClear) {
        mask_snapshot(&mut snapshot);
    }
    let call = snapshot.calls.remove(&id).ok_or_else(|| {
        Problem::not_found("No such call is going on. GET /v1/snapshot?of=calls has those that are.")
    })?;
    Ok(Json(One { source: app.source.envelopes.source(), as_of: snapshot.as_of, call }).into_response())
}

pub(super) async fn snapshot(
    State(mut app): State<App>,
    grant: Grant,
    query: Result<Query<SnapshotQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    grant.need(Scope::EventsRead)?;
    let Query(query) = query.map_err(|error| Problem::invalid_request(error.body_text()))?;
    let of = query.of.as_deref().unwrap_or("calls,queues,agents,trunks,bans,emergencies,callbacks");
    let wanted: Vec<&str> = of.split(',').map(str::trim).collect();
    let known = ["calls", "queues", "agents", "trunks", "bans", "emergencies", "callbacks"];
    if let Some(unknown) = wanted.iter().find(|part| !known.contains(part)) {
        let detail = format!(
            "{unknown:?} is no part of a snapshot; of=calls,queues,agents,trunks,bans,emergencies,callbacks are."
        );
        return Err(Problem::invalid_request(detail));
    }
    let mut snapshot = app.source.feed.snapshot().await;
    grant.sees().of(&mut snapshot);
    if !grant.has(Scope::PiiClear) {
        mask_snapshot(&mut snapshot);
    }
    let parts = Parts {
        source: app.source.envelopes.source(),
        as_of: snapshot.as_of,
        calls: wanted.contains(&"calls").then_some(snapshot.calls),
        queues: wanted.contains(&"queues").then_some(snapshot.queues),
        agents: wanted.contains(&"agents").then_some(snapshot.agents),
        trunks: wanted.contains(&"trunks").then_some(snapshot.trunks),
        bans: wanted.contains(&"bans").then_some(snapshot.bans),
        emergencies: wanted.contains(&"emergencies").then_some(snapshot.emergencies),
        callbacks: wanted.contains(&"callbacks").then_some(snapshot.callbacks),
    };
    Ok(Json(parts).into_response())
}
