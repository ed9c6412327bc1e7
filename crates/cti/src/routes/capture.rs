//! `POST /v1/calls/{call}/capture` and `POST /v1/captures`: what goes over the wire in one call, as a file that
//! comes while the call goes on.

use super::App;
use super::commands::{done, in_time, name, read_body};
use crate::CommandRequest;
use crate::access::{Grant, Pass, Scope};
use crate::problem::Problem;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use facts::Command;
use futures_util::stream;
use serde::Deserialize;
use std::convert::Infallible;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot, watch};
use trace::{Capture, CaptureLimits};

const SECONDS: u64 = 600;
const SECONDS_MAX: u64 = 3600;
const MEGABYTES: u64 = 50;
const MEGABYTES_MAX: u64 = 500;
const FORM: &str =
    r#"{"seconds":600,"megabytes":50}, for the next call {"number":"+390612345678"} and "wait_seconds" too"#;

/// What is wanted; all of it has an answer if it is left out, but the number of a call to come.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    number: Option<String>,
    seconds: Option<u64>,
    megabytes: Option<u64>,
    wait_seconds: Option<u64>,
}

pub(super) async fn of_call(
    State(app): State<App>,
    grant: Grant,
    call: Result<Path<String>, PathRejection>,
    body: Body,
) -> Result<Response, Problem> {
    grant.need(Scope::CallCapture)?;
    grant.need_all()?;
    let call = name(call)?;
    let wanted = Wanted::read(&app, body).await?;
    if wanted.number.is_some() || wanted.wait_seconds.is_some() {
        return Err(Problem::invalid_request("A call is named already; POST /v1/captures takes a number."));
    }
    begin(app, &grant, &wanted, |capture| Command::Capture { call, capture }).await
}

pub(super) async fn of_next_call(
    State(app): State<App>,
    grant: Grant,
    body: Body,
) -> Result<Response, Problem> {
    grant.need(Scope::CallCapture)?;
    grant.need_all()?;
    let wanted = Wanted::read(&app, body).await?;
    let number = wanted.number.clone().filter(|number| (1..=200).contains(&number.len()));
    let number = number.ok_or_else(|| {
        Problem::invalid_request("Send the number whose next call is meant: {\"number\":\"+390612345678\"}.")
    })?;
    begin(app, &grant, &wanted, |capture| Command::CaptureNext { number, capture }).await
}

async fn begin(
    app: App,
    grant: &Grant,
    wanted: &Wanted,
    command: impl FnOnce(u64) -> Command,
) -> Result<Response, Problem> {
    let capture = app.trace.begin_capture(wanted.limits()?).ok_or_else(|| {
        Problem::capacity("As many captures as allowed are going on; end one, or try again later.")
    })?;
    let command = command(capture.id);
    let running = Running {
        _end: End { commands: app.commands.clone(), capture: capture.id, by: grant.name().to_owned() },
        capture,
        shutdown: app.source.shutdown.clone(),
        pass: app.access.pass(grant.clone()),
    };
    in_time(app.limits.command_wait, done(app, grant, command)).await?;
    let pieces = stream::unfold(running, |mut running| async {
        let piece = running.next().await?;
        Some((Ok::<_, Infallible>(piece), running))
    });
    let headers = [
        (header::CONTENT_TYPE, "application/x-pcapng"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"call.pcapng\""),
    ];
    Ok((headers, Body::from_stream(pieces)).into_response())
}

/// A capture whose file is on its way.
struct Running {
    capture: Capture,
    shutdown: watch::Receiver<bool>,
    pass: Pass,
    /// Dropped with the rest when whoever asked has gone.
    _end: End,
}

impl Running {
    async fn next(&mut self) -> Option<Vec<u8>> {
        tokio::select! {
            biased;
            () = self.pass.is_revoked() => None,
            piece = self.capture.next() => piece,
            _ = self.shutdown.wait_for(|stop| *stop) => None,
        }
    }
}

/// Tells the engine that the capture is over, however it came to that.
struct End {
    commands: mpsc::Sender<CommandRequest>,
    capture: u64,
    by: String,
}

impl Drop for End {
    fn drop(&mut self) {
        let (reply, _) = oneshot::channel();
        let command = Command::EndCapture { capture: self.capture };
        let request = CommandRequest { command, by: std::mem::take(&mut self.by), reply };
        let Err(TrySendError::Full(request)) = self.commands.try_send(request) else { return };
        // Otherwise media would be copied for nobody until the call ends. As many may wait as may capture.
        if let Ok(runtime) = Handle::try_current() {
            let commands = self.commands.clone();
            runtime.spawn(async move { commands.send(request).await.is_ok() });
        }
    }
}

impl Wanted {
    /// Nothing at all is the usual capture.
    async fn read(app: &App, body: Body) -> Result<Wanted, Problem> {
        let body = in_time(app.limits.command_wait, read_body(app, body)).await?;
        if body.is_empty() {
            return Ok(Wanted::default());
        }
        serde_json::from_slice(&body)
            .map_err(|error| Problem::invalid_request(format!("The body is wrong: {error}. Send {FORM}.")))
    }

    fn limits(&self) -> Result<CaptureLimits, Problem> {
        let within = |value: Option<u64>, otherwise: u64, most: u64, what: &str| {
            let value = value.unwrap_or(otherwise);
            let wrong = || Problem::invalid_request(format!("{what} is {value}; ask for 1 to {most}."));
            if (1..=most).contains(&value) { Ok(value) } else { Err(wrong()) }
        };
        Ok(CaptureLimits {
            wait: Duration::from_secs(within(self.wait_seconds, SECONDS, SECONDS_MAX, "wait_seconds")?),
            length: Duration::from_secs(within(self.seconds, SECONDS, SECONDS_MAX, "seconds")?),
            bytes: within(self.megabytes, MEGABYTES, MEGABYTES_MAX, "megabytes")? * 1_000_000,
        })
    }
}
