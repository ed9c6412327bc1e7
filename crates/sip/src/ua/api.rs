//! What a user agent is told and what it tells: the seam between `sip` and whoever runs calls with it.

use super::{Do, Event, Transport};
use crate::guard::Change;
use crate::locate::{Answer, Query};
use base::Key;
use std::net::SocketAddr;

/// A way to a peer: which local socket or listener, and the address at the other end. A TCP flow without a
/// living connection is opened by the shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    /// Datagrams or a stream.
    pub transport: Transport,
    /// The local address that it was received on, or is to be sent from.
    pub local: SocketAddr,
    /// The peer's.
    pub remote: SocketAddr,
}

/// One INVITE dialog from its first message to its last.
#[derive(Debug)]
pub struct Session;
/// The key of a session: ended sessions' keys find nothing.
pub type SessionId = Key<Session>;

pub use crate::texts::{TextId, Waiting as WaitingText};

/// What can be told to a user agent.
#[derive(Clone, Debug)]
pub enum Input {
    /// One datagram, or one framed message of a stream.
    Received {
        /// By which way.
        flow: Flow,
        /// The message.
        bytes: Vec<u8>,
    },
    /// A stream could not be opened, or broke: its transactions fail at once (RFC 3261 §18.4).
    FlowFailed {
        /// Which.
        flow: Flow,
    },
    /// A datagram was not sent and never will be: it is too large for the kernel.
    TooLarge {
        /// The message.
        bytes: Vec<u8>,
    },
    /// What came of an [`Output::Resolve`].
    Resolved {
        /// The query.
        query: Query,
        /// What name servers said.
        answer: Answer,
    },
    /// Something to do.
    Do(Do),
}

/// What a user agent gives, in the order in which it is to be done.
#[derive(Clone, Debug)]
pub enum Output {
    /// Send these bytes.
    Send {
        /// By this way.
        flow: Flow,
        /// One message.
        bytes: Vec<u8>,
    },
    /// Ask a name server, without waiting for it here, and tell what came of it.
    Resolve {
        /// What to ask.
        query: Query,
    },
    /// From now on the certificate at this address must bear this name (RFC 5922).
    Expect {
        /// The peer of a TLS connection to come.
        remote: SocketAddr,
        /// A domain, or an address as it stands in a URI.
        name: String,
    },
    /// Something happened.
    Event(Event),
    /// Who is to be let to the sockets has changed.
    Door(Change),
}

/// The deadlines of a user agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// A transaction's timer.
    Transaction,
    /// A session waits for its ACK, or retries after 491.
    Session,
    /// A contact runs out.
    Registrar,
    /// A subscription runs out.
    Subscription,
    /// A text is answered if nobody decided where it goes.
    Text,
    /// A registration of ours is due.
    Registration,
    /// A device behind a NAT is to be kept reachable.
    Device,
    /// A ban or an acquaintance is over.
    Guard,
    /// An answer of a name server is no longer fresh, or a call waits for one too long.
    Locating,
    /// A trunk is to be asked whether it is there.
    Health,
}
