//! Two who are bridged come into one room: until the room has their speech, it is passed on as before.

use std::collections::BTreeMap;

use base::{Key, Slots, Time};
use media_api::RoomId;

use super::Shard;
use crate::leg::{Leg, Received, Route};
use crate::room::Room;

impl Shard {
    /// A leg comes into a room: the first of two from the bridge that they were `with` each other in, the second one `from`
    /// what was left of it.
    pub(super) fn hand_over(
        &mut self,
        now: Time,
        key: Key<Leg>,
        (from, with): (Option<Key<Leg>>, Option<Key<Leg>>),
    ) {
        if let Some(peer) = with {
            self.legs.get_mut(peer).into_iter().for_each(|leg| leg.hands_over(now, key));
        }
        if let (Some(peer), Some(leg)) = (from.or(with), self.legs.get_mut(key)) {
            leg.hands_over(now, peer);
        }
    }
}

/// To whom this still goes although its speaker is in a room: who was bridged with it, is in the same one, and may hear it there.
pub(super) fn still_heard_by(
    now: Time,
    speaker: Key<Leg>,
    received: &Received<'_>,
    (rooms, legs): (&BTreeMap<RoomId, Room>, &mut Slots<Leg>),
) -> Option<Key<Leg>> {
    let hearer = legs.get(speaker)?.comes_from()?;
    let is_there =
        legs.get(hearer).is_some_and(|leg| leg.route == received.to && leg.takes_as_it_is(received));
    let Route::Room(room) = received.to else { return None };
    let may_hear = rooms.get(&room).is_some_and(|room| room.lets_hear(speaker, hearer));
    let leg = legs.get_mut(speaker)?;
    if !is_there || !may_hear {
        leg.ends_handing_over();
        return None;
    }
    if !leg.still_reaches(now, hearer) {
        return None;
    }
    leg.has_reached();
    Some(hearer)
}
