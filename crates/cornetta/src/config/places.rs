//! Where things are, of a configuration that need not be sound otherwise: whoever puts a script right looks here.

use super::bodies::{self, Body};
use super::{folder_of, network, services, text_of};
use document::{Document, Fault, Section};
use facts::BODY_MARK;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Where an installation has what.
pub(crate) struct Places {
    /// The data folder.
    pub(crate) data: PathBuf,
    /// The folder of its own scripts, and that of bodies, if it has any.
    scripts: PathBuf,
    bodies: Option<PathBuf>,
    /// Where integrators come to.
    pub(crate) http: SocketAddr,
}

impl Places {
    /// The folder of a script, which need not be there, by the name that facts call it.
    pub(crate) fn script(&self, name: &str) -> PathBuf {
        match (name.split_once(BODY_MARK), &self.bodies) {
            (Some((body, name)), Some(bodies)) => bodies::scripts_of(&bodies.join(body)).join(name),
            _ => self.scripts.join(name),
        }
    }
}

/// Reads where things are, and nothing else.
pub(crate) fn places(path: &Path) -> Result<Places, Vec<Fault>> {
    let (name, text) = (path.display().to_string(), text_of(path)?);
    let (mut document, table) = Document::parse(&name, &text);
    let Some(table) = table else { return Err(document.into_faults()) };
    let mut root = Section::new(&table, 0);
    let mut others = Vec::new();
    let (bodies, files) = bodies::files(&mut document, &mut root, folder_of(path), &mut others);
    let (documents, tables): (Vec<_>, Vec<_>) = bodies::parsed(&files).into_iter().unzip();
    let mut each = bodies::open(&files, documents, &tables, &mut others);
    let node = network::node(&mut document, &mut root, folder_of(path));
    let tokens = each.iter_mut().flat_map(Body::tokens).collect();
    let http = network::http(&mut document, &mut root, tokens);
    let scripts = services::scripts_folder(&mut document, &mut root, folder_of(path));
    match (node, http) {
        (Some(node), Some(http)) if document.is_sound() => {
            Ok(Places { data: node.data, scripts, bodies, http: http.listen })
        }
        _ => Err(document.into_faults()),
    }
}
