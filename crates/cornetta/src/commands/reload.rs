//! `cornetta reload`: a running exchange reads its configuration again.

use super::web::Web;
use crate::cli::{Running, TokenFrom};
use crate::say::say;
use anyhow::{Context as _, Result};
use std::process::ExitCode;

pub(super) fn run(exchange: &Running) -> Result<ExitCode> {
    say!("in force: {}", reload(&exchange.url, &exchange.token)?);
    Ok(ExitCode::SUCCESS)
}

/// Has it done, and gives the configuration's version; every fault, if there are any.
pub(super) fn reload(url: &str, token: &TokenFrom) -> Result<String> {
    let mut answer = Web::new(url, token, "config:reload")?.post("/v1/reload", "")?;
    let body: serde_json::Value = serde_json::from_str(&answer.body_mut().read_to_string()?)?;
    let version = body.get("version").and_then(|version| version.as_str());
    Ok(version.context("the exchange answers otherwise than this program")?.to_owned())
}
