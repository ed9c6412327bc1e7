//! Who lives in a simulated world: the exchange's configuration, its agents, and what may be dialled.

use crate::phones::{between, one_of};
use base::Rng;
use engine::{Config, Service, Target};
use sip::digest::Algorithm;
use sip::locate::Place;
use sip::negotiation::MediaSecurity;
use sip::ua::{Account, Extensions, Flow, Prack, Transport, Trunk};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// The phones' addresses: agents, then the party outside, then callers.
const FIRST_PHONE: u32 = 0x0a40_0000;
/// The addresses of callers who come by an operator's line.
const FIRST_BY_LINE: u32 = 0x1440_0000;
/// Set in the numbers of their phones.
pub(crate) const BY_LINE: usize = 1 << 31;
/// The servers of the two lines, the first of which has all but one.
const SERVERS: usize = 4;
/// Accounts that serve no queue: one who may supervise, and one who is asked to join.
pub(crate) const SUPERVISOR: &str = "carla";
pub(crate) const COLLEAGUE: &str = "dario";
const BESIDE: [&str; 2] = [SUPERVISOR, COLLEAGUE];
/// Whose agents interpret.
pub(crate) const INTERPRETERS: &str = "interpreters";
/// Where callers meet.
pub(crate) const ROOM: &str = "meeting";
/// The least agents, and how many more there are for each call a second.
pub(crate) const AGENTS: usize = 12;
const AGENTS_FOR_A_CALL: usize = 8;

/// The names of the lines.
const NORTH: &str = "north";
const SOUTH: &str = "south";

/// How large the town is: which phone is whose.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Town {
    /// Agents' phones are those below this number.
    pub(crate) agents: usize,
}

impl Town {
    /// A town whose desk is staffed for so many calls a second.
    pub(crate) fn for_rate(rate: Option<u32>) -> Town {
        let rate = rate.unwrap_or(0) as usize;
        Town { agents: AGENTS.max(rate * AGENTS_FOR_A_CALL) }
    }

    /// The phone of the party outside.
    pub(crate) fn outside(self) -> usize {
        self.agents
    }

    /// The phones of the operators' servers.
    pub(crate) fn servers(self) -> std::ops::RangeInclusive<usize> {
        self.agents + 1..=self.agents + SERVERS
    }

    /// How many may wait in a queue: few, some or many.
    pub(crate) fn queue_length(self, rng: &mut Rng) -> usize {
        one_of(rng, &[3, 20, 100]) * self.agents / AGENTS
    }

    /// The account of a phone that has one: its name and password.
    pub(crate) fn account(self, phone: usize) -> Option<(String, String)> {
        let beside = phone.checked_sub(self.agents + SERVERS + 1).and_then(|nth| BESIDE.get(nth));
        let name =
            if phone < self.agents { Some(agent_name(phone)) } else { beside.map(|name| (*name).to_owned()) };
        name.map(|name| (name, password(phone)))
    }

    /// All phones that are not callers'.
    pub(crate) fn residents(self) -> std::ops::RangeInclusive<usize> {
        0..=self.agents + SERVERS + BESIDE.len()
    }

    pub(crate) fn is_caller(self, phone: usize) -> bool {
        !self.residents().contains(&phone)
    }
}

/// Where the exchange listens.
pub(crate) fn exchange() -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1], 5060))
}

/// Its other address.
pub(crate) fn other_exchange() -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 2], 5060))
}

/// The address of the phone of this number.
pub(crate) fn address_of(phone: usize) -> SocketAddr {
    let first = if phone & BY_LINE == 0 { FIRST_PHONE } else { FIRST_BY_LINE };
    let number = first.saturating_add(u32::try_from(phone & !BY_LINE).unwrap_or(u32::MAX));
    SocketAddr::from((Ipv4Addr::from(number), 5060))
}

/// The phone at an address.
pub(crate) fn phone_at(address: std::net::IpAddr) -> Option<usize> {
    let std::net::IpAddr::V4(address) = address else { return None };
    let number = u32::from(address);
    match number.checked_sub(FIRST_BY_LINE) {
        Some(by_line) => Some(by_line as usize | BY_LINE),
        None => number.checked_sub(FIRST_PHONE).map(|number| number as usize),
    }
}

/// Whether a caller there comes by an operator's line.
pub(crate) fn is_by_line(address: std::net::IpAddr) -> bool {
    phone_at(address).is_some_and(|phone| phone & BY_LINE != 0)
}

/// The way between the exchange and a phone.
pub(crate) fn flow(local: SocketAddr, remote: SocketAddr) -> Flow {
    Flow { transport: Transport::Udp, local, remote }
}

pub(crate) fn agent_name(number: usize) -> String {
    format!("agent{number:02}")
}

fn password(number: usize) -> String {
    format!("secret{number}")
}

/// What a caller dials: the help desk, most of the time.
pub(crate) fn number_to_dial(rng: &mut Rng) -> &'static str {
    match rng.below(100) {
        0..76 => "demo",
        76..80 => ROOM,
        80..86 => "800100100",
        86..88 => "echo",
        88..90 => "play",
        90..91 => "sig",
        91..95 => "line",
        95..99 => "bridge",
        _ => "nobody",
    }
}

/// A configuration whose skills and times follow from the seed.
pub(crate) fn config(town: Town, rng: &mut Rng, script: &Arc<ivr::Script>) -> Config {
    let accounts = town.residents().filter_map(|phone| town.account(phone));
    let accounts = accounts.map(|(user, password)| Account { user, password }).collect();
    let everywhere = ipnet::IpNet::from(ipnet::Ipv4Net::new_assert(Ipv4Addr::new(10, 0, 0, 0), 8));
    Config {
        node: "sim".to_owned(),
        version: "sim:1".to_owned(),
        program_version: "0".to_owned(),
        sip: sip::ua::Config {
            listen: [Transport::Udp, Transport::Tcp]
                .into_iter()
                .flat_map(|transport| [(transport, exchange()), (transport, other_exchange())])
                .collect(),
            public_address: None,
            local_nets: Vec::new(),
            realm: "sim".to_owned(),
            digest: vec![Algorithm::Sha256, Algorithm::Md5],
            product: "Cornetta".to_owned(),
            accounts,
            trunks: lines(town, rng),
            open_to: vec![everywhere],
            guard: sip::guard::GuardConfig::default(),
            extensions: extensions(rng),
            timers: sip::ua::Timers::default(),
            limits: sip::ua::Limits::default(),
        },
        acd: distributor(town, rng, script),
        numbering: engine::Numbering::default(),
        services: services(town, script),
        referring_trunks: BTreeSet::from([NORTH.to_owned()]),
        referred_trunks: BTreeSet::new(),
        supervisors: BTreeSet::from([SUPERVISOR.to_owned()]),
        texting_trunks: BTreeSet::new(),
        bodies: Default::default(),
        otherwise: None,
        hold_music: Some(Arc::from([Arc::from("moh/calm")])),
        media_certificate: None,
        codecs: engine::Codecs::default(),
        media_terms: engine::PeerTerms::default(),
        media_public: media_api::Addresses::default(),
        local_nets: Vec::new(),
        silence_probe: Duration::from_secs(300),
        routing: routing(rng),
        outbound: vec![fixed_lines()],
        calls_max: 10_000,
    }
}

/// Who would have it so is spoken to in secret.
pub(crate) fn media_terms() -> engine::PeerTerms {
    let usual = engine::MediaTerms { security: MediaSecurity::Optional, keys_in_clear: true };
    engine::PeerTerms { usual, ..engine::PeerTerms::default() }
}

/// Two operators' lines: one with several servers, at which the exchange registers, and one that is particular about
/// provisional answers.
fn lines(town: Town, rng: &mut Rng) -> Vec<Trunk> {
    let servers: Vec<Place> = town
        .servers()
        .map(|server| Place::at(address_of(server).ip(), Some(5060), Some(Transport::Udp)))
        .collect();
    let (last, first) =
        servers.split_last().map_or((None, Vec::new()), |(last, first)| (Some(last), first.into()));
    let line = |name: &str, targets: Vec<Place>| Trunk {
        name: name.to_owned(),
        targets,
        addresses: Vec::new(),
        domain: None,
        credentials: Some(Account { user: "exchange".to_owned(), password: "line".to_owned() }),
        register: false,
        prack: None,
        p_early_media: false,
        identity: sip::identity::Policy::TRUSTED,
        probe: Duration::from_secs(30),
        progress_within: Some(Duration::from_secs(12)),
    };
    let by_line = ipnet::IpNet::from(ipnet::Ipv4Net::new_assert(Ipv4Addr::new(20, 0, 0, 0), 8));
    let north = Trunk { addresses: vec![by_line], register: true, ..line(NORTH, first) };
    let prack = one_of(rng, &[None, Some(Prack::Required), Some(Prack::Off)]);
    let south = Trunk { prack, p_early_media: true, ..line(SOUTH, last.into_iter().cloned().collect()) };
    vec![north, south]
}

/// By one line, or by the other if that one has no room.
fn routing(rng: &mut Rng) -> engine::Routing {
    let lines = one_of(rng, &[[NORTH, SOUTH], [SOUTH, NORTH]]);
    let all = engine::Route {
        name: "all".to_owned(),
        numbers: None,
        trunks: lines.map(str::to_owned).to_vec(),
        choose: engine::Choose::Order,
    };
    let narrow = engine::Line { channels: Some(8), calls_per_second: Some(3), ..engine::Line::default() };
    engine::Routing { routes: vec![all], lines: lines.map(|line| (line.to_owned(), narrow.clone())).into() }
}

/// What agents may dial outside: fixed lines in Italy, twenty times an hour.
pub fn fixed_lines() -> engine::OutboundRule {
    engine::OutboundRule {
        name: "fixed_lines".to_owned(),
        who: BTreeSet::new(),
        numbers: engine::NumberSet {
            kinds: [numbers::Kind::Fixed].into(),
            countries: ["IT".to_owned()].into(),
            prefixes: Vec::new(),
        },
        hours: None,
        calls_per_hour: Some(20),
        calls_per_hour_each: None,
        cents_per_day: None,
        longest: Duration::from_secs(4 * 3600),
        prices: engine::Prices::default(),
    }
}

/// Most exchanges agree on short sessions here, so that many are refreshed; some know no reliable answers.
fn extensions(rng: &mut Rng) -> Extensions {
    let prack = if rng.chance_permille(150) { Prack::Off } else { Prack::Supported };
    let session_expires = Duration::from_secs(one_of(rng, &[90, 120, 1800]));
    let session_min = Duration::from_secs(one_of(rng, &[90, 110]));
    Extensions { prack, session_expires, session_min }
}

fn services(town: Town, script: &Arc<ivr::Script>) -> BTreeMap<String, Service> {
    let desk = Service::Script { script: script.clone(), language: None };
    let announce = vec![Arc::from([Arc::from("it/recorded")])];
    let room = Service::Room { name: "one".to_owned(), chime: false, announce };
    let outside = address_of(town.outside());
    let target = Target::Uri { uri: format!("sip:uas@{outside}") };
    BTreeMap::from([
        ("demo".to_owned(), desk.clone()),
        ("800100100".to_owned(), desk),
        ("echo".to_owned(), Service::Echo),
        ("play".to_owned(), Service::Play(Arc::from([Arc::from("it/welcome")]))),
        ("sig".to_owned(), Service::Silence),
        (ROOM.to_owned(), room),
        ("bridge".to_owned(), Service::Dial(target)),
        ("line".to_owned(), Service::Dial(Target::Number { number: "0612345678".to_owned() })),
    ])
}

fn distributor(town: Town, rng: &mut Rng, script: &Arc<ivr::Script>) -> acd::Config {
    let wrapup = [Duration::ZERO, between(rng, 500, 8_000)][rng.below(2) as usize];
    let waiting_max = town.queue_length(rng);
    let offer_deadline = between(rng, 6_000, 20_000);
    let queue = |name: &str| acd::Queue { name: name.to_owned(), waiting_max, offer_deadline, wrapup };
    let languages: Vec<&str> = script.languages().collect();
    let agents = (0..town.agents).map(|number| {
        let known = languages.iter().filter(|_| number + 1 == town.agents || rng.chance_permille(400));
        let mut languages: BTreeSet<String> = known.map(|language| (*language).to_owned()).collect();
        languages.insert("it".to_owned());
        let mut queues = BTreeSet::from(["helpdesk".to_owned()]);
        if rng.chance_permille(400) {
            queues.insert("second_level".to_owned());
        }
        // A few interpret, too.
        if number % 4 == 3 {
            queues.insert(INTERPRETERS.to_owned());
        }
        let some = rng.chance_permille(200);
        let topics = if some { ["work", "health"].map(str::to_owned).into() } else { BTreeSet::new() };
        acd::Agent { name: agent_name(number), queues, languages, topics }
    });
    let beside = BESIDE.map(|name| acd::Agent {
        name: name.to_owned(),
        queues: BTreeSet::new(),
        languages: BTreeSet::new(),
        topics: BTreeSet::new(),
    });
    let agents = agents.chain(beside).collect();
    let queues = ["helpdesk", "second_level", INTERPRETERS].map(queue).to_vec();
    acd::Config { queues, agents }
}
