//! Where a SIP server is: from a name to addresses, in the order in which they are to be tried (RFC 3263,
//! RFC 2782), without ever letting a call wait for a name server that was asked before.
//!
//! [`Locator`] is the machine: it gives out [`Query`]s and takes [`Answer`]s. What is known is kept while it
//! is fresh, asked for anew before it is not, and used for a day longer while no name server answers.

mod cache;
mod locator;
mod place;
mod plan;
mod weights;

pub use locator::{Config, Input, Located, Locator, Output};
pub use place::{Host, Place, PlaceError};
pub use plan::Way;

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

/// What a name server is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Which transports a domain has (RFC 3403, RFC 3263 §4.1).
    Naptr,
    /// Which servers a service has (RFC 2782).
    Srv,
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
}

/// One question to a name server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Query {
    /// What for.
    pub kind: Kind,
    /// Of whom: lower case, without a dot at the end.
    pub name: String,
}

impl Query {
    pub(crate) fn new(kind: Kind, name: &str) -> Query {
        Query { kind, name: name.trim_end_matches('.').to_ascii_lowercase() }
    }
}

/// As people write it: `SRV _sip._udp.example.com`.
impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Naptr => "NAPTR",
            Kind::Srv => "SRV",
            Kind::A => "A",
            Kind::Aaaa => "AAAA",
        };
        write!(f, "{kind} {}", self.name)
    }
}

/// One record of an answer. Aliases (CNAME) have been followed by whoever asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A transport of a domain.
    Naptr {
        /// Only the lowest one that we understand is used.
        order: u16,
        /// Among records of one order: the lowest first.
        preference: u16,
        /// `s`: the replacement is to be asked for SRV.
        flags: String,
        /// Such as `SIP+D2U`.
        service: String,
        /// The next name.
        replacement: String,
    },
    /// A server.
    Srv {
        /// The lowest first.
        priority: u16,
        /// Its share of what comes to this priority.
        weight: u16,
        /// Where it listens.
        port: u16,
        /// Its name; `.` says that there is no such service.
        target: String,
    },
    /// An address.
    Address {
        /// Of the machine.
        ip: IpAddr,
        /// The address of this machine from which the kernel's routes lead there, if it was asked.
        local: Option<IpAddr>,
    },
}

/// What came of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// These records.
    Found {
        /// Of the query's kind; others are passed over.
        records: Vec<Record>,
        /// How long they hold. Less than five seconds is taken as five: calls come in bursts.
        ttl: Duration,
    },
    /// The name servers say that there is nothing (NXDOMAIN or no data, RFC 2308).
    Nothing {
        /// How long that holds; five minutes at most.
        ttl: Duration,
    },
    /// No name server could say: silence, SERVFAIL, nonsense.
    Failed,
}
