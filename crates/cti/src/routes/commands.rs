//! Commands: asked of the engine's thread, answered when what they caused is on disk.

use super::App;
use crate::CommandRequest;
use crate::access::{Grant, Scope};
use crate::problem::Problem;
use crate::wire::sequence;
use axum::Json;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use facts::Command;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use std::time::Duration;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::oneshot;
use tokio::time::timeout;

const NAME_MAX: usize = 200;
const REASON_MAX: usize = 200;

/// `PUT /v1/agents/{agent}/state`
pub(super) async fn agent_state(
    State(app): State<App>,
    grant: Grant,
    agent: Result<Path<String>, PathRejection>,
    body: Body,
) -> Result<Response, Problem> {
    grant.need(Scope::AgentAny)?;
    let agent = name(agent)?;
    ask_for(app, &grant, body, |body| Ok(AgentWanted::read(body)?.command(agent))).await
}

/// `DELETE /v1/calls/{call}`
pub(super) async fn hang_up(
    State(app): State<App>,
    grant: Grant,
    call: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    grant.need(Scope::CallAny)?;
    let call = name(call)?;
    in_time(app.limits.command_wait, ask(app, &grant, Command::HangUp { call })).await
}

/// `DELETE /v1/callbacks/{callback}`
pub(super) async fn cancel_callback(
    State(app): State<App>,
    grant: Grant,
    callback: Result<Path<u64>, PathRejection>,
) -> Result<Response, Problem> {
    grant.need(Scope::CallAny)?;
    let Path(callback) = callback.map_err(|error| Problem::invalid_request(error.body_text()))?;
    in_time(app.limits.command_wait, ask(app, &grant, Command::CancelCallback { callback })).await
}

/// `DELETE /v1/callers/{number}`
pub(super) async fn forget_caller(
    State(app): State<App>,
    grant: Grant,
    number: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    grant.need(Scope::CallerForget)?;
    let number = name(number)?;
    in_time(app.limits.command_wait, ask(app, &grant, Command::ForgetCaller { number })).await
}

/// `POST /v1/calls/{call}/transfer`
pub(super) async fn transfer(
    State(app): State<App>,
    grant: Grant,
    call: Result<Path<String>, PathRejection>,
    body: Body,
) -> Result<Response, Problem> {
    grant.need(Scope::CallAny)?;
    let call = name(call)?;
    ask_for(app, &grant, body, |body| Ok(Command::Transfer { call, to: TransferWanted::read(body)? })).await
}

/// The whole body, if it is not too large. Takes as long as whoever sends it.
pub(super) async fn read_body(app: &App, body: Body) -> Result<Bytes, Problem> {
    let most = app.limits.body_bytes;
    to_bytes(body, most).await.map_err(|_| Problem::too_large(most))
}

/// A body of this form.
pub(super) fn parsed<T: DeserializeOwned>(body: &[u8], form: &str) -> Result<T, Problem> {
    serde_json::from_slice(body)
        .map_err(|error| Problem::invalid_request(format!("The body is wrong: {error}. Send {form}.")))
}

/// Has the engine do what a body asks for, within the time that a command has.
pub(super) async fn ask_for(
    app: App,
    grant: &Grant,
    body: Body,
    command: impl FnOnce(&[u8]) -> Result<Command, Problem>,
) -> Result<Response, Problem> {
    in_time(app.limits.command_wait, async {
        let command = command(&read_body(&app, body).await?)?;
        ask(app, grant, command).await
    })
    .await
}

pub(super) async fn ask(app: App, grant: &Grant, command: Command) -> Result<Response, Problem> {
    let number = done(app, grant, command).await?;
    Ok(Json(json!({"accepted": true, "sequence": sequence(number)})).into_response())
}

/// Has the engine do it; gives the number of its last fact when that is on disk.
pub(super) async fn done(mut app: App, grant: &Grant, command: Command) -> Result<u64, Problem> {
    let (reply, answer) = oneshot::channel();
    let request = CommandRequest { command, by: grant.name().to_owned(), reply };
    app.commands.try_send(request).map_err(|error| match error {
        TrySendError::Full(_) => {
            Problem::capacity("Too many commands wait for the engine; try again shortly.")
        }
        TrySendError::Closed(_) => ended(),
    })?;
    let number = answer.await.map_err(|_| ended())??;
    app.source.feed.reached(number).await;
    Ok(number)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AgentWanted {
    state: StateWanted,
    reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TransferWanted {
    to: String,
}

impl TransferWanted {
    pub(super) fn read(body: &[u8]) -> Result<String, Problem> {
        let wanted: TransferWanted = parsed(body, r#"{"to":"bruno"}"#)?;
        let to = wanted.to.trim();
        let sound = !to.is_empty() && to.chars().count() <= NAME_MAX && !to.contains(char::is_control);
        sound.then(|| to.to_owned()).ok_or_else(|| {
            Problem::invalid_request(format!("`to` is an agent or a number, of 1 to {NAME_MAX} characters."))
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StateWanted {
    Paused,
    Ready,
}

impl AgentWanted {
    fn read(body: &[u8]) -> Result<AgentWanted, Problem> {
        let form = r#"{"state":"paused","reason":"pausa caffè"} or {"state":"ready"}"#;
        let wanted: AgentWanted = parsed(body, form)?;
        match (wanted.state, wanted.reason.as_deref().map(str::trim)) {
            (StateWanted::Ready, None) => Ok(wanted),
            (StateWanted::Ready, Some(_)) => {
                Err(Problem::invalid_request("Only a pause has a reason; leave it out."))
            }
            (StateWanted::Paused, Some(reason)) if is_reason(reason) => Ok(wanted),
            (StateWanted::Paused, _) => Err(Problem::invalid_request(format!(
                "A pause needs a reason of 1 to {REASON_MAX} characters on one line."
            ))),
        }
    }

    fn command(self, agent: String) -> Command {
        match self.state {
            StateWanted::Ready => Command::Ready { agent },
            StateWanted::Paused => {
                Command::Pause { agent, reason: self.reason.unwrap_or_default().trim().to_owned() }
            }
        }
    }
}

pub(super) fn is_reason(reason: &str) -> bool {
    !reason.is_empty() && reason.chars().count() <= REASON_MAX && !reason.contains(char::is_control)
}

pub(super) fn name(path: Result<Path<String>, PathRejection>) -> Result<String, Problem> {
    let Path(name) = path.map_err(|error| Problem::invalid_request(error.body_text()))?;
    if name.chars().count() > NAME_MAX || name.contains(char::is_control) {
        return Err(Problem::not_found(format!(
            "No name has more than {NAME_MAX} characters, or control characters."
        )));
    }
    Ok(name)
}

fn ended() -> Problem {
    Problem::unavailable(
        "The engine takes no commands, for the program is ending; try again when it is back.",
    )
}

/// What comes of a request, if it comes within this time.
pub(super) async fn in_time<T>(
    wait: Duration,
    done: impl Future<Output = Result<T, Problem>>,
) -> Result<T, Problem> {
    let too_late = "It may still be done; read the events to know, before asking again.";
    timeout(wait, done).await.unwrap_or_else(|_| Err(Problem::outcome_unknown(too_late)))
}
