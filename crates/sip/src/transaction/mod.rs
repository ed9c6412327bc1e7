//! The transactions of RFC 3261 §17 with the corrections of RFC 6026: one file for each of the four
//! machines, and the table that holds them all.
//!
//! A machine is told of messages and deadlines and answers with a [`Step`]; it sends nothing itself.
//! A 2xx to an INVITE that we received is retransmitted by the session, not here (RFC 6026 §7.1).

mod client_invite;
mod client_non_invite;
mod derived;
mod fingerprint;
mod large;
mod server_invite;
mod server_non_invite;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use large::{DATAGRAM_MAX, Instead, with_via};
pub(crate) use table::{Failed, Failure, Found, Passed, Table};

use crate::subscription::SubscriptionId;
use crate::texts::TextId;
use crate::ua::{SessionId, Timers};
use base::{Key, Time};
use std::time::Duration;

/// The key of a transaction in the [`Table`].
pub(crate) type TransactionId = Key<table::Transaction>;

/// The transaction user: who is told what becomes of a transaction (RFC 3261 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum User {
    /// A session.
    Session(SessionId),
    /// A registration of ours, by its number.
    Registration(u64),
    /// The health of a trunk, by its number.
    Probe(u64),
    /// A session that has gone on to another way: what comes late is ended in good order.
    Abandoned,
    /// A subscription to what we tell of.
    Subscription(SubscriptionId),
    /// A text that is being handed on.
    Text(TextId),
    /// Nobody waits for the end of it.
    Nobody,
}

/// The intervals that a machine works with (RFC 3261 table 4).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Intervals {
    /// The round trip estimate.
    pub(crate) t1: Duration,
    /// The longest interval between retransmissions.
    pub(crate) t2: Duration,
    /// How long a message lives in the network.
    pub(crate) t4: Duration,
    /// Whether the transport repeats lost messages by itself.
    pub(crate) reliable: bool,
}

impl Intervals {
    pub(crate) fn new(timers: &Timers, reliable: bool) -> Intervals {
        Intervals { t1: timers.t1, t2: timers.t2, t4: timers.t4, reliable }
    }

    /// Timers B, F, H, L and M: how long anybody waits for anything.
    pub(crate) fn patience(&self) -> Duration {
        self.t1 * 64
    }

    /// The first retransmission: timers A, E and G. Never on a reliable transport.
    fn first_repeat(&self, now: Time) -> Time {
        if self.reliable { Time::FAR } else { now + self.t1 }
    }

    /// How long what was lost may still be repeated by the peer: timers D, I and K, which are zero on a
    /// reliable transport.
    fn linger(&self, now: Time, span: Duration) -> Time {
        if self.reliable { now } else { now + span }
    }
}

/// What a machine wants done after an input or a deadline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Step {
    /// Send the message that the machine keeps (again).
    send: bool,
    /// Tell the transaction user of the message that came, or of the failure.
    tell: bool,
}

impl Step {
    const NOTHING: Step = Step { send: false, tell: false };
    const SEND: Step = Step { send: true, tell: false };
    const TELL: Step = Step { send: false, tell: true };
    const SEND_AND_TELL: Step = Step { send: true, tell: true };
}
