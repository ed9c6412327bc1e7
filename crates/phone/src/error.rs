use sip::ua::Ending;
use std::fmt;
use std::time::Duration;

/// Why something that a phone was asked to do did not come about.
#[derive(Clone, Debug, PartialEq)]
pub enum PhoneError {
    /// A socket or the system's chance could not be had.
    System(String),
    /// What was dialled is no address and there is no server to give it to.
    NoServer(String),
    /// Registering needs a server and a password.
    NoCredentials,
    /// The registrar refused, with this status.
    RegistrationRefused(Option<u16>),
    /// The registrar did not answer, or had trouble of its own.
    RegistrarAway(Option<u16>),
    /// The phone has as many calls as it can.
    Busy,
    /// It did not happen within this time.
    TimedOut {
        /// What was waited for.
        what: String,
        /// How long.
        within: Duration,
    },
    /// The call is over.
    Ended(Ending),
    /// The peer does not agree to this, with this status; the call goes on.
    Refused(u16),
    /// The phone has been closed.
    Closed,
}

impl fmt::Display for PhoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PhoneError::System(why) => f.write_str(why),
            PhoneError::NoServer(dial) => {
                write!(f, "{dial} names no address: give a server, or dial sip:USER@ADDRESS:PORT")
            }
            PhoneError::NoCredentials => f.write_str("registering needs a server, a user and a password"),
            PhoneError::RegistrationRefused(status) => {
                write!(f, "the registrar refused{}; look at user, password and domain", Status(*status))
            }
            PhoneError::RegistrarAway(status) => {
                write!(f, "the registrar does not answer{}; look at the server's address", Status(*status))
            }
            PhoneError::Busy => f.write_str("the phone has as many calls as it can; hang one up"),
            PhoneError::TimedOut { what, within } => write!(f, "no {what} within {within:?}"),
            PhoneError::Ended(ending) => {
                write!(f, "the call ended: {:?}{} {}", ending.how, Status(ending.status), ending.detail)
            }
            PhoneError::Refused(status) => write!(f, "the peer refused with {status}"),
            PhoneError::Closed => f.write_str("the phone has been closed"),
        }
    }
}

impl std::error::Error for PhoneError {}

struct Status(Option<u16>);

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |status| write!(f, " ({status})"))
    }
}
