//! Two who were bridged come into one room: for a moment each still gets the other's packets as they come, until the room, where
//! speech waits in a jitter buffer, can go on with it. So no silence is between two words.
//!
//! What a listener is sent is the other's packets first and the room's mix afterwards, never both: the first mix ends the
//! packets. So no number of its line is given twice.

use base::{Key, Slots, Time};
use std::time::Duration;

use super::{Member, Room};
use crate::leg::{Leg, Received};
use media_api::Heard;

/// So many packets tell an ear enough to make up for what comes until it speaks.
const PACKETS: u8 = 2;
/// Who says nothing is waited for no longer.
const AT_MOST: Duration = Duration::from_millis(100);

/// How a listener came out of a bridge.
#[derive(Debug)]
pub(super) struct HandingOver {
    /// Whom it was bridged with.
    with: Key<Leg>,
    /// So many packets of that one it still gets.
    packets: u8,
    /// The number of the next.
    next: Option<u16>,
    until: Time,
}

impl HandingOver {
    fn is_going_on(&self, now: Time) -> bool {
        self.packets > 0 && now < self.until
    }
}

impl Room {
    /// How a party comes that was bridged `with` another one, or with whom another one who is there was bridged until then.
    pub(super) fn handed_over(
        &self,
        now: Time,
        key: Key<Leg>,
        with: Option<Key<Leg>>,
    ) -> Option<HandingOver> {
        let came_from = |member: &Member| {
            member.from_bridge.as_ref().is_some_and(|from| from.with == key && now < from.until)
        };
        let peer = || self.members.iter().find(|(_, member)| came_from(member)).map(|(peer, _)| *peer);
        Some(HandingOver { with: with.or_else(peer)?, packets: PACKETS, next: None, until: now + AT_MOST })
    }

    /// Who still gets this packet as it came, and not by the room. What the room hears of its speaker follows on it.
    pub(crate) fn hands_over(
        &mut self,
        now: Time,
        received: &Received<'_>,
        legs: &Slots<Leg>,
    ) -> Option<Key<Leg>> {
        let hearer = self.members.get(&received.from)?.from_bridge.as_ref()?.with;
        let takes = legs.get(hearer).is_some_and(|leg| leg.takes_as_it_is(received));
        let may_hear = self.lets_hear(received.from, hearer);
        let sequence = received.packet.sequence;
        let from_bridge = self.members.get_mut(&hearer)?.from_bridge.as_mut()?;
        if from_bridge.with != received.from || !from_bridge.is_going_on(now) {
            return None;
        }
        // What is missing may still come, and then goes through the room: nothing is to overtake it, or leave a gap for it.
        let is_next = from_bridge.next.is_none_or(|next| next == sequence);
        if !takes || !may_hear || !is_next {
            from_bridge.packets = 0;
            return None;
        }
        (from_bridge.packets, from_bridge.next) = (from_bridge.packets - 1, Some(sequence.wrapping_add(1)));
        self.follow(now, received);
        Some(hearer)
    }

    /// Whether a listener is not to get this frame, because it still gets the packets of whom it was bridged with. If it is, it
    /// gets none of those any more.
    pub(super) fn is_still_bridged(&mut self, now: Time, key: Key<Leg>) -> bool {
        let Some(from_bridge) = self.members.get(&key).and_then(|member| member.from_bridge.as_ref()) else {
            return false;
        };
        let is_going_on = from_bridge.is_going_on(now) && self.lets_hear(from_bridge.with, key);
        if !is_going_on && let Some(member) = self.members.get_mut(&key) {
            member.from_bridge.iter_mut().for_each(|from| from.packets = 0);
        }
        is_going_on
    }

    /// Whether one party is heard by all and the other one hears, and nothing else is to be heard.
    fn lets_hear(&self, speaker: Key<Leg>, hearer: Key<Leg>) -> bool {
        let is_heard = self.members.get(&speaker).is_some_and(|member| member.seat.heard == Heard::ByAll);
        let hears = self.members.get(&hearer).is_some_and(|member| member.seat.hears);
        is_heard && hears && self.announcements.is_empty() && self.chimes.is_empty()
    }
}
