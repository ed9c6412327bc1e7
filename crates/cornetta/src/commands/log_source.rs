//! Where the commands read facts: the data folder of an exchange that is not running, or the web address of
//! one that is.

use super::web::{Web, in_query};
use crate::cli::LogFrom;
use crate::config::TRACE_FOLDER;
use anyhow::{Context as _, Result, bail};
use facts::{BanNow, EmergencyNow, Fact};
use journal::{Journal, JournalError};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use trace::Found;
use ureq::http::Response;

/// Facts read at a time.
const BATCH: usize = 1000;
/// What may read the log over the web.
const SCOPES: &str = "events:read and pii:clear";

const OTHERWISE: &str = "the exchange answers otherwise than this program";

/// A log to be read.
pub(super) struct LogSource {
    source: Source,
    /// Of one body alone.
    body: Option<String>,
}

enum Source {
    /// A data folder.
    Folder(Journal, PathBuf),
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
        let source = match &from.url {
            Some(url) => Source::Web(Web::new(url, &from.token, SCOPES)?),
            None => Source::Folder(open_folder(&from.data)?, from.data.clone()),
        };
        Ok(LogSource { source, body: from.body.clone() })
    }

    /// Whether what is of this body, or of none, is wanted.
    fn wants(&self, body: Option<&String>) -> bool {
        self.body.is_none() || self.body.as_ref() == body
    }

    /// Who is kept out of SIP, by source.
    pub(super) fn bans(&self) -> Result<BTreeMap<String, BanNow>> {
        let mut bans: BTreeMap<String, BanNow> = match &self.source {
            Source::Folder(journal, _) => journal.snapshot().bans,
            Source::Web(web) => serde_json::from_value(part_of_snapshot(web, "bans")?).context(OTHERWISE)?,
        };
        bans.retain(|_, _| self.wants(None));
        Ok(bans)
    }

    /// What is closed by command, by scope.
    pub(super) fn emergencies(&self) -> Result<BTreeMap<String, EmergencyNow>> {
        let mut closed: BTreeMap<String, EmergencyNow> = match &self.source {
            Source::Folder(journal, _) => journal.snapshot().emergencies,
            Source::Web(web) => {
                serde_json::from_value(part_of_snapshot(web, "emergencies")?).context(OTHERWISE)?
            }
        };
        closed.retain(|_, now| self.wants(now.body.as_ref()));
        Ok(closed)
    }

    /// Facts come to it while it is read.
    pub(super) fn is_live(&self) -> bool {
        matches!(self.source, Source::Web(_))
    }

    /// The numbers of the oldest fact that is kept and of the last one.
    pub(super) fn range(&self) -> Result<(u64, u64)> {
        match &self.source {
            Source::Folder(journal, _) => Ok(journal.range()?),
            Source::Web(web) => {
                let batch = batch(web, "max=1")?;
                let oldest = batch.facts.first().map_or(batch.next, |fact| fact.number);
                Ok((oldest, batch.head))
            }
        }
    }

    /// Some facts from `from` on, of one call alone if it is given.
    pub(super) fn batch(&self, from: u64, call: Option<&str>) -> Result<Batch> {
        let mut batch = match &self.source {
            Source::Folder(journal, _) => {
                let mut facts = journal.read(from, BATCH)?;
                let next = facts.last().map_or(from, |fact| fact.number + 1);
                facts.retain(|fact| call.is_none_or(|call| fact.call.as_deref() == Some(call)));
                Batch { facts, next, head: journal.durable_head() }
            }
            Source::Web(web) => {
                let of_call = call.map(|call| format!("&call={}", in_query(call))).unwrap_or_default();
                batch(web, &format!("from={from}&max={BATCH}{of_call}"))?
            }
        };
        batch.facts.retain(|fact| self.wants(fact.body.as_ref()));
        Ok(batch)
    }

    /// The SIP messages of a call.
    pub(super) fn messages(&self, call: &str) -> Result<Found> {
        match &self.source {
            Source::Folder(_, data) => {
                let folder = data.join(TRACE_FOLDER);
                let cannot = || format!("the SIP messages in {} cannot be read", folder.display());
                trace::read_call(&folder, call).with_context(cannot)
            }
            Source::Web(web) => {
                let (_, body) = web.get(&format!("/v1/calls/{}/sip", in_query(call)))?;
                serde_json::from_str(&body)
                    .context("the exchange writes SIP messages otherwise; use its own program")
            }
        }
    }
}

/// A part of the snapshot.
fn part_of_snapshot(web: &Web, part: &str) -> Result<serde_json::Value> {
    let (_, body) = web.get(&format!("/v1/snapshot?of={part}"))?;
    let answer: serde_json::Value = serde_json::from_str(&body)?;
    Ok(answer.get(part).cloned().unwrap_or_default())
}

fn batch(web: &Web, query: &str) -> Result<Batch> {
    let (response, body) = web.get(&format!("/v1/log?{query}"))?;
    let facts = body.lines().map(serde_json::from_str).collect::<Result<Vec<Fact>, _>>();
    let facts = facts.context("the exchange writes facts that this program does not know; use its own")?;
    Ok(Batch { facts, next: number(&response, "cornetta-next")?, head: number(&response, "cornetta-head")? })
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

fn number<T>(response: &Response<T>, name: &str) -> Result<u64> {
    let value = response.headers().get(name).and_then(|value| value.to_str().ok()?.parse().ok());
    value.with_context(|| format!("the answer has no {name}; is it a Cornetta of this version that answers?"))
}
