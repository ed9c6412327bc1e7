//! A leg that goes on in another shard: what its party hears has no seam, for its line, its keys and what is agreed go along.

use base::Time;
use media_api::{Event, LegId};

use super::Shard;
use crate::leg::Leg;
use crate::sounds::Waiter;

/// A leg between two shards. It is in neither, so it is to be handed on at once.
#[derive(Debug)]
pub struct MovingLeg(Leg);

impl Shard {
    /// Takes a leg out, to be given to [`Shard::adopt`] of another shard with the same clock. It leaves its bridge, its
    /// listening or its room first; what plays to it goes on there. Nothing if it is not here.
    pub fn release(&mut self, id: LegId) -> Option<MovingLeg> {
        self.out.begin();
        self.unbridge(id);
        let key = self.keys.remove(&id)?;
        self.deadlines.set(key, None);
        self.wanted.forget(Waiter::Leg(key));
        self.legs.remove(key).map(MovingLeg)
    }

    /// Takes in a leg of another shard.
    pub fn adopt(&mut self, now: Time, MovingLeg(leg): MovingLeg) {
        self.out.begin();
        let id = leg.id;
        match self.legs.insert(leg) {
            Ok(key) => {
                self.keys.insert(id, key);
                let Some(leg) = self.legs.get_mut(key) else { return };
                let (wanted, out) = (&mut self.wanted, &mut self.out);
                leg.ask_again(&mut |wish| wanted.ask(now, wish, Waiter::Leg(key), out));
                self.deadlines.set(key, leg.deadline());
            }
            // Told as what it is to call control: the leg is no more.
            Err(mut leg) => {
                leg.end_handshake(&mut self.out);
                let why = format!("the media thread to which leg {} should move is full", leg.id.0);
                self.out.event(Event::OpenFailed { leg: id, why });
            }
        }
    }
}
