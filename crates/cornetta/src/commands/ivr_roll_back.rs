//! `cornetta ivr roll-back`: a kept version takes the place of a script's folder, if it is sound today.

use super::ivr_diff::{differences, tell};
use super::reload::reload;
use super::{FAILED, WRONG, now, tell_faults, tell_warnings};
use crate::cli::{RollBack, Tongue};
use crate::config::{self, Heard, Instead, Places, ScriptSource, places, script_files};
use crate::kept::{Kept, NotPutBack, PuttingBack};
use crate::say::{complain, say};
use anyhow::{Context as _, Result};
use document::Fault;
use std::io::ErrorKind;
use std::net::TcpStream;
use std::path::Path;
use std::process::ExitCode;

pub(super) fn run(command: &RollBack) -> Result<ExitCode> {
    let places = match places(&command.config.config) {
        Ok(places) => places,
        Err(faults) => return Ok(tell_faults(&faults)),
    };
    let kept = Kept::of(&places.data);
    let (version, folder) = match kept.find(&command.script, &command.version) {
        Ok(found) => found,
        Err(why) => {
            complain!("{why}");
            return Ok(ExitCode::from(WRONG));
        }
    };
    let ready = match PuttingBack::make_ready(&places.script(&command.script), &folder) {
        Ok(ready) => ready,
        Err(NotPutBack::Faults(faults)) => return Ok(tell_faults(&faults)),
        Err(NotPutBack::Failed(error)) => {
            let beside = places.script(&command.script);
            let why = format!("the version cannot be written beside {}", beside.display());
            return Err(error).context(why);
        }
    };
    let faults = faults(command, &ready, &folder);
    if !faults.is_empty() {
        return Ok(tell_faults(&faults));
    }
    if ready.present().is_dir() {
        tell_difference(command, &ready);
    }
    if command.dry_run {
        return Ok(ExitCode::SUCCESS);
    }
    if ready.present().is_dir()
        && let Err(faults) = keep_present(command, &ready, &kept)?
    {
        return Ok(tell_faults(&faults));
    }
    ready.take_place().context("the version cannot take the script's place")?;
    let script = &command.script;
    match command.lang {
        Tongue::It => say!("«{script}» è ora la versione {version}"),
        Tongue::En => say!("`{script}` is version {version} now"),
    }
    in_force(command, &places)
}

/// What a load of the configuration would say, if the version were in its place; of that in the kept files, which stay.
fn faults(command: &RollBack, ready: &PuttingBack, kept: &Path) -> Vec<Fault> {
    let instead = Instead { script: &command.script, folder: ready.ready() };
    let mut faults = match config::load_instead(&command.config.config, &instead) {
        Ok(installation) => {
            let proof = config::prove(&installation, now());
            tell_warnings(&proof.warnings);
            proof.faults
        }
        Err(faults) => faults,
    };
    for fault in &mut faults {
        if let Ok(place) = Path::new(&fault.file).strip_prefix(ready.ready()) {
            fault.file = kept.join(place).display().to_string();
        }
    }
    faults
}

/// In words; a present script that is not sound has none.
fn tell_difference(command: &RollBack, ready: &PuttingBack) {
    match differences(ready.present(), ready.ready()) {
        Ok(differences) => tell(&differences, command.lang),
        Err(_) => match command.lang {
            Tongue::It => say!("lo script presente ha errori: le differenze non si possono dire"),
            Tongue::En => say!("the present script has faults: the differences cannot be told"),
        },
    }
}

/// So that what is replaced can be put back, too. What cannot even be read is not replaced.
fn keep_present(command: &RollBack, ready: &PuttingBack, kept: &Kept) -> Result<Result<(), Vec<Fault>>> {
    let files = match script_files(ready.present(), &Heard::every(ready.present())) {
        Ok(files) => ivr::ScriptFiles { name: command.script.clone(), ..files },
        Err(faults) => return Ok(Err(faults)),
    };
    let source = match ScriptSource::of(&files, ready.present()) {
        Ok(source) => source,
        Err(faults) => return Ok(Err(faults)),
    };
    kept.keep_aside(&source).context("the present version cannot be kept, so that nothing was changed")?;
    Ok(Ok(()))
}

/// Has a running exchange read it. Where none runs, the next start does.
fn in_force(command: &RollBack, places: &Places) -> Result<ExitCode> {
    let url = match &command.url {
        Some(url) => url.clone(),
        None if is_nobody_there(places) => {
            match command.lang {
                Tongue::It => {
                    say!("nessun centralino risponde a {}: vale dal prossimo avvio", places.http)
                }
                Tongue::En => {
                    say!("no exchange answers at {}: it holds from the next start", places.http)
                }
            }
            return Ok(ExitCode::SUCCESS);
        }
        None => format!("http://{}", places.http),
    };
    match reload(&url, &command.token) {
        Ok(version) => match command.lang {
            Tongue::It => say!("in vigore: {version}"),
            Tongue::En => say!("in force: {version}"),
        },
        Err(error) => {
            complain!("cornetta: {error:#}");
            complain!("the files are in place and not in force; `cornetta reload --url {url}` has them read");
            return Ok(ExitCode::from(FAILED));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn is_nobody_there(places: &Places) -> bool {
    let error = TcpStream::connect(places.http).err();
    error.is_some_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}
