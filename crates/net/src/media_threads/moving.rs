//! Legs on their way from one shard to another. The shard that a leg comes to takes nothing else from its queue until it is
//! there, so that no command overtakes it; what it plays and relays goes on meanwhile, which is a tick.

use super::shaking::Word;
use super::shard_thread::Sockets;
use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded};
use media::MovingLeg;
use media_api::LegId;
use std::convert::Infallible;

/// A leg with all that its thread has of it.
pub(super) struct Move {
    pub(super) leg: MovingLeg,
    pub(super) sockets: Sockets,
    /// What the thread of handshakes is still to be told of it.
    pub(super) word: Option<Word>,
}

/// The way of one leg; nothing goes by it if the leg was not where it was sought.
pub(super) type Way = Sender<Option<Box<Move>>>;

/// The end of a leg's way.
#[derive(Debug)]
pub(super) struct Coming {
    way: Receiver<Option<Box<Move>>>,
    thread: Alive,
}

/// What a thread holds as long as it lives. Its queue does not tell of its end: orders stay in it.
pub(super) type Life = Sender<Infallible>;

/// Tells whether a thread lives.
#[derive(Clone, Debug)]
pub(super) struct Alive(Receiver<Infallible>);

/// The life of a thread.
pub(super) fn life() -> (Life, Alive) {
    let (life, alive) = bounded(1);
    (life, Alive(alive))
}

/// A way for one leg from this thread.
pub(super) fn way(from: &Alive) -> (Way, Coming) {
    let (sender, way) = bounded(1);
    (sender, Coming { way, thread: from.clone() })
}

impl Alive {
    fn is_over(&self) -> bool {
        self.0.try_recv() == Err(TryRecvError::Disconnected)
    }
}

/// Who comes to one shard.
#[derive(Default)]
pub(super) struct Arrivals {
    awaited: Option<(LegId, Coming)>,
}

impl Arrivals {
    /// This leg is on its way.
    pub(super) fn expect(&mut self, leg: LegId, coming: Coming) {
        self.awaited = Some((leg, coming));
    }

    /// Whether the queue has to wait for a leg.
    pub(super) fn are_awaited(&self) -> bool {
        self.awaited.is_some()
    }

    /// The leg that is awaited, if it has come. However long that takes: a thread that stands still still has it.
    pub(super) fn take(&mut self) -> Option<Box<Move>> {
        let (leg, coming) = self.awaited.as_ref()?;
        // Asked first: what a thread sent before its end is there after it.
        let is_over = coming.thread.is_over();
        let come = match coming.way.try_recv() {
            Ok(come) => come,
            Err(_) if is_over => {
                tracing::error!(leg = leg.0, "a leg never came from its media thread, which is gone");
                None
            }
            Err(_) => return None,
        };
        self.awaited = None;
        come
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEG: LegId = LegId(1);

    #[test]
    fn a_leg_is_awaited_until_it_comes_or_was_not_there() {
        let mut arrivals = Arrivals::default();
        let (_life, alive) = life();
        let (way, coming) = way(&alive);
        arrivals.expect(LEG, coming);
        assert!(arrivals.take().is_none() && arrivals.are_awaited());
        way.send(None).unwrap();
        assert!(arrivals.take().is_none() && !arrivals.are_awaited());
    }

    #[test]
    fn a_leg_whose_thread_is_gone_with_the_order_in_its_queue_is_awaited_no_longer() {
        let mut arrivals = Arrivals::default();
        let (life, alive) = life();
        let (way, coming) = way(&alive);
        arrivals.expect(LEG, coming);
        assert!(arrivals.take().is_none() && arrivals.are_awaited());
        drop(life);
        assert!(arrivals.take().is_none() && !arrivals.are_awaited());
        drop(way);
    }
}
