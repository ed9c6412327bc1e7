//! `GET /v1/log`: the stored facts as they are, in batches. The face of the program's own commands, which cannot
//! open the log's file while the exchange has it.

use super::App;
use crate::access::{Grant, Scope};
use crate::feed::{Feed, FeedError};
use crate::problem::Problem;
use crate::sight::Sight;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use facts::Fact;
use serde::Deserialize;

/// The most facts in an answer, and those read at a time.
const BATCH_MAX: usize = 1000;
/// The most facts looked at for an answer that wants some of them alone: those of one call, or of a body.
const LOOKED_AT_MAX: usize = 10_000;
/// The number to ask for next.
const NEXT: HeaderName = HeaderName::from_static("cornetta-next");
/// The number of the last fact on disk.
const HEAD: HeaderName = HeaderName::from_static("cornetta-head");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogQuery {
    from: Option<u64>,
    max: Option<usize>,
    call: Option<String>,
}

pub(super) async fn log(
    State(app): State<App>,
    grant: Grant,
    query: Result<Query<LogQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    grant.need(Scope::EventsRead)?;
    grant.need(Scope::PiiClear)?;
    let Query(query) = query.map_err(|error| Problem::invalid_request(error.body_text()))?;
    let max = query.max.unwrap_or(BATCH_MAX);
    if max == 0 || max > BATCH_MAX {
        return Err(Problem::invalid_request(format!("max is {max}; ask for 1 to {BATCH_MAX}.")));
    }
    let feed = &app.source.feed;
    let from = match query.from {
        Some(from) => from.max(1),
        None => oldest(feed).await?,
    };
    let sight = grant.sees();
    let batch = match (&query.call, &sight) {
        (None, Sight(None)) => whole(feed, from, max).await?,
        (call, sight) => {
            let wanted = |fact: &Fact| {
                sight.has_fact(fact) && call.as_ref().is_none_or(|call| fact.call.as_ref() == Some(call))
            };
            picked(feed, from, max, wanted).await?
        }
    };
    let kind = (header::CONTENT_TYPE, "application/x-ndjson".to_owned());
    let headers = [kind, (NEXT, batch.next.to_string()), (HEAD, feed.head().to_string())];
    Ok((headers, lines(&batch.facts)?).into_response())
}

struct Batch {
    facts: Vec<Fact>,
    next: u64,
}

/// The number of the oldest fact that is kept.
async fn oldest(feed: &Feed) -> Result<u64, Problem> {
    match feed.read(1, 1).await {
        Ok(_) => Ok(1),
        Err(FeedError::Gap { oldest, .. }) => Ok(oldest),
        Err(FeedError::Broken(why)) => Err(broken(why)),
    }
}

async fn whole(feed: &Feed, from: u64, max: usize) -> Result<Batch, Problem> {
    let facts = feed.read(from, max).await.map_err(problem)?;
    let next = facts.last().map_or(from, |last| last.number.saturating_add(1));
    Ok(Batch { facts, next })
}

/// Looks on until there are enough, the log ends, or it has looked for long enough: `next` says where.
async fn picked(
    feed: &Feed,
    from: u64,
    max: usize,
    wanted: impl Fn(&Fact) -> bool,
) -> Result<Batch, Problem> {
    let mut found = Batch { facts: Vec::new(), next: from };
    for _ in 0..LOOKED_AT_MAX / BATCH_MAX {
        let read = whole(feed, found.next, BATCH_MAX).await?;
        let read_all = read.facts.is_empty();
        for fact in read.facts {
            if found.facts.len() == max {
                return Ok(found);
            }
            found.next = fact.number.saturating_add(1);
            if wanted(&fact) {
                found.facts.push(fact);
            }
        }
        if read_all {
            break;
        }
    }
    Ok(found)
}

fn lines(facts: &[Fact]) -> Result<Vec<u8>, Problem> {
    let mut lines = Vec::new();
    for fact in facts {
        serde_json::to_writer(&mut lines, fact).map_err(|error| broken(error.to_string()))?;
        lines.push(b'\n');
    }
    Ok(lines)
}

fn problem(error: FeedError) -> Problem {
    match error {
        FeedError::Gap { oldest, head } => Problem::gap(oldest, head),
        FeedError::Broken(why) => broken(why),
    }
}

fn broken(why: impl std::fmt::Display) -> Problem {
    Problem::unavailable(format!("The log cannot be read: {why}"))
}
