//! The scripts that answer calls, for the web.

use crate::kept::Kept;
use cti::{ScriptVersion, ScriptVersions, Scripts};
use engine::Service;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Those of a configuration.
pub(super) fn in_force(config: &engine::Config) -> Arc<Scripts> {
    let mut scripts = BTreeMap::new();
    for service in config.services.values().chain(&config.otherwise) {
        if let Service::Script { script, .. } = service {
            scripts.entry(script.name().to_owned()).or_insert_with(|| Arc::clone(script));
        }
    }
    Arc::new(Scripts { version: config.version.clone(), scripts })
}

/// Those that were in force.
pub(super) fn versions(kept: Kept) -> ScriptVersions {
    ScriptVersions::new(move |script| {
        let versions = kept.versions(script)?.into_iter().map(|kept| ScriptVersion {
            version: kept.version,
            since: kept.since,
            until: kept.until,
            follows: kept.follows,
            changes: kept.changes,
        });
        Ok(versions.collect())
    })
}
