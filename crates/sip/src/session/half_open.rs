//! Calls of whoever need not prove anything, from their INVITE to the ACK of our answer: nobody may fill the house
//! with them.

use crate::guard::source_of;
use crate::ua::Limits;
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// How many there are, by their sources.
#[derive(Debug, Default)]
pub(super) struct HalfOpen {
    of: BTreeMap<IpNet, usize>,
    all: usize,
}

impl HalfOpen {
    /// Whether one more may begin there.
    pub(super) fn has_room_for(&self, ip: IpAddr, limits: &Limits) -> bool {
        let of_source = self.of.get(&source_of(ip)).copied().unwrap_or(0);
        self.all < limits.half_open && of_source < limits.half_open_each
    }

    /// One began. What it is given back by.
    pub(super) fn begin(&mut self, ip: IpAddr) -> IpNet {
        let source = source_of(ip);
        self.all += 1;
        *self.of.entry(source).or_default() += 1;
        source
    }

    /// One is answered and acknowledged, or over.
    pub(super) fn end(&mut self, source: IpNet) {
        self.all = self.all.saturating_sub(1);
        if let Some(count) = self.of.get_mut(&source) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.of.remove(&source);
            }
        }
    }
}
