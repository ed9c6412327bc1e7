//! The versions of scripts that are kept, as whoever runs the exchange tells them.

use base::Wall;
use std::fmt;
use std::io;
use std::sync::Arc;

/// A time for which a version of a script was in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptVersion {
    /// A hash of the script's files.
    pub version: String,
    /// When it came into force; nothing if it never did.
    pub since: Option<Wall>,
    /// When another did; nothing if it is in force.
    pub until: Option<Wall>,
    /// The one before.
    pub follows: Option<String>,
    /// In how many things it differs from that; nothing if that is not known.
    pub changes: Option<usize>,
}

/// Tells the versions of a script by its name, the first that came into force first; none of a script that is not known.
#[derive(Clone)]
pub struct ScriptVersions(Arc<VersionsOf>);

type VersionsOf = dyn Fn(&str) -> io::Result<Vec<ScriptVersion>> + Send + Sync;

impl ScriptVersions {
    /// By this, which may read the disk, and must lead out of no folder, whatever it is given.
    pub fn new(
        of: impl Fn(&str) -> io::Result<Vec<ScriptVersion>> + Send + Sync + 'static,
    ) -> ScriptVersions {
        ScriptVersions(Arc::new(of))
    }

    pub(crate) fn of(&self, script: &str) -> io::Result<Vec<ScriptVersion>> {
        (self.0)(script)
    }
}

impl fmt::Debug for ScriptVersions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScriptVersions")
    }
}
