//! Who lives in a simulated world: the exchange's configuration, its agents, and what may be dialled.

use crate::phones::{between, one_of};
use base::Rng;
use engine::{Config, Service, Target};
use sip::digest::Algorithm;
use sip::ua::{Account, Flow, Transport};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// The phones' addresses: agents, then the party outside, then callers.
const FIRST_PHONE: u32 = 0x0a40_0000;
/// The least agents, and how many more there are for each call a second.
const AGENTS: usize = 12;
const AGENTS_FOR_A_CALL: usize = 8;

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

    pub(crate) fn is_caller(self, phone: usize) -> bool {
        phone > self.agents
    }
}

/// Where the exchange listens.
pub(crate) fn exchange() -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1], 5060))
}

/// The address of the phone of this number.
pub(crate) fn address_of(phone: usize) -> SocketAddr {
    let number = FIRST_PHONE.saturating_add(u32::try_from(phone).unwrap_or(u32::MAX));
    SocketAddr::from((Ipv4Addr::from(number), 5060))
}

/// The phone at an address.
pub(crate) fn phone_at(address: std::net::IpAddr) -> Option<usize> {
    let std::net::IpAddr::V4(address) = address else { return None };
    u32::from(address).checked_sub(FIRST_PHONE).map(|number| number as usize)
}

/// The way between the exchange and a phone.
pub(crate) fn flow_to(remote: SocketAddr) -> Flow {
    Flow { transport: Transport::Udp, local: exchange(), remote }
}

pub(crate) fn agent_name(number: usize) -> String {
    format!("agent{number:02}")
}

pub(crate) fn password(number: usize) -> String {
    format!("secret{number}")
}

/// What a caller dials: the help desk, most of the time.
pub(crate) fn number_to_dial(rng: &mut Rng) -> &'static str {
    match rng.below(100) {
        0..80 => "demo",
        80..86 => "800100100",
        86..88 => "echo",
        88..90 => "play",
        90..92 => "sig",
        92..98 => "bridge",
        _ => "nobody",
    }
}

/// A configuration whose skills and times follow from the seed.
pub(crate) fn config(town: Town, rng: &mut Rng, script: &Arc<ivr::Script>) -> Config {
    let accounts = (0..town.agents)
        .map(|number| Account { user: agent_name(number), password: password(number) })
        .collect();
    let everywhere = ipnet::IpNet::from(ipnet::Ipv4Net::new_assert(Ipv4Addr::new(10, 0, 0, 0), 8));
    Config {
        node: "sim".to_owned(),
        version: "sim:1".to_owned(),
        program_version: "0".to_owned(),
        sip: sip::ua::Config {
            listen: vec![(Transport::Udp, exchange())],
            public_address: None,
            local_nets: Vec::new(),
            realm: "sim".to_owned(),
            digest: vec![Algorithm::Sha256, Algorithm::Md5],
            product: "Cornetta".to_owned(),
            accounts,
            trunks: Vec::new(),
            open_to: vec![everywhere],
            guard: sip::guard::GuardConfig::default(),
            extensions: sip::ua::Extensions::default(),
            timers: sip::ua::Timers::default(),
            limits: sip::ua::Limits::default(),
        },
        acd: distributor(town, rng, script),
        numbering: engine::Numbering::default(),
        services: services(town, script),
        referring_trunks: BTreeSet::new(),
        texting_trunks: BTreeSet::new(),
        otherwise: None,
        hold_music: Some(Arc::from([Arc::from("moh/calm")])),
        media_public_address: None,
        local_nets: Vec::new(),
        silence_probe: Duration::from_secs(300),
        routing: engine::Routing::default(),
        outbound: Vec::new(),
        calls_max: 10_000,
    }
}

fn services(town: Town, script: &Arc<ivr::Script>) -> BTreeMap<String, Service> {
    let desk = Service::Script { script: script.clone(), language: None };
    let outside = address_of(town.outside());
    let target = Target::Uri { uri: format!("sip:uas@{outside}") };
    BTreeMap::from([
        ("demo".to_owned(), desk.clone()),
        ("800100100".to_owned(), desk),
        ("echo".to_owned(), Service::Echo),
        ("play".to_owned(), Service::Play(Arc::from([Arc::from("it/welcome")]))),
        ("sig".to_owned(), Service::Silence),
        ("bridge".to_owned(), Service::Dial(target)),
    ])
}

fn distributor(town: Town, rng: &mut Rng, script: &Arc<ivr::Script>) -> acd::Config {
    let wrapup = [Duration::ZERO, between(rng, 500, 8_000)][rng.below(2) as usize];
    let waiting_max = one_of(rng, &[3, 20, 100]) * town.agents / AGENTS;
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
        let some = rng.chance_permille(200);
        let topics = if some { ["work", "health"].map(str::to_owned).into() } else { BTreeSet::new() };
        acd::Agent { name: agent_name(number), queues, languages, topics }
    });
    let agents = agents.collect();
    acd::Config { queues: vec![queue("helpdesk"), queue("second_level")], agents }
}
