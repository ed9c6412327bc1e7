//! What must hold, whatever happens.

mod log;
mod wire;

pub(crate) use log::LogChecker;
pub(crate) use wire::WireChecker;
