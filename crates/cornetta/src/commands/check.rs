//! `cornetta check`.

use super::{now, tell_faults, tell_warnings};
use crate::config;
use std::path::Path;
use std::process::ExitCode;

pub(super) fn run(path: &Path) -> ExitCode {
    match config::load(path) {
        Ok(installation) => {
            tell_warnings(&installation.warnings);
            let proof = config::prove(&installation, now());
            tell_warnings(&proof.warnings);
            if !proof.faults.is_empty() {
                return tell_faults(&proof.faults);
            }
            let engine = &installation.engine;
            println!(
                "{}: sound: {} numbers, {} queues, {} agents, {} trunks; {}",
                path.display(),
                engine.services.len(),
                engine.acd.queues.len(),
                engine.acd.agents.len(),
                engine.sip.trunks.len(),
                engine.version,
            );
            ExitCode::SUCCESS
        }
        Err(faults) => tell_faults(&faults),
    }
}
