//! Which shard each leg is in, and which legs are in which room.

use media_api::{Command, LegId, RoomId};
use std::collections::{BTreeSet, HashMap};

#[derive(Debug, Default)]
pub(super) struct Whereabouts {
    shard_of: HashMap<LegId, usize>,
    room_of: HashMap<LegId, RoomId>,
    rooms: HashMap<RoomId, BTreeSet<LegId>>,
}

impl Whereabouts {
    pub(super) fn len(&self) -> usize {
        self.shard_of.len()
    }

    /// The shard of a leg that is open.
    pub(super) fn shard_of(&self, leg: LegId) -> Option<usize> {
        self.shard_of.get(&leg).copied()
    }

    /// Somebody who is in a room.
    pub(super) fn member_of(&self, room: RoomId) -> Option<LegId> {
        self.rooms.get(&room)?.first().copied()
    }

    /// From now on the leg is in this shard.
    pub(super) fn is_in(&mut self, leg: LegId, shard: usize) {
        self.shard_of.insert(leg, shard);
    }

    /// Notes what a command does to rooms. Gives the leg that has to move for it to be done, and to which shard.
    pub(super) fn follow(&mut self, command: &Command) -> Option<(LegId, usize)> {
        match command {
            Command::Bridge { a, b } | Command::Listen { leg: a, to: b } => {
                self.leave(*a);
                self.leave(*b);
                self.has_to_move(*a, self.shard_of(*b)?)
            }
            Command::Join { leg, room, .. } => {
                let there = self.join(*leg, *room)?;
                self.has_to_move(*leg, there)
            }
            Command::Unbridge { leg } | Command::Echo { leg } => {
                self.leave(*leg);
                None
            }
            Command::Close { leg } => {
                self.leave(*leg);
                self.shard_of.remove(leg);
                None
            }
            _ => None,
        }
    }

    fn has_to_move(&self, leg: LegId, to: usize) -> Option<(LegId, usize)> {
        (self.shard_of(leg)? != to).then_some((leg, to))
    }

    /// The leg is in this room from now on. Gives the shard of those who are there.
    fn join(&mut self, leg: LegId, room: RoomId) -> Option<usize> {
        self.shard_of(leg)?;
        if self.room_of.get(&leg) == Some(&room) {
            return None;
        }
        self.leave(leg);
        self.room_of.insert(leg, room);
        let members = self.rooms.entry(room).or_default();
        let there = members.first().copied();
        members.insert(leg);
        there.and_then(|there| self.shard_of(there))
    }

    fn leave(&mut self, leg: LegId) {
        let Some(room) = self.room_of.remove(&leg) else { return };
        if let Some(members) = self.rooms.get_mut(&room) {
            members.remove(&leg);
            if members.is_empty() {
                self.rooms.remove(&room);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use media_api::Seat;

    fn join(leg: u64, room: u64) -> Command {
        Command::Join { leg: LegId(leg), room: RoomId(room), seat: Seat::OPEN, chime: false }
    }

    fn close(whereabouts: &mut Whereabouts, legs: [u64; 2]) {
        for leg in legs {
            assert_eq!(whereabouts.follow(&Command::Close { leg: LegId(leg) }), None);
        }
    }

    #[test]
    fn who_comes_to_a_room_or_a_bridge_moves_to_who_is_there_and_nobody_else_does() {
        let mut whereabouts = Whereabouts::default();
        (1..=4).for_each(|leg| whereabouts.is_in(LegId(leg), leg as usize % 2));
        assert_eq!(whereabouts.follow(&join(1, 1)), None, "the first");
        assert_eq!(whereabouts.follow(&join(2, 1)), Some((LegId(2), 1)));
        whereabouts.is_in(LegId(2), 1);
        assert_eq!(whereabouts.follow(&join(2, 1)), None, "another seat");
        assert_eq!(whereabouts.follow(&join(3, 1)), None, "beside them");
        assert_eq!(
            whereabouts.follow(&Command::Bridge { a: LegId(4), b: LegId(3) }),
            Some((LegId(4), 1)),
            "who is in the other shard"
        );
        close(&mut whereabouts, [1, 2]);
        assert_eq!(whereabouts.follow(&join(3, 1)), None, "nobody is there any more");
        assert_eq!(whereabouts.follow(&join(9, 1)), None, "who is not open");
        close(&mut whereabouts, [3, 4]);
        assert!(whereabouts.rooms.is_empty() && whereabouts.room_of.is_empty() && whereabouts.len() == 0);
    }
}
