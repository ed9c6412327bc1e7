//! What each command of the command line does.

mod bans;
mod capture;
mod check;
mod emergency;
mod ivr;
mod ivr_coverage;
mod ivr_diff;
mod ivr_roll_back;
mod ivr_say;
mod ivr_schema;
mod ivr_test;
mod ivr_versions;
mod ivr_when;
mod junit;
mod lines;
mod log;
mod log_source;
mod phone;
mod reload;
mod report;
mod serve;
mod sim;
mod sip;
mod web;

use crate::cli::{Command, Report};
use crate::demo;
use crate::say::complain;
use anyhow::Result;
use base::Wall;
use document::Fault;
use std::process::ExitCode;

/// The command was understood, and failed.
pub(crate) const FAILED: u8 = 1;
/// The command or a file was wrong.
pub(crate) const WRONG: u8 = 2;

pub(crate) use lines::{day_and_time, fact_line, short, time_of_day};
pub(crate) use serve::{Signals, until_told_to_end};

pub(crate) fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Serve(file) => serve::run(&file.config),
        Command::Check(file) => Ok(check::run(&file.config)),
        Command::Demo(demo) => demo::run(&demo),
        Command::Reload(exchange) => reload::run(&exchange),
        Command::Ivr(ivr) => ivr::run(&ivr),
        Command::Phone(phone) => phone::run(phone),
        Command::Events(events) => log::events(&events),
        Command::Cdr(cdr) => log::cdr(&cdr),
        Command::Capture(capture) => capture::run(&capture),
        Command::Bans(bans) => bans::run(&bans),
        Command::Emergency(emergency) => emergency::run(&emergency),
        Command::Report(Report::Reachability(report)) => report::reachability(&report),
        Command::Speak { voices } => Ok(speech::serve(&voices).map(|()| ExitCode::SUCCESS)?),
        Command::Sim(sim) => sim::run(&sim),
    }
}

/// Prints what is hardly meant as it is written.
pub(crate) fn tell_warnings(warnings: &[Fault]) {
    for warning in warnings {
        complain!("{warning} (a warning)");
    }
}

/// What people's clocks say.
fn now() -> Wall {
    net::Clock::start().wall()
}

/// Prints every fault and gives the exit code for wrong files.
pub(crate) fn tell_faults(faults: &[Fault]) -> ExitCode {
    for fault in faults {
        complain!("{fault}");
    }
    let plural = if faults.len() == 1 { "fault" } else { "faults" };
    complain!("{} {plural}; nothing was changed", faults.len());
    ExitCode::from(WRONG)
}
