//! `cornetta events` and `cornetta cdr`: the log, read.

use super::log_source::LogSource;
use crate::cli::{Events, Table};
use anyhow::{Result, bail};
use facts::Fact;
use journal::fold::{CdrFold, HEADER, csv_row, json_row, why};
use std::io::{Write, stdout};
use std::process::ExitCode;
use std::time::Duration;

const TAIL: u64 = 20;
const LOOK_AGAIN: Duration = Duration::from_millis(250);

pub(super) fn events(command: &Events) -> Result<ExitCode> {
    match command {
        Events::Tail { log, json, from, follow } => tail(&LogSource::open(log)?, *from, *follow, *json)?,
        Events::Show { call, log, json, sip: true, full, svg } => {
            let log = LogSource::open(log)?;
            super::sip::show(
                &facts_of(&log, call)?,
                &log.messages(call)?,
                &super::sip::Shown { json: *json, full: *full, svg: svg.as_deref() },
            )?;
        }
        Events::Show { call, log, json, .. } => {
            for fact in facts_of(&LogSource::open(log)?, call)? {
                print_fact(&fact, *json)?;
            }
        }
        Events::Why { call, log, json } => explain(&facts_of(&LogSource::open(log)?, call)?, *json)?,
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn cdr(command: &Table) -> Result<ExitCode> {
    let log = LogSource::open(&command.log)?;
    let mut out = stdout().lock();
    if command.csv {
        writeln!(out, "{HEADER}")?;
    }
    let mut fold = CdrFold::default();
    let (oldest, _) = log.range()?;
    each_fact(&log, oldest, None, |fact| {
        let Some(cdr) = fold.apply(fact) else { return Ok(()) };
        match command.csv {
            true => writeln!(out, "{}", csv_row(&cdr))?,
            false => writeln!(out, "{}", json_row(&cdr))?,
        }
        Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}

fn tail(log: &LogSource, from: Option<u64>, follow: bool, json: bool) -> Result<()> {
    if follow && !log.is_live() {
        bail!("nothing comes to the log of an exchange that does not run; use --follow with --url");
    }
    let (oldest, head) = log.range()?;
    let mut next = from.unwrap_or_else(|| (head + 1).saturating_sub(TAIL)).max(oldest);
    loop {
        next = each_fact(log, next, None, |fact| print_fact(fact, json))?;
        if !follow {
            return Ok(());
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}

/// Acts on each fact from `next` to the last one; gives the number of the next to come.
pub(super) fn each_fact(
    log: &LogSource,
    mut next: u64,
    call: Option<&str>,
    mut act: impl FnMut(&Fact) -> Result<()>,
) -> Result<u64> {
    loop {
        let batch = log.batch(next, call)?;
        batch.facts.iter().try_for_each(&mut act)?;
        next = batch.next;
        if next > batch.head {
            return Ok(next);
        }
    }
}

/// All facts of a call; an error if there are none.
pub(super) fn facts_of(log: &LogSource, call: &str) -> Result<Vec<Fact>> {
    let mut facts = Vec::new();
    let (oldest, _) = log.range()?;
    each_fact(log, oldest, Some(call), |fact| {
        facts.push(fact.clone());
        Ok(())
    })?;
    if facts.is_empty() {
        bail!("the log knows no call `{call}`; `cornetta cdr` lists those that it knows");
    }
    Ok(facts)
}

fn print_fact(fact: &Fact, json: bool) -> Result<()> {
    let line = if json { serde_json::to_string(fact)? } else { super::fact_line(fact) };
    Ok(writeln!(stdout(), "{line}")?)
}

fn explain(facts: &[Fact], json: bool) -> Result<()> {
    let Some(explanation) = why(facts) else { bail!("nothing in the log says why") };
    let mut out = stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::json!({ "it": explanation.it, "en": explanation.en }))?;
        return Ok(());
    }
    writeln!(out, "{}\n\n{}\n", explanation.it, explanation.en)?;
    for step in explanation.steps {
        writeln!(out, "{}  {}", super::time_of_day(step.at), step.it)?;
    }
    Ok(())
}
