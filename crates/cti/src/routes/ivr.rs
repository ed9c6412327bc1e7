//! `/v1/ivr`: the scripts in force, where their callers are and where they leave.

use super::App;
use crate::access::{Grant, Scope};
use crate::feed::{Feed, FeedError};
use crate::problem::Problem;
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use base::Wall;
use ivr::Script;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use journal::fold::{IvrFold, NodeCounts};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// Facts read at a time, and how often for one answer.
const BATCH: usize = 1000;
const BATCHES_MAX: usize = 200;
/// Counting begins so long ago: today, wherever that is, and calls that came before midnight.
const LOOK_BACK: Duration = Duration::from_secs(30 * 3600);

/// Callers by node, counted as far as the log has been read for somebody.
#[derive(Clone)]
pub(crate) struct IvrCounts {
    zone: TimeZone,
    counted: Arc<Mutex<Option<Counted>>>,
}

struct Counted {
    fold: IvrFold,
    /// The first fact that it has not.
    next: u64,
}

/// `GET /v1/ivr`
pub(super) async fn list(State(app): State<App>, grant: Grant) -> Result<Response, Problem> {
    grant.need(Scope::EventsRead)?;
    let now = Arc::clone(&app.scripts.borrow());
    let sight = grant.sees();
    let scripts = now.scripts.iter().filter(|(name, _)| sight.has_name(name)).map(|(name, one)| {
        json!({
            "name": name,
            "title": one.title(),
            "version": one.version(),
            "languages": Vec::from_iter(one.languages()),
            "nodes": Vec::from_iter(one.nodes()),
        })
    });
    let scripts: Vec<Value> = scripts.collect();
    Ok(Json(json!({ "version": now.version, "scripts": scripts })).into_response())
}

/// `GET /v1/ivr/{script}`
pub(super) async fn one(
    State(app): State<App>,
    grant: Grant,
    name: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let (name, now) = script(&app, &grant, name)?;
    let (counts, as_of) = app.ivr.of(&app.source.feed, &name).await?;
    let none = NodeCounts::default();
    let nodes = now.nodes().zip(now.kinds()).map(|(node, kind)| {
        let NodeCounts { here, entered, left } = counts.get(node).unwrap_or(&none);
        json!({ "node": node, "kind": kind, "here": here, "entered": entered, "left": left })
    });
    let nodes: Vec<Value> = nodes.collect();
    let title = now.title();
    let body =
        json!({ "script": name, "title": title, "version": now.version(), "as_of": as_of, "nodes": nodes });
    Ok(Json(body).into_response())
}

/// `GET /v1/ivr/{script}/graph.svg`
pub(super) async fn graph(
    State(app): State<App>,
    grant: Grant,
    name: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let (name, now) = script(&app, &grant, name)?;
    let (counts, _) = app.ivr.of(&app.source.feed, &name).await?;
    let notes = counts.iter().map(|(node, counts)| (node.clone(), note(counts))).collect();
    let kind = [(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, "no-store")];
    Ok((kind, ivr::live_svg(&now, &notes)).into_response())
}

/// `GET /v1/ivr/{script}/versions`
pub(super) async fn versions(
    State(app): State<App>,
    grant: Grant,
    name: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    grant.need(Scope::EventsRead)?;
    let Path(name) = name.map_err(|error| Problem::invalid_request(error.body_text()))?;
    let none = || {
        Problem::not_found("No version of such a script is kept. GET /v1/ivr has those that answer calls.")
    };
    if !grant.sees().has_name(&name) {
        return Err(none());
    }
    let (of, script) = (app.versions.clone(), name.clone());
    let read = tokio::task::spawn_blocking(move || of.of(&script)).await;
    let versions = read.map_err(io::Error::other).and_then(|read| read);
    let versions =
        versions.map_err(|error| Problem::unavailable(format!("The versions cannot be read: {error}")))?;
    if versions.is_empty() {
        return Err(none());
    }
    let at = |at: Option<Wall>| at.map(|at| app.source.envelopes.time(at));
    let versions = versions.into_iter().map(|one| {
        json!({
            "version": one.version,
            "since": at(one.since),
            "until": at(one.until),
            "follows": one.follows,
            "changes": one.changes,
        })
    });
    let versions: Vec<Value> = versions.collect();
    Ok(Json(json!({ "script": name, "versions": versions })).into_response())
}

fn script(
    app: &App,
    grant: &Grant,
    name: Result<Path<String>, PathRejection>,
) -> Result<(String, Arc<Script>), Problem> {
    grant.need(Scope::EventsRead)?;
    let Path(name) = name.map_err(|error| Problem::invalid_request(error.body_text()))?;
    let found = app.scripts.borrow().scripts.get(&name).cloned().filter(|_| grant.sees().has_name(&name));
    let found = found
        .ok_or_else(|| Problem::not_found("No such script answers calls. GET /v1/ivr has those that do."))?;
    Ok((name, found))
}

fn note(counts: &NodeCounts) -> String {
    let left = counts.left.iter().map(|(how, count)| format!(", {how} {count}"));
    format!("{} here, {} today{}", counts.here, counts.entered, left.collect::<String>())
}

impl IvrCounts {
    pub(crate) fn new(zone: TimeZone) -> IvrCounts {
        IvrCounts { zone, counted: Arc::default() }
    }

    /// What happened in each node of a script, and as of which fact. Whatever has been read stays read, so that whoever is
    /// told to ask again comes nearer each time.
    async fn of(&self, feed: &Feed, script: &str) -> Result<(BTreeMap<String, NodeCounts>, u64), Problem> {
        let now = Wall::from_unix_micros(Timestamp::now().as_microsecond());
        let mut held = self.counted.lock().await;
        for _ in 0..BATCHES_MAX {
            let counted = match &mut *held {
                Some(counted) => counted,
                none => {
                    let next = first_since(feed, before(now, LOOK_BACK)).await.map_err(problem)?;
                    none.insert(Counted { fold: IvrFold::new(self.zone.clone()), next })
                }
            };
            let facts = match feed.read(counted.next, BATCH).await {
                Ok(facts) => facts,
                // Forgotten meanwhile: who has left in the gap would be there for ever, so that all are counted anew.
                Err(FeedError::Gap { oldest, .. }) if oldest > counted.next => {
                    *held = None;
                    continue;
                }
                Err(error) => return Err(problem(error)),
            };
            let Some(last) = facts.last() else {
                return Ok((counted.fold.counts(script, now), counted.next.saturating_sub(1)));
            };
            counted.next = last.number.saturating_add(1);
            facts.iter().for_each(|fact| counted.fold.apply(fact));
        }
        Err(Problem::unavailable("Callers are still being counted; ask again in a second."))
    }
}

fn before(now: Wall, span: Duration) -> Wall {
    let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
    Wall::from_unix_micros(now.unix_micros().saturating_sub(micros))
}

/// The number of the first fact since then, by halves: times rise with numbers.
async fn first_since(feed: &Feed, since: Wall) -> Result<u64, FeedError> {
    let (mut low, mut high) = (1, feed.head().saturating_add(1));
    while low < high {
        let middle = low + (high - low) / 2;
        match feed.read(middle, 1).await {
            Ok(facts) if facts.first().is_some_and(|fact| fact.at < since) => low = middle + 1,
            Ok(_) => high = middle,
            Err(FeedError::Gap { oldest, .. }) if oldest > middle => low = oldest,
            Err(error) => return Err(error),
        }
    }
    Ok(low)
}

fn problem(error: FeedError) -> Problem {
    match error {
        FeedError::Gap { oldest, head } => Problem::gap(oldest, head),
        FeedError::Broken(why) => Problem::unavailable(format!("The log cannot be read: {why}")),
    }
}
