mod by_name;

use crate::agents::{Doing, Member, Roster};
use crate::lines::{Lines, Waiting};
use crate::timers::{Timer, Timers};
use crate::{By, Config, Entry, EntryId, Input, NotEntered, OfferId, Output, Queue, Retracted, State, Why};
use base::Time;
use by_name::ByName;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// How long an agent who refused, or did not answer, is left alone.
pub const REST: Duration = Duration::from_secs(10);
/// After so many unanswered offers in a row an agent is paused.
pub const UNANSWERED_MAX: u32 = 3;
/// The reason of that pause.
pub const NO_ANSWER: &str = "no_answer";
/// The reason of the pause of an agent whose device answered and could not be heard: the next caller would fare no better.
pub const NO_MEDIA: &str = "no_media";
/// Places are not told more often than this, whatever the entry says.
const ANNOUNCE_EVERY_MIN: Duration = Duration::from_secs(1);

/// The distributor: see the crate's page for its rules.
#[derive(Debug, Default)]
pub struct Acd {
    queues: BTreeMap<String, QueueHere>,
    lines: Lines,
    roster: Roster,
    offers: BTreeMap<OfferId, LiveOffer>,
    offers_made: u64,
    timers: Timers,
    outputs: VecDeque<Output>,
    /// The agent whose state the present input is about, until it is told, and whose doing that is.
    cause: Option<(String, By)>,
}

#[derive(Debug)]
struct QueueHere {
    queue: Queue,
    /// The configuration no longer names it: who waits may stay, nobody may enter.
    dropped: bool,
}

#[derive(Debug)]
struct LiveOffer {
    entry: EntryId,
    agent: String,
    deadline: Time,
    /// Nobody else is asked instead.
    by_name: Option<ByName>,
}

impl Acd {
    /// A distributor in which nobody is logged on. Of two queues or agents of one name, the last counts.
    pub fn new(config: Config, now: Time) -> Acd {
        let mut acd = Acd::default();
        acd.reconfigure(now, config);
        acd
    }

    /// Takes an input. Names of agents, offers and calls that are not known change nothing, except that an
    /// answer to an offer that is not live is too late. An entry's id that already waits is ignored.
    pub fn handle(&mut self, now: Time, input: Input) {
        self.cause = match &input {
            Input::LogOn(agent) | Input::LogOff(agent) => Some((agent.clone(), By::Device)),
            Input::Pause { agent, .. } | Input::Ready(agent) => Some((agent.clone(), By::Request)),
            _ => None,
        };
        match input {
            Input::Enqueue(entry) => self.enqueue(now, entry),
            Input::Withdraw(entry) => self.withdraw(now, entry),
            Input::LogOn(agent) => self.log_on(now, &agent),
            Input::LogOff(agent) => self.log_off(now, &agent),
            Input::Pause { agent, reason } => self.pause(now, &agent, reason),
            Input::Ready(agent) => self.ready(now, &agent),
            Input::Ask { entry, agent, within, queue } => self.ask(now, entry, agent, (within, queue)),
            Input::Answered(offer) => self.answered(now, offer),
            Input::Refused(offer) => self.refused(now, offer),
            Input::Unheard(offer) => self.unheard(now, offer),
            Input::Engaged { agent, queue } => self.engaged(now, &agent, queue),
            Input::Released(agent) => self.released(now, &agent),
            Input::Reconfigure(config) => self.reconfigure(now, config),
        }
    }

    /// Does everything whose deadline has come by `now`.
    pub fn handle_timeout(&mut self, now: Time) {
        self.cause = None;
        while let Some((at, timer)) = self.timers.pop_due(now) {
            match timer {
                Timer::Offer(offer) => self.expire(now, offer),
                Timer::Wrapup(agent) => self.end_wrapup(now, &agent),
                Timer::Rest(agent) => self.end_rest(now, &agent),
                Timer::Overflow(entry) => self.overflow(now, entry),
                Timer::Widen(entry) => self.widen(now, entry),
                Timer::Announce(entry) => self.announce_again(now, at, entry),
            }
        }
    }

    /// The next thing to be done.
    pub fn poll_output(&mut self) -> Option<Output> {
        base::next_output(&mut self.outputs)
    }

    /// The next deadline and what it is of.
    pub fn poll_timeout(&self) -> Option<(Time, Why)> {
        self.timers.next()
    }

    /// What an agent does; none of that name is `None`.
    pub fn state(&self, agent: &str) -> Option<State> {
        self.roster.get(agent).map(|member| member.state())
    }

    /// How many calls wait in a queue, those for which an agent is being asked included.
    pub fn waiting(&self, queue: &str) -> usize {
        self.lines.waiting(queue)
    }

    /// Whether there is such a queue, and one more may wait in it.
    pub fn has_room(&self, queue: &str) -> bool {
        self.open(queue).is_some_and(|queue| self.waiting(&queue.name) < queue.waiting_max)
    }

    /// The queue of this name, if anybody may enter it.
    fn open(&self, queue: &str) -> Option<&Queue> {
        self.queues.get(queue).filter(|here| !here.dropped).map(|here| &here.queue)
    }

    /// Whether no call waits and nobody is asked or talks.
    pub fn is_idle(&self) -> bool {
        let talks = |doing: &Doing| matches!(doing, Doing::Talking { .. });
        self.lines.is_empty()
            && self.offers.is_empty()
            && !self.roster.iter().any(|member| talks(&member.doing))
    }
}

/// Calls.
impl Acd {
    fn enqueue(&mut self, now: Time, entry: Entry) {
        let id = entry.id;
        if self.lines.get(id).is_some() {
            return;
        }
        if let Some(why) = self.refusal(&entry) {
            return self.outputs.push_back(Output::NotEntered { entry: id, why });
        }
        let announced = entry.position_every.is_some();
        self.lines.add(entry, now);
        let position = self.lines.position(id).unwrap_or(1);
        self.outputs.push_back(Output::Entered { entry: id, position });
        self.set_limits(now, id);
        if announced {
            self.announce_again(now, now, id);
        }
        self.serve(now, id);
    }

    /// Until when the call waits for its language, and until when at all.
    fn set_limits(&mut self, now: Time, id: EntryId) {
        let Some(waiting) = self.lines.get(id) else { return };
        if let Some(at) = waiting.overflow_at {
            self.timers.set(at, Timer::Overflow(id));
        }
        let Some(at) = waiting.widens_at else { return };
        let speaks = |member: &Member| member.state() != State::LoggedOff && member.matches(&waiting.entry);
        match at > now && self.roster.iter().any(speaks) {
            true => self.timers.set(at, Timer::Widen(id)),
            false => self.mark_widened(id),
        }
    }

    fn mark_widened(&mut self, id: EntryId) {
        self.lines.widen(id);
        self.outputs.push_back(Output::Widened { entry: id });
    }

    fn widen(&mut self, now: Time, id: EntryId) {
        self.mark_widened(id);
        self.serve(now, id);
    }

    fn refusal(&self, entry: &Entry) -> Option<NotEntered> {
        if self.open(&entry.queue).is_none() {
            return Some(NotEntered::NoSuchQueue);
        }
        if !self.has_room(&entry.queue) {
            return Some(NotEntered::Full);
        }
        let could = |member: &Member| {
            member.matches(entry) || (entry.any_language_after.is_some() && member.knows(entry))
        };
        let somebody = self.roster.iter().any(|member| member.state() != State::LoggedOff && could(member));
        (!somebody && !entry.is_callback).then_some(NotEntered::NobodyThere)
    }

    fn withdraw(&mut self, now: Time, id: EntryId) {
        let Some(waiting) = self.take_out(id) else { return self.withdraw_by_name(now, id) };
        if let Some(agent) = self.retract(waiting.offer, Retracted::Withdrawn) {
            self.settle_and_seat(now, &agent);
        }
    }

    fn overflow(&mut self, now: Time, id: EntryId) {
        let Some(waiting) = self.take_out(id) else { return };
        let freed = self.retract(waiting.offer, Retracted::Withdrawn);
        self.outputs.push_back(Output::Overflowed { entry: id, waited: now - waiting.since });
        if let Some(agent) = freed {
            self.settle_and_seat(now, &agent);
        }
    }

    /// Takes a call out of its queue; its offer, if one is live, is still to be ended.
    fn take_out(&mut self, id: EntryId) -> Option<Waiting> {
        let waiting = self.lines.remove(id)?;
        self.timers.clear(waiting.overflow_at, Timer::Overflow(id));
        self.timers.clear(waiting.announce_at, Timer::Announce(id));
        self.timers.clear(waiting.widens_at, Timer::Widen(id));
        let queue = &waiting.entry.queue;
        if self.lines.waiting(queue) == 0 && self.queues.get(queue).is_some_and(|here| here.dropped) {
            self.queues.remove(queue);
        }
        Some(waiting)
    }

    /// Tells the place and sets the next time. A late tick does not make up for what it missed.
    fn announce_again(&mut self, now: Time, due: Time, id: EntryId) {
        let Some(position) = self.lines.position(id) else { return };
        let Some(waiting) = self.lines.get_mut(id) else { return };
        let Some(every) = waiting.entry.position_every else { return };
        let every = every.max(ANNOUNCE_EVERY_MIN);
        let next = if due + every > now { due + every } else { now + every };
        waiting.announce_at = Some(next);
        self.timers.set(next, Timer::Announce(id));
        self.outputs.push_back(Output::Announce { entry: id, position });
    }
}

/// Offers.
impl Acd {
    /// Asks the right agent for this call, if one is free and nobody is being asked for it.
    fn serve(&mut self, now: Time, id: EntryId) {
        let Some(waiting) = self.lines.get(id).filter(|waiting| waiting.offer.is_none()) else { return };
        let Some(agent) = self.roster.first_for(waiting) else { return };
        self.offer(now, id, agent);
    }

    /// Tells the agent's state if it is new and asks them for the right call, if they are free.
    fn settle_and_seat(&mut self, now: Time, agent: &str) {
        self.settle(now, agent);
        if !self.roster.is_free(agent) {
            return;
        }
        let call = self.roster.get(agent).and_then(|member| self.lines.first_for(&member.agent));
        if let Some(id) = call {
            self.offer(now, id, agent.to_owned());
        }
    }

    fn settle(&mut self, now: Time, agent: &str) {
        if let Some((state, reason)) = self.roster.settle(now, agent) {
            let cause = self.cause.take_if(|(about, _)| about == agent);
            let by = cause.map_or(By::Course, |(_, by)| by);
            if state == State::LoggedOff {
                self.lines.forget_passes(agent);
            }
            self.outputs.push_back(Output::State { agent: agent.to_owned(), state, reason, by });
        }
    }

    fn offer(&mut self, now: Time, id: EntryId, agent: String) {
        let Some(waiting) = self.lines.get_mut(id) else { return };
        let Some(here) = self.queues.get(&waiting.entry.queue) else { return };
        if waiting.passed_by.contains(&agent) {
            // Everyone else who could be asked has let it pass too: a new round begins.
            waiting.passed_by.clear();
        }
        let deadline = now + here.queue.offer_deadline;
        self.make_offer(now, LiveOffer { entry: id, agent, deadline, by_name: None });
    }

    /// Ends a live offer. Its agent does nothing then; the call, if it still waits, has nobody asked for it.
    fn end_offer(&mut self, offer: OfferId) -> Option<LiveOffer> {
        let live = self.offers.remove(&offer)?;
        self.timers.clear(Some(live.deadline), Timer::Offer(offer));
        if let Some(member) = self.roster.get_mut(&live.agent) {
            member.doing = Doing::Nothing;
        }
        self.lines.set_offer(live.entry, None);
        Some(live)
    }

    /// Takes an offer back. Gives the agent, who is to be settled.
    fn retract(&mut self, offer: Option<OfferId>, why: Retracted) -> Option<String> {
        let offer = offer?;
        let agent = self.end_offer(offer)?.agent;
        self.outputs.push_back(Output::Retract { offer, agent: agent.clone(), why });
        Some(agent)
    }

    fn answered(&mut self, now: Time, offer: OfferId) {
        let Some(live) = self.end_offer(offer) else { return self.answered_late(offer) };
        let (queue, since) = match (live.by_name, self.take_out(live.entry)) {
            (Some(by_name), _) => (by_name.queue, by_name.since),
            (None, Some(waiting)) => (Some(waiting.entry.queue), waiting.since),
            (None, None) => return,
        };
        if let Some(member) = self.roster.get_mut(&live.agent) {
            member.doing = Doing::Talking { offer: Some(offer), queue };
            member.unanswered = 0;
            member.idle_since = None;
        }
        let waited = now - since;
        self.outputs.push_back(Output::Won { offer, entry: live.entry, agent: live.agent.clone(), waited });
        self.settle(now, &live.agent);
    }

    /// An answer told twice must not end the call that the first one won.
    fn answered_late(&mut self, offer: OfferId) {
        let won = |doing: &Doing| matches!(doing, Doing::Talking { offer: Some(won), .. } if *won == offer);
        if !self.roster.iter().any(|member| won(&member.doing)) {
            self.outputs.push_back(Output::TooLate { offer });
        }
    }

    fn refused(&mut self, now: Time, offer: OfferId) {
        let Some(live) = self.end_offer(offer) else { return };
        if let Some(member) = self.roster.get_mut(&live.agent) {
            member.unanswered = 0;
        }
        self.pass_on(now, live);
    }

    fn unheard(&mut self, now: Time, offer: OfferId) {
        let Some(live) = self.end_offer(offer) else { return };
        if let Some(member) = self.roster.get_mut(&live.agent) {
            member.unanswered = 0;
            member.pause.get_or_insert_with(|| NO_MEDIA.to_owned());
        }
        self.pass_on(now, live);
    }

    fn expire(&mut self, now: Time, offer: OfferId) {
        let Some(live) = self.end_offer(offer) else { return };
        let agent = live.agent.clone();
        self.outputs.push_back(Output::Retract { offer, agent, why: Retracted::Expired });
        if let Some(member) = self.roster.get_mut(&live.agent) {
            member.unanswered += 1;
            if member.unanswered >= UNANSWERED_MAX && member.pause.is_none() {
                member.pause = Some(NO_ANSWER.to_owned());
            }
        }
        self.pass_on(now, live);
    }

    /// The agent let the call pass: they rest, it goes on to the next.
    fn pass_on(&mut self, now: Time, live: LiveOffer) {
        if let Some(waiting) = self.lines.get_mut(live.entry) {
            waiting.passed_by.insert(live.agent.clone());
        }
        if let Some(member) = self.roster.get_mut(&live.agent)
            && member.state() == State::Ready
        {
            let until = now + REST;
            member.rest_until = Some(until);
            self.timers.set(until, Timer::Rest(live.agent.clone()));
        }
        self.settle(now, &live.agent);
        self.serve(now, live.entry);
    }
}

/// Agents.
impl Acd {
    fn log_on(&mut self, now: Time, agent: &str) {
        let Some(member) = self.roster.get_mut(agent).filter(|member| !member.logged_on) else { return };
        member.logged_on = true;
        member.unanswered = 0;
        if !matches!(member.doing, Doing::Talking { .. }) {
            member.idle_since = None;
        }
        member.pause.take_if(|reason| [NO_ANSWER, NO_MEDIA].contains(&reason.as_str()));
        self.settle_and_seat(now, agent);
    }

    fn log_off(&mut self, now: Time, agent: &str) {
        let Some(member) = self.roster.get_mut(agent).filter(|member| member.logged_on) else { return };
        member.logged_on = false;
        if let Some(entry) = self.leave(now, agent) {
            self.serve(now, entry);
        }
    }

    /// Ends whatever an agent who is no longer there did, except a call. Gives the call for which they were
    /// being asked.
    fn leave(&mut self, now: Time, agent: &str) -> Option<EntryId> {
        self.stop_waiting(agent);
        let offer = match self.roster.get(agent).map(|member| &member.doing) {
            Some(Doing::Offered(offer)) => Some(*offer),
            _ => None,
        };
        let entry = offer.and_then(|offer| self.offers.get(&offer)).map(|live| live.entry);
        self.retract(offer, Retracted::LoggedOff);
        self.settle(now, agent);
        entry
    }

    fn pause(&mut self, now: Time, agent: &str, reason: String) {
        let Some(member) = self.roster.get_mut(agent) else { return };
        member.pause = Some(reason);
        self.stop_waiting(agent);
        self.settle(now, agent);
    }

    fn ready(&mut self, now: Time, agent: &str) {
        let Some(member) = self.roster.get_mut(agent) else { return };
        member.pause = None;
        member.unanswered = 0;
        self.stop_waiting(agent);
        self.settle_and_seat(now, agent);
    }

    /// Ends a rest and a wrap-up.
    fn stop_waiting(&mut self, agent: &str) {
        let Some(member) = self.roster.get_mut(agent) else { return };
        self.timers.clear(member.rest_until.take(), Timer::Rest(agent.to_owned()));
        if let Doing::Wrapup { until } = member.doing {
            member.doing = Doing::Nothing;
            self.timers.clear(Some(until), Timer::Wrapup(agent.to_owned()));
        }
    }

    fn engaged(&mut self, now: Time, agent: &str, queue: Option<String>) {
        let Some(member) = self.roster.get_mut(agent) else { return };
        if let Doing::Talking { queue: known, .. } = &mut member.doing {
            *known = queue.or(known.take());
            return;
        }
        let asked = if let Doing::Offered(offer) = member.doing { Some(offer) } else { None };
        let entry = asked.and_then(|offer| self.offers.get(&offer)).map(|live| live.entry);
        self.stop_waiting(agent);
        self.retract(asked, Retracted::Engaged);
        if let Some(member) = self.roster.get_mut(agent) {
            member.doing = Doing::Talking { offer: None, queue };
            member.unanswered = 0;
            member.idle_since = None;
        }
        self.settle(now, agent);
        if let Some(entry) = entry {
            self.serve(now, entry);
        }
    }

    fn released(&mut self, now: Time, agent: &str) {
        let Some(member) = self.roster.get_mut(agent) else { return };
        let Doing::Talking { queue, .. } = &member.doing else { return };
        let here = queue.as_ref().and_then(|queue| self.queues.get(queue));
        let wrapup = here.map_or(Duration::ZERO, |here| here.queue.wrapup);
        member.doing = Doing::Nothing;
        if member.state() == State::Ready && !wrapup.is_zero() {
            let until = now + wrapup;
            member.doing = Doing::Wrapup { until };
            self.timers.set(until, Timer::Wrapup(agent.to_owned()));
        }
        let dropped = member.dropped;
        self.settle_and_seat(now, agent);
        if dropped {
            self.roster.remove(agent);
        }
    }

    fn end_wrapup(&mut self, now: Time, agent: &str) {
        let Some(member) = self.roster.get_mut(agent) else { return };
        member.doing = Doing::Nothing;
        self.settle_and_seat(now, agent);
    }

    fn end_rest(&mut self, now: Time, agent: &str) {
        let Some(member) = self.roster.get_mut(agent) else { return };
        member.rest_until = None;
        self.settle_and_seat(now, agent);
    }
}

/// Configuration.
impl Acd {
    fn reconfigure(&mut self, now: Time, config: Config) {
        self.put_queues(config.queues);
        let named: BTreeSet<String> = config.agents.iter().map(|agent| agent.name.clone()).collect();
        for agent in config.agents {
            self.roster.put(agent);
        }
        let gone: Vec<String> = self.roster.iter().map(|member| member.agent.name.clone()).collect();
        for agent in gone.iter().filter(|agent| !named.contains(*agent)) {
            self.drop_agent(now, agent);
        }
        for id in self.lines.unasked() {
            self.serve(now, id);
        }
    }

    fn put_queues(&mut self, queues: Vec<Queue>) {
        for here in self.queues.values_mut() {
            here.dropped = true;
        }
        for queue in queues {
            self.queues.insert(queue.name.clone(), QueueHere { queue, dropped: false });
        }
        let lines = &self.lines;
        self.queues.retain(|name, here| !here.dropped || lines.waiting(name) > 0);
    }

    fn drop_agent(&mut self, now: Time, agent: &str) {
        let Some(member) = self.roster.get_mut(agent) else { return };
        member.dropped = true;
        self.leave(now, agent);
        if self.roster.get(agent).is_some_and(|member| member.doing == Doing::Nothing) {
            self.roster.remove(agent);
        }
    }
}
