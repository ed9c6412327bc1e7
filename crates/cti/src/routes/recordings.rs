//! `PUT` and `DELETE /v1/calls/{call}/recording`, and `GET /v1/recordings/{recording}`: what is recorded, and what was.

use super::App;
use super::commands::{ask, done, in_time, is_reason, name, read_body};
use crate::access::{Grant, Scope};
use crate::problem::Problem;
use crate::wire::sequence;
use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use facts::{Command, FactKind, Recorded};
use futures_util::stream;
use serde::Deserialize;
use serde_json::json;
use std::fs::File;
use std::io::{self, Read};
use std::time::Duration;

/// A file is read and sent in pieces of so many bytes.
const PIECE: usize = 64 * 1024;
/// A command causes its fact and few others.
const CAUSED: u64 = 8;
const SILENCE_SECONDS: u64 = 5;
const SILENCE_SECONDS_MAX: u64 = 60;
const LONGEST_SECONDS: u64 = 180;
const LONGEST_SECONDS_MAX: u64 = 3600;
const KEYS: &str = "0123456789*#ABCD";
const FORM: &str = r#"{"basis":"verbale"} to begin, with "of":"message" if only the caller is meant, {"paused":true} or {"paused":false}"#;

/// `PUT /v1/calls/{call}/recording`
pub(super) async fn put(
    State(app): State<App>,
    grant: Grant,
    call: Result<Path<String>, PathRejection>,
    body: Body,
) -> Result<Response, Problem> {
    grant.need(Scope::Record)?;
    let call = name(call)?;
    in_time(app.limits.command_wait, async {
        match Wanted::read(&read_body(&app, body).await?)?.meaning()? {
            Meaning::Pause(paused) => ask(app, &grant, Command::PauseRecording { call, paused }).await,
            Meaning::Begin(what, basis) => begin(app, &grant, call, what, basis).await,
        }
    })
    .await
}

/// `DELETE /v1/calls/{call}/recording`
pub(super) async fn stop(
    State(app): State<App>,
    grant: Grant,
    call: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    grant.need(Scope::Record)?;
    let call = name(call)?;
    in_time(app.limits.command_wait, ask(app, &grant, Command::StopRecording { call })).await
}

/// The answer names the recording, as the fact does that it has caused.
async fn begin(
    app: App,
    grant: &Grant,
    call: String,
    what: Recorded,
    basis: String,
) -> Result<Response, Problem> {
    let command = Command::Record { call: call.clone(), what, basis };
    let number = done(app.clone(), grant, command).await?;
    let caused = app.source.feed.read(number.saturating_sub(CAUSED).max(1), CAUSED as usize + 1).await;
    let recording = caused.unwrap_or_default().into_iter().rev().find_map(|fact| match fact.kind {
        FactKind::RecordingStarted { recording, .. } if fact.call.as_ref() == Some(&call) => Some(recording),
        _ => None,
    });
    let answer = json!({"accepted": true, "sequence": sequence(number), "recording": recording});
    Ok(Json(answer).into_response())
}

/// `GET /v1/recordings/{recording}`: the file as it is by now, which may still grow.
pub(super) async fn get(
    State(app): State<App>,
    grant: Grant,
    recording: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    grant.need(Scope::RecordingRead)?;
    let recording = name(recording)?;
    let seen = grant.sees().has_name(&recording);
    let path = app.recordings.path_of(&recording).filter(|_| seen).ok_or_else(|| none(&recording))?;
    let opened = blocking(move || {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok((file, length))
    });
    let (file, length) = opened.await.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => none(&recording),
        _ => Problem::unavailable(format!("The recording cannot be read: {error}.")),
    })?;
    tracing::info!(recording, by = grant.name(), "a recording is read");
    let own = recording.rsplit('/').next().unwrap_or_default();
    let headers = [
        (header::CONTENT_TYPE, "audio/wav".to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{own}.wav\"")),
    ];
    Ok((headers, Body::from_stream(stream::try_unfold(file.take(length), piece))).into_response())
}

/// The next piece of a file, if it is not at its end.
async fn piece(mut file: io::Take<File>) -> io::Result<Option<(Vec<u8>, io::Take<File>)>> {
    blocking(move || {
        let mut bytes = vec![0; PIECE];
        let read = file.read(&mut bytes)?;
        bytes.truncate(read);
        Ok((read > 0).then_some((bytes, file)))
    })
    .await
}

/// Does what may wait for a disk, where nobody else waits for it.
async fn blocking<T: Send + 'static>(act: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(act).await.map_err(io::Error::other)?
}

fn none(recording: &str) -> Problem {
    Problem::not_found(format!("There is no recording {recording}; `recording.started` tells the ids."))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    of: Option<Of>,
    basis: Option<String>,
    paused: Option<bool>,
    silence_seconds: Option<u64>,
    longest_seconds: Option<u64>,
    key: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Of {
    Call,
    Message,
}

#[derive(Debug)]
enum Meaning {
    Begin(Recorded, String),
    Pause(bool),
}

impl Wanted {
    fn read(body: &[u8]) -> Result<Wanted, Problem> {
        serde_json::from_slice(body)
            .map_err(|error| Problem::invalid_request(format!("The body is wrong: {error}. Send {FORM}.")))
    }

    fn meaning(self) -> Result<Meaning, Problem> {
        let limits = self.silence_seconds.is_some() || self.longest_seconds.is_some() || self.key.is_some();
        match (self.paused, &self.basis) {
            (Some(paused), None) if self.of.is_none() && !limits => Ok(Meaning::Pause(paused)),
            (None, Some(basis)) if is_reason(basis.trim()) => {
                let basis = basis.trim().to_owned();
                match self.of.unwrap_or(Of::Call) {
                    Of::Call if limits => Err(Problem::invalid_request(
                        "A call is recorded until it ends; only a message has limits and a key.",
                    )),
                    Of::Call => Ok(Meaning::Begin(Recorded::Call, basis)),
                    Of::Message => Ok(Meaning::Begin(self.message()?, basis)),
                }
            }
            (None, _) => Err(Problem::invalid_request(
                "`basis` says by what right the call is recorded, in 1 to 200 characters on one line.",
            )),
            (Some(_), _) => {
                Err(Problem::invalid_request(format!("A pause is wanted alone, or a begin. Send {FORM}.")))
            }
        }
    }

    fn message(&self) -> Result<Recorded, Problem> {
        let seconds = |value: Option<u64>, otherwise: u64, most: u64, what: &str| {
            let value = value.unwrap_or(otherwise);
            let wrong = || Problem::invalid_request(format!("{what} is {value}; write 1 to {most}."));
            if (1..=most).contains(&value) { Ok(Duration::from_secs(value)) } else { Err(wrong()) }
        };
        let key = match self.key.as_deref().map(|key| (key, key.chars().next())) {
            None => None,
            Some((written, Some(key))) if written.len() == 1 && KEYS.contains(key) => Some(key),
            Some((written, _)) => {
                return Err(Problem::invalid_request(format!("`{written}` is no key; write one of {KEYS}.")));
            }
        };
        Ok(Recorded::Message {
            silence: seconds(self.silence_seconds, SILENCE_SECONDS, SILENCE_SECONDS_MAX, "silence_seconds")?,
            longest: seconds(self.longest_seconds, LONGEST_SECONDS, LONGEST_SECONDS_MAX, "longest_seconds")?,
            key,
        })
    }
}
