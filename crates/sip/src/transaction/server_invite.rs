//! The INVITE server transaction: RFC 3261 §17.2.1, figure 7, with RFC 6026 §7.1 and §8.5.

use super::{Intervals, Step};
use base::Time;
use std::time::Duration;

/// Where an INVITE that we received stands. The message kept beside it is our last answer; none in
/// `Accepted`, because the session keeps and repeats the 2xx.
#[derive(Debug)]
pub(super) enum ServerInvite {
    /// Only provisional answers were sent.
    Proceeding,
    /// A refusal was sent and waits for its ACK.
    Completed {
        /// The next retransmission.
        g: Time,
        /// The interval that led to it.
        interval: Duration,
        /// The end of our patience.
        h: Time,
    },
    /// The refusal was acknowledged; repetitions of the ACK are absorbed.
    Confirmed {
        /// When no repetition can come any more.
        i: Time,
    },
    /// A 2xx was sent: repetitions of the INVITE are absorbed, ACKs go to the session.
    Accepted {
        /// When no repetition can come any more.
        l: Time,
    },
    /// Over.
    Terminated,
}

impl ServerInvite {
    /// The INVITE came again. It gets our last answer, if one is kept.
    pub(super) fn repeated(&self) -> Step {
        match self {
            ServerInvite::Proceeding | ServerInvite::Completed { .. } => Step::SEND,
            _ => Step::NOTHING,
        }
    }

    /// The session answers. An answer after the final one is passed over.
    pub(super) fn reply(&mut self, now: Time, status: u16, intervals: &Intervals) -> Step {
        match (&self, status) {
            (ServerInvite::Proceeding, 100..=199) => Step::SEND,
            (ServerInvite::Proceeding, 200..=299) => {
                *self = ServerInvite::Accepted { l: now + intervals.patience() };
                Step::SEND
            }
            (ServerInvite::Proceeding, 300..=699) => {
                *self = ServerInvite::Completed {
                    g: intervals.first_repeat(now),
                    interval: intervals.t1,
                    h: now + intervals.patience(),
                };
                Step::SEND
            }
            _ => Step::NOTHING,
        }
    }

    /// An ACK of this transaction came: for a refusal it ends here, for a 2xx it is the session's.
    pub(super) fn acknowledged(&mut self, now: Time, intervals: &Intervals) -> Step {
        match self {
            ServerInvite::Completed { .. } => {
                *self = ServerInvite::Confirmed { i: intervals.linger(now, intervals.t4) };
                Step::NOTHING
            }
            ServerInvite::Accepted { .. } => Step::TELL,
            _ => Step::NOTHING,
        }
    }

    /// A deadline was reached. A refusal that nobody acknowledged interests nobody: the session is over.
    pub(super) fn handle_timeout(&mut self, now: Time, intervals: &Intervals) -> Step {
        match self {
            ServerInvite::Completed { h: end, .. }
            | ServerInvite::Confirmed { i: end }
            | ServerInvite::Accepted { l: end }
                if *end <= now =>
            {
                *self = ServerInvite::Terminated;
                Step::NOTHING
            }
            ServerInvite::Completed { g, interval, .. } if *g <= now => {
                *interval = (*interval * 2).min(intervals.t2);
                *g = now + *interval;
                Step::SEND
            }
            _ => Step::NOTHING,
        }
    }

    /// The next deadline.
    pub(super) fn deadline(&self) -> Time {
        match self {
            ServerInvite::Completed { g, h, .. } => *g.min(h),
            ServerInvite::Confirmed { i } => *i,
            ServerInvite::Accepted { l } => *l,
            ServerInvite::Proceeding | ServerInvite::Terminated => Time::FAR,
        }
    }
}
