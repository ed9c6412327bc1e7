//! `POST /v1/reload`: the configuration is read again, and comes into force whole or not at all.

use super::App;
use super::commands::in_time;
use crate::ReloadRequest;
use crate::access::{Grant, Scope};
use crate::problem::Problem;
use crate::wire::sequence;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::oneshot;

/// Answers when what came of it is on disk.
pub(super) async fn reload(State(mut app): State<App>, grant: Grant) -> Result<Response, Problem> {
    grant.need(Scope::ConfigReload)?;
    grant.need_all()?;
    in_time(app.limits.reload_wait, async {
        let (reply, answer) = oneshot::channel();
        app.reloads.try_send(ReloadRequest { reply }).map_err(|error| match error {
            TrySendError::Full(_) => {
                Problem::capacity("The configuration is being read; ask again when that is done.")
            }
            TrySendError::Closed(_) => ended(),
        })?;
        match answer.await.map_err(|_| ended())? {
            Ok(done) => {
                app.source.feed.reached(done.fact).await;
                let body =
                    json!({ "accepted": true, "version": done.version, "sequence": sequence(done.fact) });
                Ok(Json(body).into_response())
            }
            Err(findings) => {
                let detail =
                    format!("The configuration has faults, and what ran goes on: {}", findings.join(" · "));
                Err(Problem::unsound(detail).with("findings", findings))
            }
        }
    })
    .await
}

fn ended() -> Problem {
    Problem::unavailable("The exchange is ending.")
}
