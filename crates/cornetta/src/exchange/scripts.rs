//! The scripts that answer calls, for the web.

use cti::{ScriptNow, Scripts};
use engine::Service;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Those of a configuration.
pub(super) fn in_force(config: &engine::Config) -> Arc<Scripts> {
    let mut scripts = BTreeMap::new();
    for service in config.services.values().chain(&config.otherwise) {
        if let Service::Script { script, .. } = service {
            scripts
                .entry(script.name().to_owned())
                .or_insert_with(|| ScriptNow { version: version(script), script: Arc::clone(script) });
        }
    }
    Arc::new(Scripts { version: config.version.clone(), scripts })
}

fn version(script: &ivr::Script) -> String {
    let hash = Sha256::digest(format!("{script:?}"));
    let hex: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}
