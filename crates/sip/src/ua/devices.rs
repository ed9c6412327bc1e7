//! Devices that registered by UDP: nothing but their own flow reaches them, and those behind a NAT have to be kept
//! reachable.
//!
//! A NAT forgets a way that nothing goes by: often after 30 s (RFC 4787 §4.3 allows no less than two minutes, and is
//! not followed). Many refresh it only by what comes from inside. So a device whose Contact is not where its
//! REGISTER came from is asked OPTIONS every 20 s to 25 s: its answer comes from inside. Devices that ping by
//! themselves (RFC 5626) are asked nonetheless; it costs two datagrams.

use super::wire::Wire;
use super::{Contact, Flow, MAX_FORWARDS, Transport};
use crate::transaction::User;
use crate::uri::Uri;
use crate::write::Writer;
use base::Time;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How often a device behind a NAT is asked, less up to `PAUSE_SPREAD`, so that not all are asked at once.
const PAUSE: Duration = Duration::from_secs(25);
const PAUSE_SPREAD: Duration = Duration::from_secs(5);
/// The most flows that are kept; devices of further ones are neither kept reachable nor told from servers.
const DEVICES_MAX: usize = 65_536;

/// The flows of registered devices, by UDP.
#[derive(Debug, Default)]
pub(crate) struct Devices {
    by_flow: BTreeMap<Flow, Device>,
    due: BTreeSet<(Time, Flow)>,
}

#[derive(Debug)]
struct Device {
    uri: Box<str>,
    until: Time,
    behind_nat: bool,
    /// When it is to be asked, or forgotten.
    due: Time,
}

impl Devices {
    /// Whether a device registered by this flow lately.
    pub(crate) fn knows(&self, flow: Flow) -> bool {
        self.by_flow.contains_key(&flow)
    }

    /// A device registered, or did so again.
    pub(crate) fn registered(&mut self, contact: &Contact) {
        let flow = contact.flow;
        let full = self.by_flow.len() >= DEVICES_MAX;
        if flow.transport != Transport::Udp || (full && !self.knows(flow)) {
            return;
        }
        let behind_nat = is_behind_nat(contact);
        let before = self.by_flow.remove(&flow);
        let due = match &before {
            Some(device) if device.behind_nat && behind_nat => device.due,
            // Asked at once: whether it answers is known before the first call.
            _ if behind_nat => Time::ZERO,
            _ => contact.until,
        };
        if let Some(device) = before {
            self.due.remove(&(device.due, flow));
        }
        self.due.insert((due, flow));
        // A request URI has no header fields in it (RFC 3261 §19.1.1).
        let uri = contact.uri.split('?').next().unwrap_or_default().into();
        self.by_flow.insert(flow, Device { uri, until: contact.until, behind_nat, due });
    }

    /// When somebody is to be asked next.
    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        self.due.first().map(|(at, _)| *at)
    }

    /// The next device that is to be asked now, by its flow and Contact. Those that are not registered any more,
    /// as `is_registered` says, are forgotten.
    fn take_due(
        &mut self,
        now: Time,
        pause: Duration,
        is_registered: impl Fn(Flow) -> bool,
    ) -> Option<(Flow, Box<str>)> {
        while let Some((at, flow)) = self.due.first().copied().filter(|(at, _)| *at <= now) {
            self.due.remove(&(at, flow));
            let device = self.by_flow.get_mut(&flow)?;
            if device.until <= now || !is_registered(flow) {
                self.by_flow.remove(&flow);
                continue;
            }
            device.due = if device.behind_nat { now + pause } else { device.until };
            self.due.insert((device.due, flow));
            if device.behind_nat {
                return Some((flow, device.uri.clone()));
            }
        }
        None
    }
}

impl Wire {
    /// Asks the devices behind NATs whose time has come.
    pub(crate) fn keep_devices_reachable(&mut self, now: Time) {
        loop {
            let spread = self.rng.below(PAUSE_SPREAD.as_millis() as u64);
            let pause = PAUSE - Duration::from_millis(spread);
            let Some((flow, uri)) = self.devices.take_due(now, pause, |flow| self.registrar.knows(flow))
            else {
                return;
            };
            self.ask(now, flow, &uri);
        }
    }

    fn ask(&mut self, now: Time, flow: Flow, uri: &str) {
        let (branch, own) = (self.branch(), self.address(flow));
        let (tag, call_id) = (self.rng.token(12), self.rng.token(24));
        let request = Writer::request("OPTIONS", uri)
            .header("Via", self.via(flow, &branch))
            .header("Max-Forwards", MAX_FORWARDS)
            .header("From", format_args!("<sip:{own}>;tag={tag}"))
            .header("To", format_args!("<{uri}>"))
            .header("Call-ID", call_id)
            .header("CSeq", "1 OPTIONS")
            .header("Contact", self.contact(flow, ""));
        // Where there is no room for it there is no hurry either.
        let _ = self.request(now, flow, User::Nobody, &branch, request);
    }
}

/// Whether a device wrote another address than the one that its REGISTER came from, or none at all.
fn is_behind_nat(contact: &Contact) -> bool {
    let remote = contact.flow.remote;
    let written = Uri::parse(&contact.uri).ok();
    !written.is_some_and(|uri| {
        let port = uri.port().unwrap_or(contact.flow.transport.default_port());
        uri.host().and_then(|host| host.ip()) == Some(remote.ip().to_canonical()) && port == remote.port()
    })
}
