//! Random days at a random desk, held against a plain description of what must be true.

// A helper of a test may panic: that is how the test fails.
#![allow(clippy::expect_used, clippy::panic)]

use acd::{
    Acd, Agent, Config, Entry, EntryId, Input, NotAsked, NotEntered, OfferId, Output, Queue, REST, Retracted,
    State,
};
use base::Time;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const AGENTS: [&str; 4] = ["anna", "bruno", "carla", "dario"];
const QUEUES: [&str; 2] = ["help", "tax"];
const LANGUAGES: [&str; 2] = ["it", "fr"];
const TOPICS: [&str; 3] = ["", "work", "health"];
const WAITING_MAX: usize = 4;

#[derive(Clone, Debug)]
enum Step {
    Enqueue {
        queue: usize,
        language: usize,
        topic: usize,
        priority: u8,
        overflow: Option<u64>,
        tell: bool,
        /// Somebody will interpret after so many seconds.
        foreign: Option<u64>,
    },
    Withdraw(usize),
    /// By name.
    Ask(usize),
    LogOn(usize),
    LogOff(usize),
    Pause(usize),
    Ready(usize),
    /// One of all offers ever made: some are long over.
    Answer(usize),
    Refuse(usize),
    Release(usize),
    Skills(Vec<u8>),
    Wait(u64),
    WaitForDeadline,
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..AGENTS.len();
    let overflow = proptest::option::of(0u64..60);
    let foreign = proptest::option::of(0u64..30);
    let skills = (0..QUEUES.len(), 0..LANGUAGES.len(), 0..TOPICS.len());
    let enqueue = (skills, 0u8..3, overflow, any::<bool>(), foreign);
    prop_oneof![
        6 => enqueue.prop_map(|((queue, language, topic), priority, overflow, tell, foreign)| {
            Step::Enqueue { queue, language, topic, priority, overflow, tell, foreign }
        }),
        1 => (0usize..20).prop_map(Step::Withdraw),
        2 => who.clone().prop_map(Step::Ask),
        3 => who.clone().prop_map(Step::LogOn),
        1 => who.clone().prop_map(Step::LogOff),
        1 => who.clone().prop_map(Step::Pause),
        2 => who.clone().prop_map(Step::Ready),
        4 => (0usize..4).prop_map(Step::Answer),
        2 => (0usize..4).prop_map(Step::Refuse),
        4 => who.prop_map(Step::Release),
        1 => prop::collection::vec(any::<u8>(), AGENTS.len()).prop_map(Step::Skills),
        2 => (0u64..40).prop_map(Step::Wait),
        5 => Just(Step::WaitForDeadline),
    ]
}

/// Skills from eight bits: two queues, two languages, two topics, and whether the agent is there at all.
fn config(bits: &[u8]) -> Config {
    let pick = |bits: u8, shift: u8, names: &[&str]| -> BTreeSet<String> {
        let chosen = names.iter().enumerate().filter(|(at, _)| bits >> (shift + *at as u8) & 1 == 1);
        chosen.map(|(_, name)| (*name).to_owned()).collect()
    };
    let agents = AGENTS.iter().zip(bits).filter(|(_, bits)| **bits & 0b1100_0000 != 0);
    Config {
        queues: QUEUES
            .iter()
            .map(|name| Queue {
                name: (*name).into(),
                waiting_max: WAITING_MAX,
                offer_deadline: Duration::from_secs(12),
                wrapup: Duration::from_secs(if *name == "help" { 5 } else { 0 }),
            })
            .collect(),
        agents: agents
            .map(|(name, bits)| Agent {
                name: (*name).into(),
                queues: pick(*bits, 0, &QUEUES),
                languages: pick(*bits, 2, &LANGUAGES),
                topics: pick(*bits, 4, &TOPICS[1..]),
            })
            .collect(),
    }
}

/// What must be true, kept from inputs and outputs alone.
struct Oracle {
    now: Time,
    agents: BTreeMap<String, Agent>,
    states: BTreeMap<String, State>,
    idle_since: BTreeMap<String, Time>,
    rest_until: BTreeMap<String, Time>,
    waiting: BTreeMap<EntryId, Waits>,
    /// Who is wanted by name, and since when.
    by_name: BTreeMap<EntryId, (String, Time)>,
    live: BTreeMap<OfferId, (EntryId, String, Time)>,
    talking: BTreeMap<String, OfferId>,
    answered: Option<OfferId>,
    withdrawn: Option<EntryId>,
    ended: BTreeSet<EntryId>,
    arrivals: u64,
}

struct Waits {
    entry: Entry,
    since: Time,
    arrival: u64,
    passed_by: BTreeSet<String>,
    widened: bool,
}

impl Waits {
    fn suits(&self, agent: &Agent) -> bool {
        matches(agent, &self.entry) || (self.widened && knows(agent, &self.entry))
    }

    fn rank(&self) -> (u8, u64) {
        (u8::MAX - self.entry.priority, self.arrival)
    }
}

fn matches(agent: &Agent, entry: &Entry) -> bool {
    knows(agent, entry) && agent.languages.contains(&entry.language)
}

fn knows(agent: &Agent, entry: &Entry) -> bool {
    agent.queues.contains(&entry.queue)
        && (agent.topics.is_empty() || entry.topic.is_empty() || agent.topics.contains(&entry.topic))
}

impl Oracle {
    fn new(config: &Config) -> Oracle {
        let mut oracle = Oracle {
            now: Time::ZERO,
            agents: BTreeMap::new(),
            states: BTreeMap::new(),
            idle_since: BTreeMap::new(),
            rest_until: BTreeMap::new(),
            waiting: BTreeMap::new(),
            by_name: BTreeMap::new(),
            live: BTreeMap::new(),
            talking: BTreeMap::new(),
            answered: None,
            withdrawn: None,
            ended: BTreeSet::new(),
            arrivals: 0,
        };
        oracle.know(config);
        oracle
    }

    fn know(&mut self, config: &Config) {
        let talking = &self.talking;
        self.agents.retain(|name, _| talking.contains_key(name));
        // Who is dropped and comes back is a new agent.
        let stays = |name: &String| {
            talking.contains_key(name) || config.agents.iter().any(|agent| agent.name == *name)
        };
        self.rest_until.retain(|name, _| stays(name));
        self.idle_since.retain(|name, _| stays(name));
        self.agents.extend(config.agents.iter().map(|agent| (agent.name.clone(), agent.clone())));
        for agent in &config.agents {
            self.states.entry(agent.name.clone()).or_insert(State::LoggedOff);
        }
    }

    fn state(&self, agent: &str) -> State {
        self.states.get(agent).copied().unwrap_or(State::LoggedOff)
    }

    fn free(&self, agent: &str) -> bool {
        let rested = self.rest_until.get(agent).is_none_or(|until| *until <= self.now);
        self.state(agent) == State::Ready && rested
    }

    fn unasked(&self) -> impl Iterator<Item = &Waits> {
        let asked: BTreeSet<EntryId> = self.live.values().map(|(entry, ..)| *entry).collect();
        self.waiting.values().filter(move |waits| !asked.contains(&waits.entry.id))
    }

    fn position(&self, id: EntryId) -> usize {
        let me = &self.waiting[&id];
        let ahead = |other: &&Waits| other.entry.queue == me.entry.queue && other.rank() <= me.rank();
        self.waiting.values().filter(ahead).count()
    }

    /// Takes one output, given the entry that was just put in, if one was.
    fn see(&mut self, output: Output, entering: Option<&Entry>) {
        match output {
            Output::Entered { entry, position } => {
                let entering = entering.filter(|entering| entering.id == entry).expect("it was put in");
                self.arrivals += 1;
                let waits = Waits {
                    entry: entering.clone(),
                    since: self.now,
                    arrival: self.arrivals,
                    passed_by: BTreeSet::new(),
                    widened: false,
                };
                assert!(self.waiting.insert(entry, waits).is_none());
                assert_eq!(position, self.position(entry));
            }
            Output::NotEntered { entry, why } => self.not_entered(entry, why, entering),
            Output::NotAsked { entry, why } => self.not_asked(entry, why),
            Output::Announce { entry, position } => assert_eq!(position, self.position(entry)),
            Output::Widened { entry } => self.widened(entry),
            Output::Overflowed { entry, waited } => {
                let waits = self.end(entry);
                assert_eq!(waited, self.now - waits.since);
                assert!(waits.entry.overflow_after.is_some_and(|after| waited >= after));
            }
            Output::Offer { offer, entry, agent, deadline } => self.offered(offer, entry, agent, deadline),
            Output::Retract { offer, agent, why } => self.retracted(offer, &agent, why),
            Output::Won { offer, entry, agent, waited } => {
                assert_eq!(self.answered, Some(offer), "only an answer wins");
                let (asked_for, asked, _) = self.live.remove(&offer).expect("a live offer");
                assert_eq!((asked_for, &asked), (entry, &agent));
                let since = match self.by_name.remove(&entry) {
                    Some((_, since)) => since,
                    None => self.end(entry).since,
                };
                assert_eq!(waited, self.now - since);
                assert!(self.talking.insert(agent.clone(), offer).is_none(), "one call at a time");
                self.idle_since.remove(&agent);
            }
            Output::TooLate { offer } => {
                assert!(!self.live.contains_key(&offer));
                assert!(!self.talking.values().any(|talking| *talking == offer));
            }
            Output::State { agent, state, reason, .. } => {
                let tells_pause = matches!(state, State::Paused | State::Offered | State::Talking);
                assert!(tells_pause || reason.is_none());
                assert!(reason.is_some() || state != State::Paused);
                if state == State::Ready {
                    self.idle_since.entry(agent.clone()).or_insert(self.now);
                }
                if state == State::LoggedOff {
                    for waits in self.waiting.values_mut() {
                        waits.passed_by.remove(&agent);
                    }
                }
                self.states.insert(agent, state);
            }
        }
    }

    fn end(&mut self, entry: EntryId) -> Waits {
        assert!(self.ended.insert(entry), "a wait ends once");
        self.waiting.remove(&entry).expect("it waited")
    }

    fn not_entered(&self, id: EntryId, why: NotEntered, entering: Option<&Entry>) {
        let entry = entering.filter(|entering| entering.id == id).expect("it was put in");
        let in_queue = self.waiting.values().filter(|waits| waits.entry.queue == entry.queue).count();
        let somebody = self
            .agents
            .values()
            .filter(|agent| {
                matches(agent, entry) || (entry.any_language_after.is_some() && knows(agent, entry))
            })
            .any(|agent| self.state(&agent.name) != State::LoggedOff);
        match why {
            NotEntered::NoSuchQueue => panic!("both queues are always there"),
            NotEntered::Full => assert_eq!(in_queue, WAITING_MAX),
            NotEntered::NobodyThere => assert!(!somebody),
        }
    }

    fn widened(&mut self, id: EntryId) {
        let waits = &self.waiting[&id];
        let after = waits.entry.any_language_after.expect("somebody will interpret");
        let waited = self.now - waits.since;
        let speaks =
            |agent: &&Agent| matches(agent, &waits.entry) && self.state(&agent.name) != State::LoggedOff;
        let nobody = self.agents.values().filter(speaks).count() == 0;
        assert!(waited == after || (waited.is_zero() && nobody), "{waited:?} of {after:?}");
        let waits = self.waiting.get_mut(&id).expect("it waits");
        assert!(!std::mem::replace(&mut waits.widened, true), "once");
    }

    fn not_asked(&mut self, id: EntryId, why: NotAsked) {
        let (agent, _) = self.by_name.remove(&id).expect("somebody was wanted");
        match why {
            NotAsked::Unknown | NotAsked::LoggedOff => assert_eq!(self.state(&agent), State::LoggedOff),
            NotAsked::Paused => assert_eq!(self.state(&agent), State::Paused),
            NotAsked::Busy => {
                let state = self.state(&agent);
                assert!(matches!(state, State::Offered | State::Talking | State::Wrapup), "{state:?}");
            }
        }
    }

    fn offered(&mut self, offer: OfferId, entry: EntryId, agent: String, deadline: Time) {
        if let Some((wanted, _)) = self.by_name.get(&entry) {
            assert_eq!((wanted, self.state(&agent)), (&agent, State::Ready));
            self.rest_until.remove(&agent);
            self.live.insert(offer, (entry, agent, deadline));
            return;
        }
        assert!(deadline > self.now);
        assert!(self.live.values().all(|(other, who, _)| *other != entry && *who != agent), "one at a time");
        assert!(self.free(&agent), "{agent} is not free");
        let waits = &self.waiting[&entry];
        let asked = &self.agents[&agent];
        assert!(waits.suits(asked));
        for other in self.unasked().filter(|other| other.suits(asked)) {
            assert!(waits.rank() <= other.rank(), "{:?} was before {entry:?}", other.entry.id);
        }
        let turn = |agent: &Agent| {
            let (name, speaks) = (agent.name.clone(), matches(agent, &waits.entry));
            (waits.passed_by.contains(&name), !speaks, self.idle_since.get(&name), name)
        };
        for other in self.agents.values().filter(|other| waits.suits(other)) {
            // One whose rest ends at this very instant may be told so before or after.
            let resting = self.rest_until.get(&other.name).is_some_and(|until| *until >= self.now);
            if self.free(&other.name) && !resting {
                assert!(turn(asked) <= turn(other), "{} was before {agent}", other.name);
            }
        }
        let waits = self.waiting.get_mut(&entry).expect("it waits");
        if waits.passed_by.contains(&agent) {
            waits.passed_by.clear();
        }
        self.live.insert(offer, (entry, agent, deadline));
    }

    fn retracted(&mut self, offer: OfferId, agent: &str, why: Retracted) {
        let (entry, asked, deadline) = self.live.remove(&offer).expect("a live offer");
        assert_eq!(asked, agent);
        match why {
            Retracted::Expired => {
                assert!(deadline <= self.now);
                self.pass(entry, agent);
            }
            Retracted::Withdrawn => {
                let waits = self.waiting.get(&entry);
                let overflows = waits.is_some_and(|waits| {
                    waits.entry.overflow_after.is_some_and(|after| waits.since + after <= self.now)
                });
                assert!(overflows || self.withdrawn == Some(entry));
            }
            Retracted::LoggedOff | Retracted::Engaged => drop(self.by_name.remove(&entry)),
        }
    }

    fn pass(&mut self, entry: EntryId, agent: &str) {
        self.rest_until.insert(agent.to_owned(), self.now + REST);
        self.by_name.remove(&entry);
        if let Some(waits) = self.waiting.get_mut(&entry) {
            waits.passed_by.insert(agent.to_owned());
        }
    }

    /// What must be true whenever all outputs have been taken.
    fn settled(&self, acd: &Acd) {
        for waits in self.unasked() {
            for agent in self.agents.values().filter(|agent| waits.suits(agent)) {
                assert!(!self.free(&agent.name), "{} idles beside {:?}", agent.name, waits.entry.id);
            }
        }
        for (name, state) in &self.states {
            let offers = self.live.values().filter(|(_, agent, _)| agent == name).count();
            assert_eq!(offers, usize::from(*state == State::Offered), "{name}");
            assert_eq!(self.talking.contains_key(name), *state == State::Talking, "{name}");
            assert_eq!(acd.state(name).unwrap_or(State::LoggedOff), *state, "{name}");
        }
        for queue in QUEUES {
            let waiting = self.waiting.values().filter(|waits| waits.entry.queue == queue).count();
            assert_eq!(acd.waiting(queue), waiting);
        }
        let nothing = self.waiting.is_empty() && self.by_name.is_empty() && self.talking.is_empty();
        assert_eq!(acd.is_idle(), nothing);
        let overflows = self
            .waiting
            .values()
            .filter_map(|waits| waits.entry.overflow_after.map(|after| waits.since + after));
        let deadlines = self.live.values().map(|(.., deadline)| *deadline).chain(overflows);
        if let Some(first) = deadlines.min() {
            assert!(acd.poll_timeout().is_some_and(|(at, _)| at <= first), "a deadline is not waited for");
        }
    }
}

/// The distributor and the oracle, told the same.
struct World {
    acd: Acd,
    oracle: Oracle,
    offers: u64,
    entries: u64,
}

impl World {
    fn new(config: Config) -> World {
        let oracle = Oracle::new(&config);
        World { acd: Acd::new(config, Time::ZERO), oracle, offers: 0, entries: 0 }
    }

    fn tell(&mut self, input: Input) {
        let entering = match &input {
            Input::Enqueue(entry) => Some(entry.clone()),
            _ => None,
        };
        self.acd.handle(self.oracle.now, input);
        self.drain(entering.as_ref());
    }

    fn drain(&mut self, entering: Option<&Entry>) {
        while let Some(output) = self.acd.poll_output() {
            if let Output::Offer { offer, .. } = &output {
                assert_eq!(offer.0, self.offers + 1, "offers are numbered");
                self.offers = offer.0;
            }
            self.oracle.see(output, entering);
        }
        self.oracle.answered = None;
        self.oracle.withdrawn = None;
    }

    fn wait_until(&mut self, until: Time) {
        while let Some((at, _)) = self.acd.poll_timeout().filter(|(at, _)| *at <= until) {
            assert!(at >= self.oracle.now, "a deadline was left behind");
            self.oracle.now = at;
            self.acd.handle_timeout(at);
            self.drain(None);
            self.oracle.settled(&self.acd);
            assert!(self.acd.poll_timeout().is_none_or(|(next, _)| next > at), "a deadline stays");
        }
        self.oracle.now = until;
    }

    fn enqueue(&mut self, mut entry: Entry) {
        self.entries += 1;
        entry.id = EntryId(self.entries);
        self.tell(Input::Enqueue(entry));
    }

    fn leave(&mut self, agent: &str) {
        self.oracle.rest_until.remove(agent);
    }

    fn run(&mut self, step: Step) {
        let name = |who: usize| AGENTS[who].to_owned();
        match step {
            Step::Enqueue { queue, language, topic, priority, overflow, tell, foreign } => {
                self.enqueue(Entry {
                    id: EntryId(0),
                    queue: QUEUES[queue].into(),
                    language: LANGUAGES[language].into(),
                    topic: TOPICS[topic].into(),
                    priority,
                    arrived: Time::ZERO,
                    is_callback: false,
                    any_language_after: foreign.map(Duration::from_secs),
                    overflow_after: overflow.map(Duration::from_secs),
                    position_every: tell.then_some(Duration::from_secs(9)),
                })
            }
            Step::Withdraw(back) => self.withdraw(EntryId(self.entries.saturating_sub(back as u64))),
            Step::Ask(who) => {
                self.entries += 1;
                let (entry, agent, queue) = (EntryId(self.entries), name(who), None);
                self.oracle.by_name.insert(entry, (agent.clone(), self.oracle.now));
                self.tell(Input::Ask { entry, agent, within: Duration::from_secs(9), queue });
            }
            Step::LogOn(who) => {
                if self.oracle.state(AGENTS[who]) == State::LoggedOff {
                    self.oracle.idle_since.remove(AGENTS[who]);
                }
                self.tell(Input::LogOn(name(who)));
            }
            Step::LogOff(who) => {
                self.leave(AGENTS[who]);
                self.tell(Input::LogOff(name(who)));
            }
            Step::Pause(who) => {
                self.leave(AGENTS[who]);
                self.tell(Input::Pause { agent: name(who), reason: "coffee".into() });
            }
            Step::Ready(who) => {
                self.leave(AGENTS[who]);
                self.tell(Input::Ready(name(who)));
            }
            Step::Answer(back) => self.answer(OfferId(self.offers.saturating_sub(back as u64))),
            Step::Refuse(back) => self.refuse(OfferId(self.offers.saturating_sub(back as u64))),
            Step::Release(who) => self.release(AGENTS[who]),
            Step::Skills(bits) => {
                let config = config(&bits);
                self.oracle.know(&config);
                self.tell(Input::Reconfigure(config));
            }
            Step::Wait(seconds) => self.wait_until(self.oracle.now + Duration::from_secs(seconds)),
            Step::WaitForDeadline => {
                if let Some((at, _)) = self.acd.poll_timeout() {
                    self.wait_until(at);
                }
            }
        }
        self.oracle.settled(&self.acd);
    }

    fn withdraw(&mut self, entry: EntryId) {
        self.oracle.withdrawn = Some(entry);
        let waited = self.oracle.waiting.contains_key(&entry);
        // The offer is taken back in the outputs; the wait itself ends by the asking.
        if waited {
            self.oracle.end(entry);
        }
        self.oracle.by_name.remove(&entry);
        self.tell(Input::Withdraw(entry));
    }

    fn answer(&mut self, offer: OfferId) {
        let live = self.oracle.live.contains_key(&offer);
        self.oracle.answered = Some(offer);
        self.tell(Input::Answered(offer));
        assert!(
            !live || self.oracle.talking.values().any(|talking| *talking == offer),
            "an answer in time wins"
        );
    }

    fn refuse(&mut self, offer: OfferId) {
        if let Some((entry, agent, _)) = self.oracle.live.remove(&offer) {
            self.oracle.pass(entry, &agent);
        }
        self.tell(Input::Refused(offer));
    }

    fn release(&mut self, agent: &str) {
        self.oracle.talking.remove(agent);
        self.tell(Input::Released(agent.to_owned()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_day_brings_every_rule_holds(
        skills in prop::collection::vec(any::<u8>(), AGENTS.len()),
        steps in prop::collection::vec(step(), 1..120),
    ) {
        let mut world = World::new(config(&skills));
        for who in 0..AGENTS.len() {
            world.run(Step::LogOn(who));
        }
        for step in steps {
            world.run(step);
        }
        let open: Vec<EntryId> = world.oracle.waiting.values()
            .filter(|waits| waits.entry.overflow_after.is_none())
            .map(|waits| waits.entry.id)
            .collect();
        for entry in open {
            world.withdraw(entry);
        }
        for agent in AGENTS {
            world.release(agent);
        }
        world.wait_until(world.oracle.now + Duration::from_secs(600));
        prop_assert!(world.acd.is_idle(), "every wait has ended");
        prop_assert_eq!(world.acd.poll_timeout(), None, "nothing is left to wake for");
        prop_assert!(world.oracle.waiting.is_empty());
    }
}
