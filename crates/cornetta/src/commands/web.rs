//! A running exchange's web address, asked by the program's own commands.

use crate::cli::TokenFrom;
use anyhow::{Context as _, Result, bail};
use std::time::Duration;
use ureq::http::Response;
use ureq::{Agent, Body, RequestBuilder};

/// The longest answer that is read whole: a thousand of the longest facts are far smaller.
const ANSWER_BYTES_MAX: u64 = 512 * 1024 * 1024;
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const ANSWERED_WITHIN: Duration = Duration::from_secs(30);
const TOKEN_VARIABLE: &str = "CORNETTA_TOKEN";

/// A running exchange.
pub(super) struct Web {
    agent: Agent,
    address: String,
    authorization: Option<String>,
    /// What a token must have, for people.
    scopes: &'static str,
}

impl Web {
    /// The exchange at `url`, asked with the token that the command line names.
    pub(super) fn new(url: &str, from: &TokenFrom, scopes: &'static str) -> Result<Web> {
        if !url.starts_with("http://") {
            bail!("{url} is not an http:// address; give the exchange's own, such as http://127.0.0.1:8080");
        }
        let config = Agent::config_builder()
            .timeout_connect(Some(CONNECT_WITHIN))
            .timeout_recv_response(Some(ANSWERED_WITHIN))
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .build();
        let address = url.trim_end_matches('/').to_owned();
        let authorization = token(from)?.map(|token| format!("Bearer {token}"));
        Ok(Web { agent: Agent::new_with_config(config), address, authorization, scopes })
    }

    /// The whole answer.
    pub(super) fn get(&self, path: &str) -> Result<(Response<Body>, String)> {
        let request = self.authorized(self.agent.get(self.url(path)));
        let mut response = self.accepted(path, request.call())?;
        let body = response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string()?;
        Ok((response, body))
    }

    /// An answer that goes on coming.
    pub(super) fn post(&self, path: &str, body: &str) -> Result<Response<Body>> {
        let request = self.authorized(self.agent.post(self.url(path)));
        self.accepted(path, request.content_type("application/json").send(body))
    }

    /// Asks for a change: POST with a body, DELETE without one.
    pub(super) fn change(&self, path: &str, body: Option<&str>) -> Result<()> {
        if let Some(body) = body {
            return self.post(path, body).map(drop);
        }
        let request = self.authorized(self.agent.delete(self.url(path)));
        self.accepted(path, request.call()).map(drop)
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    fn authorized<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        match &self.authorization {
            Some(authorization) => request.header("Authorization", authorization),
            None => request,
        }
    }

    fn accepted(&self, path: &str, answer: Result<Response<Body>, ureq::Error>) -> Result<Response<Body>> {
        let address = self.url(path.split('?').next().unwrap_or_default());
        let mut response = answer.with_context(|| {
            format!("{address} cannot be reached; is the exchange running, and is this its web address?")
        })?;
        if response.status() != 200 {
            let body = response.body_mut().read_to_string()?;
            bail!(self.refusal(&address, response.status().as_u16(), &body));
        }
        Ok(response)
    }

    /// What the problem document says, and the option that helps.
    fn refusal(&self, address: &str, status: u16, body: &str) -> String {
        let problem: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
        let detail = problem.get("detail").and_then(|detail| detail.as_str()).unwrap_or("it gives no reason");
        let next = match status {
            401 => "; give a token with --token-file, --token or CORNETTA_TOKEN".to_owned(),
            403 => format!("; use a token that has {}", self.scopes),
            _ => String::new(),
        };
        format!("{address} answers {status}: {detail}{next}")
    }
}

/// From the command line, a file, or the environment; a program's arguments are seen by everyone on a machine.
fn token(from: &TokenFrom) -> Result<Option<String>> {
    if let Some(path) = &from.token_file {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("the token file {} cannot be read", path.display()))?;
        return Ok(Some(text.trim().to_owned()));
    }
    Ok(from.token.clone().or_else(|| std::env::var(TOKEN_VARIABLE).ok()))
}

/// Text as a part of a path, or as a value in a query, (RFC 3986 §2.1).
pub(super) fn in_query(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
