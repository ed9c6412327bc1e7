//! Who is expected to be where: the names that outgoing TLS verifies (RFC 5922 §7.3).

use rustls::pki_types::ServerName;
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;

/// Names kept; one more forgets the oldest.
const NAMES: usize = 4096;

/// By address.
#[derive(Debug, Default)]
pub(super) struct Names {
    by_address: HashMap<SocketAddr, ServerName<'static>>,
    /// In the order in which they were first told.
    order: VecDeque<SocketAddr>,
}

impl Names {
    /// Who is at `remote` calls itself `name`. True if that is news. A name that is none is passed over, so that
    /// the address itself must be proved.
    pub(super) fn expect(&mut self, remote: SocketAddr, name: &str) -> bool {
        let name = name.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
        let Ok(name) = ServerName::try_from(name.to_owned()) else {
            tracing::debug!(%remote, name, "no certificate can have this name; the address must be in it instead");
            return false;
        };
        if self.by_address.get(&remote) == Some(&name) {
            return false;
        }
        if self.by_address.insert(remote, name).is_none() {
            self.order.push_back(remote);
        }
        if self.order.len() > NAMES
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_address.remove(&oldest);
        }
        true
    }

    /// The name that whoever is at `remote` must prove; the address if there is none.
    pub(super) fn of(&self, remote: SocketAddr) -> ServerName<'static> {
        let known = self.by_address.get(&remote).cloned();
        known.unwrap_or_else(|| ServerName::IpAddress(remote.ip().to_canonical().into()))
    }
}
