//! `cornetta sim`.

use super::{FAILED, WRONG, tell_faults};
use crate::cli::Sim;
use crate::config::{Heard, script_files};
use crate::say::{complain, say};
use anyhow::Result;
use ivr::Script;
use sim::{Depth, Faults, Options, Progress, Told};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(super) fn run(command: &Sim) -> Result<ExitCode> {
    let parsed =
        Faults::parse(&command.faults).and_then(|faults| Ok((faults, Depth::parse(&command.depth)?)));
    let (faults, depth) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            complain!("cornetta: {error}");
            return Ok(ExitCode::from(WRONG));
        }
    };
    let folder = command.home.join("ivr-scripts/helpdesk");
    let heard = Heard::of(&folder, &command.home.join("sounds"));
    let script = match script_files(&folder, &heard).and_then(|files| Script::check(&files)) {
        Ok(script) => Arc::new(script),
        Err(faults) => return Ok(tell_faults(&faults)),
    };
    let seed = match command.seed {
        Some(seed) => seed,
        None => net::root_seed()?.rng().next_u64() >> 32,
    };
    say!("seed {seed}");
    let Sim { calls, rate, .. } = *command;
    let verbose_from = command.verbose.then_some(Duration::from_secs(command.from));
    let options = Options { seed, calls, rate, faults, depth, verbose_from };
    let began = Instant::now();
    let report = sim::run(options, script, &mut |told| tell(told, began));
    let took = began.elapsed();
    say!("{}{report}", report.coverage);
    say!("{:.0} calls a second", f64::from(report.calls) / took.as_secs_f64());
    Ok(if report.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

/// How far the run is goes to standard error: it says nothing about the world.
fn tell(told: Told<'_>, began: Instant) {
    match told {
        Told::Change(line) => say!("{line}"),
        Told::Violation(what) => say!("VIOLATION {what}"),
        Told::Hour(Progress { hours, calls, going_on }) => {
            let a_second = f64::from(calls) / began.elapsed().as_secs_f64();
            complain!(
                "{hours} virtual hours; {calls} calls, {going_on} going on; {a_second:.0} calls a second so far"
            );
        }
    }
}
