//! `cornetta check`.

use super::tell_faults;
use crate::config;
use std::path::Path;
use std::process::ExitCode;

pub(super) fn run(path: &Path) -> ExitCode {
    match config::load(path) {
        Ok(installation) => {
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
