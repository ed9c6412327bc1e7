//! A small plain model of the distributor, fed with facts: whose turn it is, and who may be asked. It keeps
//! no timers and no indexes; it only judges each offer by the written rules.

use base::Time;
use facts::{AgentState, Fact, FactKind, InterpreterWish, LegRole, OfferEnd};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long an agent who let a call pass is left alone.
const REST: Duration = Duration::from_secs(10);
/// The distributor may be woken so late.
const LATE: Duration = Duration::from_millis(150);

pub(crate) struct Reference {
    agents: BTreeMap<String, Agent>,
    waiting: BTreeMap<String, Wait>,
    /// Where each call waited last.
    places: BTreeMap<String, Place>,
    /// Which agent a call is to be put through to, by name.
    by_name: BTreeMap<String, String>,
    offers: BTreeMap<u64, (String, String)>,
    arrivals: u64,
    /// What broke a rule.
    pub(crate) complaints: Vec<String>,
}

struct Agent {
    skills: acd::Agent,
    state: AgentState,
    /// A live offer, or the call that was taken.
    busy_with: Option<String>,
    idle_since: Option<Time>,
    rest_until: Option<Time>,
}

struct Wait {
    queue: String,
    language: String,
    topic: String,
    priority: u8,
    arrival: u64,
    asked: bool,
    passed_by: BTreeSet<String>,
    /// Agents without its language may be asked too.
    widened: bool,
}

struct Place {
    arrival: u64,
    priority: u8,
    /// It has it again if it comes back.
    kept: bool,
}

/// As which a call's wait for an interpreter is known.
fn of_interpreter(call: &str) -> String {
    format!("{call}, for an interpreter,")
}

impl Reference {
    pub(crate) fn new(config: &acd::Config) -> Reference {
        let agent = |skills: &acd::Agent| Agent {
            skills: skills.clone(),
            state: AgentState::LoggedOff,
            busy_with: None,
            idle_since: None,
            rest_until: None,
        };
        Reference {
            agents: config.agents.iter().map(|skills| (skills.name.clone(), agent(skills))).collect(),
            waiting: BTreeMap::new(),
            places: BTreeMap::new(),
            by_name: BTreeMap::new(),
            offers: BTreeMap::new(),
            arrivals: 0,
            complaints: Vec::new(),
        }
    }

    /// The desk is organised anew.
    pub(crate) fn reconfigure(&mut self, config: &acd::Config) {
        for skills in &config.agents {
            if let Some(agent) = self.agents.get_mut(&skills.name) {
                agent.skills = skills.clone();
            }
        }
    }

    /// Somebody asked that the agent be ready, which ends a rest without any fact.
    pub(crate) fn ready_asked(&mut self, agent: &str) {
        if let Some(agent) = self.agents.get_mut(agent) {
            agent.rest_until = None;
        }
    }

    /// Who waits for nobody although somebody could take them: must be none after every input.
    pub(crate) fn idles_beside(&self, now: Time) -> Option<String> {
        let unasked = self.waiting.iter().filter(|(_, wait)| !wait.asked);
        for (call, wait) in unasked {
            if let Some((name, _)) =
                self.agents.iter().find(|(_, agent)| agent.is_free(now) && agent.suits(wait))
            {
                return Some(format!("{call} waits in {} and nobody asks {name}, who is free", wait.queue));
            }
        }
        None
    }

    /// How many still wait and are being asked.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.offers.is_empty()
    }

    pub(crate) fn apply(&mut self, now: Time, fact: &Fact) {
        let call = fact.call.as_deref().unwrap_or("");
        match &fact.kind {
            FactKind::SystemStarted { .. } => self.restart(),
            FactKind::AgentState { agent, state, .. } => self.agent_state(now, agent, *state),
            FactKind::QueueEntered { queue, language, topic, priority, .. } => {
                self.arrivals += 1;
                let kept = self.places.get(call).filter(|place| place.kept).map(|place| place.arrival);
                let arrival = kept.unwrap_or(self.arrivals);
                self.places.insert(call.to_owned(), Place { arrival, priority: *priority, kept: false });
                let wait = Wait {
                    queue: queue.clone(),
                    language: language.clone(),
                    topic: topic.clone(),
                    priority: *priority,
                    arrival,
                    asked: false,
                    passed_by: BTreeSet::new(),
                    widened: false,
                };
                self.enters(call.to_owned(), wait);
            }
            FactKind::QueueWidened(_) => {
                if let Some(wait) = self.waiting.get_mut(call) {
                    wait.widened = true;
                }
            }
            FactKind::InterpreterWanted(wish) => {
                self.seeks(call, wish);
                self.keeps_place(call, wish.parted);
            }
            FactKind::IvrEntered { .. } | FactKind::CallConnected { .. } => self.keeps_place(call, false),
            FactKind::InterpreterMissed(_) => {
                let waited = self.waiting.remove(&of_interpreter(call)).is_some();
                self.must(waited, || format!("{call} missed an interpreter whom it did not seek"));
            }
            FactKind::QueueLeft { .. } => {
                let waited = self.waiting.remove(call).is_some();
                self.must(waited, || format!("{call} left a queue in which it did not wait"));
            }
            FactKind::TransferStarted { to, by: None } if self.agents.contains_key(to) => {
                self.by_name.insert(call.to_owned(), to.clone());
            }
            FactKind::TransferCompleted { .. } | FactKind::TransferFailed { .. } => {
                self.by_name.remove(call);
            }
            FactKind::OfferMade { offer, agent, role: LegRole::Interpreter, .. } => {
                self.offer(now, *offer, &of_interpreter(call), agent);
            }
            FactKind::OfferMade { offer, agent, .. } => self.offer(now, *offer, call, agent),
            FactKind::OfferAccepted { offer, agent, role: LegRole::Interpreter } => {
                self.accepted(*offer, &of_interpreter(call), agent);
                self.waiting.remove(&of_interpreter(call));
                self.has(agent, call);
            }
            FactKind::OfferAccepted { offer, agent, .. } => {
                self.accepted(*offer, call, agent);
                self.has(agent, call);
            }
            FactKind::OfferEnded { offer, agent, reason, .. } => {
                let interprets = self.offers.get(offer).is_some_and(|(of, _)| *of != call);
                let of = if interprets { of_interpreter(call) } else { call.to_owned() };
                self.offer_ended(now, *offer, &of, agent, *reason);
            }
            FactKind::CallEnded { .. } => self.call_ended(call),
            _ => {}
        }
    }

    fn must(&mut self, holds: bool, complaint: impl FnOnce() -> String) {
        if !holds {
            self.complaints.push(complaint());
        }
    }

    /// Agents are gone with the process; the calls' waits and offers are ended by facts of their own.
    fn restart(&mut self) {
        for agent in self.agents.values_mut() {
            agent.state = AgentState::LoggedOff;
            (agent.busy_with, agent.idle_since, agent.rest_until) = (None, None, None);
        }
    }

    fn agent_state(&mut self, now: Time, name: &str, state: AgentState) {
        let Some(agent) = self.agents.get_mut(name) else {
            return self.complaints.push(format!("the state of {name}, who is in no configuration"));
        };
        agent.state = state;
        match state {
            AgentState::Ready => {
                agent.idle_since.get_or_insert(now);
            }
            // A call that nobody offered ends a rest, too.
            AgentState::Talking => (agent.idle_since, agent.rest_until) = (None, None),
            AgentState::LoggedOff => {
                (agent.idle_since, agent.rest_until) = (None, None);
                // Whoever comes anew has let no call pass.
                for wait in self.waiting.values_mut() {
                    wait.passed_by.remove(name);
                }
            }
            AgentState::Paused => agent.rest_until = None,
            AgentState::Offered | AgentState::Wrapup => {}
        }
    }

    fn offer(&mut self, now: Time, offer: u64, call: &str, name: &str) {
        self.offers.insert(offer, (call.to_owned(), name.to_owned()));
        let Some(agent) = self.agents.get(name) else {
            return self.complaints.push(format!("{call} is offered to {name}, who is in no configuration"));
        };
        let wrong = match self.waiting.get(call) {
            Some(wait) => self.judge(now, call, wait, agent),
            None if self.by_name.get(call).is_some_and(|wanted| wanted == name) => agent.is_engaged(call),
            None => Some(format!("{call} is offered to {name} but does not wait")),
        };
        self.complaints.extend(wrong);
        if let Some(wait) = self.waiting.get_mut(call) {
            wait.asked = true;
            if wait.passed_by.contains(name) {
                wait.passed_by.clear();
            }
        }
        if let Some(agent) = self.agents.get_mut(name) {
            agent.busy_with = Some(call.to_owned());
            agent.rest_until = None;
        }
    }

    /// What is wrong with this offer, if anything.
    fn judge(&self, now: Time, call: &str, wait: &Wait, agent: &Agent) -> Option<String> {
        let name = &agent.skills.name;
        if wait.asked {
            return Some(format!("{call} is offered to {name} while another is asked"));
        }
        if let Some(other) = &agent.busy_with {
            return Some(format!("{call} is offered to {name}, who has {other}"));
        }
        if agent.state != AgentState::Ready || agent.rest_until.is_some_and(|until| until > now) {
            return Some(format!("{call} is offered to {name}, who is {:?} or rests", agent.state));
        }
        if !agent.suits(wait) {
            return Some(format!("{call} is offered to {name}, who cannot take it"));
        }
        let better = |other: &&Wait| !other.asked && agent.suits(other) && other.goes_before(wait);
        if self.waiting.values().filter(better).count() > 0 {
            return Some(format!("{call} is offered to {name} although another call goes before it"));
        }
        self.agents
            .values()
            .filter(|other| other.is_free(now) && other.suits(wait))
            .find(|other| other.goes_before(agent, wait))
            .map(|other| format!("{call} is offered to {name} although it is {}'s turn", other.skills.name))
    }

    fn accepted(&mut self, offer: u64, call: &str, name: &str) {
        if self.offers.remove(&offer) != Some((call.to_owned(), name.to_owned())) {
            self.complaints.push(format!("offer {offer} of {call} was accepted but not made"));
        }
    }

    /// The agent talks in this call.
    fn has(&mut self, name: &str, call: &str) {
        if let Some(agent) = self.agents.get_mut(name) {
            agent.busy_with = Some(call.to_owned());
        }
    }

    /// Whose agent goes before the two have talked waits on where they were.
    fn keeps_place(&mut self, call: &str, kept: bool) {
        if let Some(place) = self.places.get_mut(call) {
            place.kept = kept;
        }
    }

    fn seeks(&mut self, call: &str, wish: &InterpreterWish) {
        self.arrivals += 1;
        let of_call = self.places.get(call).filter(|_| wish.by == "script");
        let wait = Wait {
            queue: wish.queue.clone(),
            language: wish.language.clone(),
            topic: String::new(),
            priority: of_call.map_or(0, |place| place.priority),
            arrival: self.arrivals,
            asked: false,
            passed_by: BTreeSet::new(),
            widened: false,
        };
        self.enters(of_interpreter(call), wait);
    }

    fn enters(&mut self, call: String, wait: Wait) {
        if let Some(before) = self.waiting.insert(call.clone(), wait) {
            self.complaints.push(format!("{call} entered a queue while it waited in {}", before.queue));
        }
    }

    fn offer_ended(&mut self, now: Time, offer: u64, call: &str, name: &str, reason: OfferEnd) {
        if self.offers.remove(&offer) != Some((call.to_owned(), name.to_owned())) {
            self.complaints.push(format!("offer {offer} of {call} ended but was not made"));
        }
        let Some(agent) = self.agents.get_mut(name) else { return };
        agent.busy_with = None;
        let passed = matches!(reason, OfferEnd::Rejected | OfferEnd::Expired | OfferEnd::Failed);
        // After a restart the offers of the time before are ended, of agents who are not there.
        if passed && agent.state != AgentState::LoggedOff {
            agent.rest_until = Some(now + REST);
        }
        if let Some(wait) = self.waiting.get_mut(call) {
            wait.asked = false;
            if passed {
                wait.passed_by.insert(name.to_owned());
            }
        }
    }

    fn call_ended(&mut self, call: &str) {
        self.by_name.remove(call);
        self.places.remove(call);
        for waits in [call.to_owned(), of_interpreter(call)] {
            if self.waiting.remove(&waits).is_some() {
                self.complaints.push(format!("{waits} ended without leaving its queue"));
            }
        }
        if self.offers.values().any(|(offered, _)| offered == call || *offered == of_interpreter(call)) {
            self.complaints.push(format!("{call} ended while an agent was asked"));
        }
        for agent in self.agents.values_mut() {
            agent.busy_with.take_if(|busy| busy == call);
        }
    }

    /// The agent's leg of this call is over.
    pub(crate) fn leg_ended(&mut self, call: &str, name: &str) {
        if let Some(agent) = self.agents.get_mut(name) {
            let asked = self.offers.values().any(|(_, agent)| agent == name);
            if !asked {
                agent.busy_with.take_if(|busy| busy == call);
            }
        }
    }
}

impl Agent {
    fn is_free(&self, now: Time) -> bool {
        self.state == AgentState::Ready
            && self.busy_with.is_none()
            && self.rest_until.is_none_or(|until| until + LATE < now)
    }

    /// Why somebody who is wanted by name should not have been asked. A rest does not count.
    fn is_engaged(&self, call: &str) -> Option<String> {
        let name = &self.skills.name;
        match (&self.busy_with, self.state) {
            (None, AgentState::Ready) => None,
            (Some(other), _) => Some(format!("{call} asks for {name}, who has {other}")),
            (None, state) => Some(format!("{call} asks for {name}, who is {state:?}")),
        }
    }

    fn suits(&self, wait: &Wait) -> bool {
        let skills = &self.skills;
        skills.queues.contains(&wait.queue)
            && (wait.widened || skills.languages.contains(&wait.language))
            && (skills.topics.is_empty() || wait.topic.is_empty() || skills.topics.contains(&wait.topic))
    }

    /// Who did not let the call pass, then who speaks its language, then the longest idle, then by name.
    fn goes_before(&self, other: &Agent, wait: &Wait) -> bool {
        let rank = |agent: &Agent| {
            let name = agent.skills.name.clone();
            let speaks = agent.skills.languages.contains(&wait.language);
            (wait.passed_by.contains(&name), !speaks, agent.idle_since, name)
        };
        rank(self) < rank(other)
    }
}

impl Wait {
    fn goes_before(&self, other: &Wait) -> bool {
        (other.priority, self.arrival) < (self.priority, other.arrival)
    }
}
