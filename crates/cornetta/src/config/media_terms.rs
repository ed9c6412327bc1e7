//! With whom media is encrypted: for everybody under `[media]`, and otherwise for a trunk or an agent.

use super::desk::Desk;
use super::network::Sip;
use super::read::one_of;
use document::{Document, Section};
use engine::{MediaTerms, PeerTerms};
use sip::negotiation::MediaSecurity;
use sip::ua::Transport;
use std::collections::BTreeMap;

const CHOICES: [(&str, MediaSecurity); 3] = [
    ("off", MediaSecurity::Off),
    ("optional", MediaSecurity::Optional),
    ("required", MediaSecurity::Required),
];

/// What is written in one place.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Written {
    security: Option<MediaSecurity>,
    keys_in_clear: Option<bool>,
    at: usize,
}

impl Written {
    fn or(self, usual: MediaTerms) -> MediaTerms {
        MediaTerms {
            security: self.security.unwrap_or(usual.security),
            keys_in_clear: self.keys_in_clear.unwrap_or(usual.keys_in_clear),
        }
    }
}

/// Takes `media_security` and `keys_in_clear` from a section.
pub(super) fn written(document: &mut Document<'_>, section: &mut Section<'_>) -> Written {
    let security = one_of(document, section, "media_security", &CHOICES);
    let keys_in_clear = section.take("keys_in_clear").and_then(|entry| document.flag(&entry));
    Written { security, keys_in_clear, at: section.at }
}

/// What holds with whom. Faults what could never be: keys that must be told, and to nobody by TLS.
pub(super) fn peer_terms(document: &mut Document<'_>, usual: Written, desk: &Desk, sip: &Sip) -> PeerTerms {
    let (trunks, agents, sip) = (&sip.media_terms, &desk.media_terms, &sip.config);
    let everybody = usual.or(MediaTerms { security: MediaSecurity::Optional, keys_in_clear: false });
    let of = |written: &BTreeMap<String, Written>| -> BTreeMap<String, MediaTerms> {
        written.iter().map(|(name, written)| (name.clone(), written.or(everybody))).collect()
    };
    let terms = PeerTerms { usual: everybody, trunks: of(trunks), agents: of(agents) };
    for (name, trunk) in &terms.trunks {
        let in_clear =
            |place: &sip::locate::Place| !place.secure && !place.transport.is_some_and(Transport::is_secure);
        let reads = sip.trunk(name).is_some_and(|trunk| trunk.targets.iter().any(in_clear));
        if needs_tls(*trunk) && reads {
            let at = trunks.get(name).map_or(0, |written| written.at);
            let what = format!(
                "media of the trunk `{name}` must be encrypted, and its keys could be read on the way"
            );
            document.fault(at, what, "write its `address` as \"tls:…\", or `keys_in_clear = true`");
        }
    }
    let listens = sip.listen.iter().any(|(transport, _)| transport.is_secure());
    let devices = [(&everybody, usual.at)].into_iter().chain(
        terms.agents.iter().map(|(name, terms)| (terms, agents.get(name).map_or(0, |written| written.at))),
    );
    if let Some((_, at)) = devices.into_iter().find(|(terms, _)| needs_tls(**terms) && !listens) {
        let what = "media must be encrypted, and no device can come by TLS";
        document.fault(
            at,
            what,
            "add \"tls:…\" or \"wss:…\" to `listen` under [sip], or write `keys_in_clear = true`",
        );
    }
    terms
}

fn needs_tls(terms: MediaTerms) -> bool {
    terms.security == MediaSecurity::Required && !terms.keys_in_clear
}
