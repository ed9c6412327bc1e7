//! What a supervisor and Prometheus ask.

use super::App;
use crate::access::{Peer, Scope};
use crate::metrics::{Figures, page, page_of_body};
use crate::problem::Problem;
use crate::sight::Sight;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use std::sync::atomic::Ordering;

/// `GET /healthz`: the process answers.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: facts reach the disk and the engine takes commands.
pub(super) async fn ready(State(app): State<App>) -> Result<&'static str, Problem> {
    if app.commands.is_closed() {
        return Err(Problem::unavailable("The engine does not run."));
    }
    if let Err(why) = app.source.feed.healthy() {
        return Err(Problem::unavailable(format!("The log cannot write: {why}")));
    }
    Ok("ready\n")
}

/// `GET /metrics`: open to this machine, to others with `metrics:read`. A token of a body is shown that body alone.
pub(super) async fn metrics(State(mut app): State<App>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let peer = Peer::of(&parts);
    let here = peer.is_this_machine(&parts.headers);
    let sight = match app.access.admit(&parts.headers, peer) {
        Err(_) if here => Sight::default(),
        grant => {
            let grant = grant?;
            if !here {
                grant.need(Scope::MetricsRead)?;
            }
            grant.sees()
        }
    };
    let mut snapshot = app.source.feed.snapshot().await;
    sight.of(&mut snapshot);
    if sight != Sight::default() {
        return Ok(in_text(page_of_body(&snapshot)));
    }
    let head = app.source.feed.head();
    let figures = Figures {
        head,
        readers: app.readers.count(),
        lag_max: app.readers.lag_max(head),
        connections_refused: app.connections_refused.load(Ordering::Relaxed),
        journal_healthy: app.source.feed.healthy().is_ok(),
        answers: &app.answers,
        counters: (app.counters.0)(),
    };
    Ok(in_text(page(&snapshot, &figures)))
}

fn in_text(page: String) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], page).into_response()
}
