use std::fmt;
use std::io;
use std::net::SocketAddr;

/// Why the server did not start.
#[derive(Debug)]
pub enum CtiError {
    /// Anyone in the network could read and command.
    OpenToTheNetwork {
        /// Where it was to listen.
        listen: SocketAddr,
    },
    /// The zone is not an IANA name.
    UnknownZone {
        /// What was given.
        zone: String,
    },
    /// The address cannot be listened on.
    Listen {
        /// Where it was to listen.
        listen: SocketAddr,
        /// What the system said.
        cause: io::Error,
    },
}

impl fmt::Display for CtiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CtiError::OpenToTheNetwork { listen } => write!(
                f,
                "HTTP on {listen} could be reached from outside this machine and no token is configured; \
                 add at least one token, or listen on 127.0.0.1"
            ),
            CtiError::UnknownZone { zone } => {
                write!(f, "the time zone {zone:?} is not known; give an IANA name such as Europe/Rome")
            }
            CtiError::Listen { listen, cause } => write!(
                f,
                "cannot listen for HTTP on {listen}: {cause}; choose a free port, or stop the program that has it"
            ),
        }
    }
}

impl std::error::Error for CtiError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            CtiError::Listen { cause, .. } => Some(cause),
            CtiError::OpenToTheNetwork { .. } | CtiError::UnknownZone { .. } => None,
        }
    }
}
