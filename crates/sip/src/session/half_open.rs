//! Calls from their INVITE to the ACK of our answer: no source, account or trunk may fill the house with them.

use crate::guard::source_of;
use crate::ua::{Flow, Limits, Peer};
use ipnet::IpNet;
use std::collections::BTreeMap;

/// Whose calls are counted together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Whose {
    /// Of those who need not prove anything, by their source.
    Open(IpNet),
    Account(Box<str>),
    Trunk(Box<str>),
}

impl Whose {
    pub(super) fn of(peer: &Peer, flow: Flow) -> Whose {
        match peer {
            Peer::Open => Whose::Open(source_of(flow.remote.ip())),
            Peer::Account(user) => Whose::Account(user.as_str().into()),
            Peer::Trunk(name) => Whose::Trunk(name.as_str().into()),
        }
    }
}

/// How many there are.
#[derive(Debug, Default)]
pub(super) struct HalfOpen {
    of: BTreeMap<Whose, usize>,
    /// Of all who need not prove anything.
    open: usize,
}

impl HalfOpen {
    /// Whether one more may begin.
    pub(super) fn has_room_for(&self, whose: &Whose, limits: &Limits) -> bool {
        let begun = self.of.get(whose).copied().unwrap_or(0);
        match whose {
            Whose::Open(_) => self.open < limits.half_open && begun < limits.half_open_each,
            Whose::Account(_) => begun < limits.half_open_each,
            Whose::Trunk(_) => begun < limits.half_open,
        }
    }

    /// One began.
    pub(super) fn begin(&mut self, whose: Whose) {
        self.open += usize::from(matches!(whose, Whose::Open(_)));
        *self.of.entry(whose).or_default() += 1;
    }

    /// One is answered and acknowledged, or over.
    pub(super) fn end(&mut self, whose: &Whose) {
        if matches!(whose, Whose::Open(_)) {
            self.open = self.open.saturating_sub(1);
        }
        if let Some(count) = self.of.get_mut(whose) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.of.remove(whose);
            }
        }
    }
}
