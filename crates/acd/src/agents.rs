use crate::lines::Waiting;
use crate::{Agent, Entry, OfferId, State};
use base::Time;
use std::collections::{BTreeMap, BTreeSet};

/// The agents of the configuration, and those it dropped who still talk.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    agents: BTreeMap<String, Member>,
    /// Who may be asked now, the longest idle first.
    free: BTreeSet<(Time, String)>,
}

/// One agent.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) agent: Agent,
    pub(crate) logged_on: bool,
    /// The configuration no longer names them: they go when their call ends.
    pub(crate) dropped: bool,
    /// The reason of a pause, in force or to come at the end of a call.
    pub(crate) pause: Option<String>,
    pub(crate) doing: Doing,
    pub(crate) rest_until: Option<Time>,
    /// Unanswered offers in a row.
    pub(crate) unanswered: u32,
    /// Since the first readiness after a log-on or a call.
    pub(crate) idle_since: Option<Time>,
    /// What was told last.
    told: (State, Option<String>),
    /// The key under which they stand among the free.
    free_since: Option<Time>,
}

/// What an agent is busy with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Doing {
    /// With nothing.
    Nothing,
    /// Their device is being asked.
    Offered(OfferId),
    /// They talk: having won this offer, or in a call that the distributor did not give.
    Talking { offer: Option<OfferId>, queue: Option<String> },
    /// They write up the last call.
    Wrapup { until: Time },
}

impl Member {
    fn new(agent: Agent) -> Member {
        Member {
            agent,
            logged_on: false,
            dropped: false,
            pause: None,
            doing: Doing::Nothing,
            rest_until: None,
            unanswered: 0,
            idle_since: None,
            told: (State::LoggedOff, None),
            free_since: None,
        }
    }

    pub(crate) fn state(&self) -> State {
        match self.doing {
            Doing::Offered(_) => State::Offered,
            Doing::Talking { .. } => State::Talking,
            Doing::Wrapup { .. } => State::Wrapup,
            Doing::Nothing if !self.logged_on || self.dropped => State::LoggedOff,
            Doing::Nothing if self.pause.is_some() => State::Paused,
            Doing::Nothing => State::Ready,
        }
    }

    /// Whether they could take this call at some time.
    pub(crate) fn matches(&self, entry: &Entry) -> bool {
        self.knows(entry) && self.agent.languages.contains(&entry.language)
    }

    /// The same with somebody who interprets.
    pub(crate) fn knows(&self, entry: &Entry) -> bool {
        let agent = &self.agent;
        agent.queues.contains(&entry.queue)
            && (agent.topics.is_empty() || entry.topic.is_empty() || agent.topics.contains(&entry.topic))
    }
}

impl Roster {
    pub(crate) fn get(&self, name: &str) -> Option<&Member> {
        self.agents.get(name)
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Member> {
        self.agents.get_mut(name)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Member> {
        self.agents.values()
    }

    pub(crate) fn is_free(&self, name: &str) -> bool {
        self.agents.get(name).is_some_and(|member| member.free_since.is_some())
    }

    /// Adds an agent, or gives the one of that name these skills.
    pub(crate) fn put(&mut self, agent: Agent) {
        match self.agents.get_mut(&agent.name) {
            Some(member) => {
                member.dropped = false;
                member.agent = agent;
            }
            None => {
                self.agents.insert(agent.name.clone(), Member::new(agent));
            }
        }
    }

    /// Forgets an agent who is not free.
    pub(crate) fn remove(&mut self, name: &str) {
        self.agents.remove(name);
    }

    /// Puts an agent among the free or takes them away, as their state says. Gives the state and the reason
    /// of a pause if they are not what was told last.
    pub(crate) fn settle(&mut self, now: Time, name: &str) -> Option<(State, Option<String>)> {
        let member = self.agents.get_mut(name)?;
        let state = member.state();
        if let Some(since) = member.free_since.take() {
            self.free.remove(&(since, name.to_owned()));
        }
        if state == State::Ready {
            let idle_since = *member.idle_since.get_or_insert(now);
            if member.rest_until.is_none() {
                member.free_since = Some(idle_since);
                self.free.insert((idle_since, name.to_owned()));
            }
        }
        let pauses = matches!(state, State::Paused | State::Offered | State::Talking);
        let reason = member.pause.clone().filter(|_| pauses);
        let tell = (state, reason);
        if tell == member.told {
            return None;
        }
        member.told = tell.clone();
        Some(tell)
    }

    /// The agent who should be asked to take this call: of those who did not let it pass, if there are any, the longest idle
    /// who speaks its language; without any such, if they may be asked too, the longest idle of the others.
    pub(crate) fn first_for(&self, waiting: &Waiting) -> Option<String> {
        let mut first: Option<((bool, bool), &String)> = None;
        for (_, name) in &self.free {
            let Some(member) = self.agents.get(name) else { continue };
            let speaks = member.matches(&waiting.entry);
            let may_be_asked = speaks || (waiting.any_language && member.knows(&waiting.entry));
            if !may_be_asked {
                continue;
            }
            let rank = (waiting.passed_by.contains(name), !speaks);
            if rank == (false, false) {
                return Some(name.clone());
            }
            if first.is_none_or(|(before, _)| rank < before) {
                first = Some((rank, name));
            }
        }
        first.map(|(_, name)| name.clone())
    }
}
