//! Legs on their way from one shard to another. The shard that a leg comes to takes nothing else from its queue until it is
//! there, so that no command overtakes it; what it plays and relays goes on meanwhile, which is a tick.

use super::shard_thread::Sockets;
use base::Time;
use crossbeam_channel::{Receiver, Sender, unbounded};
use media::MovingLeg;
use media_api::LegId;
use std::time::Duration;

/// A leg that has not come by then will not: the other thread is gone.
const PATIENCE: Duration = Duration::from_secs(1);

/// A leg with its sockets; without, if it was not where it was sought.
pub(super) struct Move {
    pub(super) leg: LegId,
    pub(super) what: Option<Box<(MovingLeg, Sockets)>>,
}

/// Where legs are sent that come to a shard. It holds as many as the shard was told to await: at most as many as its
/// queue of commands.
pub(super) type WayIn = Sender<Move>;

/// Those who come to one shard.
pub(super) struct Arrivals {
    inbox: Receiver<Move>,
    /// Who came before it was awaited.
    early: Vec<Move>,
    awaited: Option<(LegId, Time)>,
}

impl Arrivals {
    pub(super) fn new() -> (WayIn, Arrivals) {
        let (way_in, inbox) = unbounded();
        (way_in, Arrivals { inbox, early: Vec::new(), awaited: None })
    }

    /// This leg is on its way.
    pub(super) fn expect(&mut self, now: Time, leg: LegId) {
        self.awaited = Some((leg, now));
    }

    /// Whether the queue has to wait for a leg.
    pub(super) fn are_awaited(&self) -> bool {
        self.awaited.is_some()
    }

    /// The leg that is awaited, if it has come.
    pub(super) fn take(&mut self, now: Time) -> Option<Box<(MovingLeg, Sockets)>> {
        let (leg, since) = self.awaited?;
        self.early.extend(self.inbox.try_iter());
        let Some(at) = self.early.iter().position(|come| come.leg == leg) else {
            if now.since(since) > PATIENCE {
                tracing::error!(leg = leg.0, "a leg never came from its media thread, which is gone");
                self.awaited = None;
            }
            return None;
        };
        self.awaited = None;
        self.early.swap_remove(at).what
    }
}
