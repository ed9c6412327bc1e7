//! `cornetta report`: what the log says, summed up.

use super::log::each_fact;
use super::log_source::LogSource;
use crate::cli::Table;
use anyhow::Result;
use journal::fold::{REACHABILITY_HEADER, ReachabilityFold};
use std::io::{Write, stdout};
use std::process::ExitCode;

/// Every operator of the built-in table has its row, so that one from which nothing comes is seen.
pub(super) fn reachability(command: &Table) -> Result<ExitCode> {
    let log = LogSource::open(&command.log)?;
    let origins = numbers::Origins::built_in();
    let mut fold = ReachabilityFold::expecting(origins.operators().into_iter().map(str::to_owned));
    let (oldest, _) = log.range()?;
    each_fact(&log, oldest, None, |fact| {
        fold.apply(fact);
        Ok(())
    })?;
    let mut out = stdout().lock();
    if command.json {
        for row in fold.json_rows() {
            writeln!(out, "{row}")?;
        }
    } else if command.csv {
        writeln!(out, "{REACHABILITY_HEADER}")?;
        for row in fold.csv_rows() {
            writeln!(out, "{row}")?;
        }
    } else {
        table(&mut out, &fold)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// For people: the columns that say whether an operator's customers reach anybody.
fn table(out: &mut impl Write, fold: &ReachabilityFold) -> Result<()> {
    writeln!(
        out,
        "{:<20} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}  last call",
        "origin", "arrived", "assumed", "answered", "refused", "a person", "heard"
    )?;
    for (origin, reach) in fold.origins() {
        let refused: u64 = reach.refused.values().sum();
        let last = reach.last_seen.map_or_else(|| "never".to_owned(), super::day_and_time);
        writeln!(
            out,
            "{origin:<20} {:>8} {:>8} {:>8} {refused:>8} {:>8} {:>8}  {last}",
            reach.arrived, reach.assumed, reach.answered, reach.reached_person, reach.heard
        )?;
    }
    Ok(())
}
