//! `[look_ups]`, and what scripts' look-ups need of this machine.

use super::from;
use document::{Document, Fault, Section};
use ivr::{LookUp, Script, Source};
use net::{Tls, TlsFiles};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What services are asked with over TLS. Secrets and tables that are not there are told among the `others`.
pub(super) fn look_ups(
    document: &mut Document<'_>,
    root: &mut Section<'_>,
    folder: &Path,
    scripts: &BTreeMap<String, Arc<Script>>,
    others: &mut Vec<Fault>,
) -> Tls {
    let mut ca = None;
    if let Some(entry) = root.take("look_ups")
        && let Some(mut section) = document.section(&entry)
    {
        ca = section.take("ca").map(|entry| (document.texts(&entry), entry.value_at()));
        section.finish(document);
    }
    let asked = || scripts.values().flat_map(|script| script.look_ups());
    others.extend(asked().flat_map(|look_up| lookups::check(look_up)));
    if ca.is_none() && !asked().any(|look_up| needs_tls(look_up)) {
        return Tls::default();
    }
    let (files, at) = ca.unwrap_or_default();
    let files: Vec<PathBuf> = files.into_iter().map(|(file, _)| from(folder, file)).collect();
    match Tls::read(&TlsFiles { ca: files, ..TlsFiles::default() }) {
        Ok(tls) => tls,
        Err(fault) => {
            document.fault(at, fault.what, fault.what_to_do);
            Tls::default()
        }
    }
}

fn needs_tls(look_up: &LookUp) -> bool {
    match &look_up.source {
        Source::Http(http) => http.url.starts_with("https:"),
        Source::Csv(_) => false,
        Source::Sql(_) => true,
    }
}
