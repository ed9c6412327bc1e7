//! An agent who is wanted by name: asked as for a call of a queue, and nobody else instead.

use super::{Acd, LiveOffer};
use crate::agents::Doing;
use crate::timers::Timer;
use crate::{EntryId, NotAsked, OfferId, Output, Retracted, State};
use base::Time;
use std::time::Duration;

/// What an offer to one agent alone is for.
#[derive(Debug)]
pub(super) struct ByName {
    pub(super) since: Time,
    /// The queue whose wrap-up follows.
    pub(super) queue: Option<String>,
}

impl Acd {
    pub(super) fn ask(
        &mut self,
        now: Time,
        entry: EntryId,
        agent: String,
        (within, queue): (Duration, Option<String>),
    ) {
        if let Some(why) = self.cannot_be_asked(&agent) {
            return self.outputs.push_back(Output::NotAsked { entry, why });
        }
        // Somebody wants them: that ends a rest.
        self.stop_waiting(&agent);
        let queue = queue.or_else(|| self.longest_wrapup(&agent));
        let by_name = Some(ByName { since: now, queue });
        self.make_offer(now, LiveOffer { entry, agent, deadline: now + within, by_name });
    }

    fn cannot_be_asked(&self, agent: &str) -> Option<NotAsked> {
        let Some(member) = self.roster.get(agent) else { return Some(NotAsked::Unknown) };
        match member.state() {
            State::Ready => None,
            State::LoggedOff => Some(NotAsked::LoggedOff),
            State::Paused => Some(NotAsked::Paused),
            State::Offered | State::Talking | State::Wrapup => Some(NotAsked::Busy),
        }
    }

    fn longest_wrapup(&self, agent: &str) -> Option<String> {
        let own = self.roster.get(agent)?.agent.queues.iter();
        let here = own.filter_map(|queue| self.queues.get(queue));
        here.max_by_key(|here| here.queue.wrapup).map(|here| here.queue.name.clone())
    }

    /// Nobody wants the agent any more who was asked by name.
    pub(super) fn withdraw_by_name(&mut self, now: Time, entry: EntryId) {
        let of_entry = |live: &LiveOffer| live.entry == entry && live.by_name.is_some();
        let found = self.offers.iter().find(|(_, live)| of_entry(live)).map(|(offer, _)| *offer);
        if let Some(agent) = self.retract(found, Retracted::Withdrawn) {
            self.settle_and_seat(now, &agent);
        }
    }

    /// Asks an agent who is free.
    pub(super) fn make_offer(&mut self, now: Time, live: LiveOffer) {
        let LiveOffer { entry, agent, deadline, .. } = &live;
        let (entry, agent, deadline) = (*entry, agent.clone(), *deadline);
        self.offers_made += 1;
        let offer = OfferId(self.offers_made);
        if let Some(member) = self.roster.get_mut(&agent) {
            member.doing = Doing::Offered(offer);
        }
        self.lines.set_offer(entry, Some(offer));
        self.timers.set(deadline, Timer::Offer(offer));
        self.offers.insert(offer, live);
        self.outputs.push_back(Output::Offer { offer, entry, agent: agent.clone(), deadline });
        self.settle(now, &agent);
    }
}
