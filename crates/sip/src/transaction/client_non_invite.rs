//! The client transaction of every request but INVITE and ACK: RFC 3261 §17.1.2, figure 6.

use super::{Intervals, Step};
use base::Time;
use std::time::Duration;

/// Where a request that we sent stands. The message kept beside it is the request.
#[derive(Debug)]
pub(super) enum ClientNonInvite {
    /// Nothing came yet.
    Trying {
        /// The next retransmission.
        e: Time,
        /// The interval that led to it.
        interval: Duration,
        /// The end of our patience.
        f: Time,
    },
    /// A provisional answer came: we go on repeating, but slowly.
    Proceeding {
        /// The next retransmission.
        e: Time,
        /// The end of our patience.
        f: Time,
    },
    /// The final answer came; its repetitions are absorbed.
    Completed {
        /// When no repetition can come any more.
        k: Time,
    },
    /// Over.
    Terminated,
}

impl ClientNonInvite {
    /// The state after the request was sent for the first time.
    pub(super) fn new(now: Time, intervals: &Intervals) -> ClientNonInvite {
        ClientNonInvite::Trying {
            e: intervals.first_repeat(now),
            interval: intervals.t1,
            f: now + intervals.patience(),
        }
    }

    /// The state after the request was sent by another way. Nothing if something came back by the first.
    pub(super) fn anew(&self, now: Time, intervals: &Intervals) -> Option<ClientNonInvite> {
        matches!(self, ClientNonInvite::Trying { .. }).then(|| ClientNonInvite::new(now, intervals))
    }

    /// A response came.
    pub(super) fn response(&mut self, now: Time, status: u16, intervals: &Intervals) -> Step {
        match (&self, status) {
            (ClientNonInvite::Trying { e, f, .. }, 100..=199) => {
                *self = ClientNonInvite::Proceeding { e: *e, f: *f };
                Step::TELL
            }
            (ClientNonInvite::Proceeding { .. }, 100..=199) => Step::TELL,
            (ClientNonInvite::Trying { .. } | ClientNonInvite::Proceeding { .. }, 200..=699) => {
                *self = ClientNonInvite::Completed { k: intervals.linger(now, intervals.t4) };
                Step::TELL
            }
            _ => Step::NOTHING,
        }
    }

    /// A deadline was reached.
    pub(super) fn handle_timeout(&mut self, now: Time, intervals: &Intervals) -> Step {
        match self {
            ClientNonInvite::Trying { f, .. } | ClientNonInvite::Proceeding { f, .. } if *f <= now => {
                *self = ClientNonInvite::Terminated;
                Step::TELL
            }
            ClientNonInvite::Trying { e, interval, .. } if *e <= now => {
                *interval = (*interval * 2).min(intervals.t2);
                *e = now + *interval;
                Step::SEND
            }
            ClientNonInvite::Proceeding { e, .. } if *e <= now => {
                *e = now + intervals.t2;
                Step::SEND
            }
            ClientNonInvite::Completed { k } if *k <= now => {
                *self = ClientNonInvite::Terminated;
                Step::NOTHING
            }
            _ => Step::NOTHING,
        }
    }

    /// The transport failed. Only a transaction that still waits tells its user.
    pub(super) fn fail(&mut self) -> Step {
        let waiting = matches!(self, ClientNonInvite::Trying { .. } | ClientNonInvite::Proceeding { .. });
        *self = ClientNonInvite::Terminated;
        if waiting { Step::TELL } else { Step::NOTHING }
    }

    /// The next deadline.
    pub(super) fn deadline(&self) -> Time {
        match self {
            ClientNonInvite::Trying { e, f, .. } | ClientNonInvite::Proceeding { e, f } => *e.min(f),
            ClientNonInvite::Completed { k } => *k,
            ClientNonInvite::Terminated => Time::FAR,
        }
    }
}
