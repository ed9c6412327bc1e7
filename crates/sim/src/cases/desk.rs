//! The exchange of a case: the script as its one service, its queues and agents, and a line to a party outside.

use super::given::{CallbackGiven, Does, Given};
use crate::town::{self, Town};
use base::Seed;
use engine::{Config, NumberSet, OutboundRule, Past, Service};
use facts::MemoryNow;
use ivr::Script;
use sip::locate::Place;
use sip::ua::{Account, Extensions, Transport, Trunk};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

pub(super) const PASSWORD: &str = "case";
/// How many may wait in a queue that is not full.
const WAITING_MAX: usize = 100;
/// No agent of a case has this name.
const OFF_DUTY: &str = "off duty";
const OFFER_DEADLINE: Duration = Duration::from_secs(20);
/// What is remembered is so for longer than any case.
const REMEMBERED_FOR: Duration = Duration::from_secs(24 * 3_600);
/// The number of the phone outside, and that of the caller's; agents are those from zero on.
pub(super) const OUTSIDE: usize = 1_000;
pub(super) const CALLER: usize = 1_001;

/// A configuration in which everything is as the case says.
pub(super) fn config(script: &Arc<Script>, given: &Given) -> Config {
    let mut config = town::config(Town { agents: 0 }, &mut Seed::from_number(1).rng(), script);
    config.node = "case".to_owned();
    let line = config.sip.trunks.first().map(to_the_outside);
    config.sip.trunks = line.into_iter().collect();
    config.sip.extensions = Extensions::default();
    config.sip.accounts = given
        .agents
        .iter()
        .map(|agent| Account { user: agent.name.clone(), password: PASSWORD.to_owned() })
        .collect();
    config.acd = distributor(script, given);
    let service = Service::Script { script: script.clone(), language: None };
    config.services = BTreeMap::from([(given.dialled.clone(), service.clone())]);
    if given.outside == Does::Answers {
        for target in script.transfer_targets().into_iter().filter(|target| ivr::is_service(target)) {
            takes_callers(&mut config, target, &service);
        }
    }
    config.referring_trunks.clear();
    config.routing = engine::Routing::default();
    config.outbound = outbound(given.callback);
    config
}

/// Whom the agents may call, and so who can be called back.
fn outbound(callback: CallbackGiven) -> Vec<OutboundRule> {
    match callback {
        CallbackGiven::Refused => Vec::new(),
        CallbackGiven::Accepted => {
            // Every number begins so.
            let numbers = NumberSet { prefixes: vec![String::new()], ..NumberSet::default() };
            vec![OutboundRule {
                name: "all".to_owned(),
                numbers,
                calls_per_hour: None,
                ..town::fixed_lines()
            }]
        }
    }
}

/// A service of the house is there for the callers that the script sends it: somebody else's, for a case ends where the
/// call goes on elsewhere.
fn takes_callers(config: &mut Config, target: &str, service: &Service) {
    let Some((kind, name)) = target.split_once(':') else { return };
    let number = config.numbering.home.normal(name).as_str().to_owned();
    config.services.insert(number.clone(), service.clone());
    config.bodies.numbers.insert(number.clone(), target.to_owned());
    if kind == "body" {
        config.bodies.doors.insert(name.to_owned(), number);
    }
}

/// What is known before the call: that the caller, if the case says so, has agreed to be remembered.
pub(super) fn past(script: &Script, given: &Given) -> Past {
    let until = given.at + REMEMBERED_FOR;
    let memory = given.remembered.clone().map(|language| {
        let number = engine::Numbering::default().home.normal(&given.from).to_string();
        (number, script.name().to_owned(), MemoryNow { language, until })
    });
    Past { memories: memory.into_iter().collect(), ..Past::default() }
}

fn to_the_outside(line: &Trunk) -> Trunk {
    let place = Place::at(town::address_of(OUTSIDE).ip(), Some(5060), Some(Transport::Udp));
    Trunk {
        name: "outside".to_owned(),
        targets: vec![place],
        addresses: Vec::new(),
        credentials: None,
        register: false,
        probe: Duration::ZERO,
        ..line.clone()
    }
}

/// Those in which callers wait, and those of interpreters.
pub(super) fn queues_of(script: &Script) -> BTreeSet<&str> {
    script.queues().into_iter().chain(script.interpreters().into_keys()).collect()
}

fn distributor(script: &Script, given: &Given) -> acd::Config {
    let queues = queues_of(script).into_iter().map(|name| acd::Queue {
        name: name.to_owned(),
        waiting_max: if given.full.contains(name) { 0 } else { WAITING_MAX },
        offer_deadline: OFFER_DEADLINE,
        wrapup: Duration::ZERO,
    });
    let all_queues = || script.queues().into_iter().map(str::to_owned).collect();
    let all_languages = || script.languages().map(str::to_owned).collect();
    let agents = given.agents.iter().map(|agent| acd::Agent {
        name: agent.name.clone(),
        queues: agent.queues.clone().unwrap_or_else(all_queues),
        languages: agent.languages.clone().unwrap_or_else(all_languages),
        topics: agent.topics.clone(),
    });
    // Whoever is there now, somebody is on another day, and calls back then.
    let off_duty = acd::Agent {
        name: OFF_DUTY.to_owned(),
        queues: all_queues(),
        languages: all_languages(),
        topics: BTreeSet::new(),
    };
    acd::Config { queues: queues.collect(), agents: agents.chain([off_duty]).collect() }
}
