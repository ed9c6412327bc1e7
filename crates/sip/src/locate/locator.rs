//! The machine: places in, ways out; queries out, answers in.

use super::cache::Cache;
use super::plan::{Known, Plan, plan};
use super::{Answer, Place, Query, Way};
use crate::ua::Transport;
use base::{Rng, Seed, Time};
use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};

/// What a locator is born with.
#[derive(Clone, Debug)]
pub struct Config {
    /// Our sockets: a way needs one of its transport and family.
    pub listen: Vec<(Transport, SocketAddr)>,
    /// Places whose names are kept fresh, so that no call waits for a name server.
    pub keep: Vec<Place>,
    /// The most answers that are remembered; the one that was used the longest ago goes first.
    pub answers_max: usize,
}

/// What can be told to a locator.
#[derive(Clone, Debug)]
pub enum Input {
    /// What came of a query.
    Resolved {
        /// The query.
        query: Query,
        /// What came.
        answer: Answer,
    },
}

/// What a locator gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Ask a name server, without waiting for it, and tell what came of it.
    Resolve {
        /// What to ask.
        query: Query,
    },
}

/// Where a place is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Located {
    /// There: at least one way, the best first.
    At(Vec<Way>),
    /// Not known yet: ask again after the answer to this query.
    WaitsFor(Query),
    /// Nowhere that we can reach.
    Nowhere,
}

/// Finds places. See the module.
#[derive(Debug)]
pub struct Locator {
    config: Config,
    cache: Cache,
    rng: Rng,
    /// The addresses of each kept place, when they were last known.
    kept: BTreeMap<Place, Vec<SocketAddr>>,
    out: VecDeque<Output>,
}

impl Locator {
    /// A locator. What is to be kept is asked for at once: drain the outputs.
    pub fn new(config: Config, seed: Seed, now: Time) -> Locator {
        let mut locator = Locator {
            cache: Cache::new(config.answers_max, seed.named("cache").rng()),
            rng: seed.named("weights").rng(),
            kept: BTreeMap::new(),
            out: VecDeque::new(),
            config,
        };
        locator.keep_all(now);
        locator
    }

    /// Other sockets, other places to keep; what is known stays known.
    pub fn reconfigure(&mut self, now: Time, listen: Vec<(Transport, SocketAddr)>, keep: Vec<Place>) {
        self.config.listen = listen;
        self.config.keep = keep;
        self.kept.retain(|place, _| self.config.keep.contains(place));
        self.keep_all(now);
    }

    /// Takes one input.
    pub fn handle(&mut self, now: Time, input: Input) {
        let Input::Resolved { query, answer } = input;
        let is_kept = self.cache.is_kept(&query);
        if self.cache.answered(now, &query, answer) && is_kept {
            self.keep_all(now);
        }
    }

    /// Asks for what is no longer fresh, and gives up what was never answered.
    pub fn handle_timeout(&mut self, now: Time) -> Vec<Query> {
        let unanswered = self.cache.handle_timeout(now);
        for query in &unanswered {
            self.handle(now, Input::Resolved { query: query.clone(), answer: Answer::Failed });
        }
        self.pass_on();
        unanswered
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// When [`Locator::handle_timeout`] is due next.
    pub fn poll_timeout(&self) -> Option<Time> {
        self.cache.poll_timeout()
    }

    /// The ways to a place, in the order in which they are to be tried this time: among servers of equal
    /// priority chance decides anew each time (RFC 2782).
    pub fn locate(&mut self, now: Time, place: &Place) -> Located {
        let Plan { ways, waits_for } = self.plan(now, place, false);
        match waits_for {
            Some(query) if ways.is_empty() => Located::WaitsFor(query),
            _ if ways.is_empty() => Located::Nowhere,
            _ => Located::At(ways),
        }
    }

    /// Whether a kept place is at this address, by what is known now, or was known before an outage.
    pub fn is_at(&self, place: &Place, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.kept.get(place).is_some_and(|addresses| addresses.iter().any(|address| address.ip() == ip))
    }

    /// The addresses of the kept places, as far as they are known.
    pub fn kept_addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.kept.values().flatten().map(SocketAddr::ip)
    }

    /// How many answers are remembered or waited for.
    pub fn len(&self) -> usize {
        self.cache.len()
    }

    /// Whether nothing is remembered or waited for.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn keep_all(&mut self, now: Time) {
        self.cache.begin_generation();
        for place in self.config.keep.clone() {
            let ways = self.plan(now, &place, true).ways;
            if !ways.is_empty() {
                self.kept.insert(place, ways.into_iter().map(|way| way.flow.remote).collect());
            }
        }
    }

    fn plan(&mut self, now: Time, place: &Place, keep: bool) -> Plan {
        let Locator { config, cache, rng, .. } = self;
        let mut look = |query: &Query| -> Known { cache.look(now, query, keep) };
        let plan = plan(place, &config.listen, rng, &mut look);
        self.pass_on();
        plan
    }

    fn pass_on(&mut self) {
        self.out.extend(self.cache.out.drain(..).map(|query| Output::Resolve { query }));
    }
}
