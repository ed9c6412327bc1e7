//! One of two who were bridged and are now in a room: for a moment its speech is still passed on as it comes, until the room,
//! where it waits in a jitter buffer, can go on with it. So no silence is between two words.

use base::{Key, Time};
use std::time::Duration;

use super::{Leg, Received, Route, Spoken};

/// So many packets tell an ear enough to make up for what comes until it speaks.
const PACKETS: u8 = 2;
/// Who says nothing is waited for no longer.
const AT_MOST: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(super) struct Tail {
    to: Key<Leg>,
    packets: u8,
    until: Time,
}

impl Leg {
    /// With whom it talks over a bridge.
    pub(crate) fn bridged_with(&self) -> Option<Key<Leg>> {
        match self.route {
            Route::Peer(peer) if self.hears == Some(peer) && self.player.is_none() => Some(peer),
            _ => None,
        }
    }

    /// It leaves the bridge with this one for a room.
    pub(crate) fn hands_over(&mut self, now: Time, to: Key<Leg>) {
        self.tail = Some(Tail { to, packets: PACKETS, until: now + AT_MOST });
    }

    /// With whom it was bridged until a moment ago.
    pub(crate) fn comes_from(&self) -> Option<Key<Leg>> {
        self.tail.as_ref().map(|tail| tail.to)
    }

    /// Whether its speech is still passed on to this one.
    pub(crate) fn still_reaches(&self, now: Time, hearer: Key<Leg>) -> bool {
        self.tail.as_ref().is_some_and(|tail| tail.to == hearer && tail.packets > 0 && now < tail.until)
    }

    /// A packet has been passed on.
    pub(crate) fn has_reached(&mut self) {
        self.tail.iter_mut().for_each(|tail| tail.packets = tail.packets.saturating_sub(1));
    }

    /// From now on only the room is heard.
    pub(crate) fn ends_handing_over(&mut self) {
        self.tail = None;
    }

    /// Whether this can be passed on to the party without being said again.
    pub(crate) fn takes_as_it_is(&self, received: &Received<'_>) -> bool {
        let own = self.format().map(|format| format.codec);
        let spoken = if let Spoken::Speech(codec) = received.spoken { Some(codec) } else { None };
        spoken.zip(own).is_some_and(|(spoken, own)| super::translating::can_be_relayed(spoken, own))
    }
}
