//! By which ways a peer is reached now: located, those that failed lately last, those that asked to be left
//! alone not at all (RFC 3263 §4.3, RFC 3261 §21.5.4).

use super::aside::Aside;
use super::wire::Wire;
use super::{Config, Flow, Output, Trunk};
use crate::locate::{self, Answer, Host, Located, Locator, Place, Query, Way};
use crate::message::{HeaderName, Message, NameAddr};
use crate::uri::Uri;
use base::{Seed, Time};
use ipnet::IpNet;
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

/// Answers of name servers that are remembered.
const ANSWERS_MAX: usize = 4_096;
/// A Retry-After beyond this is nonsense or malice.
const RETRY_AFTER_MAX: u32 = 3_600;
/// The most routes that a registrar may ask us to take (RFC 3608).
const SERVICE_ROUTES_MAX: usize = 16;

/// Whom a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Towards {
    /// Whoever is at the other end of these flows, and nobody else: a registered device, by the first that it answers by.
    Flows(Vec<Flow>),
    /// The first of these places that answers.
    Places(Vec<Place>),
    /// The trunk of this name: the route that its registrar gave, or its targets.
    Trunk(String),
}

impl From<Flow> for Towards {
    fn from(flow: Flow) -> Towards {
        Towards::Flows(vec![flow])
    }
}

/// Whether a call to a trunk would be taken now, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Nothing speaks against it.
    Ready,
    /// None of its servers has answered of late, nobody knows yet or any more where they are, or our registration
    /// with it does not hold.
    Down,
    /// All of its servers asked to be left alone for a while: nothing is sent there.
    Closed,
}

/// The ways there are.
#[derive(Debug)]
pub(crate) enum Found {
    /// At least one, the best first.
    Ways(VecDeque<Flow>),
    /// Not known before this is answered.
    WaitsFor(Query),
    /// None; why, for people.
    None(String),
}

/// What is known of ways.
#[derive(Debug)]
pub(crate) struct Ways {
    locator: Locator,
    aside: Aside,
    /// What the registrar said of each registration of ours that holds.
    registered: BTreeMap<String, Registered>,
    /// The networks that the guard has been told of.
    known: Option<Vec<IpNet>>,
}

/// A registration that holds.
#[derive(Clone, Debug)]
struct Registered {
    flow: Flow,
    /// The Service-Route (RFC 3608).
    routes: Vec<Box<str>>,
}

impl Ways {
    pub(crate) fn new(config: &Config, seed: Seed, now: Time) -> Ways {
        let keep = kept_places(config, &BTreeMap::new());
        let locating = locate::Config { listen: config.listen.clone(), keep, answers_max: ANSWERS_MAX };
        Ways {
            locator: Locator::new(locating, seed.named("sip.locate"), now),
            aside: Aside::default(),
            registered: BTreeMap::new(),
            known: None,
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        self.locator.poll_timeout()
    }

    /// Whether calls of this trunk may come from `flow`: from where the trunk is, or by the flow that we
    /// registered by.
    pub(crate) fn is_of(&self, trunk: &Trunk, flow: Flow) -> bool {
        let ip: IpAddr = flow.remote.ip().to_canonical();
        trunk.addresses.iter().any(|net| net.contains(&ip))
            || trunk.targets.iter().any(|place| self.locator.is_at(place, ip))
            || self.registered.get(&trunk.name).is_some_and(|registered| registered.flow == flow)
    }

    /// The flow that we registered by, unless the registrar named a route that begins elsewhere.
    fn preferred(&self, trunk: &str) -> Option<Flow> {
        let Registered { flow, routes } = self.registered.get(trunk)?;
        let begins_there =
            first_place(routes).is_none_or(|route| self.locator.is_at(&route, flow.remote.ip()));
        begins_there.then_some(*flow)
    }
}

/// Ways as everybody on the wire uses them.
impl Wire {
    /// The ways to somebody: if it is urgent, those too whose servers asked to be left alone.
    pub(crate) fn ways(&mut self, now: Time, towards: &Towards, urgent: bool) -> Found {
        let (places, preferred) = match towards {
            Towards::Flows(flows) => return Found::Ways(flows.iter().copied().collect()),
            Towards::Places(places) => (places.clone(), None),
            Towards::Trunk(name) => {
                let preferred = self.ways.preferred(name);
                match self.places_of(name) {
                    Some(places) => (places, preferred),
                    None => return Found::None(format!("there is no trunk `{name}` any more")),
                }
            }
        };
        match self.located(now, &places) {
            Ok(ways) => self.usable(now, ways, preferred, urgent),
            Err(found) => found,
        }
    }

    /// The ways to a place that only a peer has named. None of them is a secure one: whose certificate is asked for at
    /// an address is not for peers to say.
    pub(crate) fn ways_unproven(&mut self, now: Time, place: &Place) -> Found {
        let located = self.ways.locator.locate(now, place);
        self.ask_name_servers();
        match located {
            Located::At(found) => {
                let ways = found.into_iter().map(|way| way.flow).filter(|flow| !flow.transport.is_secure());
                self.usable(now, ways.collect(), None, true)
            }
            Located::WaitsFor(query) => Found::WaitsFor(query),
            Located::Nowhere => Found::None(format!("name servers know no address of {place}")),
        }
    }

    /// Whether a call to this trunk would be taken now.
    pub(crate) fn reach(&mut self, now: Time, name: &str) -> Reach {
        let Some(places) = self.places_of(name) else { return Reach::Down };
        let registers = self.config.trunk(name).is_some_and(|trunk| trunk.register);
        let registered = !registers || self.ways.registered.contains_key(name);
        let is_there = match self.located(now, &places) {
            Ok(ways) => {
                let states: Vec<_> = ways.iter().map(|flow| self.ways.aside.state(now, *flow)).collect();
                if states.iter().all(|state| *state == Some(true)) {
                    return Reach::Closed;
                }
                states.iter().any(Option::is_none)
            }
            Err(_) => false,
        };
        if registered && is_there { Reach::Ready } else { Reach::Down }
    }

    /// Every way to a trunk's targets, those that were put aside too; nothing while a name server is asked.
    pub(crate) fn all_ways(&mut self, now: Time, trunk: &Trunk) -> Option<Vec<Flow>> {
        match self.located(now, &trunk.targets) {
            Ok(ways) => Some(ways.into()),
            Err(Found::WaitsFor(_)) => None,
            Err(_) => Some(Vec::new()),
        }
    }

    /// The routes that what we send to a trunk begins with (RFC 3608 §6.1).
    pub(crate) fn service_routes(&self, towards: &Towards) -> Vec<Box<str>> {
        let Towards::Trunk(name) = towards else { return Vec::new() };
        self.ways.registered.get(name).map(|registered| registered.routes.clone()).unwrap_or_default()
    }

    /// A registration holds: remembers by which way, and which routes its answer names.
    pub(crate) fn registered(&mut self, now: Time, name: &str, flow: Flow, response: &Message) {
        let named = response.list(HeaderName::ServiceRoute);
        let routes: Vec<Box<str>> = named.filter_map(route_uri).take(SERVICE_ROUTES_MAX).collect();
        let registered = Registered { flow, routes };
        let before = self.ways.registered.insert(name.to_owned(), registered.clone());
        if before.is_none_or(|before| before.routes != registered.routes) {
            self.keep_located(now);
        }
    }

    /// A registration holds no more.
    pub(crate) fn unregistered(&mut self, now: Time, name: &str) {
        if self.ways.registered.remove(name).is_some_and(|registered| !registered.routes.is_empty()) {
            self.keep_located(now);
        }
    }

    /// The configuration changed.
    pub(crate) fn keep_located(&mut self, now: Time) {
        let names: Vec<&str> = self.config.trunks.iter().map(|trunk| trunk.name.as_str()).collect();
        self.ways.registered.retain(|name, _| names.contains(&name.as_str()));
        let keep = kept_places(&self.config, &self.ways.registered);
        self.ways.locator.reconfigure(now, self.config.listen.clone(), keep);
        self.ask_name_servers();
        self.make_known();
    }

    /// Tells the guard who is known by address, if those are others than before.
    pub(crate) fn make_known(&mut self) {
        let nets = self.known_now();
        if self.ways.known.as_ref() != Some(&nets) {
            self.guard.know(nets.clone());
            self.ways.known = Some(nets);
        }
    }

    /// Tells the guard of the whole configuration.
    pub(crate) fn configure_guard(&mut self) {
        let nets = self.known_now();
        let accounts = self.config.accounts.iter().map(|account| account.user.clone());
        self.guard.configure(self.config.guard.clone(), nets.clone(), accounts);
        self.ways.known = Some(nets);
    }

    /// Who is known by address: the networks of the configuration, and where the trunks are located now.
    fn known_now(&self) -> Vec<IpNet> {
        let located = self.ways.locator.kept_addresses().map(IpNet::from);
        let mut nets: Vec<IpNet> = self.config.known_nets().into_iter().chain(located).collect();
        nets.sort();
        nets.dedup();
        nets
    }

    /// An answer of a name server.
    pub(crate) fn resolved(&mut self, now: Time, query: Query, answer: Answer) {
        self.ways.locator.handle(now, locate::Input::Resolved { query, answer });
        self.ask_name_servers();
        self.make_known();
    }

    /// Asks for what is no longer fresh; gives the queries that nobody answered.
    pub(crate) fn ways_timeout(&mut self, now: Time) -> Vec<Query> {
        let unanswered = self.ways.locator.handle_timeout(now);
        self.ask_name_servers();
        unanswered
    }

    /// Nobody answered there, or the way broke: others are tried before it for a while.
    pub(crate) fn way_failed(&mut self, now: Time, flow: Flow) {
        self.ways.aside.put(now, flow, now + self.config.timers.aside, false);
    }

    /// A server is known to be down: others are tried before it, until it is asked again.
    pub(crate) fn way_is_down(&mut self, now: Time, flow: Flow, pause: Duration) {
        self.ways.aside.put(now, flow, now + pause, false);
    }

    /// Somebody answered there.
    pub(crate) fn way_works(&mut self, flow: Flow) {
        self.ways.aside.clear(flow);
    }

    /// A 503: with a Retry-After nothing is sent there until then; without, it counts as a plain refusal
    /// (RFC 3261 §21.5.4).
    pub(crate) fn way_is_busy(&mut self, now: Time, flow: Flow, retry_after: Option<u32>) {
        if let Some(seconds) = retry_after {
            let pause = Duration::from_secs(seconds.min(RETRY_AFTER_MAX).into());
            self.ways.aside.put(now, flow, now + pause, true);
        }
    }

    /// Whether others are tried before it, or it is not to be taken at all.
    pub(crate) fn is_aside(&self, now: Time, flow: Flow) -> bool {
        self.ways.aside.state(now, flow).is_some()
    }

    /// Whether the way is not to be taken now although it was when the call began.
    pub(crate) fn is_barred(&self, now: Time, flow: Flow) -> bool {
        self.ways.aside.state(now, flow) == Some(true)
    }

    fn places_of(&self, trunk: &str) -> Option<Vec<Place>> {
        let config = self.config.trunk(trunk)?;
        let route = self.ways.registered.get(trunk).and_then(|registered| first_place(&registered.routes));
        let targets = config.targets.iter().filter(|target| Some(*target) != route.as_ref());
        Some(route.iter().chain(targets).cloned().collect())
    }

    fn located(&mut self, now: Time, places: &[Place]) -> Result<VecDeque<Flow>, Found> {
        let mut ways: VecDeque<Flow> = VecDeque::new();
        for place in places {
            match self.ways.locator.locate(now, place) {
                Located::At(found) => {
                    for Way { flow, name } in found {
                        self.expect(flow, name);
                        if !ways.contains(&flow) {
                            ways.push_back(flow);
                        }
                    }
                }
                Located::WaitsFor(query) if ways.is_empty() => {
                    self.ask_name_servers();
                    return Err(Found::WaitsFor(query));
                }
                Located::WaitsFor(_) | Located::Nowhere => {}
            }
        }
        self.ask_name_servers();
        if ways.is_empty() {
            let names: Vec<String> = places.iter().map(Place::to_string).collect();
            return Err(Found::None(format!("name servers know no address of {}", names.join(", "))));
        }
        Ok(ways)
    }

    fn usable(&mut self, now: Time, ways: VecDeque<Flow>, preferred: Option<Flow>, urgent: bool) -> Found {
        let (mut good, mut aside, mut barred) = (VecDeque::new(), VecDeque::new(), VecDeque::new());
        for flow in ways {
            match self.ways.aside.state(now, flow) {
                None if Some(flow) == preferred => good.push_front(flow),
                None => good.push_back(flow),
                Some(false) => aside.push_back(flow),
                Some(true) => barred.push_back(flow),
            }
        }
        good.append(&mut aside);
        if urgent {
            good.append(&mut barred);
        }
        match good.is_empty() {
            true => Found::None("every server there asked to be left alone for a while (503)".to_owned()),
            false => Found::Ways(good),
        }
    }

    /// Tells the shell which name a certificate must bear, whenever a way is found: it alone remembers. A trunk
    /// that is written as an address has its domain to prove.
    fn expect(&mut self, flow: Flow, name: String) {
        if !flow.transport.is_secure() {
            return;
        }
        let written = Host::Address(flow.remote.ip());
        let is_written = |trunk: &&Trunk| {
            trunk.domain.is_some() && trunk.targets.iter().any(|place| place.host == written)
        };
        let domain = self.config.trunks.iter().find(is_written).and_then(|trunk| trunk.domain.clone());
        let name = domain.unwrap_or(name);
        self.out.push_back(Output::Expect { remote: flow.remote, name });
    }

    pub(crate) fn ask_name_servers(&mut self) {
        while let Some(locate::Output::Resolve { query }) = self.ways.locator.poll_output() {
            self.out.push_back(Output::Resolve { query });
        }
    }
}

fn kept_places(config: &Config, registered: &BTreeMap<String, Registered>) -> Vec<Place> {
    let routes = registered.values().filter_map(|registered| first_place(&registered.routes));
    let targets = config.trunks.iter().flat_map(|trunk| trunk.targets.iter().cloned());
    targets.chain(routes).collect()
}

fn first_place(routes: &[Box<str>]) -> Option<Place> {
    Place::of_uri(&Uri::parse(routes.first()?).ok()?)
}

/// The URI of a Service-Route, if it is one.
fn route_uri(route: &str) -> Option<Box<str>> {
    let address = NameAddr::parse(route).ok()?;
    Uri::parse(address.uri).is_ok().then(|| address.uri.into())
}
