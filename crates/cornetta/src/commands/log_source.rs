//! Where the commands read facts: the data folder of an exchange that is not running, or the web address of
//! one that is.

use crate::cli::LogFrom;
use anyhow::{Context as _, Result, bail};
use facts::Fact;
use journal::{Journal, JournalError};
use std::path::Path;
use std::time::Duration;
use ureq::Agent;
use ureq::http::Response;

/// Facts read at a time.
const BATCH: usize = 1000;
/// A batch of the longest facts is far smaller.
const BATCH_BYTES_MAX: u64 = 64 * 1024 * 1024;
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const ANSWERED_WITHIN: Duration = Duration::from_secs(30);
const TOKEN_VARIABLE: &str = "CORNETTA_TOKEN";

/// A log to be read.
pub(super) enum LogSource {
    /// A file.
    Folder(Journal),
    /// A running exchange.
    Web(Web),
}

/// A part of the log.
pub(super) struct Batch {
    pub(super) facts: Vec<Fact>,
    /// The number to ask for next.
    pub(super) next: u64,
    /// The number of the last fact on disk.
    pub(super) head: u64,
}

impl LogSource {
    /// The source that the command line names.
    pub(super) fn open(from: &LogFrom) -> Result<LogSource> {
        match &from.url {
            Some(url) => Web::new(url, token(from)?).map(LogSource::Web),
            None => open_folder(&from.data).map(LogSource::Folder),
        }
    }

    /// Facts come to it while it is read.
    pub(super) fn is_live(&self) -> bool {
        matches!(self, LogSource::Web(_))
    }

    /// The numbers of the oldest fact that is kept and of the last one.
    pub(super) fn range(&self) -> Result<(u64, u64)> {
        match self {
            LogSource::Folder(journal) => Ok(journal.range()?),
            LogSource::Web(web) => {
                let batch = web.get("max=1")?;
                let oldest = batch.facts.first().map_or(batch.next, |fact| fact.number);
                Ok((oldest, batch.head))
            }
        }
    }

    /// Some facts from `from` on, of one call alone if it is given.
    pub(super) fn batch(&self, from: u64, call: Option<&str>) -> Result<Batch> {
        match self {
            LogSource::Folder(journal) => {
                let mut facts = journal.read(from, BATCH)?;
                let next = facts.last().map_or(from, |fact| fact.number + 1);
                facts.retain(|fact| call.is_none_or(|call| fact.call.as_deref() == Some(call)));
                Ok(Batch { facts, next, head: journal.durable_head() })
            }
            LogSource::Web(web) => {
                let of_call = call.map(|call| format!("&call={}", in_query(call))).unwrap_or_default();
                web.get(&format!("from={from}&max={BATCH}{of_call}"))
            }
        }
    }
}

fn open_folder(data: &Path) -> Result<Journal> {
    let path = data.join("facts.redb");
    if !path.is_file() {
        bail!(
            "there is no log {}; name the data folder with --data, or ask a running exchange with --url http://127.0.0.1:8080",
            path.display()
        );
    }
    match Journal::open(&path, journal::Config::default()) {
        Ok((journal, _)) => Ok(journal),
        Err(JournalError::Store(error)) if error.in_use => bail!(
            "{} is in use by an exchange that runs; ask that one: --url http://127.0.0.1:8080 (its `listen` under [http]), with --token-file if it has tokens",
            path.display()
        ),
        Err(error) => Err(error.into()),
    }
}

/// From the command line, a file, or the environment; a program's arguments are seen by everyone on a machine.
fn token(from: &LogFrom) -> Result<Option<String>> {
    if let Some(path) = &from.token_file {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("the token file {} cannot be read", path.display()))?;
        return Ok(Some(text.trim().to_owned()));
    }
    Ok(from.token.clone().or_else(|| std::env::var(TOKEN_VARIABLE).ok()))
}

/// A running exchange's `/v1/log`.
pub(super) struct Web {
    agent: Agent,
    address: String,
    authorization: Option<String>,
}

impl Web {
    fn new(url: &str, token: Option<String>) -> Result<Web> {
        if !url.starts_with("http://") {
            bail!("{url} is not an http:// address; give the exchange's own, such as http://127.0.0.1:8080");
        }
        let config = Agent::config_builder()
            .timeout_connect(Some(CONNECT_WITHIN))
            .timeout_global(Some(ANSWERED_WITHIN))
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .build();
        let address = format!("{}/v1/log", url.trim_end_matches('/'));
        let authorization = token.map(|token| format!("Bearer {token}"));
        Ok(Web { agent: Agent::new_with_config(config), address, authorization })
    }

    fn get(&self, query: &str) -> Result<Batch> {
        let mut request = self.agent.get(format!("{}?{query}", self.address));
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        let mut response = request.call().with_context(|| {
            format!(
                "{} cannot be reached; is the exchange running, and is this its web address?",
                self.address
            )
        })?;
        let body = response.body_mut().with_config().limit(BATCH_BYTES_MAX).read_to_string()?;
        if response.status() != 200 {
            bail!(refusal(&self.address, response.status().as_u16(), &body));
        }
        let facts = body.lines().map(serde_json::from_str).collect::<Result<Vec<Fact>, _>>();
        let facts =
            facts.context("the exchange writes facts that this program does not know; use its own")?;
        Ok(Batch {
            facts,
            next: number(&response, "cornetta-next")?,
            head: number(&response, "cornetta-head")?,
        })
    }
}

fn number<T>(response: &Response<T>, name: &str) -> Result<u64> {
    let value = response.headers().get(name).and_then(|value| value.to_str().ok()?.parse().ok());
    value.with_context(|| format!("the answer has no {name}; is it a Cornetta of this version that answers?"))
}

/// What the problem document says, and the option that helps.
fn refusal(address: &str, status: u16, body: &str) -> String {
    let problem: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let detail = problem.get("detail").and_then(|detail| detail.as_str()).unwrap_or("it gives no reason");
    let next = match status {
        401 => "; give a token with --token-file, --token or CORNETTA_TOKEN",
        403 => "; use a token that has events:read and pii:clear",
        _ => "",
    };
    format!("{address} answers {status}: {detail}{next}")
}

/// Text as a value in a query (RFC 3986 §2.1).
fn in_query(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
