//! `[limits]`: the most calls and connections at a time.

use super::read::number;
use document::{Document, Section};
use net::SipLimits;

/// The most of everything at a time.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub(super) calls: usize,
    /// Of one trunk, and of all who need no password, before they are answered and acknowledged.
    pub(super) half_open: usize,
    /// The same, of one account, and of one source of those.
    pub(super) half_open_each: usize,
    /// Of TCP, TLS and WebSockets.
    pub(super) streams: SipLimits,
}

impl Limits {
    fn usual(calls: usize) -> Limits {
        Limits { calls, half_open: calls / 2, half_open_each: calls / 8, streams: SipLimits::default() }
    }

    /// SIP keeps to them.
    pub(super) fn hold_for(&self, sip: &mut sip::ua::Limits) {
        (sip.half_open, sip.half_open_each) = (self.half_open, self.half_open_each);
    }
}

pub(super) fn limits(document: &mut Document<'_>, root: &mut Section<'_>) -> Limits {
    let usual = Limits::usual(2000);
    let Some(entry) = root.take("limits") else { return usual };
    let Some(mut section) = document.section(&entry) else { return usual };
    let mut limit = |name: &'static str, least: i64, usual: usize| {
        let otherwise = i64::try_from(usual.max(1)).unwrap_or(i64::MAX);
        let written = number(document, &mut section, name, least..=100_000, otherwise);
        usize::try_from(written).unwrap_or(usual)
    };
    let Limits { calls, half_open, streams, .. } = Limits::usual(limit("calls", 1, 2000));
    let half_open = limit("half_open", 1, half_open);
    let half_open_each = limit("half_open_each", 1, half_open / 4);
    // Half of them are for strangers: fewer would let nobody in.
    let connections = limit("connections", 16, streams.connections);
    let connections_per_address = limit("connections_per_address", 1, streams.connections_per_address);
    section.finish(document);
    let streams = SipLimits { connections, connections_per_address, ..streams };
    Limits { calls, half_open, half_open_each, streams }
}

#[cfg(test)]
mod tests {
    use crate::config::load_text;
    use std::path::Path;

    fn connections(text: &str) -> [usize; 2] {
        let installation = load_text("c.toml", text, Path::new("/nowhere")).ok().unwrap();
        [installation.streams.connections, installation.streams.connections_per_address]
    }

    #[test]
    fn a_large_office_may_have_as_many_connections_as_it_has_telephones() {
        assert_eq!(connections(""), [4096, 256]);
        assert_eq!(
            connections("[limits]\nconnections = 20000\nconnections_per_address = 3000\n"),
            [20_000, 3000]
        );
    }
}
