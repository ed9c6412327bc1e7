//! `[trust]`: what signed statements about callers are verified with.

use super::from;
use document::{Document, Section};
use engine::TrustStore;
use net::{Tls, TlsFiles};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use stir::{Location, certificates_of};

/// What is verified with, and what certificates are fetched with.
pub(super) type Trust = (TrustStore, Tls);

/// `[trust]`: the authorities whose word on callers counts, the certificates of operators, and from where others
/// may be fetched.
pub(super) fn trust(document: &mut Document<'_>, root: &mut Section<'_>, folder: &Path) -> Trust {
    let mut store = TrustStore::default();
    let Some(entry) = root.take("trust") else { return Trust::default() };
    let Some(mut section) = document.section(&entry) else { return Trust::default() };
    for (_, pem, at) in pem_files(document, &mut section, (folder, "roots")) {
        let roots = certificates_of(&pem);
        if roots.is_empty() {
            document.fault(
                at,
                "a file holds no certificate with a P-256 key",
                "name PEM files of authorities",
            );
        }
        store.roots.extend(roots);
    }
    for (path, pem, at) in pem_files(document, &mut section, (folder, "certificates")) {
        let address = pem.lines().find_map(|line| line.trim().strip_prefix("x5u:"));
        match address {
            Some(address) => {
                store.certificates.insert(address.trim().to_owned(), certificates_of(&pem));
            }
            None => {
                let what = format!("`{path}` does not say where it is from");
                document.fault(at, what, "write a line `x5u: https://...` above its certificates");
            }
        }
    }
    let fetch_at = section.place_of("fetch_from");
    store.fetch_from = fetch_from(document, &mut section);
    let tls = fetch_tls(document, &mut section, folder, fetch_at.filter(|_| !store.fetch_from.is_empty()));
    section.finish(document);
    if let Some(at) = fetch_at.filter(|_| store.roots.is_empty()) {
        let what = "whatever is fetched, nobody is trusted to have signed it";
        document.warn(at, what, "name the authorities of callers' operators as `roots`");
    }
    (store, tls)
}

/// Hosts, with a port if it is not 443.
fn fetch_from(document: &mut Document<'_>, section: &mut Section<'_>) -> BTreeSet<(String, u16)> {
    let Some(entry) = section.take("fetch_from") else { return BTreeSet::new() };
    let mut hosts = BTreeSet::new();
    for (text, at) in document.texts(&entry) {
        let bare = || text.parse::<IpAddr>().ok().map(|address| (address.to_string(), 443));
        match bare().or_else(|| Location::authority(text)) {
            Some(host) => {
                hosts.insert(host);
            }
            None => document.fault(
                at,
                format!("`{text}` is not a host"),
                "write its name, and its port if it is not 443, such as \"certs.example.it:8443\"",
            ),
        }
    }
    hosts
}

/// What servers of certificates are called with, if there are any.
fn fetch_tls(
    document: &mut Document<'_>,
    section: &mut Section<'_>,
    folder: &Path,
    fetches_at: Option<usize>,
) -> Tls {
    let entry = section.take("fetch_ca");
    let at = entry.as_ref().map(|entry| entry.at);
    let ca = entry.map(|entry| document.texts(&entry)).unwrap_or_default();
    let ca: Vec<PathBuf> = ca.into_iter().map(|(file, _)| from(folder, file)).collect();
    let Some(fetches_at) = fetches_at else {
        if let Some(at) = at {
            document.fault(at, "there is nobody to be believed", "write `fetch_from`, or leave this out");
        }
        return Tls::default();
    };
    match Tls::read(&TlsFiles { ca, ..TlsFiles::default() }) {
        Ok(tls) if tls.can_call() => tls,
        Ok(_) => {
            let what = "the system trusts no authorities, so that nobody could be asked over TLS";
            document.fault(fetches_at, what, "name some as `fetch_ca`");
            Tls::default()
        }
        Err(fault) => {
            document.fault(at.unwrap_or(fetches_at), fault.what, fault.what_to_do);
            Tls::default()
        }
    }
}

/// The files that a key names: path, text, and where it is written.
fn pem_files(
    document: &mut Document<'_>,
    section: &mut Section<'_>,
    (folder, name): (&Path, &'static str),
) -> Vec<(String, String, usize)> {
    let Some(entry) = section.take(name) else { return Vec::new() };
    let mut files = Vec::new();
    for (path, at) in document.texts(&entry) {
        match std::fs::read_to_string(folder.join(path)) {
            Ok(text) => files.push((path.to_owned(), text, at)),
            Err(error) => {
                document.fault(at, format!("`{path}` cannot be read: {error}"), "name a PEM file");
            }
        }
    }
    files
}
