//! Servers that are put aside for a while: because they did not answer, or because they said so.

use super::{Flow, Transport};
use base::Time;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// Beyond this many the one whose time ends first is forgotten.
const ASIDE_MAX: usize = 1_024;

/// The list.
#[derive(Debug, Default)]
pub(crate) struct Aside {
    /// Until when, and whether nothing at all is to be sent there.
    servers: BTreeMap<(Transport, SocketAddr), (Time, bool)>,
}

impl Aside {
    /// Puts a server aside. One that must not be asked is not made one that may.
    pub(crate) fn put(&mut self, now: Time, flow: Flow, until: Time, barred: bool) {
        let key = (flow.transport, flow.remote);
        self.servers.retain(|_, (until, _)| *until > now);
        match self.servers.get_mut(&key) {
            Some((_, true)) if !barred => {}
            Some(kept) => *kept = (until, barred),
            None => {
                self.make_room();
                self.servers.insert(key, (until, barred));
            }
        }
    }

    /// Takes a server that works back.
    pub(crate) fn clear(&mut self, flow: Flow) {
        if let Some((_, false)) = self.servers.get(&(flow.transport, flow.remote)) {
            self.servers.remove(&(flow.transport, flow.remote));
        }
    }

    /// Whether it is aside, and if so whether nothing is to be sent there.
    pub(crate) fn state(&self, now: Time, flow: Flow) -> Option<bool> {
        let (until, barred) = self.servers.get(&(flow.transport, flow.remote))?;
        (*until > now).then_some(*barred)
    }

    fn make_room(&mut self) {
        if self.servers.len() >= ASIDE_MAX
            && let Some(first) = self.servers.iter().min_by_key(|(_, (until, _))| *until).map(|(key, _)| *key)
        {
            self.servers.remove(&first);
        }
    }
}
