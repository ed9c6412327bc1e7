use crate::{Agent, Entry, EntryId, OfferId};
use base::Time;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// The calls that wait.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    entries: BTreeMap<EntryId, Waiting>,
    /// All who wait in a queue, in the order of serving.
    by_queue: BTreeMap<String, BTreeSet<Place>>,
    /// Those for whom nobody is being asked: queue → language → topic.
    unasked: Unasked,
    /// Those of them whose language need not be spoken any more: queue → topic.
    widened: BTreeMap<String, ByTopic>,
    arrivals: u64,
}

/// A place in the order of serving, over all queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    priority: Reverse<u8>,
    arrived: Time,
    /// Of those that arrived at the same time.
    arrival: u64,
    id: EntryId,
}

/// One call that waits.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) entry: Entry,
    pub(crate) since: Time,
    pub(crate) overflow_at: Option<Time>,
    pub(crate) announce_at: Option<Time>,
    pub(crate) widens_at: Option<Time>,
    /// Agents without its language may be asked too.
    pub(crate) any_language: bool,
    /// The one live offer.
    pub(crate) offer: Option<OfferId>,
    /// Agents who let it pass in this round.
    pub(crate) passed_by: BTreeSet<String>,
    place: Place,
}

impl Lines {
    pub(crate) fn add(&mut self, entry: Entry, now: Time) {
        self.arrivals += 1;
        let (priority, arrived) = (Reverse(entry.priority), entry.arrived);
        let place = Place { priority, arrived, arrival: self.arrivals, id: entry.id };
        self.by_queue.entry(entry.queue.clone()).or_default().insert(place);
        let waiting = Waiting {
            since: now,
            overflow_at: entry.overflow_after.map(|after| now + after),
            announce_at: None,
            widens_at: entry.any_language_after.map(|after| now + after),
            any_language: false,
            offer: None,
            passed_by: BTreeSet::new(),
            place,
            entry,
        };
        self.insert_unasked(&waiting);
        self.entries.insert(waiting.entry.id, waiting);
    }

    /// Agents without the call's language may be asked too from now on.
    pub(crate) fn widen(&mut self, id: EntryId) {
        let Some(mut waiting) = self.entries.remove(&id) else { return };
        let unasked = waiting.offer.is_none();
        if unasked {
            self.remove_unasked(&waiting);
        }
        (waiting.any_language, waiting.widens_at) = (true, None);
        if unasked {
            self.insert_unasked(&waiting);
        }
        self.entries.insert(id, waiting);
    }

    fn insert_unasked(&mut self, waiting: &Waiting) {
        let entry = &waiting.entry;
        let topics = match waiting.any_language {
            true => self.widened.entry(entry.queue.clone()).or_default(),
            false => {
                let languages = self.unasked.entry(entry.queue.clone()).or_default();
                languages.entry(entry.language.clone()).or_default()
            }
        };
        topics.entry(entry.topic.clone()).or_default().insert(waiting.place);
    }

    /// Empty branches go too: languages and topics come with the calls and must not pile up.
    fn remove_unasked(&mut self, waiting: &Waiting) {
        let entry = &waiting.entry;
        if waiting.any_language {
            if let Some(topics) = self.widened.get_mut(&entry.queue)
                && remove_of_topic(topics, waiting)
            {
                self.widened.remove(&entry.queue);
            }
            return;
        }
        let Some(languages) = self.unasked.get_mut(&entry.queue) else { return };
        let Some(topics) = languages.get_mut(&entry.language) else { return };
        if remove_of_topic(topics, waiting) {
            languages.remove(&entry.language);
        }
        if languages.is_empty() {
            self.unasked.remove(&entry.queue);
        }
    }

    pub(crate) fn remove(&mut self, id: EntryId) -> Option<Waiting> {
        let waiting = self.entries.remove(&id)?;
        self.remove_unasked(&waiting);
        if let Some(line) = self.by_queue.get_mut(&waiting.entry.queue) {
            line.remove(&waiting.place);
            if line.is_empty() {
                self.by_queue.remove(&waiting.entry.queue);
            }
        }
        Some(waiting)
    }

    pub(crate) fn get(&self, id: EntryId) -> Option<&Waiting> {
        self.entries.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: EntryId) -> Option<&mut Waiting> {
        self.entries.get_mut(&id)
    }

    /// An agent is asked for this call, or nobody is any longer.
    pub(crate) fn set_offer(&mut self, id: EntryId, offer: Option<OfferId>) {
        let Some(mut waiting) = self.entries.remove(&id) else { return };
        waiting.offer = offer;
        match offer {
            Some(_) => self.remove_unasked(&waiting),
            None => self.insert_unasked(&waiting),
        }
        self.entries.insert(id, waiting);
    }

    /// The agent is gone. Whoever comes under that name later has let no call pass: a device whose connection
    /// broke while it rang refused nothing.
    pub(crate) fn forget_passes(&mut self, agent: &str) {
        for waiting in self.entries.values_mut() {
            waiting.passed_by.remove(agent);
        }
    }

    /// The place in the call's queue, from 1; those who are asked for count too.
    pub(crate) fn position(&self, id: EntryId) -> Option<usize> {
        let waiting = self.entries.get(&id)?;
        Some(self.by_queue.get(&waiting.entry.queue)?.range(..=waiting.place).count())
    }

    pub(crate) fn waiting(&self, queue: &str) -> usize {
        self.by_queue.get(queue).map_or(0, BTreeSet::len)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The call that this agent should be asked to take, of those for whom nobody is being asked.
    pub(crate) fn first_for(&self, agent: &Agent) -> Option<EntryId> {
        let languages = agent.queues.iter().filter_map(|queue| self.unasked.get(queue));
        let topics = languages
            .flat_map(|languages| agent.languages.iter().filter_map(|language| languages.get(language)));
        let topics = topics.chain(agent.queues.iter().filter_map(|queue| self.widened.get(queue)));
        topics.filter_map(|topics| first_of_topics(topics, agent)).min().map(|place| place.id)
    }

    /// All for whom nobody is being asked, in the order of serving.
    pub(crate) fn unasked(&self) -> Vec<EntryId> {
        let topics = self.unasked.values().flat_map(BTreeMap::values).chain(self.widened.values());
        let mut places: Vec<Place> = topics.flat_map(BTreeMap::values).flatten().copied().collect();
        places.sort_unstable();
        places.into_iter().map(|place| place.id).collect()
    }
}

fn first_of_topics(topics: &ByTopic, agent: &Agent) -> Option<Place> {
    if agent.topics.is_empty() {
        return topics.values().filter_map(BTreeSet::first).min().copied();
    }
    let named = agent.topics.iter().filter_map(|topic| topics.get(topic));
    named.chain(topics.get("")).filter_map(BTreeSet::first).min().copied()
}

type ByTopic = BTreeMap<String, BTreeSet<Place>>;

type Unasked = BTreeMap<String, BTreeMap<String, ByTopic>>;

/// True if nothing is left.
fn remove_of_topic(topics: &mut ByTopic, waiting: &Waiting) -> bool {
    if let Some(line) = topics.get_mut(&waiting.entry.topic) {
        line.remove(&waiting.place);
        if line.is_empty() {
            topics.remove(&waiting.entry.topic);
        }
    }
    topics.is_empty()
}
