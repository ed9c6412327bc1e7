//! `cornetta ivr`.

use super::{WRONG, now, tell_faults, tell_warnings};
use crate::cli::{GraphFormat, Ivr, MonthFormat};
use crate::config::{Heard, calendar_file, script_files};
use crate::say::{complain, say};
use ::ivr::Script;
use anyhow::Result;
use std::path::Path;
use std::process::ExitCode;

pub(super) fn run(command: &Ivr) -> Result<ExitCode> {
    Ok(match command {
        Ivr::Graph { script, format, sounds } => with_script(script, sounds, |script| graph(script, *format)),
        Ivr::Check { script, sounds } => with_script(script, sounds, check),
        Ivr::When(when) => super::ivr_when::run(when),
        Ivr::Month { calendar, month, format } => tell_month(calendar, month, *format),
        Ivr::Say(say) => return super::ivr_say::run(say),
        Ivr::Diff(diff) => super::ivr_diff::run(diff),
        Ivr::Versions(versions) => return super::ivr_versions::run(versions),
        Ivr::RollBack(roll_back) => return super::ivr_roll_back::run(roll_back),
        Ivr::Coverage(coverage) => return super::ivr_coverage::run(coverage),
        Ivr::Test(test) => return super::ivr_test::run(test),
        Ivr::Schema { file, out } => return super::ivr_schema::run(*file, out.as_deref()),
    })
}

fn graph(script: &Script, format: GraphFormat) -> ExitCode {
    match format {
        GraphFormat::Mermaid => say!("{}", ::ivr::mermaid(script)),
        GraphFormat::Svg => say!("{}", ::ivr::svg(script)),
    }
    ExitCode::SUCCESS
}

fn check(script: &Script) -> ExitCode {
    let proof = script.prove_calendars(now());
    tell_warnings(&proof.warnings);
    if !proof.faults.is_empty() {
        return tell_faults(&proof.faults);
    }
    let languages: Vec<&str> = script.languages().collect();
    say!("{}: sound: {}; languages {}", script.name(), script.title(), languages.join(" "));
    ExitCode::SUCCESS
}

fn tell_month(path: &Path, month: &str, format: MonthFormat) -> ExitCode {
    let calendar = match calendar_file(path) {
        Ok(calendar) => calendar,
        Err(faults) => return tell_faults(&faults),
    };
    let Some(month) = calendar.month(month) else {
        complain!("`{month}` is no month; write it like 2027-04");
        return ExitCode::from(WRONG);
    };
    match format {
        MonthFormat::Text => say!("{}", month.text().trim_end()),
        MonthFormat::Svg => say!("{}", month.svg().trim_end()),
    }
    ExitCode::SUCCESS
}

fn with_script(folder: &Path, sounds: &Path, act: impl FnOnce(&Script) -> ExitCode) -> ExitCode {
    let heard = Heard::of(folder, sounds);
    match script_files(folder, &heard).and_then(|files| Script::check(&files)) {
        Ok(script) => act(&script),
        Err(faults) => tell_faults(&faults),
    }
}
