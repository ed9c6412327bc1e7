//! The INVITE client transaction: RFC 3261 §17.1.1, figure 5, with RFC 6026 §7.2 and §8.4.

use super::{Intervals, Step};
use base::Time;
use std::time::Duration;

/// Where an INVITE that we sent stands. The message kept beside it is the INVITE until a final answer
/// comes, then the ACK that answers its repetitions.
#[derive(Debug)]
pub(super) enum ClientInvite {
    /// Nothing came yet.
    Calling {
        /// The next retransmission.
        a: Time,
        /// The interval after it.
        interval: Duration,
        /// The end of our patience.
        b: Time,
        /// That of `Proceeding`.
        until: Time,
    },
    /// A provisional answer came. RFC 3261 gives this state no timer: a callee may ring for long, and
    /// how long is the session's decision.
    Proceeding {
        /// Far, until the session has lost its interest (after a CANCEL, §9.1, or a BYE): an answer that
        /// does not come by then never will.
        until: Time,
    },
    /// A final refusal came and was acknowledged; its repetitions are too.
    Completed {
        /// When no repetition can come any more.
        d: Time,
    },
    /// Our patience is over, and the session with it. A callee that answers all the same would ring for, or
    /// talk to, nobody: the session table hangs it up.
    Late {
        /// When no answer can come any more.
        until: Time,
    },
    /// A 2xx came: it and those of other forks go to the session.
    Accepted {
        /// When no 2xx can come any more.
        m: Time,
    },
    /// Over.
    Terminated,
}

impl ClientInvite {
    /// The state after the INVITE was sent for the first time.
    pub(super) fn new(now: Time, intervals: &Intervals) -> ClientInvite {
        ClientInvite::Calling {
            a: intervals.first_repeat(now),
            interval: intervals.t1,
            b: now + intervals.patience(),
            until: Time::FAR,
        }
    }

    /// The state after the INVITE was sent by another way. Nothing if something came back by the first.
    pub(super) fn anew(&self, now: Time, intervals: &Intervals) -> Option<ClientInvite> {
        let ClientInvite::Calling { until, .. } = *self else { return None };
        let mut anew = ClientInvite::new(now, intervals);
        if let ClientInvite::Calling { until: kept, .. } = &mut anew {
            *kept = until;
        }
        Some(anew)
    }

    /// A response came. `send` in the answer means: send the ACK for a refusal.
    pub(super) fn response(&mut self, now: Time, status: u16, intervals: &Intervals) -> Step {
        match (&self, status) {
            (ClientInvite::Calling { until, .. }, 100..=199) => {
                *self = ClientInvite::Proceeding { until: *until };
                Step::TELL
            }
            (ClientInvite::Proceeding { .. }, 100..=199) => Step::TELL,
            (ClientInvite::Late { .. }, 100..=199) => {
                *self = ClientInvite::Proceeding { until: now + intervals.patience() };
                Step::TELL
            }
            (
                ClientInvite::Calling { .. } | ClientInvite::Proceeding { .. } | ClientInvite::Late { .. },
                200..=299,
            ) => {
                *self = ClientInvite::Accepted { m: now + intervals.patience() };
                Step::TELL
            }
            (
                ClientInvite::Calling { .. } | ClientInvite::Proceeding { .. } | ClientInvite::Late { .. },
                300..=699,
            ) => {
                *self = ClientInvite::Completed { d: intervals.linger(now, intervals.patience()) };
                Step::SEND_AND_TELL
            }
            (ClientInvite::Completed { .. }, 300..=699) => Step::SEND,
            (ClientInvite::Accepted { .. }, 200..=299) => Step::TELL,
            _ => Step::NOTHING,
        }
    }

    /// A deadline was reached.
    pub(super) fn handle_timeout(&mut self, now: Time, intervals: &Intervals) -> Step {
        match self {
            ClientInvite::Calling { b: end, .. } | ClientInvite::Proceeding { until: end } if *end <= now => {
                *self = ClientInvite::Late { until: now + intervals.patience() };
                Step::TELL
            }
            ClientInvite::Calling { a, interval, .. } if *a <= now => {
                *interval *= 2;
                *a = now + *interval;
                Step::SEND
            }
            ClientInvite::Completed { d: end }
            | ClientInvite::Accepted { m: end }
            | ClientInvite::Late { until: end }
                if *end <= now =>
            {
                *self = ClientInvite::Terminated;
                Step::NOTHING
            }
            _ => Step::NOTHING,
        }
    }

    /// The session has lost its interest: from now on there is an end to the waiting.
    pub(super) fn limit(&mut self, now: Time, intervals: &Intervals) {
        if let ClientInvite::Calling { until, .. } | ClientInvite::Proceeding { until } = self {
            *until = (now + intervals.patience()).min(*until);
        }
    }

    /// The INVITE is not sent again.
    pub(super) fn hush(&mut self) {
        if let ClientInvite::Calling { a, .. } = self {
            *a = Time::FAR;
        }
    }

    /// The transport failed. Only a transaction that still waits tells its user.
    pub(super) fn fail(&mut self) -> Step {
        let waiting = matches!(self, ClientInvite::Calling { .. } | ClientInvite::Proceeding { .. });
        *self = ClientInvite::Terminated;
        if waiting { Step::TELL } else { Step::NOTHING }
    }

    /// The next deadline.
    pub(super) fn deadline(&self) -> Time {
        match self {
            ClientInvite::Calling { a, b, .. } => *a.min(b),
            ClientInvite::Completed { d } => *d,
            ClientInvite::Accepted { m } => *m,
            ClientInvite::Proceeding { until } | ClientInvite::Late { until } => *until,
            ClientInvite::Terminated => Time::FAR,
        }
    }
}
