//! `cornetta ivr diff`: what has changed in a script, in words.

use super::{FAILED, tell_faults};
use crate::cli::Tongue;
use crate::config::{Heard, script_files};
use document::Fault;
use ivr::Script;
use std::path::Path;
use std::process::ExitCode;

pub(super) fn run(was: &Path, is: &Path, tongue: Tongue) -> ExitCode {
    let (was, is) = match (script(was), script(is)) {
        (Ok(was), Ok(is)) => (was, is),
        (was, is) => {
            let faults = [was.err(), is.err()];
            return tell_faults(&faults.into_iter().flatten().flatten().collect::<Vec<_>>());
        }
    };
    let differences = ivr::diff(&was, &is);
    for one in &differences {
        match tongue {
            Tongue::It => println!("{}", one.told().it),
            Tongue::En => println!("{}", one.told().en),
        }
    }
    let summary = ivr::summary(&differences);
    match tongue {
        Tongue::It => println!("{}", summary.it),
        Tongue::En => println!("{}", summary.en),
    }
    if differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) }
}

/// Whatever sounds there are on this machine.
fn script(folder: &Path) -> Result<Script, Vec<Fault>> {
    script_files(folder, &Heard::every(folder)).and_then(|files| Script::check(&files))
}
