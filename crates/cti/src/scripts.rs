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
    pub scripts: BTreeMap<String, Arc<Script>>,
}
