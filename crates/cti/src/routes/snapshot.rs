//! `GET /v1/snapshot`: what is going on, and as of which fact.

use super::App;
use crate::access::{Grant, Scope};
use crate::problem::Problem;
use crate::wire::mask_snapshot;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use facts::{AgentNow, BanNow, CallNow, QueueNow, TrunkNow};
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
}

pub(super) async fn snapshot(
    State(mut app): State<App>,
    grant: Grant,
    query: Result<Query<SnapshotQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    grant.need(Scope::EventsRead)?;
    let Query(query) = query.map_err(|error| Problem::invalid_request(error.body_text()))?;
    let of = query.of.as_deref().unwrap_or("calls,queues,agents,trunks,bans");
    let wanted: Vec<&str> = of.split(',').map(str::trim).collect();
    let known = ["calls", "queues", "agents", "trunks", "bans"];
    if let Some(unknown) = wanted.iter().find(|part| !known.contains(part)) {
        let detail = format!("{unknown:?} is no part of a snapshot; of=calls,queues,agents,trunks,bans are.");
        return Err(Problem::invalid_request(detail));
    }
    let mut snapshot = app.source.feed.snapshot().await;
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
    };
    Ok(Json(parts).into_response())
}
