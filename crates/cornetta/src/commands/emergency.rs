//! `cornetta emergency`: desks that a person closes at once, and lets go by their calendars again.

use super::log_source::LogSource;
use super::web::{Web, in_query};
use crate::cli::{Emergency, Running};
use anyhow::Result;
use facts::EmergencyNow;
use serde_json::json;
use std::io::{Write, stdout};
use std::process::ExitCode;

pub(super) fn run(command: &Emergency) -> Result<ExitCode> {
    match command {
        Emergency::List { log, json } => list(&LogSource::open(log)?, *json)?,
        Emergency::Close { scope, reason, message, exchange } => {
            let message = message.as_deref().unwrap_or_default();
            let body = json!({ "scope": scope.to_string(), "message": message, "reason": reason });
            change(exchange, "/v1/emergency", Some(&body.to_string()))?;
            writeln!(stdout(), "{scope} is closed; `cornetta emergency open {scope}` opens it again")?;
        }
        Emergency::Open { scope, exchange } => {
            let scope = scope.to_string();
            change(exchange, &format!("/v1/emergency/{}", in_query(&scope)), None)?;
            writeln!(stdout(), "{scope} goes by its calendars again")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(log: &LogSource, as_json: bool) -> Result<()> {
    let mut out = stdout().lock();
    let closed = log.emergencies()?;
    if closed.is_empty() && !as_json {
        writeln!(out, "nothing is closed by command")?;
    }
    for now in closed.values() {
        match as_json {
            true => writeln!(out, "{}", serde_json::to_string(now)?)?,
            false => writeln!(out, "{}", line(now))?,
        }
    }
    Ok(())
}

fn line(now: &EmergencyNow) -> String {
    let EmergencyNow { closed, .. } = now;
    let said = if closed.message.is_empty() { String::new() } else { format!("  says {}", closed.message) };
    let since = super::day_and_time(now.since());
    format!("{:<24} since {since} by {}: {}{said}", closed.scope, closed.by, closed.reason)
}

/// Asks a running exchange: nobody else closes anything.
fn change(exchange: &Running, path: &str, body: Option<&str>) -> Result<()> {
    Web::new(&exchange.url, &exchange.token, "emergency:any")?.change(path, body)
}
