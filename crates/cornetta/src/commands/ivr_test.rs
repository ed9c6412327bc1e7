//! `cornetta ivr test`.

use super::junit::junit;
use super::log::facts_of;
use super::log_source::LogSource;
use super::{FAILED, WRONG, tell_faults};
use crate::cli::IvrTest;
use crate::config::{Heard, case_files, script_files};
use crate::say::{complain, say};
use ::ivr::{Script, ScriptFiles};
use anyhow::{Context as _, Result};
use document::Fault;
use serde_json::json;
use sim::cases::{Case, Coverage, Desk, Played, read, record};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A case that was played, and how long that took.
pub(super) struct Done {
    pub(super) case: Case,
    pub(super) played: Played,
    pub(super) took: Duration,
}

impl Done {
    pub(super) fn holds(&self) -> bool {
        self.played.differences.is_empty()
    }
}

pub(super) fn run(command: &IvrTest) -> Result<ExitCode> {
    let heard = Heard::of(&command.script, &command.sounds);
    let checked =
        script_files(&command.script, &heard).and_then(|files| Ok((Arc::new(Script::check(&files)?), files)));
    let (script, files) = match checked {
        Ok(checked) => checked,
        Err(faults) => return Ok(tell_faults(&faults)),
    };
    match &command.record {
        Some(call) => tell_case(command, &script, call),
        None => test(command, &script, &files),
    }
}

/// The call of the log as a case.
fn tell_case(command: &IvrTest, script: &Script, call: &str) -> Result<ExitCode> {
    let facts = facts_of(&LogSource::open(&command.log)?, call)?;
    match record(script, &facts, command.clear) {
        Ok(case) => {
            say!("{}", case.trim_end());
            Ok(ExitCode::SUCCESS)
        }
        Err(why) => {
            complain!("cornetta: call `{call}` cannot be made a case: {why}");
            Ok(ExitCode::from(FAILED))
        }
    }
}

fn test(command: &IvrTest, script: &Arc<Script>, files: &ScriptFiles) -> Result<ExitCode> {
    let cases = match cases(command, script) {
        Ok(cases) => cases,
        Err(faults) => return Ok(tell_faults(&faults)),
    };
    if cases.is_empty() {
        let folder = command.script.join("tests");
        complain!("there is no case in {}; write one, as docs/ivr.md says under Tests", folder.display());
        return Ok(ExitCode::from(WRONG));
    }
    let desk = Desk::new(script.clone(), &files.sounds);
    let mut coverage = Coverage::of(script);
    let mut all = Vec::new();
    for case in cases {
        let began = Instant::now();
        let played = desk.play(&case);
        coverage.add(&played);
        all.push(Done { took: began.elapsed(), case, played });
    }
    if let Some(path) = &command.junit {
        let text = junit(script.name(), &all);
        std::fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    match command.json {
        true => say!("{}", in_json(script, &all, &coverage)),
        false => tell(&all, &coverage),
    }
    let covered = command.min_coverage.is_none_or(|least| coverage.percent() >= usize::from(least));
    if let Some(least) = command.min_coverage.filter(|_| !covered) {
        complain!("{} % is visited, and {least} % are asked for", coverage.percent());
    }
    let good = covered && all.iter().all(Done::holds);
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

fn cases(command: &IvrTest, script: &Script) -> Result<Vec<Case>, Vec<Fault>> {
    let (mut cases, mut faults) = (Vec::new(), Vec::new());
    for (_, file, text) in case_files(&command.script)? {
        match read(&file, &text, script) {
            Ok(more) => cases.extend(more),
            Err(more) => faults.extend(more),
        }
    }
    if faults.is_empty() { Ok(cases) } else { Err(faults) }
}

/// A line for each case, then what differs, then what was not visited.
fn tell(all: &[Done], coverage: &Coverage) {
    for done in all {
        let Done { case, played, .. } = done;
        if done.holds() {
            say!("ok    {} ({:.0} s)", case.name, played.reached.as_secs_f64());
            continue;
        }
        say!("FAIL  {}:{}: {}", case.file, case.line, case.name);
        for difference in &played.differences {
            say!("      {}: expected {}", difference.what, difference.expected);
            say!("      {}  found    {}", " ".repeat(difference.what.len()), difference.found);
        }
    }
    let differ = all.iter().filter(|done| !done.holds()).count();
    let took: Duration = all.iter().map(|done| done.took).sum();
    say!("{} cases, {differ} differ; {:.2} s", all.len(), took.as_secs_f64());
    let [nodes, keys, languages] = coverage.counts().map(|(visited, of)| format!("{visited} of {of}"));
    say!("visited {} %: nodes {nodes}, keys {keys}, languages {languages}", coverage.percent());
    for node in coverage.nodes_missed() {
        say!("      no case comes to `{node}`");
    }
    for (node, keys) in coverage.keys_missed() {
        say!("      no case presses in `{node}`: {}", keys.join(" "));
    }
    for language in coverage.languages_missed() {
        say!("      no case is in `{language}`");
    }
}

fn in_json(script: &Script, all: &[Done], coverage: &Coverage) -> serde_json::Value {
    let cases: Vec<_> = all
        .iter()
        .map(|done| {
            let Done { case, played, .. } = done;
            let differences: Vec<_> = played
                .differences
                .iter()
                .map(|one| json!({ "what": one.what, "expected": one.expected, "found": one.found }))
                .collect();
            let reached_ms = facts::millis(played.reached);
            json!({ "name": case.name, "file": case.file, "line": case.line, "holds": done.holds(),
                    "reached_ms": reached_ms, "nodes": played.nodes(), "differences": differences })
        })
        .collect();
    let [nodes, keys, languages] = coverage.counts();
    json!({ "script": script.name(), "cases": cases, "coverage": {
        "percent": coverage.percent(),
        "nodes": { "visited": nodes.0, "of": nodes.1, "missed": coverage.nodes_missed() },
        "keys": { "visited": keys.0, "of": keys.1, "missed": coverage.keys_missed() },
        "languages": { "visited": languages.0, "of": languages.1, "missed": coverage.languages_missed() },
    } })
}
