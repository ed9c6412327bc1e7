//! The addresses of `/v1` and those beside it, one file for each subject.

mod bans;
mod capture;
mod commands;
mod conversation;
mod emergency;
mod events;
mod health;
mod ivr;
mod log;
mod recordings;
mod reload;
mod sip;
mod snapshot;

use crate::access::Access;
use crate::config::{Limits, RecordingFiles};
use crate::metrics::Answers;
use crate::problem::Problem;
use crate::stream::{Readers, Source};
use crate::{CommandRequest, Counters, ReloadRequest, ScriptVersions, Scripts};
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{delete, get, post, put};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use tokio::sync::{mpsc, watch};
use trace::Trace;

pub(crate) use ivr::IvrCounts;

/// What every handler has.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) access: Access,
    pub(crate) source: Source,
    pub(crate) readers: Arc<Readers>,
    pub(crate) commands: mpsc::Sender<CommandRequest>,
    pub(crate) trace: Trace,
    pub(crate) recordings: RecordingFiles,
    pub(crate) counters: Counters,
    pub(crate) scripts: watch::Receiver<Arc<Scripts>>,
    pub(crate) versions: ScriptVersions,
    pub(crate) reloads: mpsc::Sender<ReloadRequest>,
    pub(crate) ivr: IvrCounts,
    pub(crate) answers: Arc<Answers>,
    pub(crate) connections_refused: Arc<AtomicU64>,
    pub(crate) limits: Arc<Limits>,
}

/// The route table.
pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/v1/events", get(events::events))
        .route("/v1/log", get(log::log))
        .route("/v1/snapshot", get(snapshot::snapshot))
        .route("/v1/agents/{agent}/state", put(commands::agent_state))
        .route("/v1/calls/{call}", get(snapshot::call).delete(commands::hang_up))
        .route("/v1/calls/{call}/sip", get(sip::messages))
        .route("/v1/calls/{call}/capture", post(capture::of_call))
        .route("/v1/calls/{call}/recording", put(recordings::put).delete(recordings::stop))
        .route("/v1/recordings/{recording}", get(recordings::get))
        .route("/v1/captures", post(capture::of_next_call))
        .route("/v1/ivr", get(ivr::list))
        .route("/v1/ivr/{script}", get(ivr::one))
        .route("/v1/ivr/{script}/graph.svg", get(ivr::graph))
        .route("/v1/ivr/{script}/versions", get(ivr::versions))
        .route("/v1/reload", post(reload::reload))
        .route("/v1/bans", get(bans::list).post(bans::add))
        .route("/v1/bans/{*source}", delete(bans::lift))
        .route("/v1/emergency", get(emergency::list).post(emergency::close))
        .route("/v1/emergency/{scope}", delete(emergency::open))
        .route("/v1/callers/{number}", delete(commands::forget_caller))
        .route("/v1/callbacks/{callback}", delete(commands::cancel_callback))
        .route("/v1/calls/{call}/transfer", post(commands::transfer))
        .route(
            "/v1/calls/{call}/interpreter",
            put(conversation::add_interpreter).delete(conversation::cancel_interpreter),
        )
        .route("/v1/calls/{call}/parties", post(conversation::add))
        .route("/v1/calls/{call}/parties/{leg}", put(conversation::mute).delete(conversation::drop_out))
        .route(
            "/v1/calls/{call}/supervisors/{agent}",
            put(conversation::supervise).delete(conversation::end_supervision),
        )
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .fallback(nowhere)
        .method_not_allowed_fallback(other_method)
        .layer(from_fn_with_state(app.clone(), count))
        .with_state(app)
}

async fn count(State(app): State<App>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    app.answers.count(response.status().as_u16());
    response
}

async fn nowhere(request: Request) -> Problem {
    let path: String = request.uri().path().chars().take(200).collect();
    Problem::not_found(format!("Nothing is at {path}; docs/cti.md lists the addresses."))
}

async fn other_method(request: Request) -> Problem {
    Problem::method(format!("{} is not for this address; docs/cti.md lists the addresses.", request.method()))
}
