//! `cornetta bans`: who is kept out of SIP, and what a person does about it.

use super::log_source::LogSource;
use super::web::Web;
use crate::cli::{Bans, Running};
use anyhow::Result;
use facts::BanNow;
use serde_json::json;
use std::io::{Write, stdout};
use std::process::ExitCode;

pub(super) fn run(command: &Bans) -> Result<ExitCode> {
    match command {
        Bans::List { log, json } => list(&LogSource::open(log)?, *json)?,
        Bans::Lift { source, exchange } => {
            change(exchange, &format!("/v1/bans/{source}"), None)?;
            writeln!(stdout(), "{source} is let in again")?;
        }
        Bans::Add { source, reason, length, exchange } => {
            let body = json!({ "source": source, "seconds": length.as_secs(), "reason": reason });
            change(exchange, "/v1/bans", Some(&body.to_string()))?;
            writeln!(stdout(), "{source} is kept out for {}", span(length.as_secs()))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(log: &LogSource, as_json: bool) -> Result<()> {
    let mut out = stdout().lock();
    let bans = log.bans()?;
    if bans.is_empty() && !as_json {
        writeln!(out, "nobody is kept out")?;
    }
    for now in bans.values() {
        match as_json {
            true => writeln!(out, "{}", serde_json::to_string(now)?)?,
            false => writeln!(out, "{}", line(now))?,
        }
    }
    Ok(())
}

fn line(now: &BanNow) -> String {
    let (since, until) = (super::time_of_day(now.since()), super::time_of_day(now.until()));
    let (since, until) = (whole_seconds(&since), whole_seconds(&until));
    let BanNow { ban, .. } = now;
    let length = span(ban.seconds);
    format!("{:<24} {since} to {until} ({length})  {}: {}", ban.source, ban.rule, ban.sentence_en())
}

fn whole_seconds(time: &str) -> &str {
    time.split_once('.').map_or(time, |(seconds, _)| seconds)
}

fn span(seconds: u64) -> String {
    match seconds {
        whole if whole % 3600 == 0 => format!("{} h", whole / 3600),
        whole if whole % 60 == 0 => format!("{} min", whole / 60),
        other => format!("{other} s"),
    }
}

/// Asks a running exchange: nobody else keeps anybody out.
fn change(exchange: &Running, path: &str, body: Option<&str>) -> Result<()> {
    Web::new(&exchange.url, &exchange.token, "security:any")?.change(path, body)
}
