//! The decisions of RFC 3263 §4: which transport, which servers, which addresses. Made anew from what is
//! known each time that somebody asks, so that nothing is to be kept in step.

use super::weights::{Server, ordered};
use super::{Host, Kind, Place, Query, Record};
use crate::ua::{Flow, Transport};
use base::Rng;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// The most ways that one place has; a caller will not wait for more.
const WAYS_MAX: usize = 16;
/// The most names that one place leads to.
const LOOKS_MAX: usize = 48;

/// One way to a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// The way.
    pub flow: Flow,
    /// The name that a certificate must bear (RFC 5922 §7.1): that of the place, not of the server.
    pub name: String,
}

/// What is known of a query.
pub(super) enum Known {
    /// These records; none if there are none, or none can be had for now.
    Records(Arc<[Record]>),
    /// It is being asked for the first time.
    NotYet,
}

/// What a place came to.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) ways: Vec<Way>,
    /// The answer that the first way waits for.
    pub(super) waits_for: Option<Query>,
}

/// Finds the ways to `place` from the sockets of `listen`.
pub(super) fn plan(
    place: &Place,
    listen: &[(Transport, SocketAddr)],
    rng: &mut Rng,
    look: &mut dyn FnMut(&Query) -> Known,
) -> Plan {
    let mut planner = Planner { place, listen, rng, look, looks: 0, plan: Plan::default() };
    planner.begin();
    planner.plan
}

struct Planner<'a> {
    place: &'a Place,
    listen: &'a [(Transport, SocketAddr)],
    rng: &'a mut Rng,
    look: &'a mut dyn FnMut(&Query) -> Known,
    looks: usize,
    plan: Plan,
}

impl Planner<'_> {
    fn begin(&mut self) {
        let place = self.place;
        let transport = place.transport.or(self.usual());
        match (&place.host, place.port, place.transport) {
            (Host::Address(ip), port, _) => {
                let Some(transport) = transport else { return };
                self.add(transport, *ip, port.unwrap_or(transport.default_port()), None);
            }
            (Host::Name(name), Some(port), _) => {
                let Some(transport) = transport else { return };
                self.addresses(name, transport, port);
            }
            (Host::Name(name), None, Some(transport)) => self.servers_or_addresses(name, transport),
            (Host::Name(name), None, None) => self.transports(name),
        }
    }

    /// §4.1, the end of it: UDP for `sip:`, TLS for `sips:`; what we have, if we have no such socket.
    fn usual(&self) -> Option<Transport> {
        let first = if self.place.secure { Transport::Tls } else { Transport::Udp };
        if self.has(first) { Some(first) } else { self.spoken().into_iter().next() }
    }

    /// The transports that we have sockets of, and that will do here, in the order of the configuration.
    fn spoken(&self) -> Vec<Transport> {
        let mut spoken = Vec::new();
        for (transport, _) in self.listen {
            let will_do = !self.place.secure || transport.is_secure();
            if will_do && !spoken.contains(transport) {
                spoken.push(*transport);
            }
        }
        spoken
    }

    fn has(&self, transport: Transport) -> bool {
        self.listen.iter().any(|(kind, _)| *kind == transport)
    }

    /// No transport and no port are given: NAPTR says which, then SRV (§4.1).
    fn transports(&mut self, name: &str) {
        let Some(records) = self.look(Kind::Naptr, name) else { return };
        let spoken = self.spoken();
        let mut offered: Vec<(u16, u16, Transport, &str)> = records
            .iter()
            .filter_map(offer)
            .filter(|(_, _, transport, _)| spoken.contains(transport))
            .collect();
        offered.sort_by_key(|(order, preference, ..)| (*order, *preference));
        if let Some(&(lowest, ..)) = offered.first() {
            for (_, _, transport, replacement) in offered.into_iter().filter(|offer| offer.0 == lowest) {
                self.servers(replacement, transport);
            }
            return;
        }
        let mut any = false;
        for transport in spoken.into_iter().filter(|transport| service(*transport).is_some()) {
            any |= self.servers_of(name, transport);
        }
        if !any && let Some(transport) = self.usual() {
            self.addresses(name, transport, transport.default_port());
        }
    }

    /// A transport but no port is given: SRV, or the name's own addresses (§4.2).
    fn servers_or_addresses(&mut self, name: &str, transport: Transport) {
        if !self.servers_of(name, transport) {
            self.addresses(name, transport, transport.default_port());
        }
    }

    /// True if there are servers by SRV, be they no more than a dot, or there may be.
    fn servers_of(&mut self, name: &str, transport: Transport) -> bool {
        match service(transport) {
            Some(service) => self.servers(&format!("{service}.{name}"), transport),
            None => false,
        }
    }

    fn servers(&mut self, name: &str, transport: Transport) -> bool {
        let Some(records) = self.look(Kind::Srv, name) else { return true };
        let is_there = records.iter().any(|record| matches!(record, Record::Srv { .. }));
        for Server { target, port } in ordered(&records, self.rng) {
            self.addresses(&target, transport, port);
        }
        is_there
    }

    /// The addresses of a name. IPv6 first where we have it (RFC 6724); if one family is known, nobody waits
    /// for the other.
    fn addresses(&mut self, name: &str, transport: Transport, port: u16) {
        if let Ok(ip) = name.parse() {
            return self.add(transport, ip, port, None);
        }
        let (before, waited) = (self.plan.ways.len(), self.plan.waits_for.is_some());
        for (kind, is_v4) in [(Kind::Aaaa, false), (Kind::A, true)] {
            if !self.listen.iter().any(|(of, local)| *of == transport && local.is_ipv4() == is_v4) {
                continue;
            }
            for record in self.look(kind, name).iter().flat_map(|records| records.iter()) {
                if let Record::Address { ip, local } = record {
                    self.add(transport, *ip, port, *local);
                }
            }
        }
        if !waited && self.plan.ways.len() > before {
            self.plan.waits_for = None;
        }
    }

    fn add(&mut self, transport: Transport, ip: IpAddr, port: u16, from: Option<IpAddr>) {
        let remote = SocketAddr::new(ip.to_canonical(), port);
        let Some(local) = local(self.listen, transport, remote, from) else { return };
        let flow = Flow { transport, local, remote };
        let is_known = self.plan.ways.iter().any(|way| way.flow == flow);
        if !is_known && self.plan.ways.len() < WAYS_MAX && is_somewhere(remote.ip()) {
            self.plan.ways.push(Way { flow, name: self.place.host_in_uri() });
        }
    }

    /// The records; nothing if they are not known yet, which holds up whatever has no way before it.
    fn look(&mut self, kind: Kind, name: &str) -> Option<Arc<[Record]>> {
        self.looks += 1;
        if self.looks > LOOKS_MAX {
            return Some(Arc::new([]));
        }
        let query = Query::new(kind, name);
        match (self.look)(&query) {
            Known::Records(records) => Some(records),
            Known::NotYet => {
                if self.plan.ways.is_empty() && self.plan.waits_for.is_none() {
                    self.plan.waits_for = Some(query);
                }
                None
            }
        }
    }
}

/// Our end of a way: the socket of the kernel's choice, or the first of the transport and family.
fn local(
    listen: &[(Transport, SocketAddr)],
    transport: Transport,
    remote: SocketAddr,
    from: Option<IpAddr>,
) -> Option<SocketAddr> {
    let fits =
        |(kind, local): &&(Transport, SocketAddr)| *kind == transport && local.is_ipv4() == remote.is_ipv4();
    let mut all = listen.iter().filter(fits);
    let routed = all.clone().find(|(_, local)| Some(local.ip()) == from);
    let (_, mut local) = *routed.or(all.next())?;
    if let Some(from) = from.filter(|from| local.ip().is_unspecified() && from.is_ipv4() == local.is_ipv4()) {
        local.set_ip(from);
    }
    Some(local)
}

/// A name server that says `0.0.0.0` or a multicast address means nobody.
fn is_somewhere(ip: IpAddr) -> bool {
    !ip.is_unspecified() && !ip.is_multicast()
}

/// What an SRV query for a transport begins with. WebSockets are found by NAPTR or address only.
fn service(transport: Transport) -> Option<&'static str> {
    match transport {
        Transport::Udp => Some("_sip._udp"),
        Transport::Tcp => Some("_sip._tcp"),
        Transport::Tls => Some("_sips._tcp"),
        Transport::Ws | Transport::Wss => None,
    }
}

/// A NAPTR record that leads to SRV and speaks a transport that we know (RFC 3263 §4.1, RFC 7118 §6.3).
fn offer(record: &Record) -> Option<(u16, u16, Transport, &str)> {
    let Record::Naptr { order, preference, flags, service, replacement } = record else { return None };
    let transport = match service.to_ascii_uppercase().as_str() {
        "SIP+D2U" => Transport::Udp,
        "SIP+D2T" => Transport::Tcp,
        "SIPS+D2T" => Transport::Tls,
        "SIP+D2W" => Transport::Ws,
        "SIPS+D2W" => Transport::Wss,
        _ => return None,
    };
    flags.eq_ignore_ascii_case("s").then_some((*order, *preference, transport, replacement))
}
