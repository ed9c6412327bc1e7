//! `cornetta ivr diff`: what has changed in a script, in words.

use super::{FAILED, WRONG, tell_faults};
use crate::cli::{Diff, Tongue};
use crate::config::{Heard, places, script_files};
use crate::kept::Kept;
use crate::say::{complain, say};
use document::Fault;
use ivr::{Difference, Script};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub(super) fn run(diff: &Diff) -> ExitCode {
    let Diff { was, is, lang, config } = diff;
    let folders = folder(was, &config.config).and_then(|was| Ok((was, folder(is, &config.config)?)));
    let (was, is) = match folders {
        Ok(folders) => folders,
        Err(code) => return code,
    };
    match differences(&was, &is) {
        Ok(differences) => {
            tell(&differences, *lang);
            if differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) }
        }
        Err(faults) => tell_faults(&faults),
    }
}

/// The folder that is meant: a kept version is written NAME@VERSION.
fn folder(written: &Path, config: &Path) -> Result<PathBuf, ExitCode> {
    let version = written.to_str().and_then(|text| text.split_once('@'));
    let Some((script, version)) = version.filter(|_| !written.exists()) else {
        return Ok(written.to_owned());
    };
    let places = places(config).map_err(|faults| tell_faults(&faults))?;
    let found = Kept::of(&places.data).find(script, version);
    found.map(|(_, folder)| folder).map_err(|why| {
        complain!("{why}");
        ExitCode::from(WRONG)
    })
}

/// What differs between the scripts in two folders, whatever sounds there are on this machine.
pub(super) fn differences(was: &Path, is: &Path) -> Result<Vec<Difference>, Vec<Fault>> {
    match (script(was), script(is)) {
        (Ok(was), Ok(is)) => Ok(ivr::diff(&was, &is)),
        (was, is) => Err([was.err(), is.err()].into_iter().flatten().flatten().collect()),
    }
}

/// Each difference in a line, and how many there are.
pub(super) fn tell(differences: &[Difference], tongue: Tongue) {
    for one in differences {
        match tongue {
            Tongue::It => say!("{}", one.told().it),
            Tongue::En => say!("{}", one.told().en),
        }
    }
    let summary = ivr::summary(differences);
    match tongue {
        Tongue::It => say!("{}", summary.it),
        Tongue::En => say!("{}", summary.en),
    }
}

fn script(folder: &Path) -> Result<Script, Vec<Fault>> {
    script_files(folder, &Heard::every(folder)).and_then(|files| Script::check(&files))
}
