use ipnet::IpNet;
use std::time::Duration;
use tokio::sync::oneshot;

/// What can be asked over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// An agent takes no calls for a while.
    Pause {
        /// Who.
        agent: String,
        /// Why, for the statistics.
        reason: String,
    },
    /// An agent takes calls again.
    Ready {
        /// Who.
        agent: String,
    },
    /// A call ends now.
    HangUp {
        /// Which.
        call: String,
    },
    /// A call's media is copied to a capture.
    Capture {
        /// Which.
        call: String,
        /// The capture's number.
        capture: u64,
    },
    /// So is that of the next call from or to a number.
    CaptureNext {
        /// The number, as facts write it.
        number: String,
        /// The capture's number.
        capture: u64,
    },
    /// A capture has ended, or waits no longer.
    EndCapture {
        /// Its number.
        capture: u64,
    },
    /// Somebody is kept out of SIP.
    Ban {
        /// An address or a network.
        source: IpNet,
        /// How long.
        length: Duration,
        /// Why, for people.
        reason: String,
    },
    /// Somebody is let in again.
    LiftBan {
        /// As the ban says.
        source: IpNet,
    },
    /// The agent of a call hands it over, without asking first.
    Transfer {
        /// Which.
        call: String,
        /// An agent, the number of a service, or a number outside.
        to: String,
    },
}

/// A command on its way to the engine's thread.
#[derive(Debug)]
pub struct CommandRequest {
    /// What.
    pub command: Command,
    /// The name of the token that asked.
    pub by: String,
    /// Where the answer goes: the number of the last fact that it caused, or why it was not done. The
    /// HTTP caller hears of success only when that fact is on disk.
    pub reply: oneshot::Sender<Result<u64, CommandError>>,
}

/// Why a command was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandError {
    /// For programs.
    pub code: CommandCode,
    /// For people: the cause and the next step.
    pub detail: String,
}

/// The stable codes of [`CommandError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandCode {
    /// It cannot be done in the present state; nothing changed. 409.
    InvalidState,
    /// No such agent, call or ban. 404.
    NotFound,
    /// A rule of the desk forbids it. 403.
    NotPermitted,
    /// A limit is reached. 503.
    Capacity,
}
