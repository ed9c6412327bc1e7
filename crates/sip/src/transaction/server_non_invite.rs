//! The server transaction of every request but INVITE and ACK: RFC 3261 §17.2.2, figure 8.

use super::{Intervals, Step};
use base::Time;

/// Where a request that we received stands. The message kept beside it is our last answer.
#[derive(Debug)]
pub(super) enum ServerNonInvite {
    /// No answer yet: repetitions get none either.
    Trying,
    /// A provisional answer was given.
    Proceeding,
    /// The final answer was given, and is given again to every repetition.
    Completed {
        /// When no repetition can come any more.
        j: Time,
    },
    /// Over.
    Terminated,
}

impl ServerNonInvite {
    /// The request came again.
    pub(super) fn repeated(&self) -> Step {
        match self {
            ServerNonInvite::Proceeding | ServerNonInvite::Completed { .. } => Step::SEND,
            ServerNonInvite::Trying | ServerNonInvite::Terminated => Step::NOTHING,
        }
    }

    /// The transaction user answers. An answer after the final one is passed over.
    pub(super) fn reply(&mut self, now: Time, status: u16, intervals: &Intervals) -> Step {
        match (&self, status) {
            (ServerNonInvite::Trying | ServerNonInvite::Proceeding, 100..=199) => {
                *self = ServerNonInvite::Proceeding;
                Step::SEND
            }
            (ServerNonInvite::Trying | ServerNonInvite::Proceeding, 200..=699) => {
                // Nothing is repeated on a stream, and an answer that a deadline gave leaves no deadline for now.
                *self = match intervals.reliable {
                    true => ServerNonInvite::Terminated,
                    false => ServerNonInvite::Completed { j: now + intervals.patience() },
                };
                Step::SEND
            }
            _ => Step::NOTHING,
        }
    }

    /// A deadline was reached.
    pub(super) fn handle_timeout(&mut self, now: Time) {
        if self.deadline() <= now {
            *self = ServerNonInvite::Terminated;
        }
    }

    /// The next deadline.
    pub(super) fn deadline(&self) -> Time {
        match self {
            ServerNonInvite::Completed { j } => *j,
            _ => Time::FAR,
        }
    }
}
