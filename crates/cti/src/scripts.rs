//! The scripts in force, as whoever runs the exchange tells them.

use ivr::Script;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The scripts that answer calls now.
#[derive(Clone, Debug, Default)]
pub struct Scripts {
    /// The configuration's version, as `config.activated` tells it.
    pub version: String,
    /// By name.
    pub scripts: BTreeMap<String, ScriptNow>,
}

/// A script in force.
#[derive(Clone, Debug)]
pub struct ScriptNow {
    /// A hash of all that it is made of.
    pub version: String,
    /// The script.
    pub script: Arc<Script>,
}
