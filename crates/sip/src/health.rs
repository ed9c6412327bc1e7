//! Whether a trunk's servers are there: each is asked by OPTIONS at intervals (RFC 3261 §11). Any final
//! answer is a sign of life, but 408 and 503, which say that there is nothing behind the one who answers.

use crate::message::Message;
use crate::transaction::{TransactionId, User};
use crate::ua::wire::{ACCEPT, Wire};
use crate::ua::{Event, Flow, MAX_FORWARDS, Trunk};
use crate::write::Writer;
use base::{Rng, Seed, Time};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// A server that has not answered by then, after half a dozen repetitions, is not there.
const PATIENCE: Duration = Duration::from_secs(8);

/// All trunks that are watched.
#[derive(Debug)]
pub(crate) struct Health {
    trunks: BTreeMap<String, Watched>,
    rng: Rng,
    last_number: u64,
}

/// One of them.
#[derive(Debug)]
struct Watched {
    number: u64,
    every: Duration,
    call_id: String,
    cseq: u32,
    /// When all are asked again.
    next: Time,
    servers: BTreeMap<Flow, Server>,
    /// The answers that are waited for, and until when.
    asked: BTreeMap<TransactionId, Flow>,
    asked_until: Time,
    told: Option<Findings>,
}

/// What is known of one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Server {
    Unknown,
    Up,
    Down(Option<u16>),
}

/// How many are up, and which are down.
type Findings = (usize, Vec<(SocketAddr, Option<u16>)>);

impl Health {
    pub(crate) fn new(seed: Seed) -> Health {
        Health { trunks: BTreeMap::new(), rng: seed.named("sip.health").rng(), last_number: 0 }
    }

    /// Watches these trunks from now on. One that is new, or is asked at another interval, is asked soon.
    pub(crate) fn watch(&mut self, trunks: &[Trunk], now: Time) {
        let watched = |trunk: &&Trunk| !trunk.probe.is_zero();
        let kept = |name: &String, every| {
            trunks.iter().filter(watched).any(|trunk| trunk.name == *name && trunk.probe == every)
        };
        self.trunks.retain(|name, watched| kept(name, watched.every));
        for trunk in trunks.iter().filter(watched) {
            if !self.trunks.contains_key(&trunk.name) {
                self.last_number += 1;
                let (number, every) = (self.last_number, trunk.probe);
                let watched = Watched::new(number, every, self.rng.token(24), now);
                self.trunks.insert(trunk.name.clone(), watched);
            }
        }
    }

    /// A final answer, or one on the way to it.
    pub(crate) fn response(
        &mut self,
        wire: &mut Wire,
        now: Time,
        number: u64,
        id: TransactionId,
        response: &Message,
    ) {
        let status = response.status().unwrap_or(0);
        if status < 200 {
            return;
        }
        let found = if matches!(status, 408 | 503) { Server::Down(Some(status)) } else { Server::Up };
        self.with(number, |name, watched| watched.found(wire, now, name, id, found));
    }

    /// Nobody answered, or the way broke.
    pub(crate) fn failed(&mut self, wire: &mut Wire, now: Time, number: u64, id: TransactionId) {
        self.with(number, |name, watched| watched.found(wire, now, name, id, Server::Down(None)));
    }

    /// A name server answered: trunks of which no address was known are asked at once.
    pub(crate) fn located(&mut self, wire: &mut Wire, now: Time) {
        for (name, watched) in &mut self.trunks {
            if watched.servers.is_empty() && watched.is_located(wire, now, name) {
                watched.ask(wire, now, name);
            }
        }
    }

    /// When somebody is to be asked, or given up.
    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        self.trunks.values().map(Watched::deadline).min()
    }

    /// Asks whoever is due, and gives up whoever was silent.
    pub(crate) fn handle_timeout(&mut self, wire: &mut Wire, now: Time) {
        for (name, watched) in &mut self.trunks {
            if !watched.asked.is_empty() && watched.asked_until <= now {
                watched.give_up(wire, now, name);
            }
            if watched.next <= now {
                let least = self.rng.below(101) as u32;
                watched.next = now + watched.every * (900 + least) / 1000;
                watched.ask(wire, now, name);
            }
        }
    }

    fn with(&mut self, number: u64, act: impl FnOnce(&str, &mut Watched)) {
        if let Some((name, watched)) = self.trunks.iter_mut().find(|(_, watched)| watched.number == number) {
            act(name, watched);
        }
    }
}

impl Watched {
    fn new(number: u64, every: Duration, call_id: String, now: Time) -> Watched {
        Watched {
            number,
            every,
            call_id,
            cseq: 0,
            next: now,
            servers: BTreeMap::new(),
            asked: BTreeMap::new(),
            asked_until: Time::FAR,
            told: None,
        }
    }

    fn deadline(&self) -> Time {
        if self.asked.is_empty() { self.next } else { self.next.min(self.asked_until) }
    }

    fn is_located(&self, wire: &mut Wire, now: Time, name: &str) -> bool {
        let trunk = wire.config.trunk(name).cloned();
        trunk.and_then(|trunk| wire.all_ways(now, &trunk)).is_some_and(|ways| !ways.is_empty())
    }

    fn ask(&mut self, wire: &mut Wire, now: Time, name: &str) {
        let Some(trunk) = wire.config.trunk(name).cloned() else { return };
        let Some(ways) = wire.all_ways(now, &trunk) else { return };
        self.servers.retain(|flow, _| ways.contains(flow));
        let domain = trunk.domain();
        for flow in ways {
            self.servers.entry(flow).or_insert(Server::Unknown);
            if !self.asked.values().any(|asked| *asked == flow)
                && let Some(id) = self.send(wire, now, flow, &domain)
            {
                self.asked.insert(id, flow);
            }
        }
        self.asked_until = now + PATIENCE;
        self.tell(wire, name);
    }

    fn send(&mut self, wire: &mut Wire, now: Time, flow: Flow, domain: &str) -> Option<TransactionId> {
        self.cseq += 1;
        let branch = wire.branch();
        let uri = format!("sip:{domain}");
        let writer = Writer::request("OPTIONS", &uri)
            .header("Via", wire.via(flow, &branch))
            .header("Max-Forwards", MAX_FORWARDS)
            .header("From", format_args!("<sip:{}>;tag={}", wire.address(flow), wire.rng.token(12)))
            .header("To", format_args!("<{uri}>"))
            .header("Call-ID", &self.call_id)
            .header("CSeq", format_args!("{} OPTIONS", self.cseq))
            .header("Contact", wire.contact(flow, ""))
            .header("Accept", ACCEPT);
        wire.request(now, flow, User::Probe(self.number), &branch, writer)
    }

    fn found(&mut self, wire: &mut Wire, now: Time, name: &str, id: TransactionId, found: Server) {
        let Some(flow) = self.asked.remove(&id) else { return };
        self.mark(wire, now, flow, found);
        self.tell(wire, name);
    }

    /// Those that have not answered are not there; what they say later is heard the next time.
    fn give_up(&mut self, wire: &mut Wire, now: Time, name: &str) {
        for (id, flow) in std::mem::take(&mut self.asked) {
            wire.transactions.abandon(id);
            self.mark(wire, now, flow, Server::Down(None));
        }
        self.tell(wire, name);
    }

    fn mark(&mut self, wire: &mut Wire, now: Time, flow: Flow, found: Server) {
        match found {
            Server::Up => wire.way_works(flow),
            // Until it is asked again, and a little more.
            Server::Down(_) => wire.way_is_down(now, flow, self.every + 2 * PATIENCE),
            Server::Unknown => {}
        }
        if let Some(server) = self.servers.get_mut(&flow) {
            *server = found;
        }
    }

    /// Tells what is found when it has changed; not before the first round is over.
    fn tell(&mut self, wire: &mut Wire, name: &str) {
        let open = self.servers.values().any(|server| *server == Server::Unknown);
        if open && !self.servers.values().any(|server| *server == Server::Up) {
            return;
        }
        let up = self.servers.values().filter(|server| **server == Server::Up).count();
        let down = self.servers.iter().filter_map(|(flow, server)| match server {
            Server::Down(status) => Some((flow.remote, *status)),
            _ => None,
        });
        let findings: Findings = (up, down.collect());
        if self.told.as_ref() != Some(&findings) {
            let (up, down) = findings.clone();
            self.told = Some(findings);
            wire.tell(Event::TrunkHealth { name: name.to_owned(), up, down });
        }
    }
}
