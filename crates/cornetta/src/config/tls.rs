//! `[sip.tls]`: certificates, and whom to trust.

use super::from;
use super::read::optional_text;
use document::{Document, Entry, Section};
use net::{Tls, TlsFiles, TlsPart};
use sip::ua::Transport;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A certificate that is renewed by a machine is renewed earlier than this.
const RENEW_BEFORE: Duration = Duration::from_secs(14 * 24 * 3600);

/// Reads `tls` of the section `[sip]`, and the files that it names.
pub(super) fn tls(
    document: &mut Document<'_>,
    sip: &mut Section<'_>,
    folder: &Path,
    listen: &[(Transport, SocketAddr)],
    listen_at: usize,
) -> Tls {
    let is_listened = listen.iter().any(|(transport, _)| transport.is_secure());
    let Some(entry) = sip.take("tls") else {
        if is_listened {
            let what = "TLS is listened on without a certificate";
            document.fault(listen_at, what, "write `certificate` and `key` under [sip.tls]");
        }
        return Tls::default();
    };
    let Some(mut section) = document.section(&entry) else { return Tls::default() };
    let (certificate, key) = (section.place_of("certificate"), section.place_of("key"));
    let (client_ca, ca) = (section.place_of("client_ca"), section.place_of("ca"));
    let place = |part| match part {
        TlsPart::Certificate => certificate,
        TlsPart::Key => key,
        TlsPart::ClientCa => client_ca,
        TlsPart::Ca => ca,
    };
    let identity = identity(document, &mut section, folder);
    if identity.is_none() && is_listened && certificate.is_none() && key.is_none() {
        let what = "TLS is listened on without a certificate";
        document.fault(entry.at, what, "write `certificate` and `key` here");
    }
    let client_ca = files(document, section.take("client_ca"), folder);
    let ca = files(document, section.take("ca"), folder);
    section.finish(document);
    match Tls::read(&TlsFiles { identity, client_ca, ca }) {
        Ok(tls) => {
            warn_of_the_end(document, &tls, certificate.unwrap_or(entry.at));
            tls
        }
        Err(fault) => {
            document.fault(place(fault.part).unwrap_or(entry.at), fault.what, fault.what_to_do);
            Tls::default()
        }
    }
}

fn identity(
    document: &mut Document<'_>,
    section: &mut Section<'_>,
    folder: &Path,
) -> Option<(PathBuf, PathBuf)> {
    let at = section.at;
    let certificate = optional_text(document, section, "certificate");
    let key = optional_text(document, section, "key");
    match (certificate, key) {
        (Some(certificate), Some(key)) => Some((from(folder, &certificate), from(folder, &key))),
        (None, None) => None,
        _ => {
            document.fault(at, "a certificate needs its key, and a key its certificate", "write both");
            None
        }
    }
}

fn files(document: &mut Document<'_>, entry: Option<Entry<'_>>, folder: &Path) -> Vec<PathBuf> {
    let Some(entry) = entry else { return Vec::new() };
    document.texts(&entry).into_iter().map(|(file, _)| from(folder, file)).collect()
}

fn warn_of_the_end(document: &mut Document<'_>, tls: &Tls, at: usize) {
    let Some(left) = tls.expires_in().filter(|left| *left < RENEW_BEFORE) else { return };
    let days = left.as_secs() / (24 * 3600);
    let what = format!("the certificate is valid for {days} more days only");
    document.warn(at, what, "renew it, then tell the exchange by SIGHUP");
}
