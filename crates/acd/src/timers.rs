use crate::{EntryId, OfferId, Why};
use base::Time;
use std::collections::BTreeSet;

/// What a deadline is of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// An offer is taken back.
    Offer(OfferId),
    /// An agent's wrap-up is over.
    Wrapup(String),
    /// An agent has rested.
    Rest(String),
    /// A call has waited long enough.
    Overflow(EntryId),
    /// A call has waited long enough for its language.
    Widen(EntryId),
    /// A caller is told the place.
    Announce(EntryId),
}

impl Timer {
    fn why(&self) -> Why {
        match self {
            Timer::Offer(_) => Why::Offer,
            Timer::Wrapup(_) => Why::Wrapup,
            Timer::Rest(_) => Why::Rest,
            Timer::Overflow(_) => Why::Overflow,
            Timer::Widen(_) => Why::Widen,
            Timer::Announce(_) => Why::Announce,
        }
    }
}

/// All deadlines in order of time. Who sets one remembers its time, so that it can be cleared exactly.
#[derive(Debug, Default)]
pub(crate) struct Timers(BTreeSet<(Time, Timer)>);

impl Timers {
    pub(crate) fn set(&mut self, at: Time, timer: Timer) {
        self.0.insert((at, timer));
    }

    pub(crate) fn clear(&mut self, at: Option<Time>, timer: Timer) {
        if let Some(at) = at {
            self.0.remove(&(at, timer));
        }
    }

    pub(crate) fn next(&self) -> Option<(Time, Why)> {
        self.0.first().map(|(at, timer)| (*at, timer.why()))
    }

    /// Takes the earliest deadline that has come by `now`.
    pub(crate) fn pop_due(&mut self, now: Time) -> Option<(Time, Timer)> {
        if self.0.first()?.0 > now {
            return None;
        }
        self.0.pop_first()
    }
}
