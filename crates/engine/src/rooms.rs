//! Which calls meet in which room.

use media_api::{LegId, RoomId};
use std::collections::{BTreeMap, BTreeSet};

/// The rooms that are open now, by their names.
#[derive(Debug, Default)]
pub(crate) struct Rooms {
    open: BTreeMap<String, Open>,
    last: u64,
}

#[derive(Debug)]
struct Open {
    room: RoomId,
    legs: BTreeSet<LegId>,
}

impl Rooms {
    /// A leg that whoever comes to this room is to be beside, for a room's legs are all in one shard.
    pub(crate) fn beside(&self, name: &str) -> Option<LegId> {
        self.open.get(name)?.legs.first().copied()
    }

    /// A leg is on its way to this room, which is opened by the first.
    pub(crate) fn enter(&mut self, name: &str, leg: LegId) {
        let last = &mut self.last;
        let open = self.open.entry(name.to_owned()).or_insert_with(|| {
            *last += 1;
            Open { room: RoomId(*last), legs: BTreeSet::new() }
        });
        open.legs.insert(leg);
    }

    /// A room without a name, of one call.
    pub(crate) fn of_a_call(&mut self) -> RoomId {
        self.last += 1;
        RoomId(self.last)
    }

    /// The room that the leg is on its way to.
    pub(crate) fn of(&self, leg: LegId) -> Option<RoomId> {
        self.open.values().find(|open| open.legs.contains(&leg)).map(|open| open.room)
    }

    /// The leg is no more. The last one closes its room.
    pub(crate) fn leave(&mut self, leg: LegId) {
        self.open.retain(|_, open| !open.legs.remove(&leg) || !open.legs.is_empty());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }
}
