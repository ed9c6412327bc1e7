//! The accepted streams of peers that have not proved themselves: they are the first to go when room is needed, the
//! oldest before the others, so that no crowd of silent streams keeps out who comes to prove something.

use sip::guard;
use sip::ua::Flow;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

/// Streams by number: the lower, the older.
#[derive(Debug, Default)]
pub(super) struct Strangers {
    by_age: BTreeMap<u64, Flow>,
    in_handshake: BTreeMap<u64, Flow>,
    of_network: HashMap<IpAddr, usize>,
}

impl Strangers {
    pub(super) fn add(&mut self, flow: Flow, number: u64, in_handshake: bool) {
        self.by_age.insert(number, flow);
        if in_handshake {
            self.in_handshake.insert(number, flow);
        }
        *self.of_network.entry(network_of(flow)).or_default() += 1;
    }

    pub(super) fn remove(&mut self, flow: Flow, number: u64) {
        self.in_handshake.remove(&number);
        if self.by_age.remove(&number).is_none() {
            return;
        }
        let network = network_of(flow);
        if let Some(streams) = self.of_network.get_mut(&network) {
            *streams -= 1;
            if *streams == 0 {
                self.of_network.remove(&network);
            }
        }
    }

    pub(super) fn handshake_done(&mut self, number: u64) {
        self.in_handshake.remove(&number);
    }

    pub(super) fn streams(&self) -> usize {
        self.by_age.len()
    }

    pub(super) fn handshakes(&self) -> usize {
        self.in_handshake.len()
    }

    /// Those of the same /24 or /48.
    pub(super) fn of_network(&self, flow: Flow) -> usize {
        self.of_network.get(&network_of(flow)).copied().unwrap_or_default()
    }

    pub(super) fn oldest(&self) -> Option<Flow> {
        self.by_age.values().next().copied()
    }

    pub(super) fn oldest_in_handshake(&self) -> Option<Flow> {
        self.in_handshake.values().next().copied()
    }

    pub(super) fn oldest_of_network(&self, flow: Flow) -> Option<Flow> {
        let network = network_of(flow);
        self.by_age.values().find(|other| network_of(**other) == network).copied()
    }
}

/// By its first address.
fn network_of(flow: Flow) -> IpAddr {
    guard::prefix_of(flow.remote.ip()).addr()
}
