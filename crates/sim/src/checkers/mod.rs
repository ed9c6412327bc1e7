//! What must hold, whatever happens.

mod asked;
mod log;
mod wire;

pub(crate) use asked::AskedChecker;
pub(crate) use log::LogChecker;
pub(crate) use wire::WireChecker;
