//! `cornetta check`.

use super::{now, tell_faults, tell_warnings};
use crate::config;
use crate::say::say;
use facts::body_of;
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
            for (name, title) in &engine.bodies.titles {
                say!("{}", of_body(engine, name, title));
            }
            say!(
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

/// What a body has.
fn of_body(engine: &engine::Config, name: &str, title: &str) -> String {
    let own = |named: &str| body_of(named) == Some(name);
    let numbers = engine.bodies.numbers.values().filter(|body| *body == name).count();
    let queues = engine.acd.queues.iter().filter(|queue| own(&queue.name)).count();
    let agents = engine.acd.agents.iter().filter(|agent| own(&agent.name)).count();
    format!("{name}: {title}: {numbers} numbers, {queues} queues, {agents} agents")
}
