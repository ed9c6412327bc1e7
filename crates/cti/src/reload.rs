use tokio::sync::oneshot;

/// Somebody asks that the configuration be read again.
#[derive(Debug)]
pub struct ReloadRequest {
    /// Where the answer goes: what is in force then, or every fault, for which what ran goes on.
    pub reply: oneshot::Sender<Result<Reloaded, Vec<String>>>,
}

/// A configuration has come into force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reloaded {
    /// As `config.activated` tells it.
    pub version: String,
    /// The number of that fact.
    pub fact: u64,
}
