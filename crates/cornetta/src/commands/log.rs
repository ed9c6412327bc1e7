//! `cornetta events` and `cornetta cdr`: the log of an exchange, read.

use crate::cli::{Cdr, Events, LogFile};
use anyhow::{Context as _, Result, bail};
use facts::Fact;
use journal::Journal;
use journal::fold::{CdrFold, HEADER, csv_row, json_row, why};
use std::process::ExitCode;

const READ_AT_ONCE: usize = 1000;
const TAIL: u64 = 20;

pub(super) fn events(command: &Events) -> Result<ExitCode> {
    match command {
        Events::Tail { log, from } => {
            let journal = open(log)?;
            let (oldest, head) = journal.range()?;
            let from = from.unwrap_or_else(|| head.saturating_sub(TAIL - 1)).max(oldest);
            each_fact(&journal, from, |fact| print_fact(log, fact))?;
        }
        Events::Show { call, log } => {
            for fact in facts_of(&open(log)?, call)? {
                print_fact(log, &fact)?;
            }
        }
        Events::Why { call, log } => explain(log, &facts_of(&open(log)?, call)?)?,
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn cdr(command: &Cdr) -> Result<ExitCode> {
    let journal = open(&command.log)?;
    let mut fold = CdrFold::default();
    if command.csv {
        println!("{HEADER}");
    }
    let (oldest, _) = journal.range()?;
    each_fact(&journal, oldest, |fact| {
        let Some(cdr) = fold.apply(fact) else { return Ok(()) };
        if command.csv {
            println!("{}", csv_row(&cdr));
        } else {
            println!("{}", json_row(&cdr));
        }
        Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}

fn open(log: &LogFile) -> Result<Journal> {
    let path = log.data.join("facts.redb");
    if !path.is_file() {
        bail!("there is no log {}; name the data folder with --data", path.display());
    }
    let (journal, _) = Journal::open(&path, journal::Config::default()).with_context(|| {
        format!(
            "{} cannot be opened; a running exchange is read at its web address, /v1/events",
            path.display()
        )
    })?;
    Ok(journal)
}

fn each_fact(journal: &Journal, mut from: u64, mut act: impl FnMut(&Fact) -> Result<()>) -> Result<()> {
    loop {
        let facts = journal.read(from, READ_AT_ONCE)?;
        for fact in &facts {
            act(fact)?;
            from = fact.number + 1;
        }
        if facts.is_empty() {
            return Ok(());
        }
    }
}

fn facts_of(journal: &Journal, call: &str) -> Result<Vec<Fact>> {
    let mut facts = Vec::new();
    let (oldest, _) = journal.range()?;
    each_fact(journal, oldest, |fact| {
        if fact.call.as_deref() == Some(call) {
            facts.push(fact.clone());
        }
        Ok(())
    })?;
    if facts.is_empty() {
        bail!("the log knows no call `{call}`; `cornetta cdr` lists those that it knows");
    }
    Ok(facts)
}

fn print_fact(log: &LogFile, fact: &Fact) -> Result<()> {
    if log.json {
        println!("{}", serde_json::to_string(fact)?);
    } else {
        println!("{}", crate::commands::fact_line(fact));
    }
    Ok(())
}

fn explain(log: &LogFile, facts: &[Fact]) -> Result<()> {
    let Some(explanation) = why(facts) else { bail!("nothing in the log says why") };
    if log.json {
        println!("{}", serde_json::json!({ "it": explanation.it, "en": explanation.en }));
        return Ok(());
    }
    println!("{}\n\n{}\n", explanation.it, explanation.en);
    for step in explanation.steps {
        println!("{}  {}", crate::commands::time_of_day(step.at), step.it);
    }
    Ok(())
}
