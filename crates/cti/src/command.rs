use facts::Command;
use tokio::sync::oneshot;

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
