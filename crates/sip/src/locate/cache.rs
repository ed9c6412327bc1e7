//! What name servers said: fresh for its time to live, asked for anew before that ends, and used for a day
//! longer while no name server answers.

use super::plan::Known;
use super::{Answer, Kind, Query, Record};
use base::{Rng, Time};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// Less is taken as this: calls come in bursts, and a name server that says 0 means "soon".
const TTL_MIN: Duration = Duration::from_secs(5);
const TTL_MAX: Duration = Duration::from_secs(24 * 3600);
/// What is not there may be there soon.
const NOTHING_MAX: Duration = Duration::from_secs(300);
/// How long what is no longer fresh is used if no name server answers.
const STALE: Duration = Duration::from_secs(24 * 3600);
/// The shell's own time limit is shorter; this one is for a shell that forgot.
const PATIENCE: Duration = Duration::from_secs(15);
const RETRY_FIRST: Duration = Duration::from_secs(5);
const RETRY_LAST: Duration = Duration::from_secs(60);
/// Records beyond this many in one answer are passed over.
const RECORDS_MAX: usize = 64;

/// The table.
#[derive(Debug)]
pub(super) struct Cache {
    entries: BTreeMap<Query, Entry>,
    alarms: BTreeSet<(Time, Query)>,
    limit: usize,
    rng: Rng,
    /// Counts uses, so that the entry that was used the longest ago can be told.
    uses: u64,
    /// Entries of the present generation are kept fresh without being asked for.
    generation: u64,
    pub(super) out: VecDeque<Query>,
}

#[derive(Debug)]
struct Entry {
    /// Nothing if no answer was ever had.
    records: Option<Arc<[Record]>>,
    /// From then on a new answer is to be had.
    refresh_at: Time,
    /// From then on the old one is not to be used.
    stale_until: Time,
    /// A query is on its way; it is given up then.
    asked_until: Option<Time>,
    failures: u32,
    used: u64,
    generation: u64,
    alarm: Time,
}

impl Cache {
    pub(super) fn new(limit: usize, rng: Rng) -> Cache {
        Cache {
            entries: BTreeMap::new(),
            alarms: BTreeSet::new(),
            limit: limit.max(1),
            rng,
            uses: 0,
            generation: 1,
            out: VecDeque::new(),
        }
    }

    /// What is known of a query. If that is nothing, or not fresh, it is asked.
    pub(super) fn look(&mut self, now: Time, query: &Query, keep: bool) -> Known {
        self.uses += 1;
        if !self.entries.contains_key(query) {
            self.make_room();
            self.entries.insert(query.clone(), Entry::new());
        }
        let (uses, generation) = (self.uses, self.generation);
        let Some(entry) = self.entries.get_mut(query) else { return Known::NotYet };
        entry.used = uses;
        if keep {
            entry.generation = generation;
        }
        if entry.wants_asking(now) {
            entry.ask(now);
            self.out.push_back(query.clone());
        }
        let known = entry.known(now);
        self.set_alarm(query);
        known
    }

    /// The answer to a query that was asked. True if it changed what is known.
    pub(super) fn answered(&mut self, now: Time, query: &Query, answer: Answer) -> bool {
        let Some(entry) = self.entries.get_mut(query).filter(|entry| entry.asked_until.is_some()) else {
            return false;
        };
        entry.asked_until = None;
        let before = entry.records.clone();
        match answer {
            Answer::Found { records, ttl } => {
                let of_its_kind = records.into_iter().filter(|record| is_of(record, query.kind));
                let records: Arc<[Record]> = of_its_kind.take(RECORDS_MAX).collect();
                let ttl = ttl.clamp(TTL_MIN, TTL_MAX);
                // Not all at once, and in time for an answer to come before the old one is stale.
                let permille = 750 + self.rng.below(151) as u32;
                entry.holds(now, records, ttl * permille / 1000, ttl);
            }
            Answer::Nothing { ttl } => {
                let ttl = ttl.clamp(TTL_MIN, NOTHING_MAX);
                entry.holds(now, Arc::new([]), ttl, ttl);
            }
            Answer::Failed => {
                let pause = RETRY_FIRST.saturating_mul(1 << entry.failures.min(8)).min(RETRY_LAST);
                entry.failures += 1;
                entry.refresh_at = now + pause * (75 + self.rng.below(26) as u32) / 100;
            }
        }
        let changed = entry.records != before || entry.failures == 1;
        self.set_alarm(query);
        changed
    }

    /// From now on only what is looked at with `keep` anew is kept fresh.
    pub(super) fn begin_generation(&mut self) {
        self.generation += 1;
    }

    /// Whether it is kept fresh.
    pub(super) fn is_kept(&self, query: &Query) -> bool {
        self.entries.get(query).is_some_and(|entry| entry.generation == self.generation)
    }

    /// When something is due.
    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.alarms.first().map(|(at, _)| *at)
    }

    /// Asks for what is kept and no longer fresh; gives the queries that nobody answered.
    pub(super) fn handle_timeout(&mut self, now: Time) -> Vec<Query> {
        let due: Vec<Query> =
            self.alarms.iter().take_while(|(at, _)| *at <= now).map(|(_, query)| query.clone()).collect();
        let mut unanswered = Vec::new();
        for query in due {
            let Some(entry) = self.entries.get_mut(&query) else { continue };
            if entry.asked_until.is_some_and(|until| until <= now) {
                unanswered.push(query.clone());
            } else if entry.generation == self.generation && entry.wants_asking(now) {
                entry.ask(now);
                self.out.push_back(query.clone());
            }
            self.set_alarm(&query);
        }
        unanswered
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// A new alarm, where something is to be done without anybody asking.
    fn set_alarm(&mut self, query: &Query) {
        let Some(entry) = self.entries.get_mut(query) else { return };
        let kept = entry.generation == self.generation;
        let alarm = match entry.asked_until {
            Some(until) => until,
            None if kept => entry.refresh_at,
            None => Time::FAR,
        };
        if alarm != entry.alarm {
            self.alarms.remove(&(entry.alarm, query.clone()));
            entry.alarm = alarm;
            if alarm < Time::FAR {
                self.alarms.insert((alarm, query.clone()));
            }
        }
    }

    /// Forgets what was used the longest ago, and is not kept if possible.
    fn make_room(&mut self) {
        while self.entries.len() >= self.limit {
            let generation = self.generation;
            let oldest = self.entries.iter().min_by_key(|(_, e)| (e.generation == generation, e.used));
            let Some((query, alarm)) = oldest.map(|(query, entry)| (query.clone(), entry.alarm)) else {
                return;
            };
            self.entries.remove(&query);
            self.alarms.remove(&(alarm, query));
        }
    }
}

impl Entry {
    fn new() -> Entry {
        Entry {
            records: None,
            refresh_at: Time::ZERO,
            stale_until: Time::ZERO,
            asked_until: None,
            failures: 0,
            used: 0,
            generation: 0,
            alarm: Time::FAR,
        }
    }

    fn wants_asking(&self, now: Time) -> bool {
        self.asked_until.is_none() && self.refresh_at <= now
    }

    fn ask(&mut self, now: Time) {
        self.asked_until = Some(now + PATIENCE);
    }

    fn holds(&mut self, now: Time, records: Arc<[Record]>, refresh_after: Duration, ttl: Duration) {
        self.records = Some(records);
        self.refresh_at = now + refresh_after;
        self.stale_until = now + ttl + STALE;
        self.failures = 0;
    }

    fn known(&self, now: Time) -> Known {
        match &self.records {
            Some(records) if now < self.stale_until => Known::Records(records.clone()),
            // Nobody waits for a name server that has just failed.
            _ if self.failures > 0 || self.asked_until.is_none() => Known::Records(Arc::new([])),
            _ => Known::NotYet,
        }
    }
}

fn is_of(record: &Record, kind: Kind) -> bool {
    match record {
        Record::Naptr { .. } => kind == Kind::Naptr,
        Record::Srv { .. } => kind == Kind::Srv,
        Record::Address { ip, .. } => kind == if ip.is_ipv4() { Kind::A } else { Kind::Aaaa },
    }
}
