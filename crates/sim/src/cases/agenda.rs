//! What is to happen in the world of one case.

use super::led::Act;
use crate::media::Pending;
use base::Time;
use engine::Input;
use std::collections::BTreeMap;

/// Something that is to happen.
pub(super) enum Thing {
    Media(Pending),
    /// Somebody outside says something.
    Told(Box<Input>),
    /// A phone does what it has in mind.
    Act(usize, Act),
    /// The caller presses a key.
    Press(char),
    /// The caller is to press what comes next, having waited.
    Waited,
    /// The caller hangs up.
    HangUp,
}

/// By time; what is due at once comes in the order in which it was planned.
#[derive(Default)]
pub(super) struct Agenda {
    things: BTreeMap<(Time, u64), Thing>,
    planned: u64,
}

impl Agenda {
    pub(super) fn plan(&mut self, at: Time, thing: Thing) {
        self.planned += 1;
        self.things.insert((at, self.planned), thing);
    }

    /// When the next one is due.
    pub(super) fn next(&self) -> Time {
        self.things.keys().next().map_or(Time::FAR, |(at, _)| *at)
    }

    pub(super) fn pop(&mut self) -> Option<Thing> {
        self.things.pop_first().map(|(_, thing)| thing)
    }
}
