//! Who is in a call beside its two, and who of all hears whom.

use super::App;
use super::commands::{TransferWanted, ask, ask_for, in_time, is_reason, name, parsed};
use crate::access::{Grant, Scope};
use crate::problem::Problem;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use facts::{Command, SupervisionMode};
use serde::Deserialize;

/// Two parts of an address: the call and what is meant of it.
type Two = Result<Path<(String, String)>, PathRejection>;

/// `PUT /v1/calls/{call}/supervisors/{agent}`
pub(super) async fn supervise(
    State(app): State<App>,
    grant: Grant,
    path: Two,
    body: Body,
) -> Result<Response, Problem> {
    grant.need(Scope::Supervise)?;
    let (call, supervisor) = two(path)?;
    ask_for(app, &grant, body, |body| {
        let SupervisionWanted { mode, basis } = SupervisionWanted::read(body)?;
        Ok(Command::Supervise { call, supervisor, mode, basis })
    })
    .await
}

/// `DELETE /v1/calls/{call}/supervisors/{agent}`
pub(super) async fn end_supervision(
    State(app): State<App>,
    grant: Grant,
    path: Two,
) -> Result<Response, Problem> {
    grant.need(Scope::Supervise)?;
    let (call, supervisor) = two(path)?;
    in_time(app.limits.command_wait, ask(app, &grant, Command::EndSupervision { call, supervisor })).await
}

/// `POST /v1/calls/{call}/parties`
pub(super) async fn add(
    State(app): State<App>,
    grant: Grant,
    call: Result<Path<String>, PathRejection>,
    body: Body,
) -> Result<Response, Problem> {
    grant.need(Scope::CallAny)?;
    let call = name(call)?;
    ask_for(app, &grant, body, |body| Ok(Command::AddParty { call, to: TransferWanted::read(body)? })).await
}

/// `PUT /v1/calls/{call}/interpreter`
pub(super) async fn add_interpreter(
    State(app): State<App>,
    grant: Grant,
    call: Result<Path<String>, PathRejection>,
    body: Body,
) -> Result<Response, Problem> {
    grant.need(Scope::CallAny)?;
    let call = name(call)?;
    ask_for(app, &grant, body, |body| {
        let InterpreterWanted { language, queue } = InterpreterWanted::read(body)?;
        Ok(Command::AddInterpreter { call, language, queue })
    })
    .await
}

/// `DELETE /v1/calls/{call}/interpreter`
pub(super) async fn cancel_interpreter(
    State(app): State<App>,
    grant: Grant,
    call: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    grant.need(Scope::CallAny)?;
    let call = name(call)?;
    in_time(app.limits.command_wait, ask(app, &grant, Command::CancelInterpreter { call })).await
}

/// `PUT /v1/calls/{call}/parties/{leg}`
pub(super) async fn mute(
    State(app): State<App>,
    grant: Grant,
    path: Two,
    body: Body,
) -> Result<Response, Problem> {
    grant.need(Scope::CallAny)?;
    let (call, leg) = call_and_leg(path)?;
    ask_for(app, &grant, body, |body| {
        let MuteWanted { muted } = parsed(body, r#"{"muted":true}"#)?;
        Ok(Command::MuteParty { call, leg, muted })
    })
    .await
}

/// `DELETE /v1/calls/{call}/parties/{leg}`
pub(super) async fn drop_out(State(app): State<App>, grant: Grant, path: Two) -> Result<Response, Problem> {
    grant.need(Scope::CallAny)?;
    let (call, leg) = call_and_leg(path)?;
    in_time(app.limits.command_wait, ask(app, &grant, Command::DropParty { call, leg })).await
}

fn two(path: Two) -> Result<(String, String), Problem> {
    let Path((call, what)) = path.map_err(|error| Problem::invalid_request(error.body_text()))?;
    Ok((name(Ok(Path(call)))?, name(Ok(Path(what)))?))
}

fn call_and_leg(path: Two) -> Result<(String, u32), Problem> {
    let (call, leg) = two(path)?;
    let number = leg.parse().map_err(|_| {
        Problem::not_found(format!("No leg is called {leg}: they have numbers, as in leg.created."))
    })?;
    Ok((call, number))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SupervisionWanted {
    mode: SupervisionMode,
    basis: String,
}

impl SupervisionWanted {
    fn read(body: &[u8]) -> Result<SupervisionWanted, Problem> {
        let form = r#"{"mode":"listen","basis":"formazione"}, with `listen`, `whisper` or `barge`"#;
        let wanted: SupervisionWanted = parsed(body, form)?;
        let basis = wanted.basis.trim().to_owned();
        if !is_reason(&basis) {
            return Err(Problem::invalid_request(
                "`basis` says by what right the call is listened to, in 1 to 200 characters on one line.",
            ));
        }
        Ok(SupervisionWanted { basis, ..wanted })
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct InterpreterWanted {
    language: String,
    queue: String,
}

impl InterpreterWanted {
    fn read(body: &[u8]) -> Result<InterpreterWanted, Problem> {
        let wanted: InterpreterWanted = parsed(body, r#"{"language":"ar","queue":"interpreters"}"#)?;
        if !is_reason(&wanted.language) || !is_reason(&wanted.queue) {
            return Err(Problem::invalid_request(
                "`language` and `queue` are names, in 1 to 200 characters on one line.",
            ));
        }
        Ok(wanted)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MuteWanted {
    muted: bool,
}
